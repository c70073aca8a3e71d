package jsonata

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// halves decodes a valid JSON text as JavaScript does, where half of a surrogate pair may stand alone.
// Go's decoder, which goja uses too, would replace it.
func halves(raw json.RawMessage) goja.String {
	var units []uint16
	for i := 1; i < len(raw)-1; {
		if raw[i] != '\\' {
			r, width := utf8.DecodeRune(raw[i:])
			units = utf16.AppendRune(units, r)
			i += width
			continue
		}
		unit, width := escape(raw[i:])
		units = append(units, unit)
		i += width
	}
	return goja.StringFromUTF16(units)
}

var escapes = map[byte]uint16{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads one escape and its width.
func escape(raw []byte) (unit uint16, width int) {
	if raw[1] == 'u' {
		n, _ := strconv.ParseUint(string(raw[2:6]), 16, 16) // valid JSON
		return uint16(n), 6
	}
	if c, ok := escapes[raw[1]]; ok {
		return c, 2
	}
	return uint16(raw[1]), 2
}
