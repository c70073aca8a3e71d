package asl

import (
	"regexp"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
	"github.com/perennial-llm/perennial/pkg/asl/sdk"
)

// The ways in which Step Functions waits for a service beside request-response.
const (
	syncSuffix  = ".sync"
	sync2Suffix = ".sync:2"
)

// optimized are the integrations that Step Functions has of its own (AWS's page "Integrating services"),
// each with the suffixes that it allows. Every other API action goes through aws-sdk.
var optimized = map[string][]string{}

func init() {
	for suffixes, actions := range map[string]string{
		"": `athena:stopQueryExecution athena:getQueryExecution athena:getQueryResults codebuild:stopBuild
			codebuild:batchDeleteBuilds codebuild:batchGetReports codebuild:stopBuildBatch codebuild:deleteBuildBatch dynamodb:getItem
			dynamodb:putItem dynamodb:updateItem dynamodb:deleteItem eks:call elasticmapreduce:setClusterTerminationProtection
			elasticmapreduce:cancelStep elasticmapreduce:modifyInstanceFleetByName elasticmapreduce:modifyInstanceGroupByName
			emr-containers:createVirtualCluster http:invoke sagemaker:createEndpoint sagemaker:createEndpointConfig sagemaker:createModel
			sagemaker:updateEndpoint`,
		tokenSuffix: `apigateway:invoke events:putEvents lambda:invoke sns:publish sqs:sendMessage`,
		syncSuffix: `athena:startQueryExecution batch:submitJob bedrock:createModelCustomizationJob codebuild:startBuild
			codebuild:startBuildBatch codebuild:retryBuildBatch databrew:startJobRun eks:createCluster eks:deleteCluster
			eks:createFargateProfile eks:deleteFargateProfile eks:createNodegroup eks:deleteNodegroup eks:runJob
			elasticmapreduce:createCluster elasticmapreduce:terminateCluster elasticmapreduce:addStep emr-containers:deleteVirtualCluster
			emr-containers:startJobRun emr-serverless:createApplication emr-serverless:startApplication emr-serverless:stopApplication
			emr-serverless:deleteApplication emr-serverless:startJobRun emr-serverless:cancelJobRun glue:startJobRun mediaconvert:createJob
			sagemaker:createHyperParameterTuningJob sagemaker:createLabelingJob sagemaker:createProcessingJob sagemaker:createTrainingJob
			sagemaker:createTransformJob`,
		syncSuffix + " " + tokenSuffix:                     `bedrock:invokeModel ecs:runTask`,
		syncSuffix + " " + sync2Suffix + " " + tokenSuffix: `states:startExecution`,
	} {
		for _, action := range strings.Fields(actions) {
			optimized[action] = strings.Fields(suffixes)
		}
	}
}

// functionARN and activityARN are the forms of what a Task calls directly, which takes no suffix.
var (
	functionARN = regexp.MustCompile(`^[a-zA-Z0-9_-]+(:[a-zA-Z0-9$_-]+)?$`)
	activityARN = regexp.MustCompile(`^[^\s<>{}\[\]?*"#%\\^|~` + "`" + `$&,;:/]{1,80}$`)
)

// named tells whether the name in the ARN of a function or an activity is one; a substitution may be part of it.
func (r resource) named() bool {
	name := strings.Join(strings.Split(r.raw, ":")[6:], ":")
	switch {
	case strings.Contains(name, "${"):
		return true
	case r.direct:
		return functionARN.MatchString(name)
	}
	return activityARN.MatchString(name) && !strings.HasSuffix(name, syncSuffix) && !strings.HasSuffix(name, tokenSuffix)
}

// base takes the suffix off an integration: "lambda:invoke" and ".waitForTaskToken".
func (r resource) base() (name, suffix string) {
	action := r.action
	for _, s := range []string{sync2Suffix, syncSuffix, tokenSuffix} {
		if head, ok := strings.CutSuffix(action, s); ok {
			return r.service + ":" + head, s
		}
	}
	return r.service + ":" + action, ""
}

// exists tells whether Step Functions knows the resource.
func (r resource) exists() bool {
	if r.direct || r.activity {
		return r.named()
	}
	name, suffix := r.base()
	if call, ok := strings.CutPrefix(name, "aws-sdk:"); ok {
		return sdk.Has(call) && (suffix == "" || suffix == tokenSuffix)
	}
	suffixes, ok := optimized[name]
	return ok && (suffix == "" || slices.Contains(suffixes, suffix))
}

func (l *linter) resource(o *tree, at string) {
	v := o.get("Resource")
	name := v.str()
	args, at := o.get("Arguments"), at+"/Resource"
	r := parseResource(name)
	switch {
	case v.kind != "string":
		l.refuse(at, "Value is not a string")
	case jsonata.IsExpression(name):
		l.refuse(at, "The field 'Resource' must be a constant")
	case strings.HasPrefix(name, "${"):
	case !r.exists():
		l.refuse(at, "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", name)
	case l.options.KnownResource != nil && !l.options.KnownResource(name):
		l.add(SeverityWarning, CodeResourceKnown, at, "nobody performs the resource %s", name)
	}
	if r.waitsForToken() && (args == nil || !bytesContain(args.raw, "Task.Token")) {
		l.add(SeverityWarning, CodeToken, at, "the task waits for a token that its Arguments do not pass on ($states.context.Task.Token)")
	}
	l.arguments(args, r, strings.TrimSuffix(at, "/Resource")+"/Arguments")
}
