package benchmark

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// WrongType says in words of JSON what encoding/json says in words of Go, as in "score is a string where a number belongs".
func WrongType(field string, wrong *json.UnmarshalTypeError) string {
	return fmt.Sprintf("%s is %s where %s belongs", field, found(wrong.Value), wanted(wrong.Type))
}

// found names a value as encoding/json describes it.
func found(value string) string {
	switch value {
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	if strings.HasPrefix(value, "number ") {
		return "the " + value
	}
	return "a " + value
}

// wanted names the JSON that a Go type is written as.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}
