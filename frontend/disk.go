//go:build !embed

package frontend

import (
	"io/fs"
	"os"
	"path/filepath"
)

// EnvDist names the folder of a built web app for binaries that carry none.
const EnvDist = "PERENNIAL_WEB"

// Assets gives the built web app from disk: the folder named by PERENNIAL_WEB, else frontend/dist below the
// working directory. The second value is false when neither has been built.
func Assets() (fs.FS, bool) {
	dir := os.Getenv(EnvDist)
	if dir == "" {
		dir = filepath.Join("frontend", "dist")
	}
	if _, err := os.Stat(filepath.Join(dir, "index.html")); err != nil {
		return nil, false
	}
	return os.DirFS(dir), true
}
