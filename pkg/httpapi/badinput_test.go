package httpapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// try is one bad request and the answer that it must get.
type try struct {
	name                    string
	who, method, path, body string
	header                  []string
	status                  int
	code                    string
	says                    string // in the detail, hint or an error's place
}

var badTries = []try{
	// routes and methods
	{"unknown route", "root", "GET", "/v1/nothing", "", nil, 404, "NotFound", "/v1/nothing"},
	{"unknown method", "root", "PATCH", "/v1/runs", "", nil, 405, "Invalid", "GET"},
	// bodies
	{"no body", "dan", "POST", "/v1/datasets", "", nil, 400, "Invalid", "body is missing"},
	{"not JSON", "dan", "POST", "/v1/datasets", "{id:", nil, 400, "Invalid", "cannot be read"},
	{"cut JSON", "dan", "POST", "/v1/datasets", `{"id":"tick`, nil, 400, "Invalid", "cannot be read"},
	{"two JSON values", "dan", "POST", "/v1/datasets", `{"id":"tickets"}{"id":"more"}`, nil, 400, "Invalid", "cannot be read"},
	{"a list instead of an object", "dan", "POST", "/v1/datasets", `["tickets"]`, nil, 400, "Invalid", "cannot be read"},
	{"null instead of an object", "dan", "POST", "/v1/datasets", `null`, nil, 400, "Invalid", "cannot be read"},
	{"number instead of text", "dan", "POST", "/v1/datasets", `{"id":7}`, nil, 400, "Invalid", "id"},
	{"unknown field", "dan", "POST", "/v1/datasets", `{"id":"tickets","colour":"red"}`, nil, 400, "Invalid", "colour"},
	{"missing field", "mel", "POST", "/v1/models", `{"id":"support"}`, nil, 422, "Invalid", "dataset"},
	{"deep nesting", "dan", "POST", "/v1/datasets", strings.Repeat("[", 100_000), nil, 400, "Invalid", "cannot be read"},
	{"not UTF-8", "dan", "POST", "/v1/datasets", "{\"id\":\"tick\xff\xfe\"}", nil, 422, "Invalid", "/id"},
	{"another content type", "dan", "POST", "/v1/datasets", `id=tickets`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "Invalid", "application/json"},
	{"broken content type", "dan", "POST", "/v1/datasets", `{}`, []string{"Content-Type", ";;"}, 400, "Invalid", "media type"},
	{"a huge body", "dan", "POST", "/v1/datasets", `{"id":"` + strings.Repeat("a", 2<<20) + `"}`, nil, 413, "Invalid", "1048576"},
	// fields
	{"bad slug", "dan", "POST", "/v1/datasets", `{"id":"My Data"}`, nil, 422, "Invalid", "lower-case letters, digits and dashes"},
	{"empty slug", "dan", "POST", "/v1/datasets", `{"id":""}`, nil, 422, "Invalid", "/id"},
	{"too long a name", "dan", "POST", "/v1/datasets", `{"id":"tickets","name":"` + strings.Repeat("x", 101) + `"}`, nil, 422, "Invalid", "/name"},
	{"blank reason", "mel", "POST", "/v1/runs/run_1/cancel", `{"reason":"   "}`, nil, 422, "Invalid", "/reason: must not be blank"},
	{"model of no dataset", "mel", "POST", "/v1/models", `{"id":"support","dataset":"nothing"}`, nil, 422, "Invalid", "POST /v1/datasets"},
	{"preset that is none", "mel", "POST", "/v1/models", `{"id":"support-3","dataset":"tickets","preset":"magic"}`, nil, 422, "Invalid", "use one of safe"},
	{"run by a preset that is none", "mel", "POST", "/v1/runs", `{"model":"support","preset":"magic"}`, []string{"Idempotency-Key", "9"}, 422, "Invalid", "use one of safe"},
	{"canned prompt without an answer", "mel", "POST", "/v1/models", `{"id":"support","dataset":"tickets","canned":[{"prompt":"x","contains":""}]}`, nil, 422, "Invalid", "/canned/0/contains"},
	{"configuration too large to keep", "mel", "POST", "/v1/models", `{"id":"support-2","dataset":"tickets","train":{"note":"` + strings.Repeat("x", 500_000) + `"}}`, nil, 422, "Invalid", "/train"},
	{"unknown role", "root", "POST", "/v1/users", `{"login":"eve","roles":["king"]}`, nil, 422, "Invalid", "/roles/0"},
	{"no role", "root", "POST", "/v1/users", `{"login":"eve","roles":[]}`, nil, 422, "Invalid", "/roles"},
	{"short password", "root", "POST", "/v1/users", `{"login":"eve","roles":["viewer"],"password":"short"}`, nil, 422, "Invalid", "/password"},
	{"password that is the login", "root", "POST", "/v1/users", `{"login":"evelyn.smith","roles":["viewer"],"password":"evelyn.smith"}`, nil, 422, "Invalid", "password"},
	{"taken login", "root", "POST", "/v1/users", `{"login":"ana","roles":["viewer"]}`, nil, 409, "Conflict", "taken"},
	{"unknown scope", "root", "POST", "/v1/keys", `{"name":"k","scopes":["everything"]}`, nil, 422, "Invalid", "/scopes/0"},
	{"key that lives for ever and a day", "root", "POST", "/v1/keys", `{"name":"k","scopes":["data:read"],"expiresInDays":99999}`, nil, 422, "Invalid", "/expiresInDays"},
	{"wrong current password", "ana", "PUT", "/v1/me/password", `{"current":"wrong","new":"a better password"}`, nil, 422, "Invalid", "password"},
	{"negative debounce", "mel", "PUT", "/v1/models/support/trigger", `{"enabled":true,"minRows":1,"debounce":-1,"cooldown":0}`, []string{"If-Match", `"0"`}, 422, "Invalid", "/debounce"},
	{"bad schedule", "mel", "PUT", "/v1/models/support/trigger", `{"enabled":true,"minRows":1,"debounce":0,"cooldown":0,"schedule":"every day"}`, []string{"If-Match", `"0"`}, 422, "Invalid", "rate(1 day)"},
	{"steps that fall", "mel", "PUT", "/v1/models/support/environments/production/strategy", `{"steps":[50,10],"interval":1,"minRequests":0,"maxHold":1,"alpha":0.01,"latencyMax":2}`, []string{"If-Match", `"1"`}, 422, "Invalid", "/steps"},
	{"step over 100", "mel", "PUT", "/v1/models/support/environments/production/strategy", `{"steps":[101],"interval":1,"minRequests":0,"maxHold":1,"alpha":0.01,"latencyMax":2}`, []string{"If-Match", `"1"`}, 422, "Invalid", "/steps/0"},
	{"policy of another schema", "root", "PUT", "/v1/models/support/policy", `{"policy":{"schema":"x"},"reason":"r"}`, []string{"If-Match", `"0"`}, 422, "Invalid", "/policy/schema"},
	{"policy with a slip", "root", "PUT", "/v1/models/support/policy", `{"policy":{"schema":"gate-policy/v1","pooled":{"margin":1}},"reason":"r"}`, []string{"If-Match", `"0"`}, 422, "Invalid", "/policy/pooled/margin"},
	{"policy out of range", "root", "PUT", "/v1/models/support/policy", `{"policy":{"schema":"gate-policy/v1","alpha":7},"reason":"r"}`, []string{"If-Match", `"0"`}, 422, "Invalid", "/policy/alpha"},
	{"policy that is a list", "root", "PUT", "/v1/models/support/policy", `{"policy":[],"reason":"r"}`, []string{"If-Match", `"0"`}, 400, "Invalid", "policy"},
	{"policy too large to keep", "root", "PUT", "/v1/models/support/policy", `{"policy":{"name":"` + strings.Repeat("x", 100_000) + `"},"reason":"r"}`, []string{"If-Match", `"0"`}, 422, "Invalid", "/policy"},
	{"policy without a reason", "root", "PUT", "/v1/models/support/policy", `{"policy":{}}`, []string{"If-Match", `"0"`}, 422, "Invalid", "reason"},
	{"policy by who trains", "mel", "PUT", "/v1/models/support/policy", `{"policy":{},"reason":"r"}`, []string{"If-Match", `"0"`}, 403, "Forbidden", "settings:write"},
	{"policy of no model", "root", "GET", "/v1/models/nothing/policy", "", nil, 404, "NotFound", "nothing"},
	{"anchor that is no version", "root", "PUT", "/v1/models/support/anchor", `{"version":77,"reason":"r"}`, []string{"If-Match", `"1"`}, 422, "Invalid", "/version"},
	{"anchor below zero", "root", "PUT", "/v1/models/support/anchor", `{"version":-1,"reason":"r"}`, []string{"If-Match", `"1"`}, 422, "Invalid", "/version"},
	{"anchor of no model", "root", "PUT", "/v1/models/nothing/anchor", `{"version":0,"reason":"r"}`, []string{"If-Match", `"1"`}, 404, "NotFound", "nothing"},
	// parameters
	{"limit of zero", "root", "GET", "/v1/runs?limit=0", "", nil, 400, "Invalid", "limit"},
	{"limit over 200", "root", "GET", "/v1/runs?limit=999", "", nil, 400, "Invalid", "limit"},
	{"limit that is no number", "root", "GET", "/v1/runs?limit=many", "", nil, 400, "Invalid", "limit"},
	{"unknown status", "root", "GET", "/v1/runs?status=Sleeping", "", nil, 400, "Invalid", "status"},
	{"made-up cursor", "root", "GET", "/v1/runs?cursor=abc", "", nil, 400, "Invalid", "cursor"},
	{"cursor of another list", "root", "GET", "/v1/benchmarks/none?cursor=abc", "", nil, 404, "NotFound", "none"},
	{"version of zero", "root", "GET", "/v1/models/support/versions/0", "", nil, 400, "Invalid", "number"},
	{"version that overflows", "root", "GET", "/v1/models/support/versions/99999999999999999999", "", nil, 400, "Invalid", "number"},
	{"digest that is none", "root", "GET", "/v1/reports/abc", "", nil, 400, "Invalid", "digest"},
	{"digest with a way out", "root", "GET", "/v1/reports/..%2F..%2Fsecret/html", "", nil, 400, "Invalid", "digest"},
	{"node without a type", "root", "GET", "/v1/lineage?node=support", "", nil, 400, "Invalid", "node"},
	{"no node", "root", "GET", "/v1/lineage", "", nil, 400, "Invalid", "node"},
	{"sideways", "root", "GET", "/v1/lineage?node=run:1&direction=sideways", "", nil, 400, "Invalid", "direction"},
	{"negative place in the feed", "root", "GET", "/v1/events?after=-1", "", nil, 400, "Invalid", "after"},
	{"Last-Event-ID that is no number", "root", "GET", "/v1/events/stream", "", []string{"Last-Event-ID", "soon"}, 400, "Invalid", "Last-Event-ID"},
	{"unknown alias", "mel", "PUT", "/v1/models/support/aliases/best", `{"version":1,"reason":"x"}`, nil, 400, "Invalid", "alias"},
	{"diff without a base", "root", "GET", "/v1/datasets/tickets/diff?other=1", "", nil, 400, "Invalid", "base"},
	{"sample of too many rows", "root", "GET", "/v1/datasets/tickets/versions/1/sample?rows=100000", "", nil, 400, "Invalid", "rows"},
	{"hold released without a reason", "mel", "DELETE", "/v1/models/support/environments/production/holds/hld_1", "", nil, 400, "Invalid", "reason"},
	{"id with a NUL", "root", "GET", "/v1/runs/run%00", "", nil, 404, "NotFound", ""},
	{"id that is very long", "root", "GET", "/v1/runs/" + strings.Repeat("x", 5000), "", nil, 400, "Invalid", "run"},
	// things that are not there
	{"no such model", "root", "GET", "/v1/models/nothing", "", nil, 404, "NotFound", "nothing"},
	{"versions of no model", "root", "GET", "/v1/models/nothing/versions", "", nil, 404, "NotFound", "nothing"},
	{"environment that is none", "root", "GET", "/v1/models/support/environments/mars", "", nil, 404, "NotFound", "staging"},
	{"captures of no environment", "root", "GET", "/v1/models/support/environments/mars/captures", "", nil, 404, "NotFound", "mars"},
	{"no such report", "root", "GET", "/v1/reports/" + strings.Repeat("a", 64), "", nil, 404, "NotFound", "report"},
	{"rejects of no ingestion", "root", "GET", "/v1/ingestions/ing_x/rejects", "", nil, 404, "NotFound", "ing_x"},
	// preconditions
	{"no If-Match", "mel", "PATCH", "/v1/models/support", `{"name":"x"}`, nil, 428, "Precondition", "ETag"},
	{"If-Match that is no ETag", "mel", "PATCH", "/v1/models/support", `{"name":"x"}`, []string{"If-Match", "3"}, 400, "Invalid", "ETag"},
	{"weak ETag", "mel", "PATCH", "/v1/models/support", `{"name":"x"}`, []string{"If-Match", `W/"3"`}, 400, "Invalid", "ETag"},
	{"any ETag", "mel", "PATCH", "/v1/models/support", `{"name":"x"}`, []string{"If-Match", "*"}, 400, "Invalid", "ETag"},
	{"old ETag", "mel", "PATCH", "/v1/models/support", `{"name":"x"}`, []string{"If-Match", `"77"`}, 412, "Precondition", "load it again"},
	{"no Idempotency-Key", "mel", "POST", "/v1/runs", `{"model":"support"}`, nil, 428, "Precondition", "UUID"},
	{"blank Idempotency-Key", "mel", "POST", "/v1/runs", `{"model":"support"}`, []string{"Idempotency-Key", " "}, 428, "Precondition", "UUID"},
	{"endless Idempotency-Key", "mel", "POST", "/v1/runs", `{"model":"support"}`, []string{"Idempotency-Key", strings.Repeat("k", 5000)}, 400, "Invalid", "Idempotency-Key"},
	// rules of the core, as they come through
	{"run of nothing", "mel", "POST", "/v1/runs", `{"model":"nothing"}`, []string{"Idempotency-Key", "1"}, 404, "NotFound", "nothing"},
	{"decision on nothing", "ben", "POST", "/v1/approvals/apr_x/decisions", `{"approve":true,"reason":"ok","binding":{"candidate":"a","report":"b","policy":"c","environment":"d"}}`, nil, 404, "NotFound", "apr_x"},
	{"decision without what was seen", "ben", "POST", "/v1/approvals/apr_x/decisions", `{"approve":true,"reason":"ok"}`, nil, 422, "Invalid", "binding"},
	{"dataset twice", "dan", "POST", "/v1/datasets", `{"id":"tickets"}`, nil, 409, "Conflict", "another id"},
	{"rollback with nothing to go back to", "mel", "POST", "/v1/models/support/environments/production/rollbacks", `{"reason":"bad"}`, []string{"Idempotency-Key", "2"}, 412, "Precondition", "no other version"},
	// uploads
	{"empty file", "dan", "POST", "/v1/datasets/tickets/uploads?name=a.jsonl", "", []string{"Content-Type", "application/octet-stream"}, 400, "Invalid", "empty"},
	{"file without a name", "dan", "POST", "/v1/datasets/tickets/uploads", "x", []string{"Content-Type", "application/octet-stream"}, 400, "Invalid", "name"},
	{"file for no dataset", "dan", "POST", "/v1/datasets/nothing/uploads?name=a.jsonl", "x", []string{"Content-Type", "application/octet-stream"}, 404, "NotFound", "nothing"},
	{"file as a form", "dan", "POST", "/v1/datasets/tickets/uploads?name=a.jsonl", "x", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "Invalid", ""},
	{"source with a way out", "dan", "POST", "/v1/datasets/tickets/uploads?name=a.jsonl&source=..%2F..", "x", []string{"Content-Type", "application/octet-stream"}, 422, "Invalid", "source"},
	{"mends nothing", "dan", "POST", "/v1/datasets/tickets/uploads?name=a.jsonl&resubmits=ing_x", "x", []string{"Content-Type", "application/octet-stream"}, 404, "NotFound", "ing_x"},
	{"upload of nothing", "dan", "POST", "/v1/uploads", `{"dataset":"tickets","name":"a.jsonl","bytes":0}`, nil, 422, "Invalid", "/bytes"},
	{"part of no upload", "dan", "PUT", "/v1/uploads/upl_x/parts/1", "x", []string{"Content-Type", "application/octet-stream"}, 404, "NotFound", "upl_x"},
	{"part zero", "dan", "PUT", "/v1/uploads/upl_x/parts/0", "x", []string{"Content-Type", "application/octet-stream"}, 400, "Invalid", "part"},
	// credentials
	{"made-up session", "forged", "GET", "/v1/me", "", nil, 401, "Unauthenticated", "sign in"},
	{"basic authentication", "", "GET", "/v1/me", "", []string{"Authorization", "Basic YTpi"}, 401, "Unauthenticated", "Bearer"},
	{"empty bearer", "", "GET", "/v1/me", "", []string{"Authorization", "Bearer "}, 401, "Unauthenticated", "Bearer"},
	{"made-up key", "", "GET", "/v1/me", "", []string{"Authorization", "Bearer pkey_x.y"}, 401, "Unauthenticated", ""},
	{"bad key beside a good cookie", "root", "GET", "/v1/me", "", []string{"Authorization", "Bearer pkey_x.y"}, 401, "Unauthenticated", ""},
}

func TestBadInput_AtEveryDoorIsAnsweredWithWhatToDo(t *testing.T) {
	w := newWorld(t)
	w.model()
	w.sessions["forged"] = "pst_made-up"
	for _, try := range badTries {
		t.Run(try.name, func(t *testing.T) {
			a := w.call(try.who, try.method, try.path, try.body, try.header...)
			require.Equal(t, try.status, a.StatusCode, "%s", a.body)
			p := a.problem(t)
			if try.code != "" {
				require.Equal(t, try.code, p.Code)
			}
			require.Contains(t, string(a.body), strings.Trim(quoted(try.says), `"`))
			require.NotContains(t, string(a.body), ".go:", "no places in our code")
		})
	}
	require.NotContains(t, w.logs.String(), `"level":"ERROR"`, "bad input is not a fault of ours")
}

// quoted gives text as it stands in JSON.
func quoted(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
