package app

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
	"silkpost/subscribers/sheet"
)

// DeliverySearch says which deliveries of an edition are looked for.
type DeliverySearch struct {
	Text  string // in an address, a name or the name of an organisation; "": any
	State string // "": any
	After int64  // the contact where the last part ended; 0: from the beginning
	// Within are the ids of the only lists of who looks; nil: all. Names count and are shown of whom these know.
	Within []int64
}

// FoundDelivery is a delivery with what servers said.
type FoundDelivery struct {
	ledger.Entry
	Houses []string // names of the contact's organisations
	Tries  []ledger.Try
}

// DeliveryPart is a part of an edition's deliveries.
type DeliveryPart struct {
	Found []FoundDelivery
	Next  int64 // where to go on; 0: this is the end. There can be fewer than a part holds and yet more: as many were looked through as may be at once
}

// partOfDeliveries is how many deliveries are shown at once, and mostContacts how many contacts a search may find.
const (
	partOfDeliveries = 50
	mostContacts     = 10_000
)

// FindDeliveries looks deliveries of an edition up. errs.Gone says that they are not kept any more.
func (a *App) FindDeliveries(ctx context.Context, id uuid.UUID, s DeliverySearch) (part DeliveryPart, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if err := deliveriesKept(ctx, h, id); err != nil {
			return err
		}
		search := ledger.Search{State: s.State, After: s.After, Limit: partOfDeliveries}
		if strings.TrimSpace(s.Text) != "" {
			if search.Contacts, err = subscribers.Among(ctx, h, s.Text, s.Within, mostContacts+1); err != nil {
				return err
			}
			if len(search.Contacts) > mostContacts {
				return errs.New(errs.Invalid, "more than 10,000 contacts have %q in them: write more of the address", s.Text)
			}
			if search.Contacts == nil {
				return nil // nobody is called so
			}
		}
		entries, next, err := ledger.Find(ctx, h, id, search)
		if err != nil {
			return err
		}
		part.Next = next
		part.Found, err = withTries(ctx, h, id, entries, s.Within)
		return err
	})
	return part, err
}

// deliveriesKept refuses an edition whose deliveries were dropped.
func deliveriesKept(ctx context.Context, h database.Handle, id uuid.UUID) error {
	floor, err := ledger.FloorOf(ctx, h)
	if err != nil {
		return err
	}
	if floor.Below(id) {
		return errs.New(errs.Gone, "the deliveries of edition %s are not kept any more, only their counts", id)
	}
	return nil
}

func withTries(ctx context.Context, h database.Handle, id uuid.UUID, entries []ledger.Entry, lists []int64) ([]FoundDelivery, error) {
	contacts := make([]int64, len(entries))
	for i, e := range entries {
		contacts[i] = e.ContactID
	}
	houses, err := subscribers.Houses(ctx, h, contacts, lists)
	if err != nil {
		return nil, err
	}
	tries, err := ledger.Tries(ctx, h, id, contacts)
	found := make([]FoundDelivery, len(entries))
	for i, e := range entries {
		found[i] = FoundDelivery{Entry: e, Houses: houses[e.ContactID], Tries: tries[e.ContactID]}
	}
	return found, err
}

// partOfResults is how many deliveries are read at a time when all are written.
const partOfResults = 2000

// WriteResults writes an edition's account as a table that spreadsheets open: a row for each delivery, in the order of their contacts. It streams, and reads
// parts one after the other, so what changes meanwhile is as it was when its part was read. With lists, organisations stand there of whom these know.
func (a *App) WriteResults(ctx context.Context, w io.Writer, id uuid.UUID, lists []int64) error {
	if err := deliveriesKept(ctx, a.DB, id); err != nil {
		return err
	}
	table, err := sheet.NewWriter(w, ',')
	if err != nil {
		return err
	}
	if err := table.Write("email", "organisations", "state", "language", "articles", "due_at", "settled_at", "attempts", "code", "reply", "queue_id", "message_id",
		"bounce", "bounce_status", "bounce_diagnostic"); err != nil {
		return err
	}
	for search := (ledger.Search{Limit: partOfResults}); ; {
		entries, next, err := ledger.Find(ctx, a.DB, id, search)
		if err != nil {
			return err
		}
		if err := a.writeResults(ctx, table, id, entries, lists); err != nil || next == 0 {
			return err
		}
		search.After = next
	}
}

func (a *App) writeResults(ctx context.Context, table *sheet.Writer, id uuid.UUID, entries []ledger.Entry, lists []int64) error {
	contacts := make([]int64, len(entries))
	for i, e := range entries {
		contacts[i] = e.ContactID
	}
	houses, err := subscribers.Houses(ctx, a.DB, contacts, lists)
	if err != nil {
		return err
	}
	for _, e := range entries {
		messageID, queueID := "", ""
		if e.Sender != "" {
			messageID = compose.MessageID(id, e.ContactID, e.Resent, e.Sender)
		}
		if e.State == string(reply.Sent) {
			queueID = reply.Reply{Phase: reply.Dot, Code: e.Code, Text: e.Reply}.QueueID()
		}
		if err := table.Write(e.Email, strings.Join(houses[e.ContactID], "; "), e.State, e.Language, strconv.Itoa(len(e.Articles)), stamp(&e.NotBefore), stamp(e.SettledAt),
			strconv.Itoa(e.Attempts), strconv.Itoa(e.Code), e.Reply, queueID, messageID, string(e.BounceKind), e.BounceStatus, e.BounceDiagnostic); err != nil {
			return err
		}
	}
	return table.Flush()
}

// stamp returns a time as tables have it, "" for none.
func stamp(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
