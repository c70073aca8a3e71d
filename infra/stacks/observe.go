package stacks

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/constructs"
)

// observer adds alarms that tell one topic, and graphs of one dashboard.
type observer struct {
	awscdk.Stack
	topic awssns.Topic
	board awscloudwatch.Dashboard
}

// NewObserve makes the observe stack: who is told of what, and one page to look at.
func NewObserve(app awscdk.App, s Settings, p Pipeline, api API) {
	st := stack(app, s, "observe", "alarms and dashboard")
	o := observer{Stack: st, topic: awssns.NewTopic(st, jsii.String("Alarms"), &awssns.TopicProps{EnforceSSL: jsii.Bool(true), DisplayName: jsii.String("Perennial alarms")}),
		board: awscloudwatch.NewDashboard(st, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{DashboardName: jsii.String(s.Prefix)})}
	alarmsMayPublish(st, o.topic)
	if s.AlarmEmail != "" {
		o.topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&s.AlarmEmail, nil))
	}
	o.machines(p)
	o.functions(p)
	o.deadLetters(p)
	o.api(api)
}

// alarmsMayPublish says what a topic without a policy allows by itself: the rule for TLS is a policy.
func alarmsMayPublish(st awscdk.Stack, topic awssns.Topic) {
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"), Resources: &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:SourceAccount": st.Account()}}}))
}

// machines watches executions that fail or take too long.
func (o observer) machines(p Pipeline) {
	var graphs []awscloudwatch.IMetric
	for _, name := range slices.Sorted(maps.Keys(p.Machines)) {
		m := p.Machines[name]
		o.alarm(constructs.Pascal(name)+"Failed", "Executions of "+name+" fail: look at the run or release that the web app shows as failed",
			m.MetricFailed(nil), 1, 1)
		o.alarm(constructs.Pascal(name)+"TimedOut", "Executions of "+name+" take too long", m.MetricTimedOut(nil), 1, 1)
		graphs = append(graphs, m.MetricStarted(nil), m.MetricFailed(nil))
	}
	o.graph("Executions started and failed", graphs)
}

// functions watches the two that nothing else waits for.
func (o observer) functions(p Pipeline) {
	sweep := p.Functions["trigger-sweep"]
	o.alarm("SweepErrors", "The sweep fails: triggers and expiries wait", sweep.MetricErrors(nil), 3, 3)
	o.silence("SweepStopped", "The sweep is not called any more: triggers and expiries wait", sweep.MetricInvocations(nil))
	o.alarm("RegisterErrors", "Arrivals are not registered", p.Functions["dataset-register"].MetricErrors(nil), 3, 3)
	var errors []awscloudwatch.IMetric
	for _, name := range slices.Sorted(maps.Keys(p.Functions)) {
		errors = append(errors, p.Functions[name].MetricErrors(nil))
	}
	o.graph("Function errors", errors)
}

// deadLetters tells when an arrival is given up, and when it could not even be kept for people to see.
func (o observer) deadLetters(p Pipeline) {
	for _, id := range slices.Sorted(maps.Keys(p.DeadLetters)) {
		q := p.DeadLetters[id]
		o.alarm(id+"GivenUp", "Arrivals were given up: see Dead letters in the web app's settings, mend the cause, and replay",
			q.MetricNumberOfMessagesReceived(nil), 1, 1)
		o.alarm(id+"Stuck", "Messages stay among the dead letters: see the log of the function that takes them, and mend the cause",
			q.MetricApproximateNumberOfMessagesVisible(nil), 1, 3)
	}
}

func (o observer) api(api API) {
	o.alarm("ApiFaults", "The API answers with server errors", api.HTTP.MetricServerError(nil), 5, 2)
	o.alarm("ApiErrors", "The API's function fails", api.Function.MetricErrors(nil), 5, 2)
	o.graph("API requests and faults", []awscloudwatch.IMetric{api.HTTP.MetricCount(nil), api.HTTP.MetricServerError(nil)})
	o.graph("API latency", []awscloudwatch.IMetric{api.HTTP.MetricLatency(&awscloudwatch.MetricOptions{Statistic: jsii.String("p50")}),
		api.HTTP.MetricLatency(&awscloudwatch.MetricOptions{Statistic: jsii.String("p99")})})
}

// alarm tells the topic when a metric's five-minute value is at least threshold that many times in a row.
func (o observer) alarm(id, what string, m awscloudwatch.Metric, threshold float64, periods int) {
	o.tell(id, &awscloudwatch.AlarmProps{Metric: m, Threshold: &threshold, EvaluationPeriods: jsii.Number(periods), AlarmDescription: &what,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING})
}

// silence tells the topic when nothing happens for a quarter of an hour.
func (o observer) silence(id, what string, m awscloudwatch.Metric) {
	o.tell(id, &awscloudwatch.AlarmProps{Metric: m, Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(3), AlarmDescription: &what,
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING})
}

func (o observer) tell(id string, props *awscloudwatch.AlarmProps) {
	a := awscloudwatch.NewAlarm(o.Stack, jsii.String(id), props)
	a.AddAlarmAction(awscloudwatchactions.NewSnsAction(o.topic))
	a.AddOkAction(awscloudwatchactions.NewSnsAction(o.topic))
}

func (o observer) graph(title string, metrics []awscloudwatch.IMetric) {
	o.board.AddWidgets(awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Title: &title, Left: &metrics, Width: jsii.Number(12)}))
}
