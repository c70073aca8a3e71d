package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	s3client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/aws/host"
	"github.com/perennial-llm/perennial/pkg/aws/s3"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/porttest"
	"github.com/perennial-llm/perennial/pkg/table"
)

// queues are the arrivals' queue and its dead letters in moto, with what Lambda does for them.
type queues struct {
	*testing.T
	api        *sqs.Client
	main, dead string // addresses
	deadARN    string
	handler    lambda.Handler
}

func newQueues(t *testing.T, tries int) *queues {
	endpoint := porttest.Moto(t)
	q := &queues{T: t, api: sqs.New(sqs.Options{Region: "eu-central-1", BaseEndpoint: &endpoint, Credentials: anybody})}
	q.dead = q.make(t.Name()+"-dead", map[string]string{"VisibilityTimeout": "0"})
	got, err := q.api.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.dead, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	require.NoError(t, err)
	q.deadARN = got.Attributes["QueueArn"]
	q.main = q.make(t.Name(), map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, q.deadARN, tries)})
	return q
}

func (q *queues) make(name string, attributes map[string]string) string {
	q.Helper()
	out, err := q.api.CreateQueue(q.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(q, err)
	return *out.QueueUrl
}

// poll hands a queue's messages to the function and removes those that did not fail, as Lambda does. It
// gives how many there were and how many failed.
func (q *queues) poll(url, arn string) (seen, failed int) {
	q.Helper()
	got, err := q.api.ReceiveMessage(q.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	require.NoError(q, err)
	batch, receipts := events.SQSEvent{}, map[string]*string{}
	for _, m := range got.Messages {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: *m.MessageId, Body: *m.Body, EventSourceARN: arn})
		receipts[*m.MessageId] = m.ReceiptHandle
	}
	if len(batch.Records) == 0 {
		return 0, 0
	}
	answer, err := q.handler.Invoke(q.Context(), marshal(q.T, batch))
	require.NoError(q, err)
	var out events.SQSEventResponse
	require.NoError(q, json.Unmarshal(answer, &out))
	for _, f := range out.BatchItemFailures {
		delete(receipts, f.ItemIdentifier)
	}
	for _, receipt := range receipts {
		_, err := q.api.DeleteMessage(q.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: receipt})
		require.NoError(q, err)
	}
	return len(batch.Records), len(out.BatchItemFailures)
}

func (q *queues) send(body string) {
	q.Helper()
	_, err := q.api.SendMessage(q.Context(), &sqs.SendMessageInput{QueueUrl: &q.main, MessageBody: &body})
	require.NoError(q, err)
}

func created(key, version string) string {
	return fmt.Sprintf(`{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"b"},"object":{"key":%q,"size":30,"version-id":%q}}}`, key, version)
}

// A file in a folder of no dataset is given up, seen with its reason, and taken in once the cause is mended.
func TestArrivals_GivenUpAreSeenAndReplayed(t *testing.T) {
	q := newQueues(t, 2)
	store := newStore(t, "given-up")
	p := host.Wire(config.Config{Bucket: "given-up", Version: "1", DeadLetters: q.deadARN}, host.Adapters{Table: porttest.NewMemory(ids.WallClock),
		Objects: s3.New(store, "given-up"), Signer: s3.NewSigner(s3client.NewPresignClient(store), "given-up", ids.WallClock), Directory: people(t)}, slog.New(slog.DiscardHandler))
	p.Dataset.Workflow = started{}
	q.handler = p.Batch(p.Handlers()["dataset-register"])
	_, err := p.Dataset.CreateDataset(t.Context(), audit.System("test"), dataset.Dataset{ID: "tickets"})
	require.NoError(t, err)
	put := func(key string) string {
		info, err := p.Objects.Put(t.Context(), key, strings.NewReader(`{"text":"one"}`+"\n"), object.PutOptions{})
		require.NoError(t, err)
		return created(key, info.Version)
	}
	q.send(put("incoming/tickets/a.jsonl"))
	q.send(put("incoming/orders/b.jsonl"))
	q.send("not an event")
	seen, failed := q.poll(q.main, "arn:main")
	require.Equal(t, []int{3, 2}, []int{seen, failed}, "only what failed comes back")
	for seen > 0 {
		seen, _ = q.poll(q.main, "arn:main")
	}
	seen, failed = q.poll(q.dead, q.deadARN)
	require.Equal(t, []int{2, 0}, []int{seen, failed}, "put aside, so nothing stays in the queue")
	seen, _ = q.poll(q.dead, q.deadARN)
	require.Zero(t, seen)

	api, err := p.API()
	require.NoError(t, err)
	p.Directory.(pool).invite(t, "root@x.eu", "Mailed-by-cognito-1")
	root := &browser{T: t, api: api}
	require.Equal(t, 200, root.signIn("root@x.eu", "Mailed-by-cognito-1"))
	require.Equal(t, 204, root.do("PUT", "/v1/me/password", `{"current":"Mailed-by-cognito-1","new":"correct horse battery"}`, nil))
	type letters struct {
		Items []struct {
			Error string
			Event struct {
				Seq     int
				Subject struct{ ID string }
			}
		}
	}
	list := func() (l letters) {
		require.Equal(t, 200, root.do("GET", "/v1/dead-letters", "", &l))
		return l
	}
	byKey, l := map[string]int{}, list()
	require.Len(t, l.Items, 2)
	for _, item := range l.Items {
		byKey[item.Event.Subject.ID] = item.Event.Seq
	}
	orders := fmt.Sprintf("/v1/dead-letters/%d/replay", byKey["incoming/orders/b.jsonl"])
	var problem struct{ Detail, Title string }
	require.Equal(t, 503, root.do("POST", orders, "", &problem))
	require.Contains(t, problem.Title+problem.Detail, "orders")
	_, err = p.Dataset.CreateDataset(t.Context(), audit.System("test"), dataset.Dataset{ID: "orders"})
	require.NoError(t, err)
	require.Equal(t, 204, root.do("POST", orders, "", nil))
	require.Equal(t, 404, root.do("POST", orders, "", nil), "it is gone")
	require.Len(t, list().Items, 1)
	ings, _, err := p.Dataset.Ingestions(t.Context(), dataset.Filter{Dataset: "orders", Limit: 10})
	require.NoError(t, err)
	require.Len(t, ings, 1, "the file was taken in")
}

// unavailable is a table that takes no writes.
type unavailable struct{ table.Table }

func (unavailable) Write(context.Context, string, ...table.Op) error {
	return errs.New(errs.Unavailable, "the table is down")
}

// A message that cannot be put aside stays in the queue.
func TestArrivals_StayInTheQueueWhenTheyCannotBeKept(t *testing.T) {
	p := wired(t)
	p.Config.DeadLetters = "arn:dead"
	p.Log = audit.NewLog(unavailable{p.Table}, ids.WallClock, ids.Sequence())
	h := p.Batch(p.Handlers()["dataset-register"])
	out, err := h.Invoke(t.Context(), marshal(t, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: created("incoming/x/a", "1"), EventSourceARN: "arn:dead"}}}))
	require.NoError(t, err)
	require.JSONEq(t, `{"batchItemFailures":[{"itemIdentifier":"1"}]}`, string(out))
}
