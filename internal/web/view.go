package web

import (
	"io"
	"net/http"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
	"silkpost/templates"
)

// viewPolicy is the Content-Security-Policy of a digest as a page. It is foreign text, in a document of its own that has no origin: nothing in
// it runs, is sent or framed. Its links open as in a mail program, in pages that are not under this policy.
const viewPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
	"img-src 'self' http: https: data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

// hiddenAddress stands where the mail has its recipient's address.
const hiddenAddress = "••••"

// view shows the digest that a contact got, as they got it but for what is theirs: links to it are passed on. Where the mail has the links to
// preferences and to unsubscribe it leads to a page that asks.
func (s *site) view(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	v, err := s.viewed(r)
	if err == nil && v.Message == nil {
		err = errs.New(errs.Gone, "the message is not stored any more")
	}
	if errs.KindOf(err) == errs.Gone {
		s.write(w, r, http.StatusGone, templates.DroppedPage{})
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	here := s.PublicURL + "/view/" + r.PathValue("token")
	html, err := v.Message.HTML(compose.Recipient{
		Address: hiddenAddress, PreferencesURL: here + "/links", UnsubscribeURL: here + "/links", ViewURL: here,
	})
	if err != nil {
		return nil, err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Language)
	h.Set("Content-Security-Policy", viewPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, html)
	return nil, nil
}

// viewed returns the digest that an address stands for.
func (s *site) viewed(r *http.Request) (v compose.Viewed, err error) {
	var edition uuid.UUID
	var contact int64
	if edition, contact, err = compose.OpenView(s.Keys, r.PathValue("token")); err != nil {
		return v, err
	}
	return compose.View(r.Context(), s.DB, edition, contact)
}

// viewSubscription returns the subscription that a digest came by.
func (s *site) viewSubscription(r *http.Request) (sub subscribers.Subscription, err error) {
	v, err := s.viewed(r)
	if err != nil {
		return sub, err
	}
	return subscribers.SubscriptionByID(r.Context(), s.DB, v.SubscriptionID)
}

// askLinks asks whether the links by which a subscription is changed and ended shall be sent to its person: whoever sees the digest as a page may
// be anybody.
func (s *site) askLinks(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.viewSubscription(r)
	return templates.LinksPage{ListName: sub.List.NameIn(s.language(r))}, err
}

// sendLinks sends them, within the limits of notices. The answer is the same for all, and whoever has unsubscribed is left alone.
func (s *site) sendLinks(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	sub, err := s.viewSubscription(r)
	if err != nil {
		return nil, err
	}
	if s.SendConfirmation != nil && (sub.State == subscribers.Active || sub.State == subscribers.Paused) {
		err = database.Transact(r.Context(), s.DB, func(tx *sqlx.Tx) error { return s.SendConfirmation(r.Context(), tx, sub.ID) })
	}
	return templates.LinksPage{ListName: sub.List.NameIn(s.language(r)), Sent: true}, err
}
