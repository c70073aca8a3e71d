package local

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/statemachines"
)

// pascal turns "dataset-check" into "DatasetCheck", the id that infra gives it.
func pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// Substitutions gives a value for every ${name} of the machines.
func (f *functions) substitutions(bucket string) map[string]string {
	out := map[string]string{
		"BucketName": bucket, "TrainingRoleArn": localRole, "ServingRoleArn": localRole,
		"TrainingImageUri": "local/training", "ServingImageUri": "local/serving",
		"TrainingInstanceType": "ml.g5.xlarge", "ServingInstanceType": "ml.g5.xlarge",
	}
	for name := range f.handlers {
		out[pascal(name)+"FunctionArn"] = functionARN(name)
	}
	for name := range statemachines.All() {
		out[pascal(name)+"StateMachineArn"] = machineARN(name)
	}
	return out
}

func machineARN(name string) string { return "arn:aws:states:local:000000000000:stateMachine:" + name }

func executionARN(machine, name string) string {
	return "arn:aws:states:local:000000000000:execution:" + machine + ":" + name
}

const localRole = "arn:aws:iam::000000000000:role/local"

// machines gives the definitions of the platform's machines for this host.
func (f *functions) machines(bucket string) (map[string]json.RawMessage, error) {
	values := f.substitutions(bucket)
	out := map[string]json.RawMessage{}
	for name, def := range statemachines.All() {
		full, err := asl.Substitute(def, values)
		if err != nil {
			return nil, fmt.Errorf("machine %s: %w", name, err)
		}
		out[name] = full
	}
	return out, nil
}

// Functions gives the CDK ids of the Lambda functions that this host serves.
func (p *Platform) Functions() []string {
	var ids []string
	for name := range p.handlers() {
		ids = append(ids, pascal(name))
	}
	return ids
}
