package asl

import (
	"encoding/json"
	"strconv"
)

// LambdaResult is what arn:aws:states:::lambda:invoke returns for a function's answer: the payload
// with the metadata that the AWS SDK adds. bytes is the length of the answer as it was sent.
func LambdaResult(payload json.RawMessage, bytes int, requestID, traceID, date string) json.RawMessage {
	length := strconv.Itoa(bytes)
	headers := [][2]string{
		{"X-Amz-Executed-Version", "$LATEST"}, {"x-amzn-Remapped-Content-Length", "0"}, {"Connection", "keep-alive"},
		{"x-amzn-RequestId", requestID}, {"Content-Length", length}, {"Date", date}, {"X-Amzn-Trace-Id", traceID},
		{"Content-Type", "application/json"},
	}
	var all, plain []member
	for _, h := range headers {
		all = append(all, member{h[0], marshal([]string{h[1]})})
		plain = append(plain, member{h[0], marshal(h[1])})
	}
	return object(
		member{"ExecutedVersion", marshal("$LATEST")},
		member{"Payload", payload},
		member{"SdkHttpMetadata", object(
			member{"AllHttpHeaders", object(all...)}, member{"HttpHeaders", object(plain...)}, member{"HttpStatusCode", marshal(200)})},
		member{"SdkResponseMetadata", object(member{"RequestId", marshal(requestID)})},
		member{"StatusCode", marshal(200)},
	)
}

// LambdaPayload is what a function gets for the Payload of lambda:invoke: nothing becomes an empty object,
// and a text that is JSON is passed on as that JSON, since Payload is a blob to the Lambda service.
func LambdaPayload(payload json.RawMessage) json.RawMessage {
	var text string
	switch kindOf(payload) {
	case "undefined", "null":
		return json.RawMessage("{}")
	case "string":
		if json.Unmarshal(payload, &text) == nil && json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
	}
	return payload
}

// LambdaFailure is how Step Functions reports an error that a function returned: the error type is
// the name, the function's whole error answer is the cause. Empty parts are left out of the cause.
func LambdaFailure(errorType, message, requestID string, stack []string) *Failure {
	members := []member{{"errorMessage", marshal(message)}, {"errorType", marshal(errorType)}}
	if requestID != "" {
		members = append(members, member{"requestId", marshal(requestID)})
	}
	if stack != nil {
		members = append(members, member{"stackTrace", marshal(stack)})
	}
	return Fail(errorType, string(object(members...)))
}
