package rows

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// passage is the size in bytes from which on a passage of plain text ends at the next paragraph.
const passage = 1500

// textReader cuts plain text and Markdown into passages: whole paragraphs, until there is enough. In
// Markdown a heading begins a new passage, and a fenced block is never cut by a blank line.
type textReader struct {
	lines    lineReader
	markdown bool
	line     int64 // where the passage begins
	buf      []byte
	cut      bool
	fence    bool
	held     []byte // the line that begins the next passage
	heldCut  bool
	heldLine int64
	done     bool
}

// Next gives the next passage; io.EOF at the end.
func (r *textReader) Next() (Record, error) {
	r.buf, r.line, r.cut = r.buf[:0], 0, false
	r.take(r.held, r.heldLine, r.heldCut)
	r.held = nil
	for !r.done {
		raw, cut, err := r.lines.read()
		if errors.Is(err, io.EOF) {
			r.done = true
			break
		}
		if err != nil {
			return Record{}, err
		}
		r.lines.line++
		if r.ends(raw, cut) {
			r.held, r.heldLine, r.heldCut = bytes.Clone(raw), r.lines.line, cut
			break
		}
		r.take(raw, r.lines.line, cut)
	}
	return r.record()
}

// take adds a line to the passage; blank lines at its beginning are left out.
func (r *textReader) take(raw []byte, line int64, cut bool) {
	blank := len(bytes.TrimSpace(raw)) == 0
	if r.line == 0 && blank {
		return
	}
	if r.line == 0 {
		r.line = line
	} else {
		r.buf = append(r.buf, '\n')
	}
	r.buf = append(r.buf, raw...)
	r.cut = r.cut || cut
	if r.markdown && fenced(raw) {
		r.fence = !r.fence
	}
}

// ends tells whether the passage ends before a line.
func (r *textReader) ends(raw []byte, cut bool) bool {
	switch {
	case r.line == 0:
		return false
	case cut || r.cut || len(r.buf)+len(raw) >= r.lines.limits.MaxRecord:
		return true
	case r.fence:
		return false
	case len(bytes.TrimSpace(raw)) == 0:
		return len(r.buf) >= passage
	}
	return r.markdown && heading(raw)
}

func fenced(raw []byte) bool {
	raw = bytes.TrimLeft(raw, " ")
	return bytes.HasPrefix(raw, []byte("```")) || bytes.HasPrefix(raw, []byte("~~~"))
}

// heading tells whether a line is an ATX heading (CommonMark 0.31, 4.2).
func heading(raw []byte) bool {
	level := len(raw) - len(bytes.TrimLeft(raw, "#"))
	return level > 0 && level < 7 && (len(raw) == level || raw[level] == ' ' || raw[level] == '\t')
}

func (r *textReader) record() (Record, error) {
	if r.line == 0 {
		return Record{}, io.EOF
	}
	raw := bytes.TrimRight(r.buf, " \t\r\n")
	if r.cut {
		raw = raw[:min(len(raw), cutTo)]
	}
	rec := Record{Line: r.line, Raw: raw, Cut: r.cut}
	if rec.Problem = checkBytes(raw, r.cut, r.lines.limits); rec.Problem == nil {
		rec.Row = Row{Kind: Plain, Text: strings.ReplaceAll(string(raw), "\r\n", "\n")}
	}
	return rec, nil
}
