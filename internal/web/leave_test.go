package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/subscribers"
)

// What a person did is kept in the words that they did it with.
func TestLeavingIsRecordedInTheWordsThatWereShown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ do, language, method, words string }{
		{"", "it", "one-click", "List-Unsubscribe=One-Click"},
		{"leave", "it", "page", "Annulla l’iscrizione a Notizie per i partner"},
		{"leave", "", "page", "Unsubscribe from News for our partners"},
		{"leave-all", "", "page", "Unsubscribe from all lists"},
	} {
		b := openReading(t)
		ids := b.subscribed(t, "anna@museum.example", "partners", "press")
		page := b.open(t, b.link("unsubscribe", ids[0]), "Accept-Language", tt.language)
		form := url.Values{"List-Unsubscribe": {"One-Click"}}
		if tt.do != "" {
			form, _ = page.form(tt.do)
		}
		if got := b.post(t, page.path, form, "Accept-Language", tt.language); got.Code != http.StatusOK || len(got.Result().Cookies()) > 0 {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		want := []string{"unsubscribed|" + tt.method + "|" + tt.words + "|/unsubscribe/{token}|192.0.2.0/24"}
		if log := b.logged(t, ids[0]); !slices.Equal(log[1:], want) {
			t.Errorf("recorded %q, want %q", log[1:], want)
		}
		if log := b.logged(t, ids[1]); (tt.do == "leave-all") != (len(log) == 2) {
			t.Errorf("%q: the other list: %q", tt.do, log)
		}
	}
}

// RFC 8058: a POST with the field, in either encoding, ends the subscription at once, also when the mail has just come.
func TestOneClick(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	var body bytes.Buffer
	multi := multipart.NewWriter(&body)
	if err := multi.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	if err := multi.Close(); err != nil {
		t.Fatal(err)
	}
	for kind, content := range map[string]string{
		"application/x-www-form-urlencoded": "List-Unsubscribe=One-Click", multi.FormDataContentType(): body.String(),
	} {
		id := b.subscribed(t, kind[:9]+"@museum.example", "partners")[0]
		b.delivered(t, id)
		for range 2 {
			r := httptest.NewRequest(http.MethodPost, b.link("unsubscribe", id), strings.NewReader(content))
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if w.Code != http.StatusOK || len(w.Result().Cookies()) > 0 || w.Header().Get("Location") != "" || b.state(t, id) != "unsubscribed" {
				t.Errorf("%s: %d %v, %s", kind, w.Code, w.Header(), b.state(t, id))
			}
		}
	}
}

// A button that was pressed by mistake is taken back, and all is as it was.
func TestUndo(t *testing.T) {
	t.Parallel()
	for _, do := range []string{"leave", "leave-all"} {
		b := openReading(t)
		ids := b.subscribed(t, "anna@museum.example", "partners", "press", "board")
		later := b.clock.Now().Add(48 * time.Hour)
		if err := subscribers.Pause(t.Context(), b.db, ids[1], &later, true, subscribers.Evidence{At: now, Method: subscribers.ByPage}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.waiting(t, "anna@museum.example", "events"))
		all := func() (subs []subscribers.Subscription) {
			for _, id := range ids {
				sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
				if err != nil {
					t.Fatal(err)
				}
				subs = append(subs, sub)
			}
			return subs
		}
		before := all()
		link := b.link("unsubscribe", ids[0])
		left := b.press(t, b.open(t, link), do)
		ended := 0
		for _, sub := range all() {
			if sub.State == subscribers.Unsubscribed {
				ended++
			}
		}
		if want := map[string]int{"leave": 1, "leave-all": 4}[do]; ended != want || left.h1() != "✓ You are unsubscribed" {
			t.Errorf("%s: %d ended, %q", do, ended, left.h1())
		}
		if slices.Contains(left.buttons(), "leave-all") != (do == "leave") || !slices.Contains(left.buttons(), "undo") {
			t.Errorf("%s: then there are the buttons %q", do, left.buttons())
		}
		b.clock.Advance(time.Minute)
		undone := b.press(t, left, "undo")
		if diff := cmp.Diff(before, all()); diff != "" || undone.h1() != "✓ You are not unsubscribed" {
			t.Errorf("%s, taken back: %q (-before +now):\n%s", do, undone.h1(), diff)
		}
		if log := b.logged(t, ids[0]); log[len(log)-1] != "active|page|Undo|/unsubscribe/{token}|192.0.2.0/24" {
			t.Errorf("the log says %q", log)
		}
		b.press(t, b.open(t, link), do)
		if replayed := b.press(t, left, "undo"); replayed.h1() != again || b.state(t, ids[0]) != "unsubscribed" {
			t.Errorf("%s: the page of another time: %q, %s", do, replayed.h1(), b.state(t, ids[0]))
		} else if stays := b.press(t, replayed, ""); stays.h1() != "✓ You are unsubscribed" || b.state(t, ids[0]) != "unsubscribed" {
			t.Errorf("%s: that page, pressed once more: %q, %s", do, stays.h1(), b.state(t, ids[0]))
		}
		b.press(t, b.open(t, b.link("confirm", ids[0])), "confirm")
		left = b.press(t, b.open(t, link), "leave")
		b.clock.Advance(time.Hour + time.Second)
		if late := b.press(t, left, "undo"); late.h1() != "✓ You are unsubscribed" || !slices.Contains(late.buttons(), "return") || b.state(t, ids[0]) != "unsubscribed" {
			t.Errorf("%s: taken back too late: %q %q, %s", do, late.h1(), late.buttons(), b.state(t, ids[0]))
		}
		if later := b.open(t, link); slices.Contains(later.buttons(), "undo") || !slices.Contains(later.buttons(), "return") {
			t.Errorf("%s: when the page was left, there are the buttons %q", do, later.buttons())
		}
		for name, undo := range map[string]string{"made up": "AAAA", "another's": b.keys.SignWith("undo", ids[1], "[]")} {
			form, _ := b.open(t, link).form("return")
			form.Set("do", "undo")
			form.Set("undo", undo)
			if got := b.post(t, link, form); got.Code != http.StatusNotFound {
				t.Errorf("%s, what is taken back is %s: %d", do, name, got.Code)
			}
		}
	}
}

// The link in an old mail also leads back, by a mail to its person: who the digest was forwarded to cannot lift their no.
func TestComingBackByAnOldLink(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	link := b.link("unsubscribe", id)
	b.ask(http.MethodPost, link, "List-Unsubscribe=One-Click")
	if _, err := subscribers.Suppress(t.Context(), b.db, "anna@museum.example", subscribers.Complaint, "", now); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(365 * 24 * time.Hour)
	page := b.open(t, link)
	if b.get(link + "?do=return"); b.state(t, id) != "unsubscribed" {
		t.Fatal("looking brings them back")
	}
	for range 2 { // limits are the mail's
		asked := b.press(t, page, "return")
		if asked.h1() != "Look into your mail" || b.state(t, id) != "unsubscribed" || !slices.Equal(b.mails, []int64{id}) {
			t.Errorf("%q, %s, mails %v", asked.h1(), b.state(t, id), b.mails)
		}
		b.mails = nil
	}
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.suppressions WHERE lifted_at IS NULL`); n != 1 {
		t.Error("a stranger lifts the complaint")
	}
	if back := b.press(t, b.open(t, b.link("confirm", id)), "confirm"); back.h1() != "✓ You are subscribed" || b.state(t, id) != "active" {
		t.Errorf("%q, %s", back.h1(), b.state(t, id))
	}
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.mailable`); n != 1 {
		t.Error("the complaint still holds")
	}
	if there := b.press(t, page, "return"); there.h1() != "✓ You are subscribed" || len(b.mails) > 0 {
		t.Errorf("who is there is asked: %q", there.h1())
	}
	if shown := b.open(t, link); !slices.Equal(shown.buttons(), []string{"leave"}) {
		t.Errorf("then there are the buttons %q", shown.buttons())
	}
}

// Once more is once: who pressed again is not asked for what they do next on the page.
func TestAfterOnePressMoreThePageKnows(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	b.delivered(t, id)
	left, asked := b.insist(t, b.open(t, b.link("unsubscribe", id)), "leave")
	if !asked || b.state(t, id) != "unsubscribed" {
		t.Fatalf("asked %v, %s", asked, b.state(t, id))
	}
	if undone := b.press(t, left, "undo"); undone.h1() != "✓ You are not unsubscribed" || b.state(t, id) != "active" {
		t.Errorf("%q, %s", undone.h1(), b.state(t, id))
	}
}
