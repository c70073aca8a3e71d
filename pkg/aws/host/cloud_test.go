package host_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	s3client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/aws/dynamo"
	"github.com/perennial-llm/perennial/pkg/aws/host"
	"github.com/perennial-llm/perennial/pkg/aws/s3"
	awssagemaker "github.com/perennial-llm/perennial/pkg/aws/sagemaker"
	awsstates "github.com/perennial-llm/perennial/pkg/aws/states"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
	"github.com/perennial-llm/perennial/pkg/local/states"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
	"github.com/perennial-llm/perennial/statemachines"
)

// cloud is an account on this machine: records in DynamoDB Local, objects, people and queues in moto. Step
// Functions and SageMaker, which moto cannot run, are the one-machine engines behind the AWS adapters' own
// interfaces: they run the state machines as they are, the Lambda handlers on bytes, and containers that stand
// in for training/.
type cloud struct {
	*testing.T
	*host.Platform
	dir      string
	people   pool
	queues   *queues
	url      string // of API Gateway
	handlers map[string]lambda.Handler
}

const machinePrefix = "arn:aws:states:local:000000000000:stateMachine:"

func newCloud(t *testing.T) *cloud {
	c := &cloud{T: t, dir: t.TempDir(), people: people(t), queues: newQueues(t, 3)}
	store := newStore(t, "cloud")
	objects := s3.New(store, "cloud")
	jobs := c.sageMaker(objects)
	steps := &stepFunctions{}
	c.Platform = host.Wire(config.Config{Bucket: "cloud", Code: "s3://cloud/code/1/", Machines: machinePrefix, Version: "1", DeadLetters: c.queues.deadARN},
		host.Adapters{Table: table.Limit(records(t)), Objects: objects, Signer: s3.NewSigner(s3client.NewPresignClient(store), "cloud", ids.WallClock),
			Workflow: awsstates.New(steps, machinePrefix), Endpoints: awssagemaker.New(runtime{jobs}), Directory: c.people}, slog.New(slog.DiscardHandler))
	c.handlers = c.Handlers()
	c.queues.handler = c.Batch(c.handlers["dataset-register"])
	steps.Service = c.engine(jobs)
	c.url = c.gateway()
	return c
}

func records(t *testing.T) table.Table {
	api := dynamodb.New(dynamodb.Options{Region: "eu-central-1", BaseEndpoint: aws.String(porttest.DynamoLocal(t)), Credentials: anybody})
	require.NoError(t, dynamo.Create(t.Context(), api, "cloud"))
	return dynamo.New(api, "cloud", ids.WallClock)
}

// sageMaker runs jobs and endpoints as processes, with inputs from the bucket.
func (c *cloud) sageMaker(objects *s3.Store) *sagemaker.Service {
	code, err := filepath.Abs("../../local/testdata/containers")
	require.NoError(c, err)
	python, err := exec.LookPath("python3")
	require.NoError(c, err)
	jobs, err := sagemaker.New(sagemaker.Config{Root: filepath.Join(c.dir, "data", "sagemaker"), Objects: objects, Bucket: "cloud", Code: code, CodeKey: "code/1/", Python: python})
	require.NoError(c, err)
	c.Cleanup(func() { require.NoError(c, jobs.Close(context.Background())) })
	return jobs
}

// engine runs the state machines; every function that they name is a handler of the host.
func (c *cloud) engine(jobs *sagemaker.Service) *states.Service {
	db, err := sqlite.Open(filepath.Join(c.dir, "data", "perennial.db"))
	require.NoError(c, err)
	integrations := jobs.Integrations()
	integrations["arn:aws:states:::lambda:invoke"] = c.invoke
	s, err := states.New(states.Config{DB: db.SQL(), Machines: c.machines(), Integrations: integrations})
	require.NoError(c, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	c.Cleanup(func() {
		stop()
		<-done
		require.NoError(c, s.Close())
		require.NoError(c, db.Close())
	})
	return s
}

func (c *cloud) machines() map[string]json.RawMessage {
	values := map[string]string{"BucketName": "cloud", "TrainingRoleArn": "arn:aws:iam::000000000000:role/t", "ServingRoleArn": "arn:aws:iam::000000000000:role/s",
		"TrainingImageUri": "local/training", "ServingImageUri": "local/serving", "TrainingInstanceType": "ml.g5.xlarge", "ServingInstanceType": "ml.g5.xlarge"}
	for name := range c.handlers {
		values[pascal(name)+"FunctionArn"] = "arn:aws:lambda:local:000000000000:function:" + name
	}
	for name := range statemachines.All() {
		values[pascal(name)+"StateMachineArn"] = machinePrefix + name
	}
	out := map[string]json.RawMessage{}
	for name, definition := range statemachines.All() {
		full, err := asl.Substitute(definition, values)
		require.NoError(c, err, name)
		out[name] = full
	}
	return out
}

func pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// invoke calls a function as Step Functions does.
func (c *cloud) invoke(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var in struct {
		FunctionName string
		Payload      json.RawMessage
	}
	if err := json.Unmarshal(t.Arguments, &in); err != nil {
		return nil, err
	}
	out, err := c.handlers[in.FunctionName[strings.LastIndex(in.FunctionName, ":")+1:]].Invoke(ctx, asl.LambdaPayload(in.Payload))
	var failed messages.InvokeResponse_Error
	if errors.As(err, &failed) {
		return nil, asl.LambdaFailure(failed.Type, failed.Message, "", nil)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"ExecutedVersion": "$LATEST", "Payload": json.RawMessage(out), "StatusCode": 200})
}

// gateway is API Gateway in front of the API's function: requests become events of format 1.0.
func (c *cloud) gateway() string {
	api, err := c.API()
	require.NoError(c, err)
	function := host.Proxy(api)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = forward(w, r, function, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
	c.Cleanup(server.Close)
	return server.URL
}

func forward(w http.ResponseWriter, r *http.Request, function lambda.Handler, body []byte) error {
	event, err := json.Marshal(events.APIGatewayProxyRequest{HTTPMethod: r.Method, Path: r.URL.Path, MultiValueQueryStringParameters: r.URL.Query(),
		MultiValueHeaders: r.Header, Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true,
		RequestContext: events.APIGatewayProxyRequestContext{Stage: "$default", Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1"}}})
	if err != nil {
		return err
	}
	out, err := function.Invoke(r.Context(), event)
	if err != nil {
		return err
	}
	var answer events.APIGatewayProxyResponse
	if err := json.Unmarshal(out, &answer); err != nil {
		return err
	}
	for name, values := range answer.MultiValueHeaders {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	content := []byte(answer.Body)
	if answer.IsBase64Encoded {
		content, err = base64.StdEncoding.DecodeString(answer.Body)
	}
	_, _ = w.Write(content)
	return err
}

// stepFunctions answers the adapter's calls as Step Functions does.
type stepFunctions struct{ *states.Service }

func (s *stepFunctions) StartExecution(ctx context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	arn, err := s.Service.StartExecution(ctx, strings.TrimPrefix(*in.StateMachineArn, machinePrefix), *in.Name, json.RawMessage(*in.Input))
	if errors.Is(err, states.ErrExecutionAlreadyExists) {
		err = &types.ExecutionAlreadyExists{}
	}
	return &sfn.StartExecutionOutput{ExecutionArn: &arn}, err
}

func (s *stepFunctions) StopExecution(ctx context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	return &sfn.StopExecutionOutput{}, s.Service.StopExecution(ctx, *in.ExecutionArn, *in.Error, *in.Cause)
}

func (s *stepFunctions) SendTaskSuccess(ctx context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error) {
	err := s.Service.SendTaskSuccess(ctx, *in.TaskToken, json.RawMessage(*in.Output))
	switch {
	case errors.Is(err, states.ErrTaskTimedOut):
		err = &types.TaskTimedOut{}
	case errors.Is(err, states.ErrInvalidToken):
		err = &types.InvalidToken{}
	}
	return &sfn.SendTaskSuccessOutput{}, err
}

// GetExecutionHistory gives none: the steps that people see have tests of their own.
func (s *stepFunctions) GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	return &sfn.GetExecutionHistoryOutput{}, nil
}

// runtime answers the adapter's calls as the SageMaker runtime does.
type runtime struct{ *sagemaker.Service }

func (r runtime) InvokeEndpoint(ctx context.Context, in *sagemakerruntime.InvokeEndpointInput, _ ...func(*sagemakerruntime.Options)) (*sagemakerruntime.InvokeEndpointOutput, error) {
	resp, err := r.Invoke(ctx, *in.EndpointName, in.Body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(resp.Body)
	return &sagemakerruntime.InvokeEndpointOutput{Body: body, ContentType: aws.String(resp.Header.Get("Content-Type"))}, err
}
