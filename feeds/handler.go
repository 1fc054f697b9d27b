package feeds

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Handler answers for the documents of all feeds. Mount it at /feeds/{file}. It sets no cookies, and nothing of a request but its
// path decides what a document says.
type Handler struct {
	store     *Store
	db        database.Handle
	publicURL string
	log       *slog.Logger
}

// NewHandler returns a handler that is safe for concurrent use. publicURL has no slash at its end.
func NewHandler(store *Store, db database.Handle, publicURL string, log *slog.Logger) *Handler {
	return &Handler{store: store, db: db, publicURL: publicURL, log: log}
}

// ServeHTTP answers GET and HEAD for {slug}.rss, {slug}.atom and {slug}.json, conditional requests (RFC 9110, section 13) included.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "a feed can only be read", http.StatusMethodNotAllowed)
		return
	}
	doc, err := h.load(r.Context(), r.PathValue("file"))
	switch {
	case err == nil:
		doc.serve(w, r)
	case r.Context().Err() != nil: // the client went away
	case errs.KindOf(err) == errs.NotFound:
		http.Error(w, err.Error(), http.StatusNotFound)
	case errs.KindOf(err) == errs.Unavailable:
		h.log.WarnContext(r.Context(), "feed not served", slog.String("path", r.URL.Path), slog.Any("error", err))
		http.Error(w, "the feed cannot be read now: try again in a minute", http.StatusServiceUnavailable)
	default:
		h.log.ErrorContext(r.Context(), "feed not served", slog.String("path", r.URL.Path), slog.Any("error", err))
		http.Error(w, "the feed could not be made", http.StatusInternalServerError)
	}
}

// load loads what a file name such as all.rss stands for.
func (h *Handler) load(ctx context.Context, file string) (Document, error) {
	dot := strings.LastIndexByte(file, '.')
	format, err := ParseFormat(file[dot+1:])
	if dot < 0 || err != nil {
		return Document{}, errs.New(errs.NotFound, "there is no feed document %q: names end in .rss, .atom or .json", file)
	}
	return h.store.Load(ctx, h.db, file[:dot], format, h.publicURL)
}

// How long a reader may keep a document without asking again.
const cacheControl = "public, max-age=300"

func (d *Document) serve(w http.ResponseWriter, r *http.Request) {
	compress := acceptsGzip(r.Header.Values("Accept-Encoding"))
	etag := entityTag(d.Body, compress)
	header := w.Header()
	header.Set("Content-Type", d.Format.MediaType()+"; charset=utf-8")
	header.Set("Cache-Control", cacheControl)
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", etag)
	header.Set("X-Content-Type-Options", "nosniff")
	if !d.Modified.IsZero() {
		header.Set("Last-Modified", d.Modified.UTC().Format(http.TimeFormat))
	}
	if d.Format == JSON { // pages of other sites may read it, and its ETag
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Expose-Headers", "ETag")
	}
	if notModified(r, etag, d.Modified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := d.Body
	if compress {
		body = compressed(body)
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // a feed, not a page, its text escaped; an error means that the client went away
}

// entityTag returns the strong validator of a body, another one for its compressed form.
func entityTag(body []byte, compressed bool) string {
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:16])
	if compressed {
		tag += "-gzip"
	}
	return `"` + tag + `"`
}

func compressed(body []byte) []byte {
	var out bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&out, 5) // 5 is a level, and a buffer takes everything
	_, _ = zip.Write(body)
	_ = zip.Close()
	return out.Bytes()
}
