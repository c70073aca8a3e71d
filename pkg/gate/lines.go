package gate

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/perennial-llm/perennial/pkg/benchmark"
)

// maxLine bounds one result line.
const maxLine = 16 << 20

// Lines reads results from JSON Lines. open is called for every reading; name stands in problems as
// "name:line". A wrong line is a Problem and the next lines are read on; a failing stream is an error.
func Lines(name string, open func() (io.ReadCloser, error)) Results {
	return (&source{name: name, open: open}).all
}

// source is a file of result lines.
type source struct {
	name string
	open func() (io.ReadCloser, error)
}

func (s *source) all(yield func(Result, error) bool) {
	s.read(func(int) bool { return true }, yield)
}

// read parses only the wanted lines.
func (s *source) read(wanted func(line int) bool, yield func(Result, error) bool) {
	file, err := s.open()
	if err != nil {
		yield(Result{}, fmt.Errorf("open %s: %w", s.name, err))
		return
	}
	defer file.Close()
	reader := lineReader{source: s, wanted: wanted, words: newWords()}
	if err := reader.all(file, yield); err != nil {
		yield(Result{}, err)
	}
}

// lineReader keeps what repeats from line to line.
type lineReader struct {
	source *source
	line   int
	wanted func(line int) bool
	words  *words
	result Result // of the line, here rather than one on the heap for each
}

func (lr *lineReader) all(file io.Reader, yield func(Result, error) bool) error {
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	for scanner.Scan() {
		lr.line++
		if !lr.wanted(lr.line) {
			continue
		}
		text := bytes.TrimSpace(scanner.Bytes())
		if lr.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		}
		if len(text) > 0 && !yield(lr.parse(text)) {
			return nil
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		lr.line++
		return lr.problem(fmt.Sprintf("the line is longer than %d MiB", maxLine>>20), "split the file into lines")
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read %s: %w", lr.source.name, err)
	}
	return nil
}

func (lr *lineReader) problem(message, hint string) Problem {
	return Problem{Where: fmt.Sprintf("%s:%d", lr.source.name, lr.line), Message: message, Hint: hint}
}

func (lr *lineReader) parse(text []byte) (Result, error) {
	if !utf8.Valid(text) {
		return Result{}, lr.problem("the line is not UTF-8", "write the file as UTF-8")
	}
	r := &lr.result
	*r = Result{source: lr.source, line: lr.line}
	hasScore, ok := lr.words.fast(text, r)
	if !ok {
		*r = Result{source: lr.source, line: lr.line}
		var err error
		if hasScore, err = slow(text, r); err != nil {
			return Result{}, lr.problem(err.Error(), `write one JSON object per line, as in {"benchmark": …, "lock": …, "capability": …, "item": …, "score": 1}`)
		}
	}
	if !hasScore && r.Error == "" {
		return Result{}, lr.problem("no score", `add a "score" from 0 to 1, or an "error"`)
	}
	return *r, nil
}

// slow parses any line that JSON allows.
func slow(text []byte, r *Result) (hasScore bool, err error) {
	wire := struct {
		*Result
		Score *float64 `json:"score"`
		Error *string  `json:"error"`
	}{Result: r}
	if err := json.Unmarshal(text, &wire); err != nil {
		return false, jsonMessage(err)
	}
	if err := misspelt(text); err != nil {
		return false, err
	}
	if wire.Score != nil {
		r.Score = *wire.Score
	}
	if wire.Error != nil {
		r.Error = *wire.Error
	}
	return wire.Score != nil, nil
}

func jsonMessage(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return errors.New(benchmark.WrongType(cmp.Or(strings.TrimPrefix(wrong.Field, "Result."), "the line"), wrong))
	}
	return fmt.Errorf("not a JSON object: %s", strings.TrimPrefix(err.Error(), "json: "))
}
