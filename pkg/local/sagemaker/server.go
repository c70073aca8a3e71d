package sagemaker

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// phase of a server.
type phase int

const (
	starting phase = iota // or starting again
	up
	broken // never became healthy
)

const (
	serveGrace     = 30 * time.Second // between SIGTERM and SIGKILL, SageMaker's own
	startupDefault = 600 * time.Second
	backoffFirst   = 500 * time.Millisecond
	backoffMost    = 30 * time.Second
)

// server is one process that serves one model, for all endpoints with the same model and
// environment. Its fields are guarded by Service.mu.
type server struct {
	layout
	s         *Service
	digest    string
	container types.ContainerDefinition
	limit     time.Duration // for becoming healthy
	healthy   bool          // was, at some time
	users     map[string]bool
	unused    chan struct{} // closed when the last endpoint was deleted
	changed   chan struct{} // closed and replaced at each change of phase
	phase     phase
	why       string
	port      int
	proc      *process
}

func newServer(s *Service, r *endpointRecord) *server {
	limit := startupDefault
	if t := r.Variant.ContainerStartupHealthCheckTimeoutInSeconds; t != nil {
		limit = time.Duration(*t) * time.Second
	}
	return &server{layout: layout{filepath.Join(s.cfg.Root, "serving", r.Server)}, s: s, digest: r.Server,
		container: r.Container, limit: limit, healthy: r.Status == types.EndpointStatusInService,
		users: map[string]bool{}, unused: make(chan struct{}), changed: make(chan struct{})}
}

// keep runs the process until no endpoint uses it, starting it again with growing pauses when it ends.
func (v *server) keep() {
	defer v.s.work.Done()
	if err := v.load(context.Background()); err != nil {
		v.become(broken, err.Error(), 0)
		v.finish(nil)
		return
	}
	for pause := backoffFirst; ; pause = min(2*pause, backoffMost) {
		p, err := v.once()
		if v.phase == up {
			pause = backoffFirst
		}
		if err != nil && !v.healthy {
			v.become(broken, err.Error(), 0)
		}
		if v.ending() || v.phase == broken {
			v.finish(p)
			return
		}
		v.s.cfg.Logger.Warn("model server ended; starting it again", "server", v.digest, "pause", pause, "error", err)
		v.become(starting, "", 0)
		select {
		case <-v.s.cfg.After(pause):
		case <-v.unused:
		case <-v.s.closing:
		}
	}
}

// become changes the phase, settles the endpoints that wait for it and wakes the calls that wait.
func (v *server) become(p phase, why string, port int) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	v.phase, v.why, v.port = p, why, port
	v.healthy = v.healthy || p == up
	for name := range v.users {
		if r, ok, err := v.s.ends.load(name); err == nil && ok && p != starting {
			v.s.settle(r, v)
		}
	}
	if p == broken {
		v.s.forget(v)
	}
	close(v.changed)
	v.changed = make(chan struct{})
}

// finish ends the process; files that no endpoint needs are removed.
func (v *server) finish(p *process) {
	if p != nil {
		p.stop(v.s.cfg.After, serveGrace)
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if _, again := v.s.servers[v.digest]; !again {
		_ = os.RemoveAll(v.dir)
	}
}

func (v *server) ending() bool {
	select {
	case <-v.unused:
		return true
	case <-v.s.closing:
		return true
	default:
		return false
	}
}

func (v *server) kill() {
	if v.proc != nil {
		v.proc.kill()
	}
}
