package asl

import (
	"encoding/json"
	"math"
)

// batches groups items by ItemBatcher; without one they stay as they are.
func (r *Run) batches(th *Thread, st *State, items []json.RawMessage) ([]json.RawMessage, *Failure) {
	b := st.ItemBatcher
	if b == nil {
		return items, nil
	}
	maxItems, maxBytes := int64(math.MaxInt32), int64(maxPayload)
	var f *Failure
	if b.MaxItems != nil {
		if maxItems, f = r.integer(th, st, b.MaxItems, "ItemBatcher/MaxItemsPerBatch", 1, math.MaxInt32); f != nil {
			return nil, f
		}
	}
	if b.MaxBytes != nil {
		if maxBytes, f = r.integer(th, st, b.MaxBytes, "ItemBatcher/MaxInputBytesPerBatch", 1, maxPayload); f != nil {
			return nil, f
		}
	}
	var input json.RawMessage
	if b.BatchInput != nil {
		if input, f = r.render(th, st, b.BatchInput, "ItemBatcher/BatchInput", states{}); f != nil {
			return nil, f
		}
	}
	return group(items, input, int(maxItems), int(maxBytes)), nil
}

// group fills batches in order; an item that alone exceeds the bytes still gets a batch of its own.
func group(items []json.RawMessage, input json.RawMessage, maxItems, maxBytes int) []json.RawMessage {
	frame := len(object(member{"BatchInput", input}, member{"Items", json.RawMessage("[]")}))
	var out, open []json.RawMessage
	size := frame
	flush := func() {
		if len(open) > 0 {
			out = append(out, object(member{"BatchInput", input}, member{"Items", array(open)}))
		}
		open, size = nil, frame
	}
	for _, it := range items {
		if len(open) == maxItems || len(open) > 0 && size+len(it)+1 > maxBytes {
			flush()
		}
		open = append(open, it)
		size += len(it) + 1
	}
	flush()
	return out
}
