package staff_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/staff"
	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestNobodyIsToldTwice(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	tell := func(account int64, happenings ...string) (news []string) {
		t.Helper()
		err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) (err error) {
			news, err = staff.Tell(t.Context(), tx, account, happenings, noon)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return news
	}
	if got := tell(1, "b", "a"); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("at first: %v", got)
	}
	if got := tell(1, "a", "c", "b"); !slices.Equal(got, []string{"c"}) {
		t.Errorf("then: %v", got)
	}
	if got := tell(2, "a"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("another account: %v", got)
	}
}

func TestMailsAreAccountedFor(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	var m staff.Mail
	err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
		id, err := staff.Make(t.Context(), tx, 7, map[string]int{"x": 1}, noon)
		if err == nil {
			m, err = staff.ByID(t.Context(), tx, id)
		}
		return err
	})
	if err != nil || m.Account != 7 || !m.Open || m.State != staff.Pending {
		t.Fatalf("%+v (%v)", m, err)
	}
	settle := func(state staff.State, again bool, wanted staff.State, attempts int) {
		t.Helper()
		if err := staff.Settle(t.Context(), db, m, state, again, 0, "", noon); err != nil {
			t.Fatal(err)
		}
		got, err := staff.ByID(t.Context(), db, m.ID)
		if err != nil || got.State != wanted || got.Attempts != attempts {
			t.Errorf("%+v (%v)", got, err)
		}
	}
	settle(staff.Deferred, true, staff.Deferred, 1)
	settle(staff.Failed, false, staff.Failed, 2)
	settle(staff.Deferred, true, staff.Failed, 2) // it is settled
	settle(staff.Sent, false, staff.Sent, 3)      // a fact is a fact
	if count, err := staff.Count(t.Context(), db); err != nil || count[staff.Sent] != 1 {
		t.Errorf("%v (%v)", count, err)
	}
	if err := staff.Forget(t.Context(), db, noon.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := staff.ByID(t.Context(), db, m.ID); errs.KindOf(err) != errs.NotFound {
		t.Errorf("it is still there: %v", err)
	}
}

func TestWishes(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	for _, without := range [][]staff.Kind{{staff.Report, staff.Source}, {}, {staff.Held}} {
		if err := staff.Wish(t.Context(), db, 1, without); err != nil {
			t.Fatal(err)
		}
		if got, err := staff.Without(t.Context(), db); err != nil || !slices.Equal(got[1], without) || got[2] != nil {
			t.Errorf("%v: %v (%v)", without, got, err)
		}
	}
	if err := staff.Wish(t.Context(), db, 1, []staff.Kind{"everything"}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("an unknown kind: %v", err)
	}
}
