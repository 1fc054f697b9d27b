package database_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func empty(t *testing.T) *sqlx.DB {
	t.Helper()
	return open(t, testkit.EmptyURL(t))
}

func open(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestMigrateFromNothingAndAgain(t *testing.T) {
	t.Parallel()
	db := empty(t)
	for range 2 {
		if err := database.Migrate(t.Context(), db, testkit.Log(t)); err != nil {
			t.Fatal(err)
		}
	}
	var schemas []string
	err := db.Select(&schemas, `SELECT DISTINCT schemaname FROM pg_tables
		WHERE schemaname IN ('articles', 'feeds', 'subscribers', 'mailer', 'river') ORDER BY 1`)
	if got := strings.Join(schemas, " "); err != nil || got != "articles feeds mailer river subscribers" {
		t.Errorf("schemas with tables: %s (%v)", got, err)
	}
	var others []string
	err = db.Select(&others, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	if got := strings.Join(others, " "); err != nil || got != "goose_db_version" {
		t.Errorf("tables in public: %s (%v); want the migrations' own alone", got, err)
	}
}

func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyURL(t)
	log := testkit.Log(t)
	var wait sync.WaitGroup
	for range 4 {
		db := open(t, url)
		wait.Go(func() {
			if err := database.Migrate(t.Context(), db, log); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestMigrateRefusesANewerDatabase(t *testing.T) {
	t.Parallel()
	for what, statement := range map[string]string{
		"schema": "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)",
		"queue":  "INSERT INTO river.river_migration (line, version) VALUES ('main', 99)",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			db := testkit.DB(t)
			db.MustExec(statement)
			err := database.Migrate(t.Context(), db, testkit.Log(t))
			if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "newer silkpost ("+what) {
				t.Errorf("got %v", err)
			}
		})
	}
}
