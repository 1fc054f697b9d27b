package subscribers_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/subscribers"
)

// Whatever statements change subscriptions, the kept counters say what counting would.
func TestCountersAgreeWithWhatIsThere(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	run := func(statement string, args ...any) {
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := subscribers.DeclareList(t.Context(), db, subscribers.NewList("other")); err != nil {
		t.Fatal(err)
	}
	run(`INSERT INTO subscribers.contacts (email, email_key, created_at) SELECT 'c' || n || '@example.org', 'c' || n || '@example.org', '2026-11-22' FROM generate_series(1, 12) n`)
	states := []string{"pending", "active", "paused", "unsubscribed"}
	rapid.Check(t, func(t *rapid.T) {
		run(`DELETE FROM subscribers.subscriptions`)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				run(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
					SELECT l.id, c.id, $1, 'weekly', '2026-11-22' FROM subscribers.lists l, subscribers.contacts c WHERE c.id % $2 = 0 ON CONFLICT DO NOTHING`,
					rapid.SampledFrom(states).Draw(t, "state"), rapid.IntRange(1, 4).Draw(t, "some"))
			},
			"move": func(t *rapid.T) {
				run(`UPDATE subscribers.subscriptions SET state = $1 WHERE contact_id % $2 = 0`, rapid.SampledFrom(states).Draw(t, "state"), rapid.IntRange(1, 4).Draw(t, "some"))
			},
			"remove": func(t *rapid.T) {
				run(`DELETE FROM subscribers.subscriptions WHERE contact_id % $1 = 0`, rapid.IntRange(1, 4).Draw(t, "some"))
			},
			"tidy": func(t *rapid.T) {
				if err := subscribers.TidyCounts(t.Context(), db); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) { compareCounts(t, db) },
		})
	})
}

func compareCounts(t *rapid.T, db database.Handle) {
	kept, err := subscribers.CountStates(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		List  int64             `db:"list_id"`
		State subscribers.State `db:"state"`
		N     int               `db:"n"`
	}
	if err := db.SelectContext(t.Context(), &rows, `SELECT list_id, state, count(*) AS n FROM subscribers.subscriptions GROUP BY list_id, state`); err != nil {
		t.Fatal(err)
	}
	there := map[int64]map[subscribers.State]int{}
	for _, row := range rows {
		if there[row.List] == nil {
			there[row.List] = map[subscribers.State]int{}
		}
		there[row.List][row.State] = row.N
	}
	for list, counts := range kept {
		maps.DeleteFunc(counts, func(_ subscribers.State, n int) bool { return n == 0 })
		if !maps.Equal(counts, there[list]) {
			t.Fatalf("list %d: %v is kept, %v is there", list, counts, there[list])
		}
	}
	for list := range there {
		if kept[list] == nil {
			t.Fatalf("nothing is kept of list %d", list)
		}
	}
}
