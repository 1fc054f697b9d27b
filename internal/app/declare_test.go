package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/subscribers"
)

// What is in a table and is left out of it the next time is gone: a table is replaced whole.
func TestApplyReplacesTablesWhole(t *testing.T) {
	t.Parallel()
	h := open(t)
	shown := func() any {
		t.Helper()
		l, err := subscribers.ListBySlug(t.Context(), h.DB, "partners")
		if err != nil {
			t.Fatal(err)
		}
		f, err := h.Feeds.Find(t.Context(), h.DB, "robotics")
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for tag, name := range l.Name {
			said = append(said, "list "+tag+" "+name)
		}
		for tag, title := range f.Title {
			said = append(said, "feed "+tag+" "+title)
		}
		return []any{
			said, l.Sender.Name, l.Sender.Address, l.Sender.ReplyTo, strings.Join(l.Selection.Sections, " "), strings.Join(l.Selection.Tags, " "),
			strings.Join(f.Sections, " "), strings.Join(f.Tags, " "), l.PostalAddress, f.Limit,
		}
	}
	for _, step := range []struct {
		name, declaration string
		want              []any
	}{
		{"at first", `
[[feed]]
slug = "robotics"
title = { en = "Robotics" }
select = { sections = ["News"] }
limit = 7
[[list]]
slug = "partners"
name = { en = "News" }
sender = { name = "Example Association", address = "news@example.org", reply_to = "office@example.org" }
postal_address = "1 Example Street"
select = { sections = ["News"] }
`, []any{[]string{"list en News", "feed en Robotics"}, "Example Association", "news@example.org", "office@example.org", "News", "", "News", "", "1 Example Street", 7}},
		{"other keys in the tables", `
[[feed]]
slug = "robotics"
title = { it = "Robotica" }
select = { tags = ["robotics"] }
[[list]]
slug = "partners"
name = { it = "Notizie" }
sender = { address = "desk@example.org" }
select.tags = ["robotics"]
`, []any{[]string{"list it Notizie", "feed it Robotica"}, "", "desk@example.org", "", "", "robotics", "", "robotics", "1 Example Street", 7}},
		{"nothing about them", `
[[feed]]
slug = "robotics"
[[list]]
slug = "partners"
`, []any{[]string{"list it Notizie", "feed it Robotica"}, "", "desk@example.org", "", "", "robotics", "", "robotics", "1 Example Street", 7}},
		{"empty tables", `
[[feed]]
slug = "robotics"
title = {}
select = {}
[[list]]
slug = "partners"
name = {}
sender = {}
select = {}
`, []any{[]string(nil), "", "", "", "", "", "", "", "1 Example Street", 7}},
	} {
		h.apply(t, step.declaration)
		if diff := cmp.Diff(any(step.want), shown()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
