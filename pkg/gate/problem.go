package gate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Problem is one thing that keeps results from being judged.
type Problem struct {
	Where   string `json:"where"` // file:line when read from a file, else the side
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error makes a Problem something that Results may yield.
func (p Problem) Error() string {
	s := p.Message
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

func asProblem(err error) (Problem, bool) {
	var p Problem
	ok := errors.As(err, &p)
	return p, ok
}

// maxProblems bounds what is collected; the rest is only counted.
const maxProblems = 100

// problems collects what is wrong with the input.
type problems struct {
	list []Problem
	more int
}

func (ps *problems) add(p Problem) {
	if len(ps.list) == maxProblems {
		ps.more++
		return
	}
	ps.list = append(ps.list, p)
}

// ProblemsOf gives the problems in an error from Decide; nil when it has none.
func ProblemsOf(err error) []Problem {
	var list *problemList
	if errors.As(err, &list) {
		return list.problems
	}
	return nil
}

type problemList struct{ problems []Problem }

func (l *problemList) Error() string {
	lines := make([]string, len(l.problems))
	for i, p := range l.problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// err is nil when nothing was collected.
func (ps *problems) err() error {
	if len(ps.list) == 0 {
		return nil
	}
	list := ps.list
	if ps.more > 0 {
		list = append(list, Problem{Where: "…", Message: fmt.Sprintf("and %d more", ps.more)})
	}
	first := list[0]
	e := errs.New(errs.Invalid, "the results cannot be judged: %s", first.Message).At(first.Where).Mend("%s", first.Hint)
	e.Err = &problemList{list}
	return e
}
