package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

func (b *book) rows(query string, args ...any) (found []string) {
	b.t.Helper()
	b.must(b.db.SelectContext(b.ctx, &found, query, args...))
	return found
}

// subscriptionOf returns the id of a contact's only subscription.
func (b *book) subscriptionOf(contact int64) (id int64) {
	b.t.Helper()
	b.must(b.db.GetContext(b.ctx, &id, `SELECT id FROM subscribers.subscriptions WHERE contact_id = $1`, contact))
	return id
}

func (b *book) forget(contact int64) {
	b.t.Helper()
	b.must(database.Transact(b.ctx, b.db, func(tx *sqlx.Tx) error {
		return ledger.Forget(b.ctx, tx, []int64{b.subscriptionOf(contact)})
	}))
}

// What was accepted last is known at once, and an older outcome that comes late does not set it back.
func TestLastSent(t *testing.T) {
	t.Parallel()
	b := newBook(t, 4)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{
		outcome(sender, d[0], reply.Sent, noon), outcome(sender, d[1], reply.Failed, noon),
		outcome(sender, d[2], reply.InDoubt, noon), outcome(sender, d[3], reply.Sent, noon.Add(time.Second)),
	}))
	const lastSent = `SELECT contact_id || ' ' || list_id || ' ' || to_char(sent_at, 'HH24:MI:SS') FROM mailer.last_sent ORDER BY 1`
	if diff := cmp.Diff([]string{"1 1 12:00:00", "4 1 12:00:01"}, b.rows(lastSent)); diff != "" {
		t.Errorf("last sent (-want +got):\n%s", diff)
	}

	// A second edition: one contact twice in the same batch, the later first; another one's outcome comes late.
	other := ledger.NewEditionID(noon.Add(time.Minute))
	b.exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at)
		VALUES ($1, 1, 'weekly', '2026-11-22', 'hand', 'approved', $2, $2)`, other, noon)
	b.exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, not_before, due_at, behind)
		SELECT $1, s.contact_id, s.id, (SELECT id FROM mailer.variants), $2, $2, false FROM subscribers.subscriptions s`, other, noon)
	again := b.claim(sender, noon, 9)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{
		outcome(sender, again[0], reply.Sent, noon.Add(3*time.Second)), outcome(sender, d[0], reply.Sent, noon.Add(2*time.Second)),
		outcome(sender, again[3], reply.Sent, noon.Add(-time.Hour)),
	}))
	if diff := cmp.Diff([]string{"1 1 12:00:03", "4 1 12:00:01"}, b.rows(lastSent)); diff != "" {
		t.Errorf("last sent after the second edition (-want +got):\n%s", diff)
	}
}

func TestReceivedBy(t *testing.T) {
	t.Parallel()
	b := newBook(t, 2)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(sender, d[0], reply.Deferred, noon), outcome(sender, d[1], reply.Sent, noon)}))
	later := noon.Add(time.Minute)
	again := b.claim(b.enlist(later), later, 9)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(uuid.New(), again[0], reply.Sent, later)}))

	got, err := ledger.ReceivedBy(b.ctx, b.db, []int64{b.subscriptionOf(1)})
	b.must(err)
	if len(got) != 1 || got[0].State != "sent" || got[0].EditionID != b.edition || len(got[0].Articles) != 2 || got[0].Language != "en" {
		t.Fatalf("received %+v", got)
	}
	tries := got[0].Tries
	if len(tries) != 2 || tries[0].Outcome != "deferred" || tries[1].Outcome != "sent" || !tries[1].At.Equal(later) {
		t.Errorf("tries %+v", tries)
	}
	if none, err := ledger.ReceivedBy(b.ctx, b.db, nil); len(none) != 0 || err != nil {
		t.Errorf("nobody received %+v, %v", none, err)
	}
}

// named is an outcome whose reply quotes the address.
func named(sender uuid.UUID, d *ledger.Delivery, o reply.Outcome, at time.Time) ledger.Attempt {
	a := outcome(sender, d, o, at)
	a.Reply.Text = "5.1.1 <" + d.Email + ">: mailbox of reader unavailable"
	return a
}

// repliesOf returns every word that the account keeps of what servers answered about a contact.
func (b *book) repliesOf(contact int64) []string {
	b.t.Helper()
	return b.rows(`SELECT reply FROM mailer.deliveries WHERE contact_id = $1 UNION ALL
		SELECT reply FROM mailer.attempts WHERE contact_id = $1`, contact)
}

// The account of an erased contact keeps its numbers and codes; nothing in it names the person, whatever comes later.
func TestForget(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{named(sender, d[0], reply.Failed, noon), named(sender, d[2], reply.Failed, noon)}))
	want := ledger.Counts{Recipients: 3, InFlight: 1, Failed: 2}
	b.counts(want)
	for range 2 {
		b.forget(1)
		b.forget(2)
		b.counts(want)
		if diff := cmp.Diff([]string{"5.1.1", "5.1.1"}, b.repliesOf(1)); diff != "" {
			t.Errorf("replies (-want +got):\n%s", diff)
		}
	}
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{named(sender, d[1], reply.Sent, noon)})) // it was in flight
	b.counts(ledger.Counts{Recipients: 3, Sent: 1, Failed: 2})
	if diff := cmp.Diff([]string{"5.1.1", "5.1.1"}, b.repliesOf(2)); diff != "" {
		t.Errorf("replies that came later (-want +got):\n%s", diff)
	}
	if kept := b.repliesOf(3); len(kept) != 2 || kept[0] != "5.1.1 <reader3@example.org>: mailbox of reader unavailable" {
		t.Errorf("the other's replies are %q", kept)
	}
	if codes := b.rows(`SELECT code FROM mailer.attempts WHERE contact_id = 1`); !cmp.Equal(codes, []string{"250"}) {
		t.Errorf("codes %v", codes)
	}
}

// Whoever settles while the contact is being erased waits for that, and then keeps the words back.
func TestForgetWhileSettling(t *testing.T) {
	t.Parallel()
	b := newBook(t, 1)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	erasing, err := b.db.BeginTxx(b.ctx, nil)
	b.must(err)
	defer erasing.Rollback()
	b.must(ledger.Forget(b.ctx, erasing, []int64{b.subscriptionOf(1)}))
	settled := make(chan error, 1)
	go func() {
		settled <- ledger.Settle(b.ctx, b.db, []ledger.Attempt{named(sender, d[0], reply.Failed, noon)})
	}()
	testkit.Eventually(t, 10*time.Second, "settling waits for the row", func() bool {
		var waiting bool
		b.must(b.db.Get(&waiting, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`))
		return waiting
	})
	b.must(erasing.Commit())
	b.must(<-settled)
	if diff := cmp.Diff([]string{"5.1.1", "5.1.1"}, b.repliesOf(1)); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
}

// Many senders and erasures at once come to an end, and leave no address behind.
func TestForgetAmongSenders(t *testing.T) {
	t.Parallel()
	const people = 40
	b := newBook(t, people)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, people)
	ended := make(chan error)
	for i := range people {
		go func() {
			ended <- ledger.Settle(b.ctx, b.db, []ledger.Attempt{named(sender, d[i], reply.Failed, noon), named(sender, d[people-1-i], reply.Failed, noon)})
		}()
		go func() {
			ended <- database.Transact(b.ctx, b.db, func(tx *sqlx.Tx) error {
				var ids []int64
				if err := tx.Select(&ids, `SELECT id FROM subscribers.subscriptions WHERE contact_id = ANY ($1)`, pq.Array([]int64{d[i].ContactID})); err != nil {
					return err
				}
				return ledger.Forget(b.ctx, tx, ids)
			})
		}()
	}
	for range 2 * people {
		b.must(<-ended)
	}
	if left := b.rows(`SELECT reply FROM mailer.attempts WHERE reply <> '5.1.1' UNION ALL SELECT reply FROM mailer.deliveries WHERE reply <> '5.1.1'`); len(left) > 0 {
		t.Errorf("still there: %q", left)
	}
}
