package rows

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// cutTo is how much of a record that is too long is kept for the quarantine file, in bytes.
const cutTo = 4 << 10

// lineReader reads JSON lines. It holds one line of at most MaxRecord bytes, however long lines are.
type lineReader struct {
	in     *bufio.Reader
	limits Limits
	line   int64
	buf    []byte
}

// Next gives the next record; io.EOF at the end.
func (r *lineReader) Next() (Record, error) {
	for {
		raw, cut, err := r.read()
		if err != nil {
			return Record{}, err
		}
		r.line++
		if len(bytes.TrimSpace(raw)) > 0 {
			rec := Record{Line: r.line, Raw: raw, Cut: cut}
			rec.decode(r.limits, raw)
			return rec, nil
		}
	}
}

// read gives one line without its end; the rest of a line that is too long is skipped.
func (r *lineReader) read() (raw []byte, cut bool, err error) {
	r.buf = r.buf[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if !cut {
			r.buf = append(r.buf, part...)
			cut = len(r.buf) > r.limits.MaxRecord+2
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(r.buf) == 0) {
			return nil, false, err
		}
		raw = trimEnd(r.buf)
		if cut = cut || len(raw) > r.limits.MaxRecord; cut {
			raw = raw[:cutTo]
		}
		return raw, cut, nil
	}
}

func trimEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// decode fills the record from a line of JSON.
func (rec *Record) decode(l Limits, raw []byte) {
	if rec.Problem = checkBytes(raw, rec.Cut, l); rec.Problem != nil {
		return
	}
	v, bad := parseJSON(raw, l.MaxDepth)
	if bad != nil {
		rec.Problem = bad
		return
	}
	if text := quarantined(&v); text != nil {
		rec.decode(l, []byte(text.str))
		return
	}
	rec.Row, rec.Unused, rec.Problem = rowOf(&v)
}

// quarantined finds the row of a quarantine line that was not JSON when it was set aside.
func quarantined(v *value) *value {
	if inner := v.get("row"); inner != nil && inner.kind == kindString && v.get("error") != nil {
		return inner
	}
	return nil
}

// checkBytes refuses what no format may hold.
func checkBytes(raw []byte, cut bool, l Limits) *Problem {
	switch {
	case cut:
		return &Problem{Rule: RuleTooLong, Expected: "at most " + size(int64(l.MaxRecord)), Found: "more"}
	case bytes.IndexByte(raw, 0) >= 0:
		return &Problem{Rule: RuleNUL, Expected: "text without NUL characters", Found: "one"}
	case !utf8.Valid(raw):
		return &Problem{Rule: RuleUTF8, Expected: "UTF-8", Found: badBytes(raw)}
	}
	return nil
}

// badBytes shows the first place that is not UTF-8.
func badBytes(raw []byte) string {
	at := 0
	for at < len(raw) {
		r, n := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		at += n
	}
	return "bytes " + found(raw[at:min(at+8, len(raw))])
}
