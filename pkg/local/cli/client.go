// Package cli is the command line of the platform. Like the web app it is a client of the public API:
// it can do nothing that a call cannot do.
package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
)

// Client calls the API of one platform.
type Client struct {
	URL     string // such as http://localhost:7070
	Key     string // API key; empty = the session
	Session string // value of the session cookie
	HTTP    *http.Client
}

// Problem is an RFC 9457 answer.
type Problem struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Hint      string `json:"hint"`
	RequestID string `json:"requestId"`
	Errors    []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	Error struct { // the gateway's form, which is OpenAI's
		Message string `json:"message"`
	} `json:"error"`
}

// gatewayCodes maps statuses of the gateway, whose errors have OpenAI's form, to the platform's codes.
var gatewayCodes = map[int]errs.Code{
	http.StatusBadRequest: errs.Invalid, http.StatusUnauthorized: errs.Unauthenticated, http.StatusForbidden: errs.Forbidden,
	http.StatusNotFound: errs.NotFound, http.StatusRequestEntityTooLarge: errs.Invalid, http.StatusTooManyRequests: errs.Exhausted,
	http.StatusBadGateway: errs.Unhealthy, http.StatusServiceUnavailable: errs.Unavailable,
}

// Get reads a resource into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.call(ctx, http.MethodGet, path, nil, out)
}

// Post sends in as JSON and reads the answer into out; either may be nil.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	return c.call(ctx, http.MethodPost, path, in, out)
}

// Put replaces a resource whose revision is rev.
func (c *Client) Put(ctx context.Context, path string, rev int64, in, out any) error {
	return c.call(ctx, http.MethodPut, path, in, out, "If-Match", fmt.Sprintf("%q", fmt.Sprint(rev)))
}

func (c *Client) call(ctx context.Context, method, path string, in, out any, header ...string) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(b)
		header = append(header, "Content-Type", "application/json")
	}
	resp, err := c.Do(ctx, method, path, body, header...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw, err = io.ReadAll(resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read answer of %s: %w", path, err)
	}
	return nil
}

// Do sends a request and turns a problem into an error; the caller closes the body.
func (c *Client) Do(ctx context.Context, method, path string, body io.Reader, header ...string) (*http.Response, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, body)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%w", err).At("--url")
	}
	c.sign(req)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := cmp.Or(c.HTTP, http.DefaultClient).Do(req)
	if err != nil {
		return nil, errs.New(errs.Unavailable, "no platform answers at %s: %w", c.URL, rootCause(err)).
			Mend("start one with: perennial up, or name another with --url")
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, problem(resp)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		resp.Body.Close()
		return nil, errs.New(errs.NotFound, "%s is no part of the API", path).Mend("see that the address is a platform's: --url")
	}
	return resp, nil
}

// check refuses an address and a key that can be none.
func (c *Client) check() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errs.New(errs.Invalid, "%q is no address of a platform", c.URL).At("--url").Mend("use one such as http://localhost:7070")
	}
	if strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errs.New(errs.Invalid, "this can be no key").At("--key").Mend("make one with: perennial keys add")
	}
	return nil
}

func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// newKey makes idempotency keys.
var newKey = ids.ULIDs(ids.WallClock)

func (c *Client) sign(req *http.Request) {
	req.Header.Set("X-Requested-With", "perennial")
	if req.Method == http.MethodPost {
		req.Header.Set("Idempotency-Key", newKey("cli"))
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	} else if c.Session != "" {
		req.AddCookie(&http.Cookie{Name: "perennial_session", Value: c.Session})
	}
}

// fromGateway takes over what the gateway said.
func (p *Problem) fromGateway(status int) {
	if p.Error.Message == "" {
		return
	}
	p.Detail, p.Code = p.Error.Message, string(gatewayCodes[status])
}

func problem(resp *http.Response) error {
	p := Problem{Title: resp.Status}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p); err != nil {
		return errs.New(errs.Internal, "the platform answered %s", resp.Status).Mend("see that the address is a platform's: --url")
	}
	p.fromGateway(resp.StatusCode)
	e := errs.New(errs.Code(cmp.Or(p.Code, string(errs.Internal))), "%s", cmp.Or(p.Detail, p.Title, resp.Status))
	e.Hint = p.Hint
	for _, f := range p.Errors {
		if !strings.Contains(e.Message, f.Detail) {
			e.Message += fmt.Sprintf("\n  %s: %s", f.Pointer, f.Detail)
		}
	}
	if e.Code == errs.Unauthenticated && e.Hint == "" {
		e.Hint = "sign in with: perennial login"
	}
	return e
}

// wrongLogin says what to look at when a sign-in is refused.
func wrongLogin(err error) error {
	var e *errs.Error
	if errors.As(err, &e) && e.Code == errs.Unauthenticated {
		return e.Mend("name yourself with -u; an admin can reset a password")
	}
	return err
}

// SignIn opens a session.
func (c *Client) SignIn(ctx context.Context, user, password string) error {
	b, err := json.Marshal(map[string]string{"user": user, "password": password})
	if err != nil {
		return err
	}
	resp, err := c.Do(ctx, http.MethodPost, "/v1/session", bytes.NewReader(b), "Content-Type", "application/json")
	if err != nil {
		return wrongLogin(err)
	}
	return c.keep(resp)
}

// ChangePassword chooses a new password for who is signed in; the session goes on under a new name.
func (c *Client) ChangePassword(ctx context.Context, old, fresh string) error {
	b, err := json.Marshal(map[string]string{"current": old, "new": fresh})
	if err != nil {
		return err
	}
	resp, err := c.Do(ctx, http.MethodPut, "/v1/me/password", bytes.NewReader(b), "Content-Type", "application/json")
	if err != nil {
		return err
	}
	return c.keep(resp)
}

// keep takes the session over that an answer opened.
func (c *Client) keep(resp *http.Response) error {
	defer resp.Body.Close()
	for _, ck := range resp.Cookies() {
		if ck.Name == "perennial_session" {
			c.Session = ck.Value
			return nil
		}
	}
	return errs.New(errs.Internal, "the platform opened no session")
}

// list is a page of a collection.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"nextCursor"`
}
