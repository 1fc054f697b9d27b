package subscribers_test

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/testkit"
	"silkpost/subscribers"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// bundle is what a test with a database starts from.
type bundle struct {
	db  *sqlx.DB
	now time.Time
}

func setup(t testing.TB) *bundle {
	t.Helper()
	return &bundle{db: testkit.DB(t), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

// options imports onto the list of a new installation, with consent.
func (b *bundle) options() subscribers.ImportOptions {
	return subscribers.ImportOptions{List: "partners", Consent: "Agreed in the partnership contract", Now: b.now}
}

// query returns the values of one text column.
func (b *bundle) query(t testing.TB, query string, args ...any) []string {
	t.Helper()
	values := []string{}
	if err := b.db.SelectContext(t.Context(), &values, query, args...); err != nil {
		t.Fatal(err)
	}
	return values
}

func (b *bundle) mailable(t testing.TB) []string {
	t.Helper()
	return b.query(t, `SELECT email FROM subscribers.mailable ORDER BY email`)
}
