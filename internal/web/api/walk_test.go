package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"silkpost/internal/accounts"
	"silkpost/internal/web/api"
)

// wanted says what each operation needs: the table of the API, written down a second time.
var wanted = map[string]accounts.Act{
	"list-articles": accounts.Read, "get-article": accounts.Read, "find-article": accounts.Read,
	"create-article": accounts.Edit, "create-articles": accounts.Edit, "put-article": accounts.Edit, "withdraw-article": accounts.Edit,
	"restore-article": accounts.Edit, "mark-article": accounts.Edit, "take-back-article": accounts.Edit,
	"list-feeds": accounts.Read, "get-feed": accounts.Read, "create-feed": accounts.Edit, "put-feed": accounts.Edit, "remove-feed": accounts.Edit,
	"list-organisations": accounts.Read, "get-organisation": accounts.Read, "create-organisation": accounts.People, "change-organisation": accounts.People,
	"list-private-feeds": accounts.ReadPeople, "create-private-feed": accounts.People, "revoke-private-feed": accounts.People,
	"list-contacts": accounts.ReadPeople, "get-contact": accounts.ReadPeople, "change-contact": accounts.People, "erase-contact": accounts.Administer,
	"list-subscriptions": accounts.ReadPeople, "get-subscription": accounts.ReadPeople, "subscribe": accounts.People,
	"change-subscription": accounts.People, "unsubscribe": accounts.People,
	"list-suppressions": accounts.ReadPeople, "suppress": accounts.People, "lift-suppression": accounts.People,
	"list-lists": accounts.Read, "get-list": accounts.Read,
	"list-editions": accounts.Read, "get-edition": accounts.Read, "count-deliveries": accounts.Read, "list-deliveries": accounts.ReadPeople,
	"approve-edition": accounts.Send, "release-edition": accounts.Send, "resume-edition": accounts.Send,
	"hold-edition": accounts.Stop, "pause-edition": accounts.Stop, "cancel-edition": accounts.Stop,
	"get-status": accounts.Read,
}

// roleMay is what the roles are for, written down a second time.
var roleMay = map[accounts.Role]string{
	accounts.Owner: "read read_people edit stop people administer", accounts.Editor: "read edit stop", accounts.Approver: "read read_people send stop",
	accounts.Manager: "read read_people stop people", accounts.Reader: "read",
}

// step is an operation with what to ask of it.
type step struct{ id, method, path, body string }

// steps returns every operation of the OpenAPI document with what to ask: of records of the list partners, and with names of their own.
func (h *house) steps(own string, contact, subscription int64, edition string) (all []step) {
	h.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	h.ask("GET", "/api/openapi.json", nil, "Authorization", "").is(http.StatusOK).into(&doc)
	bodies := map[string]string{
		"create-article":  fmt.Sprintf(`{"source": "cms", "external_key": %q, "title": "About %s", "text": "Words of %s."}`, own, own, own),
		"create-articles": fmt.Sprintf(`{"source": "cms", "articles": [{"external_key": "%s-2", "title": "More", "text": "Words."}]}`, own),
		"put-article":     `{"title": "About", "text": "Other words."}`, "mark-article": `{"pinned": true}`,
		"create-feed": fmt.Sprintf(`{"slug": "feed-%s"}`, own), "put-feed": `{"limit": 7}`,
		"create-organisation": fmt.Sprintf(`{"name": "Museum of %s"}`, own), "change-organisation": `{"notes": "x"}`,
		"create-private-feed": `{"list": "partners"}`, "change-contact": `{"name": "Office"}`, "change-subscription": `{"topics": ["News"]}`,
		"subscribe": fmt.Sprintf(`{"list": "partners", "email": "%s@example.org", "consent": {"statement": "Agreed"}}`, own),
		"suppress":  fmt.Sprintf(`{"whom": "%s.example"}`, own),
	}
	var private api.PrivateFeed
	h.ask("POST", "/api/v1/organisations/1/private-feeds", `{"list": "partners"}`).is(http.StatusCreated).into(&private)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			at := strings.NewReplacer("{source}", "cms", "{key}", own, "{whom}", own+".example", "{feed}", fmt.Sprint(private.ID)).Replace(path)
			switch {
			case strings.Contains(path, "/articles/{slug}"):
				at = strings.Replace(at, "{slug}", "robots-in-the-museum", 1)
			case strings.Contains(path, "/feeds/"):
				at = strings.Replace(at, "{slug}", "feed-"+own, 1)
			case strings.Contains(path, "/lists/"):
				at = strings.Replace(at, "{slug}", "partners", 1)
			case strings.Contains(path, "/organisations/"):
				at = strings.Replace(at, "{id}", "1", 1)
			case strings.Contains(path, "/contacts/"):
				at = strings.Replace(at, "{id}", fmt.Sprint(contact), 1)
			case strings.Contains(path, "/subscriptions/"):
				at = strings.Replace(at, "{id}", fmt.Sprint(subscription), 1)
			case strings.Contains(path, "/editions/"):
				at = strings.Replace(at, "{id}", edition, 1)
			}
			if strings.Contains(at, "{") {
				h.t.Fatalf("what is to be asked of %s?", path)
			}
			all = append(all, step{op.OperationID, strings.ToUpper(method), at, bodies[op.OperationID]})
		}
	}
	order := []string{"POST", "PUT", "PATCH", "GET", "DELETE"} // what is made is there until it is removed
	rank := func(s step) string { return fmt.Sprint(slices.Index(order, s.method), len(s.path)+1000, s.path) }
	sort.Slice(all, func(i, j int) bool { return rank(all[i]) < rank(all[j]) })
	return all
}

func (h *house) do(s step, key string, headers ...string) reply {
	h.t.Helper()
	var body any
	if s.body != "" {
		body = s.body
	}
	return h.ask(s.method, s.path, body, append([]string{"Authorization", "Bearer " + key, "If-Match", "*"}, headers...)...)
}

// peopled makes records of the list partners.
func (h *house) peopled() (contact, subscription int64, edition string) {
	h.t.Helper()
	sub := h.subscribed("partners", "reader@example.org")
	h.ask("POST", "/api/v1/articles", robots).is(http.StatusCreated)
	h.ask("POST", "/api/v1/organisations", `{"name": "City museum"}`).is(http.StatusCreated)
	return sub.Contact, sub.ID, h.planned("partners").ID.String()
}

func TestEveryOperationIsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, subscription, edition := h.peopled()
	for _, role := range accounts.Roles {
		own := string(role)
		contact := h.subscribed("partners", own+"-reader@example.org").Contact
		h.key(own, accounts.Actor{Key: 9, Roles: []accounts.Role{role}})
		if !strings.Contains(roleMay[role], "edit") {
			h.ask("POST", "/api/v1/feeds", fmt.Sprintf(`{"slug": "feed-%s"}`, own)).is(http.StatusCreated)
			h.ask("PUT", "/api/v1/sources/cms/articles/"+own, `{"title": "A", "text": "B"}`).is(http.StatusCreated)
		}
		seen := map[string]bool{}
		for _, s := range h.steps(own, contact, subscription, edition) {
			act, known := wanted[s.id]
			if !known {
				t.Errorf("what does %s need?", s.id)
			}
			seen[s.id] = true
			got := h.do(s, own)
			may := slices.Contains(strings.Fields(roleMay[role]), string(act))
			switch {
			case !may:
				if p := got.problem(http.StatusForbidden); !strings.Contains(p.Detail, string(act)) {
					t.Errorf("%s: %+v", s.id, p)
				}
			case got.status >= 200 && got.status < 300, got.status == http.StatusConflict:
			default:
				t.Errorf("%s may %s: %d %s", role, s.id, got.status, got.body)
			}
			if got := h.do(s, "unknown"); got.problem(http.StatusUnauthorized).Detail == "" || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s without a key: %v", s.id, got.header)
			}
		}
		for id := range wanted {
			if !seen[id] {
				t.Errorf("there is no operation %s", id)
			}
		}
	}
}

func TestEveryOperationKeepsOutWhoIsConfinedToOtherLists(t *testing.T) {
	t.Parallel()
	h := open(t)
	contact, subscription, edition := h.peopled()
	h.ask("POST", "/api/v1/feeds", `{"slug": "feed-museums"}`).is(http.StatusCreated)
	h.key("museums", accounts.Actor{Key: 9, Roles: []accounts.Role{accounts.Owner, accounts.Approver, accounts.Manager}, Lists: []int64{h.listID("museums")}})
	free := []string{ // of no list
		"list-articles", "get-article", "find-article", "create-article", "create-articles", "put-article", "withdraw-article", "restore-article", "mark-article",
		"take-back-article", "list-feeds", "get-feed", "create-feed", "put-feed", "remove-feed", "get-status",
	}
	var state, name string
	for _, s := range h.steps("museums", contact, subscription, edition) {
		got := h.do(s, "museums")
		switch {
		case slices.Contains(free, s.id):
			if got.status >= 300 && got.status != http.StatusConflict {
				t.Errorf("%s: %d %s", s.id, got.status, got.body)
			}
		case slices.Contains([]string{"list-lists", "list-contacts", "list-editions", "list-organisations", "list-subscriptions"}, s.id) && got.status == http.StatusOK:
			if body := string(got.body); strings.Contains(body, "partners") || strings.Contains(body, "reader@") || strings.Contains(body, "City museum") {
				t.Errorf("%s shows what is of another list: %s", s.id, body)
			}
		case s.id == "subscribe":
			got.wrongAt("body.list", "none that this key is for")
		case got.status != http.StatusNotFound && got.status != http.StatusForbidden:
			t.Errorf("%s: %d %s", s.id, got.status, got.body)
		}
	}
	if err := h.DB.Get(&state, `SELECT state FROM mailer.editions`); err != nil || state != "review" {
		t.Errorf("the edition is %s (%v)", state, err)
	}
	if err := h.DB.Get(&name, `SELECT name FROM subscribers.contacts`); err != nil || name != "" {
		t.Errorf("the contact is called %q (%v)", name, err)
	}
}

func TestEveryPOSTMayNameItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	contact, subscription, edition := h.peopled()
	for _, s := range h.steps("own", contact, subscription, edition) {
		if s.method != http.MethodPost {
			continue
		}
		first := h.do(s, "sp_all", "Idempotency-Key", s.id)
		if first.status >= 300 {
			if first.status != http.StatusConflict {
				t.Errorf("%s: %d %s", s.id, first.status, first.body)
			}
			continue
		}
		again := h.do(s, "sp_all", "Idempotency-Key", s.id)
		if s.id == "create-private-feed" { // its addresses are told once
			first.body = regexp.MustCompile(`,"urls":\{[^}]*\}`).ReplaceAll(first.body, nil)
		}
		if again.status != first.status || string(again.body) != string(first.body) || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("%s: %d %s\n%d %s", s.id, first.status, first.body, again.status, again.body)
		}
	}
}

func TestAnswersHaveTheirHeaders(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range []string{"/api/v1/lists", "/api/openapi.json", "/api/openapi.yaml", "/api/docs", "/api/nowhere"} {
		r := h.ask("GET", path, nil)
		policy := r.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || r.header.Get("X-Content-Type-Options") != "nosniff" ||
			r.header.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, r.header)
		}
	}
	h.ask("GET", "/api/nowhere", nil).problem(http.StatusNotFound)
	if r := h.ask("DELETE", "/api/v1/lists", nil); r.problem(http.StatusMethodNotAllowed).Detail == "" || r.header.Get("Allow") != "GET" {
		t.Errorf("%v", r.header)
	}
	h.ask("POST", "/api/v1/feeds", `{"slug": "a"}`, "Content-Type", "text/plain").problem(http.StatusUnsupportedMediaType)
	h.ask("POST", "/api/v1/feeds", `{"slug": `).problem(http.StatusBadRequest)
	h.ask("POST", "/api/v1/feeds", `{"slug": "a"} {}`).problem(http.StatusBadRequest)
	h.ask("POST", "/api/v1/organisations", `{"name": "a\u0000b"}`).problem(http.StatusBadRequest)
	h.ask("POST", "/api/v1/feeds", nil).problem(http.StatusBadRequest)
	h.ask("POST", "/api/v1/feeds", `{"slug": "`+strings.Repeat("a", 70_000)+`"}`).problem(http.StatusRequestEntityTooLarge)
	var anything any
	if err := json.Unmarshal(h.ask("GET", "/api/openapi.json", nil).body, &anything); err != nil {
		t.Error(err)
	}
}
