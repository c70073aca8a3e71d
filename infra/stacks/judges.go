package stacks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/constructs"
)

// modelID is the id of a model or inference profile of Bedrock, without a wildcard or an ARN around it.
var modelID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-zA-Z0-9][a-zA-Z0-9-]*)+(:[a-z0-9]+)*$`)

// profileID is an id of a profile: an area before the id of a model.
var profileID = regexp.MustCompile(`^(?:us|us-gov|eu|apac|jp|au|ca|global)\.(.+\..+)$`)

// judgeIDs splits the setting judgeModels. A wildcard would allow more than was meant, so it panics.
func judgeIDs(setting string) []string {
	if setting == "" {
		return nil
	}
	ids := strings.Split(setting, ",")
	for i, id := range ids {
		ids[i] = strings.TrimSpace(id)
		if !modelID.MatchString(ids[i]) {
			panic(fmt.Sprintf("context judgeModels: %q is no id of a Bedrock model or inference profile, such as eu.amazon.nova-pro-v1:0", id))
		}
	}
	return ids
}

// askJudges let a role ask these models, and no others.
func askJudges(st awscdk.Stack, ids []string) []awsiam.PolicyStatement {
	var out []awsiam.PolicyStatement
	for _, id := range ids {
		if profile := profileID.FindStringSubmatch(id); profile != nil {
			out = append(out, throughProfile(st, id, profile[1])...)
		} else {
			out = append(out, invokeModel.On(foundationModel(st, *st.Region(), id)))
		}
	}
	return out
}

// invokeModel is also what Converse asks for.
var invokeModel = constructs.Actions{"bedrock:InvokeModel"}

// throughProfile allows a profile, and its model wherever the profile sends the question, but not past the profile.
func throughProfile(st awscdk.Stack, id, model string) []awsiam.PolicyStatement {
	profile := st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("bedrock"), Resource: jsii.String("inference-profile"), ResourceName: &id})
	return []awsiam.PolicyStatement{invokeModel.On(profile),
		invokeModel.OnIf(map[string]string{"bedrock:InferenceProfileArn": *profile}, foundationModel(st, "*", model))}
}

func foundationModel(st awscdk.Stack, region, id string) *string {
	return st.FormatArn(&awscdk.ArnComponents{Service: jsii.String("bedrock"), Region: &region, Account: jsii.String(""),
		Resource: jsii.String("foundation-model"), ResourceName: &id})
}
