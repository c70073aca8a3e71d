package sagemaker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// shelf keeps records of one kind, one JSON file each, replaced atomically.
type shelf[T any] struct {
	dir  string
	file string // name of the file in a folder per record; empty: <name>.json in dir
}

func (s shelf[T]) path(name string) string {
	if s.file != "" {
		return filepath.Join(s.dir, name, s.file)
	}
	return filepath.Join(s.dir, name+".json")
}

// load gives a record; ok is false when there is none.
func (s shelf[T]) load(name string) (record *T, ok bool, err error) {
	b, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	record = new(T)
	if err := json.Unmarshal(b, record); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", s.path(name), err)
	}
	return record, true, nil
}

func (s shelf[T]) save(name string, record *T) error {
	b, err := json.MarshalIndent(record, "", " ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return writeFile(s.path(name), b)
}

func (s shelf[T]) remove(name string) error { return os.Remove(s.path(name)) }

// names lists the records, in order.
func (s shelf[T]) names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		name := e.Name()
		if s.file == "" {
			var isRecord bool
			if name, isRecord = strings.CutSuffix(name, ".json"); !isRecord {
				continue
			}
		}
		out = append(out, name)
	}
	return out, err
}

// writeFile replaces a file so that a crash leaves the old or the new content, durably.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
