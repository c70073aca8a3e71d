package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/perennial-llm/perennial/pkg/object"
)

// objectSuffix marks the folder of an object. Percent signs in keys are escaped, so that no other
// folder ends in it.
const objectSuffix = "%o"

const deleted = "deleted"

// version is one file in an object's folder.
type version struct {
	seq    int
	sha256 string // or deleted
}

func (v version) deleted() bool { return v.sha256 == deleted }
func (v version) id() string    { return fmt.Sprintf("%012d", v.seq) }
func (v version) name() string  { return v.id() + "-" + v.sha256 }

func parseVersion(name string) (version, bool) {
	head, sum, ok := strings.Cut(name, "-")
	seq, err := strconv.Atoi(head)
	return version{seq, sum}, ok && err == nil
}

func escape(key string) string    { return strings.ReplaceAll(key, "%", "%25") }
func unescape(name string) string { return strings.ReplaceAll(name, "%25", "%") }

// folder is where the versions of an object lie.
func (s *Store) folder(key string) string {
	return filepath.Join(s.objects, filepath.FromSlash(escape(key))+objectSuffix)
}

// versions lists the stored versions of an object, oldest first.
func (s *Store) versions(key string) ([]version, error) {
	entries, err := os.ReadDir(s.folder(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, classify("list versions", err)
	}
	var all []version
	for _, e := range entries {
		if v, ok := parseVersion(e.Name()); ok {
			all = append(all, v)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].seq < all[j].seq })
	return all, nil
}

// newest gives the current version; errs.NotFound when there is none.
func (s *Store) newest(key string) (version, error) {
	all, err := s.versions(key)
	if err != nil {
		return version{}, err
	}
	if len(all) == 0 || all[len(all)-1].deleted() {
		return version{}, notFound(key)
	}
	return all[len(all)-1], nil
}

func (s *Store) path(key string, v version) string { return filepath.Join(s.folder(key), v.name()) }

func (s *Store) info(key string, v version) (object.Info, error) {
	stat, err := os.Stat(s.path(key, v))
	if err != nil {
		return object.Info{}, classify("stat", err)
	}
	return s.infoOf(key, v, stat), nil
}

func (s *Store) infoOf(key string, v version, stat fs.FileInfo) object.Info {
	info := object.Info{Key: key, Size: stat.Size(), SHA256: v.sha256, Modified: stat.ModTime().UTC()}
	if s.keep {
		info.Version = v.id()
	}
	return info
}

// Path gives the file with the object's content, for reading or hard-linking, never for writing.
func (s *Store) Path(key string) (string, bool) {
	if object.CheckKey(key) != nil {
		return "", false
	}
	v, err := s.newest(key)
	if err != nil {
		return "", false
	}
	return s.path(key, v), true
}
