package catcher

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/text/language"

	"silkpost/internal/errs"
	"silkpost/templates"
)

const (
	perPage = 100

	// pagePolicy lets our own pages use our style sheet and show the frame.
	pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
	// foreignPolicy is for what a message holds: nothing is loaded, nothing runs, and it is nobody's origin. Links open a window
	// of their own, where the usual rules hold again.
	foreignPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; " +
		"sandbox allow-popups allow-popups-to-escape-sandbox"
)

// web is the pages of a catcher.
type web struct {
	catcher *Catcher
	set     *templates.Set
	base    string
}

// Handler returns the pages: the messages, newest first, at base+"/", and each message by HTML, text, headers and as it came.
// base is where they are mounted, such as "/catcher", or "". The pages need set.StaticHandler beside them. A message's HTML is
// only ever served under a policy by which it loads and runs nothing; the pages say nothing that is not the message's. They are
// for whoever may read all mail: put them behind a door, or on loopback.
func (c *Catcher) Handler(set *templates.Set, base string) http.Handler {
	w := web{c, set, base}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request) error{
		"/{$}":       w.list,
		"/{id}":      w.message,
		"/{id}/html": w.html,
		"/{id}/raw":  w.raw,
		"/":          w.nothing,
	} {
		mux.Handle("GET "+base+pattern, w.answering(handle))
	}
	return mux
}

// answering sets the headers that all answers have and answers for an error.
func (w web) answering(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-DNS-Prefetch-Control", "off")
		h.Set("Cache-Control", "no-store")
		if err := handle(rw, r); err != nil {
			w.fail(rw, r, err)
		}
	})
}

func (w web) fail(rw http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if errs.KindOf(err) == errs.NotFound {
		status = http.StatusNotFound
	} else {
		w.catcher.cfg.Logger.ErrorContext(r.Context(), "mail catcher: a page failed", slog.String("path", r.URL.Path), slog.Any("error", err))
	}
	if err := w.page(rw, r, status, templates.ErrorPage{Status: status}); err != nil {
		http.Error(rw, http.StatusText(status), status)
	}
}

// page renders a page whole before its first byte is sent.
func (w web) page(rw http.ResponseWriter, r *http.Request, status int, page templates.Page) error {
	var b bytes.Buffer
	if err := w.set.Page(&b, w.language(r), page); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = b.WriteTo(rw) // the reader may be gone; there is nobody left to tell
	return nil
}

func (w web) language(r *http.Request) string {
	var wanted []string
	tags, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	for _, tag := range tags {
		wanted = append(wanted, tag.String())
	}
	return w.set.Language(wanted, "en")
}

func (w web) nothing(_ http.ResponseWriter, r *http.Request) error {
	return errs.New(errs.NotFound, "mail catcher: there is no page %s", r.URL.Path)
}

func (w web) list(rw http.ResponseWriter, r *http.Request) error {
	number, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || number < 1 || number > 1<<30 {
		number = 1
	}
	messages, total := w.catcher.newest((number-1)*perPage, perPage)
	page := templates.CatcherList{Total: total, Address: w.catcher.address()}
	for _, m := range messages {
		page.Messages = append(page.Messages, templates.CatcherEntry{
			ID: m.ID, URL: w.url(m.ID), From: m.From, To: m.To, Subject: m.Subject, At: m.Time, Size: m.Size,
		})
	}
	if number > 1 {
		page.NewerURL = w.pageURL(number - 1)
	}
	if number*perPage < total {
		page.OlderURL = w.pageURL(number + 1)
	}
	return w.page(rw, r, http.StatusOK, page)
}

func (w web) url(id string) string { return w.base + "/" + id }

func (w web) pageURL(number int) string {
	if number == 1 {
		return w.base + "/"
	}
	return fmt.Sprintf("%s/?page=%d", w.base, number)
}

func (w web) message(rw http.ResponseWriter, r *http.Request) error {
	m, raw, err := w.catcher.Open(r.PathValue("id"))
	if err != nil {
		return err
	}
	parts := partsOf(raw)
	page := templates.CatcherMessage{
		ID: m.ID, From: m.From, To: m.To, Subject: m.Subject, At: m.Time, Size: m.Size,
		View: templates.CatcherView(r.URL.Query().Get("view")), ListURL: w.base + "/", URL: w.url(m.ID), RawURL: w.url(m.ID) + "/raw",
	}
	if parts.html != "" {
		page.HTMLURL = w.url(m.ID) + "/html"
	}
	if views := page.Views(); !slices.Contains(views, page.View) {
		page.View = views[0]
	}
	switch page.View {
	case templates.CatcherText:
		page.Text = parts.text
	case templates.CatcherHeaders:
		page.Headers = headersOf(raw)
	case templates.CatcherRaw:
		page.Raw = shown(raw)
	}
	return w.page(rw, r, http.StatusOK, page)
}

// html answers with the HTML part by itself, for the frame.
func (w web) html(rw http.ResponseWriter, r *http.Request) error {
	_, raw, err := w.catcher.Open(r.PathValue("id"))
	if err != nil {
		return err
	}
	html := partsOf(raw).html
	if html == "" {
		return errs.New(errs.NotFound, "mail catcher: message %s has no HTML", r.PathValue("id"))
	}
	rw.Header().Set("Content-Security-Policy", foreignPolicy)
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = rw.Write([]byte(framed(html)))
	return nil
}

var (
	headTag       = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`) // where a message's head begins, if it says so
	connectingTag = regexp.MustCompile(`(?i)<(link|i?frame|fencedframe|object|embed|portal)`)
)

// framed returns HTML as the frame gets it: links open a window of their own, for inside the frame they would meet our policy;
// and elements for which browsers connect to a host before they ask the policy are made <meta>, which does nothing with their
// attributes.
func framed(html string) string {
	html = connectingTag.ReplaceAllString(html, "<meta")
	at := 0
	if place := headTag.FindStringIndex(html); place != nil {
		at = place[1]
	}
	return html[:at] + `<base target="_blank">` + html[at:]
}

// raw answers with the bytes as they were sent, to be saved.
func (w web) raw(rw http.ResponseWriter, r *http.Request) error {
	m, raw, err := w.catcher.Open(r.PathValue("id"))
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Security-Policy", foreignPolicy)
	rw.Header().Set("Content-Type", "message/rfc822")
	rw.Header().Set("Content-Disposition", `attachment; filename="`+m.ID+ending+`"`)
	_, _ = rw.Write(raw) //nolint:gosec // served as a file under a policy by which nothing runs
	return nil
}

// newest is store.page; a catcher that keeps nothing has empty ones.
func (c *Catcher) newest(skip, limit int) ([]Message, int) {
	if c.store == nil {
		return nil, 0
	}
	return c.store.page(skip, limit)
}
