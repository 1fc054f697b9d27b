package edition

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// contactOf returns the id of a contact.
func (w *world) contactOf(name string) (id int64) {
	w.t.Helper()
	w.must(w.db.Get(&id, `SELECT id FROM subscribers.contacts WHERE email = $1`, name+"@example.org"))
	return id
}

// refused wants an error of a kind.
func (w *world) refused(what string, err error, want errs.Kind) {
	w.t.Helper()
	if errs.KindOf(err) != want {
		w.t.Errorf("%s: %v, not %v", what, err, want)
	}
}

// sendAll sends all that is due, one contact's with another outcome.
func (w *world) sendAll(but string, o reply.Outcome) {
	w.t.Helper()
	for _, d := range w.claim() {
		if d.Email == but+"@example.org" {
			w.outcome(d, o)
		} else {
			w.outcome(d, reply.Sent)
		}
	}
	_, err := ledger.Finish(w.ctx, w.db, w.clock.Now())
	w.must(err)
}

func TestResend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.subscribe("cy", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	d := w.desk()
	anna, bo := w.contactOf("anna"), w.contactOf("bo")
	w.refused("what was not sent yet", d.Resend(w.ctx, e.ID, anna), errs.Conflict)
	w.refused("somebody else", d.Resend(w.ctx, e.ID, 999), errs.NotFound)
	w.sendAll("bo", reply.Failed)
	same(t, "over", w.stateOf(e.ID), Sent)

	w.clock.Advance(time.Hour)
	w.must(d.Resend(w.ctx, e.ID, anna))
	w.must(d.Resend(w.ctx, e.ID, bo))
	w.refused("twice at once", d.Resend(w.ctx, e.ID, anna), errs.Conflict)
	same(t, "goes on", w.stateOf(e.ID), Sending)
	counted, err := ledger.CountOf(w.ctx, w.db, e.ID)
	w.must(err)
	same(t, "counted", counted, ledger.Counts{Recipients: 3, Pending: 2, Sent: 1})
	again := w.claim()
	for _, delivery := range again {
		if delivery.Resent != 1 || delivery.Attempts != 1 || !delivery.NotBefore.Equal(w.clock.Now()) {
			t.Errorf("claimed again: %+v", delivery)
		}
		w.outcome(delivery, map[bool]reply.Outcome{true: reply.Failed, false: reply.Sent}[delivery.ContactID == anna])
	}
	same(t, "claimed", len(again), 2)
	counted, err = ledger.CountOf(w.ctx, w.db, e.ID)
	w.must(err)
	same(t, "counted", counted, ledger.Counts{Recipients: 3, Failed: 1, Sent: 2})
	next, _ := w.plan("weekly")
	same(t, "anna has it, though it was refused the second time, and bo has it now", next.State, Skipped)
}

func TestResendRespectsWhatHappenedSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.subscribe("bo", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	w.sendAll("bo", reply.Failed)
	d := w.desk()
	w.publish("two en")
	_, got := w.plan("weekly")
	same(t, "the next", got, []string{"anna: two en", "bo: two en, one en"})
	w.refused("a later edition has it", d.Resend(w.ctx, e.ID, w.contactOf("bo")), errs.Conflict)
	w.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = $1`, w.contactOf("anna"))
	w.refused("no means no", d.Resend(w.ctx, e.ID, w.contactOf("anna")), errs.Conflict)
	w.exec(`UPDATE subscribers.subscriptions SET state = 'active'`)
	w.withdraw("one en")
	w.refused("a withdrawn article", d.Resend(w.ctx, e.ID, w.contactOf("anna")), errs.Conflict)
}

// Cancelling what is sent again gives nothing back that its contact has.
func TestACancelledResendGivesNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("anna", "en", "weekly")
	w.publish("one en")
	e, _ := w.plan("weekly")
	w.sendAll("", reply.Sent)
	w.must(w.desk().Resend(w.ctx, e.ID, w.contactOf("anna")))
	w.must(w.desk().Cancel(w.ctx, e.ID, "not again"))
	counted, err := ledger.CountOf(w.ctx, w.db, e.ID)
	w.must(err)
	same(t, "counted", counted, ledger.Counts{Recipients: 1, Sent: 1})
	next, _ := w.plan("weekly")
	same(t, "the next", next.State, Skipped)
}

// resendSome has editors send old messages again, as they may.
func (m *months) resendSome() {
	var some []struct {
		Edition uuid.UUID `db:"edition_id"`
		Contact int64     `db:"contact_id"`
	}
	m.must(m.db.Select(&some, `SELECT edition_id, contact_id FROM mailer.deliveries WHERE state IN ('sent', 'failed', 'in_doubt') ORDER BY edition_id, contact_id`))
	for range min(len(some), 5) {
		one := pick(m, some)
		if m.desk().Resend(m.ctx, one.Edition, one.Contact) == nil {
			m.tally["resent"]++
			if r := m.readers[one.Contact]; r != nil { // what had failed is reserved again
				var groups []int64
				m.must(m.db.Select(&groups, `SELECT unnest(v.groups) FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id
					WHERE d.edition_id = $1 AND d.contact_id = $2`, one.Edition, one.Contact))
				for _, id := range groups {
					delete(r.must, id)
				}
				m.exec(`UPDATE mailer.deliveries SET code = 0 WHERE edition_id = $1 AND contact_id = $2`, one.Edition, one.Contact)
			}
		}
	}
}

// Whatever is sent again by hand, nobody gets anything by two editions.
func TestMonthsOfLifeWithResends(t *testing.T) {
	t.Parallel()
	m := newMonths(t, rand.Uint64N(1<<20))
	for range 12 {
		m.live(2)
		m.resendSome()
		if n := m.repeated(); n > 0 {
			t.Fatalf("%d articles are given twice", n)
		}
	}
	t.Logf("%v", m.tally)
	if m.tally["resent"] < 10 {
		t.Errorf("not much was sent again: %v", m.tally)
	}
}
