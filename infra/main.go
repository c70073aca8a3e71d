// Command infra synthesizes the CloudFormation templates of Perennial. It is run by the CDK's command
// line (see cdk.json) or by scripts/build/synth.sh.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/stacks"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stacks.Build(app, stacks.FromContext(app))
	app.Synth(nil)
}
