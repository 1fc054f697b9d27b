package archtest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// owners says which room a Postgres schema belongs to. Nobody else writes there.
var owners = map[string]string{
	"accounts":    "internal/accounts",
	"articles":    "internal/articles",
	"feeds":       "feeds",
	"subscribers": "subscribers",
	"mailer":      "mailer/...",
	"calls":       "internal/calls",

	"installation": "internal/installation",
	"river":        "internal/database", // the queue's own tables: its library alone writes them, migrated by us
}

// published are the views that other rooms may read in their statements.
var published = []string{
	"articles.arrivals", "articles.available", "installation.standing", "mailer.last_sent", "subscribers.addresses", "subscribers.mailable", "subscribers.reading",
}

// tableName is schema.table in a statement; %s stands for a name that is put in.
var tableName = regexp.MustCompile(`\b([a-z_]+)\.([a-z_%][a-z_%]*)\b`)

// isWrite matches what stands before a table that is changed.
var isWrite = regexp.MustCompile(`(?is)\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(\s+TABLE)?|MERGE\s+INTO|COPY|ALTER\s+\w+|DROP\s+\w+|CREATE\s+(\w+\s+){1,3}|LOCK(\s+TABLE)?|PARTITION\s+OF)\s+(ONLY\s+|IF\s+(NOT\s+)?EXISTS\s+)?$`)

// trespasses returns what a room's words say about tables that are not its own and that it may not touch in this way.
func trespasses(room, words string) (found []string) {
	for _, at := range tableName.FindAllStringSubmatchIndex(words, -1) {
		schema, table := words[at[2]:at[3]], words[at[0]:at[1]]
		owner, ours := owners[schema]
		address := strings.HasSuffix(words[:at[0]], "/")
		switch {
		case !ours || address || matches(room, owner):
		case isWrite.MatchString(words[:at[0]]):
			found = append(found, fmt.Sprintf("%s writes %s, which belongs to %s", room, table, owner))
		case !slices.Contains(published, table):
			found = append(found, fmt.Sprintf("%s reads %s, which belongs to %s and is no published view", room, table, owner))
		}
	}
	return found
}

func TestNobodyTrespasses(t *testing.T) {
	t.Parallel()
	owned := map[string]bool{}
	for _, f := range product(goFiles(t)) {
		for words, line := range f.words() {
			for _, found := range trespasses(f.room, words) {
				t.Errorf("%s:%d: %s", f.path, line, found)
			}
			for _, at := range tableName.FindAllStringSubmatchIndex(words, -1) {
				if schema := words[at[2]:at[3]]; owners[schema] != "" && isWrite.MatchString(words[:at[0]]) {
					owned[schema] = true
				}
			}
		}
	}
	for schema := range owners {
		if !owned[schema] && schema != "river" {
			t.Errorf("no statement that writes to %s was found: does the scan still see SQL?", schema)
		}
	}
}

func TestTrespassersAreFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ room, words, want string }{
		{"feeds", `SELECT 1 FROM articles.articles`, "feeds reads articles.articles"},
		{"feeds", `SELECT count(*) FROM articles.available a JOIN articles.sources s USING (id)`, "feeds reads articles.sources"},
		{"feeds", "\n\t\tDELETE  FROM\n\t\tarticles.available", "feeds writes articles.available"},
		{"internal/app", `UPDATE mailer.editions SET state = 'sent'`, "internal/app writes mailer.editions"},
		{"internal/app", `WITH x AS (INSERT INTO subscribers.consents (id) VALUES (1))`, "internal/app writes subscribers.consents"},
		{"mailer/edition", `SELECT * FROM subscribers.subscriptions`, "mailer/edition reads subscribers.subscriptions"},
		{"subscribers", `SELECT * FROM a, mailer.deliveries d`, "subscribers reads mailer.deliveries"},
		{"internal/jobs", `DELETE FROM river.river_job`, "internal/jobs writes river.river_job"},
		{"internal/web", `TRUNCATE TABLE feeds.feeds`, "internal/web writes feeds.feeds"},
		{"feeds", `SELECT 1 FROM articles.available`, ""},
		{"mailer/ledger", `UPDATE mailer.deliveries d SET due_at = NULL FROM subscribers.mailable m`, ""},
		{"mailer/edition", "articles.Save(%q): see feeds. More", ""},
		{"internal/web", "/feeds.opml", ""},
	} {
		got := strings.Join(trespasses(tt.room, tt.words), "; ")
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s, %q: %q, want %q", tt.room, tt.words, got, tt.want)
		}
	}
}

func TestEachMigrationKeepsToItsSchema(t *testing.T) {
	t.Parallel()
	made := map[string]string{}
	create := regexp.MustCompile(`(?i)CREATE SCHEMA (?:IF NOT EXISTS )?([a-z_]+)`)
	for _, path := range paths(t, ".sql") {
		words := withoutComments(readFile(t, path))
		name := regexp.MustCompile(`[0-9]+_([a-z]+)[a-z_]*\.sql$`).FindStringSubmatch(path)
		if name == nil || owners[name[1]] == "" {
			t.Errorf("%s: name it after the schema it changes, such as 00005_mailer_notes.sql", path)
			continue
		}
		for _, at := range tableName.FindAllStringSubmatch(words, -1) {
			if owners[at[1]] != "" && at[1] != name[1] {
				t.Errorf("%s touches %s: a migration changes one schema, and no key reaches across", path, at[0])
			}
		}
		for _, schema := range create.FindAllStringSubmatch(words, -1) {
			made[schema[1]] = path
		}
	}
	for schema := range owners {
		if made[schema] == "" && schema != "river" {
			t.Errorf("no migration makes the schema %s", schema)
		}
	}
}

func withoutComments(sql string) string { return regexp.MustCompile(`--.*`).ReplaceAllString(sql, "") }

func TestSchemasAndViewsAreThoseWeKnow(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	var schemas, views, across []string
	if err := db.Select(&schemas, `
		SELECT nspname FROM pg_namespace WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg_%' ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(owners)); !slices.Equal(schemas, want) {
		t.Errorf("the database has the schemas %v; owners are known of %v", schemas, want)
	}
	if err := db.Select(&views, `
		SELECT schemaname || '.' || viewname FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(views, published) {
		t.Errorf("the database has the views %v; published are %v", views, published)
	}
	if err := db.Select(&across, `
		SELECT conname FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid
		WHERE a.relnamespace <> b.relnamespace`); err != nil || len(across) > 0 {
		t.Errorf("foreign keys %v reach from one schema into another (%v)", across, err)
	}
}
