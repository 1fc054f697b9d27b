package subscribers_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// found follows a filter through all parts of the list.
func (b *bundle) found(t interface{ Fatal(...any) }, f subscribers.ContactFilter, limit int) (all []subscribers.ListedContact) {
	for after := int64(0); ; {
		page, err := subscribers.FindContacts(context.Background(), b.db, f, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page.Contacts...); page.Next == 0 {
			return all
		}
		after = page.Next
	}
}

// meant says in another way than in SQL whether a filter leaves somebody.
func meant(f subscribers.ContactFilter, souls []soul, email string) bool {
	mine := slices.DeleteFunc(slices.Clone(souls), func(s soul) bool { return s.email != email })
	s := mine[0]
	onList := slices.ContainsFunc(mine, func(s soul) bool {
		return (f.List == "" || s.list == f.List) && (f.State == "" || s.state == string(f.State))
	})
	text := strings.ToLower(f.Text)
	has := strings.Contains(s.email, text) || strings.Contains(strings.ToLower(s.organisation), text)
	if len(text) < 3 {
		has = strings.HasPrefix(s.email, text) || strings.Contains(strings.ToLower(s.organisation), text)
	}
	country := countryOf[s.organisation] == f.Country || s.organisation == "" && s.country == f.Country
	reads := s.language != "" && (f.Language == s.language || f.Language == "en" || f.Language == "zh" && s.language == "zh-Hans")
	return onList && has && (f.Country == "" || country) && (f.Language == "" || reads) && (!f.Suppressed || s.suppressed)
}

// Whatever narrows the list, those are in it who are meant, each once and the newest first, in parts of any size.
func TestFindContacts(t *testing.T) {
	t.Parallel()
	b, souls := newCrowd(t)
	for name, country := range countryOf {
		if _, err := b.db.ExecContext(t.Context(), `UPDATE subscribers.organisations SET country = $2 WHERE name = $1`, name, country); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(rt, name) }
		f := subscribers.ContactFilter{
			Text: pick("text", "", "", "p0", "h3", "h3.ex", "ACADEMY", "p", "scienc", "%", "_", `\`, "'"), List: pick("list", "", "", "partners", "guests"),
			State: subscribers.State(pick("state", "", "", "active", "pending", "unsubscribed")), Suppressed: rapid.Bool().Draw(rt, "suppressed"),
			Country: pick("country", "", "", "IT", "CH", "FR"), Language: pick("language", "", "", "it", "zh", "en", "sr"),
		}
		if f.Text == "h3" || f.Text == "sr" {
			f.Text = ""
		}
		var want, got []string
		for _, s := range souls {
			if meant(f, souls, s.email) && !slices.Contains(want, s.email) {
				want = append(want, s.email)
			}
		}
		found := b.found(rt, f, rapid.IntRange(1, 70).Draw(rt, "limit"))
		for i, c := range found {
			got = append(got, c.Email)
			if i > 0 && c.ID >= found[i-1].ID {
				rt.Fatalf("%+v: contact %d stands after %d", f, c.ID, found[i-1].ID)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			rt.Fatalf("%+v: %v, want %v", f, got, want)
		}
	})
}

// Who is confined to lists sees their people, and nothing of other lists.
func TestFindContactsWithinLists(t *testing.T) {
	t.Parallel()
	b, souls := newCrowd(t)
	guests, err := subscribers.ListBySlug(t.Context(), b.db, "guests")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, s := range souls {
		if s.list == "guests" {
			want[s.email] = true
		}
	}
	got := b.found(t, subscribers.ContactFilter{Within: []int64{guests.ID}}, 3)
	for _, c := range got {
		if !want[c.Email] || len(c.Subscriptions) != 1 || c.Subscriptions[0].List != "guests" {
			t.Errorf("%s is shown with %+v", c.Email, c.Subscriptions)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d people, want %d", len(got), len(want))
	}
	if got := b.found(t, subscribers.ContactFilter{Within: []int64{guests.ID}, List: "partners"}, 50); len(got) > 0 {
		t.Errorf("of a list that is not theirs they see %d", len(got))
	}
	if got := b.found(t, subscribers.ContactFilter{Within: []int64{}}, 50); len(got) > 0 {
		t.Errorf("who has no list sees %d", len(got))
	}
	paused := b.found(t, subscribers.ContactFilter{Within: []int64{guests.ID}, State: subscribers.Unsubscribed}, 50)
	if len(paused) > 0 {
		t.Errorf("a state on another list counts: %v", paused)
	}
}

func TestFindContactsRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, f := range []subscribers.ContactFilter{{Text: "\x00x"}, {Country: "Italy"}, {Language: "?"}, {Text: strings.Repeat("x", 300)}} {
		if _, err := subscribers.FindContacts(t.Context(), b.db, f, 0, 50); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if _, err := subscribers.FindContacts(t.Context(), b.db, subscribers.ContactFilter{List: "nowhere"}, 0, 50); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}
