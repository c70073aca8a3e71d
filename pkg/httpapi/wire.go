package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/httpapi/oas"
)

// decoder is a pointer to a generated type.
type decoder[T any] interface {
	*T
	json.Unmarshaler
}

// wire turns a core record into the generated type of the same JSON. The JSON tags of core records
// are the names on the wire; the generated decoder checks that nothing required is missing.
func wire[T any, P decoder[T]](v any) (*T, error) {
	var out T
	body, err := json.Marshal(filled(v))
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	if err := P(&out).UnmarshalJSON(body); err != nil {
		return nil, fmt.Errorf("%T as %T: %w", v, out, err)
	}
	return &out, nil
}

// wires does it for a list.
func wires[T any, P decoder[T], S any](list []S) ([]T, error) {
	out := make([]T, 0, len(list))
	for _, v := range list {
		w, err := wire[T, P](v)
		if err != nil {
			return nil, err
		}
		out = append(out, *w)
	}
	return out, nil
}

// filled gives a copy of a struct whose nil slices and maps are empty ones, since lists on the wire are
// never null.
func filled(v any) any {
	src := reflect.ValueOf(v)
	if src.Kind() != reflect.Struct {
		return v
	}
	dst := reflect.New(src.Type()).Elem()
	dst.Set(src)
	fill(dst)
	return dst.Interface()
}

var rawType = reflect.TypeFor[json.RawMessage]()

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(f)
			}
		}
	case reflect.Slice:
		fillSlice(v)
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
	}
}

func fillSlice(v reflect.Value) {
	if v.Type() == rawType || v.Type().Elem().Kind() == reflect.Uint8 {
		return
	}
	list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	reflect.Copy(list, v)
	for i := range list.Len() {
		fill(list.Index(i))
	}
	v.Set(list)
}

func etag(rev int64) string { return `"` + strconv.FormatInt(rev, 10) + `"` }

// revision reads an If-Match header; the guard has seen that it is there.
func revision(ifMatch string) (int64, error) {
	s, err := strconv.Unquote(ifMatch)
	if err == nil {
		var rev int64
		if rev, err = strconv.ParseInt(s, 10, 64); err == nil && rev >= 0 {
			return rev, nil
		}
	}
	return 0, withStatus(http.StatusBadRequest, errs.Invalid, "If-Match %q is not an ETag of this API", ifMatch).
		mend(`send the ETag that you were given, with its quotes, such as "3"`)
}

func opt(s string) oas.OptString {
	if s == "" {
		return oas.OptString{}
	}
	return oas.NewOptString(s)
}

// sent does wire for what a service returned, unless it returned an error.
func sent[T any, P decoder[T], S any](v S, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return wire[T, P](v)
}

// sentAll does it for a list.
func sentAll[T any, P decoder[T], S any](list []S, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return wires[T, P](list)
}
