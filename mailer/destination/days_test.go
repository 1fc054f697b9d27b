package destination_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/destination"
)

// Several processes count at once, a failed writing loses nothing, and each attempt stands in its day.
func TestTalliesAddUp(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	midnight := time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC)
	tallies := []*destination.Tally{{DB: db, Log: testkit.Log(t)}, {DB: db, Log: testkit.Log(t)}}
	var counting sync.WaitGroup
	for _, tally := range tallies {
		counting.Go(func() {
			for i := range 100 {
				tally.Count("google.com", []string{"sent", "sent", "deferred", "failed"}[i%4], midnight.Add(time.Duration(i%2)*time.Second))
				tally.Count("museum.example", "in_doubt", midnight)
				if i%10 == 0 {
					over, cancel := context.WithCancel(t.Context())
					cancel()
					if err := tally.Write(over); err == nil {
						t.Error("it was written in no time at all")
					}
				}
				if i%25 == 0 {
					if err := tally.Write(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
			if err := tally.Write(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	counting.Wait()
	since := func(at time.Time) {
		t.Helper()
		if err := destination.SumUp(t.Context(), db, testkit.NewClock(at), at.Truncate(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	since(midnight)
	all, err := destination.Busiest(t.Context(), db, "", destination.Day{}, 10)
	want := []destination.Day{{Name: "google.com", Sent: 100, Deferred: 50, Failed: 50}, {Name: "museum.example", InDoubt: 200}}
	if err != nil || len(all) != 2 || all[0] != want[0] || all[1] != want[1] {
		t.Errorf("%v %+v", err, all)
	}
	if after, err := destination.Busiest(t.Context(), db, "M", all[0], 10); err != nil || len(after) != 1 || after[0] != want[1] {
		t.Errorf("the rest of a page, by the beginning of its name: %v %+v", err, after)
	}
	since(midnight.Add(time.Second))
	if all, err := destination.Busiest(t.Context(), db, "", destination.Day{}, 10); err != nil || len(all) != 1 || all[0] != (destination.Day{Name: "google.com", Sent: 50, Failed: 50}) {
		t.Errorf("a day later: %v %+v", err, all)
	}
	days, err := destination.DaysOf(t.Context(), db, "google.com", midnight.Truncate(24*time.Hour))
	if err != nil || len(days) != 2 || days[0].Total() != 100 || days[1].Total() != 100 || !days[0].Day.After(days[1].Day) {
		t.Errorf("%v %+v", err, days)
	}
	if err := destination.ForgetDays(t.Context(), db, midnight.Add(time.Second)); err != nil {
		t.Error(err)
	}
	if days, _ := destination.DaysOf(t.Context(), db, "google.com", midnight.Truncate(24*time.Hour)); len(days) != 1 {
		t.Errorf("%+v is left", days)
	}
}

// What was summed up is summed up again when something new was written, and not before it is worth the work.
func TestSumsAreNotMadeForNothing(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	tally := &destination.Tally{DB: db, Log: testkit.Log(t)}
	now := testkit.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	since := now.Now().Truncate(24 * time.Hour)
	count := func() (sent int) {
		t.Helper()
		tally.Count("museum.example", "sent", now.Now())
		if err := errors.Join(tally.Write(t.Context()), destination.SumUp(t.Context(), db, now, since)); err != nil {
			t.Fatal(err)
		}
		all, err := destination.Busiest(t.Context(), db, "", destination.Day{}, 10)
		if err != nil || len(all) != 1 {
			t.Fatalf("%v %+v", err, all)
		}
		return all[0].Sent
	}
	if n := count(); n != 1 {
		t.Errorf("%d", n)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE mailer.destination_summed SET took = '1 second'`); err != nil {
		t.Fatal(err)
	}
	now.Advance(99 * time.Second)
	if n := count(); n != 1 {
		t.Errorf("summed up again at once: %d", n)
	}
	now.Advance(time.Second)
	if n := count(); n != 3 {
		t.Errorf("%d", n)
	}
	now.Advance(time.Hour)
	if _, err := db.ExecContext(t.Context(), `TRUNCATE mailer.destination_sums`); err != nil {
		t.Fatal(err)
	}
	if err := destination.SumUp(t.Context(), db, now, since); err != nil {
		t.Fatal(err)
	}
	if all, err := destination.Busiest(t.Context(), db, "", destination.Day{}, 10); err != nil || len(all) > 0 {
		t.Errorf("summed up though nothing is new: %v %+v", err, all)
	}
}
