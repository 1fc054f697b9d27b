package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

var (
	december = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	later    = noon.AddDate(1, 0, 0)
)

// over ends the edition of a book: of its deliveries one each has failed, is full and is suppressed; the rest are sent.
func (b *book) over() {
	b.t.Helper()
	b.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE id = (SELECT max(id) FROM subscribers.subscriptions)`)
	b.exec(`UPDATE subscribers.contacts SET email = 'one@alone.example', email_key = 'one@alone.example' WHERE id = (SELECT min(id) FROM subscribers.contacts)`)
	sender := b.enlist(noon)
	var attempts []ledger.Attempt
	for i, d := range b.claim(sender, noon, 1000) {
		a := outcome(sender, d, reply.Sent, noon)
		switch i {
		case 0:
			a.Outcome, a.Reply = reply.Failed, reply.Reply{Phase: reply.Rcpt, Code: 550, Text: "5.1.1 no such user"}
		case 1:
			a.Outcome, a.Reply = reply.Failed, reply.Reply{Phase: reply.Rcpt, Code: 452, Text: "4.2.2 mailbox full"}
		}
		attempts = append(attempts, a)
	}
	b.must(ledger.Settle(b.ctx, b.db, attempts))
	_, _, err := ledger.NoteBounce(b.ctx, b.db, ledger.Bounce{EditionID: b.edition, ContactID: attempts[2].Delivery.ContactID, At: noon, Kind: ledger.SoftBounce})
	b.must(err)
	_, err = ledger.Finish(b.ctx, b.db, noon)
	b.must(err)
}

func (b *book) retain() ledger.Retained {
	b.t.Helper()
	done, err := ledger.Retain(b.ctx, b.db, december, later)
	b.must(err)
	return done
}

func TestOldDeliveriesAreCountedAndDropped(t *testing.T) {
	t.Parallel()
	b := newBook(t, 15)
	if done := b.retain(); done.Blocked != "2026-11" || len(done.Months) != 0 {
		t.Errorf("with an open edition: %+v", done)
	}
	b.over()
	if done, err := ledger.Retain(b.ctx, b.db, december.Add(-time.Second), later); err != nil || len(done.Months) != 0 {
		t.Errorf("before the month was over: %+v %v", done, err)
	}
	before, err := ledger.CountEach(b.ctx, b.db, b.edition)
	b.must(err)
	if done := b.retain(); !slices.Equal(done.Months, []string{"2026-11"}) {
		t.Errorf("dropped: %+v", done)
	}
	if done := b.retain(); len(done.Months) != 0 || done.Blocked != "" {
		t.Errorf("dropped again: %+v", done)
	}
	want := ledger.Counts{Recipients: 15, Sent: 12, Failed: 2, Suppressed: 1}
	b.counts(want)
	after, err := ledger.CountEach(b.ctx, b.db, b.edition)
	b.must(err)
	if diff := cmp.Diff(before, after); diff != "" || before[b.edition] != want {
		t.Errorf("of the edition (-before +after):\n%s", diff)
	}
	tallies, err := ledger.Tallies(b.ctx, b.db, b.edition)
	b.must(err)
	if diff := cmp.Diff([]ledger.Tally{
		{State: "sent", Kind: "accepted", Destination: "example.org", Count: 11},
		{State: "failed", Kind: "mailbox full", Destination: "example.org", Count: 1},
		{State: "failed", Kind: "no such address", Count: 1}, // the only one at alone.example is not named for ever
		{State: "sent", Kind: "accepted", Bounce: "soft", Destination: "example.org", Count: 1},
		{State: "suppressed", Destination: "example.org", Count: 1},
	}, tallies); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	b.released(2 * 3) // no article of theirs is known, so that nothing is behind the floor
	var left int
	b.must(b.db.Get(&left, `SELECT (SELECT count(*) FROM mailer.deliveries) + (SELECT count(*) FROM mailer.attempts) + (SELECT count(*) FROM mailer.variants)`))
	if left != 0 {
		t.Errorf("%d rows are left", left)
	}
	floor, err := ledger.FloorOf(b.ctx, b.db)
	b.must(err)
	if !floor.Month().Equal(december) || !floor.Arrived.Equal(december) || !floor.RoseAt.Equal(later) || !floor.Below(b.edition) {
		t.Errorf("the floor: %+v", floor)
	}
	if _, _, err := ledger.NoteBounce(b.ctx, b.db, ledger.Bounce{EditionID: b.edition, ContactID: 1, At: later, Kind: ledger.HardBounce}); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a bounce that came too late: %v", err)
	}
}

// Dropping waits for who reads, and nobody waits for it: what is claimed and settled meanwhile belongs to another month. What was broken off is finished.
func TestDroppingStallsNobody(t *testing.T) {
	t.Parallel()
	b := newBook(t, 5)
	b.over()
	b.must(ledger.Prepare(b.ctx, b.db, later))
	next := ledger.NewEditionID(later)
	b.exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at)
		VALUES ($1, 1, 'weekly', '2027-11-22', 'hand', 'approved', $2, $2)`, next, later)
	b.exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, not_before, due_at)
		SELECT $1, s.contact_id, s.id, (SELECT id FROM mailer.variants), $2, $2 FROM subscribers.subscriptions s WHERE s.state = 'active'`, next, later)
	reading, err := b.db.Beginx()
	b.must(err)
	var n int
	b.must(reading.Get(&n, `SELECT count(*) FROM mailer.deliveries`))

	ended := make(chan error, 1)
	go func() {
		_, err := ledger.Retain(b.ctx, b.db, december, later)
		ended <- err
	}()
	want := ledger.Counts{Recipients: 9, Sent: 2, Failed: 2, Suppressed: 1, Pending: 4}
	sender := b.enlist(later)
	for waiting := true; waiting; {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("it was dropped under the eyes of a reader")
			}
			waiting = false
		default:
			claimed := b.claim(sender, later, 1)
			b.must(ledger.PutBack(b.ctx, b.db, sender, claimed))
			b.counts(want)
		}
	}
	b.must(reading.Rollback())
	if done := b.retain(); !slices.Equal(done.Months, []string{"2026-11"}) {
		t.Errorf("gone on with: %+v", done)
	}
	b.counts(want)
}
