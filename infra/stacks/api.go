package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// API is the way in for the web app, the command line and other systems.
type API struct {
	awscdk.Stack
	HTTP     awsapigatewayv2.HttpApi
	Function awslambda.Function
}

// NewAPI makes the api stack.
func NewAPI(app awscdk.App, s Settings, d Data) API {
	st := stack(app, s, "api", "HTTP API and user pool")
	keep(st)
	f := newFunction(st, s, d, "api", apiNeeds)
	newUsers(st, s).serve(f)
	// Format 2.0 joins headers with commas, and its adapter splits them again at every comma.
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Api"), f,
		&awsapigatewayv2integrations.HttpLambdaIntegrationProps{PayloadFormatVersion: awsapigatewayv2.PayloadFormatVersion_VERSION_1_0()})
	api := awsapigatewayv2.NewHttpApi(st, jsii.String("Http"), &awsapigatewayv2.HttpApiProps{
		ApiName: jsii.String(s.Prefix), DefaultIntegration: integration, Description: jsii.String("Perennial: /v1 and /gateway")})
	limitAndLog(st, api)
	return API{Stack: st, HTTP: api, Function: f}
}

// limitAndLog keeps one caller from using up the account's concurrency, and keeps an access log.
func limitAndLog(st awscdk.Stack, api awsapigatewayv2.HttpApi) {
	logs := awslogs.NewLogGroup(st, jsii.String("AccessLogs"), &awslogs.LogGroupProps{
		Retention: awslogs.RetentionDays_THREE_MONTHS, RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	stage := api.DefaultStage().Node().DefaultChild().(awsapigatewayv2.CfnStage)
	stage.SetDefaultRouteSettings(&awsapigatewayv2.CfnStage_RouteSettingsProperty{ThrottlingBurstLimit: jsii.Number(200), ThrottlingRateLimit: jsii.Number(100)})
	stage.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{DestinationArn: logs.LogGroupArn(),
		Format: jsii.String(`{"time":"$context.requestTime","id":"$context.requestId","method":"$context.httpMethod","path":"$context.path",` +
			`"status":"$context.status","ms":"$context.responseLatency","ip":"$context.identity.sourceIp","error":"$context.integrationErrorMessage"}`)})
}
