package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Get opens the object. Read whole, its content is compared with its digest.
func (s *Store) Get(_ context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return nil, object.Info{}, err
	}
	for {
		v, err := s.newest(key)
		if err != nil {
			return nil, object.Info{}, err
		}
		r, info, err := s.open(key, v, offset)
		if !errors.Is(err, fs.ErrNotExist) { // else it was replaced just now
			return r, info, err
		}
	}
}

func (s *Store) open(key string, v version, offset int64) (io.ReadCloser, object.Info, error) {
	f, err := os.Open(s.path(key, v))
	if err != nil {
		return nil, object.Info{}, classify("open", err)
	}
	stat, err := f.Stat()
	if err == nil {
		if err = object.CheckOffset(offset, stat.Size()); err == nil {
			_, err = f.Seek(offset, io.SeekStart)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, object.Info{}, err
	}
	info := s.infoOf(key, v, stat)
	if offset > 0 {
		return f, info, nil
	}
	return object.Verified(f, info), info, nil
}

// GetVersion opens one version.
func (s *Store) GetVersion(_ context.Context, key, id string, offset int64) (io.ReadCloser, object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return nil, object.Info{}, err
	}
	all, err := s.versions(key)
	if err != nil {
		return nil, object.Info{}, err
	}
	for _, v := range all {
		if v.id() == id && !v.deleted() {
			return s.open(key, v, offset)
		}
	}
	return nil, object.Info{}, errs.New(errs.NotFound, "no version %s of object %s", id, key)
}

// Versions lists the versions of an object, newest first, without deletions.
func (s *Store) Versions(_ context.Context, key string) ([]object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return nil, err
	}
	all, err := s.versions(key)
	if err != nil {
		return nil, err
	}
	infos := []object.Info{}
	for _, v := range slices.Backward(all) {
		if v.deleted() {
			continue
		}
		info, err := s.info(key, v)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// List gives objects in byte order of keys.
func (s *Store) List(_ context.Context, prefix, start string, limit int) ([]object.Info, error) {
	if limit <= 0 {
		limit = 1000
	}
	l := lister{store: s, prefix: prefix, start: start, limit: limit, found: []object.Info{}}
	if err := l.walk(s.objects, ""); err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	return l.found, nil
}

var errFull = errors.New("the list is full")

type lister struct {
	store         *Store
	prefix, start string
	limit         int
	found         []object.Info
}

// walk visits a folder whose keys begin with base, in byte order of keys.
func (l *lister) walk(dir, base string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed meanwhile
	}
	if err != nil {
		return classify("list", err)
	}
	keys := make([]string, len(entries)) // a key, or a beginning of keys that ends in a slash
	for i, e := range entries {
		name, isObject := strings.CutSuffix(e.Name(), objectSuffix)
		keys[i] = base + unescape(name)
		if !isObject {
			keys[i] += "/"
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := l.visit(key); err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) visit(key string) error {
	if below, ok := strings.CutSuffix(key, "/"); ok {
		if !l.mayHold(key) {
			return nil
		}
		return l.walk(strings.TrimSuffix(l.store.folder(below), objectSuffix), key)
	}
	if !strings.HasPrefix(key, l.prefix) || key <= l.start {
		return nil
	}
	v, err := l.store.newest(key)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := l.store.info(key, v)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // replaced or removed meanwhile
	}
	if err != nil {
		return err
	}
	if l.found = append(l.found, info); len(l.found) == l.limit {
		return errFull
	}
	return nil
}

// mayHold tells whether a folder can hold keys that are wanted.
func (l *lister) mayHold(folder string) bool {
	within := strings.HasPrefix(folder, l.prefix) || strings.HasPrefix(l.prefix, folder)
	return within && (folder > l.start || strings.HasPrefix(l.start, folder))
}
