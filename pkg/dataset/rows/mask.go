package rows

// Masked counts what Mask replaced.
type Masked struct {
	Emails int `json:"emails"`
	Phones int `json:"phones"`
	Cards  int `json:"cards"`
}

// Any tells whether anything was replaced.
func (m Masked) Any() bool { return m.Emails+m.Phones+m.Cards > 0 }

// Add adds the counts of another row.
func (m *Masked) Add(o Masked) {
	m.Emails += o.Emails
	m.Phones += o.Phones
	m.Cards += o.Cards
}

// The placeholders.
const (
	maskEmail = "[EMAIL]"
	maskPhone = "[PHONE]"
	maskCard  = "[CARD]"
)

// Mask replaces e-mail addresses, phone and payment card numbers in all texts and tags of the row.
func (r *Row) Mask() (m Masked) {
	m.text(&r.Prompt)
	m.text(&r.Completion)
	m.text(&r.Text)
	for i := range r.Messages {
		m.text(&r.Messages[i].Content)
	}
	for name, v := range r.Tags {
		if name == "eventTime" {
			continue
		}
		m.text(&v)
		r.Tags[name] = v
	}
	return m
}

func (m *Masked) text(s *string) {
	masked, n := MaskText(*s)
	m.Add(n)
	*s = masked
}

// MaskText replaces personal data in one text; a text without any comes back as it is.
func MaskText(s string) (string, Masked) {
	var m Masked
	var out []byte
	done := 0
	for i := next(s, 0); i < len(s); i = next(s, i) {
		from, to, with := personal(s, i, done)
		if with == "" {
			i = to
			continue
		}
		m.count(with)
		out = append(append(out, s[done:from]...), with...)
		i, done = to, to
	}
	if out == nil {
		return s, m
	}
	return string(append(out, s[done:]...)), m
}

// begins are the bytes by which personal data may be recognized: an at sign, or what begins a number.
var begins = [256]bool{'@': true, '+': true, '(': true, '0': true, '1': true, '2': true, '3': true, '4': true,
	'5': true, '6': true, '7': true, '8': true, '9': true}

func next(s string, i int) int {
	for i < len(s) && !begins[s[i]] {
		i++
	}
	return i
}

func (m *Masked) count(with string) {
	switch with {
	case maskEmail:
		m.Emails++
	case maskPhone:
		m.Phones++
	default:
		m.Cards++
	}
}

// personal looks at one place. It gives what to replace, or "" and where to look next. Nothing before
// done may be replaced again.
func personal(s string, i, done int) (from, to int, with string) {
	switch c := s[i]; {
	case c == '@':
		if from, to := email(s, i, done); to > 0 {
			return from, to, maskEmail
		}
	case c == '+' || c == '(' || digit(c):
		return number(s, i)
	}
	return i, i + 1, ""
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// email finds an address around the at sign at i: a practical subset of RFC 5322 with a domain whose last
// label has letters only.
func email(s string, i, done int) (from, to int) {
	from = i
	for from > done && localByte(s[from-1]) {
		from--
	}
	for from < i && s[from] == '.' {
		from++
	}
	to = i + 1
	for to < len(s) && domainByte(s[to]) {
		to++
	}
	for to > i+1 && !letter(s[to-1]) {
		to--
	}
	if from == i || !domain(s[i+1:to]) {
		return 0, 0
	}
	return from, to
}

func localByte(c byte) bool {
	return letter(c) || digit(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-'
}

func domainByte(c byte) bool { return letter(c) || digit(c) || c == '.' || c == '-' }

// domain wants at least two labels, none empty, and a last one of two letters or more.
func domain(d string) bool {
	last := 0
	dots := 0
	for i := 0; i < len(d); i++ {
		if d[i] != '.' {
			continue
		}
		if i == last {
			return false
		}
		last = i + 1
		dots++
	}
	tld := d[last:]
	for i := 0; i < len(tld); i++ {
		if !letter(tld[i]) {
			return false
		}
	}
	return dots > 0 && len(tld) >= 2
}
