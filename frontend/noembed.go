//go:build !embed

// Package frontend holds the web app. Builds with the tag "embed" carry it inside.
package frontend

import "io/fs"

// Assets gives nothing: this build carries no web app.
func Assets() (fs.FS, bool) { return nil, false }
