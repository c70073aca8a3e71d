package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// resource is what is kept of a model or an endpoint configuration.
type resource[T any] struct {
	Input   T
	Owner   string // task that created it; empty for direct calls
	Created time.Time
}

// CreateModel records a model: files below an S3 prefix with the environment of their server.
func (s *Service) CreateModel(_ context.Context, in *sagemaker.CreateModelInput, _ ...Options) (*sagemaker.CreateModelOutput, error) {
	if err := s.createModel(in, ""); err != nil {
		return nil, err
	}
	return &sagemaker.CreateModelOutput{ModelArn: arn("model", *in.ModelName)}, nil
}

func (s *Service) createModel(in *sagemaker.CreateModelInput, owner string) error {
	if err := s.checkModel(in); err != nil {
		return err
	}
	return create(s, s.models, "model", *in.ModelName, resource[sagemaker.CreateModelInput]{Input: *in, Owner: owner})
}

// create stores a new resource. The same task may create it again; for anyone else the name is taken.
func create[T any](s *Service, shelf shelf[resource[T]], kind, name string, r resource[T]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, exists, err := shelf.load(name)
	if err != nil {
		return err
	}
	if exists {
		return taken(kind, name, old.Owner, r.Owner)
	}
	r.Created = s.cfg.Clock()
	return shelf.save(name, &r)
}

// taken words SageMaker's answer for a name in use, unless the same task used it.
func taken(kind, name, owner, by string) error {
	if by != "" && owner == by {
		return nil
	}
	return invalid("Cannot create already existing %s %q.", kind, *arn(kind, name))
}

func (s *Service) checkModel(in *sagemaker.CreateModelInput) error {
	if err := validate(in); err != nil {
		return invalid("%s", err)
	}
	if err := checkName("model", in.ModelName); err != nil {
		return err
	}
	c := in.PrimaryContainer
	if c == nil || c.ModelDataSource == nil || c.ModelDataSource.S3DataSource == nil {
		return invalid("PrimaryContainer.ModelDataSource.S3DataSource is needed on one machine")
	}
	src := c.ModelDataSource.S3DataSource
	if src.CompressionType != types.ModelCompressionTypeNone || src.S3DataType != types.S3ModelDataTypeS3Prefix {
		return invalid("ModelDataSource must be an S3Prefix with CompressionType None")
	}
	_, err := s.cfg.key(src.S3Uri)
	return err
}

// CreateEndpointConfig records an endpoint's configuration: one variant of one model.
func (s *Service) CreateEndpointConfig(_ context.Context, in *sagemaker.CreateEndpointConfigInput, _ ...Options) (*sagemaker.CreateEndpointConfigOutput, error) {
	if err := s.createConfig(in, ""); err != nil {
		return nil, err
	}
	return &sagemaker.CreateEndpointConfigOutput{EndpointConfigArn: arn("endpoint-config", *in.EndpointConfigName)}, nil
}

func (s *Service) createConfig(in *sagemaker.CreateEndpointConfigInput, owner string) error {
	if err := validate(in); err != nil {
		return invalid("%s", err)
	}
	if err := checkName("endpoint configuration", in.EndpointConfigName); err != nil {
		return err
	}
	if len(in.ProductionVariants) != 1 {
		return invalid("one production variant per endpoint on one machine: the platform's router splits traffic")
	}
	model := value(in.ProductionVariants[0].ModelName)
	if _, ok, err := s.models.load(model); err != nil || !ok {
		return errors.Join(err, invalid("Could not find model %q.", *arn("model", model)))
	}
	return create(s, s.configs, "endpoint-config", *in.EndpointConfigName, resource[sagemaker.CreateEndpointConfigInput]{Input: *in, Owner: owner})
}

// DeleteModel forgets a model. Endpoints that serve it go on.
func (s *Service) DeleteModel(_ context.Context, in *sagemaker.DeleteModelInput, _ ...Options) (*sagemaker.DeleteModelOutput, error) {
	return &sagemaker.DeleteModelOutput{}, gone("model", value(in.ModelName), s.models.remove(value(in.ModelName)))
}

// DeleteEndpointConfig forgets an endpoint configuration.
func (s *Service) DeleteEndpointConfig(_ context.Context, in *sagemaker.DeleteEndpointConfigInput, _ ...Options) (*sagemaker.DeleteEndpointConfigOutput, error) {
	name := value(in.EndpointConfigName)
	return &sagemaker.DeleteEndpointConfigOutput{}, gone("endpoint-config", name, s.configs.remove(name))
}

func gone(kind, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return invalid("Could not find %s %q.", kind, *arn(kind, name))
	}
	return err
}

// container gives what an endpoint serves: its variant and the variant's container.
func (s *Service) container(config string) (types.ProductionVariant, types.ContainerDefinition, error) {
	c, ok, err := s.configs.load(config)
	if err != nil || !ok {
		return types.ProductionVariant{}, types.ContainerDefinition{}, errors.Join(err, invalid("Could not find endpoint configuration %q.", *arn("endpoint-config", config)))
	}
	v := c.Input.ProductionVariants[0]
	m, ok, err := s.models.load(value(v.ModelName))
	if err != nil || !ok {
		return v, types.ContainerDefinition{}, errors.Join(err, invalid("Could not find model %q.", *arn("model", value(v.ModelName))))
	}
	return v, *m.Input.PrimaryContainer, nil
}

func mustJSON(v any) []byte {
	b, _ := json.Marshal(v) // of our own plain types
	return b
}
