//go:build embed

package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Assets gives the built web app: index.html at its root, everything else named by its digest. The second
// value is true: this binary carries it.
func Assets() (fs.FS, bool) {
	sub, err := fs.Sub(dist, "dist")
	return sub, err == nil
}
