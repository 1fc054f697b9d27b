package app_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"silkpost/internal/token"
	"silkpost/mailer/compose"
)

var viewLink = regexp.MustCompile(`https?://[^\s"]+/view/([\w-]+)`)

// page returns where a letter's digest is as a page.
func (l letter) page(t *testing.T) string {
	t.Helper()
	for _, body := range []string{l.HTML, l.Text} {
		if !viewLink.MatchString(body) {
			t.Fatalf("no link to the digest as a page in\n%s", body)
		}
	}
	return viewLink.FindString(l.HTML)
}

// The page is the very digest that the mail holds, but for what is its recipient's own.
func TestViewIsTheMail(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	for address, l := range letters {
		link := l.page(t)
		got := get(t, link)
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %d %v", address, got.StatusCode, got.Header)
		}
		unsubscribe := l.link()
		preferences := regexp.MustCompile(`https?://[^\s"]+/preferences/[\w-]+`).FindString(l.HTML)
		want := strings.NewReplacer(address, "••••", unsubscribe, link+"/links", preferences, link+"/links").Replace(l.HTML)
		if page := string(got.body); page != strings.ReplaceAll(want, "\r\n", "\n") || preferences == "" {
			t.Errorf("the page of %s is not the mail:\n%s\n\n%s", address, page, want)
		}
		if l.page(t) == letters["anna@museum.example"].page(t) && address != "anna@museum.example" {
			t.Errorf("%s has another's page", address)
		}
	}
	if text := string(get(t, letters["bruno@centro.example"].page(t)).body); !strings.Contains(text, "I robot si passano") || !strings.Contains(text, `lang="it"`) {
		t.Errorf("the Italian reader's page is\n%s", text)
	}
	if asked := value[int](t, h, `SELECT count(*) FROM mailer.notices`); asked != 0 {
		t.Error("looking at pages had mails sent")
	}
}

// Whoever gets the link can read, and nothing else: nothing runs, nothing names the recipient, nothing lets a stranger unsubscribe them.
func TestViewIsForStrangers(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	l := letters["anna@museum.example"]
	page := get(t, l.page(t))
	for name, want := range map[string]string{
		"Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
			"img-src 'self' http: https: data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
		"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "List-Unsubscribe": "",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body := string(page.body)
	for _, own := range []string{"anna", "museum", "/unsubscribe/", "/preferences/", "<form", "<script"} {
		if strings.Contains(body, own) {
			t.Errorf("the page holds %q", own)
		}
	}
	_, made, _ := strings.Cut(l.page(t), "/view/")
	for _, other := range []string{"unsubscribe", "preferences", "confirm"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if got := ask(t, method, h.PublicURL()+"/"+other+"/"+made, form, "List-Unsubscribe=One-Click"); got.StatusCode != http.StatusNotFound {
				t.Errorf("the token of the page is good for %s %s: %d", method, other, got.StatusCode)
			}
		}
	}
	if got := oneClick(t, l.page(t)); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a press: %d", got.StatusCode)
	}
	if got := h.told(t, "anna@museum.example"); got.State != "active" {
		t.Errorf("she is %+v", got)
	}
}

// The links of the page lead to one that asks, and has the links sent to whom they belong to.
func TestViewSendsTheLinks(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	links := letters["anna@museum.example"].page(t) + "/links"
	if got := get(t, links); got.StatusCode != http.StatusOK || strings.Contains(string(got.body), "anna") || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	asked := func() []string {
		return rows(t, h, `SELECT kind || ' ' || subscription_id FROM mailer.notices ORDER BY made_at`)
	}
	if len(asked()) > 0 {
		t.Fatal("looking had a mail sent")
	}
	for range 2 { // the second is beyond the limit, and looks the same
		if got := ask(t, http.MethodPost, links, form, ""); got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), "Look into your mail") {
			t.Fatalf("%d %s", got.StatusCode, got.body)
		}
	}
	if got := asked(); len(got) != 1 || !strings.HasPrefix(got[0], "known ") {
		t.Errorf("asked for were %q", got)
	}
	oneClick(t, letters["carla@museum.example"].link())
	if got := ask(t, http.MethodPost, letters["carla@museum.example"].page(t)+"/links", form, ""); got.StatusCode != http.StatusOK {
		t.Error(got.StatusCode)
	}
	if got := asked(); len(got) != 1 {
		t.Errorf("who has left is written to: %q", got)
	}
}

// Links are kept for years: they outlive their key's turn, and say so when the digest is not kept any more.
func TestOldViews(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	link := letters["anna@museum.example"].page(t)
	_, made, _ := strings.Cut(link, "/view/")
	ring, err := token.NewKeys("a newer key, which signs", secretKey)
	if err != nil {
		t.Fatal(err)
	}
	edition, contact, err := compose.OpenView(ring, made)
	if err != nil {
		t.Fatalf("with the key in second place: %v", err)
	}
	for name, tt := range map[string]struct {
		link string
		want int
	}{
		"one of ours":                {link, http.StatusOK},
		"cut short":                  {link[:len(link)-1], http.StatusNotFound},
		"of a preview":               {h.PublicURL() + "/view/preview", http.StatusNotFound},
		"of a key that is gone":      {h.PublicURL() + "/view/" + compose.ViewToken(ring[:1], edition, contact), http.StatusNotFound},
		"of an edition that is gone": {h.PublicURL() + "/view/" + compose.ViewToken(ring[1:], [16]byte{1}, contact), http.StatusGone},
		"of nobody":                  {h.PublicURL() + "/view/" + compose.ViewToken(ring[1:], edition, 999), http.StatusGone},
		"with half an edition":       {h.PublicURL() + "/view/" + ring[1:].SignWith(compose.ViewPurpose, contact, "half"), http.StatusNotFound},
	} {
		if got := get(t, tt.link); got.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, tt.want)
		}
	}
	const gone = "This digest is no longer kept"
	if _, err := h.DB.Exec(`UPDATE mailer.variants SET message = NULL, sender = NULL`); err != nil {
		t.Fatal(err)
	}
	if got := get(t, link); got.StatusCode != http.StatusGone || !strings.Contains(string(got.body), gone) {
		t.Errorf("dropped: %d %s", got.StatusCode, got.body)
	}
	if got := get(t, link, "Accept-Language", "ar"); !strings.Contains(string(got.body), `dir="rtl"`) {
		t.Errorf("in Arabic: %s", got.body)
	}
}

// Of somebody who was erased there is no page any more.
func TestViewOfTheErased(t *testing.T) {
	t.Parallel()
	h, letters := withLetters(t)
	link := letters["anna@museum.example"].page(t)
	if _, err := h.EraseContact(t.Context(), "anna@museum.example", "the desk"); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{link, link + "/links"} {
		if got := get(t, address); got.StatusCode != http.StatusGone {
			t.Errorf("%s: %d", address, got.StatusCode)
		}
	}
}

// What nobody got by a delivery has no page, and no link to one.
func TestNoLinkWithoutAPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.articles(t, relayEn)
	if _, err := h.TestDigest(t.Context(), "partners", "desk@example.org", ""); err != nil {
		t.Fatal(err)
	}
	if l := h.letters(t)["desk@example.org"]; viewLink.MatchString(l.HTML) || viewLink.MatchString(l.Text) || strings.Contains(l.HTML, "View in browser") {
		t.Errorf("a test mail leads to a page: %s", l.HTML)
	}
}

// rows reads a column from the database.
func rows(t *testing.T, h *house, query string) (found []string) {
	t.Helper()
	if err := h.DB.SelectContext(t.Context(), &found, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}
