package sagemaker

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// endpointRecord is what is kept of an endpoint. What it serves is frozen at creation.
type endpointRecord struct {
	Name      string
	Config    string
	Owner     string
	Variant   types.ProductionVariant
	Container types.ContainerDefinition
	Server    string // digest of model and environment
	Status    types.EndpointStatus
	Failure   string
	Created   time.Time
	Modified  time.Time
}

// CreateEndpoint begins to serve a configuration's model; Creating until /ping answers.
func (s *Service) CreateEndpoint(ctx context.Context, in *sagemaker.CreateEndpointInput, _ ...Options) (*sagemaker.CreateEndpointOutput, error) {
	if err := s.createEndpoint(ctx, in, ""); err != nil {
		return nil, err
	}
	return &sagemaker.CreateEndpointOutput{EndpointArn: arn("endpoint", *in.EndpointName)}, nil
}

func (s *Service) createEndpoint(ctx context.Context, in *sagemaker.CreateEndpointInput, owner string) error {
	if err := validate(in); err != nil {
		return invalid("%s", err)
	}
	if err := checkName("endpoint", in.EndpointName); err != nil {
		return err
	}
	name := *in.EndpointName
	if old, ok, err := s.ends.load(name); err != nil || ok {
		return errors.Join(err, taken("endpoint", name, ownerOf(old), owner))
	}
	variant, container, err := s.container(value(in.EndpointConfigName))
	if err != nil {
		return err
	}
	digest, err := s.cfg.serverDigest(ctx, container)
	if err != nil {
		return err
	}
	return s.addEndpoint(endpointRecord{Name: name, Config: *in.EndpointConfigName, Owner: owner, Variant: variant,
		Container: container, Server: digest, Status: types.EndpointStatusCreating})
}

func ownerOf(r *endpointRecord) string {
	if r == nil {
		return ""
	}
	return r.Owner
}

func (s *Service) addEndpoint(r endpointRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok, err := s.ends.load(r.Name); err != nil || ok {
		return errors.Join(err, taken("endpoint", r.Name, ownerOf(old), r.Owner))
	}
	r.Created = s.cfg.Clock()
	r.Modified = r.Created
	if err := s.ends.save(r.Name, &r); err != nil {
		return err
	}
	s.attach(&r)
	return nil
}

// attach gives an endpoint its server, starting one when no other endpoint has the same. The caller
// holds mu.
func (s *Service) attach(r *endpointRecord) {
	srv, ok := s.servers[r.Server]
	if !ok {
		srv = newServer(s, r)
		s.servers[r.Server] = srv
		s.work.Add(1)
		go srv.keep()
	}
	srv.users[r.Name] = true
	s.serving[r.Name] = srv
	if srv.phase != starting {
		s.settle(r, srv)
	}
}

// settle writes what a server's phase means for a Creating endpoint. The caller holds mu.
func (s *Service) settle(r *endpointRecord, srv *server) {
	if r.Status != types.EndpointStatusCreating {
		return
	}
	r.Status, r.Modified = types.EndpointStatusInService, s.cfg.Clock()
	if srv.phase == broken {
		r.Status, r.Failure = types.EndpointStatusFailed, srv.why
	}
	if err := s.ends.save(r.Name, r); err != nil {
		s.cfg.Logger.Error("keep endpoint", "endpoint", r.Name, "error", err)
	}
}

// resumeEndpoints serves all endpoints again after a restart.
func (s *Service) resumeEndpoints(context.Context) error {
	names, err := s.ends.names()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		r, ok, err := s.ends.load(name)
		if err != nil {
			return err
		}
		if _, attached := s.serving[name]; ok && !attached && r.Status != types.EndpointStatusFailed {
			s.attach(r)
		}
	}
	return nil
}

// DescribeEndpoint describes an endpoint; an unknown one is a ValidationException, as in SageMaker.
func (s *Service) DescribeEndpoint(_ context.Context, in *sagemaker.DescribeEndpointInput, _ ...Options) (*sagemaker.DescribeEndpointOutput, error) {
	name := value(in.EndpointName)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok, err := s.ends.load(name)
	if err != nil || !ok {
		return nil, errors.Join(err, invalid("Could not find endpoint %q.", *arn("endpoint", name)))
	}
	return r.describe(), nil
}

func (r *endpointRecord) describe() *sagemaker.DescribeEndpointOutput {
	out := &sagemaker.DescribeEndpointOutput{
		EndpointName: &r.Name, EndpointArn: arn("endpoint", r.Name), EndpointConfigName: &r.Config, EndpointStatus: r.Status,
		CreationTime: &r.Created, LastModifiedTime: &r.Modified,
	}
	if r.Failure != "" {
		out.FailureReason = &r.Failure
	}
	if r.Status == types.EndpointStatusInService {
		weight := r.Variant.InitialVariantWeight
		if weight == nil {
			weight = aws.Float32(1)
		}
		out.ProductionVariants = []types.ProductionVariantSummary{{VariantName: r.Variant.VariantName, CurrentWeight: weight,
			DesiredWeight: weight, CurrentInstanceCount: aws.Int32(1), DesiredInstanceCount: aws.Int32(1)}}
	}
	return out
}

// DeleteEndpoint forgets an endpoint. Its server ends when no other endpoint uses it.
func (s *Service) DeleteEndpoint(_ context.Context, in *sagemaker.DeleteEndpointInput, _ ...Options) (*sagemaker.DeleteEndpointOutput, error) {
	name := value(in.EndpointName)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := gone("endpoint", name, s.ends.remove(name)); err != nil {
		return nil, err
	}
	srv, ok := s.serving[name]
	if !ok {
		return &sagemaker.DeleteEndpointOutput{}, nil
	}
	delete(s.serving, name)
	delete(srv.users, name)
	if len(srv.users) == 0 {
		s.forget(srv)
		close(srv.unused)
	}
	return &sagemaker.DeleteEndpointOutput{}, nil
}

// forget makes the next endpoint with the same model start a server of its own. The caller holds mu.
func (s *Service) forget(srv *server) {
	if s.servers[srv.digest] == srv {
		delete(s.servers, srv.digest)
	}
}
