// Package web answers HTTP: the public pages, the feeds, and what operators ask. It is thin: load, call the domain, answer.
// Handlers return an error; one place turns it into a page and a log line. Nothing here sets a cookie, and GET changes nothing.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"github.com/klauspost/compress/gzhttp"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/installation"
	"silkpost/internal/token"
	"silkpost/subscribers"
	"silkpost/templates"
)

// Config is what the web needs.
type Config struct {
	DB          *sqlx.DB
	Clock       clock.Clock
	Log         *slog.Logger
	Templates   *templates.Set
	Articles    *articles.Store
	Feeds       *feeds.Store
	FeedHandler http.Handler // for /feeds/{file}, /feeds/{slug}/{file} and /feeds/p/{file}, as feed readers get them
	Keys        token.Keys   // of the links in mails; nil: such links are unknown
	PublicURL   string       // without a slash at its end
	Extra       http.Handler // below /mail/; nil: nothing
	Admin       http.Handler // below /admin/; nil: nothing
	API         http.Handler // below /api/; nil: nothing

	// Metrics answers at /metrics, to who asks from this machine and through no proxy; nil: nobody.
	Metrics http.Handler
	// Answered is told of each request that was answered, by its pattern; nil: nobody is. It must be quick.
	Answered func(pattern string, status int, took time.Duration)

	Proxies []netip.Prefix // whose X-Forwarded-For is believed
	Pace    time.Duration  // how long the answer to a form that anybody can fill in takes at least: what was done does not show

	// MayBeSent refuses a list that can send nobody anything yet: nobody subscribes to it. nil refuses none.
	MayBeSent func(subscribers.List) error
	// SendConfirmation sends, in h's transaction, the mail that asks the person of a subscription to confirm it; or, when it waits for nothing,
	// the one that says so. nil sends none.
	SendConfirmation func(ctx context.Context, h database.Handle, subscription int64) error
	// SendWelcome sends, in the transaction h that confirmed a subscription, what its list has for who is new. nil sends nothing.
	SendWelcome func(ctx context.Context, h database.Handle, subscription int64) error
	// SendAddressChange sends, in h's transaction, the mail that asks a contact at their present address whether their mail shall go to a new one.
	// nil sends none.
	SendAddressChange func(ctx context.Context, h database.Handle, contact int64, newAddress string) error
	// SendNewAddress sends, in h's transaction, the mail that asks the owner of a new address whether the contact's mail shall go there. nil sends none.
	SendNewAddress func(ctx context.Context, h database.Handle, contact int64, newAddress string) error
}

// site holds the handlers.
type site struct{ Config }

// New returns the handler of all addresses. It is safe for concurrent use.
func New(cfg Config) http.Handler {
	s := &site{cfg}
	mux := http.NewServeMux()
	for path, get := range map[string]http.Handler{
		"/{$}":             http.RedirectHandler("/feeds/", http.StatusFound),
		"/feeds/{$}":       gzhttp.GzipHandler(s.page(s.feeds)), // a thousand feeds are a megabyte of much the same
		opmlPath:           http.HandlerFunc(s.opml),
		"/articles/{slug}": s.page(s.article),
		"/media/{file}":    s.page(s.media),
		"/view/{token}":    s.page(s.private(s.view)),

		"/archive/{list}":                   s.page(s.archiveHome),
		"/archive/{list}/{$}":               s.page(s.archiveHome),
		"/archive/{list}/{language}/{$}":    s.page(s.archive),
		"/archive/{list}/{language}/{file}": s.page(s.archived),
		templates.StaticPrefix:              cfg.Templates.StaticHandler(),
		installation.Path:                   http.HandlerFunc(s.installation),
		"/favicon.ico":                      http.RedirectHandler(cfg.Templates.Icon(), http.StatusFound),
		"/healthz":                          http.HandlerFunc(s.healthz),
		"/readyz":                           http.HandlerFunc(s.readyz),
	} {
		mux.Handle("GET "+path, get)
		mux.Handle(path, s.only("GET, HEAD"))
	}
	for path, handlers := range map[string][2]handler{
		"/s/{list}":            {s.askJoin, s.join},
		"/confirm/{token}":     {s.private(s.askConfirm), s.private(s.confirm)},
		"/preferences/{token}": {s.private(s.showPreferences), s.private(s.changePreferences)},
		"/unsubscribe/{token}": {s.private(s.askUnsubscribe), s.private(s.unsubscribe)},
		"/view/{token}/links":  {s.private(s.askLinks), s.private(s.sendLinks)},
	} {
		mux.Handle("GET "+path, s.page(handlers[0]))
		mux.Handle("POST "+path, s.page(handlers[1]))
		mux.Handle(path, s.only("GET, HEAD, POST"))
	}
	if cfg.Metrics != nil {
		mux.Handle("GET /metrics", s.local(cfg.Metrics))
	}
	mux.Handle("/feeds/{file}", s.inBrowser(s.page(s.feed), cfg.FeedHandler))
	mux.Handle("/feeds/{slug}/{file}", s.inBrowser(s.page(s.feed), cfg.FeedHandler))
	mux.Handle("/feeds/p/{file}", s.inBrowser(s.page(s.privateFeed), cfg.FeedHandler))
	mux.Handle("/", s.page(s.notFound))
	for path, handler := range map[string]http.Handler{"/mail/": cfg.Extra, "/admin/": cfg.Admin, "/api/": cfg.API} {
		if handler != nil {
			mux.Handle(path, handler)
		}
	}
	return s.logged(s.readable(mux))
}

// readable answers for paths that can name nothing: Postgres takes neither NUL nor broken UTF-8 for text.
func (s *site) readable(next http.Handler) http.Handler {
	unknown := s.page(s.notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !utf8.ValidString(r.URL.Path) || strings.Contains(r.URL.Path, "\x00") {
			unknown.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
