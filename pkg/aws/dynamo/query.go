package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/perennial-llm/perennial/pkg/table"
)

// Query reads a page. Expired items are left out here: DynamoDB removes them days later.
func (r *records) Query(ctx context.Context, q table.Query) (table.Page, error) {
	input, err := r.queryInput(q)
	if err != nil {
		return table.Page{}, err
	}
	out, err := r.api.Query(ctx, input)
	if err != nil {
		return table.Page{}, classify("query", err)
	}
	var page table.Page
	now := r.clock()
	for _, a := range out.Items {
		it, err := decode(a)
		if err != nil {
			return table.Page{}, err
		}
		if table.Live(it, now) != nil {
			page.Items = append(page.Items, *it)
		}
	}
	if len(out.LastEvaluatedKey) > 0 {
		page.Next = table.EncodeCursor(q, position(q.Index, out.LastEvaluatedKey))
	}
	return page, nil
}

func (r *records) queryInput(q table.Query) (*dynamodb.QueryInput, error) {
	last, err := table.DecodeCursor(q)
	if err != nil {
		return nil, err
	}
	part, sort := attrPK, attrSK
	input := &dynamodb.QueryInput{
		TableName: &r.name, Limit: aws.Int32(int32(q.Limit)), ScanIndexForward: aws.Bool(!q.Descending),
		ExpressionAttributeValues: attributes{":p": text(q.PK)},
	}
	if q.Index == table.Primary {
		input.ConsistentRead = aws.Bool(bool(q.Consistency))
	} else {
		part, sort = indexAttributes[q.Index][0], indexAttributes[q.Index][1]
		input.IndexName = aws.String(string(q.Index))
	}
	input.ExpressionAttributeNames = map[string]string{"#p": part}
	input.KeyConditionExpression = aws.String("#p = :p" + sortCondition(q, sort, input))
	if last != nil {
		input.ExclusiveStartKey = startKey(q.Index, *last)
	}
	return input, nil
}

// sortCondition adds names and values to the input and gives the condition on the sort key.
func sortCondition(q table.Query, sort string, input *dynamodb.QueryInput) string {
	form, from := "", q.From
	switch {
	case q.Prefix != "":
		form, from = " AND begins_with(#s, :from)", q.Prefix
	case q.From != "" && q.To != "":
		form = " AND #s BETWEEN :from AND :to"
	case q.From != "":
		form = " AND #s >= :from"
	case q.To != "":
		form = " AND #s <= :to"
	default:
		return ""
	}
	input.ExpressionAttributeNames["#s"] = sort
	if from != "" {
		input.ExpressionAttributeValues[":from"] = text(from)
	}
	if q.To != "" {
		input.ExpressionAttributeValues[":to"] = text(q.To)
	}
	return form
}

func position(index table.Index, last attributes) table.Position {
	p := table.Position{Key: keyOf(last, attrPK, attrSK)}
	if index != table.Primary {
		names := indexAttributes[index]
		p.Index = keyOf(last, names[0], names[1])
	}
	return p
}

func startKey(index table.Index, p table.Position) attributes {
	a := keyAttributes(p.Key)
	if index != table.Primary {
		names := indexAttributes[index]
		a[names[0]], a[names[1]] = text(p.Index.PK), text(p.Index.SK)
	}
	return a
}
