package files

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Signer gives signed addresses for contents and serves them: it is the http.Handler behind Base.
type Signer struct {
	Store  *Store
	Base   string // the URL at which the host serves the signer
	Secret []byte // at least 32 random bytes; addresses hold as long as it does
	Clock  ids.Clock
}

var (
	_ object.Signer = (*Signer)(nil)
	_ http.Handler  = (*Signer)(nil)
)

const signature = "signature" // the field of the query that signs the others

// SignPut grants a whole object.
func (s *Signer) SignPut(_ context.Context, key string, g object.Grant) (object.Signed, error) {
	if err := object.CheckKey(key); err != nil {
		return object.Signed{}, err
	}
	return s.sign(url.Values{"key": {key}}, g)
}

// SignPart grants one part of an upload.
func (s *Signer) SignPart(_ context.Context, key, id string, number int, g object.Grant) (object.Signed, error) {
	if err := object.CheckNumber(number); err != nil {
		return object.Signed{}, err
	}
	if _, err := s.Store.uploadFolder(key, id); err != nil {
		return object.Signed{}, err
	}
	return s.sign(url.Values{"key": {key}, "upload": {id}, "part": {strconv.Itoa(number)}}, g)
}

func (s *Signer) sign(q url.Values, g object.Grant) (object.Signed, error) {
	if err := g.Check(); err != nil {
		return object.Signed{}, err
	}
	expires := s.Clock().Add(g.Lasts).UTC().Truncate(time.Second)
	q.Set("size", strconv.FormatInt(g.Size, 10))
	q.Set("sha256", strings.ToLower(g.SHA256))
	q.Set("expires", strconv.FormatInt(expires.Unix(), 10))
	q.Set(signature, s.mac(q))
	return object.Signed{Method: http.MethodPut, URL: s.Base + "?" + q.Encode(), Header: map[string]string{}, Expires: expires}, nil
}

// mac signs all fields but the signature, in the order of their names.
func (s *Signer) mac(q url.Values) string {
	rest := url.Values{}
	for name, values := range q {
		if name != signature {
			rest[name] = values
		}
	}
	h := hmac.New(sha256.New, s.Secret)
	h.Write([]byte(rest.Encode()))
	return hex.EncodeToString(h.Sum(nil))
}

// ServeHTTP takes the content of a signed address.
func (s *Signer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tag, err := s.take(r)
	if err == nil {
		w.Header().Set("ETag", strconv.Quote(tag))
		w.WriteHeader(http.StatusOK)
		return
	}
	status, known := map[errs.Code]int{
		errs.Invalid: http.StatusBadRequest, errs.Forbidden: http.StatusForbidden, errs.NotFound: http.StatusNotFound,
	}[errs.CodeOf(err)]
	text := err.Error()
	if !known {
		status, text = http.StatusServiceUnavailable, "the content could not be stored: send it again"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": string(errs.CodeOf(err)), "message": text})
}

func (s *Signer) take(r *http.Request) (tag string, err error) {
	q := r.URL.Query()
	g, err := s.granted(r.Method, q)
	if err != nil {
		return "", err
	}
	if r.ContentLength >= 0 && r.ContentLength != g.Size {
		return "", errs.New(errs.Invalid, "the content has %d bytes, not the granted %d", r.ContentLength, g.Size)
	}
	content := g.Only(r.Body)
	if !q.Has("upload") {
		info, err := s.Store.Put(r.Context(), q.Get("key"), content, object.PutOptions{})
		return info.SHA256, err
	}
	number, err := strconv.Atoi(q.Get("part"))
	if err != nil {
		return "", errs.New(errs.Invalid, "the address names no part")
	}
	part, err := s.Store.PutPart(r.Context(), q.Get("key"), q.Get("upload"), number, content)
	return part.Tag, err
}

// granted reads the grant out of an address that this signer signed and that still holds.
func (s *Signer) granted(method string, q url.Values) (object.Grant, error) {
	if method != http.MethodPut || !hmac.Equal([]byte(q.Get(signature)), []byte(s.mac(q))) {
		return object.Grant{}, errs.New(errs.Forbidden, "the address was not signed here for this request")
	}
	expires, err := strconv.ParseInt(q.Get("expires"), 10, 64)
	if err != nil || !s.Clock().Before(time.Unix(expires, 0)) {
		return object.Grant{}, errs.New(errs.Forbidden, "the address has expired").Mend("ask for a new one")
	}
	size, err := strconv.ParseInt(q.Get("size"), 10, 64)
	if err != nil {
		return object.Grant{}, errs.New(errs.Invalid, "the address names no size")
	}
	return object.Grant{Size: size, SHA256: q.Get("sha256")}, nil
}
