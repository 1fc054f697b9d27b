package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"silkpost/internal/web/api"
)

// collection is a list that can be gone through and added to.
type collection struct {
	path string
	add  func(h *house, n int) (id string) // adds one and returns what it is known by
	id   func(item map[string]any) string
}

func field(name string) func(map[string]any) string {
	return func(item map[string]any) string { return fmt.Sprint(item[name]) }
}

var collections = map[string]collection{
	"articles": {"/api/v1/articles", func(h *house, n int) string {
		var made api.PushedArticle
		h.ask("PUT", fmt.Sprintf("/api/v1/sources/cms/articles/k%d", n), `{"title": "A title", "text": "Words."}`).is(http.StatusCreated).into(&made)
		return made.Slug
	}, field("slug")},
	"feeds": {"/api/v1/feeds", func(h *house, n int) string {
		slug := fmt.Sprintf("f%d-%d", n*7919%101, n) // before and behind where the reader is
		h.ask("POST", "/api/v1/feeds", fmt.Sprintf(`{"slug": %q}`, slug)).is(http.StatusCreated)
		return slug
	}, field("slug")},
	"organisations": {"/api/v1/organisations", func(h *house, n int) string {
		var made api.Organisation
		h.ask("POST", "/api/v1/organisations", fmt.Sprintf(`{"name": "Museum %d"}`, n)).is(http.StatusCreated).into(&made)
		return made.Name
	}, field("name")},
	"contacts": {"/api/v1/contacts", func(h *house, n int) string {
		email := fmt.Sprintf("reader%d@example.org", n)
		h.subscribed("partners", email)
		return email
	}, field("email")},
	"subscriptions": {"/api/v1/subscriptions?list=museums", func(h *house, n int) string {
		return fmt.Sprint(h.subscribed("museums", fmt.Sprintf("member%d@example.org", n)).ID)
	}, func(item map[string]any) string { return fmt.Sprintf("%.0f", item["id"]) }},
	"suppressions": {"/api/v1/suppressions", func(h *house, n int) string {
		domain := fmt.Sprintf("d%d.example", n)
		h.ask("POST", "/api/v1/suppressions", fmt.Sprintf(`{"whom": %q}`, domain)).is(http.StatusCreated)
		return domain
	}, field("domain")},
}

// Whatever is there from the first page to the last is seen exactly once, whatever is added meanwhile, and nothing is seen twice.
func TestCursorsSeeEachRowOnceWhileRowsAreAdded(t *testing.T) {
	t.Parallel()
	h := open(t)
	added := map[string]int{}
	known := map[string][]string{}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"articles", "feeds", "organisations", "contacts", "subscriptions", "suppressions"}).Draw(t, "collection")
		c := collections[name]
		add := func() {
			added[name]++
			known[name] = append(known[name], c.add(h, added[name]))
		}
		for range rapid.IntRange(0, 4).Draw(t, "before") {
			add()
		}
		before := slices.Clone(known[name])
		limit := rapid.IntRange(3, 20).Draw(t, "limit")
		seen := map[string]int{}
		for cursor := ""; ; {
			if rapid.Bool().Draw(t, "add") {
				add()
			}
			at, _ := url.Parse(c.path)
			query := at.Query()
			query.Set("limit", fmt.Sprint(limit))
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			at.RawQuery = query.Encode()
			var page api.Page[map[string]any]
			h.ask("GET", at.String(), nil).is(http.StatusOK).into(&page)
			if len(page.Items) > limit {
				t.Fatalf("%d items, the limit is %d", len(page.Items), limit)
			}
			for _, item := range page.Items {
				seen[c.id(item)]++
			}
			if page.Next == nil {
				break
			}
			cursor = *page.Next
		}
		for _, id := range before {
			if seen[id] != 1 {
				t.Fatalf("%s %s was seen %d times", name, id, seen[id])
			}
		}
		for id, times := range seen {
			if times != 1 {
				t.Fatalf("%s %s was seen %d times", name, id, times)
			}
		}
	})
}
