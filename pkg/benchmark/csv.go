package benchmark

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// listSeparator parts several choices or targets within a CSV cell.
const listSeparator = "|"

var columns = []string{"id", "input", "choices", "target", "targets", "capability", "cluster", "weight", "mustPass",
	"source", "licence", "tags"}

// ReadCSV reads items from CSV with a header row. Columns are the item's fields; choices, targets and tags
// hold several values with | between them. Problems carry "name:line", as in ReadJSONL.
func ReadCSV(name string, r io.Reader, defaults Defaults) ([]Item, []*errs.Error) {
	reader := csv.NewReader(r)
	reader.ReuseRecord = true
	header, err := readHeader(reader)
	if err != nil {
		return nil, []*errs.Error{err.At(name + ":1")}
	}
	found := collector{name: name, defaults: defaults}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found.items, found.problems
		}
		line, _ := reader.FieldPos(0)
		item, problem := csvItem(header, record, err)
		if problem != nil {
			found.reject(csvLine(err, line), problem)
			if fatal(err) {
				return found.items, found.problems
			}
			continue
		}
		found.add(line, item)
	}
}

// fatal is true for errors after which the reader cannot find the next record.
func fatal(err error) bool { return err != nil && !errors.Is(err, csv.ErrFieldCount) }

func csvLine(err error, line int) int {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return parse.StartLine
	}
	return line
}

func readHeader(reader *csv.Reader) ([]string, *errs.Error) {
	record, err := reader.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "the header row cannot be read: %w", err).Mend("write the file as CSV")
	}
	if err != nil {
		return nil, errs.New(errs.Invalid, "no header row").Mend("begin with a row of column names, such as id,input,target,capability")
	}
	header := slices.Clone(record)
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	for i, column := range header {
		if slices.Contains(header[:i], column) {
			return nil, errs.New(errs.Invalid, "the column %q is there twice", column).Mend("keep one of them")
		}
		if !slices.Contains(columns, column) {
			return nil, errs.New(errs.Invalid, "the column %q is not known", column).Mend("known columns: %s", strings.Join(columns, ", "))
		}
	}
	return header, nil
}

func csvItem(header, record []string, err error) (Item, *errs.Error) {
	if errors.Is(err, csv.ErrFieldCount) {
		return Item{}, errs.New(errs.Invalid, "%d cells where the header has %d", len(record), len(header)).
			Mend("quote cells that hold commas")
	}
	if err != nil {
		return Item{}, errs.New(errs.Invalid, "not CSV: %w", err).Mend("quote cells that hold commas, quotes or line breaks")
	}
	var item Item
	for i, column := range header {
		if !utf8.ValidString(record[i]) {
			return item, errs.New(errs.Invalid, "%s is not UTF-8", column).Mend("write the file as UTF-8")
		}
		if problem := item.setCell(column, record[i]); problem != nil {
			return item, problem
		}
	}
	return item, nil
}

func (it *Item) setCell(column, cell string) *errs.Error {
	texts := map[string]*string{"id": &it.ID, "input": &it.Input, "target": &it.Target, "capability": &it.Capability,
		"cluster": &it.Cluster, "source": &it.Source, "licence": &it.Licence}
	lists := map[string]*[]string{"choices": &it.Choices, "targets": &it.Targets, "tags": &it.Tags}
	if field := texts[column]; field != nil {
		*field = cell
		return nil
	}
	if field := lists[column]; field != nil {
		*field = splitList(cell)
		return nil
	}
	if cell == "" {
		return nil
	}
	var err error
	if column == "weight" {
		it.Weight, err = strconv.ParseFloat(cell, 64)
	} else {
		it.MustPass, err = strconv.ParseBool(cell)
	}
	if err != nil {
		return errs.New(errs.Invalid, "%s cannot be %q", column, cell).Mend("use a number for weight, true or false for mustPass")
	}
	return nil
}

func splitList(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.Split(cell, listSeparator)
}
