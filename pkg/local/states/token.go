package states

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// token names a task of an execution so that nobody can make one up.
func (s *Service) token(arn, _, taskID string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(arn + "\n" + taskID))
	return body + "." + s.sign(body)
}

func (s *Service) sign(body string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// parseToken gives the execution and the task that a token names.
func (s *Service) parseToken(token string) (arn, taskID string, err error) {
	body, signature, _ := strings.Cut(token, ".")
	raw, decodeErr := base64.RawURLEncoding.DecodeString(body)
	arn, taskID, found := strings.Cut(string(raw), "\n")
	if decodeErr != nil || !found || !hmac.Equal([]byte(signature), []byte(s.sign(body))) {
		return "", "", errs.New(errs.Invalid, "not a task token of this service: %w", ErrInvalidToken)
	}
	return arn, taskID, nil
}

// SendTaskSuccess ends the task that waits for the token with an output.
func (s *Service) SendTaskSuccess(_ context.Context, token string, output json.RawMessage) error {
	out, err := asl.Compact(output)
	if err != nil {
		return errs.New(errs.Invalid, "output is not JSON (%v): %w", err, ErrInvalidOutput)
	}
	return s.signal(token, asl.Signal{Kind: asl.SignalToken, Output: out})
}

// SendTaskFailure ends the task that waits for the token with an error; both parts may be empty.
func (s *Service) SendTaskFailure(_ context.Context, token, errorName, cause string) error {
	f := &asl.Failure{}
	if errorName != "" {
		f.Name = &errorName
	}
	if cause != "" {
		f.Cause = &cause
	}
	return s.signal(token, asl.Signal{Kind: asl.SignalFailed, Failure: f})
}

// SendTaskHeartbeat tells that the task is still being worked on.
func (s *Service) SendTaskHeartbeat(_ context.Context, token string) error {
	return s.signal(token, asl.Signal{Kind: asl.SignalBeat})
}

func (s *Service) signal(token string, sig asl.Signal) error {
	arn, taskID, err := s.parseToken(token)
	if err != nil {
		return err
	}
	sig.TaskID = taskID
	if a := s.actor(arn); a != nil {
		wanted, err := a.deliver(sig)
		if wanted || err != nil {
			return err
		}
	}
	if s.ctx.Err() != nil {
		return errs.New(errs.Unavailable, "the service is shutting down; send it again")
	}
	return errs.New(errs.Conflict, "the task does not wait any more: %w", ErrTaskTimedOut)
}
