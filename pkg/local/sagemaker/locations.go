package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// key gives the object key of an S3 URI in the platform's bucket.
func (c Config) key(uri *string) (string, error) {
	rest, ok := strings.CutPrefix(value(uri), "s3://"+c.Bucket+"/")
	if !ok {
		return "", invalid("the S3 URI %q is not in the bucket %s", value(uri), c.Bucket)
	}
	return rest, nil
}

// keyFolder is key for a URI that names a folder; the key ends in a slash.
func (c Config) keyFolder(uri *string) (string, error) {
	k, err := c.key(uri)
	return strings.TrimSuffix(k, "/") + "/", err
}

// each calls f for every object below a prefix.
func (c Config) each(ctx context.Context, prefix string, f func(object.Info) error) error {
	start := ""
	for {
		page, err := c.Objects.List(ctx, prefix, start, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, info := range page {
			if err := f(info); err != nil {
				return err
			}
		}
		start = page[len(page)-1].Key
	}
}

// materialize brings the files of a data source into a folder and tells how many there were.
func (c Config) materialize(ctx context.Context, src *types.S3DataSource, dir string) (int, error) {
	key, err := c.key(src.S3Uri)
	if err != nil {
		return 0, err
	}
	switch {
	case src.S3DataType == types.S3DataTypeManifestFile:
		return c.manifest(ctx, key, dir)
	case c.CodeKey != "" && strings.TrimSuffix(key, "/")+"/" == c.CodeKey:
		return copyFolder(c.Code, dir)
	}
	return c.prefix(ctx, key, dir)
}

// prefix brings all objects whose keys begin with key; their paths are relative to its last slash.
func (c Config) prefix(ctx context.Context, key, dir string) (int, error) {
	n, base := 0, key[:strings.LastIndex(key, "/")+1]
	if key != base && !c.exists(ctx, key) {
		base = key + "/"
	}
	err := c.each(ctx, key, func(info object.Info) error {
		name, below := strings.CutPrefix(info.Key, base)
		if !below {
			return nil
		}
		n++
		return c.bring(ctx, info.Key, filepath.Join(dir, filepath.FromSlash(name)))
	})
	return n, err
}

func (c Config) exists(ctx context.Context, key string) bool {
	r, _, err := c.Objects.Get(ctx, key, 0)
	if err == nil {
		_ = r.Close()
	}
	return err == nil
}

// manifest brings the objects that a manifest lists: [{"prefix": "s3://…/"}, "key", …].
func (c Config) manifest(ctx context.Context, key, dir string) (int, error) {
	r, _, err := c.Objects.Get(ctx, key, 0)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var entries []json.RawMessage
	if err := json.NewDecoder(r).Decode(&entries); err != nil || len(entries) == 0 {
		return 0, errs.New(errs.Invalid, "manifest %s is not a JSON array that begins with a prefix", key)
	}
	var head struct{ Prefix string }
	if err := json.Unmarshal(entries[0], &head); err != nil {
		return 0, errs.New(errs.Invalid, "manifest %s does not begin with a prefix", key)
	}
	for i, entry := range entries[1:] {
		var name string
		if err := json.Unmarshal(entry, &name); err != nil {
			return i, errs.New(errs.Invalid, "entry %d of manifest %s is not a string", i+1, key)
		}
		uri := head.Prefix + name
		k, err := c.key(&uri)
		if err != nil {
			return i, err
		}
		if err := c.bring(ctx, k, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return i, err
		}
	}
	return len(entries) - 1, nil
}

// bring makes one object a file: a hard link where the store has files, a copy otherwise.
func (c Config) bring(ctx context.Context, key, to string) error {
	if !filepath.IsLocal(filepath.FromSlash(path.Clean(key))) {
		return errs.New(errs.Invalid, "object key %q does not name a file", key)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if p, ok := c.Objects.(Pather); ok {
		if from, err := p.Path(key); err == nil && link(from, to) == nil {
			return nil
		}
	}
	return c.copyOut(ctx, key, to)
}

// copyOut writes one object to a file of its own.
func (c Config) copyOut(ctx context.Context, key, to string) error {
	r, _, err := c.Objects.Get(ctx, key, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return writeFrom(to, r)
}

func link(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		_ = os.Remove(to)
		err = os.Link(from, to)
	}
	return err
}

func writeFrom(to string, r io.Reader) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// copyFolder copies a code folder without caches and hidden files, so that a job keeps the code it
// began with.
func copyFolder(from, to string) (int, error) {
	n := 0
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != from && (name == "__pycache__" || name == "tests" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		n++
		return copyFile(p, filepath.Join(to, strings.TrimPrefix(p, from)))
	})
	return n, err
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	return writeFrom(to, r)
}

// upload stores every file below a folder under a key prefix. Doing it again is harmless.
func (c Config) upload(ctx context.Context, dir, prefix string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p == dir {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = c.Objects.Put(ctx, prefix+filepath.ToSlash(rel), f, object.PutOptions{})
		return err
	})
}

// value reads an optional string.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
