package database_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	var zone string
	if err := db.Get(&zone, "SHOW timezone"); err != nil || zone != "UTC" {
		t.Errorf("the session's time zone is %q (%v), want UTC", zone, err)
	}
	want := time.Date(2026, 3, 1, 12, 30, 0, 123456000, time.UTC)
	var got time.Time
	if err := db.Get(&got, "SELECT $1::timestamptz", want); err != nil || got != want {
		t.Errorf("a time comes back as %#v (%v), want %#v", got, err, want)
	}
}

func TestOpenKeepsTheTimeZoneOfTheURL(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), testkit.FreshURL(t)+"&timezone=Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var zone string
	if err := db.Get(&zone, "SHOW timezone"); err != nil || zone != "Asia/Tokyo" {
		t.Errorf("the session's time zone is %q (%v)", zone, err)
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	closed := closedAddress(t)
	exists := testkit.FreshURL(t)
	tests := []struct {
		name, url string
		kind      errs.Kind
		want      string
	}{
		{"no scheme", "db.example.org/silkpost", errs.Invalid, `must begin with postgres://`},
		{"another scheme", "mysql://u:geheim@localhost/silkpost", errs.Invalid, `must begin with postgres://`},
		{"typo in the scheme", "postgers://u:geheim@localhost/silkpost", errs.Invalid, `not "postgers:"`},
		{"words", "host=localhost password=geheim", errs.Invalid, `must begin with postgres://`},
		{"not a URL", "postgres://u:ge heim@local host/silkpost", errs.Invalid, "cannot be read"},
		{"bad port", "postgres://u:geheim@localhost:54x2/silkpost", errs.Invalid, "cannot be read"},
		{"no name", "postgres://u:geheim@localhost", errs.Invalid, "names no database"},
		{"bad option", "postgres://u:geheim@localhost/silkpost?sslmode=never", errs.Invalid, "sslmode"},
		{"nobody there", "postgres://u:geheim@" + closed + "/silkpost?sslmode=disable", errs.Unavailable, "is Postgres running there"},
		{"no socket", "postgres://u:geheim@/silkpost?host=/nowhere", errs.Unavailable, "is Postgres running there"},
		{"no such database", strings.Replace(exists, "/test_", "/missing_", 1) + "&password=geheim", errs.Unavailable, "createdb"},
		{"no such user", strings.Replace(exists, "silkpost@", "stranger:geheim@", 1), errs.Unavailable, `correct the user or the password`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db, err := database.Open(t.Context(), test.url)
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			text := err.Error()
			if errs.KindOf(err) != test.kind || !strings.Contains(text, test.want) {
				t.Errorf("got kind %d, %q; want kind %d, %q", errs.KindOf(err), text, test.kind, test.want)
			}
			if strings.Contains(text, "geheim") || strings.Contains(text, "\n") {
				t.Errorf("not one line without the password: %q", text)
			}
		})
	}
}

// The driver alone would wait for ever for a server that takes the connection and never says a word.
func TestOpenDoesNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, err = database.Open(t.Context(), "postgres://u@"+silent.Addr().String()+"/silkpost?sslmode=disable&connect_timeout=1")
	if errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), ": no answer; is Postgres") {
		t.Errorf("got %v", err)
	}
}

func TestOpenGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := database.Open(ctx, testkit.FreshURL(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// closedAddress is where nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
