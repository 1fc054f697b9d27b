package notice_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
	"silkpost/mailer/notice"
	"silkpost/subscribers"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// sub is a subscription as far as the account of notices looks at it.
func sub(contact, subscription int64) *subscribers.Subscription {
	return &subscribers.Subscription{ID: subscription, State: subscribers.Pending, Contact: subscribers.Contact{ID: contact}}
}

func write(t *testing.T, db *sqlx.DB, n *notice.Notice, now time.Time) (made bool) {
	t.Helper()
	if err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) (err error) {
		made, err = n.Make(t.Context(), tx, now)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return made
}

func of(kind notice.Kind, contact, subscription int64) *notice.Notice {
	n := notice.Of(kind, sub(contact, subscription))
	return &n
}

// A form that anybody can fill in is no use against anybody.
func TestLimits(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ask := func(n *notice.Notice, at time.Time, want bool) {
		t.Helper()
		if got := write(t, db, n, at); got != want {
			t.Errorf("%s of subscription %d at %s: %v", n.Kind, n.SubscriptionID, at.Format(time.TimeOnly), got)
		}
	}
	at := noon
	ask(of(notice.Confirmation, 1, 1), at, true)
	ask(of(notice.Confirmation, 1, 1), at, false)
	ask(of(notice.Known, 1, 1), at.Add(9*time.Minute), false) // it is the same form
	ask(of(notice.Confirmation, 1, 2), at, true)              // another list
	ask(of(notice.Confirmation, 2, 3), at, true)              // another person
	for range 4 {
		at = at.Add(10 * time.Minute)
		ask(of(notice.Known, 1, 1), at, true)
	}
	ask(of(notice.Confirmation, 1, 1), at.Add(time.Hour), false) // the sixth of a day
	ask(of(notice.Confirmation, 1, 1), noon.Add(24*time.Hour), true)

	// Who complained, or whose address bounced, is asked once a day, whatever about.
	for list, want := range []bool{true, false, false} {
		complained := of(notice.Confirmation, 5, int64(500+list/2))
		complained.Unwelcome = true
		ask(complained, noon.Add(time.Duration(list)*time.Hour), want)
	}
	complained := of(notice.Confirmation, 5, 500)
	complained.Unwelcome = true
	ask(complained, noon.Add(24*time.Hour), true)

	// Whatever is asked for, there is an end to it.
	for list := range int64(19) {
		ask(of(notice.Confirmation, 3, 100+list), noon, true)
	}
	change := of(notice.NewAddress, 3, 100)
	change.OldAddress, change.NewAddress = "old@example.org", "new@example.org"
	ask(change, noon, true)
	ask(of(notice.Confirmation, 3, 200), noon, false)
	ask(of(notice.Welcome, 3, 100), noon, true) // what they have confirmed is no bomb

	// Changes of address are counted by person, not by list.
	for i := range 5 {
		ask(of(notice.NewAddress, 4, int64(300+i)), noon.Add(time.Duration(i)*time.Minute), true)
	}
	ask(of(notice.NewAddress, 4, 305), noon.Add(4*time.Minute+59*time.Second), false)
	ask(of(notice.NewAddress, 4, 305), noon.Add(time.Hour), false)
	for i := range 5 {
		ask(of(notice.OldAddress, 4, int64(300+i)), noon.Add(time.Hour+time.Duration(i)*time.Minute), true)
	}
	ask(of(notice.OldAddress, 4, 305), noon.Add(2*time.Hour), false)
}

// Of two forms at once one counts: the second waits for what the first one does.
func TestLimitsHoldAtOnce(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	second := make(chan bool, 1)
	if err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
		if made, err := of(notice.Confirmation, 1, 1).Make(t.Context(), tx, noon); err != nil || !made {
			t.Errorf("the first: %v, %v", made, err)
		}
		go func() {
			var made bool
			if err := database.Transact(context.Background(), db, func(tx *sqlx.Tx) (err error) {
				made, err = of(notice.Confirmation, 1, 1).Make(context.Background(), tx, noon)
				return err
			}); err != nil {
				t.Error(err)
			}
			second <- made
		}()
		testkit.Eventually(t, 20*time.Second, "the second waits", func() bool {
			var waiting int
			err := db.Get(&waiting, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
			return err == nil && waiting == 1
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if <-second {
		t.Error("both count")
	}
}

// A welcome is for becoming active once more, a last edition for once.
func TestWelcomesAreMadeOnce(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	s := sub(1, 1)
	edition := uuid.NullUUID{UUID: uuid.New(), Valid: true}
	for activation, want := range []bool{true, false} {
		s.Activation = activation + 1
		for i, first := range []bool{true, false} {
			welcome, last := notice.Of(notice.Welcome, s), notice.Of(notice.LastEdition, s)
			last.EditionID = edition
			if got := write(t, db, &welcome, noon); got != first {
				t.Errorf("welcome %d after activation %d: %v", i, s.Activation, got)
			}
			if got := write(t, db, &last, noon); got != (want && first) {
				t.Errorf("last edition %d after activation %d: %v", i, s.Activation, got)
			}
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	n := of(notice.NewAddress, 1, 1)
	n.OldAddress, n.NewAddress = "old@example.org", "new@example.org"
	write(t, db, n, noon)
	settle := func(o notice.Outcome, at time.Time) notice.Notice {
		t.Helper()
		if err := notice.Settle(t.Context(), db, n.ID, o, at); err != nil {
			t.Fatal(err)
		}
		got, err := notice.ByID(t.Context(), db, n.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	later, latest := noon.Add(time.Minute), noon.Add(time.Hour)
	want := *n
	want.State, want.Attempts, want.SettledAt, want.Code, want.Reply = notice.Deferred, 1, &later, 451, "4.3.0 Later"
	got := settle(notice.Outcome{State: notice.Deferred, Tried: true, Again: true, Code: 451, Reply: "4.3.0 Later"}, later)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deferred (-want +got):\n%s", diff)
	}
	if troubled, err := notice.Troubled(t.Context(), db, 10); err != nil || len(troubled) != 1 || troubled[0].ID != n.ID {
		t.Errorf("troubled %+v, %v", troubled, err)
	}
	want.State, want.Open, want.SettledAt, want.Code, want.Reply = notice.Cancelled, false, &latest, 0, "over"
	want.OldAddress, want.NewAddress = "", ""
	got = settle(notice.Outcome{State: notice.Cancelled, Reply: "over"}, latest)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cancelled (-want +got):\n%s", diff)
	}
	if again := settle(notice.Outcome{State: notice.Failed, Tried: true}, latest); again.State != notice.Cancelled || again.Attempts != 1 {
		t.Errorf("what is settled became %+v", again)
	}
	if fact := settle(notice.Outcome{State: notice.Sent, Tried: true, Code: 250}, latest); fact.State != notice.Sent || fact.Code != 250 || fact.Attempts != 2 {
		t.Errorf("a late fact is %+v", fact)
	}
	if _, err := notice.ByID(t.Context(), db, uuid.New()); errs.KindOf(err) != errs.NotFound {
		t.Errorf("no notice: %v", err)
	}
	if c, err := notice.Count(t.Context(), db); err != nil || c != (ledger.Counts{Recipients: 1, Sent: 1}) {
		t.Errorf("%+v, %v", c, err)
	}
	if troubled, err := notice.Troubled(t.Context(), db, 10); err != nil || len(troubled) != 0 {
		t.Errorf("troubled %+v, %v", troubled, err)
	}
}

// A notice counts as a message that just came, or may be coming.
func TestReached(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	reached := func(subscription int64, want bool) {
		t.Helper()
		if got, err := ledger.Reached(t.Context(), db, noon, subscription); err != nil || got != want {
			t.Errorf("subscription %d: %v, %v", subscription, got, err)
		}
	}
	for i, o := range []struct {
		outcome notice.Outcome
		at      time.Time
		want    bool
	}{
		{notice.Outcome{State: notice.Sent, Tried: true}, noon.Add(time.Second), true},
		{notice.Outcome{State: notice.Sent, Tried: true}, noon, false},
		{notice.Outcome{State: notice.Failed, Tried: true}, noon.Add(time.Second), false},
		{notice.Outcome{State: notice.Deferred, Tried: true, Again: true}, noon, true},
	} {
		n := of(notice.Confirmation, 1, int64(i))
		reached(n.SubscriptionID, false)
		write(t, db, n, noon)
		reached(n.SubscriptionID, true)
		if err := notice.Settle(t.Context(), db, n.ID, o.outcome, o.at); err != nil {
			t.Fatal(err)
		}
		reached(n.SubscriptionID, o.want)
	}
}
