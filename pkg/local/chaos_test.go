package local_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/local/cli"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// mostKills bounds how long the story takes.
const mostKills = 12

// The platform is killed again and again, at moments that nobody chose, while people go on with the loop:
// files arrive, training starts by itself, a release is approved, goes live and is rolled back. Whatever the
// platform has said yes to happens, and happens once.
func TestPlatform_KilledAtAnyMoment(t *testing.T) {
	p := startPlatform(t)
	require.NoError(t, os.WriteFile(p.letGo, nil, 0o600))
	p.steps("production", []int{50, 100}, 0)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &story{platform: p, files: 3, rows: 50}
	ended := make(chan error, 1)
	go func() { ended <- s.play() }()
	kills, chance := 0, rand.New(rand.NewPCG(seed, 0))
	for going := true; going; {
		select {
		case err := <-ended:
			require.NoError(t, err, "after %d kills", kills)
			going = false
		case <-time.After(time.Duration(20+chance.IntN(1500)) * time.Millisecond):
			if kills < mostKills {
				p.restart()
				kills++
			}
		}
	}
	t.Logf("%d kills", kills)
	s.complete()
}

// story is what people do meanwhile. They try again when nobody answers.
type story struct {
	*platform
	files, rows int
	release     rollout.Release
}

// again tries until it goes well, at most two minutes.
func (s *story) again(what string, try func() error) error {
	deadline := time.Now().Add(2 * time.Minute)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return wrap(what, err)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

var errNotYet = errors.New("it has not happened")

func (s *story) play() error {
	if err := s.again("arm the trigger", s.arm); err != nil {
		return err
	}
	for i := range s.files {
		if err := s.again("upload", func() error { return s.upload(fmt.Sprintf("news-%d", i)) }); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		what string
		try  func() error
	}{{"learn", s.learned}, {"approve", s.decided}, {"release", s.released}, {"roll back", s.rolledBack}} {
		if err := s.again(step.what, step.try); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) arm() error {
	var t training.Trigger
	if err := s.as("ana").Get(s.ctx, "/v1/models/support/trigger", &t); err != nil || t.Enabled {
		return err
	}
	in := map[string]any{"enabled": true, "minRows": 1, "debounce": 0, "cooldown": 0, "schedule": "rate(1 minute)"}
	return s.as("ana").Put(s.ctx, "/v1/models/support/trigger", t.Rev, in, nil)
}

func (s *story) upload(name string) error {
	in, err := s.as("ana").Upload(s.ctx, "tickets", s.file(name, s.rows))
	if err != nil {
		return err
	}
	return s.again("admit", func() error {
		var now cli.Ingestion
		if err := s.as("ana").Get(s.ctx, "/v1/ingestions/"+in.ID, &now); err != nil {
			return err
		}
		if now.Status != dataset.Published {
			return fmt.Errorf("%s is %s: %s", in.ID, now.Status, now.Error)
		}
		return nil
	})
}

// allRuns gives all runs, newest first.
func (s *story) allRuns() ([]training.Run, error) {
	var runs struct{ Items []training.Run }
	err := s.as("ana").Get(s.ctx, "/v1/runs?limit=200", &runs)
	return runs.Items, err
}

// learned is when the newest run has learned the newest data and asks for a release.
func (s *story) learned() error {
	runs, err := s.allRuns()
	if err != nil {
		return err
	}
	if len(runs) == 0 || !runs[0].Status.Final() || runs[0].Datasets[0].Number != s.files+1 {
		return errNotYet
	}
	if runs[0].Release == "" {
		return fmt.Errorf("run %s ended as %s without a release: %s", runs[0].ID, runs[0].Status, runs[0].Error)
	}
	return s.as("ana").Get(s.ctx, "/v1/releases/"+runs[0].Release, &s.release)
}

func (s *story) decided() error {
	var a rollout.Approval
	if err := s.as("ben").Get(s.ctx, "/v1/approvals/"+s.release.Approval, &a); err != nil || a.Status == "Approved" {
		return err
	}
	in := map[string]any{"approve": true, "reason": "good numbers", "binding": a.Binding}
	return s.as("ben").Decide(s.ctx, a, in, nil)
}

func (s *story) released() error {
	if err := s.as("ana").Get(s.ctx, "/v1/releases/"+s.release.ID, &s.release); err != nil {
		return err
	}
	if s.release.Phase != rollout.Succeeded {
		return fmt.Errorf("release %s is %s: %s", s.release.ID, s.release.Phase, s.release.Error)
	}
	return nil
}

func (s *story) rolledBack() error {
	var e rollout.Environment
	if err := s.as("ana").Get(s.ctx, "/v1/models/support/environments/production", &e); err != nil {
		return err
	}
	for _, t := range e.Targets {
		if t.Version == 1 && t.Weight == 100 {
			return nil
		}
	}
	if err := s.as("ben").Post(s.ctx, "/v1/models/support/environments/production/rollbacks", map[string]any{"reason": "drill"}, nil); err != nil {
		return err
	}
	return errNotYet
}

// complete checks that nothing is missing and nothing happened twice.
func (s *story) complete() {
	var v dataset.Version
	s.get(fmt.Sprintf("/v1/datasets/tickets/versions/%d", s.files+1), &v)
	require.Equal(s.t, 20+s.files*s.rows, v.Rows, "every accepted row is there, once")
	resp, err := s.as("ana").Do(s.ctx, http.MethodGet, fmt.Sprintf("/v1/datasets/tickets/versions/%d", s.files+2), nil)
	require.Error(s.t, err, "no version was published twice: %v", resp)
	runs, err := s.allRuns()
	require.NoError(s.t, err)
	learned := map[int]bool{}
	for _, r := range runs {
		require.Equal(s.t, training.Judged, r.Status, "%s: %s", r.ID, r.Error)
		require.False(s.t, learned[r.Datasets[0].Number], "data version %d was learned twice", r.Datasets[0].Number)
		learned[r.Datasets[0].Number] = true
	}
	jobs := map[string]bool{} // a job that was killed after it had told is begun again: the same job
	for _, line := range s.trained() {
		jobs[line] = true
	}
	require.Len(s.t, jobs, len(runs), "each run trained in one job, on the same rows")
	require.Equal(s.t, 1, s.live("production"))
	s.intact()
}
