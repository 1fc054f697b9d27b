package accounts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"silkpost/internal/errs"
)

// attempt tries to sign in with a wrong password and says what came of it.
func (b bench) attempt(email string, v Visit) error {
	_, err := b.SignIn(b.t.Context(), email, "a wrong password", v)
	return err
}

// What is there and what is not there get the same answers in the same order.
func TestUnknownAndKnownAnswerAlike(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("there@example.org", Owner)
	invited, err := b.Create(t.Context(), Account{Email: "invited@example.org", Roles: []Role{Reader}})
	if err != nil || invited == id {
		t.Fatal(err)
	}
	for round := range 9 {
		var said []string
		for i, email := range []string{"there@example.org", "nobody@example.org", "invited@example.org"} {
			said = append(said, fmt.Sprint(b.attempt(email, from(fmt.Sprintf("192.0.2.%d", i)))))
		}
		if said[0] != said[1] || said[0] != said[2] {
			t.Errorf("round %d: %q", round, said)
		}
	}
	if n := b.count(`SELECT count(*) FROM accounts.log WHERE what = 'refused'`); n != 10 {
		t.Errorf("%d refusals of the two that are there are in the log", n)
	}
	if n := b.count(`SELECT count(*) FROM accounts.attempts WHERE encode(subject, 'escape') LIKE '%example.org%'`); n != 0 {
		t.Error("what was typed is kept")
	}
}

// Whether there is an account does not show in how long the answer takes: each attempt hashes once, at the same cost. Where the hashing has no room
// left, nobody is answered before it.
func TestEveryAttemptHashes(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("there@example.org", Owner)
	disabled := b.account("disabled@example.org", Reader)
	_, invited := b.Create(t.Context(), Account{Email: "invited@example.org", Roles: []Role{Reader}})
	if err := errors.Join(invited, b.Disable(t.Context(), disabled)); err != nil {
		t.Fatal(err)
	}
	if c, _, _, err := parsePHC(nobodys); err != nil || c != present {
		t.Errorf("what is nobody's costs %+v, %v", c, err)
	}
	for range hashersWait {
		b.hashing.queue <- struct{}{}
	}
	for i, email := range []string{"there@example.org", "nobody@example.org", "disabled@example.org", "invited@example.org", "no address", ""} {
		for _, password := range []string{good, "a wrong password", "", strings.Repeat("long", 100)} {
			if _, err := b.SignIn(t.Context(), email, password, from(fmt.Sprintf("192.0.%d.1", i))); errs.KindOf(err) != errs.Unavailable {
				t.Errorf("%q is answered without hashing: %v", email, err)
			}
		}
	}
}

// Delays grow and have an end; whoever has the password comes in after them.
func TestBruteForceIsSlowed(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	tried, refused := 0, 0
	var longest time.Duration
	for i := range 30 {
		err := b.attempt("owner@example.org", from(fmt.Sprintf("198.51.100.%d", i))) // from everywhere
		tooMany := (*TooManyError)(nil)
		switch {
		case errors.Is(err, ErrWrong):
			tried++
		case errors.As(err, &tooMany):
			refused++
			longest = max(longest, tooMany.Wait)
			if err := b.attempt("owner@example.org", from("198.51.100.77")); errors.Is(err, ErrWrong) {
				t.Fatal("it did not wait")
			}
			b.clock.Advance(tooMany.Wait)
		default:
			t.Fatal(err)
		}
	}
	if tried < 15 || refused < 8 || longest > perAccount.longest || longest < perAccount.longest/2 {
		t.Errorf("%d tried, %d refused, waiting %s at most", tried, refused, longest)
	}
	_ = b.attempt("owner@example.org", from("198.51.100.99"))
	if _, err := b.SignIn(t.Context(), "owner@example.org", good, from("192.0.2.1")); err == nil {
		t.Error("the right password was not made to wait: then guesses are told apart")
	}
	b.clock.Advance(perAccount.longest)
	b.signIn("owner@example.org")
	if err := b.attempt("owner@example.org", from("192.0.2.1")); !errors.Is(err, ErrWrong) {
		t.Errorf("after a sign-in: %v", err)
	}
}

// Strangers who try for ever do not keep the one out who has been there before.
func TestAKnownBrowserHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	b.account("other@example.org", Reader)
	known := b.signIn("owner@example.org").Known
	for range perAccount.free + 1 {
		_ = b.attempt("owner@example.org", from("198.51.100.1"))
	}
	if _, err := b.SignIn(t.Context(), "owner@example.org", good, from("192.0.2.1")); err == nil {
		t.Fatal("nobody is slowed")
	}
	mine := from("192.0.2.1")
	mine.Known = known
	if _, err := b.SignIn(t.Context(), "owner@example.org", good, mine); err != nil {
		t.Errorf("the known browser: %v", err)
	}
	for range perAccount.free + 1 { // being known for one account says nothing for another, and is no way round the limit
		_ = b.attempt("other@example.org", mine)
	}
	if err := b.attempt("other@example.org", mine); errors.Is(err, ErrWrong) {
		t.Error("a browser that is known for one account has no limit for another")
	}
}

func TestOneNetworkIsSlowed(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i := range perNetwork.free {
		if err := b.attempt(fmt.Sprintf("somebody%d@example.org", i), from(fmt.Sprintf("2001:db8:1:2::%x", i+1))); !errors.Is(err, ErrWrong) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	if err := b.attempt("another@example.org", from("2001:db8:1:2:ffff::1")); errors.Is(err, ErrWrong) {
		t.Error("addresses of one /64 are not counted together")
	}
	if err := b.attempt("another@example.org", from("2001:db8:1:3::1")); !errors.Is(err, ErrWrong) {
		t.Errorf("the neighbour: %v", err)
	}
	if err := b.attempt("another@example.org", from("::ffff:192.0.2.1")); !errors.Is(err, ErrWrong) {
		t.Errorf("an IPv4 address in its other form: %v", err)
	}
}

// Attempts that come at once count like those that come one after another.
func TestAttemptsAtOnceCount(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	const many = 12
	done := make(chan error, many)
	for i := range many {
		go func() { done <- b.attempt("owner@example.org", from(fmt.Sprintf("203.0.113.%d", i))) }()
	}
	tried := 0
	for range many {
		if errors.Is(<-done, ErrWrong) {
			tried++
		}
	}
	if tried > perAccount.free {
		t.Errorf("%d passwords were tried, %d are free", tried, perAccount.free)
	}
}
