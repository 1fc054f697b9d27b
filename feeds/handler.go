package feeds

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Options say how a handler serves.
type Options struct {
	Clock      clock.Clock
	Log        *slog.Logger
	CacheBytes int // of memory for documents and their parts
}

// Handler answers for the documents of all feeds. Mount it at /feeds/{file} for subscription documents, /feeds/{slug}/{file} for
// archives and /feeds/p/{file} for private feeds. It sets no cookies, and nothing of a request but its path decides what a document
// says. It keeps documents ready in memory and serves none that is older than a second, but when the database does not answer.
type Handler struct{ documents *documents }

// NewHandler returns a handler that is safe for concurrent use. publicURL has no slash at its end.
func NewHandler(store *Store, db *sqlx.DB, publicURL string, opt Options) *Handler {
	return &Handler{newDocuments(store, db, publicURL, opt)}
}

// CacheStats is what a handler holds in memory, and how often it had to make a document since it began.
type CacheStats struct {
	Documents, Bytes, Rendered int64
}

// Cache returns what is in memory at this moment, about.
func (h *Handler) Cache() CacheStats { return h.documents.stats() }

// Follow renders the documents anew that were read lately when their articles change, until ctx ends. wake tells it that something
// changed: what is said on Channel.
func (h *Handler) Follow(ctx context.Context, wake <-chan struct{}) { h.documents.follow(ctx, wake) }

// ServeHTTP answers GET and HEAD for {slug}.rss, {slug}.atom and {slug}.json, conditional requests (RFC 9110, section 13) included.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "a feed can only be read", http.StatusMethodNotAllowed)
		return
	}
	if err := h.serve(w, r); err != nil {
		h.fail(w, r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	name, format, err := splitFile(r.PathValue("file"))
	if err != nil {
		return err
	}
	switch slug := r.PathValue("slug"); {
	case slug != "":
		place, ok := parsePlace(name)
		if !ok {
			return errs.New(errs.NotFound, "there is no archive %q", name)
		}
		return h.serveFeed(w, r, slug, place, format)
	case strings.HasPrefix(r.Pattern, "/feeds/"+privatePath+"/"):
		return h.servePrivate(w, r, name, format)
	default:
		return h.serveFeed(w, r, name, articles.Place{}, format)
	}
}

// splitFile returns what a file name such as all.rss stands for.
func splitFile(file string) (name string, format Format, err error) {
	dot := strings.LastIndexByte(file, '.')
	if dot > 0 {
		if format, err = ParseFormat(file[dot+1:]); err == nil {
			return file[:dot], format, nil
		}
	}
	return "", "", errs.New(errs.NotFound, "there is no feed document %q: names end in .rss, .atom or .json", file)
}

func (h *Handler) serveFeed(w http.ResponseWriter, r *http.Request, slug string, place articles.Place, format Format) error {
	now := h.documents.clock.Now()
	feed, err := h.documents.feed(r.Context(), slug, now)
	if err != nil {
		return err
	}
	if feed.Slug != slug {
		h.redirect(w, r, feed.Slug, place, format)
		return nil
	}
	doc, err := h.documents.get(r.Context(), feed, place, format, accepted(r.Header["Accept-Encoding"]))
	if err != nil {
		return err
	}
	doc.read.Store(now.Unix())
	doc.serve(w, r, now)
	return nil
}

// redirect leads from a slug that a feed had before, or another spelling, to the one that it has.
func (h *Handler) redirect(w http.ResponseWriter, r *http.Request, slug string, place articles.Place, format Format) {
	path := slug
	if place != (articles.Place{}) {
		path += "/" + placeName(place)
	}
	w.Header().Set("Cache-Control", "public, max-age=86400")
	http.Redirect(w, r, URL(h.documents.publicURL, path, format), http.StatusMovedPermanently) //nolint:gosec // the slug is that of a feed, the rest our own
}

func (h *Handler) servePrivate(w http.ResponseWriter, r *http.Request, token string, format Format) error {
	d := h.documents
	w.Header().Set("X-Robots-Tag", "noindex") // of every answer
	doc, err := d.loadPrivate(r.Context(), d.db, token, format)
	if err != nil {
		return err
	}
	ready := newServed(doc, d.publicURL).encoded(accepted(r.Header["Accept-Encoding"]))
	ready.header["Cache-Control"] = []string{"private, " + subscriptionAge}
	ready.header["X-Robots-Tag"] = []string{"noindex"}
	ready.header["Referrer-Policy"] = []string{"no-referrer"}
	ready.serve(w, r, d.clock.Now())
	return nil
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	log := h.documents.log
	failed := []any{slog.String("pattern", r.Pattern), slog.Any("error", err)} // a path may hold a token
	switch kind := errs.KindOf(err); {
	case r.Context().Err() != nil: // the client went away
	case kind == errs.NotFound:
		http.Error(w, err.Error(), http.StatusNotFound)
	case kind == errs.Gone:
		http.Error(w, err.Error(), http.StatusGone)
	case kind == errs.Unavailable, database.IsAway(err), errors.Is(err, context.DeadlineExceeded):
		log.WarnContext(r.Context(), "feed not served", failed...)
		http.Error(w, "the feed cannot be read now: try again in a minute", http.StatusServiceUnavailable)
	default:
		log.ErrorContext(r.Context(), "feed not served", failed...)
		http.Error(w, "the feed could not be made", http.StatusInternalServerError)
	}
}

// How long readers and caches may keep a document without asking again. What an archive holds hardly ever changes.
var (
	subscriptionAge = fmt.Sprintf("max-age=%.f, stale-while-revalidate=600, stale-if-error=86400", maxAge.Seconds())
	archiveAge      = "max-age=604800, stale-while-revalidate=604800"
)

// served is a document as it is sent, in one encoding.
type served struct {
	body     []byte
	encoding encoding
	etag     string       // strong
	modified time.Time    // whole seconds; zero: never
	header   http.Header  // of every answer, 304 too
	read     atomic.Int64 // when it was last asked for, in seconds

	lastModified, contentEncoding, contentLength []string // values of the headers that not every answer has
}

func newServed(doc Document, publicURL string) *served {
	s := &served{body: doc.Body, modified: doc.Modified.Truncate(time.Second), header: http.Header{
		"Content-Type":           {doc.Format.MediaType() + "; charset=utf-8"},
		"Cache-Control":          {"public, " + subscriptionAge},
		"Vary":                   {"Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode"}, // a browser that opens a feed gets a page
		"X-Content-Type-Options": {"nosniff"},
		"Link":                   {linkHeader(doc, publicURL)},
	}}
	if doc.Archive {
		s.header["Cache-Control"] = []string{"public, " + archiveAge}
	}
	if doc.Format == JSON { // pages of other sites may read it, and its ETag
		s.header["Access-Control-Allow-Origin"] = []string{"*"}
		s.header["Access-Control-Expose-Headers"] = []string{"ETag, Link"}
	}
	sum := sha256.Sum256(doc.Body)
	s.finish(base64.RawURLEncoding.EncodeToString(sum[:16]))
	return s
}

// finish sets the headers that follow from the rest.
func (s *served) finish(tag string) {
	s.etag = `"` + tag + `"`
	s.header["Etag"] = []string{s.etag}
	s.lastModified = []string{s.modified.UTC().Format(http.TimeFormat)}
	s.contentEncoding = []string{string(s.encoding)}
	s.contentLength = []string{strconv.Itoa(len(s.body))}
}

// linkHeader tells where to subscribe to changes (WebSub, section 4).
func linkHeader(doc Document, publicURL string) string {
	var links []string
	for _, hub := range doc.Hubs {
		links = append(links, "<"+hub+`>; rel="hub"`)
	}
	self := publicURL + cmp.Or(doc.Folder, feedsFolder) + doc.Path + "." + string(doc.Format)
	return strings.Join(append(links, "<"+self+`>; rel="self"`), ", ")
}

// Serve answers a request with a document that is not one of the store's, as the handler would: conditional and compressed.
func Serve(w http.ResponseWriter, r *http.Request, doc Document, publicURL string, now time.Time) {
	newServed(doc, publicURL).encoded(accepted(r.Header["Accept-Encoding"])).serve(w, r, now)
}

// encoded returns the same in another encoding, which has a tag of its own.
func (s *served) encoded(e encoding) *served {
	if e == identity {
		return s
	}
	other := &served{body: e.encode(s.body), encoding: e, modified: s.modified, header: s.header.Clone()}
	other.finish(strings.Trim(s.etag, `"`) + "-" + string(e))
	return other
}

func (s *served) serve(w http.ResponseWriter, r *http.Request, now time.Time) {
	header := w.Header()
	for name, values := range s.header {
		header[name] = values
	}
	modified := s.modified
	if modified.After(now) { // changed twice within a second: no date can tell that yet
		modified = time.Time{}
	}
	if !modified.IsZero() {
		header["Last-Modified"] = s.lastModified
	}
	if notModified(r, s.etag, modified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if s.encoding != identity {
		header["Content-Encoding"] = s.contentEncoding
	}
	header["Content-Length"] = s.contentLength
	_, _ = w.Write(s.body) // an error means that the client went away
}
