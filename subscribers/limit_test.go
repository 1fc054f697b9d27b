package subscribers_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"silkpost/subscribers"
)

func (b *bundle) admit(t testing.TB, email, network string) subscribers.Admission {
	t.Helper()
	address, err := subscribers.ParseAddress(email)
	if err != nil {
		t.Fatal(err)
	}
	a, err := subscribers.Admit(t.Context(), b.db, address, network, b.now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An address gets five mails a day, however it is written and whoever asks for them; the window begins anew after that.
func TestAnAddressIsAskedForSoOften(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for day := range 2 {
		for i := range 7 {
			a := b.admit(t, []string{"anna@museum.example", "Anna@MUSEUM.example"}[i%2], fmt.Sprintf("192.0.%d.0/24", i))
			if want := i < 5; a.Address != want || !a.Network {
				t.Errorf("day %d, time %d: %+v", day, i+1, a)
			}
			b.now = b.now.Add(time.Hour)
		}
		if other := b.admit(t, "bruno@museum.example", "192.0.0.0/24"); !other.Address {
			t.Error("somebody else is kept out, too")
		}
		b.now = b.now.Add(17 * time.Hour)
	}
	if known := b.query(t, `SELECT key FROM subscribers.limits`); strings.Contains(strings.Join(known, " "), "museum") {
		t.Errorf("the limits know the addresses: %q", known)
	}
}

// What stands after a + is the same mailbox in very many houses.
func TestTagsAreOneMailbox(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 7 {
		if a := b.admit(t, fmt.Sprintf("Anna+%d@museum.example", i), "192.0.2.0/24"); a.Address != (i < 5) {
			t.Errorf("time %d: %+v", i+1, a)
		}
	}
	for _, other := range []string{"+anna@museum.example", "+@museum.example", "anna.b@museum.example", "anna@centro.example"} {
		if !b.admit(t, other, "192.0.2.0/24").Address {
			t.Errorf("%s is kept out, too", other)
		}
	}
}

// A hundred requests come through from one network in an hour, also when they come at once.
func TestANetworkAsksSoOften(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var admitted atomic.Int64
	var work sync.WaitGroup
	for i := range 120 {
		work.Go(func() {
			if b.admit(t, fmt.Sprintf("p%d@example.org", i), "2001:db8:1::/48").Network {
				admitted.Add(1)
			}
		})
	}
	work.Wait()
	if n := admitted.Load(); n != 100 {
		t.Errorf("%d of 120 came through", n)
	}
	if !b.admit(t, "p@example.org", "2001:db8:2::/48").Network {
		t.Error("another network is kept out, too")
	}
	b.now = b.now.Add(time.Hour)
	if !b.admit(t, "p@example.org", "2001:db8:1::/48").Network {
		t.Error("the hour is over")
	}
}

func TestLimitsAreForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.admit(t, "anna@museum.example", "192.0.2.0/24")
	for _, tt := range []struct {
		after time.Duration
		left  int
	}{{24*time.Hour - time.Second, 2}, {24 * time.Hour, 0}} {
		if err := subscribers.ForgetLimits(t.Context(), b.db, b.now.Add(tt.after)); err != nil {
			t.Fatal(err)
		}
		if left := b.query(t, `SELECT key FROM subscribers.limits`); len(left) != tt.left {
			t.Errorf("after %s: %q", tt.after, left)
		}
	}
}
