package local_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/command"
)

// screen is a terminal's output that can be read while it is written.
type screen struct {
	mu    sync.Mutex
	shown bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.Write(b)
}

// count is how often something was shown.
func (s *screen) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.shown.String(), text)
}

// Who watches sees what changes, that the platform stopped and that it is back, until they end it.
func TestCommandLine_WatchFollowsThePlatformThroughAStop(t *testing.T) {
	p := startPlatform(t)
	t.Setenv("XDG_CONFIG_HOME", p.signedIn("ana").dir)
	ctx, end := context.WithCancel(t.Context())
	var s screen
	cmd := command.New("test")
	cmd.SetArgs([]string{"status", "--watch"})
	cmd.SetOut(&s)
	cmd.SetErr(&s)
	ended := make(chan error)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	p.until("the loop is shown", func() bool { return s.count("STAGE") == 1 })
	p.kill()
	p.until("the stop is told", func() bool { return s.count("does not answer; waiting") == 1 })
	p.start()
	p.until("the loop is shown again", func() bool { return s.count("STAGE") >= 2 })
	require.Equal(t, 1, s.count("does not answer"), "once")
	p.arrive("news", 7)
	p.until("what changed is shown", func() bool { return s.count("STAGE") >= 3 })
	end()
	require.ErrorIs(t, <-ended, context.Canceled)
}
