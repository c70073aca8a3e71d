package asl

import (
	"encoding/json"
	"strings"
)

// emit appends a history event. It follows the thread's newest event; th is nil for the very first.
func (r *Run) emit(th *Thread, eventType, key string, details map[string]any) int64 {
	previous := int64(0)
	if th != nil {
		previous = th.LastEvent
	}
	return r.emitAfter(previous, th, eventType, key, details)
}

func (r *Run) emitAfter(previous int64, th *Thread, eventType, key string, details map[string]any) int64 {
	if !r.fits(eventType) {
		return r.x.LastEvent
	}
	r.x.LastEvent++
	r.events = append(r.events, Event{ID: r.x.LastEvent, Previous: previous, Type: eventType, Time: r.now, DetailsKey: key, Details: details})
	if th != nil {
		th.LastEvent = r.x.LastEvent
	}
	return r.x.LastEvent
}

// dataDetails are details with a payload ("input" or "output") and further pairs; empty strings are left out.
func dataDetails(kind string, payload json.RawMessage, pairs ...string) map[string]any {
	m := map[string]any{kind: string(payload), kind + "Details": map[string]any{"truncated": false}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

// details are the error and cause of a failure; what is nil is left out.
func (f *Failure) details(pairs ...string) map[string]any {
	m := map[string]any{}
	if f != nil && f.Name != nil {
		m["error"] = *f.Name
	}
	if f != nil && f.Cause != nil {
		m["cause"] = *f.Cause
	}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// taskEvent records an event of the task in flight in the family that its resource has.
func (r *Run) taskEvent(th *Thread, st *State, what string, details map[string]any) {
	res := parseResource(st.Resource)
	family := "Task"
	switch {
	case res.direct:
		family = "LambdaFunction"
	case res.activity:
		family = "Activity"
	default:
		details["resource"], details["resourceType"] = res.action, res.service
	}
	key := strings.ToLower(family[:1]) + family[1:] + what + "EventDetails"
	if len(details) == 0 && !res.activity {
		key, details = "", nil
	}
	r.emit(th, family+what, key, details)
}

// scheduled records that a task was handed over.
func (r *Run) scheduled(th *Thread, st *State, f taskFields) {
	res := parseResource(st.Resource)
	var d map[string]any
	if res.direct || res.activity {
		d = dataDetails("input", th.Arguments, "resource", st.Resource)
	} else {
		d = map[string]any{"parameters": string(th.Arguments), "region": r.env.Region}
	}
	if f.timeout > 0 {
		d["timeoutInSeconds"] = f.timeout
	}
	if f.heartbeat > 0 {
		d["heartbeatInSeconds"] = f.heartbeat
	}
	if f.role != "" && !res.activity {
		d["taskCredentials"] = map[string]any{"roleArn": f.role}
	}
	r.taskEvent(th, st, "Scheduled", d)
}
