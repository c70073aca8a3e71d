package httpapi

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// webPolicy lets the web app load from here only. The component library passes it without exceptions.
const webPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; " +
	"connect-src 'self'; frame-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

const indexFile = "index.html"

// web serves the built web app. Paths that name no file are pages of the app and get its index.
func (d Deps) web() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			methodNotAllowed(w, r, "GET, HEAD")
			return
		}
		w.Header().Set("Content-Security-Policy", webPolicy)
		if d.Web == nil {
			bare(w)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		err := serveFile(w, r, d.Web, name)
		if errors.Is(err, fs.ErrNotExist) && !isAsset(name) {
			err = serveFile(w, r, d.Web, indexFile)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			writeProblem(w, r, errs.New(errs.NotFound, "no file %s", r.URL.Path))
		case err != nil:
			writeProblem(w, r, err)
		}
	})
}

// isAsset tells a file of the build from a page of the app.
func isAsset(name string) bool {
	if strings.HasPrefix(name, "assets/") {
		return true
	}
	switch path.Ext(name) {
	case ".js", ".mjs", ".css", ".map", ".svg", ".png", ".ico", ".woff2", ".json", ".txt", ".webmanifest":
		return true
	}
	return false
}

// serveFile answers a file; files under assets/ have their digest in the name and never change.
func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) error {
	if name == "" {
		name = indexFile
	}
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fs.ErrNotExist
	}
	cache := "no-cache"
	if strings.HasPrefix(name, "assets/") {
		cache = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", cache)
	return content(w, r, name, info.ModTime(), f)
}

func content(w http.ResponseWriter, r *http.Request, name string, modified time.Time, f fs.File) error {
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		all, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		seeker = bytes.NewReader(all)
	}
	http.ServeContent(w, r, name, modified, seeker)
	return nil
}

// bare answers where the web app was not built in.
func bare(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "This build has no web app. The API is under /v1 and the command line is complete.\n")
}
