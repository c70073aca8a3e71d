package main_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/infra/stacks"
)

const (
	here    = `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":bedrock:",{"Ref":"AWS::Region"},"::foundation-model/amazon.nova-lite-v1:0"]]}`
	anyArea = `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":bedrock:*::foundation-model/amazon.nova-pro-v1:0"]]}`
	profile = `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":bedrock:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":inference-profile/eu.amazon.nova-pro-v1:0"]]}`
)

// chosen is a deployment with the settings that are empty otherwise.
var chosen = sync.OnceValues(func() (set, error) {
	dir, err := os.MkdirTemp("", "perennial-infra-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return synthesize(dir, map[string]any{"adminEmail": "ada@company.eu", "alarmEmail": "oncall@company.eu",
		"judgeModels": "amazon.nova-lite-v1:0, eu.amazon.nova-pro-v1:0"})
})

func withSettings(t *testing.T) set {
	t.Helper()
	s, err := chosen()
	require.NoError(t, err)
	return s
}

func TestSettings_TheFirstAdminIsInvited(t *testing.T) {
	require.Empty(t, of("AWS::Cognito::UserPoolUser"), "only when adminEmail is set")
	require.Empty(t, of("AWS::Cognito::UserPoolUserToGroupAttachment"))

	s := withSettings(t)
	admin := s.only(t, "AWS::Cognito::UserPoolUser", "")
	require.Equal(t, "ada@company.eu", admin.Properties["Username"])
	require.Equal(t, []any{"EMAIL"}, admin.Properties["DesiredDeliveryMediums"])
	require.NotContains(t, admin.Properties, "MessageAction", "the invitation is sent")
	require.JSONEq(t, `[{"Name":"email","Value":"ada@company.eu"},{"Name":"email_verified","Value":"true"}]`, text(t, admin.Properties["UserAttributes"]))
	member := s.only(t, "AWS::Cognito::UserPoolUserToGroupAttachment", "")
	require.Equal(t, map[string]any{"Ref": "FirstAdmin"}, member.Properties["Username"])
	require.Equal(t, map[string]any{"Ref": "Groupadmin"}, member.Properties["GroupName"])
	require.Equal(t, admin.Properties["UserPoolId"], member.Properties["UserPoolId"])
	for _, r := range []resource{admin, member} {
		require.Equal(t, "Retain", r.DeletionPolicy, "the account outlives the setting")
	}
}

func TestSettings_AlarmsAreMailed(t *testing.T) {
	require.Empty(t, of("AWS::SNS::Subscription"), "only when alarmEmail is set")
	mail := withSettings(t).only(t, "AWS::SNS::Subscription", "")
	require.Equal(t, "email", mail.Properties["Protocol"])
	require.Equal(t, "oncall@company.eu", mail.Properties["Endpoint"])
}

// Jobs ask the judges that were named: a model in this region, a profile with its model wherever that sends it.
func TestSettings_JobsMayAskTheNamedJudgesOnly(t *testing.T) {
	require.Empty(t, asking(statements(t)), "without judgeModels")

	var resources, conditions []string
	for _, s := range asking(withSettings(t).statements(t)) {
		require.Contains(t, s.where, "perennial-pipeline/TrainingRole")
		require.Equal(t, []string{"bedrock:InvokeModel"}, s.actions)
		require.Len(t, s.resources, 1)
		resources, conditions = append(resources, text(t, s.resources[0])), append(conditions, s.condition)
	}
	require.Equal(t, []string{here, profile, anyArea}, resources)
	require.Equal(t, []string{"null", "null", `{"StringEquals":{"bedrock:InferenceProfileArn":` + profile + `}}`}, conditions)
}

// asking are the statements about Bedrock.
func asking(all []statement) []statement {
	var out []statement
	for _, s := range all {
		if strings.Contains(strings.Join(s.actions, " "), "bedrock:") {
			out = append(out, s)
		}
	}
	return out
}

func TestSettings_AJudgeIsNamedExactly(t *testing.T) {
	for _, wrong := range []string{"*", "amazon.*", "eu.amazon.nova-pro-v?:0", "nova", "amazon.nova-pro-v1:0,", "amazon.nova-pro-v1:0 eu.x.y",
		"arn:aws:bedrock:eu-central-1::foundation-model/*", "${AWS::Region}.x", "a.b/*"} {
		context := map[string]any{"prefix": "p", "trainingImage": "i", "trainingInstance": "t", "servingImage": "i", "servingInstance": "t", "judgeModels": wrong}
		app := awscdk.NewApp(&awscdk.AppProps{Context: &context, Outdir: jsii.String(t.TempDir())})
		require.Contains(t, refusal(app), "context judgeModels: ", wrong)
	}
}

// refusal is how synthesis fails for settings.
func refusal(app awscdk.App) (why string) {
	defer func() { why = fmt.Sprint(recover()) }()
	stacks.FromContext(app)
	return ""
}
