package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/limit"
)

const sendable = `
[[list]]
slug = "partners"
sender = { name = "Example Association", address = "news@science.example.net" }
postal_address = "1 Example Street"
`

func TestARelayIsTried(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(sendable)
	page := h.get("/admin/settings")
	if text := page.text("main"); !strings.Contains(text, h.post.Addr) || !strings.Contains(text, "SILKPOST_SMTP_URL") || !strings.Contains(text, "news@science.example.net") {
		t.Errorf("%s", text)
	}
	got := h.send("/admin/settings/relay/test", "list", "partners", "to", "reader@example.com")
	if said := got.text("#trial"); got.status != http.StatusOK || !strings.Contains(said, "The relay took the test message") || !strings.Contains(said, "250") || !strings.Contains(said, "Not encrypted") {
		t.Errorf("%d %s", got.status, said)
	}
	h.post.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == "RCPT" && strings.Contains(e.To, "reader@example.com") })
	got = h.send("/admin/settings/relay/test", "list", "partners", "to", "nobody")
	if got.status != http.StatusUnprocessableEntity || got.Find("#to-mistake").Length() != 1 || got.Find("#to").AttrOr("value", "") != "nobody" {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
}

// What a server answers stays text, and says where the conversation ended.
func TestAnUnfriendlyRelayIsQuoted(t *testing.T) {
	t.Parallel()
	script, err := catcher.ParseScript(strings.NewReader("[[rule]]\nverb = \"RCPT\"\nreply = \"550 5.7.1 <script>alert(1)</script> & no\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := openWith(t, catcher.Config{Script: script})
	h.declare(sendable)
	got := h.send("/admin/settings/relay/test", "list", "partners", "to", "reader@example.com")
	said := got.text("#trial")
	if !strings.Contains(said, "refuses the test message") || !strings.Contains(said, "whom it is for:550 5.7.1 <script>alert(1)</script> & no") || got.Find("main script").Length() != 0 {
		t.Errorf("%d %s", got.status, said)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range []string{"/admin/settings", "/admin/settings/program", "/admin/settings/bounces"} {
		whole, _ := h.get(path).Html()
		if strings.Contains(whole, "a key of the tests alone") || strings.Contains(whole, h.Config.DatabaseURL) {
			t.Errorf("%s shows a secret", path)
		}
	}
	if text := h.get("/admin/settings/program").text("main"); !strings.Contains(text, "SILKPOST_SECRET_KEY") || !strings.Contains(text, "(hidden)") || !strings.Contains(text, "13 months") {
		t.Errorf("%s", text)
	}
}

func TestTheDoctorIsAsked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(sendable)
	names := testkit.DNS(t, `science.example.net TXT v=spf1 +all <script>alert(1)</script>`)
	h.NameServer = names.Addr
	if before := h.get("/admin/settings/domains"); !strings.Contains(before.text("main"), "Nobody has asked") || len(names.Asked()) != 0 {
		t.Errorf("asked before: %v", names.Asked())
	}
	if got := h.send("/admin/settings/domains/examine"); got.location != "/admin/settings/domains?done=examined" {
		t.Fatalf("%d %s", got.status, got.text("main"))
	}
	asked := len(names.Asked())
	page := h.get("/admin/settings/domains")
	if len(names.Asked()) != asked {
		t.Error("looking at the page asks the DNS")
	}
	if text := page.text("h3 + .finding, .finding"); !strings.Contains(text, "science.example.net has no DMARC record") || !strings.Contains(text, "alert(1)") {
		t.Errorf("%s", text)
	}
	if page.Find("main script").Length() != 0 || !strings.Contains(page.text(".copyable"), `_dmarc.example.net. 3600 IN TXT`) {
		t.Errorf("records: %s", page.text(".copyable"))
	}
	if page.text("section.apart h3") == "" || !strings.HasPrefix(page.text("section.apart h3"), "science.example.net") {
		t.Errorf("domains: %s", page.text("section.apart h3"))
	}
}

func TestKeysAreMadePublishedAndUsed(t *testing.T) {
	t.Parallel()
	h := open(t)
	names := testkit.DNS(t, "other.example.net A 192.0.2.1")
	h.NameServer = names.Addr
	if got := h.send("/admin/settings/keys/make", "domain", "localhost", "algorithm", "rsa"); got.status != http.StatusUnprocessableEntity || got.Find("#domain-mistake").Length() != 1 {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if got := h.send("/admin/settings/keys/make", "domain", "science.example.net", "algorithm", "ed25519"); got.location != "/admin/settings/domains?done=key_made" {
		t.Fatalf("%d %s", got.status, got.text("main"))
	}
	keys, err := h.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%v %v", keys, err)
	}
	form := []string{"domain", keys[0].Domain, "selector", keys[0].Selector}
	if page := h.get("/admin/settings/domains"); !strings.Contains(page.text(".copyable"), keys[0].Record()) || strings.Contains(page.text("main"), "PRIVATE") {
		t.Errorf("%s", page.text("#keys"))
	}
	if got := h.send("/admin/settings/keys/use", form...); got.status != http.StatusUnprocessableEntity || got.Find(".trial .finding").Length() != 1 {
		t.Errorf("used without its record: %d %s", got.status, got.text(".trial"))
	}
	names.Set(t, keys[0].Name()+" TXT "+keys[0].Record())
	if got := h.send("/admin/settings/keys/check", form...); !strings.Contains(got.text(".trial"), "its record is published") {
		t.Errorf("%d %s", got.status, got.text(".trial"))
	}
	if got := h.send("/admin/settings/keys/remove", "domain", "science.example.net", "selector", "none"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	for _, step := range []struct{ do, done string }{{"use", "key_used"}, {"retire", "key_retired"}, {"remove", "removed"}} {
		if got := h.send("/admin/settings/keys/"+step.do, form...); got.location != "/admin/settings/domains?done="+step.done {
			t.Errorf("%s: %d %s", step.do, got.status, got.text("main"))
		}
	}
	late := everything()
	late.Proved = time.Now().Add(-time.Hour)
	h.as(late)
	if got := h.send("/admin/settings/keys/use", form...); !strings.HasPrefix(got.location, "/admin/prove") {
		t.Errorf("nobody asks for the password: %d %s", got.status, got.location)
	}
}

func TestLimitsAreDeclaredInForms(t *testing.T) {
	t.Parallel()
	h := open(t)
	for field, value := range map[string]string{"name": "Bad Name", "per_hour": "many", "sender": "nobody", "warm_up_from": "tomorrow", "warm_up_factor": "x", "warm_up_days": "3\nx"} {
		got := h.send("/admin/settings/limits/new", wholeForm(h.get("/admin/settings/limits/new"), append([]string{"name", "a", "per_minute", "3"}, field, value)...)...)
		if field == "name" {
			got = h.send("/admin/settings/limits/new", "name", value, "per_minute", "3")
		}
		if got.status != http.StatusUnprocessableEntity || got.Find("#"+field+"-mistake").Length() != 1 {
			t.Errorf("%s: %d %s", field, got.status, got.text(".mistakes"))
		}
	}
	if got := h.send("/admin/settings/limits/new", "name", "gmail", "destination", "google.com", "per_hour", "100", "warm_up_from", "2026-11-22", "warm_up_days", "10\r\n20"); got.location != "/admin/settings/limits?done=saved" {
		t.Fatalf("%d %s", got.status, got.text(".mistakes"))
	}
	before, err := limit.Named(t.Context(), h.DB, "gmail")
	if err != nil || before.PerHour != 100 || len(before.WarmUp.Days) != 2 {
		t.Fatalf("%+v %v", before, err)
	}
	if got := h.send("/admin/settings/limits/gmail", wholeForm(h.get("/admin/settings/limits/gmail"))...); got.status != http.StatusSeeOther {
		t.Errorf("sent as it came: %d %s", got.status, got.text(".mistakes"))
	}
	if page := h.get("/admin/settings/limits"); !strings.Contains(page.text("tbody"), "gmail Destination google.com Hour: 0 / 100") {
		t.Errorf("%s", page.text("tbody"))
	}
	if got := h.send("/admin/settings/limits/new", "name", "gmail", "per_hour", "1"); got.Find("#name-mistake").Length() != 1 {
		t.Errorf("a second of that name: %d", got.status)
	}
	if got := h.send("/admin/settings/limits/gmail/remove"); got.location != "/admin/settings/limits?done=removed" {
		t.Errorf("%d", got.status)
	}
}

func TestSettingsOfBouncesAndLanguages(t *testing.T) {
	t.Parallel()
	h := open(t)
	if page := h.get("/admin/settings/bounces"); page.Find(".empty").Length() != 1 {
		t.Errorf("%s", page.text("main"))
	}
	if got := h.send("/admin/settings/bounces/test"); !strings.Contains(got.text(".told"), "no bounce domain is set") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if page := h.get("/admin/settings/languages"); !strings.Contains(page.text("main"), "العربية") || !strings.Contains(page.text("tbody"), "English") {
		t.Errorf("%s", page.text("main"))
	}
}

func TestSettingsAreForOwners(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.as(accounts.Actor{Name: "account 2", Roles: []accounts.Role{accounts.Editor, accounts.Approver, accounts.Manager}, Proved: time.Now()})
	for _, path := range []string{"/admin/settings", "/admin/settings/domains", "/admin/settings/limits", "/admin/settings/program"} {
		if got := h.get(path); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	h.as(accounts.Actor{Name: "key 1", Roles: []accounts.Role{accounts.Owner}, Lists: []int64{1}, Proved: time.Now()})
	if got := h.get("/admin/settings"); got.status != http.StatusNotFound {
		t.Errorf("who is confined to a list sees the settings: %d", got.status)
	}
}
