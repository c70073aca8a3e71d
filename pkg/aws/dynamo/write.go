package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// mostTries bounds how often a write is tried when only other writers were in its way.
const mostTries = 30

// step is one operation with what is believed of its item. A Put stores the whole item with its next
// revision, so it must know the present one: it starts from what the condition says or from "absent",
// and learns the truth from the answer when that was wrong. Nothing else needs to know.
type step struct {
	op     table.Op
	before *table.Item // live state believed
	pinned bool        // the transaction must only succeed while the belief is right
}

func plan(ops []table.Op) []step {
	steps := make([]step, len(ops))
	for i, op := range ops {
		steps[i] = step{op: op, pinned: op.Kind == table.Put}
		if op.Kind == table.Put && op.If.Kind == table.RevEq {
			steps[i].before = &table.Item{Rev: op.If.Val}
		}
	}
	return steps
}

// Write applies all operations in one TransactWriteItems.
func (r *records) Write(ctx context.Context, token string, ops ...table.Op) error {
	hash, err := table.Fingerprint(ops)
	if err != nil {
		return err
	}
	steps := plan(ops)
	for try := range mostTries {
		err := r.transact(ctx, token, hash, steps)
		if !errors.Is(err, errAgain) {
			return err
		}
		if err := r.wait(ctx, backoff(try)); err != nil {
			return err
		}
	}
	return errs.New(errs.Unavailable, "too many writers on the same records").Mend("try again")
}

// errAgain tells that others were in the way and the steps know more now.
var errAgain = errors.New("try again")

func (r *records) transact(ctx context.Context, token string, hash []byte, steps []step) error {
	now := r.clock()
	input := &dynamodb.TransactWriteItemsInput{}
	for _, s := range steps {
		input.TransactItems = append(input.TransactItems, r.item(s, now))
	}
	if token != "" {
		input.TransactItems = append(input.TransactItems, r.tokenItem(token, hash, now))
	}
	_, err := r.api.TransactWriteItems(ctx, input)
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		return judge(canceled.CancellationReasons, token, hash, steps, now)
	}
	if err != nil {
		return classify("write items", err)
	}
	return nil
}

// item translates a step.
func (r *records) item(s step, now time.Time) types.TransactWriteItem {
	e := newExpression()
	e.require(s.op.If, now)
	if s.pinned {
		s.pin(e, now)
		it := *table.Apply(s.op, s.before)
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &r.name, Item: encode(it), ConditionExpression: &e.text, ExpressionAttributeNames: e.names,
			ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}
	}
	switch s.op.Kind {
	case table.Add:
		return types.TransactWriteItem{Update: r.update(s.op, e, now)}
	case table.Delete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &r.name, Key: keyAttributes(s.op.Item.Key), ConditionExpression: e.condition(), ExpressionAttributeNames: e.aliases(),
			ExpressionAttributeValues: e.arguments(), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}
	}
	if e.text == "" { // a check without a condition still counts as an operation
		e.text = fmt.Sprintf("attribute_exists(%s) OR attribute_not_exists(%s)", e.name(attrPK), e.name(attrPK))
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &r.name, Key: keyAttributes(s.op.Item.Key), ConditionExpression: &e.text, ExpressionAttributeNames: e.aliases(),
		ExpressionAttributeValues: e.arguments(), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

// pin makes the belief a condition.
func (s step) pin(e *expression, now time.Time) {
	switch {
	case s.before == nil && s.op.If.Kind != table.NotExists:
		e.and(e.absent(now))
	case s.before != nil && s.op.If.Kind != table.RevEq:
		e.and(fmt.Sprintf("%s = %s AND %s", e.name(attrRev), e.number(s.before.Rev), e.fresh(now)))
	}
}

// update adds to counters in place; an expired item fails it and is then replaced by a pinned step.
func (r *records) update(op table.Op, e *expression, now time.Time) *types.Update {
	if op.If.Kind != table.Exists && op.If.Kind != table.RevEq {
		e.and(e.fresh(now))
	}
	change := fmt.Sprintf("ADD %s %s", e.name(attrRev), e.number(1))
	for name, n := range op.Item.Num {
		change += fmt.Sprintf(", %s %s", e.name(counterHead+name), e.number(n))
	}
	return &types.Update{
		TableName: &r.name, Key: keyAttributes(op.Item.Key), UpdateExpression: &change, ConditionExpression: &e.text,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// tokenItem claims the token. DynamoDB's own ClientRequestToken cannot serve: it compares requests
// byte by byte, and these carry the present time and believed revisions.
func (r *records) tokenItem(token string, hash []byte, now time.Time) types.TransactWriteItem {
	item := keyAttributes(table.Key{PK: "TOKEN#" + token, SK: "TOKEN"})
	item[attrHash] = &types.AttributeValueMemberB{Value: hash}
	item[attrTTL] = number(now.Add(table.TokenLife).Unix())
	e := newExpression()
	e.and(e.absent(now))
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &r.name, Item: item, ConditionExpression: &e.text, ExpressionAttributeNames: e.names,
		ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

// judge reads why a transaction was canceled: the token was used, conditions failed, or only others
// were in the way, in which case the steps learn and errAgain is given.
func judge(reasons []types.CancellationReason, token string, hash []byte, steps []step, now time.Time) error {
	if token != "" && len(reasons) == len(steps)+1 {
		if err := judgeToken(reasons[len(steps)], token, hash); !errors.Is(err, errAgain) {
			return err
		}
	}
	var failed []int
	for i, reason := range reasons[:min(len(reasons), len(steps))] {
		switch code := aws.ToString(reason.Code); code {
		case "None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		case "ConditionalCheckFailed":
			ok, err := steps[i].learn(reason.Item, now)
			if err != nil {
				return err
			}
			if !ok {
				failed = append(failed, i)
			}
		default:
			return errs.New(errs.Internal, "operation %d: %s: %s", i, code, aws.ToString(reason.Message))
		}
	}
	if len(failed) > 0 {
		return &table.CanceledError{Failed: failed}
	}
	return errAgain
}

// judgeToken is nil when this very write was made before, errs.Conflict when another was, and
// errAgain when the token is not what canceled the transaction.
func judgeToken(reason types.CancellationReason, token string, hash []byte) error {
	if aws.ToString(reason.Code) != "ConditionalCheckFailed" {
		return errAgain
	}
	if known, ok := reason.Item[attrHash].(*types.AttributeValueMemberB); ok && string(known.Value) == string(hash) {
		return nil
	}
	return errs.New(errs.Conflict, "token %s was used for another write", token)
}

// learn takes in the item as it was when the condition failed. It tells whether the operation's own
// condition holds for it, so that only the belief was wrong.
func (s *step) learn(stored attributes, now time.Time) (bool, error) {
	it, err := decode(stored)
	if err != nil {
		return false, err
	}
	s.before = table.Live(it, now)
	if s.op.Kind == table.Add {
		s.pinned = it != nil && s.before == nil
	}
	return table.Holds(s.op.If, s.before), nil
}

// The SDK refuses empty maps and texts in place of absent ones.

func (e *expression) condition() *string {
	if e.text == "" {
		return nil
	}
	return &e.text
}

func (e *expression) aliases() map[string]string {
	if len(e.names) == 0 {
		return nil
	}
	return e.names
}

func (e *expression) arguments() attributes {
	if len(e.values) == 0 {
		return nil
	}
	return e.values
}
