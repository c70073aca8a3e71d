// Package files keeps objects in a folder: one folder per object, holding one read-only file per
// version. A write goes to a temporary file, which is synced and renamed, so that a kill or a power
// cut leaves the old state or the new one.
//
//	objects/datasets/d1/rows.jsonl%o/000000000001-<sha256>
package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Store implements the object ports over a folder that one process owns.
type Store struct {
	objects string
	uploads string
	temp    string
	keep    bool // older versions
	locks   [64]sync.Mutex
	step    func(string) // told after each step of a write; nil but in tests, which end the process there
}

var (
	_ object.Store      = (*Store)(nil)
	_ object.Uploads    = (*Store)(nil)
	_ object.PartLister = (*Store)(nil)
	_ object.Versions   = (*Store)(nil)
)

// Option changes how a store behaves.
type Option func(*Store)

// KeepVersions keeps replaced and deleted contents.
func KeepVersions(s *Store) { s.keep = true }

// Open opens the store in a folder, making it when absent. What interrupted writes left is removed.
func Open(dir string, options ...Option) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", dir, err)
	}
	s := &Store{objects: filepath.Join(abs, "objects"), uploads: filepath.Join(abs, "uploads"), temp: filepath.Join(abs, "temp")}
	for _, option := range options {
		option(s)
	}
	if err := os.RemoveAll(s.temp); err != nil {
		return nil, classify("clear temporary files", err).At(s.temp)
	}
	for _, d := range []string{s.objects, s.uploads, s.temp} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, classify("make folder", err).At(d)
		}
	}
	return s, nil
}

// classify gives errors of the file system a code. Clients read the message, so it names no path.
func classify(doing string, err error) *errs.Error {
	e := errs.New(errs.Unavailable, "%s: %s", doing, reason(err)).Mend("see that the platform's disk works and its folder is writable")
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		e = errs.New(errs.Unavailable, "%s: the platform's disk is full", doing).Mend("make room on it and try again")
	}
	e.Err = err
	return e
}

// reason is what the system said, without operation and path.
func reason(err error) string {
	var said syscall.Errno
	if errors.As(err, &said) {
		return said.Error()
	}
	return "the disk does not answer as it should"
}

func notFound(key string) error { return errs.New(errs.NotFound, "no object %s", key) }

// lock guards the versions of one object against other writers.
func (s *Store) lock(key string) *sync.Mutex {
	h := fnv.New32a()
	_, _ = io.WriteString(h, key)
	return &s.locks[h.Sum32()%uint32(len(s.locks))]
}

func (s *Store) did(step string) {
	if s.step != nil {
		s.step(step)
	}
}

// Put stores the whole of r under key, or nothing.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, opt object.PutOptions) (object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return object.Info{}, err
	}
	d, err := s.spool(ctx, r)
	if err != nil {
		return object.Info{}, err
	}
	defer d.drop()
	return s.place(key, d, opt)
}

// draft is a complete, synced temporary file.
type draft struct {
	path   string
	sha256 string
}

func (d draft) drop() { _ = os.Remove(d.path) }

// spool writes r to a temporary file, digesting it on the way.
func (s *Store) spool(ctx context.Context, r io.Reader) (d draft, err error) {
	f, err := os.CreateTemp(s.temp, "put-")
	if err != nil {
		return draft{}, classify("make temporary file", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = classify("close", cerr)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	s.did("make temporary file")
	sum := sha256.New()
	if err := copyAll(ctx, f, sum, r); err != nil {
		return draft{}, err
	}
	s.did("write")
	if err := f.Chmod(0o444); err != nil {
		return draft{}, classify("protect", err)
	}
	if err := f.Sync(); err != nil {
		return draft{}, classify("sync", err)
	}
	s.did("sync")
	return draft{path: f.Name(), sha256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// copyAll copies until the end of r or of the context. An error of r is given back as it is.
func copyAll(ctx context.Context, f io.Writer, sum hash.Hash, r io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, rerr := r.Read(buf)
		sum.Write(buf[:n])
		if _, err := f.Write(buf[:n]); err != nil {
			return classify("write", err)
		}
		if rerr == io.EOF {
			return nil
		}
		if rerr != nil {
			return fmt.Errorf("read content: %w", rerr)
		}
	}
}

// place makes a draft the newest version of the object.
func (s *Store) place(key string, d draft, opt object.PutOptions) (object.Info, error) {
	if opt.SHA256 != "" && opt.SHA256 != d.sha256 {
		return object.Info{}, errs.New(errs.Invalid, "the content has the digest %s, not %s", d.sha256, opt.SHA256)
	}
	mu := s.lock(key)
	mu.Lock()
	defer mu.Unlock()
	all, err := s.versions(key)
	if err != nil {
		return object.Info{}, err
	}
	next := 1
	if len(all) > 0 {
		newest := all[len(all)-1]
		if opt.IfAbsent && !newest.deleted() {
			return object.Info{}, errs.New(errs.Conflict, "the object %s exists already", key)
		}
		next = newest.seq + 1
	}
	v := version{seq: next, sha256: d.sha256}
	if err := s.enter(key, d.path, v); err != nil {
		return object.Info{}, err
	}
	if err := s.prune(key, all); err != nil {
		return object.Info{}, err
	}
	return s.info(key, v)
}

// enter renames a finished file into the object's folder; from then on it is the newest version.
func (s *Store) enter(key, path string, v version) error {
	dir := s.folder(key)
	if err := s.makeFolders(dir); err != nil {
		return err
	}
	s.did("make folders")
	if err := os.Rename(path, filepath.Join(dir, v.name())); err != nil {
		return classify("rename", err)
	}
	s.did("rename")
	if err := syncFolder(dir); err != nil {
		return err
	}
	s.did("sync folder")
	return nil
}

// makeFolders makes the folder and those above it and syncs the parents of the new ones.
func (s *Store) makeFolders(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return syncFolder(filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(filepath.Dir(dir), s.objects):
		if err := s.makeFolders(filepath.Dir(dir)); err != nil {
			return err
		}
		return s.makeFolders(dir)
	}
	return classify("make folder", err)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return classify("open folder", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil {
		return classify("sync folder", err)
	}
	return nil
}

// prune removes older versions, unless they are kept.
func (s *Store) prune(key string, old []version) error {
	if s.keep {
		return nil
	}
	for _, v := range old {
		if err := os.Remove(filepath.Join(s.folder(key), v.name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return classify("remove old version", err)
		}
		s.did("remove old version")
	}
	return nil
}

// Delete removes the object; with versions kept, it marks the deletion.
func (s *Store) Delete(_ context.Context, key string) error {
	if err := object.CheckKey(key); err != nil {
		return err
	}
	mu := s.lock(key)
	mu.Lock()
	defer mu.Unlock()
	all, err := s.versions(key)
	if err != nil || len(all) == 0 || all[len(all)-1].deleted() {
		return err
	}
	if s.keep {
		return s.mark(key, all[len(all)-1].seq+1)
	}
	if err := s.prune(key, all); err != nil {
		return err
	}
	// The folder itself may stay or go: an empty one is no object.
	_ = os.Remove(s.folder(key))
	s.did("remove folder")
	return nil
}

func (s *Store) mark(key string, seq int) error {
	f, err := os.CreateTemp(s.temp, "del-")
	if err != nil {
		return classify("make temporary file", err)
	}
	if err := f.Close(); err != nil {
		return classify("close", err)
	}
	return s.enter(key, f.Name(), version{seq: seq, sha256: deleted})
}
