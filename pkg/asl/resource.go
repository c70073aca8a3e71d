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
	switch {
	case len(p) >= 7 && p[2] == "lambda" && p[5] == "function":
		r.direct = true
	case len(p) == 7 && p[2] == "states" && p[5] == "activity":
		r.activity = true
	case len(p) >= 7 && p[2] == "states" && p[3] == "" && p[4] == "":
		r.service, r.action = strings.Join(p[5:len(p)-1], ":"), p[len(p)-1]
		if i := strings.LastIndex(r.action, ".sync"); i < 0 && len(p) > 7 && p[len(p)-2] != "" && strings.HasSuffix(p[len(p)-2], ".sync") {
			r.service, r.action = strings.Join(p[5:len(p)-2], ":"), p[len(p)-2]+":"+p[len(p)-1]
		}
	}
	return r
}

func (r resource) waitsForToken() bool { return strings.HasSuffix(r.action, tokenSuffix) }

func (r resource) sync() bool { return strings.Contains(r.action, ".sync") }

func (r resource) withoutToken() string { return strings.TrimSuffix(r.raw, tokenSuffix) }

func (r resource) family() string {
	if r.direct {
		return DirectLambda
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
