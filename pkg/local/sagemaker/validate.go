package sagemaker

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/perennial-llm/perennial/pkg/errs"
)

var errValid = errors.New("valid")

// probe is an SDK client whose calls end before anything is sent: they run the SDK's validators only.
var probe = sagemaker.New(sagemaker.Options{Region: region, APIOptions: []func(*middleware.Stack) error{
	func(s *middleware.Stack) error {
		return s.Serialize.Add(middleware.SerializeMiddlewareFunc("ValidateOnly", halt), middleware.Before)
	}}})

func halt(context.Context, middleware.SerializeInput, middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
	return middleware.SerializeOutput{}, middleware.Metadata{}, errValid
}

// validate applies the SDK's checks of required members to an input type.
func validate(input any) error {
	err := call(context.Background(), input)
	var missing smithy.InvalidParamsError
	switch {
	case errors.As(err, &missing):
		return errs.New(errs.Invalid, "%s", missing.Error())
	case err == nil || errors.Is(err, errValid):
		return nil
	}
	return fmt.Errorf("validate %T: %w", input, err)
}

func call(ctx context.Context, input any) (err error) {
	switch in := input.(type) {
	case *sagemaker.CreateTrainingJobInput:
		_, err = probe.CreateTrainingJob(ctx, in)
	case *sagemaker.DescribeTrainingJobInput:
		_, err = probe.DescribeTrainingJob(ctx, in)
	case *sagemaker.StopTrainingJobInput:
		_, err = probe.StopTrainingJob(ctx, in)
	default:
		err = callHosting(ctx, input)
	}
	return err
}

func callHosting(ctx context.Context, input any) (err error) {
	switch in := input.(type) {
	case *sagemaker.CreateModelInput:
		_, err = probe.CreateModel(ctx, in)
	case *sagemaker.CreateEndpointConfigInput:
		_, err = probe.CreateEndpointConfig(ctx, in)
	case *sagemaker.CreateEndpointInput:
		_, err = probe.CreateEndpoint(ctx, in)
	case *sagemaker.DescribeEndpointInput:
		_, err = probe.DescribeEndpoint(ctx, in)
	case *sagemaker.DeleteEndpointInput:
		_, err = probe.DeleteEndpoint(ctx, in)
	case *sagemaker.DeleteEndpointConfigInput:
		_, err = probe.DeleteEndpointConfig(ctx, in)
	case *sagemaker.DeleteModelInput:
		_, err = probe.DeleteModel(ctx, in)
	default:
		err = fmt.Errorf("no operation takes it")
	}
	return err
}
