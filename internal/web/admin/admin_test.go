package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"silkpost/internal/accounts"
)

func TestWhoIsNotSignedInIsLedThere(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.who.Store(nil)
	got := h.get("/admin/?x=1")
	if got.status != http.StatusSeeOther || got.location != "/admin/sign-in?to=%2Fadmin%2F%3Fx%3D1" {
		t.Errorf("%d to %s", got.status, got.location)
	}
}

func TestPagesHaveTheirHeaders(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := h.get("/admin/?done=saved")
	policy := got.header.Get("Content-Security-Policy")
	if got.status != http.StatusOK || got.text(".told") != "Saved." || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%d %q %s", got.status, got.text(".told"), policy)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", got.header)
	}
}

func TestTheMenuShowsWhatOneMayDo(t *testing.T) {
	t.Parallel()
	h := open(t)
	if got := h.get("/admin/").text(".menu"); !strings.Contains(got, "Accounts") || !strings.Contains(got, "Contacts") {
		t.Errorf("an owner sees %s", got)
	}
	h.as(accounts.Actor{Name: "account 2", Email: "reader@example.org", Roles: []accounts.Role{accounts.Reader}})
	if got := h.get("/admin/").text(".menu"); strings.Contains(got, "Accounts") || strings.Contains(got, "Contacts") || !strings.Contains(got, "Editions") {
		t.Errorf("a reader sees %s", got)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	h := open(t)
	if got := h.get("/admin/nowhere"); got.status != http.StatusNotFound || got.text("h1") == "" {
		t.Errorf("%d %q", got.status, got.text("h1"))
	}
	if got := h.ask(http.MethodDelete, "/admin/", nil); got.status != http.StatusForbidden && got.status != http.StatusMethodNotAllowed {
		t.Errorf("%d", got.status)
	}
}

// What the database takes for no text is somebody's mistake, not ours: it is refused before any handler asks for it.
func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range []string{
		"/admin/contacts?state=%00", "/admin/contacts?q=%FF", "/admin/editions?rhythm=%00", "/admin/editions?state=%FF", "/admin/destinations?q=%00",
	} {
		if got := h.get(path); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := h.send("/admin/contacts/suppressions", "whom", "a\x00@example.org"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a form: %d", got.status)
	}
}
