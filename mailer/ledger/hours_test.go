package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

func (b *book) hours(lists []int64, want ...ledger.Hour) {
	b.t.Helper()
	got, err := ledger.Hours(b.ctx, b.db, noon.Add(-24*time.Hour), lists)
	b.must(err)
	for i := range got {
		got[i].Hour = got[i].Hour.UTC()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("hours (-want +got):\n%s", diff)
	}
}

// What happens is counted once, however often it is written down.
func TestHours(t *testing.T) {
	t.Parallel()
	b := newBook(t, 5)
	one, other := b.enlist(noon), b.enlist(noon)
	d := append(b.claim(one, noon, 2), b.claim(other, noon, 3)...)
	attempts := []ledger.Attempt{
		outcome(one, d[0], reply.Sent, noon), outcome(one, d[1], reply.Deferred, noon.Add(59*time.Minute)),
		outcome(other, d[2], reply.Sent, noon.Add(30*time.Minute)), outcome(other, d[3], reply.Sent, noon.Add(time.Hour)), outcome(other, d[4], reply.Failed, noon),
	}
	for range 2 {
		b.must(ledger.Settle(b.ctx, b.db, attempts))
	}
	report := func(i int, kind ledger.BounceKind, at time.Time) {
		_, _, err := ledger.NoteBounce(b.ctx, b.db, ledger.Bounce{EditionID: b.edition, ContactID: d[i].ContactID, At: at, Kind: kind})
		b.must(err)
	}
	report(4, ledger.SoftBounce, noon)
	report(4, ledger.HardBounce, noon.Add(time.Hour)) // graver, and no second one
	report(0, ledger.ComplaintBounce, noon)
	want := []ledger.Hour{{Hour: noon, Sent: 2, Deferred: 1, Bounced: 1}, {Hour: noon.Add(time.Hour), Sent: 1}}
	b.hours(nil, want...)
	b.hours([]int64{1}, want...)
	b.hours([]int64{2})
	b.hours([]int64{})

	b.must(ledger.FoldHours(b.ctx, b.db, noon.Add(time.Hour)))
	b.hours(nil, want...)
	var parts int
	b.must(b.db.Get(&parts, `SELECT count(*) FROM mailer.hours WHERE hour = $1 AND part <> ''`, noon))
	if parts != 0 {
		t.Errorf("%d parts of an hour that is over are left", parts)
	}
	b.must(ledger.Settle(b.ctx, b.db, []ledger.Attempt{outcome(other, d[1], reply.Sent, noon)})) // late
	b.must(ledger.FoldHours(b.ctx, b.db, noon.Add(2*time.Hour)))
	want[0].Sent++
	b.hours(nil, want...)
}
