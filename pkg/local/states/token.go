package states

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
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
func (s *Service) SendTaskSuccess(ctx context.Context, token string, output json.RawMessage) error {
	out, err := asl.Compact(output)
	if err != nil {
		return errs.New(errs.Invalid, "output is not JSON (%v): %w", err, ErrInvalidOutput)
	}
	return s.signal(ctx, token, asl.Signal{Kind: asl.SignalToken, Output: out})
}

// SendTaskFailure ends the task that waits for the token with an error; both parts may be empty.
func (s *Service) SendTaskFailure(ctx context.Context, token, errorName, cause string) error {
	return s.signal(ctx, token, asl.Signal{Kind: asl.SignalFailed, Failure: failureOf(errorName, cause)})
}

// SendTaskHeartbeat tells that the task is still being worked on.
func (s *Service) SendTaskHeartbeat(ctx context.Context, token string) error {
	return s.signal(ctx, token, asl.Signal{Kind: asl.SignalBeat})
}

func (s *Service) signal(ctx context.Context, token string, sig asl.Signal) error {
	arn, taskID, err := s.parseToken(token)
	if err != nil {
		return err
	}
	sig.TaskID = taskID
	wanted, err := false, errGone
	if a := s.actor(arn); a != nil {
		wanted, err = a.deliver(sig)
	}
	switch {
	case errors.Is(err, errGone) && s.running(ctx, arn):
		return errs.New(errs.Unavailable, "the execution rests for a moment").Mend("send it again")
	case err != nil && !errors.Is(err, errGone):
		return errs.New(errs.Unavailable, "the outcome could not be stored: %w", err).Mend("send it again")
	case !wanted:
		return errs.New(errs.Conflict, "the task does not wait any more: %w", ErrTaskTimedOut)
	}
	return nil
}

// running tells whether an execution is RUNNING in the store; in doubt it is.
func (s *Service) running(ctx context.Context, arn string) bool {
	r, found, err := s.store.get(ctx, arn)
	return err != nil || found && r.execution.Status == asl.Running
}
