package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/internal/web/api"
)

const ada = `{"list": "partners", "email": "ada@example.org", "name": "Programme office", "languages": ["it"], "consent": {"statement": "Signed up at the fair", "origin": "paper"}}`

func (h *house) subscribed(list, email string) (sub api.Subscription) {
	h.t.Helper()
	h.ask("POST", "/api/v1/subscriptions", fmt.Sprintf(`{"list": %q, "email": %q, "consent": {"statement": "Agreed"}}`, list, email)).is(http.StatusCreated).into(&sub)
	return sub
}

func TestSubscribingKeepsTheConsent(t *testing.T) {
	t.Parallel()
	h := open(t)
	var sub api.Subscription
	h.ask("POST", "/api/v1/subscriptions", ada).is(http.StatusCreated).into(&sub)
	if sub.State != "active" || sub.Rhythm != "weekly" || sub.List != "partners" {
		t.Fatalf("%+v", sub)
	}
	file, err := h.ContactFile(t.Context(), "ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if c := file.Consents; len(c) != 1 || c[0].Statement != "Signed up at the fair" || c[0].Origin != "paper" || c[0].Actor != "key sp_all" || c[0].Method != "administrator" {
		t.Errorf("%+v", c)
	}
	h.ask("POST", "/api/v1/subscriptions", ada).is(http.StatusOK)
	h.ask("POST", fmt.Sprintf("/api/v1/subscriptions/%d/unsubscribe", sub.ID), `{"reason": "by telephone"}`).is(http.StatusOK).into(&sub)
	if sub.State != "unsubscribed" {
		t.Errorf("%+v", sub)
	}
	if p := h.ask("POST", "/api/v1/subscriptions", ada).problem(http.StatusConflict); !strings.Contains(p.Detail, "left this list") {
		t.Errorf("%+v", p)
	}
}

func TestWithoutConsentAMailAsks(t *testing.T) {
	t.Parallel()
	h := open(t)
	var sub api.Subscription
	h.ask("POST", "/api/v1/subscriptions", `{"list": "partners", "email": "new@example.org"}`).is(http.StatusAccepted).into(&sub)
	if sub.State != "pending" {
		t.Fatalf("%+v", sub)
	}
	file, err := h.ContactFile(t.Context(), "new@example.org")
	if err != nil || len(file.Notices) != 1 || file.Notices[0].Kind != "confirmation" {
		t.Fatalf("%+v (%v)", file.Notices, err)
	}
	h.ask("POST", "/api/v1/subscriptions", `{"list": "partners", "email": "new@example.org", "consent": {"statement": "Agreed"}}`).is(http.StatusOK).into(&sub)
	if sub.State != "active" {
		t.Errorf("%+v", sub)
	}
}

func TestNobodysNoIsWeakened(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.ask("POST", "/api/v1/suppressions", `{"whom": "bounced@example.org", "reason": "hard bounce"}`).is(http.StatusCreated)
	h.ask("POST", "/api/v1/suppressions", `{"whom": "nobody.example"}`).is(http.StatusCreated)
	h.subscribed("partners", "gone@example.org")
	if _, err := h.EraseContact(t.Context(), "gone@example.org", "test"); err != nil {
		t.Fatal(err)
	}
	for email, says := range map[string]string{"bounced@example.org": "hard bounce", "x@nobody.example": "suppressed", "gone@example.org": "erased"} {
		body := fmt.Sprintf(`{"list": "partners", "email": %q, "consent": {"statement": "Agreed"}}`, email)
		if p := h.ask("POST", "/api/v1/subscriptions", body).problem(http.StatusConflict); !strings.Contains(p.Detail, says) {
			t.Errorf("%s: %+v", email, p)
		}
		var found api.Page[api.Contact]
		h.ask("GET", "/api/v1/contacts?email="+email, nil).is(http.StatusOK).into(&found)
		if len(found.Items) != 0 {
			t.Errorf("%s was written down", email)
		}
	}
	h.ask("DELETE", "/api/v1/suppressions/bounced@example.org", nil).problem(http.StatusConflict)
	h.ask("DELETE", "/api/v1/suppressions/nobody.example", nil).is(http.StatusNoContent)
	h.ask("DELETE", "/api/v1/suppressions/nobody.example", nil).problem(http.StatusNotFound)
	h.ask("POST", "/api/v1/suppressions", `{"whom": "no address"}`).wrongAt("body.whom", "")
}

func TestChangesNameTheStateThatWasSeen(t *testing.T) {
	t.Parallel()
	h := open(t)
	sub := h.subscribed("partners", "ada@example.org")
	h.ask("POST", "/api/v1/organisations", `{"name": "City museum", "country": "IT", "tags": ["museum"]}`).is(http.StatusCreated)
	h.ask("POST", "/api/v1/organisations", `{"name": "city  museum"}`).problem(http.StatusConflict)
	h.ask("POST", "/api/v1/feeds", `{"slug": "robotics", "title": {"en": "Robotics"}, "select": {"tags": ["robotics"]}}`).is(http.StatusCreated)
	h.ask("POST", "/api/v1/feeds", `{"slug": "robotics"}`).problem(http.StatusConflict)
	for _, tt := range []struct{ method, path, body, want string }{
		{"PATCH", fmt.Sprintf("/api/v1/contacts/%d", sub.Contact), `{"name": "Office", "languages": ["IT"], "attributes": {"Room": "12"}}`, `"languages":["it"]`},
		{"PATCH", fmt.Sprintf("/api/v1/subscriptions/%d", sub.ID), `{"rhythm": "daily", "topics": ["News"]}`, `"rhythm":"daily"`},
		{"PATCH", "/api/v1/organisations/1", `{"country": "FR", "name": "Town museum"}`, `"name":"Town museum"`},
		{"PUT", "/api/v1/feeds/robotics", `{"title": {"en": "Robots"}, "limit": 10}`, `"limit":10`},
	} {
		h.ask(tt.method, tt.path, tt.body).problem(http.StatusPreconditionRequired)
		seen := h.ask("GET", tt.path, nil).is(http.StatusOK).header.Get("ETag")
		h.ask(tt.method, tt.path, tt.body, "If-Match", `"another"`).problem(http.StatusPreconditionFailed)
		changed := h.ask(tt.method, tt.path, tt.body, "If-Match", seen).is(http.StatusOK)
		if !strings.Contains(string(changed.body), tt.want) {
			t.Errorf("%s: %s", tt.path, changed.body)
		}
		now := h.ask("GET", tt.path, nil).is(http.StatusOK)
		if now.header.Get("ETag") != changed.header.Get("ETag") || string(now.body) != string(changed.body) || changed.header.Get("ETag") == seen {
			t.Errorf("%s: the answer to the change is not what GET gives:\n%s\n%s", tt.path, changed.body, now.body)
		}
		h.ask(tt.method, tt.path, tt.body, "If-Match", seen).problem(http.StatusPreconditionFailed)
		if same := h.ask("GET", tt.path, nil, "If-None-Match", now.header.Get("ETag")).is(http.StatusNotModified); len(same.body) > 0 {
			t.Errorf("304 has a body: %s", same.body)
		}
	}
	h.ask("DELETE", "/api/v1/feeds/robotics", nil, "If-Match", "*").is(http.StatusNoContent)
	h.ask("GET", "/api/v1/feeds/robotics", nil).problem(http.StatusGone)
}

func TestMistakesNameTheirField(t *testing.T) {
	t.Parallel()
	h := open(t)
	sub := h.subscribed("partners", "ada@example.org")
	h.ask("POST", "/api/v1/organisations", `{"name": "City museum"}`).is(http.StatusCreated)
	contact := fmt.Sprintf("/api/v1/contacts/%d", sub.Contact)
	for _, tt := range []struct{ method, path, body, at, says string }{
		{"POST", "/api/v1/articles", `{"source": "cms", "external_key": "a"}`, "body.title", "must be there"},
		{"POST", "/api/v1/articles", `{"source": "cms", "external_key": "a", "title": "A", "text": "b", "Title": 7}`, "body.Title", "no such field"},
		{"POST", "/api/v1/articles", `{"source": "cms", "external_key": "a", "title": 7}`, "body.title", "must be a text"},
		{"POST", "/api/v1/articles", `{"source": "cms", "external_key": "a", "title": "A", "colour": "red"}`, "body.colour", "no such field"},
		{"POST", "/api/v1/articles", `{"source": "cms", "external_key": "a", "title": "A", "text": "b", "published_at": "yesterday"}`, "body.published_at", "must be a time"},
		{"POST", "/api/v1/organisations", `{"name": "X", "country": "nowhere"}`, "body.country", ""},
		{"POST", "/api/v1/organisations", `{"name": "X", "web_site": "ftp://x"}`, "body.web_site", "web site"},
		{"PATCH", "/api/v1/organisations/1", `{"agreed_on": "soon"}`, "body.agreed_on", "date"},
		{"PATCH", contact, `{"time_zone": "Mars"}`, "body.time_zone", "time zone"},
		{"PATCH", contact, `{"delivery_hour": "noon"}`, "body.delivery_hour", "hour"},
		{"PATCH", contact, `{"name": "see www.example.org"}`, "body.name", "not an address"},
		{"POST", "/api/v1/subscriptions", `{"list": "nowhere", "email": "a@example.org"}`, "body.list", "no list"},
		{"POST", "/api/v1/subscriptions", `{"list": "partners", "email": "a b"}`, "body.email", "@"},
		{"POST", "/api/v1/feeds", `{"slug": "No Slug"}`, "body.slug", "small letters"},
		{"POST", "/api/v1/feeds", `{"slug": "a", "select": {"sources": ["nowhere"]}}`, "body", "no source"},
		{"GET", "/api/v1/articles?limit=0", "", "query.limit", "1 or more"},
		{"GET", "/api/v1/articles?limit=many", "", "query.limit", ""},
		{"GET", "/api/v1/articles?colour=red", "", "query.colour", "unknown"},
		{"GET", "/api/v1/articles?cursor=!", "", "query.cursor", "next"},
		{"GET", "/api/v1/articles?cursor=bm8", "", "query.cursor", "next"},
		{"GET", "/api/v1/articles?tag=%00", "", "query.tag", "NUL"},
		{"GET", "/api/v1/articles?tag=a&tag=b", "", "query.tag", "once"},
		{"GET", "/api/v1/contacts/none", "", "path.id", ""},
	} {
		var body any
		if tt.body != "" {
			body = tt.body
		}
		t.Run(tt.method+" "+tt.path+" "+tt.at, func(t *testing.T) {
			r := h.ask(tt.method, tt.path, body, "If-Match", "*")
			r.t = t
			r.wrongAt(tt.at, tt.says)
		})
	}
}

func TestWhoIsConfinedToListsSeesAndChangesTheseAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.key("sp_museums", accounts.Actor{Key: 2, Roles: []accounts.Role{accounts.Manager}, Lists: []int64{h.listID("museums")}})
	other, own := h.subscribed("partners", "other@example.org"), h.subscribed("museums", "own@example.org")
	both := h.subscribed("museums", "both@example.org")
	h.subscribed("partners", "both@example.org")
	as := func(method, path string, body any) reply {
		return h.ask(method, path, body, "Authorization", "Bearer sp_museums", "If-Match", "*")
	}
	var contacts api.Page[api.Contact]
	as("GET", "/api/v1/contacts", nil).is(http.StatusOK).into(&contacts)
	if len(contacts.Items) != 2 || contacts.Items[0].ID != own.Contact || len(contacts.Items[1].Subscriptions) != 1 {
		t.Errorf("%+v", contacts.Items)
	}
	as("GET", "/api/v1/contacts?email=other@example.org", nil).is(http.StatusOK).into(&contacts)
	if len(contacts.Items) != 0 {
		t.Errorf("%+v", contacts.Items)
	}
	as("PATCH", fmt.Sprintf("/api/v1/contacts/%d", own.Contact), `{"name": "Office"}`).is(http.StatusOK)
	as("PATCH", fmt.Sprintf("/api/v1/contacts/%d", both.Contact), `{"name": "Office"}`).problem(http.StatusNotFound)
	as("GET", fmt.Sprintf("/api/v1/contacts/%d", both.Contact), nil).is(http.StatusOK)
	unknown := as("GET", "/api/v1/subscriptions/4711", nil).problem(http.StatusNotFound)
	if foreign := as("GET", fmt.Sprintf("/api/v1/subscriptions/%d", other.ID), nil).problem(http.StatusNotFound); foreign.Detail != unknown.Detail {
		t.Errorf("what is of another list is told from what is not there: %s, %s", foreign.Detail, unknown.Detail)
	}
	as("POST", "/api/v1/subscriptions", ada).wrongAt("body.list", "none that this key is for")
	as("POST", "/api/v1/subscriptions", strings.Replace(ada, "partners", "museums", 1)).is(http.StatusCreated)
	as("POST", fmt.Sprintf("/api/v1/subscriptions/%d/unsubscribe", other.ID), nil).problem(http.StatusNotFound)
	as("GET", "/api/v1/suppressions", nil).problem(http.StatusForbidden)
	h.ask("PATCH", fmt.Sprintf("/api/v1/contacts/%d", other.Contact), `{"name": "Their office", "languages": ["it"]}`, "If-Match", "*").is(http.StatusOK)
	for _, email := range []string{"other@example.org", "unknown@example.org"} {
		as("POST", "/api/v1/subscriptions", fmt.Sprintf(`{"list": "museums", "email": %q, "consent": {"statement": "Agreed"}}`, email)).is(http.StatusCreated)
		as("GET", "/api/v1/contacts?email="+email, nil).is(http.StatusOK).into(&contacts)
		if c := contacts.Items; len(c) != 1 || c[0].Name != "" || len(c[0].Languages) != 0 || len(c[0].Subscriptions) != 1 {
			t.Errorf("%+v", c)
		}
	}
	var lists api.Page[api.List]
	as("GET", "/api/v1/lists", nil).is(http.StatusOK).into(&lists)
	if len(lists.Items) != 1 || lists.Items[0].Slug != "museums" {
		t.Errorf("%+v", lists.Items)
	}
}

func TestAPersonIsErased(t *testing.T) {
	t.Parallel()
	h := open(t)
	sub := h.subscribed("partners", "ada@example.org")
	h.ask("POST", "/api/v1/organisations", `{"name": "City museum", "notes": "Write to Ada@example.org."}`).is(http.StatusCreated)
	h.key("sp_manager", accounts.Actor{Key: 2, Roles: []accounts.Role{accounts.Manager}})
	h.key("sp_museums", accounts.Actor{Key: 3, Roles: []accounts.Role{accounts.Owner}, Lists: []int64{h.listID("museums")}})
	at := fmt.Sprintf("/api/v1/contacts/%d", sub.Contact)
	h.ask("DELETE", at, nil, "Authorization", "Bearer sp_manager").problem(http.StatusForbidden)
	h.ask("DELETE", at, nil, "Authorization", "Bearer sp_museums").problem(http.StatusNotFound)
	var erased api.Erased
	h.ask("DELETE", at, nil).is(http.StatusOK).into(&erased)
	if erased.ID != sub.Contact || len(erased.Mentions) != 1 || !strings.Contains(erased.Mentions[0], "City museum") {
		t.Errorf("%+v", erased)
	}
	h.ask("GET", at, nil).problem(http.StatusNotFound)
	h.ask("DELETE", at, nil).problem(http.StatusNotFound)
	var left []string
	if err := h.DB.Select(&left, `SELECT email FROM subscribers.contacts WHERE erased_at IS NULL OR email IS NOT NULL`); err != nil || len(left) != 0 {
		t.Errorf("%q is left (%v)", left, err)
	}
	if p := h.ask("POST", "/api/v1/subscriptions", ada).problem(http.StatusConflict); !strings.Contains(p.Detail, "erased") {
		t.Errorf("%+v", p)
	}
}

func TestPrivateFeedsAreToldOnceAndRevoked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.ask("POST", "/api/v1/organisations", `{"name": "City museum"}`).is(http.StatusCreated)
	h.key("sp_museums", accounts.Actor{Key: 3, Roles: []accounts.Role{accounts.Manager}, Lists: []int64{h.listID("museums")}})
	const at = "/api/v1/organisations/1/private-feeds"
	make := func(want int) (f api.PrivateFeed) {
		t.Helper()
		h.ask("POST", at, `{"list": "partners"}`, "Idempotency-Key", "one").is(want).into(&f)
		return f
	}
	made, again := make(http.StatusCreated), make(http.StatusCreated)
	if made.URLs == nil || made.List != "partners" || again.URLs != nil || again.ID != made.ID {
		t.Fatalf("%+v, again %+v", made, again)
	}
	token := strings.TrimSuffix(made.URLs.RSS[strings.LastIndex(made.URLs.RSS, "/")+1:], ".rss")
	var kept int
	if err := h.DB.Get(&kept, `SELECT count(*) FROM calls.answers WHERE strpos(convert_from(answer, 'UTF8'), $1) > 0`, token); err != nil || kept != 0 || token == "" {
		t.Errorf("the token %q is kept with %d answers (%v)", token, kept, err)
	}
	if _, err := h.Feeds.PrivateContents(t.Context(), h.DB, token); err != nil {
		t.Error(err)
	}
	h.ask("POST", at, `{"list": "nowhere"}`).wrongAt("body.list", "is no list")
	h.ask("POST", "/api/v1/organisations/7/private-feeds", `{"list": "partners"}`).problem(http.StatusNotFound)
	for _, tt := range []struct{ method, path, body string }{{"GET", at, ""}, {"POST", at, `{"list": "museums"}`}, {"DELETE", at + "/1", ""}} {
		h.ask(tt.method, tt.path, tt.body, "Authorization", "Bearer sp_museums").problem(http.StatusNotFound)
	}
	one := fmt.Sprintf("%s/%d", at, made.ID)
	h.ask("DELETE", strings.Replace(one, "organisations/1/", "organisations/2/", 1), nil).problem(http.StatusNotFound)
	h.ask("DELETE", one, nil).is(http.StatusNoContent)
	h.ask("DELETE", one, nil).is(http.StatusNoContent)
	var all api.Page[api.PrivateFeed]
	h.ask("GET", at, nil).is(http.StatusOK).into(&all)
	if len(all.Items) != 1 || all.Items[0].RevokedAt == nil || all.Items[0].URLs != nil {
		t.Errorf("%+v", all.Items)
	}
	if _, err := h.Feeds.PrivateContents(t.Context(), h.DB, token); errs.KindOf(err) != errs.Gone {
		t.Error(err)
	}
}
