package rows

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is a row schema.
type Kind string

// The schemas.
const (
	Chat       Kind = "messages"         // {"messages": [{"role", "content"}, …]}
	Completion Kind = "promptCompletion" // {"prompt", "completion"}
	Plain      Kind = "text"             // {"text"}
)

// The roles of messages.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant"
)

// Message is one turn of a chat row.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Row is one training example. Which fields count follows from Kind.
type Row struct {
	Kind       Kind
	Messages   []Message
	Prompt     string
	Completion string
	Text       string
	Tags       map[string]string // language, topic, eventTime, source …, as given in the file
}

// ID identifies the content of a row, whatever its source. Exact duplicates have equal ids.
type ID [16]byte

// String gives 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ID is the first half of a SHA-256 over the roles and contents, each with its length before it. A
// prompt with its completion has the id of the chat of one user turn and one assistant turn.
func (r *Row) ID() ID {
	var space [2 << 10]byte
	sum := sha256.Sum256(appendParts(space[:0], r.parts()))
	return ID(sum[:16])
}

// PromptID is the ID of everything but the last answer: equal for rows that answer the same question.
// Text rows have none.
func (r *Row) PromptID() (id [8]byte) {
	if r.Kind == Plain {
		return id
	}
	var space [2 << 10]byte
	parts := r.parts()
	sum := sha256.Sum256(appendParts(space[:0], parts[:len(parts)-1]))
	return [8]byte(sum[:8])
}

func appendParts(dst []byte, parts []Message) []byte {
	for _, p := range parts {
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(p.Role))), p.Role...)
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(p.Content))), p.Content...)
	}
	return dst
}

// parts gives a row of any kind as messages.
func (r *Row) parts() []Message {
	switch r.Kind {
	case Chat:
		return r.Messages
	case Completion:
		return []Message{{User, r.Prompt}, {Assistant, r.Completion}}
	default:
		return []Message{{"text", r.Text}}
	}
}

// Content joins the texts of a row by newlines, for searches.
func (r *Row) Content() string {
	switch r.Kind {
	case Completion:
		return r.Prompt + "\n" + r.Completion
	case Plain:
		return r.Text
	}
	var b strings.Builder
	for i, m := range r.Messages {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(m.Content)
	}
	return b.String()
}

// Chars counts the characters of all texts.
func (r *Row) Chars() int {
	n := 0
	for _, part := range r.parts() {
		n += utf8.RuneCountInString(part.Content)
	}
	return n
}

// Tokens estimates the tokens of a row: a quarter of its bytes, rounded up, and four per message for
// the chat template. English prose in a 50 k vocabulary is within about 15% of it.
func (r *Row) Tokens() int {
	n := 0
	for _, part := range r.parts() {
		n += (len(part.Content)+3)/4 + 4
	}
	return n
}

// Meta is what a published row carries beside its content.
type Meta struct {
	Ingestion string
	Line      int64
	Source    string
	Licence   string
	Consent   string
	Tags      map[string]string
}

// AppendJSON appends the row as a published line: id, content, meta, in a fixed order of fields.
func (r *Row) AppendJSON(dst []byte, id ID, m Meta) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(hex.AppendEncode(dst, id[:]), '"')
	switch r.Kind {
	case Chat:
		dst = r.appendMessages(dst)
	case Completion:
		dst = appendField(dst, "prompt", r.Prompt)
		dst = appendField(dst, "completion", r.Completion)
	default:
		dst = appendField(dst, "text", r.Text)
	}
	return append(m.append(dst), "}\n"...)
}

func (r *Row) appendMessages(dst []byte) []byte {
	dst = append(dst, `,"messages":[`...)
	for i, m := range r.Messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"role":"`...)
		dst = append(dst, m.Role...)
		dst = append(appendField(append(dst, '"'), "content", m.Content), '}')
	}
	return append(dst, ']')
}

func (m Meta) append(dst []byte) []byte {
	dst = append(dst, `,"meta":{"ingestion":`...)
	dst = appendString(dst, m.Ingestion)
	dst = append(dst, `,"line":`...)
	dst = strconv.AppendInt(dst, m.Line, 10)
	for _, f := range [...][2]string{{"source", m.Source}, {"licence", m.Licence}, {"consent", m.Consent}} {
		if f[1] != "" {
			dst = appendField(dst, f[0], f[1])
		}
	}
	for _, name := range TagNames {
		if v := m.Tags[name]; v != "" {
			dst = appendField(dst, name, v)
		}
	}
	return append(dst, '}')
}

func appendField(dst []byte, name, s string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	return appendString(append(dst, '"', ':'), s)
}

// appendString appends a JSON string; the input is valid UTF-8. Unlike encoding/json it leaves <, > and &
// alone, so that rows stay readable.
func appendString(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		if short := shortEscapes[c]; short != 0 {
			dst = append(dst, '\\', short)
			continue
		}
		dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(append(dst, s[from:]...), '"')
}

var shortEscapes = [128]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}
