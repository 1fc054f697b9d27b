package calls_test

import (
	"errors"
	"testing"
	"time"

	"silkpost/internal/calls"
	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestAClaimThatIsAnothersRollsBack(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	call := calls.Call{Actor: "key 1", Name: "one", Request: []byte("r")}
	slow, _, err := calls.Begin(t.Context(), db, call, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := calls.Begin(t.Context(), db, call, now.Add(time.Minute)); !errors.Is(err, calls.ErrBusy) {
		t.Errorf("a minute later: %v", err)
	}
	fast, _, err := calls.Begin(t.Context(), db, call, now.Add(calls.ClaimLife))
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Keep(t.Context(), db, []byte(`{}`)); err == nil {
		t.Error("the slow one could keep its answer")
	}
	if err := slow.Drop(t.Context(), db); err != nil {
		t.Error(err)
	}
	if err := fast.Keep(t.Context(), db, []byte(`{"fast": true}`)); err != nil {
		t.Error(err)
	}
	if _, answer, err := calls.Begin(t.Context(), db, call, now.Add(time.Hour)); err != nil || string(answer) != `{"fast": true}` {
		t.Errorf("%s (%v)", answer, err)
	}
	if err := calls.Forget(t.Context(), db, now.Add(calls.Life+calls.ClaimLife)); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := db.Get(&left, `SELECT count(*) FROM calls.answers`); err != nil || left != 0 {
		t.Errorf("%d answers are kept (%v)", left, err)
	}
}

func TestAWindowBeginsWithTheFirstCall(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	limit := calls.Limit{Times: 2, Within: time.Minute}
	begin := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		after time.Duration
		actor string
		want  calls.Use
	}{
		{0, "key 1", calls.Use{Left: 1, Ends: time.Minute}},
		{50 * time.Second, "key 1", calls.Use{Left: 0, Ends: 10 * time.Second}},
		{50 * time.Second, "key 2", calls.Use{Left: 1, Ends: time.Minute}},
		{59 * time.Second, "key 1", calls.Use{Left: 0, Over: true, Ends: time.Second}},
		{60 * time.Second, "key 1", calls.Use{Left: 1, Ends: time.Minute}},
	} {
		if got, err := limit.Count(t.Context(), db, tt.actor, begin.Add(tt.after)); err != nil || got != tt.want {
			t.Errorf("%s after %s: %+v, want %+v (%v)", tt.actor, tt.after, got, tt.want, err)
		}
	}
}
