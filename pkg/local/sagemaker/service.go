package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// Service is the local SageMaker. Its methods have the SDK client's signatures.
type Service struct {
	cfg     Config
	records shelf[jobRecord]
	models  shelf[resource[sagemaker.CreateModelInput]]
	configs shelf[resource[sagemaker.CreateEndpointConfigInput]]
	ends    shelf[endpointRecord]

	closing chan struct{} // closed by Close
	work    sync.WaitGroup

	mu      sync.Mutex
	jobs    map[string]*job
	queue   []*job // waiting for a slot, oldest first
	running int
	servers map[string]*server // by digest of model and environment
	serving map[string]*server // by endpoint
}

// New opens the records under cfg.Root. Nothing runs until Resume.
func New(cfg Config) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Root, err = filepath.Abs(cfg.Root); err != nil {
		return nil, err
	}
	at := func(kind string) string { return filepath.Join(cfg.Root, kind) }
	s := &Service{
		cfg: cfg, closing: make(chan struct{}), jobs: map[string]*job{}, servers: map[string]*server{}, serving: map[string]*server{},
		records: shelf[jobRecord]{dir: at("jobs"), file: "job.json"},
		models:  shelf[resource[sagemaker.CreateModelInput]]{dir: at("models")},
		configs: shelf[resource[sagemaker.CreateEndpointConfigInput]]{dir: at("endpoint-configs")},
		ends:    shelf[endpointRecord]{dir: at("endpoints")},
	}
	return s, errors.Join(os.MkdirAll(cfg.Root, 0o755), s.loadJobs())
}

func (s *Service) loadJobs() error {
	names, err := s.records.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		r, ok, err := s.records.load(name)
		if err != nil {
			return fmt.Errorf("job %s: %w", name, err)
		}
		if ok {
			s.jobs[name] = newJob(s, name, *r)
		}
	}
	return nil
}

// Resume starts what an earlier process left: jobs go on from their checkpoints, oldest first, and
// endpoints are served again. It returns at once.
func (s *Service) Resume(ctx context.Context) error {
	s.mu.Lock()
	for _, j := range s.jobs {
		if !final(j.Status) {
			s.enqueue(j)
		}
	}
	s.mu.Unlock()
	s.pump()
	return s.resumeEndpoints(ctx)
}

// Close ends all processes, jobs by checkpoint, and waits for them. Jobs stay InProgress and
// endpoints InService: Resume goes on with them. When ctx ends first, processes are killed.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.killAll()
		<-done
		return ctx.Err()
	}
}

func (s *Service) killAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if j.proc != nil {
			j.proc.kill()
		}
	}
	for _, srv := range s.servers {
		srv.kill()
	}
}

// enqueue puts a job in order of creation. The caller holds mu.
func (s *Service) enqueue(j *job) {
	at := len(s.queue)
	for at > 0 && s.queue[at-1].Created.After(j.Created) {
		at--
	}
	s.queue = append(s.queue[:at], append([]*job{j}, s.queue[at:]...)...)
}

// pump starts waiting jobs while there are free slots.
func (s *Service) pump() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running < s.cfg.Jobs && len(s.queue) > 0 && !s.closed() {
		j := s.queue[0]
		s.queue = s.queue[1:]
		s.running++
		s.work.Add(1)
		go s.occupy(j)
	}
}

func (s *Service) occupy(j *job) {
	defer s.work.Done()
	j.run(context.Background())
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	s.pump()
}

func (s *Service) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

func final(status types.TrainingJobStatus) bool {
	return status == types.TrainingJobStatusCompleted || status == types.TrainingJobStatusFailed || status == types.TrainingJobStatusStopped
}
