package subscribers_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func TestSuppress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\nb@example.org\nc@bücher.example\n")
	suppress := func(whom string, reason subscribers.Reason, want database.Change) {
		t.Helper()
		if got, err := subscribers.Suppress(t.Context(), b.db, whom, reason, "a test", b.now); err != nil || got != want {
			t.Errorf("suppress %q: %q, %v", whom, got, err)
		}
	}
	suppress("A@Example.org", subscribers.HardBounce, database.Added)
	suppress("a@example.org", subscribers.HardBounce, database.Unchanged)
	suppress("a@example.org", subscribers.Manual, database.Added)
	suppress("@BÜCHER.example", subscribers.Manual, database.Added)
	suppress("nobody@example.org", subscribers.Manual, database.Added)
	for address, want := range map[string][]subscribers.Reason{
		"A@example.org": {subscribers.HardBounce, subscribers.Manual}, "c@xn--bcher-kva.example": {subscribers.Manual}, "b@example.org": nil,
		"c@www.bücher.example": nil,
	} {
		if got, err := subscribers.ReasonsAgainst(t.Context(), b.db, address); err != nil || !slices.Equal(got, want) {
			t.Errorf("against %s: %v, %v; want %v", address, got, err, want)
		}
	}
	if diff := cmp.Diff([]string{"b@example.org"}, b.mailable(t)); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		whom string
		kind errs.Kind
	}{
		{"a@example.org", errs.Conflict}, // the manual one goes, the bounce stays
		{"xn--bcher-kva.example", errs.Internal},
		{"xn--bcher-kva.example", errs.NotFound},
		{"b@example.org", errs.NotFound},
		{"not an address", errs.Invalid},
	} {
		err := subscribers.Lift(t.Context(), b.db, tt.whom, "an administrator", b.now)
		if (tt.kind == errs.Internal) != (err == nil) || err != nil && errs.KindOf(err) != tt.kind {
			t.Errorf("lift %q: %v", tt.whom, err)
		}
	}
	if diff := cmp.Diff([]string{"b@example.org", "c@bücher.example"}, b.mailable(t)); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []struct {
		whom   string
		reason subscribers.Reason
	}{{"", subscribers.Manual}, {"a@", subscribers.Manual}, {"a@example.org", subscribers.Erased}, {"a@example.org", "mood"}, {"example.org", subscribers.Complaint}} {
		if _, err := subscribers.Suppress(t.Context(), b.db, bad.whom, bad.reason, "", b.now); errs.KindOf(err) != errs.Invalid {
			t.Errorf("suppress %q for %q: %v", bad.whom, bad.reason, err)
		}
	}
	all, err := subscribers.Suppressions(t.Context(), b.db, 0, 10)
	if err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

// Whatever a subscription is, each change leads where it should, and the log says the same.
func TestTransitions(t *testing.T) {
	t.Parallel()
	later := func(b *bundle) *time.Time { at := b.now.Add(time.Hour); return &at }
	person := func(b *bundle) subscribers.Evidence {
		return subscribers.Evidence{At: b.now, Method: subscribers.ByConfirmation, Statement: "Yes", Origin: "page", Network: "192.0.2.0/24"}
	}
	changes := map[string]func(t *testing.T, b *bundle, id int64) error{
		"unsubscribe": func(t *testing.T, b *bundle, id int64) error {
			return subscribers.Unsubscribe(t.Context(), b.db, id, person(b))
		},
		"confirm": func(t *testing.T, b *bundle, id int64) error {
			return subscribers.Confirm(t.Context(), b.db, id, person(b))
		},
		"pause": func(t *testing.T, b *bundle, id int64) error {
			return subscribers.Pause(t.Context(), b.db, id, later(b), false, person(b))
		},
		"resume": func(t *testing.T, b *bundle, id int64) error {
			return subscribers.Resume(t.Context(), b.db, id, false, person(b))
		},
		"catch up": func(t *testing.T, b *bundle, id int64) error {
			return subscribers.Resume(t.Context(), b.db, id, true, person(b))
		},
		"schedule": func(t *testing.T, b *bundle, _ int64) error {
			_, err := subscribers.ResumeDue(t.Context(), b.db, *later(b))
			return err
		},
		"too early": func(t *testing.T, b *bundle, _ int64) error {
			_, err := subscribers.ResumeDue(t.Context(), b.db, b.now)
			return err
		},
	}
	for _, tt := range []struct {
		do         []string
		state      string
		activation int
		log        []string
	}{
		{nil, "pending", 0, []string{"pending"}},
		{[]string{"confirm"}, "active", 1, []string{"pending", "active"}},
		{[]string{"confirm", "confirm"}, "active", 1, []string{"pending", "active"}},
		{[]string{"pause"}, "pending", 0, []string{"pending"}},
		{[]string{"resume"}, "pending", 0, []string{"pending"}},
		{[]string{"unsubscribe"}, "unsubscribed", 0, []string{"pending", "unsubscribed"}},
		{[]string{"unsubscribe", "resume", "pause", "schedule"}, "unsubscribed", 0, []string{"pending", "unsubscribed"}},
		{[]string{"confirm", "unsubscribe", "unsubscribe", "confirm"}, "active", 2, []string{"pending", "active", "unsubscribed", "active"}},
		{[]string{"confirm", "pause"}, "paused", 1, []string{"pending", "active", "paused"}},
		{[]string{"confirm", "pause", "too early"}, "paused", 1, []string{"pending", "active", "paused"}},
		{[]string{"confirm", "pause", "schedule"}, "active", 2, []string{"pending", "active", "paused", "active"}},
		{[]string{"confirm", "pause", "resume"}, "active", 2, []string{"pending", "active", "paused", "active"}},
		{[]string{"confirm", "pause", "catch up"}, "active", 1, []string{"pending", "active", "paused", "active"}},
		{[]string{"confirm", "pause", "confirm"}, "active", 2, []string{"pending", "active", "paused", "active"}},
		{[]string{"confirm", "pause", "unsubscribe"}, "unsubscribed", 1, []string{"pending", "active", "paused", "unsubscribed"}},
	} {
		b := setup(t)
		o := b.options()
		o.Consent = ""
		b.mustImport(t, o, "email\na@example.org\n")
		id := b.subscriptionOf(t, "partners", "a@example.org")
		for _, name := range tt.do {
			if err := changes[name](t, b, id); err != nil {
				t.Fatalf("%v: %s: %v", tt.do, name, err)
			}
		}
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
		if err != nil || string(sub.State) != tt.state || sub.Activation != tt.activation || (sub.PausedUntil != nil) != (tt.state == "paused") {
			t.Errorf("%v: %s, activation %d, paused until %v, %v", tt.do, sub.State, sub.Activation, sub.PausedUntil, err)
		}
		if log := b.query(t, `SELECT state FROM subscribers.consents ORDER BY id`); !slices.Equal(log, tt.log) {
			t.Errorf("%v: the log says %v", tt.do, log)
		}
		if can := len(b.mailable(t)) == 1; can != (tt.state == "active") {
			t.Errorf("%v: can be mailed: %v", tt.do, can)
		}
	}
}

// Nobody but the person brings back who has left or bounced or complained.
func TestOnlyThePersonConfirms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\n")
	id := b.subscriptionOf(t, "partners", "a@example.org")
	for _, reason := range []subscribers.Reason{subscribers.HardBounce, subscribers.Complaint, subscribers.Manual} {
		if _, err := subscribers.Suppress(t.Context(), b.db, "a@example.org", reason, "", b.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []subscribers.Evidence{
		{At: b.now, Method: subscribers.ByAdministrator, Actor: "1"},
		{At: b.now, Method: subscribers.ByImport},
		{At: b.now, Method: subscribers.ByForm},
		{At: b.now, Method: subscribers.ByPage, Actor: "1"},
		{At: b.now},
	} {
		if err := subscribers.Confirm(t.Context(), b.db, id, e); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if err := subscribers.Confirm(t.Context(), b.db, id, subscribers.Evidence{At: b.now, Method: subscribers.ByConfirmation}); err != nil {
		t.Fatal(err)
	}
	left := b.query(t, `SELECT reason FROM subscribers.suppressions WHERE lifted_at IS NULL`)
	if !slices.Equal(left, []string{"manual"}) || len(b.mailable(t)) != 0 {
		t.Errorf("suppressed for %v, mailable %v", left, b.mailable(t))
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,name,organisation,languages,time_zone,topics,city\n"+
		"anna@museum.example,Anna,The museum,it;en,Europe/Rome,robotics,Rome\nb@museum.example,B,The museum,it,,,\n")
	if _, err := subscribers.Suppress(t.Context(), b.db, "anna@museum.example", subscribers.Complaint, "", b.now); err != nil {
		t.Fatal(err)
	}
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, "Anna@Museum.example")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // again changes nothing
		err = database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
			return subscribers.Erase(t.Context(), tx, contact.ID, b.now, "1")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range b.query(t, `SELECT 'subscribers.' || tablename FROM pg_tables WHERE schemaname = 'subscribers'`) {
		for _, word := range []string{"anna", "Rome", "robotics"} {
			if found := b.query(t, `SELECT t::text FROM `+table+` t WHERE t::text ILIKE '%`+word+`%'`); len(found) > 0 {
				t.Errorf("%s still knows %q: %v", table, word, found)
			}
		}
	}
	log := b.query(t, `SELECT state || ' ' || method FROM subscribers.consents WHERE subscription_id IN
		(SELECT id FROM subscribers.subscriptions WHERE contact_id = (SELECT id FROM subscribers.contacts WHERE erased_at IS NOT NULL)) ORDER BY id`)
	if !slices.Equal(log, []string{"active import", "unsubscribed erasure"}) {
		t.Errorf("the log says %v", log)
	}
	if left := b.query(t, `SELECT reason FROM subscribers.suppressions`); !slices.Equal(left, []string{"erased"}) {
		t.Errorf("suppressions: %v", left)
	}
	if _, err := subscribers.ContactByEmail(t.Context(), b.db, "anna@museum.example"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("still found: %v", err)
	}
	gone, err := subscribers.ContactByID(t.Context(), b.db, contact.ID)
	if err != nil || gone.Email != "" || gone.ErasedAt == nil {
		t.Errorf("%+v, %v", gone, err)
	}
	err = database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, 999, b.now, "1") })
	if errs.KindOf(err) != errs.NotFound {
		t.Errorf("nobody: %v", err)
	}
	var n int
	if err := errors.Join(b.db.Get(&n, `SELECT count(*) FROM subscribers.contacts`)); err != nil || n != 2 {
		t.Errorf("%d contacts, %v", n, err)
	}
}
