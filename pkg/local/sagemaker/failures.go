package sagemaker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// The service answers with the errors that SageMaker answers with.

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func inUse(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &types.ResourceInUse{Message: &message}
}

func notFound(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &types.ResourceNotFound{Message: &message}
}

// stateError names an error as Step Functions does: modeled exceptions by their own name, all
// others by the service's base exception, which differs between the two families of integrations.
func stateError(err error, base string) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	name := base
	switch api.ErrorCode() {
	case "ResourceInUse", "ResourceNotFound", "ResourceLimitExceeded", "ConflictException":
		name = strings.TrimSuffix(api.ErrorCode(), "Exception") + "Exception"
	}
	return asl.Fail("SageMaker."+name, api.ErrorMessage()+" (Service: AmazonSageMaker; Error Code: "+api.ErrorCode()+")")
}
