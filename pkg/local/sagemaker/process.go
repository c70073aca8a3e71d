package sagemaker

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed wrapper.sh
var wrapper string

// lost is the exit status of an attempt that left none: it was killed together with its wrapper.
const lost = -1

// process is one running attempt: a wrapper shell and its children, one process group.
type process struct {
	l      layout
	group  int
	exited chan struct{} // closed when the wrapper ended
}

// launch starts a command in a layout. Its output goes to the layout's log file directly, so that
// the log outlives this process.
func launch(l layout, args, env []string) (*process, error) {
	for _, stale := range []string{l.exit(), l.pid()} {
		if err := os.Remove(stale); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	log, err := os.OpenFile(l.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", wrapper, "wrapper", l.pid(), l.exit()}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = l.ml(), env, log, log
	cmd.SysProcAttr = attributes()
	p := &process{l: l, exited: make(chan struct{})}
	started := make(chan error)
	go p.run(cmd, started)
	return p, <-started
}

// run starts and awaits the command on one thread: the kernel's parent-death signal is tied to the
// thread that started it.
func (p *process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.group = cmd.Process.Pid
	started <- nil
	_ = cmd.Wait()
	_ = syscall.Kill(-p.group, syscall.SIGKILL) // stragglers such as data loaders
	close(p.exited)
}

// terminate asks the command to end; it may write a checkpoint first.
func (p *process) terminate() { _ = syscall.Kill(p.group, syscall.SIGTERM) }

// kill ends the whole group at once.
func (p *process) kill() { _ = syscall.Kill(-p.group, syscall.SIGKILL) }

// stop terminates, and kills after a grace period.
func (p *process) stop(after func(time.Duration) <-chan time.Time, grace time.Duration) {
	p.terminate()
	select {
	case <-p.exited:
	case <-after(grace):
		p.kill()
		<-p.exited
	}
}

// status reads the exit status that the last attempt left; known is false when it left none.
func (l layout) status() (code int, known bool) {
	b, err := os.ReadFile(l.exit())
	if err != nil {
		return lost, false
	}
	code, err = strconv.Atoi(strings.TrimSpace(string(b)))
	return code, err == nil
}

// reap ends what is left of an attempt that an earlier platform process started, so that two never
// work in one folder.
func (l layout) reap(after func(time.Duration) <-chan time.Time, grace time.Duration) {
	group := l.leftover()
	if group == 0 {
		return
	}
	_ = syscall.Kill(-group, syscall.SIGTERM)
	limit := after(grace)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for l.leftover() != 0 {
		select {
		case <-tick.C:
		case <-limit:
			_ = syscall.Kill(-group, syscall.SIGKILL)
			limit = nil
		}
	}
	_ = syscall.Kill(-group, syscall.SIGKILL)
}

// leftover gives the process group of an attempt that is still there, or 0. A process counts only
// when its command line names this layout: ids are used again.
func (l layout) leftover() int {
	b, err := os.ReadFile(l.pid())
	if err != nil {
		return 0
	}
	ids := strings.Fields(string(b))
	for _, id := range ids {
		n, err := strconv.Atoi(id)
		if err == nil && strings.Contains(commandLine(n), filepath.Clean(l.dir)+string(filepath.Separator)) {
			group, _ := strconv.Atoi(ids[0])
			return group
		}
	}
	return 0
}
