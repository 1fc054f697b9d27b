package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
	"silkpost/templates"
)

// Mail programs and scanners follow the links in mails and press the buttons behind them. So looking changes nothing, and a press needs the
// nonce of a page that showed things as they are; where it lacks that, or where a mail has only just been delivered, the page asks for one
// more press. It never refuses.

// justNow is for how long after its delivery a mail's links may be followed by programs.
const justNow = 3 * time.Minute

// nonceLife is for how long a page may be left open before its buttons are asked about once more.
const nonceLife = 24 * time.Hour

// nonce is what a page carries to its buttons.
type nonce struct {
	page    string // the purpose of the link that leads to it
	id      int64  // of that link: a subscription's, or a contact's
	version int64  // see subscribers.Version
	at      time.Time
	sure    bool // a press was asked about already: whoever presses here is a person
}

func (n nonce) purpose() string { return "press on " + n.page }

// sign returns the nonce for a form.
func (s *site) sign(n nonce) string {
	return s.Keys.SignWith(n.purpose(), n.id, fmt.Sprintf("%d %d %t", n.version, n.at.Unix(), n.sure))
}

// posted returns the nonce that came with a press on a page; ok is false when it came with none of that page.
func (s *site) posted(r *http.Request, page string, id int64) (n nonce, ok bool) {
	n = nonce{page: page}
	var words string
	var err error
	if n.id, words, err = s.Keys.OpenWith(n.purpose(), r.PostFormValue("nonce")); err != nil || n.id != id {
		return nonce{}, false
	}
	var unix int64
	if _, err := fmt.Sscanf(words, "%d %d %t", &n.version, &unix, &n.sure); err != nil {
		return nonce{}, false
	}
	n.at = time.Unix(unix, 0)
	return n, true
}

// press is a press of a button on a page that a link leads to.
type press struct {
	page          string // the purpose of the link
	id            int64  // of the link
	contact       int64
	subscriptions []int64 // whose mails lead to the page
	do, list      string  // what the button is for, and the list that its words name
	method        subscribers.Method

	idle func(tx *sqlx.Tx) (bool, error) // reports that nothing is left to be done
	act  func(tx *sqlx.Tx, e subscribers.Evidence) error
}

// carryOut does what a press is for, in a transaction that holds the contact. It returns the page that asks for one more press, or nil when
// it was done. sure says whether that one was pressed by a person for sure.
func (s *site) carryOut(r *http.Request, p press) (again templates.Page, sure bool, err error) {
	e, err := s.evidence(r, p.method, p.do, p.list)
	if err != nil {
		return nil, false, err
	}
	err = database.Transact(r.Context(), s.DB, func(tx *sqlx.Tx) error {
		again, sure = nil, false
		version, err := subscribers.Hold(r.Context(), tx, p.contact)
		if err != nil {
			return err
		}
		if done, err := p.idle(tx); done || err != nil {
			return err
		}
		n, ok := s.posted(r, p.page, p.id)
		sure = n.sure
		if ok, err = s.enough(r.Context(), tx, p, n, ok && n.version == version, e.At); err != nil {
			return err
		}
		if !ok {
			again = s.askAgain(r, nonce{page: p.page, id: p.id, version: version, at: e.At, sure: true}, e.Statement)
			return nil
		}
		return p.act(tx, e)
	})
	return again, sure, err
}

// enough reports whether a press is enough.
func (s *site) enough(ctx context.Context, tx *sqlx.Tx, p press, n nonce, fits bool, now time.Time) (bool, error) {
	if !fits || now.Sub(n.at) > nonceLife {
		return false, nil
	}
	if n.sure {
		return true, nil
	}
	reached, err := ledger.Reached(ctx, tx, now.Add(-justNow), p.subscriptions...)
	return !reached, err
}

// askAgain returns the page that asks for one more press, with everything that came with the first.
func (s *site) askAgain(r *http.Request, n nonce, label string) templates.Page {
	page := templates.AgainPage{Label: label, Fields: []templates.Field{{Name: "nonce", Value: s.sign(n)}}}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		for _, value := range r.PostForm[name] {
			if name != "nonce" {
				page.Fields = append(page.Fields, templates.Field{Name: name, Value: value})
			}
		}
	}
	return page
}

// evidence returns what is kept of a press, or of a form: the words that were shown, the page, and where it came from.
func (s *site) evidence(r *http.Request, method subscribers.Method, do, list string) (e subscribers.Evidence, err error) {
	_, path, _ := strings.Cut(r.Pattern, " ")
	e = subscribers.Evidence{At: s.Clock.Now(), Method: method, Origin: path, Network: subscribers.Network(s.client(r))}
	e.Statement, err = s.Templates.Words(s.language(r), do, list)
	return e, err
}

// never is the idle of what can always be done.
func never(*sqlx.Tx) (bool, error) { return false, nil }

// largestForm bounds what is read of a form.
const largestForm = 64 << 10

// readForm reads a posted form in either encoding. What is broken in it is as if it were not there; only too much of it is an error.
func readForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, largestForm)
	broken := errors.Join(r.ParseForm(), r.ParseMultipartForm(largestForm)) //nolint:gosec // the line above bounds both
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(broken, &tooLarge) {
		return broken
	}
	return nil
}

// private keeps a page that a token leads to out of caches and indexes.
func (s *site) private(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Robots-Tag", "noindex")
		if s.Keys == nil {
			return nil, errs.New(errs.NotFound, "no secret key is set")
		}
		if r.Method == http.MethodPost {
			if err := readForm(w, r); err != nil {
				return nil, err
			}
		}
		return h(w, r)
	}
}
