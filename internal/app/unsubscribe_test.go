package app_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"silkpost/internal/app"
	"silkpost/internal/language"
	"silkpost/mailer/edition"
)

// withLetters is a house whose list wants approval, after a first digest to three people.
func withLetters(t *testing.T) (*house, map[string]letter) {
	t.Helper()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly", "bruno@centro.example,Bruno,it,weekly", "carla@museum.example,Carla,en,weekly")
	h.articles(t, relayEn, relayIt)
	h.send(t)
	h.run(t, app.Parts{Web: h.web})
	return h, h.letters(t)
}

// told is what the log of consents last says about an address.
type told struct {
	State  string `db:"state"`
	Method string `db:"method"`
	Rows   int    `db:"rows"`
}

func (h *house) told(t *testing.T, address string) told {
	t.Helper()
	return value[told](t, h, `
		SELECT c.state, c.method, count(*) OVER () AS rows
		FROM subscribers.consents c JOIN subscribers.subscriptions s ON s.id = c.subscription_id
		JOIN subscribers.contacts p ON p.id = s.contact_id WHERE p.email = $1 ORDER BY c.id DESC LIMIT 1`, address)
}

// RFC 8058: a POST with the field, in either encoding; no cookie, no redirect, nothing further to press.
func TestOneClickUnsubscribe(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	var body bytes.Buffer
	multi := multipart.NewWriter(&body)
	if err := multi.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	if err := multi.Close(); err != nil {
		t.Fatal(err)
	}
	for address, send := range map[string]func(link string) answer{
		"anna@museum.example": func(link string) answer { return oneClick(t, link) },
		"bruno@centro.example": func(link string) answer {
			return ask(t, http.MethodPost, link, multi.FormDataContentType(), body.String())
		},
	} {
		for range 2 { // a mail program may try again
			got := send(letters[address].link())
			if got.StatusCode != http.StatusOK || len(got.Cookies()) > 0 || got.Header.Get("Location") != "" {
				t.Errorf("%s: %d, cookies %v, location %q", address, got.StatusCode, got.Cookies(), got.Header.Get("Location"))
			}
		}
		if got, want := h.told(t, address), (told{"unsubscribed", "one-click", 2}); got != want {
			t.Errorf("%s: the log says %+v, want %+v", address, got, want)
		}
	}
	if got := h.told(t, "carla@museum.example"); got.State != "active" {
		t.Errorf("the third became %+v", got)
	}
	h.articles(t, seatsEn)
	if sent := h.send(t); sent.Deliveries.Recipients != 1 || sent.Editions[0].Recipients != 1 {
		t.Errorf("the next edition: %+v", sent)
	}
}

// GET changes nothing: mail scanners follow every link. Its page has the button, and pressing that is noted as such.
func TestUnsubscribePage(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	link := letters["anna@museum.example"].link()
	before := h.told(t, "anna@museum.example")
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		if got := ask(t, method, link, "", ""); got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, got.StatusCode, got.Header)
		}
	}
	if got := get(t, link+"?List-Unsubscribe=One-Click"); got.StatusCode != http.StatusOK {
		t.Errorf("with the field in the address: %d", got.StatusCode)
	}
	if after := h.told(t, "anna@museum.example"); after != before {
		t.Errorf("looking at the page changed %+v to %+v", before, after)
	}
	page := string(get(t, link).body)
	if strings.Contains(page, "anna@museum.example") {
		t.Error("the page shows the whole address to whomever the digest was forwarded to")
	}
	asked := ask(t, http.MethodPost, link, form, pressed(t, page)) // the digest has only just come
	if asked.StatusCode != http.StatusOK || !strings.Contains(string(asked.body), "Press once more") || h.told(t, "anna@museum.example") != before {
		t.Errorf("the button: %d %s", asked.StatusCode, asked.body)
	}
	if got := ask(t, http.MethodPost, link, form, pressed(t, string(asked.body))); got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), "You are unsubscribed") {
		t.Errorf("once more: %d %s", got.StatusCode, got.body)
	}
	if got, want := h.told(t, "anna@museum.example"), (told{"unsubscribed", "page", 2}); got != want {
		t.Errorf("the log says %+v, want %+v", got, want)
	}
	if again := get(t, link); !strings.Contains(string(again.body), "You are unsubscribed") {
		t.Error("the page still asks")
	}
	for tag, want := range map[string]string{"it": "it", "ar-EG": "ar", "zh-CN": "zh-Hans", "xx": "en"} {
		page := get(t, letters["bruno@centro.example"].link(), "Accept-Language", tag)
		direction := map[bool]string{true: "rtl", false: "ltr"}[language.RightToLeft(want)]
		if got := attributes(t, string(page.body), "html", "lang"); !slices.Equal(got, []string{want}) || page.Header.Get("Content-Language") != want {
			t.Errorf("for a reader of %s the page is in %v", tag, got)
		}
		if got := attributes(t, string(page.body), "html", "dir"); !slices.Equal(got, []string{direction}) {
			t.Errorf("for a reader of %s the page runs %v", tag, got)
		}
	}
}

// pressed returns what a browser posts when the first button of a page is pressed.
func pressed(t *testing.T, page string) string {
	t.Helper()
	fields := url.Values{}
	for _, selector := range []string{"form input", "form button"} {
		names, values := attributes(t, page, selector, "name"), attributes(t, page, selector, "value")
		for i := range names {
			if selector == "form input" || i == 0 {
				fields.Add(names[i], values[i])
			}
		}
	}
	if fields.Get("nonce") == "" || fields.Get("do") == "" {
		t.Fatalf("the page's form has %v:\n%s", fields, page)
	}
	return fields.Encode()
}

// What is no request to unsubscribe changes nothing.
func TestUnsubscribeRefuses(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	link := letters["anna@museum.example"].link()
	base, token, _ := strings.Cut(link, "/unsubscribe/")
	base += "/unsubscribe/"
	confirm := h.Composer.Keys.Sign("confirm", 1)
	unknown := h.Composer.Keys.Sign("unsubscribe", 999_999)
	for name, tt := range map[string]struct {
		method, link, body string
		want               int
	}{
		"a bad token":              {http.MethodPost, base + "AAAA" + token[4:], "List-Unsubscribe=One-Click", http.StatusNotFound},
		"a bad token, looked at":   {http.MethodGet, base + token[:len(token)-1], "", http.StatusNotFound},
		"the link of a preview":    {http.MethodGet, base + "preview", "", http.StatusNotFound},
		"another purpose":          {http.MethodPost, base + confirm, "List-Unsubscribe=One-Click", http.StatusNotFound},
		"nobody's subscription":    {http.MethodPost, base + unknown, "List-Unsubscribe=One-Click", http.StatusNotFound},
		"no token":                 {http.MethodPost, base, "List-Unsubscribe=One-Click", http.StatusNotFound},
		"no field":                 {http.MethodPost, link, "", http.StatusBadRequest},
		"another value":            {http.MethodPost, link, "List-Unsubscribe=Later", http.StatusBadRequest},
		"the field in the address": {http.MethodPost, link + "?List-Unsubscribe=One-Click", "", http.StatusBadRequest},
		"a broken encoding":        {http.MethodPost, link, "List-Unsubscribe=%zz", http.StatusBadRequest},
		"another method":           {http.MethodDelete, link, "", http.StatusMethodNotAllowed},
	} {
		if got := ask(t, tt.method, tt.link, form, tt.body); got.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, tt.want)
		}
	}
	if n := value[int](t, h, `SELECT count(*) FROM subscribers.mailable`); n != 3 {
		t.Errorf("%d of 3 can still be mailed", n)
	}
}

// No means no for what is planned already.
func TestUnsubscribedFromAPendingEdition(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	h.apply(t, list+"approval = true\n")
	h.articles(t, seatsEn)
	sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"})
	if err != nil || sent.Editions[0].State != "review" || sent.Deliveries.Pending != 3 {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	oneClick(t, letters["carla@museum.example"].link())
	if err := h.Desk(edition.CommandLine).Approve(t.Context(), sent.Editions[0].ID); err != nil {
		t.Fatal(err)
	}
	stop := h.run(t, app.Parts{Worker: true})
	id := sent.Editions[0].ID
	waitUntilSent(t, h, id)
	stop()
	shown, err := h.EditionStatus(context.Background(), id)
	if d := shown.Deliveries; err != nil || d.Sent != 2 || d.Suppressed != 1 || d.Recipients != 3 {
		t.Errorf("%+v, %v", d, err)
	}
	for _, m := range h.post.Messages()[3:] {
		if m.To[0] == "carla@museum.example" {
			t.Error("the one who said no got mail")
		}
	}
}
