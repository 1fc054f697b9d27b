package testkit_test

import (
	"testing"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestDBIsMigratedAndOwn(t *testing.T) {
	t.Parallel()
	one, other := testkit.DB(t), testkit.DB(t)
	if _, err := one.Exec("DELETE FROM feeds.feeds"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := other.Get(&n, "SELECT count(*) FROM feeds.feeds"); err != nil || n != 1 {
		t.Errorf("the other database has %d feeds (%v), want the one of a new installation", n, err)
	}
}

func TestEmptyURL(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), testkit.EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var n int
	if err := db.Get(&n, "SELECT count(*) FROM pg_namespace WHERE nspname IN ('river', 'mailer')"); err != nil || n != 0 {
		t.Errorf("%d schemas, %v; want an empty database", n, err)
	}
}
