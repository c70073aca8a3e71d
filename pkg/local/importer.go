package local

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
	"github.com/perennial-llm/perennial/pkg/training"
)

// Import registers a model folder. On one machine it may also be a folder outside the object store,
// named by its absolute path: its files are copied in first, the manifest last.
func (p *Platform) Import(ctx context.Context, by audit.Actor, in training.ImportInput) (registry.Version, error) {
	if !filepath.IsAbs(in.Artifact) {
		return p.Training.Import(ctx, by, in)
	}
	folder := filepath.Clean(in.Artifact)
	if _, err := os.Stat(filepath.Join(folder, "manifest.json")); err != nil {
		return registry.Version{}, errs.New(errs.Invalid, "%s has no manifest.json", folder).At("/artifact").
			Mend("make a model folder with: python -m continual models")
	}
	in.Artifact = "models/" + in.Model + "/" + filepath.Base(folder) + "/"
	if err := p.copyIn(ctx, folder, in.Artifact); err != nil {
		return registry.Version{}, err
	}
	return p.Training.Import(ctx, by, in)
}

func (p *Platform) copyIn(ctx context.Context, folder, prefix string) error {
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "manifest.json" {
			return err
		}
		return p.copyFile(ctx, folder, path, prefix)
	})
	if err != nil {
		return err
	}
	return p.copyFile(ctx, folder, filepath.Join(folder, "manifest.json"), prefix)
}

func (p *Platform) copyFile(ctx context.Context, folder, path, prefix string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	key := prefix + filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, folder), string(filepath.Separator)))
	_, err = p.Objects.Put(ctx, key, f, object.PutOptions{})
	return err
}
