package demo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/demo"
)

// table is where a decision lies.
type table struct {
	status  string
	refuses error // what the next decision is answered with
	said    []string
}

func (b *table) ballot(typed io.Reader) demo.Ballot {
	return demo.Ballot{Typed: typed, Every: time.Second,
		Say:    func(format string, args ...any) { b.said = append(b.said, fmt.Sprintf(format, args...)) },
		Status: func(ctx context.Context) (string, error) { return b.status, ctx.Err() },
		Decide: func(_ context.Context, yes bool) error {
			if err := b.refuses; err != nil {
				b.refuses = nil
				return err
			}
			b.status = map[bool]string{true: "Approved", false: "Rejected"}[yes]
			return nil
		}}
}

// What a person may type where the demo asks, and what comes of it.
func TestBallot_Typed(t *testing.T) {
	for typed, want := range map[string]struct{ ends, says string }{
		"y\n":             {"", ""},
		"YES\n":           {"", ""},
		"n\n":             {"it is rejected", ""},
		"no\n":            {"it is rejected", ""},
		"maybe\n\ny\n":    {"", `"maybe" is neither y nor n; "" is neither y nor n`},
		"\x1b[A\xff\n y ": {"", `"\x1b[a�" is neither y nor n`},
	} {
		t.Run(typed, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &table{status: "Pending"}
				err := b.ballot(strings.NewReader(typed)).Await(t.Context())
				if want.ends == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, want.ends)
				}
				require.Contains(t, strings.Join(b.said, "; "), want.says)
			})
		})
	}
}

func TestBallot_EndOfInputLeavesTheDecisionToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &table{status: "Pending"}
		time.AfterFunc(time.Hour, func() { b.status = "Approved" })
		require.NoError(t, b.ballot(strings.NewReader("")).Await(t.Context()))
		require.Equal(t, []string{"nothing can be typed here any more; the browser and other terminals still decide"}, b.said)
	})
}

func TestBallot_ADecisionThatIsRefusedCanBeTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &table{status: "Pending", refuses: errors.New("it changed meanwhile")}
		require.NoError(t, b.ballot(strings.NewReader("y\ny\n")).Await(t.Context()))
		require.Equal(t, []string{"it changed meanwhile"}, b.said)
	})
}

func TestBallot_CtrlCEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		in, out := io.Pipe()
		err := (&table{status: "Pending"}).ballot(in).Await(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, out.Close())
	})
}
