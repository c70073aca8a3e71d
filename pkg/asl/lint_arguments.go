package asl

import (
	"slices"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/asl/jsonata"
	"github.com/perennial-llm/perennial/pkg/asl/sdk"
)

// arguments are the fields that Step Functions demands of the integrations that differ from the API action of
// the same name and, where it is known, all that it takes.
var arguments = map[string]struct{ required, allowed []string }{
	"lambda:invoke":         {[]string{"FunctionName"}, []string{"FunctionName", "Payload", "InvocationType", "ClientContext", "LogType", "Qualifier"}},
	"states:startExecution": {[]string{"StateMachineArn"}, []string{"StateMachineArn", "Name", "Input", "TraceHeader"}},
	"events:putEvents":      {[]string{"Entries"}, nil},
	"http:invoke":           {[]string{"ApiEndpoint", "Method"}, nil},
	"apigateway:invoke":     {[]string{"ApiEndpoint", "Method"}, nil},
	"bedrock:invokeModel":   {[]string{"ModelId"}, nil},
	"eks:call":              {[]string{"ClusterName", "CertificateAuthority", "Endpoint", "Method", "Path"}, nil},
	"eks:runJob":            {[]string{"ClusterName", "CertificateAuthority", "Endpoint", "Job"}, nil},
	"sagemaker:createTrainingJob": {[]string{"TrainingJobName", "AlgorithmSpecification", "RoleArn", "OutputDataConfig", "ResourceConfig",
		"StoppingCondition"}, nil},
	"sagemaker:createModel": {[]string{"ModelName", "ExecutionRoleArn"}, nil},
}

// arguments checks the constant part of an integration's arguments.
func (l *linter) arguments(args *tree, r resource, at string) {
	if args == nil || r.service == "" || jsonata.IsExpression(args.str()) || strings.HasPrefix(args.str(), "${") {
		return
	}
	if args.kind != "object" {
		l.refuse(at, "Value is not an object or a JSONata expression")
		return
	}
	l.ofIntegration(args, r, at)
}

// ofIntegration checks the arguments of one that Step Functions has of its own by what differs from the API
// action, and all others by the action.
func (l *linter) ofIntegration(args *tree, r resource, at string) {
	name, _ := r.base()
	call, direct := strings.CutPrefix(name, "aws-sdk:")
	wanted, own := arguments[name]
	l.request = wanted.allowed == nil
	switch {
	case direct && sdk.Has(call):
		l.action(args, sdk.Fields(call), at)
	case own:
		missing := args.missing(wanted.required...)
		if l.required(missing, at); len(missing) == 0 && wanted.allowed != nil {
			l.allowed(args, wanted.allowed, at)
		}
	default:
		l.required(lacking(args, sdk.Fields(name)), at)
	}
	l.request = false
}

func (l *linter) required(missing []string, at string) {
	for _, field := range missing {
		l.refuse(at, "The field '%s' is required but was missing", field)
	}
}

func (l *linter) allowed(args *tree, known []string, at string) {
	for _, field := range args.keys {
		if !slices.Contains(known, field) {
			l.unsupported(field, known, at)
		}
	}
}

// lacking gives the required fields that are not given.
func lacking(args *tree, fields []sdk.Field) (names []string) {
	for _, f := range fields {
		if f.Required && !slices.ContainsFunc(args.keys, f.Is) {
			names = append(names, f.Name)
		}
	}
	return names
}

// unsupported refuses a field, in AWS's words; it suggests what differs in the case of letters only.
func (l *linter) unsupported(field string, known []string, at string) {
	hint := ""
	for _, k := range known {
		if strings.EqualFold(k, field) {
			hint = ". Did you mean '" + k + "'?"
		}
	}
	l.refuse(at, "The field \"%s\" is not supported by Step Functions%s", field, hint)
}

// action checks what an API action is called with. AWS names what is missing first and looks at the rest only
// when nothing is.
func (l *linter) action(args *tree, fields []sdk.Field, at string) {
	missing := lacking(args, fields)
	if l.required(missing, at); len(missing) > 0 {
		return
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.Name
	}
	for _, key := range args.keys {
		i := slices.IndexFunc(fields, func(f sdk.Field) bool { return f.Is(key) })
		if i < 0 {
			l.unsupported(key, known, at)
			continue
		}
		l.requestValue(fields[i], key, args.get(key), at)
	}
}

// requestValue checks a constant's type; null counts as not given.
func (l *linter) requestValue(f sdk.Field, key string, v *tree, at string) {
	if v.kind == "null" || jsonata.IsExpression(v.str()) || strings.Contains(v.str(), "${") {
		return
	}
	_, err := strconv.ParseInt(string(v.raw), 10, 64)
	switch {
	case f.Text && v.kind != "string":
		l.refuse(at, "The value for the field '%s' must be a STRING", key)
	case f.Whole && err != nil:
		l.refuse(at, "The value for the field '%s' must be an INTEGER", key)
	}
}
