package app_test

import (
	"bytes"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/cascadia"
	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"

	"silkpost/internal/app"
)

// readers are contacts whose languages differ, all weekly.
var readers = []string{
	"roma@centro.example,Ufficio Roma,it;en,weekly",
	"maktab@marsad.example,مكتب المدير,ar,weekly",
	"bangongshi@palace.example,办公室,zh-Hans;en,weekly",
	"office@museum.example,Office,en-GB,weekly",
	"kyiv@instytut.example,Канцелярія,uk;en,weekly",
	"karachi@indus.example,سیکرٹریٹ,ur,weekly",
}

// TestMainJob takes articles and partners in, and feeds and digests out.
func TestMainJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	done := h.articles(t, relayEn, relayIt, relayZh, seatsAr, seatsEn, skyRu)
	if done.Added != 6 {
		t.Fatalf("%d articles added, want 6", done.Added)
	}
	h.contacts(t, readers...)
	h.run(t, app.Parts{Web: h.web})

	checkFeeds(t, h)
	sent := h.send(t)
	if d := sent.Deliveries; len(sent.Editions) != 1 || d.Recipients != len(readers) || d.Sent != len(readers) {
		t.Fatalf("sent %+v", sent)
	}
	if e := sent.Editions[0]; e.State != "sent" || e.Articles != 2 || e.Recipients != len(readers) {
		t.Errorf("edition %+v: two groups have a version that somebody reads", e)
	}
	letters := h.letters(t)
	if len(letters) != len(readers) {
		t.Fatalf("letters for %v", recipients(letters))
	}
	for _, l := range letters {
		t.Run(l.to, func(t *testing.T) { checkLetter(t, h, l) })
	}
	for address, want := range map[string]digest{
		"roma@centro.example":       {"it", "ltr", "Notizie per i partner", []string{relayIt.title, seatsEn.title}},
		"maktab@marsad.example":     {"ar", "rtl", "أخبار لشركائنا", []string{relayEn.title, seatsAr.title}},
		"bangongshi@palace.example": {"zh-Hans", "ltr", "合作伙伴通讯", []string{seatsEn.title, relayZh.title}},
		"office@museum.example":     {"en", "ltr", "News for our partners", []string{relayEn.title, seatsEn.title}},
		"kyiv@instytut.example":     {"en", "ltr", "News for our partners", []string{relayEn.title, seatsEn.title}},
		"karachi@indus.example":     {"en", "ltr", "News for our partners", []string{relayEn.title, seatsEn.title}},
	} {
		if diff := cmp.Diff(want, letters[address].digest(t), cmp.AllowUnexported(digest{})); diff != "" {
			t.Errorf("the digest for %s (-want +got):\n%s", address, diff)
		}
	}

	again := h.send(t)
	if e := again.Editions[0]; e.State != "skipped" || e.Reason != "nothing new" || again.Deliveries.Recipients != 0 {
		t.Errorf("sent again: %+v", again)
	}
	if len(h.letters(t)) != len(readers) {
		t.Error("sending again mailed again")
	}
	if once := h.articles(t, relayEn, relayIt, relayZh, seatsAr, seatsEn, skyRu); once.Unchanged != 6 || once.Added+once.Changed != 0 {
		t.Errorf("importing again: %+v", once)
	}
}

// checkFeeds reads the feeds over HTTP as a feed reader does.
func checkFeeds(t *testing.T, h *house) {
	t.Helper()
	for path, want := range map[string]struct {
		items     int
		mediaType string
	}{
		"/feeds/all.rss":            {6, "application/rss+xml"},
		"/feeds/all.atom":           {6, "application/atom+xml"},
		"/feeds/all.json":           {6, "application/feed+json"},
		"/feeds/section-events.rss": {4, "application/rss+xml"},
		"/feeds/lang-ar.atom":       {1, "application/atom+xml"},
		"/feeds/lang-zh-Hans.json":  {1, "application/feed+json"},
	} {
		got := get(t, h.PublicURL()+path)
		if mediaType, _, _ := strings.Cut(got.Header.Get("Content-Type"), ";"); got.StatusCode != http.StatusOK || mediaType != want.mediaType {
			t.Errorf("%s: %d %s", path, got.StatusCode, mediaType)
		}
		feed, err := gofeed.NewParser().Parse(bytes.NewReader(got.body))
		if err != nil || len(feed.Items) != want.items {
			t.Errorf("%s: %v, %v", path, feed, err)
		}
		if again := get(t, h.PublicURL()+path, "If-None-Match", got.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s asked for with its ETag: %d", path, again.StatusCode)
		}
	}
	page := get(t, h.PublicURL()+"/feeds/")
	if page.StatusCode != http.StatusOK || !bytes.Contains(page.body, []byte(h.PublicURL()+"/feeds/lang-ar.rss")) {
		t.Errorf("the feeds page: %d\n%s", page.StatusCode, page.body)
	}
}

// checkLetter looks at what every message of the list must be.
func checkLetter(t *testing.T, h *house, l letter) {
	t.Helper()
	from := mail.Address{Name: "Example Association", Address: "news@example.org"}
	if got := l.address(t, "From"); got != from {
		t.Errorf("From %v", got)
	}
	if got := l.address(t, "Reply-To"); got.Address != "office@example.org" {
		t.Errorf("Reply-To %v", got)
	}
	if got := l.address(t, "To"); got.Address != l.to || got.Name == "" {
		t.Errorf("To %v", got)
	}
	for field, want := range map[string]string{
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Precedence": "bulk",
		"Auto-Submitted": "auto-generated", "MIME-Version": "1.0",
	} {
		if got := l.GetHeaderValues(field); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q once", field, got, want)
		}
	}
	if id := l.GetHeader("List-Id"); !strings.HasSuffix(id, " <partners.example.org>") || !strings.Contains(l.GetHeader("Subject"), strings.Trim(strings.TrimSuffix(id, " <partners.example.org>"), `"`)) {
		t.Errorf("List-Id %q of %q", id, l.GetHeader("Subject"))
	}
	if id := l.GetHeader("Message-ID"); !strings.HasSuffix(id, "@example.org>") || !strings.HasPrefix(id, "<") || strings.Contains(id, l.to) {
		t.Errorf("Message-ID %q", id)
	}
	if feedback := strings.Split(l.GetHeader("Feedback-ID"), ":"); len(feedback) != 4 || feedback[1] != "partners" || feedback[3] != "silkpost" {
		t.Errorf("Feedback-ID %q", feedback)
	}
	if date, err := l.Date(); err != nil || time.Since(date).Abs() > time.Minute {
		t.Errorf("Date %v, %v", date, err)
	}
	if !strings.HasPrefix(l.link(), h.PublicURL()+"/unsubscribe/") {
		t.Errorf("List-Unsubscribe %q", l.link())
	}
	checkParts(t, l)
	checkBytes(t, l.raw)
}

// checkParts looks at the two forms of the text, which say the same.
func checkParts(t *testing.T, l letter) {
	t.Helper()
	parts := []string{}
	for part := l.Root.FirstChild; part != nil; part = part.NextSibling {
		parts = append(parts, part.ContentType+" "+strings.ToLower(part.Charset))
	}
	if want := []string{"text/plain utf-8", "text/html utf-8"}; l.Root.ContentType != "multipart/alternative" || !slices.Equal(parts, want) {
		t.Errorf("%s of %v, want multipart/alternative of %v", l.Root.ContentType, parts, want)
	}
	hrefs := attributes(t, l.HTML, "a", "href")
	for _, words := range []string{l.link(), l.to, "1 Example Street, 00000 Exampletown", "Example Association"} {
		if !strings.Contains(l.Text, words) {
			t.Errorf("the text lacks %q:\n%s", words, l.Text)
		}
		if !strings.Contains(l.HTML, words) && !slices.Contains(hrefs, words) {
			t.Errorf("the HTML lacks %q", words)
		}
	}
	if !slices.Contains(hrefs, l.link()) {
		t.Errorf("no link of the HTML leads to %s: %v", l.link(), hrefs)
	}
	for _, image := range attributes(t, l.HTML, "img", "src") {
		t.Errorf("image %s, but no article has one: is somebody counted?", image)
	}
}

// checkBytes looks at what SMTP servers are picky about.
func checkBytes(t *testing.T, raw []byte) {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) {
		t.Error("a bare CR or LF")
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d octets", len(line))
		}
		for _, b := range line {
			if b >= 0x80 {
				t.Fatalf("octet %#x in %q, which not every server takes", b, line)
			}
		}
	}
}

// digest is what tells one reader's digest from another's.
type digest struct {
	language, direction, list string
	titles                    []string
}

func (l letter) digest(t *testing.T) digest {
	t.Helper()
	d := digest{
		language: attributes(t, l.HTML, "html", "lang")[0], direction: attributes(t, l.HTML, "html", "dir")[0], list: texts(t, l.HTML, "h1")[0],
		titles: texts(t, l.HTML, "h2"),
	}
	slices.Sort(d.titles)
	for _, title := range d.titles {
		if !strings.Contains(strings.Join(strings.Fields(l.Text), " "), title) {
			t.Errorf("%s: %q is in the HTML, but not in the text", l.to, title)
		}
	}
	if !strings.HasPrefix(l.GetHeader("Subject"), d.list) {
		t.Errorf("%s: subject %q", l.to, l.GetHeader("Subject"))
	}
	return d
}

func find(t *testing.T, page, selector string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return cascadia.QueryAll(root, cascadia.MustCompile(selector))
}

func attributes(t *testing.T, page, selector, name string) (values []string) {
	t.Helper()
	for _, n := range find(t, page, selector) {
		for _, a := range n.Attr {
			if a.Key == name {
				values = append(values, a.Val)
			}
		}
	}
	return values
}

func texts(t *testing.T, page, selector string) (values []string) {
	t.Helper()
	for _, n := range find(t, page, selector) {
		var b strings.Builder
		for d := range n.Descendants() {
			if d.Type == html.TextNode {
				b.WriteString(d.Data)
			}
		}
		values = append(values, strings.TrimSpace(b.String()))
	}
	return values
}
