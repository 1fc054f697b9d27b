// Package sources reads articles from where they come from, one file per kind of source. What it returns is dirty: cleaning
// is done by package articles, once, on the way in.
package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
)

// fileLimit is the size up to which a file is read, 10 MB.
const fileLimit = 10 << 20

const accepted = "Markdown (.md, .markdown), HTML (.html, .htm, .xhtml) and plain text (.txt) are"

// readers says who reads which extension.
var readers = map[string]func(file) (articles.Draft, error){
	".md": readMarkdown, ".markdown": readMarkdown,
	".html": readHTML, ".htm": readHTML, ".xhtml": readHTML,
	".txt": readText, ".text": readText,
}

// companions are files that lie beside articles in a folder and are no articles: pictures and what a browser saves along.
var companions = map[string]bool{
	".jpg": true, ".jpeg": true, ".png": true, ".gif": true, ".webp": true, ".avif": true, ".svg": true, ".ico": true,
	".css": true, ".js": true, ".woff": true, ".woff2": true,
}

// file is one file that is being read.
type file struct {
	path    string // as people named it
	key     string // relative to what was named, with slashes
	body    []byte
	written time.Time // last
}

// Files is what reading paths gave.
type Files struct {
	Drafts  []articles.Draft // in the order of the paths, within a folder by name
	Refused []Refused
}

// Refused is a file, or a path, that gave no article.
type Refused struct {
	Path string
	Err  error // one line that names the path and says why
}

// Err returns nil when nothing was refused, else one error of kind errs.Invalid that names every file that was.
func (f Files) Err() error {
	switch len(f.Refused) {
	case 0:
		return nil
	case 1:
		return f.Refused[0].Err
	}
	reasons := make([]string, len(f.Refused))
	for i, r := range f.Refused {
		reasons[i] = r.Err.Error()
	}
	return errs.New(errs.Invalid, "%d of %d files cannot be read as articles: %s", len(f.Refused), len(f.Drafts)+len(f.Refused),
		strings.Join(reasons, "; "))
}

// ReadPaths reads files and folders. In a folder, with all that is below it, hidden files and the pictures and styles beside
// articles are passed over; anything else that is no article is refused, as is a file without text or a second file with the
// key of an earlier one. The caller decides whether Refused ends the import. An error is only returned when ctx is over.
//
// The external key of an article is the id of its front matter; else the canonical URL that it gives; else its path
// relative to the folder that was named, with slashes (a file that was named itself: its base name). So the same
// folder gives the same articles on every machine and from every working directory. Files that are edited and moved about need an
// id or a URL to stay the same article.
func ReadPaths(ctx context.Context, paths ...string) (Files, error) {
	return readPaths(ctx, func(fs.FileInfo) bool { return false }, paths...)
}

// readPaths is ReadPaths without the files that are to be left alone.
func readPaths(ctx context.Context, leave func(fs.FileInfo) bool, paths ...string) (Files, error) {
	r := &folderReader{keys: map[string]string{}, leave: leave}
	for _, path := range paths {
		if err := r.walk(ctx, path); err != nil {
			return Files{}, err
		}
	}
	return r.found, nil
}

type folderReader struct {
	found Files
	keys  map[string]string // external key → path
	leave func(fs.FileInfo) bool
}

func (r *folderReader) walk(ctx context.Context, root string) error {
	before := len(r.found.Drafts) + len(r.found.Refused)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.refuse(path, plainCause(err))
			return nil
		case path != root && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir() || path != root && companions[extensionOf(path)]:
			return nil
		}
		if info, err := entry.Info(); err == nil && r.leave(info) {
			return nil
		}
		if path != root && entry.Type()&fs.ModeSymlink != 0 && leadsOut(root, path) {
			r.refuse(path, errors.New("this is a link to a file that is not in the folder; put the file itself there"))
			return nil
		}
		r.read(root, path)
		return nil
	})
	if err == nil && len(r.found.Drafts)+len(r.found.Refused) == before {
		r.refuse(root, errors.New("there are no articles in this folder; "+accepted+" read"))
	}
	return err
}

// leadsOut reports whether a link in a folder leads to a file elsewhere: who may put files there is not to publish what else this machine has.
func leadsOut(root, link string) bool {
	folder, err := filepath.EvalSymlinks(root)
	if err != nil {
		return true
	}
	file, err := filepath.EvalSymlinks(link)
	if err != nil {
		return false // that it cannot be read says why
	}
	rel, err := filepath.Rel(folder, file)
	return err != nil || !filepath.IsLocal(rel)
}

// read takes in one file.
func (r *folderReader) read(root, path string) {
	draft, err := readFile(root, path)
	if err == nil {
		err = draft.Check()
	}
	if first, taken := r.keys[draft.ExternalKey]; err == nil && taken {
		err = fmt.Errorf("it has the same key %q as %s; give each an id of its own in its front matter", draft.ExternalKey, first)
	}
	if err != nil {
		r.refuse(path, err)
		return
	}
	r.keys[draft.ExternalKey] = path
	r.found.Drafts = append(r.found.Drafts, draft)
}

func (r *folderReader) refuse(path string, err error) {
	r.found.Refused = append(r.found.Refused, Refused{Path: path, Err: errs.New(errs.Invalid, "%s: %w", path, err)})
}

func readFile(root, path string) (articles.Draft, error) {
	reader, ok := readers[extensionOf(path)]
	if !ok {
		return articles.Draft{}, errors.New("this kind of file is not read; " + accepted)
	}
	f := file{path: path}
	var err error
	if f.body, f.written, err = readBody(path); err != nil {
		return articles.Draft{}, err
	}
	key, err := filepath.Rel(root, path)
	if err != nil || key == "." {
		key = filepath.Base(path)
	}
	f.key = filepath.ToSlash(key)
	draft, err := reader(f)
	if draft.Written = f.written; draft.Published.IsZero() {
		draft.Published = f.nameDate()
	}
	if draft.ExternalKey == "" {
		draft.ExternalKey = draft.URL
	}
	if draft.ExternalKey == "" {
		draft.ExternalKey, draft.File = f.key, path
	}
	return draft, err
}

func readBody(path string) (body []byte, written time.Time, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, written, plainCause(err)
	case !info.Mode().IsRegular():
		return nil, written, errors.New("this is not a regular file")
	case info.Size() > fileLimit:
		return nil, written, fmt.Errorf("the file has %d bytes, more than the %d that are read", info.Size(), fileLimit)
	}
	if body, err = os.ReadFile(path); err != nil {
		return nil, written, plainCause(err)
	}
	return body, info.ModTime(), nil
}

// address returns a file's path as if it were that of a page.
func (f file) address() *url.URL {
	return &url.URL{Path: "/" + strings.ReplaceAll(strings.TrimSuffix(f.key, filepath.Ext(f.key)), "_", "-")}
}

// nameDate returns the date in a file's path, zero when there is none: 2024/05/07/hall.html, 2024-05-07-hall.txt, hall_20240507.md.
func (f file) nameDate() time.Time {
	if s, ok := addressDate(f.address(), time.UTC); ok {
		return s.Time
	}
	s, _, _, _ := findDate(path.Base(f.address().Path), time.UTC)
	return s.Time
}

// page returns an HTML file as a web page, at the address that it says is its own or else at its path.
func (f file) page(doc *goquery.Document, source, own string) *webPage {
	address, err := url.Parse(own)
	if err != nil || own == "" {
		address = f.address()
	}
	return newPage(address, source, doc)
}

// plainCause takes operation and path off a file error: the path stands before it already.
func plainCause(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file or folder")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission to read it is missing")
	}
	if wrapped := (*fs.PathError)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func extensionOf(path string) string { return strings.ToLower(filepath.Ext(path)) }
