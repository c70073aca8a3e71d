package sagemaker

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// TimeFormat is how a family of Step Functions integrations writes times.
type TimeFormat func(time.Time) any

// EpochMillis is the form of the optimized integrations (arn:aws:states:::sagemaker:…).
func EpochMillis(t time.Time) any { return t.UnixMilli() }

// ISO8601 is the form of the SDK integrations (arn:aws:states:::aws-sdk:…).
func ISO8601(t time.Time) any { return t.UTC().Format("2006-01-02T15:04:05.999Z07:00") }

// Encode writes an SDK output type as Step Functions gives it to a state: PascalCase members,
// absent ones left out.
func Encode(output any, times TimeFormat) (json.RawMessage, error) {
	return json.Marshal(encode(reflect.ValueOf(output), times))
}

func encode(v reflect.Value, times TimeFormat) any {
	switch v.Kind() {
	case reflect.Pointer:
		return encode(v.Elem(), times)
	case reflect.Struct:
		if v.Type() == timeType {
			return times(v.Interface().(time.Time))
		}
		return encodeStruct(v, times)
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = encode(v.Index(i), times)
		}
		return out
	default:
		return v.Interface()
	}
}

func encodeStruct(v reflect.Value, times TimeFormat) any {
	out := map[string]any{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" || absent(v.Field(i)) {
			continue
		}
		out[apiName(field.Name)] = encode(v.Field(i), times)
	}
	return out
}

// absent tells whether a member was not set: nil, or an empty enumeration.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}

// apiName undoes the SDK's one renaming: a trailing underscore for names that Go has taken.
func apiName(field string) string { return strings.TrimSuffix(field, "_") }
