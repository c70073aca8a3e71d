package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/jsii-runtime-go"
)

// policy is the web app's Content-Security-Policy, that of pkg/httpapi: nothing inline, nothing from elsewhere;
// it sends to the API and parts of uploads to the bucket.
func policy(bucket awss3.Bucket) *string {
	return jsii.String(strings.Join([]string{"default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "font-src 'self' data:",
		"connect-src 'self' https://" + *bucket.BucketRegionalDomainName(), "frame-src 'self'", "worker-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'",
		"frame-ancestors 'none'"}, "; "))
}

// Fallback serves the app's one page for every address of its own. Files are below /assets/ or at the root;
// a page's address may have dots deeper down, such as a file's name.
const Fallback = `function handler(event) {
  var request = event.request;
  if (!/^\/(assets\/.+|[^\/]+\.[A-Za-z0-9]+)$/.test(request.uri)) request.uri = '/index.html';
  return request;
}`

// NewWeb makes the web stack: the web app, and the API below the same host name, so that cookies and CSP
// stay strict.
func NewWeb(app awscdk.App, s Settings, data Data, api API) {
	st := stack(app, s, "web", "web app")
	site := awss3.NewBucket(st, jsii.String("Site"), &awss3.BucketProps{EnforceSSL: jsii.Bool(true), Encryption: awss3.BucketEncryption_S3_MANAGED,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN})
	d := awscloudfront.NewDistribution(st, jsii.String("Cdn"), &awscloudfront.DistributionProps{
		Comment: jsii.String(s.Prefix), DefaultRootObject: jsii.String("index.html"), HttpVersion: awscloudfront.HttpVersion_HTTP2_AND_3,
		MinimumProtocolVersion: awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021, PriceClass: awscloudfront.PriceClass_PRICE_CLASS_100,
		DefaultBehavior:     siteBehavior(st, site, data.Bucket),
		AdditionalBehaviors: &map[string]*awscloudfront.BehaviorOptions{"/v1/*": apiBehavior(st, api), "/gateway/*": apiBehavior(st, api), "/healthz": apiBehavior(st, api)},
	})
	upload(st, s, site, d)
	awscdk.NewCfnOutput(st, jsii.String("Address"), &awscdk.CfnOutputProps{Value: jsii.String("https://" + *d.DomainName())})
}

// upload brings the web app to the site. Files below assets/ have their digest in the name and stay, for tabs
// that are open; everything else is asked for again each time.
func upload(st awscdk.Stack, s Settings, site awss3.Bucket, d awscloudfront.Distribution) {
	logs := copyLogs(st)
	files := func(cache string, names []string) *awss3deployment.BucketDeploymentProps {
		return &awss3deployment.BucketDeploymentProps{DestinationBucket: site, Prune: jsii.Bool(false), LogGroup: logs,
			Exclude: jsii.Strings("*"), Include: jsii.Strings(names...), CacheControl: &[]awss3deployment.CacheControl{awss3deployment.CacheControl_FromString(&cache)},
			Sources: &[]awss3deployment.ISource{awss3deployment.Source_Asset(jsii.String(s.Web), nil)}}
	}
	assets := awss3deployment.NewBucketDeployment(st, jsii.String("Assets"), files("public, max-age=31536000, immutable", []string{"assets/*"}))
	rest := files("no-cache", []string{"index.html", "favicon.svg"})
	rest.Distribution, rest.DistributionPaths = d, jsii.Strings("/index.html", "/favicon.svg")
	pages := awss3deployment.NewBucketDeployment(st, jsii.String("Pages"), rest)
	pages.Node().AddDependency(assets) // the page names its assets
}

func siteBehavior(st awscdk.Stack, site, objects awss3.Bucket) *awscloudfront.BehaviorOptions {
	year := awscdk.Duration_Days(jsii.Number(365))
	headers := awscloudfront.NewResponseHeadersPolicy(st, jsii.String("Headers"), &awscloudfront.ResponseHeadersPolicyProps{
		SecurityHeadersBehavior: &awscloudfront.ResponseSecurityHeadersBehavior{
			ContentSecurityPolicy:   &awscloudfront.ResponseHeadersContentSecurityPolicy{ContentSecurityPolicy: policy(objects), Override: jsii.Bool(true)},
			ContentTypeOptions:      &awscloudfront.ResponseHeadersContentTypeOptions{Override: jsii.Bool(true)},
			FrameOptions:            &awscloudfront.ResponseHeadersFrameOptions{FrameOption: awscloudfront.HeadersFrameOption_DENY, Override: jsii.Bool(true)},
			ReferrerPolicy:          &awscloudfront.ResponseHeadersReferrerPolicy{ReferrerPolicy: awscloudfront.HeadersReferrerPolicy_NO_REFERRER, Override: jsii.Bool(true)},
			StrictTransportSecurity: &awscloudfront.ResponseHeadersStrictTransportSecurity{AccessControlMaxAge: year, IncludeSubdomains: jsii.Bool(true), Override: jsii.Bool(true)},
		}})
	rewrite := awscloudfront.NewFunction(st, jsii.String("Fallback"), &awscloudfront.FunctionProps{
		Runtime: awscloudfront.FunctionRuntime_JS_2_0(), Code: awscloudfront.FunctionCode_FromInline(jsii.String(Fallback))})
	return &awscloudfront.BehaviorOptions{
		Origin:               awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(site, nil),
		ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS, ResponseHeadersPolicy: headers, Compress: jsii.Bool(true),
		FunctionAssociations: &[]*awscloudfront.FunctionAssociation{{EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST, Function: rewrite}},
	}
}

// apiBehavior passes everything on, and caches nothing.
func apiBehavior(st awscdk.Stack, api API) *awscloudfront.BehaviorOptions {
	host := *api.HTTP.HttpApiId() + ".execute-api." + *st.Region() + "." + *st.UrlSuffix()
	return &awscloudfront.BehaviorOptions{
		Origin:               awscloudfrontorigins.NewHttpOrigin(&host, &awscloudfrontorigins.HttpOriginProps{ProtocolPolicy: awscloudfront.OriginProtocolPolicy_HTTPS_ONLY}),
		ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY, AllowedMethods: awscloudfront.AllowedMethods_ALLOW_ALL(),
		CachePolicy:         awscloudfront.CachePolicy_CACHING_DISABLED(),
		OriginRequestPolicy: awscloudfront.OriginRequestPolicy_ALL_VIEWER_EXCEPT_HOST_HEADER(),
	}
}
