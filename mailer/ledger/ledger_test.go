package ledger_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/installation"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// book is a ledger with one approved edition of n deliveries, due at noon.
type book struct {
	t       testing.TB
	ctx     context.Context
	db      *sqlx.DB
	edition uuid.UUID
}

func newBook(t testing.TB, n int) *book {
	t.Helper()
	b := &book{t: t, ctx: t.Context(), db: testkit.DB(t), edition: ledger.NewEditionID(noon)}
	b.must(ledger.Prepare(b.ctx, b.db, noon))
	b.exec(`INSERT INTO subscribers.contacts (email, email_key, created_at)
		SELECT 'reader' || i || '@example.org', 'reader' || i || '@example.org', $2 FROM generate_series(1, $1) i`, n, noon)
	b.exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
		SELECT (SELECT id FROM subscribers.lists), id, 'active', 'weekly', $1 FROM subscribers.contacts`, noon)
	b.exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at)
		VALUES ($1, 1, 'weekly', '2026-11-22', 'hand', 'approved', $2, $2)`, b.edition, noon)
	b.exec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'en', '{1,2}', '{1,2}', 'k')`, b.edition)
	b.exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, not_before, due_at)
		SELECT $1, s.contact_id, s.id, (SELECT id FROM mailer.variants), $2, $2 FROM subscribers.subscriptions s`, b.edition, noon)
	return b
}

func (b *book) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) exec(query string, args ...any) {
	b.t.Helper()
	_, err := b.db.ExecContext(b.ctx, query, args...)
	b.must(err)
}

func (b *book) enlist(at time.Time) uuid.UUID {
	b.t.Helper()
	id, err := ledger.Enlist(b.ctx, b.db, at)
	b.must(err)
	return id
}

func (b *book) claim(sender uuid.UUID, at time.Time, limit int) []*ledger.Delivery {
	b.t.Helper()
	claimed, err := ledger.Claim(b.ctx, b.db, sender, at, limit)
	b.must(err)
	return claimed
}

func (b *book) counts(want ledger.Counts) {
	b.t.Helper()
	got, err := ledger.Count(b.ctx, b.db)
	b.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func (b *book) released(want int) {
	b.t.Helper()
	var n int
	b.must(b.db.Get(&n, `SELECT count(*) FROM mailer.released`))
	if n != want {
		b.t.Errorf("%d articles are released, not %d", n, want)
	}
}

func outcome(sender uuid.UUID, d *ledger.Delivery, o reply.Outcome, at time.Time) ledger.Attempt {
	a := ledger.Attempt{Sender: sender, Delivery: d, At: at, Outcome: o, Reply: reply.Reply{Phase: reply.Dot, Code: 250, Text: "2.0.0 ok"}}
	if o == reply.Deferred || o == reply.InDoubt {
		a.DueAt = at.Add(time.Minute)
	}
	return a
}

// A window is read from the index, in its order, though the planner knows nothing yet of an edition that was planned a moment ago: sorting all that is due
// for each window takes longer than all else.
func TestClaimFollowsTheIndex(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3000)
	plan, err := ledger.ClaimPlanForTest(b.ctx, b.db, b.enlist(noon), noon, 100)
	b.must(err)
	if !regexp.MustCompile(`LockRows\n\s+->  Index Scan using \S*due_at_variant_id\S* on deliveries`).MatchString(plan) {
		t.Error(plan)
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	b := newBook(t, 5)
	one, other := b.enlist(noon), b.enlist(noon)
	if early := b.claim(one, noon.Add(-time.Second), 9); len(early) != 0 {
		t.Errorf("claimed %d before their hour", len(early))
	}
	first, second := b.claim(one, noon, 3), b.claim(other, noon, 9)
	if len(first) != 3 || len(second) != 2 {
		t.Fatalf("claimed %d and %d", len(first), len(second))
	}
	b.counts(ledger.Counts{Recipients: 5, InFlight: 5})
	var state string
	b.must(b.db.Get(&state, `SELECT state FROM mailer.editions`))
	if state != "sending" {
		t.Errorf("the edition is %s", state)
	}
	b.must(ledger.PutBack(b.ctx, b.db, one, first[:1]))
	b.must(ledger.PutBack(b.ctx, b.db, one, second)) // not theirs
	b.counts(ledger.Counts{Recipients: 5, InFlight: 4, Pending: 1})
	b.must(ledger.Retire(b.ctx, b.db, other))
	b.counts(ledger.Counts{Recipients: 5, InFlight: 2, Pending: 3})
}

func TestClaimIsRefused(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	sender := b.enlist(noon)
	if n := len(b.claim(uuid.New(), noon, 9)); n != 0 {
		t.Errorf("a stranger claimed %d", n)
	}
	if n := len(b.claim(sender, noon.Add(ledger.Lease), 9)); n != 0 {
		t.Errorf("a dead sender claimed %d", n)
	}
	for _, state := range []string{"review", "held", "cancelled"} {
		b.exec(`UPDATE mailer.editions SET state = $1`, state)
		if n := len(b.claim(sender, noon, 9)); n != 0 {
			t.Errorf("claimed %d of an edition in %s", n, state)
		}
	}
	b.exec(`UPDATE mailer.editions SET state = 'approved'`)
	late := b.enlist(noon.Add(12 * time.Hour))
	if n := len(b.claim(late, noon.Add(12*time.Hour), 9)); n != 0 {
		t.Errorf("claimed %d that are late", n)
	}
	for _, want := range []int{1, 0} {
		if n, err := ledger.NoteLate(b.ctx, b.db, noon.Add(12*time.Hour)); n != want || err != nil {
			t.Errorf("%d editions with late deliveries, not %d (%v)", n, want, err)
		}
	}
	b.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = 1`)
	if n := len(b.claim(sender, noon, 9)); n != 2 {
		t.Errorf("claimed %d, not those 2 who may be mailed", n)
	}
	b.counts(ledger.Counts{Recipients: 3, InFlight: 2, Suppressed: 1})
}

// next adds an edition that came later, approved and due at a time, with a delivery for everybody.
func (b *book) next(at time.Time) uuid.UUID {
	b.t.Helper()
	id := ledger.NewEditionID(noon.Add(time.Minute))
	b.exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at)
		VALUES ($1, 1, 'weekly', '2026-11-22', 'hand', 'approved', $2, $2)`, id, at)
	b.exec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'en', '{3}', '{3}', 'k')`, id)
	b.exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, not_before, due_at)
		SELECT $1, s.contact_id, s.id, (SELECT max(id) FROM mailer.variants), $2, $2 FROM subscribers.subscriptions s`, id, at)
	return id
}

// contacts returns those of some deliveries of an edition.
func contacts(edition uuid.UUID, claimed []*ledger.Delivery) (ids []int64) {
	for _, d := range claimed {
		if d.EditionID == edition {
			ids = append(ids, d.ContactID)
		}
	}
	return ids
}

func (b *book) settle(sender uuid.UUID, d *ledger.Delivery, o reply.Outcome, at time.Time) {
	b.t.Helper()
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(sender, d, o, at)}))
}

// Of two digests the newer waits until the older is over, however long that takes, and is not late by that.
func TestTheNewerWaitsForTheOlder(t *testing.T) {
	t.Parallel()
	b := newBook(t, 2)
	newer := b.next(noon)
	sender := b.enlist(noon)
	first := b.claim(sender, noon, 9)
	if got := contacts(newer, first); len(first) != 2 || got != nil {
		t.Fatalf("claimed %d, of the newer %v", len(first), got)
	}
	if more := b.claim(sender, noon, 9); len(more) != 0 {
		t.Errorf("claimed %d while the older is in flight", len(more))
	}
	if waiting, err := ledger.Waiting(b.ctx, b.db, []uuid.UUID{newer}, false, noon); waiting || err != nil {
		t.Errorf("a first attempt is waited for that cannot come (%v)", err)
	}
	b.settle(sender, first[0], reply.Sent, noon)
	b.settle(sender, first[1], reply.Deferred, noon) // until a minute later
	if got := contacts(newer, b.claim(sender, noon, 9)); len(got) != 1 || got[0] != first[0].ContactID {
		t.Errorf("claimed of the newer: %v, not that of %d", got, first[0].ContactID)
	}
	later := noon.Add(13 * time.Hour)
	sender = b.enlist(later)
	again := b.claim(sender, later, 9)
	if got := contacts(newer, again); len(again) != 1 || got != nil {
		t.Fatalf("claimed %d, of the newer %v, while the older was deferred", len(again), got)
	}
	if n, err := ledger.NoteLate(b.ctx, b.db, later); n != 0 || err != nil {
		t.Errorf("%d editions are late, whose deliveries wait for older ones (%v)", n, err)
	}
	b.settle(sender, again[0], reply.Failed, later)
	last := b.claim(sender, later, 9)
	if got := contacts(newer, last); len(got) != 1 || !last[0].NotBefore.Equal(later) {
		t.Errorf("the older has failed; claimed of the newer: %v", got)
	}
}

// The newer does not wait for what does not go.
func TestTheNewerDoesNotWaitInVain(t *testing.T) {
	t.Parallel()
	for name, older := range map[string]string{
		"in review":                      `UPDATE mailer.editions SET state = 'review' WHERE id = $1 AND $2::timestamptz IS NOT NULL`,
		"held":                           `UPDATE mailer.editions SET state = 'held' WHERE id = $1 AND $2::timestamptz IS NOT NULL`,
		"paused":                         `UPDATE mailer.editions SET paused = true WHERE id = $1 AND $2::timestamptz IS NOT NULL`,
		"late":                           `UPDATE mailer.deliveries SET not_before = $2::timestamptz - interval '13 hours' WHERE edition_id = $1`,
		"whose hour has not come":        `UPDATE mailer.deliveries SET not_before = $2::timestamptz + interval '1 hour', due_at = $2 WHERE edition_id = $1`,
		"of which it is known that none": `UPDATE mailer.deliveries SET behind = false WHERE edition_id <> $1 AND $2::timestamptz IS NOT NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t, 1)
			newer := b.next(noon)
			b.exec(older, b.edition, noon)
			if got := contacts(newer, b.claim(b.enlist(noon), noon, 9)); len(got) != 1 {
				t.Errorf("claimed of the newer: %v", got)
			}
		})
	}
}

// Each edition has the limit of its list.
func TestLateByTheListsLimit(t *testing.T) {
	t.Parallel()
	b := newBook(t, 1)
	b.exec(`UPDATE mailer.editions SET late_after = '30 minutes'`)
	at := noon.Add(30 * time.Minute)
	if n := len(b.claim(b.enlist(at), at, 9)); n != 0 {
		t.Errorf("claimed %d", n)
	}
	if n, err := ledger.NoteLate(b.ctx, b.db, at); n != 1 || err != nil {
		t.Errorf("%d editions have late deliveries (%v)", n, err)
	}
}

// Whoever may not be mailed when their delivery is claimed, or right before it is sent, gets its articles when they may again.
func TestSuppressedGivesBack(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	b.exec(`UPDATE subscribers.subscriptions SET state = 'paused', catch_up = true WHERE contact_id = 1`)
	sender := b.enlist(noon)
	claimed := b.claim(sender, noon, 9)
	b.released(2)
	b.settle(sender, claimed[1], reply.InDoubt, noon) // that one may be there already
	b.exec(`UPDATE subscribers.subscriptions SET state = 'paused', catch_up = true`)
	if may, err := ledger.Recheck(b.ctx, b.db, sender, claimed[0], noon); may || err != nil {
		t.Errorf("it may go (%v)", err)
	}
	b.released(4)
	b.claim(sender, noon.Add(2*time.Second), 9)
	later := noon.Add(time.Minute)
	b.claim(b.enlist(later), later, 9)
	b.released(4)
	b.counts(ledger.Counts{Recipients: 3, Suppressed: 3})
}

func TestLeases(t *testing.T) {
	t.Parallel()
	b := newBook(t, 2)
	dead, alive := b.enlist(noon), b.enlist(noon.Add(ledger.Lease))
	b.claim(dead, noon, 1)
	b.claim(alive, noon, 1)
	after := noon.Add(ledger.Lease + time.Second)
	if ok, err := ledger.Renew(b.ctx, b.db, dead, after); ok || err != nil {
		t.Errorf("a lease that ran out was renewed (%v)", err)
	}
	if ok, err := ledger.Renew(b.ctx, b.db, alive, after); !ok || err != nil {
		t.Errorf("a living lease was not renewed (%v)", err)
	}
	for _, want := range []int{1, 0} {
		if n, err := ledger.TakeOver(b.ctx, b.db, after); n != want || err != nil {
			t.Errorf("took over %d, not %d (%v)", n, want, err)
		}
	}
	b.counts(ledger.Counts{Recipients: 2, InFlight: 1, Pending: 1})
}

func TestSettle(t *testing.T) {
	t.Parallel()
	b := newBook(t, 4)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	attempts := []ledger.Attempt{
		outcome(sender, d[0], reply.Sent, noon), outcome(sender, d[1], reply.Failed, noon),
		outcome(sender, d[2], reply.Deferred, noon), outcome(sender, d[3], reply.InDoubt, noon),
	}
	for range 2 { // a second time nothing changes
		b.must(ledger.Settle(b.ctx, b.db, attempts))
		b.counts(ledger.Counts{Recipients: 4, Sent: 1, Failed: 1, Deferred: 1, InDoubt: 1})
	}
	var log []string
	b.must(b.db.Select(&log, `SELECT contact_id || ' ' || number || ' ' || outcome FROM mailer.attempts ORDER BY 1`))
	if diff := cmp.Diff([]string{"1 1 sent", "2 1 failed", "3 1 deferred", "4 1 in_doubt"}, log); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	var released []string
	b.must(b.db.Select(&released, `SELECT subscription_id || ' ' || group_id FROM mailer.released ORDER BY 1`))
	if diff := cmp.Diff([]string{fmt.Sprint(d[1].SubscriptionID, " 1"), fmt.Sprint(d[1].SubscriptionID, " 2")}, released); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	if n := len(b.claim(sender, noon.Add(10*time.Second), 9)); n != 0 {
		t.Errorf("claimed %d before they are due again", n)
	}
	again := b.claim(b.enlist(noon.Add(time.Minute)), noon.Add(time.Minute), 9)
	if len(again) != 2 || again[0].Attempts != 1 || !again[0].NotBefore.Equal(noon) {
		t.Errorf("due again: %+v", again)
	}
}

// A fact is a fact: a late "sent" is written down, any other late outcome is only an attempt.
func TestSettleAfterTheLeaseWasLost(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	dead := b.enlist(noon)
	d := b.claim(dead, noon, 9)
	later := noon.Add(time.Minute)
	_, err := ledger.TakeOver(b.ctx, b.db, later)
	b.must(err)
	successor := b.enlist(later)
	b.claim(successor, later, 9)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{
		outcome(dead, d[0], reply.Sent, later), outcome(dead, d[1], reply.Failed, later), outcome(dead, d[2], reply.Deferred, later),
	}))
	b.counts(ledger.Counts{Recipients: 3, Sent: 1, InFlight: 2})
	if may, err := ledger.Recheck(b.ctx, b.db, successor, d[0], later); may || err != nil {
		t.Errorf("the successor may still send what was sent (%v)", err)
	}
	// The successor's own outcome of the same number stands beside the late one.
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(successor, d[1], reply.Sent, later)}))
	var tries int
	b.must(b.db.Get(&tries, `SELECT count(*) FROM mailer.attempts WHERE contact_id = $1`, d[1].ContactID))
	if tries != 2 {
		t.Errorf("%d attempts are known, not both", tries)
	}
	var released int
	b.must(b.db.Get(&released, `SELECT count(*) FROM mailer.released`))
	if released != 0 {
		t.Error("a late failure gave articles back that somebody else is about to send")
	}
}

// What is sent in the end is given, whoever said otherwise before.
func TestSentTakesBackWhatWasReleased(t *testing.T) {
	t.Parallel()
	b := newBook(t, 1)
	one := b.enlist(noon)
	first := b.claim(one, noon, 1)
	later := noon.Add(time.Minute)
	_, err := ledger.TakeOver(b.ctx, b.db, later)
	b.must(err)
	two := b.enlist(later)
	second := b.claim(two, later, 1)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(two, second[0], reply.Failed, later)}))
	b.released(2)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(one, first[0], reply.Sent, later)}))
	b.released(0)
	b.counts(ledger.Counts{Recipients: 1, Sent: 1})
}

// What was in doubt counts as given, also when it is refused the second time.
func TestDoubtIsNotReleased(t *testing.T) {
	t.Parallel()
	b := newBook(t, 1)
	later := noon.Add(2 * time.Minute)
	one, two := b.enlist(noon), b.enlist(later)
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(one, b.claim(one, noon, 1)[0], reply.InDoubt, noon)}))
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(two, b.claim(two, later, 1)[0], reply.Failed, later)}))
	b.released(0)
	b.counts(ledger.Counts{Recipients: 1, Failed: 1})
}

// A sender that comes to life while others are buried keeps what it claims.
func TestTakeOverLeavesNewcomersAlone(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	b.claim(b.enlist(noon), noon, 3)
	later := noon.Add(time.Minute)
	other := b.db.MustBegin()
	other.MustExec(`SELECT 1 FROM mailer.deliveries FOR UPDATE`)
	done := make(chan error, 1)
	go func() {
		_, err := ledger.TakeOver(b.ctx, b.db, later)
		done <- err
	}()
	testkit.Eventually(t, 10*time.Second, "TakeOver waits for the rows", func() bool {
		var waiting bool
		b.must(b.db.Get(&waiting, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`))
		return waiting
	})
	newcomer := uuid.New()
	other.MustExec(`INSERT INTO mailer.senders VALUES ($1, $2)`, newcomer, later.Add(time.Hour))
	other.MustExec(`UPDATE mailer.deliveries SET sender_id = $1`, newcomer)
	b.must(other.Commit())
	b.must(<-done)
	b.counts(ledger.Counts{Recipients: 3, InFlight: 3})
}

// What a sender claims while it is buried goes back with the rest: claims lock their sender.
func TestTakeOverWaitsForClaimsUnderWay(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	sender, later := b.enlist(noon), noon.Add(time.Minute)
	claim := b.db.MustBegin() // as one does
	claim.MustExec(`SELECT FROM mailer.senders WHERE id = $1 FOR KEY SHARE`, sender)
	claim.MustExec(`UPDATE mailer.deliveries SET state = 'in_flight', sender_id = $1`, sender)
	back := make(chan int, 1)
	go func() {
		n, err := ledger.TakeOver(b.ctx, b.db, later)
		if err != nil {
			t.Error(err)
		}
		back <- n
	}()
	testkit.Eventually(t, 10*time.Second, "TakeOver waits for the claim", func() bool {
		var waiting bool
		b.must(b.db.Get(&waiting, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`))
		return waiting
	})
	b.must(claim.Commit())
	if n := <-back; n != 3 {
		t.Errorf("%d deliveries were put back, not 3", n)
	}
	b.counts(ledger.Counts{Recipients: 3, Pending: 3})
}

// A claim writes rows and no index, which is half of what it would cost.
func TestClaimsTouchNoIndex(t *testing.T) {
	t.Parallel()
	b := newBook(t, 50)
	b.db.SetMaxOpenConns(1) // a session tells what it did itself
	if n := len(b.claim(b.enlist(noon), noon, 50)); n != 50 {
		t.Fatalf("%d were claimed", n)
	}
	b.exec(`SELECT pg_stat_force_next_flush()`)
	var hot int
	b.must(b.db.Get(&hot, `SELECT coalesce(sum(n_tup_hot_upd), 0) FROM pg_stat_user_tables WHERE schemaname = 'mailer' AND relname LIKE 'deliveries%'`))
	if hot < 50 {
		t.Errorf("%d of 50 rows were written beside their old version", hot)
	}
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	b := newBook(t, 2)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	b.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE contact_id = $1`, d[0].ContactID)
	for i, want := range []bool{false, true} {
		if may, err := ledger.Recheck(b.ctx, b.db, sender, d[i], noon); may != want || err != nil {
			t.Errorf("contact %d: %v, not %v (%v)", i, may, want, err)
		}
	}
	b.counts(ledger.Counts{Recipients: 2, InFlight: 1, Suppressed: 1})
	if may, _ := ledger.Recheck(b.ctx, b.db, sender, d[1], noon.Add(ledger.Lease)); may {
		t.Error("a dead sender may send")
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	b := newBook(t, 1)
	sender := b.enlist(noon)
	d := b.claim(sender, noon, 9)
	for _, step := range []struct {
		outcome reply.Outcome
		want    int
	}{{reply.Deferred, 0}, {reply.Sent, 1}} {
		b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(sender, d[0], step.outcome, noon)}))
		if n, err := ledger.Finish(b.ctx, b.db, noon); n != step.want || err != nil {
			t.Errorf("after %s %d editions were finished (%v)", step.outcome, n, err)
		}
	}
}

func TestPrepareMayRaceAndRepeat(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	failed := make(chan error, 8)
	for range cap(failed) {
		go func() { failed <- ledger.Prepare(t.Context(), db, noon) }()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	for _, at := range []time.Time{
		time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 30, 23, 59, 59, 999e6, time.UTC),
	} {
		if _, err := db.Exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, not_before, due_at)
			VALUES ($1, 1, 1, 1, $2, $2)`, ledger.NewEditionID(at), at); err != nil {
			t.Errorf("%s has no partition: %v", at, err)
		}
	}
}

func TestEditionIDs(t *testing.T) {
	t.Parallel()
	id := ledger.NewEditionID(noon)
	sec, nsec := id.Time().UnixTime()
	if id.Version() != 7 || id.Variant() != uuid.RFC4122 || !time.Unix(sec, nsec).Equal(noon) {
		t.Errorf("%s: version %d, time %v", id, id.Version(), time.Unix(sec, nsec).UTC())
	}
	if a, b := ledger.NewEditionID(noon), ledger.NewEditionID(noon.Add(time.Millisecond)); a.String() >= b.String() {
		t.Errorf("%s is not before %s", a, b)
	}
}

// A message that is under way, or that came just now, may still be looked at by programs.
func TestReached(t *testing.T) {
	t.Parallel()
	b := newBook(t, 3)
	sender := b.enlist(noon)
	reached := func(d *ledger.Delivery, after time.Time, want bool) {
		t.Helper()
		got, err := ledger.Reached(b.ctx, b.db, after, 999, d.SubscriptionID)
		b.must(err)
		if got != want {
			t.Errorf("subscription %d after %s: %v, want %v", d.SubscriptionID, after, got, want)
		}
	}
	for i, d := range b.claim(sender, noon, 3) {
		reached(d, noon.Add(time.Hour), true) // under way
		o := []reply.Outcome{reply.Sent, reply.InDoubt, reply.Failed}[i]
		b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(sender, d, o, noon)}))
		reached(d, noon.Add(-time.Second), o != reply.Failed)
		reached(d, noon, false)
	}
	reached(&ledger.Delivery{SubscriptionID: 999}, noon.Add(-time.Hour), false)
}

// A database that was promoted hands nothing out, and what was handed out before is not begun any more.
func TestNothingIsClaimedWhileHeld(t *testing.T) {
	t.Parallel()
	b := newBook(t, 2)
	b.must(installation.Adopt(b.ctx, b.db, "", noon))
	sender := b.enlist(noon)
	first := b.claim(sender, noon, 1)
	if len(first) != 1 {
		t.Fatalf("%d were claimed", len(first))
	}
	b.exec(`UPDATE installation.identity SET timeline = '00000000'`)
	if claimed := b.claim(sender, noon, 10); len(claimed) != 0 {
		t.Errorf("%d were claimed while held", len(claimed))
	}
	if may, err := ledger.Recheck(b.ctx, b.db, sender, first[0], noon); err != nil || may {
		t.Errorf("what was claimed before may go: %v, %v", may, err)
	}
	b.must(installation.Adopt(b.ctx, b.db, "", noon))
	if may, err := ledger.Recheck(b.ctx, b.db, sender, first[0], noon); err != nil || !may {
		t.Errorf("adopted, it may not go: %v", err)
	}
	if claimed := b.claim(sender, noon, 10); len(claimed) != 1 {
		t.Errorf("%d were claimed after the adoption", len(claimed))
	}
}

// With the first claim of an edition it is in the archive, with what stands in any digest or below it as a link; but not what was taken out, and
// not an edition for a part of the readers alone.
func TestTheFirstClaimArchives(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change string
		want   string
	}{
		"two variants": {`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'it', '{4,2,3}', '{1,2,3}', 'it')`, "4:1 1:1 2:2 3:3"},
		"more":         {`UPDATE mailer.variants SET more = '{9}', groups = '{1,2,8}' WHERE edition_id = $1`, "1:1 2:2 9:8"},
		"taken out": {
			`INSERT INTO mailer.variants (edition_id, language, articles, groups, key, retired) VALUES ($1, 'en', '{7}', '{7}', 'r', true)`, "1:1 2:2",
		},
		"an audience": {`UPDATE mailer.editions SET audience = 'country = IT' WHERE id = $1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t, 1)
			b.exec(tt.change, b.edition)
			archived := func() (found string) {
				b.must(b.db.GetContext(b.ctx, &found, `
					SELECT coalesce(string_agg(article_id || ':' || group_id, ' ' ORDER BY place, article_id DESC), '') FROM mailer.archived`))
				return found
			}
			if got := archived(); got != "" {
				t.Errorf("before: %s", got)
			}
			b.claim(b.enlist(noon), noon, 10)
			if got := archived(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
