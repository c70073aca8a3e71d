package asl_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/asl"
)

// findings lints a machine with the given states and writes each finding on a line.
func findings(definition string, o asl.LintOptions) string {
	var lines []string
	for _, d := range asl.Lint([]byte(definition), o) {
		lines = append(lines, string(d.Severity)+" "+d.Code+" "+d.Location+": "+d.Message)
	}
	return strings.Join(lines, "\n")
}

func inMachine(states string) string {
	return `{"QueryLanguage":"JSONata","StartAt":"A","States":` + states + `}`
}

const schema = "ERROR SCHEMA_VALIDATION_FAILED "

func TestLint_RefusesWhatAWSRefuses(t *testing.T) {
	for definition, want := range map[string]string{
		``:   schema + ": Definition must be a valid JSON object",
		`[]`: schema + ": Definition must be a valid JSON object",
		`{}`: schema + "/: These fields are required: [States, StartAt]",
		`{"QueryLanguage":"JSONata","States":{"A":{"Type":"Succeed"}}}`: schema + "/: These fields are required: [StartAt]",
		inMachine(`{}`):                   schema + "/States: Value cannot be empty",
		inMachine(`{"A":{"Type":"Nap"}}`): schema + "/States/A/Type: The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]\nERROR MISSING_END_STATE /States: No end state is reachable.",
		inMachine(`{"A":{"Type":"Pass","End":true,"QueryLanguage":"JSONPath"}}`):                                                                                                                  schema + "/States/A: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
		`{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`:                                                                                                                               `ERROR UNSUPPORTED /States/A: JSONPath is not supported: set "QueryLanguage": "JSONata" for the machine or the state`,
		inMachine(`{"A":{"Type":"Pass","End":true,"InputPath":"$"}}`):                                                                                                                             schema + "/States/A/InputPath: The field 'InputPath' is not supported when the QueryLanguage is 'JSONata'",
		inMachine(`{"A":{"Type":"Pass","End":true,"Nxt":"B"}}`):                                                                                                                                   schema + "/States/A/Nxt: Field is not supported",
		inMachine(`{"A":{"Type":"Pass"}}`):                                                                                                                                                        schema + "/States/A: One of these fields is required: [Next, End]\nERROR MISSING_END_STATE /States: No end state is reachable.",
		inMachine(`{"A":{"Type":"Pass","Next":"A","End":true}}`):                                                                                                                                  schema + "/States/A: Only one of these fields is allowed: [Next, End]",
		inMachine(`{"A":{"Type":"Pass","Next":"B"},"C":{"Type":"Succeed"}}`):                                                                                                                      "ERROR MISSING_TRANSITION_TARGET /States/A: Missing 'Next' target: B\nERROR MISSING_TRANSITION_TARGET /States/C: State \"C\" is not reachable.\nERROR MISSING_END_STATE /States: No end state is reachable.",
		inMachine(`{"A":{"Type":"Parallel","Branches":[],"End":true}}`):                                                                                                                           schema + "/States/A/Branches: Value cannot be empty",
		inMachine(`{"A":{"Type":"Wait","Timestamp":"tomorrow","End":true}}`):                                                                                                                      schema + "/States/A/Timestamp: String does not match RFC3339 timestamp",
		inMachine(`{"A":{"Type":"Wait","End":true}}`):                                                                                                                                             schema + "/States/A: Exactly one of these fields is required: [Seconds, Timestamp]",
		inMachine(`{"A":{"Type":"Wait","Seconds":-1,"End":true}}`):                                                                                                                                schema + "/States/A/Seconds: Value must be between 0 and 99999999",
		inMachine(`{"A":{"Type":"Task","Resource":"nonsense","TimeoutSeconds":1,"End":true}}`):                                                                                                    schema + "/States/A/Resource: The resource provided nonsense is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"HeartbeatSeconds":5,"End":true}}`):                                                                                                      schema + "/States/A/HeartbeatSeconds: HeartbeatSeconds must be less than TimeoutSeconds",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"End":true,"Retry":[{"ErrorEquals":["States.ALL","X"]}]}}`):                                                                              schema + "/States/A/Retry[0]/ErrorEquals: States.ALL must appear alone and at the end of the list",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"End":true,"Retry":[{"ErrorEquals":["X"],"IntervalSeconds":9,"MaxDelaySeconds":9}]}}`):                                                   schema + "/States/A/Retry[0]/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"End":true,"Retry":[{"ErrorEquals":["X"],"IntervalSeconds":100000000}]}}`):                                                               schema + "/States/A/Retry[0]/IntervalSeconds: Value must be between 1 and 99999999",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"End":true,"Retry":[{"ErrorEquals":["X"],"MaxDelaySeconds":31622400}]}}`):                                                                schema + "/States/A/Retry[0]/MaxDelaySeconds: Value must be between 1 and 31622399",
		inMachine(`{"A":{"Type":"Map","Items":{"a":1},"ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}},"End":true}}`):                                                            schema + "/States/A/Items: Value is not an array or a JSONata expression",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"End":true,"Catch":[{"ErrorEquals":[]}]}}`):                                                                                              schema + "/States/A/Catch[0]/ErrorEquals: Value cannot be empty\n" + schema + "/States/A/Catch[0]: These fields are required: [Next]",
		inMachine(`{"A":{"Type":"Pass","End":true,"Comment":1}}`):                                                                                                                                 schema + "/States/A/Comment: Value is not a string",
		`{"QueryLanguage":"JSONata","Version":"2.0","StartAt":"A","States":{"A":{"Type":"Succeed"}}}`:                                                                                             schema + "/Version: The field 'Version' should have one of these values: [1.0]",
		inMachine(`{"A":{"Type":"Wait","Timestamp":"","End":true}}`):                                                                                                                              schema + "/States/A/Timestamp: String does not match RFC3339 timestamp",
		inMachine(`{"A":{"Type":"Choice","Choices":[{"Condition":"{% $states.input %}","Next":1}],"Default":2}}`):                                                                                 schema + "/States/A/Default: Value is not a string\n" + schema + "/States/A/Choices[0]/Next: Value is not a string\nERROR MISSING_END_STATE /States: No end state is reachable.",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":5,"End":true,"Credentials":{}}}`):                                                                                                          schema + "/States/A/Credentials: The field 'RoleArn' is required but was missing",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:query","TimeoutSeconds":1,"End":true}}`):                                                                             schema + "/States/A/Resource: The resource provided arn:aws:states:::dynamodb:query is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::sagemaker:createModel.sync","TimeoutSeconds":1,"End":true}}`):                                                                 schema + "/States/A/Resource: The resource provided arn:aws:states:::sagemaker:createModel.sync is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:glue:startJobRun.sync","TimeoutSeconds":1,"End":true}}`):                                                              schema + "/States/A/Resource: The resource provided arn:aws:states:::aws-sdk:glue:startJobRun.sync is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"Function":"f"},"TimeoutSeconds":1,"End":true}}`):                                                 schema + "/States/A/Arguments: The field 'FunctionName' is required but was missing",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":"f","TimeoutSeconds":1,"End":true}}`):                                                              schema + "/States/A/Arguments: Value is not an object or a JSONata expression",
		inMachine(`{"A":{"Type":"Pass","End":true,"Output":["{% 1","2 %}"]}}`):                                                                                                                    schema + "/States/A/Output[0]: The JSONata expression is not properly opened or closed: it must start with '{%' and end with '%}'\n" + schema + "/States/A/Output[1]: The JSONata expression is not properly opened or closed: it must start with '{%' and end with '%}'",
		inMachine(`{"A":{"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}}}`):             schema + "/States/A/ItemProcessor/ProcessorConfig/ExecutionType: Field is not supported",
		inMachine(`{"A":{"Type":"Map","End":true,"ItemSelector":"constant","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}}}`):                                                  schema + "/States/A/ItemSelector: Value is not an object or a JSONata expression",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:eu-west-1:123456789012:activity:a.waitForTaskToken","TimeoutSeconds":1,"End":true}}`):                                           schema + "/States/A/Resource: The resource provided arn:aws:states:eu-west-1:123456789012:activity:a.waitForTaskToken is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:123456789012:function:f.sync","TimeoutSeconds":1,"End":true}}`):                                                       schema + "/States/A/Resource: The resource provided arn:aws:lambda:eu-west-1:123456789012:function:f.sync is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:s3:getObjekt","TimeoutSeconds":1,"End":true}}`):                                                                       schema + "/States/A/Resource: The resource provided arn:aws:states:::aws-sdk:s3:getObjekt is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.",
		inMachine(`{"A":{"Type":"Pass","Output":"{% 1 + %}","End":true}}`):                                                                                                                        schema + "/States/A/Output: Invalid JSONata expression: Unexpected end of expression",
		inMachine(`{"A":{"Type":"Pass","Output":{"a":["{% a ?? 1 %}"]},"End":true}}`):                                                                                                             schema + "/States/A/Output/a[0]: Invalid JSONata expression: The symbol \"?\" cannot be used as a unary operator",
		inMachine(`{"A":{"Type":"Pass","Output":"{% $eval('1') %}","End":true}}`):                                                                                                                 schema + "/States/A/Output: The function $eval is not supported",
		inMachine(`{"A":{"Type":"Pass","Output":"{% $ %}","End":true}}`):                                                                                                                          schema + "/States/A/Output: JSONata expressions cannot use '$' or '$$' at the top level: use $states.input",
		inMachine(`{"A":{"Type":"Pass","Output":"{% input.a %}","End":true}}`):                                                                                                                    schema + "/States/A/Output: JSONata expressions cannot use unqualified names at the top level: [input]",
		inMachine(`{"A":{"Type":"Pass","Output":"{% $states.result %}","End":true}}`):                                                                                                             schema + "/States/A/Output: $states.result is only available in Output and Assign of Task, Parallel and Map states",
		inMachine(`{"A":{"Type":"Pass","Output":"{% $states.errorOutput %}","End":true}}`):                                                                                                        schema + "/States/A/Output: $states.errorOutput is only available in Catch",
		inMachine(`{"A":{"Type":"Pass","Output":"{% $states.inputs %}","End":true}}`):                                                                                                             schema + "/States/A/Output: $states.inputs does not exist: use input, result, errorOutput or context",
		inMachine(`{"A":{"Type":"Pass","Assign":{"states":1},"End":true}}`):                                                                                                                       schema + "/States/A/Assign/states: The variable $states is reserved and cannot be assigned",
		inMachine(`{"A":{"Type":"Pass","Assign":{"a-b":1},"End":true}}`):                                                                                                                          schema + "/States/A/Assign/a-b: Variable names are identifiers of at most 80 characters",
		inMachine(`{"A":{"Type":"Pass","Assign":{"x":1},"Next":"B"},"B":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"C","States":{"C":{"Type":"Pass","Assign":{"x":2},"End":true}}}]}}`): schema + "/States/B/Branches[0]/States/C/Assign/x: The variable $x belongs to an outer scope and cannot be assigned here",
		inMachine(`{"A":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}]}}`):                                                                          "ERROR DUPLICATE_STATE_NAME /States/A/Branches[0]/States/A: Duplicate State name: A (also at /States/A)",
		inMachine(`{"A":{"Type":"Map","End":true,"ItemReader":{},"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}}}`):                   "ERROR UNSUPPORTED /States/A/ItemReader: ItemReader needs distributed mode, which is not supported\nERROR UNSUPPORTED /States/A/ItemProcessor/ProcessorConfig/Mode: distributed mode is not supported: use INLINE",
		inMachine(`{"A":{"Type":"Choice","Choices":[{"Next":"B"}]},"B":{"Type":"Succeed"}}`):                                                                                                      schema + "/States/A/Choices[0]: These fields are required: [Condition]",
		inMachine(`{"A":{"Type":"Choice","Choices":[]}}`):                                                                                                                                         schema + "/States/A/Choices: Value cannot be empty\nERROR MISSING_END_STATE /States: No end state is reachable.",
		inMachine(`{"` + strings.Repeat("A", 81) + `":{"Type":"Succeed"}}`):                                                                                                                       schema + "/States/" + strings.Repeat("A", 81) + ": State name must have 1 to 80 characters\nERROR MISSING_TRANSITION_TARGET /StartAt: Missing 'Next' target: A",
		inMachine(`{"A":{"Type":"Succeed"},"A":{"Type":"Fail"}}`):                                                                                                                                 "ERROR INVALID_JSON_DESCRIPTION : duplicate field 'A' (line 1, column 78)",
		"{\n \"StartAt\": \"A\",\n \"States\": nonsense}":                                                                                                                                         "ERROR INVALID_JSON_DESCRIPTION : invalid character 'o' in literal null (expecting 'u') (line 3, column 12)",
	} {
		require.Equal(t, want, findings(definition, asl.LintOptions{}), definition)
		_, err := asl.Parse([]byte(definition))
		require.Error(t, err, definition)
	}
}

// TestLint_ChecksTheArgumentsOfAPIActions in the words that AWS's ValidateStateMachineDefinition was recorded with.
func TestLint_ChecksTheArgumentsOfAPIActions(t *testing.T) {
	const put, send = "aws-sdk:s3:putObject", "aws-sdk:sqs:sendMessage"
	for _, c := range []struct{ action, arguments, want string }{
		{put, `{"bucket":"b","Key":"k"}`, "The field 'Body' is required but was missing\nThe field 'Bucket' is required but was missing"},
		{put, `{"Bucket":"b","Key":"k","Bogus":true}`, "The field 'Body' is required but was missing"},
		{put, `{"Bucket":"b","Key":"k","Body":"t","contentType":"text/plain"}`, `The field "contentType" is not supported by Step Functions. Did you mean 'ContentType'?`},
		{put, `{"Bucket":"b","Key":"k","Body":"t","Bogus":true}`, `The field "Bogus" is not supported by Step Functions`},
		{put, `{"Bucket":"{% $states.input.b %}","Key":"k","Body":"{% 1 %}","Metadata":{"key":"v"}}`, ""},
		{put, `{"Bucket":123,"Key":"k","Body":"t"}`, "The value for the field 'Bucket' must be a STRING"},
		{send, `{"QueueUrl":"x","MessageBody":"t","DelaySeconds":"2"}`, "The value for the field 'DelaySeconds' must be an INTEGER"},
		{send, `{"QueueUrl":"x","MessageBody":"t","DelaySeconds":2.0}`, "The value for the field 'DelaySeconds' must be an INTEGER"},
		{send, `{"QueueUrl":"x","MessageBody":"t","DelaySeconds":2}`, ""},
		{send, `{"QueueUrl":null,"MessageBody":"t"}`, ""},
		{"aws-sdk:rds:describeDBInstances", `{"DbInstanceIdentifier":"x"}`, ""},
		{"aws-sdk:sagemaker:describeEndpoint", `{"endpointName":"x"}`, "The field 'EndpointName' is required but was missing"},
		{"aws-sdk:ecs:runTask", `{"TaskDefinition":"x","Cluster":"c"}`, ""},
		{"sqs:sendMessage", `{"MessageBody":{"any":"thing"}}`, "The field 'QueueUrl' is required but was missing"},
		{"sqs:sendMessage", `{"QueueUrl":"q","MessageBody":{"any":"thing"}}`, ""},
		{"batch:submitJob.sync", `{"JobName":"n","JobQueue":"q"}`, "The field 'JobDefinition' is required but was missing"},
		{"glue:startJobRun.sync", `{}`, "The field 'JobName' is required but was missing"},
		{"lambda:invoke", `{"FunctionName":"f","payload":{}}`, `The field "payload" is not supported by Step Functions. Did you mean 'Payload'?`},
	} {
		var want []string
		for line := range strings.Lines(c.want) {
			want = append(want, schema+"/States/A/Arguments: "+strings.TrimSpace(line))
		}
		got := findings(inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::`+c.action+`","Arguments":`+c.arguments+`,"TimeoutSeconds":1,"End":true}}`), asl.LintOptions{})
		require.Equal(t, strings.Join(want, "\n"), got, "%s %s", c.action, c.arguments)
	}
}

func TestLint_WarnsOfWhatWeDoNotWant(t *testing.T) {
	o := asl.LintOptions{
		KnownError:    func(name string) bool { return name == "Conflict" },
		KnownResource: func(r string) bool { return r == "arn:aws:states:::aws-sdk:ec2:runInstances" },
		Substitutions: map[string]bool{"Given": true},
	}
	for definition, want := range map[string]string{
		inMachine(`{"A":{"Type":"Pass","End":true,"Output":{"a.$":"$.b","c":"is {% 1 %}."}}}`):                                                                                                                                                                           "WARNING JSONPATH /States/A/Output/a.$: the key is written as for JSONPath, but nothing evaluates it in JSONata\nWARNING NOT_AN_EXPRESSION /States/A/Output/c: this is a plain text, not an expression: nothing may stand before '{%' or after '%}'",
		inMachine(`{"A":{` + task + `,"End":true}}`):                                                                                                                                                                                                                     "WARNING TASK_WITHOUT_TIMEOUT /States/A: a Task without TimeoutSeconds can hang for years",
		inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:s3:getObject","TimeoutSeconds":1,"End":true}}`):                                                                                                                                              "WARNING UNKNOWN_RESOURCE /States/A/Resource: nobody performs the resource arn:aws:states:::aws-sdk:s3:getObject",
		inMachine(`{"A":{` + task + `,"TimeoutSeconds":1,"End":true,"Catch":[{"ErrorEquals":["Conflict","Conflit","States.Tiemout"],"Next":"B"}]},"B":{"Type":"Fail"}}`):                                                                                                 "WARNING UNKNOWN_ERROR_NAME /States/A/Catch[0]/ErrorEquals: nobody raises the error Conflit\nWARNING UNKNOWN_ERROR_NAME /States/A/Catch[0]/ErrorEquals: the language has no error States.Tiemout",
		inMachine(`{"A":{"Type":"Task","Resource":"${Missing}","Arguments":"${Given}","TimeoutSeconds":1,"End":true}}`):                                                                                                                                                  "WARNING MISSING_SUBSTITUTION /: nobody provides a value for ${Missing}",
		inMachine(`{"A":{"Type":"Choice","Choices":[{"Condition":true,"Next":"B"},{"Condition":"{% 1=2 %}","Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}}`):                                                                                                         "WARNING UNREACHABLE_BRANCH /States/A/Choices[1]: never taken: /States/A/Choices[0] comes first\nWARNING UNREACHABLE_BRANCH /States/A/Default: never taken: /States/A/Choices[0] always holds",
		inMachine(`{"A":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.a %}","Next":"B"},{"Condition":"{% $states.input.a %}","Next":"C"}],"Default":"C"},"B":{"Type":"Pass","Assign":{"v":1},"Next":"C"},"C":{"Type":"Succeed","Output":"{% $v & $w %}"}}`): "WARNING UNREACHABLE_BRANCH /States/A/Choices[1]: never taken: /States/A/Choices[0] comes first\nWARNING UNASSIGNED_VARIABLE /States/C/Output: the variable $v is not assigned on every path that leads here\nWARNING UNASSIGNED_VARIABLE /States/C/Output: the variable $w is not assigned on any path that leads here",
		inMachine(`{"A":{"Type":"Pass","Output":"{% $map([1], function($v, $i){ ($k := $v; $k + $i + $length('a')) }) ~> $sum %}","End":true}}`):                                                                                                                         "",
	} {
		require.Equal(t, want, findings(definition, o), definition)
		_, err := asl.Parse([]byte(definition))
		require.NoError(t, err, definition)
	}
	token := inMachine(`{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Arguments":{"FunctionName":"f"},"TimeoutSeconds":1,"End":true}}`)
	require.Contains(t, findings(token, asl.LintOptions{}), "WARNING TOKEN_NOT_PASSED /States/A/Resource")
}

func FuzzParse(f *testing.F) {
	f.Add(inMachine(`{"A":{"Type":"Map","Items":[1],"ItemProcessor":{"StartAt":"I","States":{"I":{` + task + `,"Retry":[{"ErrorEquals":["X"]}],"End":true}}},"End":true}}`))
	f.Add(inMachine(`{"A":{"Type":"Choice","Choices":[{"Condition":"{% $x %}","Next":"A"}],"Default":"B"},"B":{"Type":"Fail","Error":"{% 1 %}"}}`))
	f.Add(`{"StartAt":"A","States":{"A":null}}`)
	f.Fuzz(func(t *testing.T, definition string) {
		m, err := asl.Parse([]byte(definition))
		if err != nil {
			return
		}
		require.NotNil(t, m.States[m.StartAt])
		_, err = asl.Parse(m.Definition)
		require.NoError(t, err)
		require.True(t, json.Valid(m.Definition))
	})
}
