package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// crowd is a database with an edition of n deliveries to two domains, all pending but for every tenth, which failed.
func crowd(t *testing.T, n int, now time.Time) (*sqlx.DB, uuid.UUID) {
	t.Helper()
	db := testkit.DB(t)
	id := NewEditionID(now)
	if err := Prepare(t.Context(), db, now); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO subscribers.contacts (email, email_key, created_at) SELECT e, e, $2 FROM generate_series(1, $1::int) i, LATERAL (SELECT 'r' || i || '@' || CASE WHEN i % 4 = 0 THEN 'few' ELSE 'many' END || '.example' AS e) a`, []any{n, now}},
		{`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, recipients) VALUES ($1, 1, 'weekly', '2026-11-23', 'hand', 'sending', $2, $2, $3)`, []any{id, now, n}},
		{`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'en', '{1}', '{1}', 'k')`, []any{id}},
		{`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, due_at)
		  SELECT $1, id, id, (SELECT max(id) FROM mailer.variants), CASE WHEN id % 10 = 0 THEN 'failed' ELSE 'pending' END, $2, CASE WHEN id % 10 = 0 THEN NULL ELSE $2::timestamptz END
		  FROM subscribers.contacts`, []any{id, now}},
		{`INSERT INTO mailer.attempts (edition_id, contact_id, number, at, outcome, phase, code, reply, sender_id)
		  SELECT edition_id, contact_id, 1, $1, 'failed', 'rcpt', 550, 'no', gen_random_uuid() FROM mailer.deliveries WHERE state = 'failed'`, []any{now}},
	} {
		if _, err := db.ExecContext(t.Context(), s.statement, s.args...); err != nil {
			t.Fatal(err)
		}
	}
	return db, id
}

func recount(t *testing.T, db *sqlx.DB, id uuid.UUID, at time.Time) {
	t.Helper()
	if err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error { return Recount(t.Context(), tx, id, at) }); err != nil {
		t.Fatal(err)
	}
}

func knownOf(t *testing.T, db *sqlx.DB, id uuid.UUID, now time.Time) Known {
	t.Helper()
	known, err := KnownCounts(t.Context(), db, now, id)
	if err != nil {
		t.Fatal(err)
	}
	return known[id]
}

// What is large is counted beforehand, and nothing of it while a page waits; what is small is counted as it is.
func TestLargeEditionsAreCountedBeforehand(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	db, id := crowd(t, Few+1, now)
	if k := knownOf(t, db, id, now); !k.At.IsZero() || k.Recipients != Few+1 || k.Pending != 0 {
		t.Errorf("before it was counted: %+v", k)
	}
	stale, err := Stale(t.Context(), db, now, 10)
	if err != nil || len(stale) != 1 || stale[0] != id {
		t.Fatalf("%v, %v", stale, err)
	}
	recount(t, db, id, now)
	if k := knownOf(t, db, id, now.Add(time.Second)); !k.At.Equal(now) || k.Failed != (Few+1)/10 || k.Pending+k.Failed != Few+1 || k.Recipients != Few+1 {
		t.Errorf("counted: %+v", k)
	}
	where, err := ByDestination(t.Context(), db, id)
	if err != nil || len(where) != 2 || where[0].Destination != "many.example" || where[0].Recipients+where[1].Recipients != Few+1 || where[0].Waiting == 0 {
		t.Errorf("%+v, %v", where, err)
	}
	// Who counted earlier, and is done later, changes nothing.
	if _, err := db.ExecContext(t.Context(), `UPDATE mailer.deliveries SET state = 'sent', due_at = NULL, settled_at = $1`, now); err != nil {
		t.Fatal(err)
	}
	recount(t, db, id, now.Add(time.Minute))
	recount(t, db, id, now.Add(time.Second))
	if k := knownOf(t, db, id, now.Add(time.Hour)); k.Sent != Few+1 || !k.At.Equal(now.Add(time.Minute)) {
		t.Errorf("counted again: %+v", k)
	}
	if err := Took(t.Context(), db, id, time.Minute); err != nil {
		t.Fatal(err)
	}
	if stale, err := Stale(t.Context(), db, now.Add(10*time.Minute), 10); err != nil || len(stale) != 0 {
		t.Errorf("what takes a minute is counted every ten: %v, %v", stale, err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE mailer.editions SET state = 'sent', finished_at = $1`, now.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if stale, err := Stale(t.Context(), db, now.Add(3*time.Minute), 10); err != nil || len(stale) != 1 {
		t.Errorf("what is over is counted once more: %v, %v", stale, err)
	}
}

func TestSmallEditionsAreCountedAsTheyAre(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	db, id := crowd(t, 40, now)
	if k := knownOf(t, db, id, now); !k.At.Equal(now) || k.Failed != 4 || k.Pending != 36 {
		t.Errorf("%+v", k)
	}
	if next, last, err := Due(t.Context(), db, id); err != nil || next == nil || !next.Equal(now) || !last.Equal(now) {
		t.Errorf("%v, %v, %v", next, last, err)
	}
}

// Whatever is looked for, each delivery is found once, part by part.
func TestDeliveriesAreFoundPartByPart(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	db, id := crowd(t, lookedThrough+500, now)
	some := make([]int64, 0, 300)
	for c := int64(1); c <= 300; c++ {
		some = append(some, 301-c)
	}
	for name, tt := range map[string]struct {
		search Search
		want   int
	}{
		"all":            {Search{Limit: 7000}, lookedThrough + 500},
		"failed":         {Search{State: "failed", Limit: 999}, (lookedThrough + 500) / 10},
		"pending":        {Search{State: "pending", Limit: 9000}, (lookedThrough + 500) - (lookedThrough+500)/10},
		"none":           {Search{State: "sent", Limit: 10}, 0},
		"some":           {Search{Contacts: some, Limit: 50}, 300},
		"some failed":    {Search{Contacts: some, State: "failed", Limit: 7}, 30},
		"nobody is none": {Search{Contacts: []int64{}, Limit: 7}, 0},
	} {
		seen, parts := map[int64]bool{}, 0
		for s := tt.search; ; parts++ {
			found, next, err := Find(t.Context(), db, id, s)
			if err != nil || parts > 100 {
				t.Fatalf("%s: %v after %d parts", name, err, parts)
			}
			for _, e := range found {
				if seen[e.ContactID] || e.ContactID <= s.After || s.State != "" && e.State != s.State {
					t.Errorf("%s: %+v", name, e)
				}
				seen[e.ContactID] = true
			}
			if next == 0 {
				break
			}
			if next <= s.After {
				t.Fatalf("%s: goes on at %d after %d", name, next, s.After)
			}
			s.After = next
		}
		if len(seen) != tt.want {
			t.Errorf("%s: %d found, not %d", name, len(seen), tt.want)
		}
	}
	tries, err := Tries(t.Context(), db, id, []int64{10, 11})
	if err != nil || len(tries[10]) != 1 || tries[10][0].Code != 550 || len(tries[11]) != 0 {
		t.Errorf("%+v, %v", tries, err)
	}
}

// All deliveries are counted from what is known of editions that are over; of others one by one.
func TestAllAreCountedWithoutLookingAtWhatIsOver(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	db, over := crowd(t, 40, now)
	count := func() Counts {
		t.Helper()
		c, err := Count(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	if c := count(); c != (Counts{Recipients: 40, Pending: 36, Failed: 4}) {
		t.Errorf("open: %+v", c)
	}
	exec(`UPDATE mailer.deliveries SET state = 'sent', due_at = NULL, settled_at = $1 WHERE state = 'pending'`, now)
	exec(`UPDATE mailer.editions SET state = 'sent', finished_at = $1`, now.Add(time.Minute))
	if c := count(); c != (Counts{Recipients: 40, Sent: 36, Failed: 4}) {
		t.Errorf("over, not counted since: %+v", c)
	}
	recount(t, db, over, now.Add(time.Minute))
	exec(`UPDATE mailer.deliveries SET state = 'in_doubt'`) // which nothing does: it shows who was looked at
	next := NewEditionID(now.Add(time.Hour))
	exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, recipients) VALUES ($1, 1, 'weekly', '2026-11-30', 'hand', 'sending', $2, $2, 5)`, next, now)
	exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, due_at)
		SELECT $1, id, id, (SELECT max(id) FROM mailer.variants), 'pending', $2, $2 FROM subscribers.contacts ORDER BY id LIMIT 5`, next, now)
	if c := count(); c != (Counts{Recipients: 45, Sent: 36, Failed: 4, Pending: 5}) {
		t.Errorf("one over, one open: %+v", c)
	}
}
