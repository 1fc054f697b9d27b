package accounts

import (
	"testing"
	"time"

	"silkpost/internal/errs"
)

func TestLinksWorkOnceAndNotForLong(t *testing.T) {
	t.Parallel()
	b := open(t)
	id, err := b.Create(t.Context(), Account{Email: "new@example.org", Roles: []Role{Editor}})
	if err != nil {
		t.Fatal(err)
	}
	link := func() string {
		t.Helper()
		link, err := b.MakeLink(t.Context(), id, ToSetPassword, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	first := link()
	second := link()
	if _, err := b.Link(t.Context(), first); errs.KindOf(err) != errs.Gone {
		t.Errorf("an earlier one: %v", err)
	}
	for range 3 { // scanners of mail open links
		if l, err := b.Link(t.Context(), second); err != nil || l.Account.ID != id {
			t.Errorf("looking at it uses it up: %v", err)
		}
	}
	if _, err := b.UseLink(t.Context(), second, "short", from("192.0.2.1")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
	got, err := b.UseLink(t.Context(), second, good, from("192.0.2.1"))
	if err != nil || b.gone(got.Token) {
		t.Fatalf("%v", err)
	}
	if _, err := b.UseLink(t.Context(), second, "other quiet words", from("192.0.2.1")); errs.KindOf(err) != errs.Gone {
		t.Errorf("again: %v", err)
	}
	third := link()
	b.clock.Advance(time.Hour)
	if _, err := b.UseLink(t.Context(), third, "other quiet words", from("192.0.2.1")); errs.KindOf(err) != errs.Gone {
		t.Errorf("too old: %v", err)
	}
	fourth := link()
	other := b.signIn("new@example.org").Token
	if _, err := b.UseLink(t.Context(), fourth, "other quiet words", from("192.0.2.1")); err != nil || !b.gone(other) {
		t.Errorf("%v; the other session ended: %v", err, b.gone(other))
	}
}

// Of two who use a link at once one comes in.
func TestALinkIsUsedByOne(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner)
	link, err := b.MakeLink(t.Context(), id, ToSignIn, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 4)
	for range 4 {
		go func() {
			_, err := b.UseLink(t.Context(), link, "", from("192.0.2.1"))
			done <- err
		}()
	}
	worked := 0
	for range 4 {
		if err := <-done; err == nil {
			worked++
		} else if errs.KindOf(err) != errs.Gone {
			t.Error(err)
		}
	}
	if worked != 1 {
		t.Errorf("%d came in", worked)
	}
}
