package main

import (
	"slices"
	"testing"

	"silkpost/internal/testkit"
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
