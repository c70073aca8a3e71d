package httpapi

import (
	"cmp"
	"fmt"
	"time"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
	"github.com/perennial-llm/perennial/pkg/rollout"
	"github.com/perennial-llm/perennial/pkg/training"
)

// stages says how each part of the loop is doing.
func (s *situation) stages() []oas.Stage {
	return []oas.Stage{s.dataStage(), s.trainingStage(), s.evaluationStage(), s.approvalStage(), s.releaseStage(), s.servingStage()}
}

func stage(name oas.StageName, health oas.StageHealth, summary string) oas.Stage {
	return oas.Stage{Name: name, Health: health, Summary: summary}
}

// about adds the thing to open and since when it is so.
func about(st oas.Stage, kind, id string, since time.Time) oas.Stage {
	st.Subject = oas.NewOptSubject(oas.Subject{Type: kind, ID: id})
	if !since.IsZero() {
		st.Since = oas.NewOptDateTime(since)
	}
	return st
}

func (s *situation) dataStage() oas.Stage {
	for _, i := range s.ingestions {
		switch {
		case i.Status == dataset.Quarantined:
			return about(stage(oas.StageNameData, oas.StageHealthAttention, i.Name+" waits in quarantine for a decision"), "ingestion", i.ID, i.Created)
		case !i.Status.Final():
			return about(stage(oas.StageNameData, oas.StageHealthActive, i.Name+" is being checked"), "ingestion", i.ID, i.Created)
		}
	}
	if len(s.ingestions) > 0 && s.ingestions[0].Status == dataset.Failed {
		i := s.ingestions[0]
		return about(stage(oas.StageNameData, oas.StageHealthFailing, i.Name+" could not be checked: "+i.Error), "ingestion", i.ID, i.Ended)
	}
	rows := 0
	for _, d := range s.datasets {
		rows += d.Rows
	}
	if rows == 0 {
		return stage(oas.StageNameData, oas.StageHealthIdle, "no data yet")
	}
	return stage(oas.StageNameData, oas.StageHealthOk, fmt.Sprintf("%s in %s", count(rows, "row"), count(len(s.datasets), "dataset")))
}

func (s *situation) trainingStage() oas.Stage {
	for _, r := range s.runs {
		if r.Status == training.Training || r.Status == training.Queued {
			return about(stage(oas.StageNameTraining, oas.StageHealthActive, s.called(r.Model)+" is learning"), "run", r.ID, r.Created)
		}
	}
	if len(s.runs) == 0 {
		return stage(oas.StageNameTraining, oas.StageHealthIdle, "no run yet")
	}
	r := s.runs[0]
	if r.Status == training.Failed {
		return about(stage(oas.StageNameTraining, oas.StageHealthFailing, "the last run failed: "+r.Error), "run", r.ID, r.Ended)
	}
	how := " ended well"
	if r.Status == training.Cancelled {
		how = " was cancelled"
	}
	return about(stage(oas.StageNameTraining, oas.StageHealthOk, "the last run of "+s.called(r.Model)+how), "run", r.ID, r.Ended)
}

func (s *situation) evaluationStage() oas.Stage {
	for _, r := range s.runs {
		if r.Status == training.Evaluating {
			return about(stage(oas.StageNameEvaluation, oas.StageHealthActive, "a new version of "+s.called(r.Model)+" is being compared"), "run", r.ID, r.Created)
		}
	}
	for _, r := range s.runs {
		if r.Verdict == "" {
			continue
		}
		health := oas.StageHealthOk
		if r.Verdict != "PASS" {
			health = oas.StageHealthAttention
		}
		return about(stage(oas.StageNameEvaluation, health, fmt.Sprintf("version %d of %s %s", r.Candidate, s.called(r.Model), judged[r.Verdict])), "run", r.ID, r.Ended)
	}
	return stage(oas.StageNameEvaluation, oas.StageHealthIdle, "nothing to compare yet")
}

// judged says what a verdict means.
var judged = map[string]string{"PASS": "passed the gate", "INCONCLUSIVE": "got no clear verdict from the gate", "FAIL": "failed the gate"}

func (s *situation) approvalStage() oas.Stage {
	if len(s.approvals) == 0 {
		return stage(oas.StageNameApproval, oas.StageHealthOk, "nothing waits for approval")
	}
	a := s.approvals[len(s.approvals)-1] // the oldest
	return about(stage(oas.StageNameApproval, oas.StageHealthAttention, count(len(s.approvals), "release")+" waiting for approval"), "approval", a.ID, a.Created)
}

func (s *situation) releaseStage() oas.Stage {
	for _, r := range s.releases {
		if r.Phase == rollout.Progressing {
			words := fmt.Sprintf("version %d of %s is at %d%% in %s", r.Version, s.called(r.Model), r.Weight, r.Environment)
			return about(stage(oas.StageNameRelease, oas.StageHealthActive, words), "release", r.ID, r.Created)
		}
	}
	for _, r := range s.releases {
		words := fmt.Sprintf("version %d of %s ", r.Version, s.called(r.Model))
		switch r.Phase {
		case rollout.Failed:
			return about(stage(oas.StageNameRelease, oas.StageHealthAttention, words+"was not released: "+r.Error), "release", r.ID, r.Ended)
		case rollout.RolledBack:
			return about(stage(oas.StageNameRelease, oas.StageHealthAttention, words+"went back: "+r.Error), "release", r.ID, r.Ended)
		case rollout.Succeeded:
			return about(stage(oas.StageNameRelease, oas.StageHealthOk, words+"is released"), "release", r.ID, r.Ended)
		}
	}
	return stage(oas.StageNameRelease, oas.StageHealthIdle, "no release yet")
}

// failingShare is the share of failed requests in the last hour above which serving counts as failing.
const failingShare = 0.05

func (s *situation) servingStage() oas.Stage {
	live, requests := 0, int64(0)
	for _, m := range s.models {
		for _, l := range m.lanes {
			if l.live() == 0 {
				continue
			}
			live, requests = live+1, requests+l.traffic.Requests
			if l.traffic.Requests > 0 && float64(l.traffic.Errors) > failingShare*float64(l.traffic.Requests) {
				words := fmt.Sprintf("%d of %d requests to %s in %s failed in the last hour", l.traffic.Errors, l.traffic.Requests, s.called(m.ID), l.Name)
				return about(stage(oas.StageNameServing, oas.StageHealthFailing, words), "environment", m.ID+"/"+l.Name, l.Changed)
			}
		}
	}
	if live == 0 {
		return stage(oas.StageNameServing, oas.StageHealthIdle, "nothing is served yet")
	}
	return stage(oas.StageNameServing, oas.StageHealthOk, fmt.Sprintf("%s live, %s in the last hour", count(live, "environment"), count(int(requests), "request")))
}

// called gives what people call a model.
func (s *situation) called(model string) string {
	for _, m := range s.models {
		if m.ID == model {
			return cmp.Or(m.Name, model)
		}
	}
	return model
}

// count gives "1 row", "2 rows".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
