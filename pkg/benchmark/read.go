package benchmark

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

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Defaults fill in what an imported row leaves out.
type Defaults struct {
	Capability string // when a row names none
	Source     string
	Licence    string
	// Scorer, when set, makes readers check each item as Version.Validate does, and name its line.
	Scorer *Scorer
}

// maxItemLine bounds one item.
const maxItemLine = 1 << 20

// ReadJSONL reads items from JSON Lines, one object a line. Every problem carries "name:line"; good lines are
// kept beside bad ones. Rows without an id get one from their line, "line-7".
func ReadJSONL(name string, r io.Reader, defaults Defaults) ([]Item, []*errs.Error) {
	found := collector{name: name, defaults: defaults}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64<<10), maxItemLine)
	line := 0
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		}
		if len(text) == 0 {
			continue
		}
		item, problem := parseItem(text)
		if problem != nil {
			found.reject(line, problem)
			continue
		}
		found.add(line, item)
	}
	if err := scanner.Err(); err != nil {
		found.reject(line+1, scanProblem(err))
	}
	return found.items, found.problems
}

// collector keeps the good items of a file and what is wrong with the others, each with its line.
type collector struct {
	name     string
	defaults Defaults
	items    []Item
	problems []*errs.Error
	lines    map[string]int // of each id
}

func (c *collector) reject(line int, problem *errs.Error) {
	c.problems = append(c.problems, problem.At(fmt.Sprintf("%s:%d", c.name, line)))
}

func (c *collector) add(line int, item Item) {
	item = c.defaults.fill(item, line)
	if problem := c.check(line, item); problem != nil {
		c.reject(line, problem)
		return
	}
	c.items = append(c.items, item)
}

func (c *collector) check(line int, item Item) *errs.Error {
	if c.defaults.Scorer == nil {
		return nil
	}
	if first := c.lines[item.ID]; first != 0 {
		return errs.New(errs.Invalid, "the id %q is used on line %d already", item.ID, first).Mend("give every item its own id")
	}
	if c.lines == nil {
		c.lines = map[string]int{}
	}
	c.lines[item.ID] = line
	return item.problem(*c.defaults.Scorer)
}

func scanProblem(err error) *errs.Error {
	if errors.Is(err, bufio.ErrTooLong) {
		return errs.New(errs.Invalid, "the line is longer than %d MiB", maxItemLine>>20).Mend("write one item per line")
	}
	return errs.New(errs.Unavailable, "read: %w", err)
}

func parseItem(text []byte) (Item, *errs.Error) {
	if !utf8.Valid(text) {
		return Item{}, errs.New(errs.Invalid, "the line is not UTF-8").Mend("write the file as UTF-8")
	}
	var item Item
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&item); err != nil {
		return Item{}, itemSyntax(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Item{}, errs.New(errs.Invalid, "more than one JSON value on the line").Mend("write one item per line")
	}
	return item, nil
}

func itemSyntax(err error) *errs.Error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return errs.New(errs.Invalid, "%s", WrongType(cmp.Or(wrong.Field, "the line"), wrong)).
			Mend(`write one item per line, as in {"id": …, "input": …, "target": …, "capability": …}`)
	}
	return errs.New(errs.Invalid, "not an item: %s", strings.TrimPrefix(err.Error(), "json: ")).
		Mend("known fields: id, input, messages, choices, target, targets, capability, cluster, weight, mustPass, source, licence, tags")
}

func (d Defaults) fill(it Item, line int) Item {
	if it.ID == "" {
		it.ID = fmt.Sprintf("line-%d", line)
	}
	if it.Capability == "" {
		it.Capability = d.Capability
	}
	if it.Source == "" {
		it.Source = d.Source
	}
	if it.Licence == "" {
		it.Licence = d.Licence
	}
	return it
}
