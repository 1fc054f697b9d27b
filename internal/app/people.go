package app

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/bounce"
	"silkpost/mailer/compose"
	"silkpost/mailer/ledger"
	"silkpost/mailer/notice"
	"silkpost/subscribers"
)

// ContactFile is everything that is held of a contact: what a person may ask to see.
type ContactFile struct {
	subscribers.Record
	Deliveries []Received       `json:"deliveries"` // the newest edition first
	Notices    []ReceivedNotice `json:"notices"`    // the newest first
}

// ReceivedNotice is a mail to a contact alone: a confirmation, a welcome and the like.
type ReceivedNotice struct {
	Kind       string     `json:"kind"`
	List       string     `json:"list"` // in whose name
	NewAddress string     `json:"new_address,omitempty"`
	State      string     `json:"state"`
	MadeAt     time.Time  `json:"made_at"`
	SettledAt  *time.Time `json:"settled_at"` // the last outcome; null: none yet
	Attempts   int        `json:"attempts"`
	Code       int        `json:"code"` // 0: no answer came
	Reply      string     `json:"reply"`

	BouncedAt    *time.Time        `json:"bounced_at"` // null: nothing was reported of it
	BounceKind   ledger.BounceKind `json:"bounce_kind,omitempty"`
	BounceStatus string            `json:"bounce_status,omitempty"` // enhanced status code (RFC 3463)
}

// Received is a delivery to a contact with what was in it.
type Received struct {
	Edition   uuid.UUID         `json:"edition"`
	List      string            `json:"list"`
	Rhythm    string            `json:"rhythm"`
	Date      string            `json:"date"` // of the edition, in the list's zone
	State     string            `json:"state"`
	NotBefore time.Time         `json:"not_before"`
	SettledAt *time.Time        `json:"settled_at"` // the last outcome; null: none yet
	MessageID string            `json:"message_id"` // "" until its message was made
	Language  string            `json:"language"`
	Articles  []ReceivedArticle `json:"articles"` // in the digest's order
	Attempts  []ReceivedTry     `json:"attempts"`

	BouncedAt        *time.Time        `json:"bounced_at"` // null: nothing was reported of it
	BounceKind       ledger.BounceKind `json:"bounce_kind,omitempty"`
	BounceDiagnostic string            `json:"bounce_diagnostic,omitempty"`
}

// ReceivedArticle is an article of a digest, as it is called now.
type ReceivedArticle struct {
	GUID  string `json:"guid"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// ReceivedTry is an attempt at a delivery.
type ReceivedTry struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Phase   string    `json:"phase"`
	Code    int       `json:"code"` // 0: no answer came
	Reply   string    `json:"reply"`
}

// ContactFile returns what is held of the contact of an address, however it is written, or an error of kind errs.NotFound.
func (a *App) ContactFile(ctx context.Context, email string) (f ContactFile, err error) {
	contact, err := subscribers.ContactByEmail(ctx, a.DB, email)
	if err != nil {
		return f, err
	}
	return a.ContactFileOf(ctx, contact.ID, nil)
}

// ContactFileOf returns what is held of a contact, with lists what is of these and theirs to see (subscribers.RecordOf), or an error of kind errs.NotFound:
// also when it was erased.
func (a *App) ContactFileOf(ctx context.Context, contact int64, lists []int64) (f ContactFile, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if f.Record, err = subscribers.RecordOf(ctx, h, contact, lists); err != nil {
			return err
		}
		ids := make([]int64, len(f.Subscriptions))
		for i, s := range f.Subscriptions {
			ids[i] = s.ID
		}
		found, err := ledger.ReceivedBy(ctx, h, ids)
		if err != nil {
			return err
		}
		if f.Deliveries, err = a.received(ctx, h, found); err != nil {
			return err
		}
		f.Notices, err = receivedNotices(ctx, h, &f.Record)
		if lists != nil {
			f.Notices = slices.DeleteFunc(f.Notices, func(n ReceivedNotice) bool { return n.List == "" })
		}
		return err
	})
	return f, err
}

func receivedNotices(ctx context.Context, h database.Handle, r *subscribers.Record) ([]ReceivedNotice, error) {
	found, err := notice.ToContact(ctx, h, r.ID)
	lists := map[int64]string{}
	for _, s := range r.Subscriptions {
		lists[s.ID] = s.List
	}
	all := make([]ReceivedNotice, len(found))
	for i, n := range found {
		all[i] = ReceivedNotice{
			Kind: string(n.Kind), List: lists[n.SubscriptionID], NewAddress: n.NewAddress, State: string(n.State), MadeAt: n.MadeAt.UTC(),
			SettledAt: n.SettledAt, Attempts: n.Attempts, Code: n.Code, Reply: n.Reply,
			BouncedAt: n.BouncedAt, BounceKind: n.BounceKind, BounceStatus: n.BounceStatus,
		}
	}
	return all, err
}

func (a *App) received(ctx context.Context, h database.Handle, found []ledger.Received) ([]Received, error) {
	slugs, err := listSlugs(ctx, h)
	if err != nil {
		return nil, err
	}
	articles, err := a.receivedArticles(ctx, h, found)
	if err != nil {
		return nil, err
	}
	all := make([]Received, len(found))
	for i, d := range found {
		all[i] = Received{
			Edition: d.EditionID, List: slugs[d.ListID], Rhythm: d.Rhythm, Date: d.LocalDate.Format(time.DateOnly), State: d.State,
			NotBefore: d.NotBefore.UTC(), SettledAt: d.SettledAt, Language: d.Language, Articles: []ReceivedArticle{}, Attempts: []ReceivedTry{},
			BouncedAt: d.BouncedAt, BounceKind: d.BounceKind, BounceDiagnostic: d.BounceDiagnostic,
		}
		if d.Sender != "" {
			all[i].MessageID = compose.MessageID(d.EditionID, d.ContactID, d.Resent, d.Sender)
		}
		for _, id := range d.Articles {
			all[i].Articles = append(all[i].Articles, articles[id])
		}
		for _, t := range d.Tries {
			all[i].Attempts = append(all[i].Attempts, ReceivedTry{At: t.At.UTC(), Outcome: t.Outcome, Phase: t.Phase, Code: t.Code, Reply: t.Reply})
		}
	}
	return all, nil
}

func (a *App) receivedArticles(ctx context.Context, h database.Handle, found []ledger.Received) (map[int64]ReceivedArticle, error) {
	known := map[int64]ReceivedArticle{}
	for _, d := range found {
		for _, id := range d.Articles {
			known[id] = ReceivedArticle{}
		}
	}
	articles, err := a.Articles.ByIDs(ctx, h, slices.Collect(maps.Keys(known)))
	for _, article := range articles {
		known[article.ID] = ReceivedArticle{GUID: article.GUID, Title: article.Title, URL: article.URL}
	}
	return known, err
}

// Erased is what an erasure did.
type Erased struct {
	Before   ContactFile // what was held
	Mentions []string    // where the address still stands in administrators' own words
}

// EraseContact is EraseContactOf for the contact of an address.
func (a *App) EraseContact(ctx context.Context, email, by string) (Erased, error) {
	contact, err := subscribers.ContactByEmail(ctx, a.DB, email)
	if err != nil {
		return Erased{}, err
	}
	return a.EraseContactOf(ctx, contact.ID, by)
}

// EraseContactOf forgets a person everywhere, in one transaction: see subscribers.Erase, ledger.Forget and notice.Forget. by is who asked for it. No such
// contact, or one that was erased, is an error of kind errs.NotFound.
func (a *App) EraseContactOf(ctx context.Context, contact int64, by string) (e Erased, err error) {
	if e.Before, err = a.ContactFileOf(ctx, contact, nil); err != nil {
		return e, err
	}
	return e, database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if err := subscribers.Erase(ctx, tx, e.Before.ID, a.Clock.Now(), by); err != nil {
			return err
		}
		subscriptions, err := subscribers.SubscriptionIDsOf(ctx, tx, e.Before.ID)
		if err != nil {
			return err
		}
		if err := ledger.Forget(ctx, tx, subscriptions); err != nil {
			return err
		}
		if err := notice.Forget(ctx, tx, e.Before.ID); err != nil {
			return err
		}
		if err := bounce.Forget(ctx, tx, e.Before.ID, e.Before.Email); err != nil {
			return err
		}
		e.Mentions, err = subscribers.Mentions(ctx, tx, e.Before.Email)
		return err
	})
}

// Exports are what there is to export.
type Exports string

// What can be exported.
const (
	ExportContacts     Exports = "contacts"
	ExportConsent      Exports = "consent"
	ExportSuppressions Exports = "suppressions"
)

// Export writes records as they are at one moment, row by row; list is a slug, "" is all lists. It returns how many there were.
func (a *App) Export(ctx context.Context, w io.Writer, what Exports, format subscribers.ExportFormat, list string) (n int, err error) {
	begun := false
	err = a.snapshot(ctx, func(h database.Handle) (err error) {
		if begun { // the transaction was broken off, and part of it is written
			return errs.New(errs.Unavailable, "the database broke the export off; run it again")
		}
		begun = true
		switch what {
		case ExportContacts:
			n, err = subscribers.ExportContacts(ctx, h, w, format, list)
		case ExportConsent:
			n, err = subscribers.ExportConsents(ctx, h, w, format, list)
		case ExportSuppressions:
			n, err = subscribers.ExportSuppressions(ctx, h, w, format)
		default:
			err = errs.New(errs.Invalid, "there is no export %q", what)
		}
		return err
	})
	return n, err
}
