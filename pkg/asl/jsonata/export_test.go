package jsonata

import "encoding/json"

// Reference gives a pool that always asks the reference implementation.
func Reference(p *Pool, template string) *Pool {
	q := &Pool{limits: p.limits, idle: p.idle, slots: p.slots}
	q.plans.known = map[string]*plan{template: nil}
	return q
}

// Short tells whether a template is answered the short way.
func Short(p *Pool, template, bindings string) bool {
	plan := p.plans.of(json.RawMessage(template))
	if plan == nil {
		return false
	}
	_, ok := plan.fill([]byte(bindings))
	return ok
}
