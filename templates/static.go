package templates

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"silkpost/internal/errs"
)

// StaticPrefix is where StaticHandler belongs in a mux; pages link to files below it.
const StaticPrefix = "/static/"

// assets are the embedded files that pages link to.
type assets struct {
	paths   map[string]string // name → path with checksum
	content map[string][]byte // path → content
}

func readAssets(fsys fs.FS) (assets, error) {
	a := assets{paths: map[string]string{}, content: map[string][]byte{}}
	found, err := fs.Glob(fsys, "static/*")
	if err != nil {
		return a, err
	}
	for _, file := range found {
		content, err := fs.ReadFile(fsys, file)
		if err != nil {
			return a, err
		}
		sum := sha256.Sum256(content)
		name, ending := path.Base(file), path.Ext(file)
		at := StaticPrefix + strings.TrimSuffix(name, ending) + "." + hex.EncodeToString(sum[:8]) + ending
		a.paths[name], a.content[at] = at, content
	}
	return a, nil
}

// path returns the address of an embedded file such as "silkpost.css". It holds the content's checksum, so it changes when the
// content does.
func (a assets) path(name string) (string, error) {
	if p, ok := a.paths[name]; ok {
		return p, nil
	}
	return "", errs.New(errs.NotFound, "templates: no file is called static/%s", name)
}

// Icon returns the address of the program's icon, for browsers that ask for one where no page named it.
func (s *Set) Icon() string { return s.assets.paths["icon.svg"] }

// StaticHandler serves the embedded files to GET and HEAD, to be kept for a year. Mount it at StaticPrefix beside any page of
// this package. Other addresses, an old checksum among them, are 404.
func (s *Set) StaticHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := s.assets.content[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
