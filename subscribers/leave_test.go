package subscribers_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func (b *bundle) transact(t testing.TB, do func(tx *sqlx.Tx) error) error {
	t.Helper()
	return database.Transact(t.Context(), b.db, do)
}

// on imports a row onto a list with single opt-in and returns the subscription's id.
func (b *bundle) on(t testing.TB, list, email string) int64 {
	t.Helper()
	o := b.options()
	o.List = list
	b.mustImport(t, o, "email\n"+email+"\n")
	return b.subscriptionOf(t, list, email)
}

// Leaving and taking it back leaves all as it was: who was pending is asked again, who paused is paused, and nobody misses an article.
func TestRestoreTakesLeavingBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.withLists(t, "")
	later := b.now.Add(48 * time.Hour)
	email := "anna@museum.example"
	ids := []int64{b.on(t, "single", email), b.on(t, "partners", email), b.on(t, "private", email), b.mustJoin(t, email, "double")[0].Subscription}
	for id, until := range map[int64]*time.Time{ids[1]: &later, ids[2]: nil} {
		if err := subscribers.Pause(t.Context(), b.db, id, until, true, b.person(subscribers.ByPage)); err != nil {
			t.Fatal(err)
		}
	}
	all := func() (subs []subscribers.Subscription) {
		for _, id := range ids {
			sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
			if err != nil {
				t.Fatal(err)
			}
			subs = append(subs, sub)
		}
		return subs
	}
	before := all()
	for _, after := range []time.Duration{time.Minute, 72 * time.Hour} {
		var ended []subscribers.Ended
		if err := b.transact(t, func(tx *sqlx.Tx) (err error) {
			ended, err = subscribers.Leave(t.Context(), tx, ids, b.person(subscribers.ByPage))
			return err
		}); err != nil || len(ended) != 4 {
			t.Fatalf("%+v, %v", ended, err)
		}
		if got := b.mailable(t); len(got) > 0 {
			t.Errorf("still mailable: %v", got)
		}
		b.now = b.now.Add(after)
		if err := b.transact(t, func(tx *sqlx.Tx) error {
			return subscribers.Restore(t.Context(), tx, ended, b.person(subscribers.ByPage))
		}); err != nil {
			t.Fatal(err)
		}
		if after > 48*time.Hour { // the pause is over meanwhile
			before[1].State, before[1].PausedUntil, before[1].CatchUp = subscribers.Active, nil, false
		}
		if diff := cmp.Diff(before, all()); diff != "" {
			t.Errorf("after %s (-before +now):\n%s", after, diff)
		}
	}
	log := b.query(t, `SELECT state FROM subscribers.consents WHERE subscription_id = $1 ORDER BY id`, ids[3])
	if want := []string{"pending", "unsubscribed", "pending", "unsubscribed", "pending"}; !slices.Equal(log, want) {
		t.Errorf("the log says %v", log)
	}
}

// What is over stays over: another's word, a second time, somebody who subscribed again meanwhile, and somebody who was erased.
func TestRestoreKeepsToItsLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.on(t, "partners", "anna@museum.example")
	var ended []subscribers.Ended
	leave := func() {
		t.Helper()
		var err error
		if ended, err = subscribers.Leave(t.Context(), b.db, []int64{id}, b.person(subscribers.ByPage)); err != nil {
			t.Fatal(err)
		}
	}
	restore := func(method subscribers.Method) error {
		return b.transact(t, func(tx *sqlx.Tx) error { return subscribers.Restore(t.Context(), tx, ended, b.person(method)) })
	}
	leave()
	again, err := subscribers.Leave(t.Context(), b.db, []int64{id, 999}, b.person(subscribers.ByPage))
	if err != nil || len(again) > 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	if err := restore(subscribers.ByAdministrator); errs.KindOf(err) != errs.Invalid {
		t.Errorf("another's word: %v", err)
	}
	b.confirm(t, id)
	if err := restore(subscribers.ByPage); err != nil {
		t.Error(err)
	}
	log := b.query(t, `SELECT state FROM subscribers.consents ORDER BY id`)
	if want := []string{"active", "unsubscribed", "active"}; !slices.Equal(log, want) {
		t.Errorf("the log says %v", log)
	}
	leave()
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, "anna@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.transact(t, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, contact.ID, b.now, "1") }); err != nil {
		t.Fatal(err)
	}
	if err := restore(subscribers.ByPage); err != nil {
		t.Error(err)
	}
	if err := subscribers.Confirm(t.Context(), b.db, id, b.person(subscribers.ByConfirmation)); errs.KindOf(err) != errs.Gone {
		t.Errorf("an erased person confirms: %v", err)
	}
	if states := b.query(t, `SELECT state FROM subscribers.subscriptions`); !slices.Equal(states, []string{"unsubscribed"}) {
		t.Errorf("after the erasure: %v", states)
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.on(t, "partners", "anna@museum.example")
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, "anna@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	hold := func(contact int64) (version int64, err error) {
		err = b.transact(t, func(tx *sqlx.Tx) error { version, err = subscribers.Hold(t.Context(), tx, contact); return err })
		return version, err
	}
	first, err := hold(contact.ID)
	if seen, alike := subscribers.Version(t.Context(), b.db, contact.ID); err != nil || alike != nil || seen != first {
		t.Errorf("versions %d and %d, %v, %v", first, seen, err, alike)
	}
	if err := subscribers.Unsubscribe(t.Context(), b.db, id, b.person(subscribers.ByPage)); err != nil {
		t.Fatal(err)
	}
	if second, err := hold(contact.ID); err != nil || second <= first {
		t.Errorf("version %d after %d, %v", second, first, err)
	}
	if err := b.transact(t, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, contact.ID, b.now, "1") }); err != nil {
		t.Fatal(err)
	}
	if _, err := hold(contact.ID); errs.KindOf(err) != errs.Gone {
		t.Errorf("an erased contact: %v", err)
	}
	if _, err := hold(999); errs.KindOf(err) != errs.NotFound {
		t.Errorf("nobody: %v", err)
	}
}

// Who asked for it when they paused gets what they missed, also when the pause ends by itself.
func TestAPauseEndsAsItWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, catchUp := range []bool{false, true} {
		b := setup(t)
		id := b.on(t, "partners", "anna@museum.example")
		end := b.now.Add(time.Hour)
		if err := subscribers.Pause(t.Context(), b.db, id, &end, catchUp, b.person(subscribers.ByPage)); err != nil {
			t.Fatal(err)
		}
		paused, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
		if err != nil || paused.CatchUp != catchUp || paused.Activation != 1 {
			t.Errorf("%+v, %v", paused, err)
		}
		if n, err := subscribers.ResumeDue(t.Context(), b.db, end); n != 1 || err != nil {
			t.Errorf("resumed %d, %v", n, err)
		}
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
		if want := map[bool]int{false: 2, true: 1}[catchUp]; err != nil || sub.State != subscribers.Active || sub.Activation != want || sub.CatchUp {
			t.Errorf("catching up %v: %+v, %v", catchUp, sub, err)
		}
	}
}

// A suppression is news, too: a press from before it does not lift it.
func TestVersionRisesWithSuppressions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.on(t, "partners", "anna@museum.example")
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, "anna@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	for _, reason := range []subscribers.Reason{"", subscribers.HardBounce, subscribers.Complaint} {
		if reason != "" {
			if _, err := subscribers.Suppress(t.Context(), b.db, "anna@museum.example", reason, "", b.now); err != nil {
				t.Fatal(err)
			}
		}
		version, err := subscribers.Version(t.Context(), b.db, contact.ID)
		if err != nil || version <= last {
			t.Errorf("after %q: version %d after %d, %v", reason, version, last, err)
		}
		last = version
	}
}
