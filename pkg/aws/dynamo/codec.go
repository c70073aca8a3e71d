package dynamo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/perennial-llm/perennial/pkg/table"
)

const (
	attrPK      = "PK"
	attrSK      = "SK"
	attrBody    = "b"
	attrRev     = "v"
	attrTTL     = "ttl"
	attrHash    = "h" // of token rows only
	counterHead = "n_"
)

// indexAttributes are the attributes of each index's key.
var indexAttributes = map[table.Index][2]string{table.GSI1: {"G1P", "G1S"}, table.GSI2: {"G2P", "G2S"}}

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func keyAttributes(k table.Key) attributes {
	return attributes{attrPK: text(k.PK), attrSK: text(k.SK)}
}

// encode gives an item's attributes; its revision as it is.
func encode(it table.Item) attributes {
	a := keyAttributes(it.Key)
	a[attrRev] = number(it.Rev)
	if len(it.Body) > 0 {
		a[attrBody] = text(string(it.Body))
	}
	if !it.TTL.IsZero() {
		a[attrTTL] = number(it.TTL.Unix())
	}
	for index, key := range it.Idx {
		names := indexAttributes[index]
		a[names[0]], a[names[1]] = text(key.PK), text(key.SK)
	}
	for name, n := range it.Num {
		a[counterHead+name] = number(n)
	}
	return a
}

// decode gives the item of some attributes; nil when there are none.
func decode(a attributes) (*table.Item, error) {
	if len(a) == 0 {
		return nil, nil
	}
	it := &table.Item{Key: keyOf(a, attrPK, attrSK)}
	if body, ok := a[attrBody].(*types.AttributeValueMemberS); ok {
		it.Body = json.RawMessage(body.Value)
	}
	for index, names := range indexAttributes {
		if key := keyOf(a, names[0], names[1]); key.PK != "" {
			if it.Idx == nil {
				it.Idx = map[table.Index]table.Key{}
			}
			it.Idx[index] = key
		}
	}
	return it, decodeNumbers(it, a)
}

func decodeNumbers(it *table.Item, a attributes) error {
	for name, value := range a {
		n, ok := value.(*types.AttributeValueMemberN)
		if !ok {
			continue
		}
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return fmt.Errorf("decode attribute %s: %w", name, err)
		}
		counter, isCounter := strings.CutPrefix(name, counterHead)
		switch {
		case name == attrRev:
			it.Rev = v
		case name == attrTTL:
			it.TTL = time.Unix(v, 0).UTC()
		case isCounter && it.Num == nil:
			it.Num = map[string]int64{counter: v}
		case isCounter:
			it.Num[counter] = v
		}
	}
	return nil
}

func keyOf(a attributes, pk, sk string) table.Key {
	p, _ := a[pk].(*types.AttributeValueMemberS)
	s, _ := a[sk].(*types.AttributeValueMemberS)
	if p == nil || s == nil {
		return table.Key{}
	}
	return table.Key{PK: p.Value, SK: s.Value}
}
