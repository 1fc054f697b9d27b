package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/web/api"
)

func TestKeysOfTheProgramAreTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	handler, err := api.New(api.Config{App: h.App})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	h.url = server.URL
	ends := begin.Add(time.Hour)
	editor, id, err := h.Accounts.MakeKey(t.Context(), accounts.Key{Name: "CMS", Roles: []accounts.Role{accounts.Editor}})
	if err != nil {
		t.Fatal(err)
	}
	manager, _, err := h.Accounts.MakeKey(t.Context(), accounts.Key{Name: "register", Roles: []accounts.Role{accounts.Manager}, Lists: []int64{h.listID("museums")}, EndsAt: &ends})
	if err != nil {
		t.Fatal(err)
	}
	h.ask("POST", "/api/v1/articles", robots, "Authorization", "Bearer "+editor).is(http.StatusCreated)
	h.ask("GET", "/api/v1/contacts", nil, "Authorization", "Bearer "+editor).problem(http.StatusForbidden)
	h.ask("POST", "/api/v1/subscriptions", ada, "Authorization", "bearer "+manager).wrongAt("body.list", "none that this key is for")
	var lists api.Page[api.List]
	h.ask("GET", "/api/v1/lists", nil, "Authorization", "Bearer "+manager).is(http.StatusOK).into(&lists)
	if len(lists.Items) != 1 {
		t.Errorf("%+v", lists.Items)
	}
	if err := h.Accounts.RevokeKey(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.clock.Set(ends)
	for name, header := range map[string]string{
		"revoked": "Bearer " + editor, "ended": "Bearer " + manager, "none": "", "another scheme": "Basic " + editor, "cut": "Bearer " + editor[:len(editor)-1],
	} {
		if r := h.ask("GET", "/api/v1/lists", nil, "Authorization", header); r.problem(http.StatusUnauthorized).Detail == "" {
			t.Error(name)
		}
	}
}
