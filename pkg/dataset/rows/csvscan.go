package rows

import "bytes"

type scanState byte

const (
	scanOK    scanState = iota // a well-formed record
	scanQuote                  // quotes do not pair up; size is that of the first line
	scanLong                   // the first line is larger than a record may be
)

// scanned is the outcome of one scan of the window.
type scanned struct {
	state  scanState
	size   int    // bytes of the record with its line end
	closed bool   // more input would not change the outcome
	found  string // what is wrong with the quotes
}

// scan splits the record at the window's beginning into r.fields without consuming it.
func (r *csvReader) scan() scanned {
	in := r.buf[r.at:r.end]
	r.fields = r.fields[:0]
	for at := 0; ; {
		f := r.field(in, at)
		switch {
		case f.bad != "":
			return r.badQuote(in, f.bad, f.end < len(in))
		case f.open:
			return r.unclosed(in)
		}
		r.fields = append(r.fields, f.text)
		at = f.end
		if at < len(in) && in[at] == r.comma {
			at++
			continue
		}
		return r.whole(in, at)
	}
}

// whole ends a record at its line end or at the window's.
func (r *csvReader) whole(in []byte, at int) scanned {
	s := scanned{size: at, closed: at < len(in)}
	if at < len(in) {
		s.size += bytes.IndexByte(in[at:], '\n') + 1
	}
	if len(in[:at]) > r.limits.MaxRecord {
		s.state, s.size, s.closed = scanLong, r.limits.MaxRecord, true
	}
	return s
}

// badQuote gives up the first line.
func (r *csvReader) badQuote(in []byte, what string, closed bool) scanned {
	size := firstLine(in)
	if size > r.limits.MaxRecord {
		return scanned{state: scanLong, size: r.limits.MaxRecord, closed: true}
	}
	return scanned{state: scanQuote, size: size, closed: closed && size < len(in), found: what}
}

// unclosed is a quoted field that the window does not close.
func (r *csvReader) unclosed(in []byte) scanned {
	s := r.badQuote(in, "a quote that is never closed", len(in) > r.limits.MaxRecord)
	s.closed = len(in) > r.limits.MaxRecord
	return s
}

// firstLine is the size of the first line with its end.
func firstLine(in []byte) int {
	if i := bytes.IndexByte(in, '\n'); i >= 0 {
		return i + 1
	}
	return len(in)
}

// field is one field of a record: in[…:end] with its text, or what is wrong with it.
type field struct {
	text string
	end  int
	open bool // the closing quote is missing
	bad  string
}

func (r *csvReader) field(in []byte, at int) field {
	if at < len(in) && in[at] == '"' {
		return r.quoted(in, at+1)
	}
	end := at
	for end < len(in) && in[end] != r.comma && in[end] != '\n' {
		if in[end] == '"' {
			return field{end: end, bad: "a quote within a field that is not quoted"}
		}
		end++
	}
	return field{text: string(trimReturn(in, at, end)), end: end}
}

// trimReturn leaves out the carriage return of a CRLF.
func trimReturn(in []byte, at, end int) []byte {
	if end > at && in[end-1] == '\r' && (end == len(in) || in[end] == '\n') {
		return in[at : end-1]
	}
	return in[at:end]
}

// quoted reads a field from behind its opening quote. CRLF within it becomes LF.
func (r *csvReader) quoted(in []byte, at int) field {
	from := at
	doubled := false
	for {
		i := bytes.IndexByte(in[at:], '"')
		if i < 0 {
			return field{end: len(in), open: true}
		}
		at += i + 1
		if at < len(in) && in[at] == '"' {
			at, doubled = at+1, true
			continue
		}
		return r.closeQuote(in, from, at, doubled)
	}
}

// closeQuote ends a quoted field whose closing quote stands before at.
func (r *csvReader) closeQuote(in []byte, from, at int, doubled bool) field {
	text := in[from : at-1]
	if doubled {
		text = bytes.ReplaceAll(text, []byte(`""`), []byte(`"`))
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	end := at
	if end+1 < len(in) && in[end] == '\r' && in[end+1] == '\n' || end+1 == len(in) && in[end] == '\r' {
		end++
	}
	if end < len(in) && in[end] != r.comma && in[end] != '\n' {
		return field{end: end, bad: "text after a closing quote"}
	}
	return field{text: string(text), end: end}
}
