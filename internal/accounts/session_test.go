package accounts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"silkpost/internal/errs"
)

// gone reports that nobody is signed in with a token.
func (b bench) gone(token string) bool {
	b.t.Helper()
	_, err := b.Who(b.t.Context(), token)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		b.t.Fatal(err)
	}
	return err != nil
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account("owner@example.org", Owner, Approver)
	got := b.signIn(" Owner@EXAMPLE.org ")
	who, err := b.Who(t.Context(), got.Token)
	if err != nil || who.Account != id || who.Name != Name(id) || who.Email != "owner@example.org" || !who.May(Administer) || !who.May(Send) || !who.Proved.Equal(noon) || who.Lists != nil {
		t.Errorf("%+v %v", who, err)
	}
	if n := b.count(`SELECT count(*) FROM accounts.sessions WHERE encode(hash, 'escape') LIKE '%' || $1 || '%'`, got.Token); n != 0 {
		t.Error("the token itself is stored")
	}
	for _, wrong := range []string{"", "x", got.Token + "a", strings.ToUpper(got.Token)} {
		if !b.gone(wrong) {
			t.Errorf("%q is a session", wrong)
		}
	}
	if n := b.count(`SELECT count(*) FROM accounts.log WHERE what = 'signed_in' AND actor = $1 AND after->>'network' = '192.0.2.0/24'`, Name(id)); n != 2 {
		t.Errorf("%d sign-ins are in the log", n)
	}
}

// Whoever plants a token in somebody's browser has nothing of it: signing in makes a new one, and the old one ends.
func TestATokenIsNeverTakenOver(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	b.account("reader@example.org", Reader)
	planted := b.signIn("reader@example.org").Token
	visit := from("192.0.2.1")
	visit.Session = planted
	got, err := b.SignIn(t.Context(), "owner@example.org", good, visit)
	if err != nil || got.Token == planted || !b.gone(planted) || b.gone(got.Token) {
		t.Errorf("%v; the planted one ended: %v", err, b.gone(planted))
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	idle, busy := b.signIn("owner@example.org").Token, b.signIn("owner@example.org").Token
	for range 7 * 3 {
		b.clock.Advance(8*time.Hour - time.Second)
		if b.clock.Now().Sub(noon) < sessionIdle && b.gone(idle) {
			t.Error("a session ended early")
		}
		if b.gone(busy) {
			t.Fatalf("a session in use ended after %s", b.clock.Now().Sub(noon))
		}
	}
	b.clock.Advance(time.Minute)
	if !b.gone(busy) {
		t.Error("a session outlives its week")
	}
	if err := b.Tidy(t.Context()); err != nil || b.count(`SELECT count(*) FROM accounts.sessions`) != 0 {
		t.Errorf("ended sessions are kept: %v", err)
	}
	idle = b.signIn("owner@example.org").Token
	b.clock.Advance(sessionIdle)
	if !b.gone(idle) {
		t.Error("an idle session goes on")
	}
}

func TestProvingRotates(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	old := b.signIn("owner@example.org").Token
	b.clock.Advance(time.Hour)
	if _, err := b.Prove(t.Context(), old, "another password", from("192.0.2.1")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
	got, err := b.Prove(t.Context(), old, good, from("192.0.2.1"))
	if err != nil || !b.gone(old) {
		t.Fatalf("%v; the old token ended: %v", err, b.gone(old))
	}
	if who, err := b.Who(t.Context(), got.Token); err != nil || !who.Proved.Equal(b.clock.Now()) {
		t.Errorf("%v %v", who.Proved, err)
	}
}

func TestAPasswordChangeEndsAllOtherSessions(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	here, there := b.signIn("owner@example.org").Token, b.signIn("owner@example.org").Token
	if _, err := b.ChangePassword(t.Context(), here, "not the old one", "other quiet words", from("192.0.2.1")); errs.KindOf(err) != errs.Invalid || b.gone(there) {
		t.Errorf("%v", err)
	}
	got, err := b.ChangePassword(t.Context(), here, good, "other quiet words", from("192.0.2.1"))
	if err != nil || !b.gone(there) || !b.gone(here) || b.gone(got.Token) {
		t.Errorf("%v; ended: there %v, the old token %v, the new one %v", err, b.gone(there), b.gone(here), b.gone(got.Token))
	}
	if _, err := b.SignIn(t.Context(), "owner@example.org", good, from("192.0.2.1")); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
}

func TestADisabledAccountIsOut(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.account("owner@example.org", Owner)
	id := b.account("editor@example.org", Editor)
	session := b.signIn("editor@example.org").Token
	key, _, err := b.MakeKey(t.Context(), Key{Name: "a machine", MadeBy: id, Roles: []Role{Reader}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Disable(t.Context(), id); err != nil || !b.gone(session) {
		t.Errorf("%v; the session ended: %v", err, b.gone(session))
	}
	if _, err := b.SignIn(t.Context(), "editor@example.org", good, from("192.0.2.1")); !errors.Is(err, ErrWrong) {
		t.Errorf("%v", err)
	}
	if _, err := b.KeyActor(t.Context(), key); errs.KindOf(err) != errs.NotFound {
		t.Errorf("its key works: %v", err)
	}
	if _, err := b.MakeLink(t.Context(), id, ToSetPassword, LinkFor); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a link: %v", err)
	}
	if err := b.Enable(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.signIn("editor@example.org")
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	b := open(t)
	first := b.account("first@example.org", Owner)
	if err := b.Disable(t.Context(), first); errs.KindOf(err) != errs.Conflict {
		t.Errorf("disabled: %v", err)
	}
	if err := b.SetScope(t.Context(), first, []Role{Editor}, nil); errs.KindOf(err) != errs.Conflict {
		t.Errorf("no longer an owner: %v", err)
	}
	if _, err := b.Create(t.Context(), Account{Email: "invited@example.org", Roles: []Role{Owner}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Disable(t.Context(), first); errs.KindOf(err) != errs.Conflict {
		t.Errorf("one who never came counts: %v", err)
	}
	second := b.account("second@example.org", Owner)
	done := make(chan error, 2)
	for _, id := range []int64{first, second} { // each takes the other's role away, at once
		go func() { done <- b.SetScope(t.Context(), id, []Role{Editor}, nil) }()
	}
	failed := 0
	for range 2 {
		if err := <-done; errs.KindOf(err) == errs.Conflict {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	if n := b.count(`SELECT count(*) FROM accounts.accounts WHERE 'owner' = ANY (roles) AND state = 'active'`); n != 1 || failed != 1 {
		t.Errorf("%d owners are left, %d refused", n, failed)
	}
}
