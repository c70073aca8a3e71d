package sagemaker

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// DecodeStrict decodes a service integration's parameters (PascalCase JSON) into an SDK input type
// as Step Functions does: an unknown field, another letter case or another type is errs.Invalid
// with the JSON pointer, and so is a required member that is missing (by the SDK's own validators).
func DecodeStrict[T any](doc []byte, into *T) error {
	if err := decode(doc, reflect.ValueOf(into).Elem(), ""); err != nil {
		return err
	}
	return validate(into)
}

var timeType = reflect.TypeFor[time.Time]()

func decode(raw json.RawMessage, v reflect.Value, at string) error {
	if string(raw) == "null" {
		return nil
	}
	switch {
	case v.Type() == timeType:
		return scalar(raw, v, at)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decode(raw, v.Elem(), at)
	case v.Kind() == reflect.Struct:
		return decodeStruct(raw, v, at)
	case v.Kind() == reflect.Map:
		return decodeMap(raw, v, at)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		return decodeSlice(raw, v, at)
	}
	return scalar(raw, v, at)
}

func scalar(raw json.RawMessage, v reflect.Value, at string) error {
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		return errs.New(errs.Invalid, "expected %s, found %s", kindName(v), clip(string(raw))).At(at)
	}
	return nil
}

func decodeStruct(raw json.RawMessage, v reflect.Value, at string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return errs.New(errs.Invalid, "expected an object, found %s", clip(string(raw))).At(at)
	}
	for name, member := range members {
		field, ok := v.Type().FieldByName(name)
		if !ok || !field.IsExported() || name == "ResultMetadata" {
			return errs.New(errs.Invalid, "the field %q is not supported", name).At(at + "/" + name)
		}
		if err := decode(member, v.FieldByIndex(field.Index), at+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

func decodeMap(raw json.RawMessage, v reflect.Value, at string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return errs.New(errs.Invalid, "expected an object, found %s", clip(string(raw))).At(at)
	}
	v.Set(reflect.MakeMap(v.Type()))
	for name, member := range members {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := decode(member, value, at+"/"+name); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(name), value)
	}
	return nil
}

func decodeSlice(raw json.RawMessage, v reflect.Value, at string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return errs.New(errs.Invalid, "expected an array, found %s", clip(string(raw))).At(at)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := decode(item, v.Index(i), fmt.Sprintf("%s/%d", at, i)); err != nil {
			return err
		}
	}
	return nil
}

func kindName(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Struct:
		return "a time"
	default:
		return "a number (" + v.Kind().String() + ")"
	}
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "…"
	}
	return s
}
