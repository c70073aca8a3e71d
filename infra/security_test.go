package main_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/infra/stacks"
)

// withoutResources are the actions that IAM cannot hold to a resource.
var withoutResources = map[string]bool{
	"xray:PutTraceSegments": true, "xray:PutTelemetryRecords": true, "xray:GetSamplingRules": true, "xray:GetSamplingTargets": true,
	"ecr:GetAuthorizationToken": true, "cloudwatch:PutMetricData": true,
	"logs:CreateLogDelivery": true, "logs:GetLogDelivery": true, "logs:UpdateLogDelivery": true, "logs:DeleteLogDelivery": true,
	"logs:ListLogDeliveries": true, "logs:PutResourcePolicy": true, "logs:DescribeResourcePolicies": true, "logs:DescribeLogGroups": true,
}

// statement is one statement of a policy, with where it was found.
type statement struct {
	where     string
	Effect    string
	actions   []string
	resources []any
	condition string
}

// statements are all of ours: the CDK's own helper that copies files to buckets is the CDK's.
func statements(t *testing.T) []statement { return templates.statements(t) }

func (s set) statements(t *testing.T) []statement {
	var out []statement
	for id, p := range s.of("AWS::IAM::Policy") {
		if strings.Contains(id, "CustomCDKBucketDeployment") {
			continue
		}
		for _, s := range list(p.Properties["PolicyDocument"].(map[string]any)["Statement"]) {
			m := s.(map[string]any)
			out = append(out, statement{where: id, Effect: m["Effect"].(string), actions: words(m["Action"]), resources: list(m["Resource"]), condition: text(t, m["Condition"])})
		}
	}
	require.Greater(t, len(out), 100)
	return out
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

func words(v any) []string {
	var out []string
	for _, w := range list(v) {
		out = append(out, w.(string))
	}
	return out
}

func TestPolicies_NameWhatTheyAllow(t *testing.T) {
	for _, s := range statements(t) {
		for _, action := range s.actions {
			require.NotContains(t, action, "*", s.where)
			for _, r := range s.resources {
				if r == "*" {
					require.True(t, withoutResources[action], "%s allows %s on every resource", s.where, action)
				}
			}
		}
	}
}

func TestPolicies_RolesAreOnlyPassedToSageMaker(t *testing.T) {
	passes := 0
	for _, s := range statements(t) {
		for _, action := range s.actions {
			if action != "iam:PassRole" {
				continue
			}
			passes++
			require.Equal(t, `{"StringEquals":{"iam:PassedToService":"sagemaker.amazonaws.com"}}`, s.condition, s.where)
			require.Len(t, s.resources, 1)
			require.Regexp(t, `^\{"Fn::GetAtt":\["(Training|Serving)Role[0-9A-F]+","Arn"\]\}$`, text(t, s.resources[0]))
		}
	}
	require.Equal(t, 3, passes, "train-model and evaluate-model pass the training role, release-model the serving role")
}

func TestFunctions_AreLeanAndAlone(t *testing.T) {
	roles := map[string]string{}
	for id, f := range of("AWS::Lambda::Function") {
		what, _ := f.Properties["Description"].(string)
		if !strings.HasPrefix(what, "functions/") {
			continue
		}
		require.Equal(t, []any{"arm64"}, f.Properties["Architectures"], id)
		require.Equal(t, "provided.al2023", f.Properties["Runtime"], id)
		require.Equal(t, map[string]any{"Mode": "Active"}, f.Properties["TracingConfig"], id)
		role := text(t, f.Properties["Role"])
		require.Empty(t, roles[role], "%s shares its role", id)
		roles[role] = id
	}
}

func TestStores_AreKeptAndClosed(t *testing.T) {
	for id, b := range of("AWS::S3::Bucket") {
		require.Equal(t, "Retain", b.DeletionPolicy, id)
		require.Equal(t, map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
			b.Properties["PublicAccessBlockConfiguration"], id)
	}
	for id, p := range of("AWS::S3::BucketPolicy") {
		require.Contains(t, text(t, p.Properties["PolicyDocument"]), `{"Bool":{"aws:SecureTransport":"false"}}`, id)
	}
	objects := only(t, "AWS::S3::Bucket", "perennial-data/")
	require.Equal(t, map[string]any{"Status": "Enabled"}, objects.Properties["VersioningConfiguration"])
	require.Contains(t, text(t, objects.Properties["NotificationConfiguration"]), `"EventBridgeEnabled":true`)

	table := only(t, "AWS::DynamoDB::Table", "")
	require.Equal(t, "Retain", table.DeletionPolicy)
	require.Equal(t, true, table.Properties["DeletionProtectionEnabled"])
	require.Contains(t, text(t, table.Properties["PointInTimeRecoverySpecification"]), `"PointInTimeRecoveryEnabled":true`)
	require.Equal(t, map[string]any{"AttributeName": "ttl", "Enabled": true}, table.Properties["TimeToLiveSpecification"])
	require.Len(t, table.Properties["GlobalSecondaryIndexes"], 2)
}

// The API's function alone keeps accounts, in the one pool; people sign in by what the pool's client allows.
func TestUsers_SignInThroughTheApi(t *testing.T) {
	for _, s := range statements(t) {
		for _, action := range s.actions {
			if strings.HasPrefix(action, "cognito-idp:") {
				require.Contains(t, s.where, "perennial-api/Api")
				require.Regexp(t, `^\[\{"Fn::GetAtt":\["Users[0-9A-F]+","Arn"\]\}\]$`, text(t, s.resources))
			}
		}
	}
	pool := only(t, "AWS::Cognito::UserPool", "")
	require.Equal(t, "Retain", pool.DeletionPolicy)
	require.Equal(t, "ACTIVE", pool.Properties["DeletionProtection"])
	require.Contains(t, text(t, pool.Properties["AdminCreateUserConfig"]), `"AllowAdminCreateUserOnly":true`)
	require.Equal(t, map[string]any{"CaseSensitive": false}, pool.Properties["UsernameConfiguration"])
	client := only(t, "AWS::Cognito::UserPoolClient", "").Properties
	require.ElementsMatch(t, []any{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}, client["ExplicitAuthFlows"])
	require.Equal(t, []any{"name"}, client["WriteAttributes"], "who has a token does not change the login")
	require.Equal(t, false, client["AllowedOAuthFlowsUserPoolClient"])
	var groups []string
	for _, g := range of("AWS::Cognito::UserPoolGroup") {
		groups = append(groups, g.Properties["GroupName"].(string))
	}
	require.ElementsMatch(t, []string{"viewer", "data-engineer", "ml-engineer", "approver", "admin"}, groups)
	api := text(t, of("AWS::Lambda::Function")["perennial-api/"+functions(t)["api"]].Properties["Environment"])
	require.Contains(t, api, `"PERENNIAL_USER_POOL":{"Ref":"Users`)
	require.Contains(t, api, `"PERENNIAL_CLIENT":{"Ref":"UsersWeb`)
}

// Arrivals are tried, given up into a queue, and put aside from there by the same function.
func TestArrivals_HaveAWayOut(t *testing.T) {
	queues := of("AWS::SQS::Queue")
	require.Len(t, queues, 2)
	for id, q := range queues {
		require.Equal(t, true, q.Properties["SqsManagedSseEnabled"], id)
		require.EqualValues(t, 14*86400, q.Properties["MessageRetentionPeriod"], id)
	}
	require.Len(t, of("AWS::Lambda::EventSourceMapping"), 2)
	for id, m := range of("AWS::Lambda::EventSourceMapping") {
		require.Equal(t, []any{"ReportBatchItemFailures"}, m.Properties["FunctionResponseTypes"], id)
		require.Equal(t, map[string]any{"Ref": functions(t)["dataset-register"]}, m.Properties["FunctionName"], id)
	}
	register := text(t, of("AWS::Lambda::Function")["perennial-pipeline/"+functions(t)["dataset-register"]].Properties["Environment"])
	require.Regexp(t, `"PERENNIAL_LETTERS":\{"Fn::GetAtt":\["ArrivalsDeadLetters`, register)
}

// Everybody is told of what nobody sees happening: each alarm has somebody to tell.
func TestAlarms_TellTheTopic(t *testing.T) {
	alarms := of("AWS::CloudWatch::Alarm")
	require.GreaterOrEqual(t, len(alarms), 2*5+2+1+2+2)
	for id, a := range alarms {
		require.Len(t, a.Properties["AlarmActions"], 1, id)
		require.NotEmpty(t, a.Properties["AlarmDescription"], id)
	}
	for _, name := range []string{"SweepStopped", "ArrivalsGivenUp", "ArrivalsStuck", "ApiFaults", "TrainModelFailed", "RollbackReleaseFailed"} {
		require.NotEmpty(t, slices.DeleteFunc(slices.Collect(maps.Keys(alarms)), func(id string) bool { return !strings.HasPrefix(id, "perennial-observe/"+name) }), name)
	}
}

// A policy on the topic replaces the one that lets alarms of the account publish: it must say so itself.
func TestAlarms_MayPublish(t *testing.T) {
	policy := text(t, only(t, "AWS::SNS::TopicPolicy", "").Properties)
	require.Contains(t, policy, `"Principal":{"Service":"cloudwatch.amazonaws.com"}`)
	require.Contains(t, policy, `{"Bool":{"aws:SecureTransport":"false"}}`)
}

// Logs are kept for three months, not for ever and not for nothing.
func TestLogs_End(t *testing.T) {
	groups := of("AWS::Logs::LogGroup")
	require.GreaterOrEqual(t, len(groups), 24+5+1)
	for id, g := range groups {
		require.EqualValues(t, 90, g.Properties["RetentionInDays"], id)
	}
}

// What jobs and endpoints may do is named: no wildcard in an action, and resources that begin with something.
func TestRoles_OfSageMakerAreNarrow(t *testing.T) {
	seen := 0
	for _, s := range statements(t) {
		if !strings.Contains(s.where, "TrainingRole") && !strings.Contains(s.where, "ServingRole") {
			continue
		}
		for _, action := range s.actions {
			seen++
			require.NotContains(t, action, "*")
			if strings.HasPrefix(action, "s3:") && strings.Contains(action, "Object") {
				require.NotRegexp(t, `"/\*"`, text(t, s.resources), "%s reads the whole bucket", s.where)
			}
		}
	}
	require.Greater(t, seen, 10)
}

// The page's policy is the one that the web app is tested under; addresses of pages may have dots.
func TestWeb_IsServedAsOnOneMachine(t *testing.T) {
	source, err := os.ReadFile("../pkg/httpapi/web.go")
	require.NoError(t, err)
	headers := text(t, only(t, "AWS::CloudFront::ResponseHeadersPolicy", "").Properties)
	for _, part := range regexp.MustCompile(`[a-z]+-(?:src|uri|action|ancestors) [^;"]+`).FindAllString(string(source), -1) {
		require.Contains(t, headers, part)
	}
	code, err := json.Marshal(stacks.Fallback)
	require.NoError(t, err)
	require.Contains(t, text(t, only(t, "AWS::CloudFront::Function", "").Properties["FunctionCode"]), string(code))
	for uri, want := range map[string]string{"/": "/index.html", "/runs": "/index.html", "/data/tickets/a.v1.jsonl": "/index.html", "/models/smollm2-1.7b": "/index.html",
		"/assets/index-Ab12.js": "/assets/index-Ab12.js", "/favicon.svg": "/favicon.svg", "/index.html": "/index.html", "/assets/": "/index.html"} {
		js := stacks.Fallback + "\nconsole.log(handler({request: {uri: " + strconv.Quote(uri) + "}}).uri)"
		out, err := exec.Command("node", "-e", js).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, want, strings.TrimSpace(string(out)), uri)
	}
}

func TestWeb_IsStrict(t *testing.T) {
	headers := text(t, only(t, "AWS::CloudFront::ResponseHeadersPolicy", "").Properties)
	require.Contains(t, headers, "style-src 'self';")
	require.Contains(t, headers, "script-src 'self';")
	require.NotContains(t, headers, "unsafe")
	require.Len(t, of("AWS::CloudFront::OriginAccessControl"), 1)
	integration := only(t, "AWS::ApiGatewayV2::Integration", "")
	require.Equal(t, "1.0", integration.Properties["PayloadFormatVersion"])
}

// only gives the one resource of a type, in stacks that begin so.
func only(t *testing.T, kind, stack string) resource {
	t.Helper()
	return templates.only(t, kind, stack)
}

func (s set) only(t *testing.T, kind, stack string) resource {
	t.Helper()
	var out []resource
	for id, r := range s.of(kind) {
		if strings.HasPrefix(id, stack) {
			out = append(out, r)
		}
	}
	require.Len(t, out, 1, kind)
	return out[0]
}

// With all settings, a template has all that it has without them.
func TestTemplates_PassCfnLint(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for stack, tpl := range withSettings(t) {
		p := filepath.Join(dir, stack+".template.json")
		require.NoError(t, os.WriteFile(p, tpl.raw, 0o600))
		paths = append(paths, p)
	}
	out, err := exec.Command("../scripts/build/cfn-lint.sh", paths...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestUploads_MayGoFromTheWebAppToTheBucketByPutOnly(t *testing.T) {
	cors := text(t, only(t, "AWS::S3::Bucket", "perennial-data/").Properties["CorsConfiguration"])
	require.Contains(t, cors, `"AllowedMethods":["PUT"]`)
	require.Contains(t, cors, `"AllowedOrigins":["https://*.cloudfront.net"]`)
	require.Contains(t, cors, `"ExposedHeaders":["ETag"]`)
	headers := text(t, only(t, "AWS::CloudFront::ResponseHeadersPolicy", "").Properties)
	require.Regexp(t, `connect-src 'self' https://",\{"Fn::ImportValue":"perennial-data:[^"]*RegionalDomainName[^"]*"\},"; frame-src`, headers)
}
