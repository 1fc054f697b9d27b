package accounts

import (
	"net/netip"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/testkit"
	"silkpost/internal/token"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const good = "five quiet words here"

// bench is a store with a clock.
type bench struct {
	*Store
	t     *testing.T
	clock *testkit.Clock
}

func open(t *testing.T) bench {
	t.Helper()
	return openOn(t, testkit.DB(t))
}

func openOn(t *testing.T, db *sqlx.DB) bench {
	t.Helper()
	keys, err := token.NewKeys("a secret key of tests")
	if err != nil {
		t.Fatal(err)
	}
	clock := testkit.NewClock(noon)
	return bench{&Store{DB: db, Clock: clock, Keys: keys}, t, clock}
}

// account makes one that can sign in with the password good.
func (b bench) account(email string, given ...Role) int64 {
	b.t.Helper()
	id, err := b.Create(b.t.Context(), Account{Email: email, Roles: given})
	if err != nil {
		b.t.Fatal(err)
	}
	link, err := b.MakeLink(b.t.Context(), id, ToSetPassword, LinkFor)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.UseLink(b.t.Context(), link, good, from("192.0.2.200")); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func from(address string) Visit {
	return Visit{Address: netip.MustParseAddr(address), Agent: "a browser"}
}

// signIn signs in, which must work.
func (b bench) signIn(email string) Ticket {
	b.t.Helper()
	got, err := b.SignIn(b.t.Context(), email, good, from("192.0.2.1"))
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// count returns a number from the database.
func (b bench) count(query string, args ...any) (n int) {
	b.t.Helper()
	if err := b.DB.Get(&n, query, args...); err != nil {
		b.t.Fatal(err)
	}
	return n
}
