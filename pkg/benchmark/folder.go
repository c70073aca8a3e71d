package benchmark

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// WriteFolder writes the version as dir/<name>/lock.json and items.jsonl, making folders as needed.
func (v Version) WriteFolder(dir string) error {
	folder := filepath.Join(dir, v.Name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make benchmark folder: %w", err)
	}
	for name, content := range v.Files() {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return fmt.Errorf("write benchmark: %w", err)
		}
	}
	return nil
}

// ReadFolder reads what WriteFolder wrote, or what a person wrote in the same form: lock.json may leave out
// the lock. It fails with Precondition when the lock is there and does not fit.
func ReadFolder(folder string) (Version, error) {
	files, err := readPair(folder)
	if err != nil {
		return Version{}, err
	}
	return FromFiles(files)
}

// ReadUnlocked reads a folder whatever lock it claims, to lock it anew.
func ReadUnlocked(folder string) (Version, error) {
	files, err := readPair(folder)
	if err != nil {
		return Version{}, err
	}
	v, _, err := parseFiles(files)
	return v, err
}

func readPair(folder string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"lock.json", "items.jsonl"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, errs.New(errs.NotFound, "the benchmark has no %s", name).
				Mend("name a folder with lock.json and items.jsonl")
		}
		files[name] = content
	}
	return files, nil
}

// FromFiles reads the pair of files that Files makes.
func FromFiles(files map[string][]byte) (Version, error) {
	v, lock, err := parseFiles(files)
	if err != nil {
		return Version{}, err
	}
	if lock != "" && lock != v.Lock() {
		return Version{}, errs.New(errs.Precondition, "the lock does not fit the benchmark: it says %s, the files give %s",
			ShortLock(lock), ShortLock(v.Lock())).At(v.Name).Mend("a locked benchmark is never edited: give the new one its own lock with benchmark lock --write")
	}
	return v, nil
}

func parseFiles(files map[string][]byte) (v Version, lock string, err error) {
	var head Header
	decoder := json.NewDecoder(bytes.NewReader(files["lock.json"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&head); err != nil {
		return v, "", errs.New(errs.Invalid, "lock.json cannot be read: %w", err).At("lock.json").
			Mend(`write {"benchmark": …, "scorer": {"kind": …}, "prompt": {"chat": …}, "decoding": {"maxTokens": …, "temperature": …}}`)
	}
	items, problems := ReadJSONL("items.jsonl", bytes.NewReader(files["items.jsonl"]), Defaults{})
	if len(problems) > 0 {
		return v, "", problems[0]
	}
	v = head.Version
	v.Items = items
	return v, head.Lock, v.Validate()
}
