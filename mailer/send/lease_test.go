package send

import (
	"testing"
	"time"

	"silkpost/internal/clock"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
)

// A renounced lease never comes back, whatever the heartbeat finds; what it held is due again at once.
func TestRenouncedLease(t *testing.T) {
	t.Parallel()
	s := &Sender{DB: testkit.DB(t), Clock: clock.System{}, Log: testkit.Log(t)}
	if err := s.enlist(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := s.lease.Load()
	if err := s.renew(t.Context()); err != nil || s.lease.Load() != first || !first.alive(time.Now()) {
		t.Fatalf("a living lease is not just renewed (%v)", err)
	}
	first.renounce()
	if first.alive(time.Now()) {
		t.Error("a renounced lease is alive")
	}
	if err := s.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := s.lease.Load()
	if second == first || first.alive(time.Now()) || !second.alive(time.Now()) {
		t.Error("the heartbeat did not begin a new life")
	}
	n, err := ledger.Senders(t.Context(), s.DB, time.Now())
	if n != 1 || err != nil {
		t.Errorf("%d senders are enlisted, not the new one alone (%v)", n, err)
	}
}
