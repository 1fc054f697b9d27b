package destination_test

import (
	"context"
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
	all, err := destination.Busiest(t.Context(), db, midnight.AddDate(0, 0, -1).Truncate(24*time.Hour), "", destination.Day{}, 10)
	want := []destination.Day{{Name: "google.com", Sent: 100, Deferred: 50, Failed: 50}, {Name: "museum.example", InDoubt: 200}}
	if err != nil || len(all) != 2 || all[0] != want[0] || all[1] != want[1] {
		t.Errorf("%v %+v", err, all)
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
