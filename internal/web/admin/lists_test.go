package admin_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/accounts"
	"silkpost/subscribers"
)

// wholeForm returns the form of a page as a browser would send it, with changes: names and values in turn.
func wholeForm(a answer, changes ...string) (fields []string) {
	changed := map[string]bool{}
	for i := 0; i+1 < len(changes); i += 2 {
		changed[changes[i]] = true
	}
	a.Find("form.form input, form.form textarea, form.form select").Each(func(_ int, field *goquery.Selection) {
		name, _ := field.Attr("name")
		value, _ := field.Attr("value")
		_, checked := field.Attr("checked")
		switch {
		case name == "" || changed[name] || field.AttrOr("type", "") == "checkbox" && !checked:
			return
		case goquery.NodeName(field) == "textarea":
			value = field.Text()
		case goquery.NodeName(field) == "select":
			value = field.Find("option[selected]").AttrOr("value", "")
		}
		fields = append(fields, name, value)
	})
	return append(fields, changes...)
}

func TestAListIsMadeWithFewFields(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := h.send("/admin/lists/new", wholeForm(h.get("/admin/lists/new"), "slug", "events", "name", "", "name.language", "en", "name.words", "Events",
		"name.language", "zh-Hans", "name.words", "活动", "sender_name", "Example Association", "sender_address", "news@example.org",
		"postal_address", "1 Example Street\r\n00000 Exampletown", "select_sections", "Events")...)
	if got.status != http.StatusSeeOther || got.location != "/admin/lists/events?done=saved" {
		t.Fatalf("%d %s %s", got.status, got.location, got.text(".mistakes"))
	}
	list, err := subscribers.ListBySlug(t.Context(), h.DB, "events")
	if err != nil {
		t.Fatal(err)
	}
	want := subscribers.NewList("events")
	want.ID, want.TimeZone, want.PostalAddress = list.ID, "Europe/Rome", "1 Example Street\n00000 Exampletown"
	want.Name = map[string]string{"en": "Events", "zh-Hans": "活动"}
	want.Sender = subscribers.Sender{Name: "Example Association", Address: "news@example.org"}
	want.Selection.Sections = []string{"Events"}
	want.Selection.Tags, want.Selection.Languages, want.Selection.Sources = []string{}, []string{}, []string{}
	want.Description, want.NotOn, want.LeaveOut = map[string]string{}, []string{}, []string{}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("it is\n%+v, not\n%+v", list, want)
	}
	if page := h.get("/admin/lists/events"); page.text(".needs-you") != "" || !strings.Contains(page.text("main"), "/s/events") {
		t.Errorf("%s", page.text("main"))
	}
}

// Every key that a declaration of a list knows is a field of its form, so that nothing can be said of a list by a file alone.
func TestTheFormOfAListHasEveryKey(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare("[[source]]\nslug = \"site\"\nkind = \"feed\"\nurl = \"https://www.example.org/feed.xml\"\n")
	page := h.get("/admin/lists/new")
	var keys func(of reflect.Type, prefix string)
	keys = func(of reflect.Type, prefix string) {
		for i := range of.NumField() {
			key := of.Field(i).Tag.Get("toml")
			if of.Field(i).Type.Kind() == reflect.Struct {
				keys(of.Field(i).Type, prefix+key+"_")
				continue
			}
			name := prefix + key
			if name == "description" {
				name = "about"
			}
			if key != "-" && page.Find("#"+name).Length() != 1 {
				t.Errorf("there is no field for %s", prefix+key)
			}
		}
	}
	keys(reflect.TypeFor[subscribers.List](), "")
}

// A form that is sent as it came changes nothing, whatever the list.
func TestAFormSentAsItCameChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(`
		[[source]]
		slug = "site"
		kind = "feed"
		url = "https://www.example.org/feed.xml"
		[[theme]]
		slug = "red"
		[[list]]
		slug = "other"
		[[list]]
		slug = "odd"
		name = { en = "Odd", ar = "غريب" }
		description = { en = "One\ntwo" }
		sender = { name = "A & B", address = "news@example.org", reply_to = "office@example.org" }
		postal_address = "1 Street\n00000 Town"
		select = { sections = ["News, and more"], tags = ["robotics"], languages = ["zh-Hans"], sources = ["site"] }
		rhythms = ["weekly", "monthly"]
		default_rhythm = "monthly"
		time_zone = "Asia/Kathmandu"
		editorial_hour = "16:45"
		daily_on = ["monday", "sunday"]
		daily_at = "06:30"
		weekly_on = "thursday"
		monthly_on = "last day"
		not_on = ["saturday", "12-25", "2027-04-05"]
		approval = true
		approval_within = "90m"
		unapproved = "cancel"
		public = false
		opt_in = "single"
		welcome = "last-edition"
		archive = true
		immediate_after = "90s"
		late_after = "36h30m"
		in_doubt = "leave"
		min_articles = 2
		max_articles = 9
		rest = "more"
		leave_out = ["other"]
		theme = "red"`)
	before, err := subscribers.ListBySlug(t.Context(), h.DB, "odd")
	if err != nil {
		t.Fatal(err)
	}
	got := h.send("/admin/lists/odd/edit", wholeForm(h.get("/admin/lists/odd/edit"))...)
	if got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.text(".mistakes"))
	}
	after, err := subscribers.ListBySlug(t.Context(), h.DB, "odd")
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("%v: it is\n%+v, not\n%+v", err, after, before)
	}
}

func TestMistakesOfAListStandAtTheirFields(t *testing.T) {
	t.Parallel()
	h := open(t)
	form := h.get("/admin/lists/partners/edit")
	for _, tt := range []struct{ field, value, says string }{
		{"sender_address", "nobody", "no @ sign"},
		{"time_zone", "Mars/Base", "not a time zone"},
		{"delivery_hour", "25:00", "not an hour of the day"},
		{"monthly_on", "fifth monday", "not a day of the month"},
		{"not_on", "someday", "neither a weekday"},
		{"min_articles", "few", "no whole number"},
		{"max_articles", "-3", "0 for no limit"},
		{"late_after", "soon", "not a length of time"},
		{"late_after", "1s", "whole seconds between"},
		{"select_languages", "klingonish!", "language tag"},
		{"opt_in", "triple", "neither single nor double"},
		{"fallback_language", `<script>alert(1)</script>`, "language tag"},
		{"postal_address", strings.Repeat("x", 3000), "more than"},
		{"leave_out", "nowhere", "no list"},
		{"theme", "nothing", "no theme"},
		{"select_sources", "nowhere", "no source"},
	} {
		got := h.send("/admin/lists/partners/edit", wholeForm(form, tt.field, tt.value)...)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), tt.says) {
			t.Errorf("%s %q: %d %s", tt.field, tt.value, got.status, got.text(".mistakes"))
			continue
		}
		at := got.Find(".mistakes a").AttrOr("href", "")
		if at == "" && (tt.field == "leave_out" || tt.field == "theme" || tt.field == "select_sources") {
			continue // it was offered and is gone
		}
		if strings.HasPrefix(got.text("#"+tt.field+"-mistake"), tt.field) {
			t.Errorf("%s is called by its name in a declaration: %s", tt.field, got.text(".mistakes"))
		}
		if at != "#"+tt.field || got.Find("#"+tt.field+"-mistake").Length() != 1 || got.Find("main script").Length() != 0 {
			t.Errorf("%s %q is said at %s", tt.field, tt.value, at)
		}
	}
	if list, err := subscribers.ListBySlug(t.Context(), h.DB, "partners"); err != nil || list.TimeZone != "UTC" || list.MinArticles != 1 {
		t.Errorf("something was saved all the same: %v %+v", err, list)
	}
	taken := h.send("/admin/lists/new", wholeForm(h.get("/admin/lists/new"), "slug", "partners")...)
	if taken.status != http.StatusUnprocessableEntity || taken.text("#slug-mistake") != "there is a list of that name already: choose another" {
		t.Errorf("a second list of that name: %d %s", taken.status, taken.text(".mistakes"))
	}
}

func TestARhythmThatIsUsedStays(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.DB.ExecContext(t.Context(), `
		WITH c AS (INSERT INTO subscribers.contacts (email, email_key, created_at) VALUES ('a@example.org', 'a@example.org', '2026-11-22') RETURNING id)
		INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at) SELECT l.id, c.id, 'active', 'daily', '2026-11-22' FROM subscribers.lists l, c`); err != nil {
		t.Fatal(err)
	}
	got := h.send("/admin/lists/partners/edit", wholeForm(h.get("/admin/lists/partners/edit"), "rhythms", "weekly")...)
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text("#rhythms .mistake"), "have chosen daily") {
		t.Errorf("%d %s", got.status, got.text(".mistakes"))
	}
	if page := h.get("/admin/lists"); page.Find("td.number").First().Text() != "1" {
		t.Errorf("%s", page.text("table"))
	}
}

func TestAListIsPausedAndResumed(t *testing.T) {
	t.Parallel()
	h := open(t)
	if got := h.send("/admin/lists/partners/pause"); got.location != "/admin/lists/partners?done=list_paused" {
		t.Fatalf("%d %s", got.status, got.location)
	}
	if page := h.get("/admin/lists/partners"); !strings.Contains(page.text("main"), "is paused") || page.Find("form[action$=resume]").Length() != 1 {
		t.Errorf("%s", page.text("main"))
	}
	h.as(accounts.Actor{Name: "account 2", Roles: []accounts.Role{accounts.Editor}})
	if got := h.send("/admin/lists/partners/resume"); got.status != http.StatusForbidden {
		t.Errorf("an editor resumed it: %d", got.status)
	}
	h.as(everything())
	if got := h.send("/admin/lists/partners/resume"); got.location != "/admin/lists/partners?done=list_resumed" {
		t.Errorf("%d %s", got.status, got.location)
	}
}

func TestManagersSeeTheirLists(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare("[[list]]\nslug = \"mine\"\n[[list]]\nslug = \"theirs\"\n")
	mine, err := subscribers.ListBySlug(t.Context(), h.DB, "mine")
	if err != nil {
		t.Fatal(err)
	}
	h.as(accounts.Actor{Name: "account 2", Email: "manager@example.org", Roles: []accounts.Role{accounts.Manager}, Lists: []int64{mine.ID}})
	if page := h.get("/admin/lists"); page.Find("td.name").Length() != 1 || page.text("td.name a") != "mine" {
		t.Errorf("%s", page.text("main"))
	}
	for path, want := range map[string]int{
		"/admin/lists/mine": http.StatusOK, "/admin/lists/theirs": http.StatusNotFound, "/admin/lists/mine/edit": http.StatusForbidden, "/admin/lists/new": http.StatusForbidden,
	} {
		if got := h.get(path); got.status != want {
			t.Errorf("%s: %d, not %d", path, got.status, want)
		}
	}
	if got := h.send("/admin/lists/theirs/pause"); got.status != http.StatusNotFound {
		t.Errorf("another's list was paused: %d", got.status)
	}
}
