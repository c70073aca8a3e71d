package audit

import "encoding/json"

// JSON marshals a record for Change.Before and Change.After; nil when it cannot be marshaled.
func JSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}
