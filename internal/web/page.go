package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/text/language"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/templates"
)

// policy is the Content-Security-Policy of our pages: nothing runs, nothing is framed, pictures come from where articles have them.
// Pages with a script of ours add scripts.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const scripts = "; script-src 'self'"

// handler returns the page that answers a request; nil when it has answered by itself.
type handler func(w http.ResponseWriter, r *http.Request) (templates.Page, error)

// page answers with what h returns, in the reader's language; with an error page when that is an error.
func (s *site) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, err := h(w, r)
		status := http.StatusOK
		if err != nil {
			page, status = s.failure(r, err)
		}
		if page != nil {
			s.write(w, r, status, page)
		}
	})
}

// failure turns an error into what a visitor is told. What went wrong inside is for the log.
func (s *site) failure(r *http.Request, err error) (templates.Page, int) {
	status := map[errs.Kind]int{
		errs.Invalid: http.StatusBadRequest, errs.NotFound: http.StatusNotFound, errs.Gone: http.StatusGone, errs.Conflict: http.StatusConflict,
		errs.Unavailable: http.StatusServiceUnavailable,
	}[errs.KindOf(err)]
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	if status == 0 {
		status = http.StatusInternalServerError
		if database.IsAway(err) {
			status = http.StatusServiceUnavailable
		}
		s.Log.ErrorContext(r.Context(), "request failed", slog.String("pattern", r.Pattern), slog.Any("error", err))
	}
	return templates.ErrorPage{Status: status}, status
}

// write renders a page whole before its first byte goes out.
func (s *site) write(w http.ResponseWriter, r *http.Request, status int, page templates.Page) {
	body, ok := s.render(w, r, s.language(r), page)
	if !ok {
		return
	}
	w.Header().Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a visitor who went away is no fault
}

// publish answers with a page that is the same for everybody who asks for its address, in the language of that. Caches may keep it.
func (s *site) publish(w http.ResponseWriter, r *http.Request, tag string, page templates.Page) {
	body, ok := s.render(w, r, tag, page)
	if !ok {
		return
	}
	sum := sha256.Sum256(body.Bytes())
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Etag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body.Bytes()))
}

// render makes a page and sets the headers of all pages. It reports false when it had to answer otherwise.
func (s *site) render(w http.ResponseWriter, r *http.Request, tag string, page templates.Page) (body bytes.Buffer, ok bool) {
	if err := s.Templates.Page(&body, tag, page); err != nil {
		s.Log.ErrorContext(r.Context(), "page could not be made", slog.String("pattern", r.Pattern), slog.Any("error", err))
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return body, false
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", tag)
	h.Set("Content-Security-Policy", policyOf(page))
	h.Set("Referrer-Policy", "no-referrer") // links hold tokens
	h.Set("X-Content-Type-Options", "nosniff")
	return body, true
}

func policyOf(page templates.Page) string {
	if templates.Scripted(page) {
		return policy + scripts
	}
	return policy
}

// accepted returns the languages that a browser asks for, best first.
func accepted(r *http.Request) []string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return nil
	}
	wanted := make([]string, len(tags))
	for i, tag := range tags {
		wanted[i] = tag.String()
	}
	return wanted
}

// language returns the language of the product's words for a visitor: the one that the address names with ?lang=, else what their browser
// asks for.
func (s *site) language(r *http.Request) string {
	if tag := r.URL.Query().Get("lang"); s.Templates.Speaks(tag) {
		return tag
	}
	return s.Templates.Language(accepted(r), "en")
}

func (s *site) notFound(http.ResponseWriter, *http.Request) (templates.Page, error) {
	return nil, errs.New(errs.NotFound, "no such page")
}

// only answers for the methods that a known path does not take, which "/" would call an unknown page.
func (s *site) only(allowed string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		s.write(w, r, http.StatusMethodNotAllowed, templates.ErrorPage{Status: http.StatusMethodNotAllowed})
	})
}

// logged writes one line per request. Addresses hold tokens, so it is the pattern that is logged.
func (s *site) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		debug := s.Log.Enabled(r.Context(), slog.LevelDebug) // seldom in service; the line costs as much as finding a feed in memory
		if !debug && s.Answered == nil {
			next.ServeHTTP(w, r)
			return
		}
		begin := time.Now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		took := time.Since(begin)
		if s.Answered != nil {
			s.Answered(r.Pattern, seen.status, took)
		}
		if debug {
			s.Log.DebugContext(r.Context(), "request", slog.String("method", r.Method), slog.String("pattern", r.Pattern), slog.Int("status", seen.status),
				slog.Any("ms", took.Milliseconds()))
		}
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status and passes it on.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
