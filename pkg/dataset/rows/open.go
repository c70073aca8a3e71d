package rows

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// RuleDamaged is broken by a file whose compressed data cannot be read to the end.
const RuleDamaged = "file.damaged"

// decoder undoes one compression.
type decoder struct {
	magic string // first bytes of such a file
	open  func(io.Reader) (io.ReadCloser, error)
}

var decoders = map[string]decoder{
	"gzip": {"\x1f\x8b", openGzip},
	"zstd": {"\x28\xb5\x2f\xfd", openZstd},
}

// The formats.
const (
	JSONL    = "jsonl"
	CSV      = "csv"
	Text     = "text"
	Markdown = "markdown"
)

// File is an open file of rows.
type File struct {
	Format      string
	Compression string // "", "gzip" or "zstd"
	records     interface{ Next() (Record, error) }
	source      *counter
	closer      io.Closer
}

// Open finds out compression and format by content, and by name where content does not tell. A file
// that cannot be read at all is a *Problem; any other error is the source's own.
func Open(name string, in io.Reader, limits Limits) (*File, error) {
	src := &counter{in: in}
	f := &File{source: src}
	head := bufio.NewReaderSize(src, 64<<10)
	plain, err := f.decompress(head)
	if err != nil {
		return nil, err
	}
	capped := &capped{in: plain, source: src, limits: limits}
	return f, f.open(strings.ToLower(name), bufio.NewReaderSize(capped, 64<<10), limits)
}

// Next gives the next record; io.EOF at the end. A *Problem ends the file too: what came before holds.
func (f *File) Next() (Record, error) { return f.records.Next() }

// BytesIn is how much of the stored file has been read.
func (f *File) BytesIn() int64 { return f.source.n }

// Close releases the decompressor; the source stays the caller's.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// decompress recognises compressions by their first bytes.
func (f *File) decompress(head *bufio.Reader) (io.Reader, error) {
	start, _ := head.Peek(8)
	for name, d := range decoders {
		if !bytes.HasPrefix(start, []byte(d.magic)) {
			continue
		}
		in, err := d.open(head)
		if err != nil {
			return nil, damaged(err)
		}
		f.Compression, f.closer = name, in
		return in, nil
	}
	return head, unreadable(start)
}

func openGzip(in io.Reader) (io.ReadCloser, error) { return gzip.NewReader(in) }

// mostWindow is the largest zstd window: what "zstd --long=26" writes.
const mostWindow = 64 << 20

func openZstd(in io.Reader) (io.ReadCloser, error) {
	r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(mostWindow), zstd.WithDecoderMaxMemory(2*mostWindow))
	if err != nil {
		return nil, err
	}
	return r.IOReadCloser(), nil
}

const readable = "JSONL, CSV, text or Markdown; plain, gzip or zstd"

// unknown describes a file that shows no format.
func unknown(start []byte) string {
	if bytes.HasPrefix(bytes.TrimSpace(start), []byte("[")) {
		return "a JSON array; put one object on each line (jq -c '.[]' does)"
	}
	return found(start[:firstLine(start)])
}

// unreadable names well-known files that hold no rows in a form that is read here.
func unreadable(start []byte) error {
	for magic, what := range map[string]string{
		"PK\x03\x04": "a zip archive; unpack it and send the files", "PAR1": "a Parquet file; export it as JSONL",
		"\xff\xfe": "UTF-16; save it as UTF-8", "\xfe\xff": "UTF-16; save it as UTF-8",
		"%PDF": "a PDF", "\x89PNG": "an image", "BZh": "bzip2; use gzip or zstd", "\xfd7zXZ": "xz; use gzip or zstd",
	} {
		if bytes.HasPrefix(start, []byte(magic)) {
			return &Problem{Rule: RuleFormat, Expected: readable, Found: what}
		}
	}
	return nil
}

// damaged turns a decompressor's error into a problem of the file, unless it is the source's.
func damaged(err error) error {
	var src sourceError
	var bad *Problem
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &src) || errors.As(err, &bad) {
		return err
	}
	return &Problem{Rule: RuleDamaged, Expected: "compressed data that can be read to its end", Found: err.Error()}
}

// open chooses the record reader.
func (f *File) open(name string, in *bufio.Reader, limits Limits) error {
	if start, _ := in.Peek(3); bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		if _, err := in.Discard(3); err != nil {
			return err
		}
	}
	start, err := in.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(bytes.TrimSpace(start)) == 0 && errors.Is(err, io.EOF) {
		return &Problem{Rule: RuleEmptyFile, Expected: "rows", Found: "nothing"}
	}
	if err := unreadable(start); err != nil {
		return err
	}
	if f.Format = format(name, start); f.Format == "" {
		return &Problem{Rule: RuleFormat, Expected: readable, Found: unknown(start)}
	}
	return f.read(in, limits)
}

// read makes the reader of the format's records.
func (f *File) read(in *bufio.Reader, limits Limits) (err error) {
	lines := lineReader{in: in, limits: limits}
	switch f.Format {
	case CSV:
		f.records, err = newCSV(in, limits)
	case Text, Markdown:
		f.records = &textReader{lines: lines, markdown: f.Format == Markdown}
	default:
		f.records = &lines
	}
	return err
}

// format goes by content first: a brace begins JSON lines whatever the name says. Free text needs a name.
func format(name string, start []byte) string {
	for strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".zst") {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	first := bytes.TrimSpace(start)
	switch ext := path.Ext(name); {
	case len(first) > 0 && first[0] == '{', ext == ".jsonl", ext == ".ndjson":
		return JSONL
	case ext == ".md", ext == ".markdown":
		return Markdown
	case ext == ".txt":
		return Text
	case len(first) > 0 && first[0] == '[':
		return ""
	case ext == ".csv", ext == ".tsv", looksLikeCSV(first):
		return CSV
	}
	return ""
}

func looksLikeCSV(first []byte) bool {
	top := strings.ToLower(string(first[:firstLine(first)]))
	return strings.Contains(top, "prompt") && strings.Contains(top, "completion")
}

// Header is the first line of a CSV file as it stands, without its end.
func (f *File) Header() []byte {
	if r, ok := f.records.(*csvReader); ok {
		return r.rawTop
	}
	return nil
}

// Comma is the delimiter of a CSV file.
func (f *File) Comma() byte {
	if r, ok := f.records.(*csvReader); ok {
		return r.comma
	}
	return 0
}
