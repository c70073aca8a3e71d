package sagemaker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// maxLogPage bounds one answer of Logs, in bytes.
const maxLogPage = 256 << 10

// Logs gives the complete lines of a job's output after a byte offset, and the offset to go on from;
// done tells that the job has ended and nothing follows. A negative offset counts from the end.
// errs.NotFound when there is no such job, or not yet.
func (s *Service) Logs(_ context.Context, name string, after int64) (lines []string, next int64, done bool, err error) {
	j, err := s.find(name)
	if err != nil {
		return nil, 0, false, errs.New(errs.NotFound, "no job %q: %w", name, err)
	}
	ended := j.ended()
	lines, next, err = j.lines(after)
	return lines, next, ended && len(lines) == 0, err
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

func (j *job) lines(after int64) (lines []string, next int64, err error) {
	f, err := os.Open(j.log())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, max(after, 0), nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	if after < 0 {
		after = fromEnd(f, after)
	}
	block, err := io.ReadAll(io.NewSectionReader(f, after, maxLogPage))
	if err != nil {
		return nil, 0, err
	}
	lines, n := completeLines(block)
	return lines, after + int64(n), nil
}

func fromEnd(f *os.File, back int64) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return max(0, info.Size()+back)
}

// completeLines splits a block into lines and tells how many bytes they take. A line longer than a
// page is cut there.
func completeLines(block []byte) ([]string, int) {
	n := bytes.LastIndexByte(block, '\n') + 1
	if n == 0 && len(block) == maxLogPage {
		n = len(block)
	}
	if n == 0 {
		return nil, 0
	}
	return strings.Split(strings.TrimSuffix(string(block[:n]), "\n"), "\n"), n
}

// readTail gives the last bytes of a file as valid text; empty when there is none.
func readTail(path string, n int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	at := fromEnd(f, -n)
	b, err := io.ReadAll(io.NewSectionReader(f, at, n))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(b), "�"))
}
