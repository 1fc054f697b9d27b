package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
)

// as changes something for somebody.
func (b bench) as(who, statement string, args ...any) {
	b.t.Helper()
	ctx := database.As(b.t.Context(), who, b.clock.Now())
	if err := database.Transact(ctx, b.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
}

// lines returns the log's lines about a thing, the oldest first.
func (b bench) lines(thing string) (said []string) {
	b.t.Helper()
	entries, err := b.Log(b.t.Context(), Filter{Thing: thing, Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		said = append([]string{strings.Join([]string{e.Actor, e.ID, e.What, string(e.Before), string(e.After)}, " | ")}, said...)
	}
	return said
}

const addList = `INSERT INTO subscribers.lists (slug, name, time_zone, editorial_hour, delivery_hour, fallback_language, default_rhythm, rhythms) VALUES ($1, '{"en": "News"}', 'UTC', '17:00', '08:00', 'en', 'weekly', '{weekly}')`

func TestChangesAreLogged(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.as("account 7", addList, "news")
	b.as("key 3", `UPDATE subscribers.lists SET postal_address = '1 Example Street', approval = true WHERE slug = 'news'`)
	b.as("key 3", `UPDATE subscribers.lists SET postal_address = '1 Example Street' WHERE slug = 'news'`)
	b.DB.MustExec(`UPDATE subscribers.lists SET postal_address = 'changed by nobody' WHERE slug = 'news'`)
	b.clock.Advance(time.Hour)
	b.as(`command "line'; DROP`, `DELETE FROM subscribers.lists WHERE slug = 'news'`)
	got := b.lines("subscribers.lists")
	if len(got) != 3 {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	if !strings.HasPrefix(got[0], "account 7 | news | added | null | {") || !strings.Contains(got[0], `"slug": "news"`) {
		t.Error(got[0])
	}
	if want := `key 3 | news | changed | {"approval": false, "postal_address": ""} | {"approval": true, "postal_address": "1 Example Street"}`; got[1] != want {
		t.Errorf("%s\nwant %s", got[1], want)
	}
	if !strings.HasPrefix(got[2], `command "line'; DROP | news | removed | {`) || !strings.Contains(got[2], "changed by nobody") || !strings.HasSuffix(got[2], "} | null") {
		t.Error(got[2])
	}
	if at := b.count(`SELECT extract(hour FROM at AT TIME ZONE 'UTC') FROM accounts.log WHERE what = 'removed'`); at != 13 {
		t.Errorf("at %d", at)
	}
}

func TestTheLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.as("account 7", addList, "news")
	for _, statement := range []string{`UPDATE accounts.log SET actor = ''`, `DELETE FROM accounts.log`, `TRUNCATE accounts.log`, `DELETE FROM accounts.log WHERE false`} {
		if _, err := b.DB.Exec(statement); err == nil || !strings.Contains(err.Error(), "neither changed nor removed") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if n := b.count(`SELECT count(*) FROM accounts.log`); n != 1 {
		t.Errorf("%d lines", n)
	}
}

// What is secret is never in the log, and of persons it has no value that says who they are.
func TestTheLogKeepsSecretsAndPersonsOut(t *testing.T) {
	t.Parallel()
	b := open(t)
	at := b.clock.Now()
	b.as("account 7", addList, "news")
	b.as("account 7", `INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, attributes, created_at)
		VALUES ('secret.person@example.org', 'secret.person@example.org', 'Secret Person', '{en}', '{en-Latn}', '{"phone": "secret"}', $1)`, at)
	b.as("account 7", `UPDATE subscribers.contacts SET name = 'Another secret', email = 'secret2@example.org', email_key = 'secret2@example.org'`)
	b.as("account 7", `INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, topics, created_at) SELECT l.id, c.id, 'active', 'weekly', '{secret}', $1 FROM subscribers.lists l, subscribers.contacts c`, at)
	b.as("account 7", `UPDATE subscribers.subscriptions SET state = 'unsubscribed'`)
	b.as("account 7", `INSERT INTO subscribers.suppressions (address_key, reason, origin, at) VALUES ('secret2@example.org', 'manual', 'secret', $1)`, at)
	b.as("account 7", `INSERT INTO mailer.dkim_keys (domain, selector, algorithm, state, public, sealed, made_at) VALUES ('example.org', 's1', 'rsa', 'made', 'x', 'secret', $1)`, at)
	b.as("account 7", `INSERT INTO articles.sources (slug, kind, url, section, language, every, created_at) VALUES ('site', 'feed', 'https://user:secret@www.example.org/feed?key=secret#secret', '', 'en', '15 minutes', $1)`, at)
	ctx := database.As(t.Context(), "account 7", at)
	id, err := b.Create(ctx, Account{Email: "secret3@example.org", Name: "Secret", Roles: []Role{Owner}})
	if err != nil {
		t.Fatal(err)
	}
	link, err := b.MakeLink(ctx, id, ToSetPassword, LinkFor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.UseLink(ctx, link, good, from("192.0.2.1")); err != nil {
		t.Fatal(err)
	}
	if err := b.BeginFactor(ctx, id); err != nil {
		t.Fatal(err)
	}
	secret, _, err := b.MakeKey(ctx, Key{Name: "machine", Roles: []Role{Reader}})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := b.Log(ctx, Filter{Limit: 1000})
	if err != nil || len(entries) < 12 {
		t.Fatalf("%d lines, %v", len(entries), err)
	}
	hashed, _ := json.Marshal(fmt.Sprintf("\\x%x", hashOf(secret)))
	for _, e := range entries {
		for _, part := range []string{string(e.Before), string(e.After), e.ID} {
			if strings.Contains(strings.ToLower(part), "secret") || strings.Contains(part, string(hashed)) || strings.Contains(part, "argon2") {
				t.Errorf("%s %s: %s", e.Thing, e.What, part)
			}
		}
	}
	if got := b.lines("subscribers.contacts"); len(got) != 2 || !strings.Contains(got[1], `{"name": "…", "email": "…"}`) && !strings.Contains(got[1], `"email": "…"`) {
		t.Errorf("%q", got)
	}
	if got := b.lines("subscribers.subscriptions"); len(got) == 0 || !strings.HasSuffix(got[len(got)-1], `changed | {"state": "active"} | {"state": "unsubscribed"}`) {
		t.Errorf("%q", got)
	}
	if got := b.lines("articles.sources"); len(got) != 1 || !strings.Contains(got[0], `"https://www.example.org/feed?…"`) {
		t.Errorf("%q", got)
	}
}

// A statement that changes very many rows is one line.
func TestManyRowsAreOneLine(t *testing.T) {
	t.Parallel()
	b := open(t)
	add := `INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, attributes, created_at)
		SELECT 'p' || i || '@example.org', 'p' || i || '@example.org', '', '{en}', '{en-Latn}', '{}', $1 FROM generate_series($2::int, $3::int) i`
	b.as("account 7", add, b.clock.Now(), 1, 100)
	if got := b.lines("subscribers.contacts"); len(got) != 100 {
		t.Errorf("%d lines for 100 rows", len(got))
	}
	b.as("account 7", add, b.clock.Now(), 1001, 3000)
	b.as("account 7", `UPDATE subscribers.contacts SET name = 'x'`)
	b.as("account 7", `DELETE FROM subscribers.contacts`)
	got := b.lines("subscribers.contacts")
	if len(got) != 103 || got[100] != `account 7 |  | added | null | {"rows": 2000}` || got[102] != `account 7 |  | removed | null | {"rows": 2100}` {
		t.Errorf("%d lines, %q", len(got), got[100:])
	}
}

func TestReadingTheLog(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i := range 25 {
		b.as(fmt.Sprintf("account %d", i%3), addList, fmt.Sprintf("list-%d", i))
		if i%2 == 1 {
			b.clock.Advance(time.Minute)
		}
	}
	var seen []string
	filter := Filter{Limit: 4}
	for {
		page, err := b.Log(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			seen = append(seen, e.ID)
			filter.From = &Place{e.At, e.Seq}
		}
		if len(page) < filter.Limit {
			break
		}
	}
	if len(seen) != 25 || seen[0] != "list-24" || seen[24] != "list-0" {
		t.Errorf("%d: %q", len(seen), seen)
	}
	for _, tt := range []struct {
		Filter
		want int
	}{
		{Filter{Actor: "account 0"}, 9}, {Filter{ID: "list-3", Thing: "subscribers.lists"}, 1}, {Filter{Thing: "nothing"}, 0}, {Filter{Before: noon.Add(time.Minute)}, 2},
	} {
		tt.Limit = 100
		if got, err := b.Log(context.Background(), tt.Filter); err != nil || len(got) != tt.want {
			t.Errorf("%+v: %d, %v", tt.Filter, len(got), err)
		}
	}
	actors, things, err := b.Logged(t.Context())
	if err != nil || strings.Join(actors, ",") != "account 0,account 1,account 2" || strings.Join(things, ",") != "subscribers.lists" {
		t.Errorf("%q %q %v", actors, things, err)
	}
}

// However long the log is, a search reads little beside what it finds: also for what is rare and long ago, and for what is not there.
func TestSearchingTheLogReadsLittle(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.DB.MustExec(`
		INSERT INTO accounts.log (at, actor, thing, id, what)
		SELECT $1::timestamptz + i * interval '1 second', CASE WHEN i < 200 THEN 'account 99' ELSE 'account ' || i % 9 END,
			CASE WHEN i < 300 THEN 'mailer.dkim_keys' WHEN i % 2 = 0 THEN 'subscribers.contacts' ELSE 'mailer.editions' END, i % 5000, 'changed'
		FROM generate_series(1, 30000) i`, noon)
	b.DB.MustExec(`ANALYZE accounts.log`)
	for _, f := range []Filter{
		{},
		{Actor: "account 99"},
		{Actor: "account 3"},
		{Actor: "nobody"},
		{Thing: "mailer.dkim_keys"},
		{Thing: "subscribers.contacts"},
		{Thing: "nothing"},
		{ID: "4711"},
		{ID: "none"},
		{Thing: "subscribers.contacts", ID: "4712"},
		{Thing: "mailer.dkim_keys", ID: "77"},
		{Actor: "account 99", Thing: "mailer.dkim_keys"},
		{Actor: "account 3", ID: "12"},
		{Before: noon.Add(time.Hour)},
		{Thing: "mailer.editions", From: &Place{At: noon.Add(time.Hour), Seq: 1}},
	} {
		f.Limit = 51
		query, args := f.query()
		var plan []string
		if err := b.DB.Select(&plan, `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) `+query, args...); err != nil {
			t.Fatal(err)
		}
		for _, line := range plan {
			if _, removed, ok := strings.Cut(line, "Rows Removed by Filter: "); strings.Contains(line, "Seq Scan") || ok && len(removed) > 3 {
				t.Errorf("%+v:\n%s", f, strings.Join(plan, "\n"))
			}
		}
	}
}
