// Package errs is the platform's one error type: a code that programs act on and words that
// people can act on. Details for engineers travel in the wrapped cause and go to logs only.
package errs

import (
	"errors"
	"fmt"
)

// Code classifies an error. Transports map codes to HTTP statuses and state machines to error names.
type Code string

// The codes. Their PascalCase names are what ErrorEquals sees in a state machine.
const (
	Invalid         Code = "Invalid"         // the input is wrong; sending it again will fail again
	NotFound        Code = "NotFound"        // the thing named does not exist
	Conflict        Code = "Conflict"        // the state changed meanwhile, or something is already there
	Precondition    Code = "Precondition"    // a stated precondition (revision, digest) does not hold
	Unauthenticated Code = "Unauthenticated" // nobody is signed in
	Forbidden       Code = "Forbidden"       // signed in, but not allowed
	Held            Code = "Held"            // a hold or a lease keeps this from happening now
	Exhausted       Code = "Exhausted"       // a limit or a budget is used up
	Unavailable     Code = "Unavailable"     // try again later
	GateFailed      Code = "GateFailed"      // the gate's verdict does not allow it
	Unhealthy       Code = "Unhealthy"       // what was released does not behave
	Internal        Code = "Internal"        // a fault of ours
)

// Error is an error with a code and a message that is safe to show.
type Error struct {
	Code    Code
	Message string // what is wrong, lower case, no trailing period
	Where   string // the place: a JSON pointer, file:line, or field; may be empty
	Hint    string // what to do about it; may be empty
	Err     error  // cause, for logs only; may be nil
}

// New returns an error with a code and a formatted message. A %w verb keeps its cause.
func New(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// At adds the place of the error.
func (e *Error) At(where string) *Error { e.Where = where; return e }

// Mend adds what to do about the error.
func (e *Error) Mend(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error gives place, message and mend on one line.
func (e *Error) Error() string {
	s := e.Message
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the code of the first Error in err's chain, Internal when there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Is tells whether err carries the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
