package porttest

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// SignedStore is a store with the signer of its addresses, which it serves over HTTP.
type SignedStore struct {
	ObjectStore
	object.Signer
	Pass func(time.Duration) // makes time pass for the store
}

// ObjectSigned is the conformance suite of signed uploads.
func ObjectSigned(t *testing.T, open func(t *testing.T) SignedStore) {
	cases := map[string]func(*testing.T, *signing){
		"Put":             signedPut,
		"Put/refused":     signedPutRefused,
		"Put/expired":     signedPutExpired,
		"Put/tampered":    signedPutTampered,
		"Part":            signedPart,
		"Part/refused":    signedPartRefused,
		"Grants/nonsense": badGrants,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			run(t, &signing{objects: &objects{T: t, ObjectStore: s}, Signer: s.Signer, pass: s.Pass})
		})
	}
}

type signing struct {
	*objects
	object.Signer
	pass func(time.Duration)
}

func grantOf(content string) object.Grant {
	return object.Grant{Size: int64(len(content)), SHA256: digestOf(content), Lasts: 15 * time.Minute}
}

func (s *signing) grant(key, content string) object.Signed {
	s.Helper()
	signed, err := s.SignPut(s.Context(), key, grantOf(content))
	require.NoError(s, err)
	return signed
}

// send makes the request as anyone who holds the address would.
func (s *signing) send(signed object.Signed, content string) int {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), signed.Method, signed.URL, bytes.NewReader([]byte(content)))
	require.NoError(s, err)
	for name, value := range signed.Header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s, err)
	require.NoError(s, resp.Body.Close())
	return resp.StatusCode
}

func (s *signing) refuses(signed object.Signed, content string) {
	s.Helper()
	status := s.send(signed, content)
	require.True(s, status >= 400 && status < 500, "status %d", status)
	require.Empty(s, s.keys("", "", 0), "nothing was stored")
}

func signedPut(t *testing.T, s *signing) {
	for _, key := range []string{"data/rows.jsonl", "a b/ü+&=%.txt", strings.Repeat("ab/", 300) + "c"} {
		require.Equal(t, http.StatusOK, s.send(s.grant(key, "content of "+key), "content of "+key))
		got, info := s.read(key, 0)
		require.Equal(t, "content of "+key, got)
		require.Equal(t, digestOf(got), info.SHA256)
		require.NotEmpty(t, info.Version)
	}
	require.Equal(t, http.StatusOK, s.send(s.grant("empty", ""), ""))
}

func signedPutRefused(t *testing.T, s *signing) {
	signed := s.grant("k", "content")
	for name, content := range map[string]string{"other": "c0ntent", "longer": "content and more", "shorter": "cont", "none": ""} {
		t.Run(name, func(*testing.T) { s.refuses(signed, content) })
	}
	require.Equal(t, http.StatusOK, s.send(signed, "content"), "the address still holds for the granted content")
}

func signedPutExpired(t *testing.T, s *signing) {
	signed := s.grant("k", "content")
	s.pass(14 * time.Minute)
	require.Equal(t, http.StatusOK, s.send(signed, "content"))
	require.NoError(t, s.Delete(t.Context(), "k"))
	s.pass(2 * time.Minute)
	s.refuses(signed, "content")
}

// signedPutTampered changes every field of the address, its path, method and headers.
func signedPutTampered(t *testing.T, s *signing) {
	signed := s.grant("k", "content")
	for field := range query(t, signed.URL) {
		for _, change := range []func(url.Values){
			func(q url.Values) { q.Set(field, "9"+q.Get(field)) }, func(q url.Values) { q.Del(field) },
		} {
			s.refuses(changed(t, signed, change), "content")
		}
	}
	s.refuses(changed(t, signed, func(q url.Values) { q.Set("added", "1") }), "content")
	post := signed
	post.Method = http.MethodPost
	s.refuses(post, "content")
	for name := range signed.Header {
		other := signed
		other.Header = map[string]string{name: "changed"}
		s.refuses(other, "content")
	}
}

func query(t *testing.T, address string) url.Values {
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Query()
}

func changed(t *testing.T, signed object.Signed, change func(url.Values)) object.Signed {
	u, err := url.Parse(signed.URL)
	require.NoError(t, err)
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	signed.URL = u.String()
	return signed
}

func signedPart(t *testing.T, s *signing) {
	id := s.begin("big")
	for number, content := range map[int]string{1: string(bigPart), 2: "tail"} {
		signed, err := s.SignPart(t.Context(), "big", id, number, grantOf(content))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, s.send(signed, content))
	}
	require.Empty(t, s.keys("", "", 0))
	parts, err := s.Parts(t.Context(), "big", id)
	require.NoError(t, err)
	require.Len(t, parts, 2)
	whole := string(bigPart) + "tail"
	info, err := s.Complete(t.Context(), "big", id, parts, object.PutOptions{SHA256: digestOf(whole)})
	require.NoError(t, err)
	require.Equal(t, int64(len(whole)), info.Size)
	got, _ := s.read("big", object.MinPart-2)
	require.Equal(t, "eftail", got)
}

func signedPartRefused(t *testing.T, s *signing) {
	id := s.begin("k")
	signed, err := s.SignPart(t.Context(), "k", id, 1, grantOf("content"))
	require.NoError(t, err)
	for _, content := range []string{"c0ntent", "content and more", "cont"} {
		s.refuses(signed, content)
	}
	parts, err := s.Parts(t.Context(), "k", id)
	require.NoError(t, err)
	require.Empty(t, parts)
	require.NoError(t, s.Abort(t.Context(), "k", id))
	s.refuses(signed, "content")
}

func badGrants(t *testing.T, s *signing) {
	good := grantOf("content")
	for name, change := range map[string]func(*object.Grant){
		"size below 0": func(g *object.Grant) { g.Size = -1 },
		"too large":    func(g *object.Grant) { g.Size = object.MaxPart + 1 },
		"no digest":    func(g *object.Grant) { g.SHA256 = "" },
		"no hex":       func(g *object.Grant) { g.SHA256 = strings.Repeat("z", 64) },
		"too long":     func(g *object.Grant) { g.Lasts = object.MaxSigned + time.Second },
		"no time":      func(g *object.Grant) { g.Lasts = 0 },
	} {
		g := good
		change(&g)
		_, err := s.SignPut(t.Context(), "k", g)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), name)
		_, err = s.SignPart(t.Context(), "k", s.begin("k"), 1, g)
		require.Equal(t, errs.Invalid, errs.CodeOf(err), name)
	}
	_, err := s.SignPut(t.Context(), "../k", good)
	s.code(errs.Invalid, err)
	_, err = s.SignPart(t.Context(), "k", s.begin("k"), 0, good)
	s.code(errs.Invalid, err)
	_, err = s.SignPart(t.Context(), "k", "", 1, good)
	s.code(errs.NotFound, err)
}
