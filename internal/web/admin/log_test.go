package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"silkpost/internal/accounts"
)

func TestWhatIsDoneStandsInTheLog(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	b.send("/admin/account", "name", "Somebody", "zone", "Europe/Rome", "language", "en")
	b.send("/admin/keys", "name", "the web site", "role", "editor", "days", "30")
	b.send("/admin/sign-in", "email", "owner@example.org", "password", "a wrong password")
	g.clock.Advance(1)
	got := b.get("/admin/log")
	for _, want := range []string{"account 1 Account 1 Changed", "API key 1 Added", "Nobody who is known Account 1 Sign-in refused", "Signed in"} {
		if !strings.Contains(got.text("tbody"), want) {
			t.Errorf("no %q in %s", want, got.text("tbody"))
		}
	}
	if text := got.text("tbody"); strings.Contains(text, "sp_") || strings.Contains(text, "argon2") || !strings.Contains(text, `"Europe/Rome"`) {
		t.Errorf("%s", text)
	}
	for query, want := range map[string]int{
		"who=account+1&thing=accounts.api_keys": 1, "thing=accounts.api_keys&id=2": 0, "who=key+1": 0, "day=2026-11-23": 0, "day=2026-11-24&thing=accounts.api_keys": 1, "day=x&id=nowhere&after=x.y": 0,
	} {
		if got := b.get("/admin/log?" + query); got.status != http.StatusOK || got.Find("tbody tr").Length() != want {
			t.Errorf("%s: %d, %d lines", query, got.status, got.Find("tbody tr").Length())
		}
	}
}

func TestTheLogIsReadPageByPage(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	for i := range 120 {
		n := accounts.Note{At: g.clock.Now(), Actor: "account 1", Thing: "mailer.themes", ID: fmt.Sprintf("t%d", i), What: "changed"}
		if err := n.Write(t.Context(), g.DB); err != nil {
			t.Fatal(err)
		}
	}
	seen, at := 0, "/admin/log?"+url.Values{"thing": {"mailer.themes"}}.Encode()
	for at != "" {
		got := b.get(at)
		seen += got.Find("tbody tr").Length()
		at, _ = got.Find("a[rel=next]").Attr("href")
	}
	if seen != 120 {
		t.Errorf("%d lines were read", seen)
	}
}
