package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// marshal is json.Marshal without escaping <, > and &, as AWS writes JSON.
func marshal(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("asl: marshal %T: %v", v, err)) // only our own types come here
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// compact takes the spaces out of a JSON text.
func compact(raw json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// kindOf is the JSON type of a value in the words of AWS's error texts.
func kindOf(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "undefined"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// object joins members into a JSON object without decoding their values.
type member struct {
	key   string
	value json.RawMessage
}

func object(members ...member) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	n := 0
	for _, m := range members {
		if m.value == nil {
			continue
		}
		if n++; n > 1 {
			b.WriteByte(',')
		}
		b.Write(marshal(m.key))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func array(items []json.RawMessage) json.RawMessage {
	parts := make([]string, len(items))
	for i, it := range items {
		parts[i] = string(it)
	}
	return json.RawMessage("[" + strings.Join(parts, ",") + "]")
}

// Compact checks that raw is one JSON value and takes the spaces out of it.
func Compact(raw json.RawMessage) (json.RawMessage, error) { return compact(raw) }
