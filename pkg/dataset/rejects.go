package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/object"
)

// rejectWriter streams the quarantine file: the original rows, each with its error. It begins with the
// first rejected row, so that a clean file leaves none.
type rejectWriter struct {
	ctx     context.Context
	objects object.Store
	id      string
	file    *rows.File
	key     string // empty until the first row
	pipe    *io.PipeWriter
	done    chan error
	buf     []byte
}

func (w *rejectWriter) add(rec *rows.Record, p *rows.Problem) error {
	if w.key == "" {
		w.start()
	}
	if w.file.Format == rows.CSV {
		w.csv(rec, p)
	} else {
		w.jsonl(rec, p)
	}
	if _, err := w.pipe.Write(w.buf); err != nil {
		return fmt.Errorf("store rejected row: %w", err)
	}
	return nil
}

func (w *rejectWriter) start() {
	w.key = rejectsKey(w.id, rejectsExt(w.file.Format))
	r, pipe := io.Pipe()
	w.pipe, w.done = pipe, make(chan error, 1)
	go func() {
		_, err := w.objects.Put(w.ctx, w.key, r, object.PutOptions{})
		r.CloseWithError(err) // what is written from now on fails too
		w.done <- err
	}()
	if w.file.Format == rows.CSV {
		w.buf = fmt.Appendf(w.buf[:0], "%s%cerror\n", w.file.Header(), w.file.Comma())
		_, _ = w.pipe.Write(w.buf) // an error shows at the row that follows
	}
}

// finish ends the file and waits until it is stored.
func (w *rejectWriter) finish() error {
	if w.key == "" {
		return nil
	}
	if err := w.pipe.Close(); err != nil {
		return fmt.Errorf("close quarantine file: %w", err)
	}
	if err := <-w.done; err != nil {
		return fmt.Errorf("store quarantine file: %w", err)
	}
	return nil
}

// abort gives the file up: nothing of it is stored.
func (w *rejectWriter) abort(cause error) {
	if w.key != "" {
		w.pipe.CloseWithError(cause)
		<-w.done
	}
}

// csv appends the error as one more column.
func (w *rejectWriter) csv(rec *rows.Record, p *rows.Problem) {
	w.buf = append(append(w.buf[:0], rec.Raw...), w.file.Comma(), '"')
	w.buf = append(w.buf, strings.ReplaceAll(p.Error(), `"`, `""`)...)
	w.buf = append(w.buf, "\"\n"...)
}

// rejectsExt is the form of the quarantine file: passages of free text become JSON lines.
func rejectsExt(format string) string {
	if format == rows.CSV {
		return rows.CSV
	}
	return rows.JSONL
}

// jsonl wraps the row: as it stands when it is JSON, else as a string; a passage of free text as a text row.
func (w *rejectWriter) jsonl(rec *rows.Record, p *rows.Problem) {
	w.buf = append(w.buf[:0], `{"error":`...)
	w.buf = appendJSON(w.buf, p.Error())
	w.buf = append(w.buf, `,"line":`...)
	w.buf = strconv.AppendInt(w.buf, rec.Line, 10)
	w.buf = append(w.buf, `,"row":`...)
	switch free := w.file.Format != rows.JSONL; {
	case free:
		w.buf = append(appendJSON(append(w.buf, `{"text":`...), string(rec.Raw)), '}')
	case json.Valid(rec.Raw):
		w.buf = append(w.buf, bytes.TrimSpace(rec.Raw)...)
	default:
		w.buf = appendJSON(w.buf, string(rec.Raw))
	}
	w.buf = append(w.buf, "}\n"...)
}

func appendJSON(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // strings cannot fail
	}
	return append(dst, b...)
}
