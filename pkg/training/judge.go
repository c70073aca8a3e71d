package training

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/benchmark"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/gate"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
)

// JudgeInput is what evaluate-model hands to the gate.
type JudgeInput struct {
	Run  string      `json:"run"`
	Set  string      `json:"set"`
	Done []Evaluated `json:"done"` // evaluations that ran for this
}

// Judgement is the gate's word on a run.
type Judgement struct {
	Run     string `json:"run"`
	Verdict string `json:"verdict"`
	Report  string `json:"report"` // digest
}

// Judge lets the gate compare candidate and champion and records its report. The same results give the
// same report, so that a second call changes nothing.
func (s *Service) Judge(ctx context.Context, in JudgeInput) (Judgement, error) {
	if err := s.recordEvaluations(ctx, in.Set, in.Done); err != nil {
		return Judgement{}, err
	}
	run, err := s.Run(ctx, in.Run)
	if err != nil {
		return Judgement{}, err
	}
	report, err := s.decide(ctx, run, in.Set)
	if err != nil {
		return Judgement{}, err
	}
	digest, err := s.keepReport(ctx, report)
	if err != nil {
		return Judgement{}, err
	}
	err = s.Registry.Judge(ctx, audit.System("gate"), run.Model, run.Candidate, func(v *registry.Version) {
		v.Verdict, v.Report, v.Policy = string(report.Verdict), digest, report.Digests.Policy
		if report.Verdict == gate.Fail {
			v.Status = registry.Rejected
		}
	})
	if err != nil {
		return Judgement{}, err
	}
	_, err = s.update(ctx, audit.System("gate"), run.ID, "RunJudged", func(r *Run) { r.Verdict, r.Report = string(report.Verdict), digest })
	return Judgement{Run: run.ID, Verdict: string(report.Verdict), Report: digest}, err
}

func (s *Service) decide(ctx context.Context, run Run, set string) (gate.Report, error) {
	in, err := s.evidence(ctx, run, set)
	if err != nil {
		return gate.Report{}, err
	}
	policy, err := s.policy(ctx, run.Model)
	if err != nil {
		return gate.Report{}, err
	}
	return gate.Decide(policy, in)
}

// evidence gathers everything that the gate judges a run by.
func (s *Service) evidence(ctx context.Context, run Run, set string) (gate.Input, error) {
	var none gate.Input
	candidate, err := s.Registry.Version(ctx, run.Model, run.Candidate)
	if err != nil {
		return none, err
	}
	champion, err := s.Registry.Version(ctx, run.Model, run.Parent)
	if err != nil {
		return none, err
	}
	bs, err := s.benchmarks(ctx, run.Model)
	if err != nil {
		return none, err
	}
	in := gate.Input{Describe: describer(bs), Parts: s.lockParts(ctx), Digests: gate.Digests{Candidate: candidate.Digest, Incumbent: champion.Digest}}
	if len(run.Datasets) > 0 {
		in.Digests.Dataset = run.Datasets[0].Digest
	}
	if in.Incumbent, err = s.results(ctx, champion.Digest, set); err != nil {
		return none, err
	}
	if in.Candidate, err = s.results(ctx, candidate.Digest, set); err != nil {
		return none, err
	}
	if err := s.remember(ctx, run, set, bs, &in); err != nil {
		return none, err
	}
	in.Contaminated, err = s.contaminated(ctx, run, champion, bs)
	return in, err
}

func describer(bs []benchmark.Version) func(name, item string) (string, string) {
	items := map[string]benchmark.Item{}
	for _, b := range bs {
		for _, it := range b.Items {
			items[b.Name+"/"+it.ID] = it
		}
	}
	return func(name, item string) (string, string) {
		it := items[name+"/"+item]
		return it.Question(), strings.Join(it.Answers(), " | ")
	}
}

// lockParts finds the parts of every lock that the catalog ever held; a lock from elsewhere has none to name.
func (s *Service) lockParts(ctx context.Context) func(name, lock string) map[string]string {
	return func(name, lock string) map[string]string {
		parts, err := s.Catalog.Parts(ctx, name, lock)
		if err != nil {
			return nil
		}
		return parts
	}
}

// results streams an evaluation's per-item results; each range reads the object anew.
func (s *Service) results(ctx context.Context, digest, set string) (gate.Results, error) {
	e, err := s.evaluation(ctx, digest, set)
	if err != nil {
		return nil, fmt.Errorf("results of %s: %w", digest, err)
	}
	return s.lines(ctx, e), nil
}

func (s *Service) lines(ctx context.Context, e Evaluated) gate.Results {
	key := strings.TrimSuffix(strings.TrimPrefix(e.Artifact, s.Places.URI("")), "/") + "/results.jsonl"
	return gate.Lines(key, func() (io.ReadCloser, error) {
		r, _, err := s.Objects.Get(ctx, key, 0)
		return r, err
	})
}

// contaminated streams what the run trained on past the benchmarks: admission refuses overlaps, but a
// benchmark may be younger than the data.
func (s *Service) contaminated(ctx context.Context, run Run, champion registry.Version, bs []benchmark.Version) (map[string]bool, error) {
	out := map[string]bool{}
	seen, err := s.seen(ctx, champion)
	if err != nil {
		return nil, err
	}
	index := benchmark.NewIndex(bs...)
	for _, ref := range run.Datasets {
		v, err := s.Datasets.Version(ctx, ref.Dataset, ref.Number)
		if err != nil {
			return nil, err
		}
		for _, sh := range unseen(v, seen) {
			if err := s.scan(ctx, sh.Key, index, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (s *Service) scan(ctx context.Context, key string, index *benchmark.Index, out map[string]bool) error {
	r, _, err := s.Objects.Get(ctx, key, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	zr, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("open shard %s: %w", key, err)
	}
	for d := json.NewDecoder(zr); ; {
		var row struct {
			Prompt, Completion, Text string
			Messages                 []benchmark.Message
		}
		if err := d.Decode(&row); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read shard %s: %w", key, err)
		}
		parts := []string{row.Prompt, row.Completion, row.Text}
		for _, m := range row.Messages {
			parts = append(parts, m.Content)
		}
		index.Matches(strings.TrimSpace(strings.Join(parts, "\n")), func(item string) bool { out[item] = true; return true })
	}
}

// keepReport stores a report under its digest, as JSON for programs and as a page for people.
func (s *Service) keepReport(ctx context.Context, r gate.Report) (string, error) {
	body, err := r.JSON()
	if err != nil {
		return "", err
	}
	page, err := r.HTML()
	if err != nil {
		return "", err
	}
	digest := r.Digest()
	for ext, content := range map[string][]byte{".json": body, ".html": page} {
		if _, err := s.Objects.Put(ctx, reportKey(digest)+ext, bytes.NewReader(content), object.PutOptions{}); err != nil {
			return "", err
		}
	}
	return digest, nil
}

func reportKey(digest string) string { return "reports/" + strings.TrimPrefix(digest, "sha256:") }

// Report opens a stored gate report as "json" or "html".
func (s *Service) Report(ctx context.Context, digest, ext string) (io.ReadCloser, error) {
	r, _, err := s.Objects.Get(ctx, reportKey(digest)+"."+ext, 0)
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "no report %q", digest)
	}
	return r, err
}

// Conclude ends a run that the gate has judged; release names the one that was asked for, if any.
func (s *Service) Conclude(ctx context.Context, id, release, note string) error {
	_, err := s.update(ctx, audit.System("training"), id, "RunConcluded", func(r *Run) {
		r.Status, r.Release, r.Error, r.Ended = Judged, release, note, s.Clock()
	})
	return err
}
