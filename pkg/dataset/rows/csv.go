package rows

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// csvReader reads RFC 4180 records with LF or CRLF. It holds one record of at most MaxRecord bytes.
// Unlike encoding/csv it keeps each record's own bytes and goes on after a bad one: of a record whose
// quotes do not pair up only its first line is given up.
type csvReader struct {
	in     io.Reader
	limits Limits
	comma  byte
	header []string
	uses   []bool // which columns rows are made of
	rawTop []byte // the header as it stands
	line   int64  // lines consumed
	buf    []byte // window: buf[at:end] is not consumed yet
	at     int
	end    int
	eof    bool
	fields []string
	next   *scanned // of the record at the window's beginning, when it is known
}

func newCSV(in io.Reader, limits Limits) (*csvReader, error) {
	r := &csvReader{in: in, limits: limits, buf: make([]byte, limits.MaxRecord+64<<10)}
	if err := r.fill(); err != nil {
		return nil, err
	}
	return r, r.readHeader()
}

// readHeader takes the first record as header, with the first of the delimiters , ; and tab that
// makes it name known columns.
func (r *csvReader) readHeader() error {
	for _, r.comma = range []byte{',', ';', '\t'} {
		s := r.scan()
		names, known := r.columns(s)
		if known {
			r.setHeader(names)
			r.rawTop = bytes.Clone(trimEnd(r.buf[r.at : r.at+s.size]))
			r.consume(s.size)
			return nil
		}
	}
	r.comma = ','
	first := trimEnd(r.buf[r.at : r.at+firstLine(r.buf[r.at:r.end])])
	if len(bytes.TrimSpace(first)) == 0 && r.end < len(r.buf) {
		return &Problem{Rule: RuleEmptyFile, Expected: "a header and rows", Found: "nothing"}
	}
	return &Problem{Rule: RuleHeader, Pointer: "/1", Found: found(first),
		Expected: `a first line that names the columns "prompt" and "completion", or "text"`}
}

// setHeader spells known columns as rows do and finds those that are used: of two with one name the first.
func (r *csvReader) setHeader(names []string) {
	r.uses = make([]bool, len(names))
	for i, name := range names {
		names[i] = canonical(name)
		r.uses[i] = !ours(names[i]) && !slices.Contains(names[:i], names[i])
	}
	r.header = names
}

func (r *csvReader) columns(s scanned) (names []string, known bool) {
	for _, f := range r.fields {
		names = append(names, strings.TrimSpace(f))
	}
	has := func(name string) bool { return columnOf(names, name) >= 0 }
	return names, s.state == scanOK && (has("text") || has("prompt") && has("completion"))
}

func columnOf(names []string, name string) int {
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i
		}
	}
	return -1
}

// Next gives the next record; io.EOF at the end.
func (r *csvReader) Next() (Record, error) {
	for {
		if err := r.ensure(); err != nil {
			return Record{}, err
		}
		s := *r.next
		r.next = nil
		raw := r.buf[r.at : r.at+s.size]
		rec := Record{Line: r.line + 1, Raw: trimEnd(raw)}
		r.consume(s.size)
		if s.state == scanOK && len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		if s.state == scanLong {
			rec.Cut, rec.Raw = true, bytes.Clone(rec.Raw[:min(cutTo, len(rec.Raw))])
			if err := r.skipLine(); err != nil {
				return Record{}, err
			}
		}
		r.check(&rec, s)
		return rec, nil
	}
}

func (r *csvReader) check(rec *Record, s scanned) {
	if rec.Problem = checkBytes(rec.Raw, rec.Cut, r.limits); rec.Problem != nil {
		return
	}
	if s.state == scanQuote {
		rec.Problem = &Problem{Rule: RuleQuote, Expected: `fields with quotes inside to be quoted, and quotes doubled`, Found: s.found}
		return
	}
	if len(r.fields) != len(r.header) {
		rec.Problem = &Problem{Rule: RuleColumns, Expected: count(len(r.header), "field"), Found: strconv.Itoa(len(r.fields))}
		return
	}
	rec.Row, rec.Unused, rec.Problem = rowOf(r.object())
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// object gives the record as a JSON object of strings, so that one set of rules serves both formats.
// Empty cells of tags and of other columns are left out.
func (r *csvReader) object() *value {
	v := &value{kind: kindObject, members: make([]member, 0, len(r.header))}
	for i, name := range r.header {
		if r.uses[i] && (r.fields[i] != "" || isContent(name)) {
			v.members = append(v.members, member{name, value{kind: kindString, str: r.fields[i]}})
		}
	}
	return v
}

// canonical spells known columns as rows do.
func canonical(name string) string {
	for _, known := range append([]string{"prompt", "completion", "text", "error"}, TagNames...) {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

// ensure scans the next record and makes sure that the window does not cut it.
func (r *csvReader) ensure() error {
	if r.at == r.end && r.eof {
		return io.EOF
	}
	s := r.scan()
	if !s.closed && !r.eof && r.end-r.at <= r.limits.MaxRecord {
		if err := r.fill(); err != nil {
			return err
		}
		s = r.scan()
	}
	r.next = &s
	return nil
}

// fill moves the rest to the front and reads until the window is full or the input ends.
func (r *csvReader) fill() error {
	r.end = copy(r.buf, r.buf[r.at:r.end])
	r.at = 0
	for r.end < len(r.buf) && !r.eof {
		n, err := r.in.Read(r.buf[r.end:])
		r.end += n
		if errors.Is(err, io.EOF) {
			r.eof = true
		} else if err != nil {
			return err
		}
	}
	if r.at == r.end {
		return io.EOF
	}
	return nil
}

func (r *csvReader) consume(n int) {
	r.line += int64(bytes.Count(r.buf[r.at:r.at+n], []byte("\n")))
	r.at += n
}

// skipLine drops everything up to the end of the line.
func (r *csvReader) skipLine() error {
	for {
		if i := bytes.IndexByte(r.buf[r.at:r.end], '\n'); i >= 0 {
			r.consume(i + 1)
			return nil
		}
		r.at = r.end
		if r.eof {
			return nil
		}
		if err := r.fill(); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}
