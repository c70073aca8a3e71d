package asl

import "strings"

const tokenSuffix = ".waitForTaskToken"

// resource is a Task's Resource taken apart.
type resource struct {
	raw      string
	service  string // "lambda", "states", "aws-sdk:sagemaker" …; empty for a direct function or activity
	action   string // "invoke", "createTrainingJob.sync" …
	direct   bool   // a function's ARN
	activity bool
}

func parseResource(s string) resource {
	r := resource{raw: s}
	p := strings.Split(s, ":")
	if len(p) < 7 {
		return r
	}
	switch {
	case p[2] == "lambda":
		r.direct = p[5] == "function"
	case p[2] == "states" && p[5] == "activity":
		r.activity = true
	case p[2] == "states" && p[3]+p[4] == "":
		r.service, r.action = serviceAction(p[5:])
	}
	return r
}

// serviceAction splits "aws-sdk:sagemaker:describeEndpoint" before its last part; in "states:startExecution.sync:2"
// the version belongs to the action.
func serviceAction(parts []string) (service, action string) {
	at := len(parts) - 1
	if at > 1 && strings.HasSuffix(parts[at-1], ".sync") {
		at--
	}
	return strings.Join(parts[:at], ":"), strings.Join(parts[at:], ":")
}

func (r resource) waitsForToken() bool { return strings.HasSuffix(r.action, tokenSuffix) }

func (r resource) withoutToken() string { return strings.TrimSuffix(r.raw, tokenSuffix) }

func (r resource) family() string {
	switch {
	case r.direct:
		return DirectLambda
	case r.activity:
		return AnyActivity
	}
	return ""
}

// author is how AWS names who returned a result: the service, or the function's ARN.
func (r resource) author() string {
	if r.service != "" {
		return r.service
	}
	return r.raw
}
