package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
func statements(t *testing.T) []statement {
	var out []statement
	for id, p := range of("AWS::IAM::Policy") {
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
	var out []resource
	for id, r := range of(kind) {
		if strings.HasPrefix(id, stack) {
			out = append(out, r)
		}
	}
	require.Len(t, out, 1, kind)
	return out[0]
}

func TestTemplates_PassCfnLint(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for stack, tpl := range templates {
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
	require.Regexp(t, `connect-src 'self' https://",\{"Fn::ImportValue":"perennial-data:[^"]*RegionalDomainName[^"]*"\},"; object-src`, headers)
}
