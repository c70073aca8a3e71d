package files

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// An upload is a folder under uploads/, named by its id, with a file "key" and one file per part,
// named like versions: number and digest.

func (s *Store) uploadFolder(key, id string) (string, error) {
	dir := filepath.Join(s.uploads, id)
	if _, err := hex.DecodeString(id); err != nil || id == "" {
		return "", noUpload(id)
	}
	stored, err := os.ReadFile(filepath.Join(dir, "key"))
	if errors.Is(err, fs.ErrNotExist) || (err == nil && string(stored) != key) {
		return "", noUpload(id)
	}
	if err != nil {
		return "", classify("read upload", err)
	}
	return dir, nil
}

func noUpload(id string) error {
	return errs.New(errs.NotFound, "no upload %q of this object", id).Mend("begin the upload again")
}

// Create begins an upload.
func (s *Store) Create(_ context.Context, key string) (string, error) {
	if err := object.CheckKey(key); err != nil {
		return "", err
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make upload id: %w", err)
	}
	id := hex.EncodeToString(random)
	dir := filepath.Join(s.uploads, id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", classify("make folder", err)
	}
	s.did("make upload")
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(key), 0o600); err != nil {
		return "", classify("write upload", err)
	}
	s.did("name upload")
	return id, nil
}

// PutPart stores a part.
func (s *Store) PutPart(ctx context.Context, key, id string, number int, r io.Reader) (object.Part, error) {
	dir, err := s.uploadFolder(key, id)
	if err != nil {
		return object.Part{}, err
	}
	if number < 1 || number > object.MaxNumber {
		return object.Part{}, errs.New(errs.Invalid, "part %d is not within 1 and %d", number, object.MaxNumber)
	}
	d, err := s.spool(ctx, r)
	if err != nil {
		return object.Part{}, err
	}
	defer d.drop()
	mu := s.lock(id)
	mu.Lock()
	defer mu.Unlock()
	old, err := parts(dir, number)
	if err != nil {
		return object.Part{}, err
	}
	path := filepath.Join(dir, version{number, d.sha256}.name())
	if err := os.Rename(d.path, path); err != nil {
		return object.Part{}, classify("rename", err)
	}
	s.did("rename part")
	for _, p := range old {
		if p.SHA256 != d.sha256 {
			_ = os.Remove(filepath.Join(dir, version{number, p.SHA256}.name()))
		}
	}
	stat, err := os.Stat(path)
	if err != nil {
		return object.Part{}, classify("stat", err)
	}
	return object.Part{Number: number, Size: stat.Size(), SHA256: d.sha256, Tag: d.sha256}, syncFolder(dir)
}

// Parts gives the stored parts.
func (s *Store) Parts(_ context.Context, key, id string) ([]object.Part, error) {
	dir, err := s.uploadFolder(key, id)
	if err != nil {
		return nil, err
	}
	return parts(dir, 0)
}

// parts lists the parts in a folder in order; only one number unless it is 0.
func parts(dir string, only int) ([]object.Part, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, classify("list parts", err)
	}
	found := []object.Part{}
	for _, e := range entries {
		v, ok := parseVersion(e.Name())
		if !ok || (only != 0 && v.seq != only) {
			continue
		}
		stat, err := e.Info()
		if err != nil {
			return nil, classify("stat part", err)
		}
		found = append(found, object.Part{Number: v.seq, Size: stat.Size(), SHA256: v.sha256, Tag: v.sha256})
	}
	slices.SortFunc(found, func(a, b object.Part) int { return a.Number - b.Number })
	return found, nil
}

// Complete joins the parts.
func (s *Store) Complete(
	ctx context.Context, key, id string, wanted []object.Part, opt object.PutOptions,
) (object.Info, error) {
	dir, err := s.uploadFolder(key, id)
	if err != nil {
		return object.Info{}, err
	}
	stored, err := parts(dir, 0)
	if err != nil {
		return object.Info{}, err
	}
	if err := checkParts(wanted, stored); err != nil {
		return object.Info{}, err
	}
	d, err := s.join(ctx, dir, wanted)
	if err != nil {
		return object.Info{}, err
	}
	defer d.drop()
	info, err := s.place(key, d, opt)
	if err != nil {
		return object.Info{}, err
	}
	return info, s.Abort(ctx, key, id)
}

func checkParts(wanted, stored []object.Part) error {
	if len(wanted) == 0 {
		return errs.New(errs.Invalid, "an upload needs a part")
	}
	for i, p := range wanted {
		at := slices.IndexFunc(stored, func(q object.Part) bool { return q.Number == p.Number && q.Tag == p.Tag })
		switch {
		case at < 0:
			return errs.New(errs.Invalid, "part %d was not uploaded with this content", p.Number).Mend("upload the part again")
		case i > 0 && p.Number <= wanted[i-1].Number:
			return errs.New(errs.Invalid, "parts are not in order of their numbers")
		case i < len(wanted)-1 && stored[at].Size < object.MinPart:
			return errs.New(errs.Invalid, "part %d has %d bytes, fewer than %d", p.Number, stored[at].Size, object.MinPart)
		}
	}
	return nil
}

// join writes the parts into one draft, with one part open at a time.
func (s *Store) join(ctx context.Context, dir string, wanted []object.Part) (draft, error) {
	paths := make([]string, len(wanted))
	for i, p := range wanted {
		paths[i] = filepath.Join(dir, version{p.Number, p.Tag}.name())
	}
	r := &chain{paths: paths}
	defer r.close()
	return s.spool(ctx, r)
}

// chain reads files one after the other.
type chain struct {
	paths []string
	file  *os.File
}

// Read reads on, into the next file where one ends.
func (c *chain) Read(p []byte) (int, error) {
	for {
		if c.file == nil {
			if len(c.paths) == 0 {
				return 0, io.EOF
			}
			f, err := os.Open(c.paths[0])
			if err != nil {
				return 0, classify("open part", err)
			}
			c.file, c.paths = f, c.paths[1:]
		}
		n, err := c.file.Read(p)
		if n > 0 || (err != nil && err != io.EOF) {
			return n, err
		}
		c.close()
	}
}

func (c *chain) close() {
	if c.file != nil {
		_ = c.file.Close()
		c.file = nil
	}
}

// Abort drops an upload.
func (s *Store) Abort(_ context.Context, key, id string) error {
	dir, err := s.uploadFolder(key, id)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !strings.HasPrefix(dir, s.uploads+string(filepath.Separator)) {
		return noUpload(id)
	}
	if err := os.RemoveAll(dir); err != nil {
		return classify("remove upload", err)
	}
	s.did("remove upload")
	return nil
}
