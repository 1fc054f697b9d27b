package main

import (
	"slices"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

// Limits are declared, changed, shown and taken away; what is wrong with one is told.
func TestLimits(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	const two = `
[[limit]]
name = "gmail"
destination = "google.com"
per_second = 5
per_day = 20000
warm_up = { from = 2090-11-22, start = 50, factor = 2, until = 20000 }

[[limit]]
name = "each"
destination = "*"
per_minute = 100
`
	apply := func(what string) []string { return columns(good(t, with, "apply", file(t, "limits.toml", what))) }
	for _, step := range []struct{ file, want string }{
		{two, "limit|gmail|added, limit|each|added"},
		{two, "limit|gmail|unchanged, limit|each|unchanged"},
		{"[[limit]]\nname = \"gmail\"\nper_day = 0\n", "limit|gmail|changed"},
		{"[[limit]]\nname = \"each\"\nremove = true\n", "limit|each|removed"},
		{"[[limit]]\nname = \"each\"\nremove = true\n", "limit|each|unchanged"},
	} {
		if got := strings.Join(apply(step.file), ", "); got != step.want {
			t.Errorf("applied %q, want %q", got, step.want)
		}
	}
	shown := columns(good(t, with, "status"))
	for _, row := range []string{"limit|of|used|waiting|next|last", "gmail|destination google.com|0 of 5 per second, 0 of 50 today|0"} {
		if !slices.Contains(shown, row) {
			t.Errorf("%q is not in %q", row, shown)
		}
	}
	type status struct {
		Limits []struct {
			Name, Destination string
			Most              map[string]int
			WarmUp            struct{ Start int } `json:"warm_up"`
			Waiting           []any
		}
	}
	got := decode[status](t, good(t, with, "status", "--json")).Limits
	if len(got) != 1 || got[0].Destination != "google.com" || got[0].Most["second"] != 5 || got[0].WarmUp.Start != 50 || got[0].Waiting == nil {
		t.Errorf("as JSON: %+v", got)
	}
	for _, bad := range []struct{ file, says string }{
		{"[[limit]]\nname = \"x\"\n", "limits nothing"},
		{"[[limit]]\nper_day = 3\n", `a table [[limit]] has no name`},
		{"[[limit]]\nname = \"x\"\nper_week = 3\n", `no key "per_week"`},
		{"[[limit]]\nname = \"x\"\nper_day = 3\nsender = \"a@b.example\"\nrelay = \"c\"\n", "one of them"},
		{"[[limit]]\nname = \"x\"\nwarm_up = { from = \"soon\", start = 1, factor = 2, until = 4 }\n", `"soon" is no date`},
		{"[[limit]]\nname = \"x\"\nwarm_up = { start = 1, factor = 2, until = 4 }\n", "is no date"},
	} {
		if r := silkpost(t, with, "apply", file(t, "bad.toml", bad.file)); r.status != exitFailed || !strings.Contains(r.stderr, bad.says) {
			t.Errorf("%s: %d %s", bad.file, r.status, r.stderr)
		}
	}
}

// A destination is paused and resumed by hand, and the status shows it.
func TestPauseDestination(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	wants(t, "pause", good(t, with, "pause", "--destination", "Museum.example"), "Nothing more is sent to museum.example", "Nobody has an address at museum.example so far.")
	wants(t, "again", good(t, with, "pause", "--destination", "museum.example"), "It was paused before")
	if shown := columns(good(t, with, "status")); !slices.Contains(shown, "museum.example|it is resumed|paused by hand") {
		t.Errorf("status: %q", shown)
	}
	wants(t, "resume", good(t, with, "resume", "--destination", "museum.example"), "Sending goes on: to museum.example")
	if r := silkpost(t, with, "resume", "--destination", "museum.example"); r.status != exitFailed || !strings.Contains(r.stderr, "does not pause") {
		t.Errorf("resumed twice: %d %s", r.status, r.stderr)
	}
	if shown := good(t, with, "status"); strings.Contains(shown, "museum") {
		t.Errorf("status:\n%s", shown)
	}
	wants(t, "in letters beyond ASCII", good(t, with, "pause", "--destination", "Müseum.example"), "Nothing more is sent to xn--mseum-kva.example")
	if r := silkpost(t, with, "pause", "--destination", "our museum"); r.status != exitFailed || !strings.Contains(r.stderr, `--destination: "our museum" is no domain`) {
		t.Errorf("no domain: %d %s", r.status, r.stderr)
	}
}
