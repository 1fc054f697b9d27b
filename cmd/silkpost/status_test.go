package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
)

// A hub that was just declared waits to be told, and the document links to it.
func TestStatusOfHubs(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	if got := columns(good(t, with, "apply", file(t, "hubs.toml", "[[hub]]\nurl = \"https://hub.example.org/\"\n"))); !slices.Equal(got, []string{"hub|https://hub.example.org/|added"}) {
		t.Errorf("applied %q", got)
	}
	shown := columns(good(t, with, "status"))
	for _, row := range []string{"hub|told|feeds waiting|failure", "https://hub.example.org/|never|1"} {
		if !slices.Contains(shown, row) {
			t.Errorf("%q is not in %q", row, shown)
		}
	}
	type hub struct {
		URL      string
		ToldAt   *string `json:"told_at"`
		Waiting  int
		Failures int
		Failure  string
	}
	if got := decode[struct{ Hubs []hub }](t, good(t, with, "status", "--json")).Hubs; !slices.Equal(got, []hub{{URL: "https://hub.example.org/", Waiting: 1}}) {
		t.Errorf("as JSON: %+v", got)
	}
}

// Notices are counted, and those in trouble say why.
func TestStatusOfNotices(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	if shown := good(t, with, "status"); strings.Contains(shown, "notice") {
		t.Errorf("without notices:\n%s", shown)
	}
	if shown := good(t, with, "status", "--json"); decode[struct{ Notices map[string]any }](t, shown).Notices["recipients"] != 0.0 {
		t.Errorf("as JSON:\n%s", shown)
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var printed bytes.Buffer
	if err := noticeTable(&env{stdout: &printed}, app.NoticeStatus{
		Counts: ledger.Counts{Recipients: 3, Sent: 1, Deferred: 1, Failed: 1},
		Troubled: []app.NoticeTrouble{
			{Kind: "welcome", Subscription: 8, State: "deferred", Attempts: 2, At: &at, Reply: "connection refused"},
			{Kind: "confirmation", Subscription: 7, State: "failed", Attempts: 1, At: &at, Code: 550, Reply: "5.1.1 No such user"},
		},
	}); err != nil {
		t.Fatal(err)
	}
	got := columns(printed.String())
	want := []string{
		"3 notices, 1 deferred, 1 sent, 1 failed.", "notice|subscription|state|attempts|last|reply",
		"welcome|8|deferred|2|2026-11-22 12:00 UTC|connection refused", "confirmation|7|failed|1|2026-11-22 12:00 UTC|550 5.1.1 No such user",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
