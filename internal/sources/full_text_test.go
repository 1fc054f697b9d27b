package sources

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/articles"
)

// newsroom is a site with a feed of summaries and a page for each.
type newsroom struct {
	*pollBench
	mu     sync.Mutex
	titles []string       // of items that are in the feed, the newest first
	broken map[string]int // by title: the status of its page
	whole  bool           // the feed has whole texts
	asked  []string
}

func newNewsroom(t *testing.T, titles ...string) *newsroom {
	n := &newsroom{pollBench: pollSetup(t), titles: titles, broken: map[string]int{}}
	n.answer.Store(http.HandlerFunc(n.serve))
	return n
}

func (n *newsroom) serve(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	title := strings.TrimPrefix(r.URL.Path, "/page/")
	if title != r.URL.Path {
		n.asked = append(n.asked, title)
		if code := n.broken[title]; code != 0 {
			w.WriteHeader(code)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>%s</title><meta property="og:image" content="/hall.jpg"></head><body><nav><a href="/">Home</a></nav>
			<article><h1>%s</h1>%s</article><footer>Imprint</footer></body></html>`, title, title, strings.Repeat(longParagraph, 4))
		return
	}
	tag := fmt.Sprintf("%q", fmt.Sprint(n.titles, n.whole))
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("ETag", tag)
	fmt.Fprint(w, `<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>x</title>`)
	for _, title := range n.titles {
		fmt.Fprintf(w, `<item><guid>%s</guid><title>%s</title><link>http://%s/page/%s</link><description>Short words of %s.</description>`, title, title, r.Host, title, title)
		if n.whole {
			fmt.Fprintf(w, `<content:encoded><![CDATA[<p>The feed's own text of %s.</p>]]></content:encoded>`, title)
		}
		fmt.Fprint(w, `</item>`)
	}
	fmt.Fprint(w, `</channel></rss>`)
}

const longParagraph = `<p>The science museum opens its new hall to everybody who likes machines, and shows in forty rooms how they were made, by whom, and what became of them.</p>`

func (n *newsroom) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

func (n *newsroom) pagesAsked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer func() { n.asked = nil }()
	slices.Sort(n.asked)
	return n.asked
}

func (n *newsroom) article(t *testing.T, title string) articles.Article {
	t.Helper()
	for _, a := range n.all(t) {
		if a.Title == title {
			return a
		}
	}
	t.Fatalf("there is no article %q", title)
	return articles.Article{}
}

func (n *newsroom) setFullText(t *testing.T, setting articles.FullText) {
	t.Helper()
	source := n.source(t)
	source.Settings.FullText = setting
	if _, _, err := n.Store.UpsertSource(t.Context(), n.DB, source, monday); err != nil {
		t.Fatal(err)
	}
}

func isWhole(a articles.Article) bool { return strings.Count(a.Text, "forty rooms") == 4 }

func TestFullText(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t, "b", "a")
	if got := n.poll(t, monday); got != (articles.Result{Added: 2}) {
		t.Errorf("%+v", got)
	}
	a := n.article(t, "a")
	if !isWhole(a) || a.Summary != "Short words of a." || strings.Contains(a.HTML, "Imprint") || !strings.HasSuffix(a.ImageURL, "/hall.jpg") || a.GUID != "a" {
		t.Errorf("%+v", a)
	}
	n.pagesAsked()
	if got := n.poll(t, monday.Add(time.Hour)); got != (articles.Result{}) {
		t.Errorf("nothing new: %+v", got)
	}
	n.set(func() { n.titles = []string{"c", "b", "a"} })
	if got := n.poll(t, monday.Add(2*time.Hour)); got != (articles.Result{Added: 1, Unchanged: 2}) {
		t.Errorf("a third one: %+v", got)
	}
	if got := n.pagesAsked(); !slices.Equal(got, []string{"c"}) {
		t.Errorf("pages asked for: %v", got)
	}
	if again := n.article(t, "a"); again.HTML != a.HTML || again.Revision != a.Revision {
		t.Errorf("an article that did not change did: %+v", again)
	}
}

func TestFullTextSettings(t *testing.T) {
	t.Parallel()
	for setting, want := range map[articles.FullText][2]bool{"": {true, false}, articles.FullTextAuto: {true, false}, articles.FullTextAlways: {true, true}, articles.FullTextNever: {}} {
		n := newNewsroom(t, "a")
		n.setFullText(t, setting)
		for i, whole := range []bool{false, true} {
			n.set(func() { n.whole, n.titles = whole, []string{fmt.Sprint("item", i)} })
			n.poll(t, monday)
			if got := isWhole(n.article(t, fmt.Sprint("item", i))); got != want[i] {
				t.Errorf("%q, with whole texts in the feed: %t: %t", setting, whole, got)
			}
		}
	}
}

// A page that cannot be fetched leaves the summary, and is tried again although the feed says that nothing changed, but not for ever.
func TestFullTextIsTriedAgain(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t, "b", "a")
	n.set(func() { n.broken["a"] = http.StatusInternalServerError })
	now := monday
	n.poll(t, now)
	if a, b := n.article(t, "a"), n.article(t, "b"); isWhole(a) || a.Text != "Short words of a." || !isWhole(b) {
		t.Errorf("%+v, %+v", a, b)
	}
	n.pagesAsked()
	now = now.Add(5 * time.Minute) // too early
	if n.poll(t, now); len(n.pagesAsked()) > 0 {
		t.Error("it was tried again too early")
	}
	now = now.Add(time.Hour)
	n.set(func() { n.broken["a"] = 0 })
	if got := n.poll(t, now); got != (articles.Result{Changed: 1, Unchanged: 1}) || !isWhole(n.article(t, "a")) {
		t.Errorf("%+v", got)
	}
	if got := n.pagesAsked(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("pages asked for: %v", got)
	}

	n.set(func() { n.titles, n.broken["c"] = []string{"c", "b", "a"}, http.StatusInternalServerError })
	for range 10 {
		now = now.Add(25 * time.Hour)
		n.poll(t, now)
	}
	if got := n.pagesAsked(); !slices.Equal(got, []string{"c", "c", "c", "c", "c"}) {
		t.Errorf("pages asked for: %v", got)
	}
}

// An edited item keeps its text until the page was read anew.
func TestFullTextOfAnEditedItem(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t, "a")
	n.poll(t, monday)
	key := n.article(t, "a").GUID
	n.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/page/") {
			n.serve(w, r)
			return
		}
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>x</title><item><guid>%s</guid><title>a</title><link>http://%s/page/a</link><description>Edited words.</description></item></channel></rss>`, key, r.Host)
	}))
	n.set(func() { n.broken["a"] = http.StatusInternalServerError })
	now := monday.Add(time.Hour)
	if got := n.poll(t, now); got != (articles.Result{Unchanged: 1}) || !isWhole(n.article(t, "a")) {
		t.Errorf("while its page is away: %+v", got)
	}
	n.set(func() { n.broken["a"] = 0 })
	now = now.Add(time.Hour)
	if got := n.poll(t, now); got != (articles.Result{Changed: 1}) || !isWhole(n.article(t, "a")) || n.article(t, "a").Summary != "Edited words." {
		t.Errorf("when it is back: %+v, %+v", got, n.article(t, "a"))
	}
}

func TestFullTextIsBounded(t *testing.T) {
	t.Parallel()
	var titles []string
	for i := range 45 {
		titles = append(titles, fmt.Sprintf("t%02d", i))
	}
	n := newNewsroom(t, titles...)
	now := monday
	for i, want := range []int{20, 20, 5, 0} {
		n.poll(t, now)
		if got := len(n.pagesAsked()); got != want {
			t.Errorf("poll %d asked for %d pages, want %d", i, got, want)
		}
		now = now.Add(time.Hour)
	}
	for _, a := range n.all(t) {
		if !isWhole(a) {
			t.Errorf("%s has its summary alone", a.Title)
		}
	}
	// a site that is away is not asked for page after page
	n = newNewsroom(t, titles...)
	for _, title := range titles {
		n.broken[title] = http.StatusBadGateway
	}
	n.poll(t, monday)
	if got := len(n.pagesAsked()); got != mostMisses {
		t.Errorf("%d pages of a site that is away were asked for", got)
	}
	if got := len(n.all(t)); got != 45 {
		t.Errorf("%d articles", got)
	}
}

// A page that has no more than the item is read once.
func TestFullTextThatIsNone(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t, "a")
	n.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/feed" {
			fmt.Fprintf(w, `<rss version="2.0"><channel><title>x</title><item><guid>a</guid><title>a</title><link>http://%s/login</link><description>%s</description></item></channel></rss>`,
				r.Host, "Words that are longer than those of the page.")
			return
		}
		n.set(func() { n.asked = append(n.asked, r.URL.Path) })
		fmt.Fprint(w, `<html><body><form>Password</form></body></html>`)
	}))
	for i := range 3 {
		n.poll(t, monday.Add(time.Duration(i)*time.Hour))
	}
	if got := n.pagesAsked(); len(got) != 1 || n.article(t, "a").Text != "Words that are longer than those of the page." {
		t.Errorf("asked for %v; %+v", got, n.article(t, "a"))
	}
}

func TestFullTextStates(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t, "a")
	source := n.source(t)
	later := monday.Add(time.Hour)
	states := []articles.FullTextState{
		{Key: "a", ItemHash: []byte{1}, Done: true},
		{Key: "b", ItemHash: []byte{2}, Tries: 2, NextTryAt: &later, Failure: "it was away\x00"},
	}
	if err := n.Store.RecordFullTexts(t.Context(), n.DB, source.ID, states); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]bool{monday: false, later: true} {
		if due, err := n.Store.FullTextsDue(t.Context(), n.DB, source.ID, at); err != nil || due != want {
			t.Errorf("due at %s: %t, %v", at, due, err)
		}
	}
	found, err := n.Store.FullTexts(t.Context(), n.DB, source.ID, []string{"a", "b", "c"})
	if err != nil || len(found) != 2 || !found["a"].Done || found["a"].NextTryAt != nil || found["b"].Tries != 2 || !found["b"].NextTryAt.Equal(later) || found["b"].Failure != "it was away" {
		t.Errorf("%+v, %v", found, err)
	}
}
