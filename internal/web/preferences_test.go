package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/articles"
	"silkpost/subscribers"
)

// preferring opens the preferences of somebody who is on three lists.
func preferring(t *testing.T) (b *reading, ids []int64, link string) {
	t.Helper()
	b = openReading(t)
	b.publish(t,
		articles.Draft{ExternalKey: "a", Title: "One", Language: "en", Text: "Some words.", Section: "Events"},
		articles.Draft{ExternalKey: "b", Title: "Due", Language: "it", Text: "Alcune parole.", Section: "Notices"})
	ids = b.subscribed(t, "anna@museum.example", "partners", "press", "board")
	return b, ids, b.link("preferences", ids[0])
}

func (b *reading) sub(t testing.TB, id int64) subscribers.Subscription {
	t.Helper()
	sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func field(name string, id int64) string { return fmt.Sprint(name, "-", id) }

// The page shows what is, with the address masked, and saving it as it is changes nothing.
func TestPreferencesAsTheyAre(t *testing.T) {
	t.Parallel()
	b, ids, link := preferring(t)
	if _, err := b.db.Exec(`UPDATE subscribers.contacts SET languages = '{uk,it,ar,en-GB}', language_keys = '{uk-Cyrl,it-Latn,ar-Arab,en-Latn}', time_zone = 'America/Indiana/Indianapolis',
		delivery_hour = '07:10'; UPDATE subscribers.subscriptions SET topics = '{astronomy}'`); err != nil {
		t.Fatal(err)
	}
	later := now.Add(72 * time.Hour)
	if err := subscribers.Pause(t.Context(), b.db, ids[1], &later, true, subscribers.Evidence{At: now, Method: subscribers.ByPage}); err != nil {
		t.Fatal(err)
	}
	before := []subscribers.Subscription{b.sub(t, ids[0]), b.sub(t, ids[1]), b.sub(t, ids[2])}
	page := b.open(t, link)
	body := page.Body.String()
	if page.Code != http.StatusOK || strings.Contains(body, "anna@") || !strings.Contains(body, "a••••@museum.example") || !strings.Contains(body, "4 June 2026") ||
		!strings.Contains(body, `value="robotics"`) || page.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d\n%s", page.Code, body)
	}
	form, _ := page.form("save")
	form.Del("nonce")
	want := url.Values{
		"do": {"save"}, "language": {"uk", "it", "ar", "en-GB", ""}, "time_zone": {"America/Indiana/Indianapolis"}, "hour": {"07:10"},
		field("rhythm", ids[0]): {"weekly"}, field("topic", ids[0]): {"astronomy"}, field("state", ids[0]): {"stay"}, field("pause", ids[0]): {"fortnight"}, field("day", ids[0]): {""},
		field("rhythm", ids[1]): {"weekly"}, field("topic", ids[1]): {"astronomy"}, field("state", ids[1]): {"stay"}, field("pause", ids[1]): {"fortnight"}, field("day", ids[1]): {""}, field("missed", ids[1]): {"1"},
		field("rhythm", ids[2]): {"weekly"}, field("topic", ids[2]): {"astronomy"}, field("state", ids[2]): {"stay"}, field("pause", ids[2]): {"fortnight"}, field("day", ids[2]): {""},
	}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Errorf("the form (-want +got):\n%s", diff)
	}
	logged := value[int](t, b.db, `SELECT count(*) FROM subscribers.consents`)
	if saved := b.press(t, page, "save"); saved.Code != http.StatusOK || !strings.Contains(saved.Body.String(), "Your preferences are saved.") {
		t.Errorf("%d\n%s", saved.Code, saved.Body)
	}
	if diff := cmp.Diff(before, []subscribers.Subscription{b.sub(t, ids[0]), b.sub(t, ids[1]), b.sub(t, ids[2])}); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.consents`); n != logged {
		t.Errorf("%d lines in the log after %d", n, logged)
	}
}

// Everything on the page can be changed at once; each change of a state is recorded in the words beside it.
func TestChangingPreferences(t *testing.T) {
	t.Parallel()
	b, ids, link := preferring(t)
	form, _ := b.open(t, link).form("save")
	form["language"] = []string{"", "it", "en", "it"}
	form["time_zone"], form["hour"] = []string{"Asia/Tokyo"}, []string{"21:00"}
	form[field("rhythm", ids[0])], form[field("topic", ids[0])] = []string{"daily"}, []string{"robotics", "News"}
	form[field("state", ids[0])], form[field("pause", ids[0])], form[field("missed", ids[0])] = []string{"pause"}, []string{"month"}, []string{"1"}
	form[field("state", ids[1])] = []string{"leave"}
	if saved := b.post(t, link, form); saved.Code != http.StatusOK {
		t.Fatalf("%d %s", saved.Code, saved.Body)
	}
	first, second, third := b.sub(t, ids[0]), b.sub(t, ids[1]), b.sub(t, ids[2])
	tokyo, _ := time.LoadLocation("Asia/Tokyo")
	end := time.Date(2026, 7, 1, 0, 0, 0, 0, tokyo)
	if c := first.Contact; !slices.Equal(c.Languages, []string{"it", "en"}) || c.TimeZone != "Asia/Tokyo" || c.DeliveryHour != "21:00" {
		t.Errorf("contact %+v", c)
	}
	if first.Rhythm != "daily" || !slices.Equal(first.Topics, []string{"robotics", "News"}) || first.State != subscribers.Paused || !first.PausedUntil.Equal(end) || !first.CatchUp {
		t.Errorf("paused: %+v until %v", first, first.PausedUntil)
	}
	if second.State != subscribers.Unsubscribed || third.State != subscribers.Active {
		t.Errorf("%s, %s", second.State, third.State)
	}
	for i, want := range []string{"paused|page|Pause: 1 month|/preferences/{token}|192.0.2.0/24", "unsubscribed|page|Unsubscribe from Press|/preferences/{token}|192.0.2.0/24"} {
		if log := b.logged(t, ids[i]); len(log) != 2 || log[1] != want {
			t.Errorf("the log says %q, want %q", log, want)
		}
	}
}

// For as long as they like, and back as they like.
func TestPausing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pause, day string
		until      string // "" for none
	}{
		{"fortnight", "", "2026-06-15"}, {"month", "", "2026-07-01"}, {"quarter", "", "2026-09-01"}, {"day", "2026-12-24", "2026-12-24"}, {"day", "2026-06-02", "2026-06-02"}, {"open", "2026-12-24", ""},
	} {
		b, ids, link := preferring(t)
		if _, err := b.db.Exec(`UPDATE subscribers.lists SET time_zone = 'Europe/Rome'`); err != nil {
			t.Fatal(err)
		}
		b.press(t, b.open(t, link), "save", field("state", ids[0]), "pause", field("pause", ids[0]), tt.pause, field("day", ids[0]), tt.day)
		sub := b.sub(t, ids[0])
		rome, _ := time.LoadLocation("Europe/Rome")
		until := ""
		if sub.PausedUntil != nil {
			until = sub.PausedUntil.In(rome).Format(time.DateOnly)
			if sub.PausedUntil.In(rome).Hour() != 0 {
				t.Errorf("it ends in the midst of a day: %s", sub.PausedUntil)
			}
		}
		if sub.State != subscribers.Paused || until != tt.until || sub.CatchUp {
			t.Errorf("%s %s: %s until %q, want %q", tt.pause, tt.day, sub.State, until, tt.until)
		}
		// Later they think of what they miss, and then come back.
		b.press(t, b.open(t, link), "save", field("missed", ids[0]), "1")
		if missed := b.sub(t, ids[0]); !missed.CatchUp || missed.State != subscribers.Paused || tt.until != "" && !missed.PausedUntil.Equal(*sub.PausedUntil) {
			t.Errorf("%s: with what they missed: %+v", tt.pause, missed)
		}
		catchUp := tt.pause == "month"
		back := []string{field("state", ids[0]), "back"}
		form, _ := b.open(t, link).form("save")
		if !catchUp {
			form.Del(field("missed", ids[0]))
		}
		form.Set(back[0], back[1])
		b.post(t, link, form)
		sub = b.sub(t, ids[0])
		if want := map[bool]int{true: 1, false: 2}[catchUp]; sub.State != subscribers.Active || sub.Activation != want || sub.CatchUp {
			t.Errorf("%s: back: %+v", tt.pause, sub)
		}
		if log := b.logged(t, ids[0]); log[len(log)-1] != "active|page|Let it come again now|/preferences/{token}|192.0.2.0/24" {
			t.Errorf("the log says %q", log)
		}
	}
}

// A day that has come is no end of a pause: nothing is saved, and what was written stays in the form.
func TestAPauseThatIsOverAlready(t *testing.T) {
	t.Parallel()
	b, ids, link := preferring(t)
	for _, day := range []string{"2026-06-01", "2020-01-01", "", "tomorrow", "9999-12-31"} {
		got := b.press(t, b.open(t, link), "save", "time_zone", "Asia/Tokyo", field("rhythm", ids[0]), "daily", field("state", ids[0]), "pause", field("pause", ids[0]), "day", field("day", ids[0]), day)
		if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "Choose a day after today") {
			t.Fatalf("%q: %d", day, got.Code)
		}
		for name, want := range map[string]string{
			"time_zone": "Asia/Tokyo", field("rhythm", ids[0]): "daily", field("state", ids[0]): "pause", field("pause", ids[0]): "day", field("day", ids[0]): day,
		} {
			if shown := got.control("save", name); shown != want {
				t.Errorf("%q: %s is %q in the form, want %q", day, name, shown, want)
			}
		}
		if sub := b.sub(t, ids[0]); sub.State != subscribers.Active || sub.Rhythm != "weekly" || sub.Contact.TimeZone != "" {
			t.Errorf("%q: %+v", day, sub)
		}
		if mended := b.press(t, got, "save", field("pause", ids[0]), "open"); mended.Code != http.StatusOK || b.state(t, ids[0]) != "paused" {
			t.Errorf("mended: %d, %s", mended.Code, b.state(t, ids[0]))
		}
		b.press(t, b.open(t, link), "save", field("state", ids[0]), "back", field("rhythm", ids[0]), "weekly", "time_zone", "")
	}
}

// Who waits or has left sees that, and asks for the mail by which they say that it shall come.
func TestPreferencesBringBack(t *testing.T) {
	t.Parallel()
	b, ids, link := preferring(t)
	b.ask(http.MethodPost, b.link("unsubscribe", ids[1]), "List-Unsubscribe=One-Click")
	if _, err := b.db.Exec(`UPDATE subscribers.lists SET rhythms = '{daily}', default_rhythm = 'daily' WHERE slug = 'press'`); err != nil { // their rhythm is gone meanwhile
		t.Fatal(err)
	}
	waiting := b.waiting(t, "anna@museum.example", "events")
	b.mails = nil
	page := b.press(t, b.open(t, link), "save", field("state", ids[1]), "return", field("state", waiting), "confirm")
	slices.Sort(b.mails)
	if !slices.Equal(b.mails, []int64{ids[1], waiting}) || !strings.Contains(page.Body.String(), "A message is on its way to this address") {
		t.Errorf("mails for %v\n%s", b.mails, page.Body)
	}
	if sub := b.sub(t, ids[1]); sub.State != subscribers.Unsubscribed || sub.Rhythm != "daily" || b.state(t, waiting) != "pending" {
		t.Errorf("whoever has the link brings them back: %s %s, %s", sub.State, sub.Rhythm, b.state(t, waiting))
	}
	if again := b.press(t, b.open(t, link), "save"); strings.Contains(again.Body.String(), "A message is on its way") {
		t.Error("a mail is told of that nobody asked for")
	}
}

// From the preferences, too, all lists can be left, and that be taken back.
func TestLeavingAllFromThePreferences(t *testing.T) {
	t.Parallel()
	b, ids, link := preferring(t)
	b.delivered(t, ids[0])
	left, asked := b.insist(t, b.open(t, link), "leave-all")
	if !asked || left.h1() != "✓ You are unsubscribed" || b.state(t, ids[0])+b.state(t, ids[2]) != "unsubscribedunsubscribed" {
		t.Fatalf("%v %q", asked, left.h1())
	}
	if b.press(t, left, "undo"); b.state(t, ids[0])+b.state(t, ids[2]) != "activeactive" {
		t.Errorf("%s %s", b.state(t, ids[0]), b.state(t, ids[2]))
	}
}

// What no page offers is refused whole.
func TestPreferencesThatNoPageOffers(t *testing.T) {
	t.Parallel()
	b, ids, link := preferring(t)
	for name, fill := range map[string][]string{
		"a zone": {"time_zone", "Mars/Olympus"}, "an hour": {"hour", "25:00"}, "a state": {field("state", ids[2]), "delighted"}, "a button": {"do", "dance"},
	} {
		form, _ := b.open(t, link).form("save")
		form.Set("language", "ar")
		form.Set(field("state", ids[0]), "leave")
		form.Set(fill[0], fill[1])
		if got := b.post(t, link, form); got.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got.Code)
		}
		if sub := b.sub(t, ids[0]); sub.State != subscribers.Active || !slices.Equal(sub.Contact.Languages, []string{"it"}) {
			t.Errorf("%s: half of it was done: %+v", name, sub)
		}
	}
	other := b.subscribed(t, "bruno@museum.example", "partners")[0]
	form, _ := b.open(t, link).form("save")
	form.Set(field("state", other), "leave")
	form.Set(field("rhythm", ids[0]), "hourly") // not offered: the default
	b.post(t, link, form)
	if b.state(t, other) != "active" || b.sub(t, ids[0]).Rhythm != "weekly" {
		t.Error("somebody else's subscription ended, or a rhythm came that there is not")
	}
}
