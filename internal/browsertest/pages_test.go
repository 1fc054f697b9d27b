//go:build browser

package browsertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Every page is looked at in each view. Each view has a reader of its own, who ends their subscription in it.
var views = []struct {
	view
	reader string
}{
	{view{1280, 900, "light"}, "sekretariat@uzite-vedy.example"},
	{view{1280, 900, "dark"}, "empfang@elbmuseum.example"},
	{view{390, 844, "light"}, "jimukyoku@wangan-kagaku.example"},
	{view{390, 844, "dark"}, "bureau@lagon-sciences.example"},
}

// Readers whose digests are in other scripts.
const (
	arabicReader  = "maktab@desert-observatory.example"
	chineseReader = "bangongshi@lakeside-palace.example"
)

func TestBrowser(t *testing.T) {
	browser, p := launch(t), start(t)
	for i, v := range views {
		if testing.Short() && i%3 > 0 {
			continue // leaves a desk in light and a phone in dark
		}
		t.Run(v.String(), func(t *testing.T) {
			for name, look := range map[string]func(*tab, *program){
				"feeds": feedsPage, "article": articlePage, "catcher": catcherList, "arabic": arabicDigest, "chinese": chineseDigest,
			} {
				t.Run(name, func(t *testing.T) { look(open(t, browser, v.view, "en"), p) })
			}
			t.Run("digest", func(t *testing.T) { digestPage(open(t, browser, v.view, "en"), p, v.reader) })
			t.Run("unsubscribe", func(t *testing.T) { unsubscribe(open(t, browser, v.view, "en"), p, v.reader) })
			t.Run("in Arabic", func(t *testing.T) { pagesInArabic(open(t, browser, v.view, "ar"), p) })
		})
	}
}

// feedsPage looks at the page that lists the feeds, which is also where the bare address leads.
func feedsPage(tb *tab, p *program) {
	tb.visit(p.url + "/")
	tb.picture("feeds")
	tb.says("h1", "Feeds")
	names := eval[[]string](tb, `[...document.querySelectorAll('.entries h2')].map(h => h.innerText)`)
	for _, want := range []string{"All articles", "Robotics", "News", "English", "العربية", "简体中文"} {
		if !slices.Contains(names, want) {
			tb.t.Errorf("no feed %q among %q", want, names)
		}
	}
	links := eval[[]string](tb, `[...document.querySelectorAll('.entries li:first-child .links a')].map(a => a.type + ' ' + a.href)`)
	want := []string{
		"application/rss+xml " + p.url + "/feeds/all.rss", "application/atom+xml " + p.url + "/feeds/all.atom",
		"application/feed+json " + p.url + "/feeds/all.json",
	}
	if !slices.Equal(links, want) {
		tb.t.Errorf("the first feed is at %q, want %q", links, want)
	}
}

// articlePage looks at an article, and from there at its translation.
func articlePage(tb *tab, p *program) {
	tb.visit(p.url + "/articles/forty-one-school-teams-take-their-robots-to-the-relay-final")
	tb.picture("article")
	tb.says("h1", "Forty-one school teams take their robots to the relay final")
	if n := eval[int](tb, `document.querySelectorAll('head link[rel=alternate][type^="application/"]').length`); n != 3 {
		tb.t.Errorf("the article leads feed readers to %d feeds, want 3", n)
	}
	tb.visit(eval[string](tb, `document.querySelector('nav a[hreflang=zh-Hans]').href`))
	tb.picture("article-chinese")
	tb.says("h1", "四十一支校队携机器人参加接力赛决赛")
}

// catcherList looks at the list of messages and follows its first one.
func catcherList(tb *tab, p *program) {
	tb.visit(p.url + "/mail/")
	tb.picture("catcher")
	if rows, want := eval[int](tb, `document.querySelectorAll('tbody tr').length`), len(p.catcher.Messages()); rows != want {
		tb.t.Errorf("%d messages are listed, want %d", rows, want)
	}
	tb.visit(eval[string](tb, `document.querySelector('tbody a').href`))
	for _, kind := range []string{"text", "headers", "raw"} {
		tb.visit(eval[string](tb, `document.querySelector('.tabs a[href$="view=`+kind+`"]').href`))
		tb.picture("catcher-" + kind)
	}
}

// digestPage looks at a digest in the catcher's frame and by itself.
func digestPage(tb *tab, p *program, reader string) {
	address := p.mailTo(tb.t, reader)
	tb.visit(address)
	frame := tb.frame(address + "/html")
	frame.says("h1", "News for our partners")
	tb.picture("catcher-html")
	tb.visit(address + "/html")
	tb.picture("digest")
	if !strings.Contains(tb.text("body"), reader) {
		tb.t.Errorf("the digest does not say that it is for %s", reader)
	}
}

// arabicDigest looks at a digest that runs from right to left, with articles in it that do not.
func arabicDigest(tb *tab, p *program) {
	tb.visit(p.mailTo(tb.t, arabicReader) + "/html")
	tb.picture("digest-arabic")
	tb.says("h1", "أخبار لشركائنا")
	if direction := eval[string](tb, `getComputedStyle(document.querySelector('h1')).direction`); direction != "rtl" {
		tb.t.Errorf("the Arabic digest runs %s", direction)
	}
	directions := eval[[]string](tb, `[...document.querySelectorAll('h2')].map(h => getComputedStyle(h).direction)`)
	if !slices.Contains(directions, "rtl") || !slices.Contains(directions, "ltr") {
		tb.t.Errorf("the articles run %q, want some each way", directions)
	}
}

// chineseDigest looks at a digest in Chinese.
func chineseDigest(tb *tab, p *program) {
	tb.visit(p.mailTo(tb.t, chineseReader) + "/html")
	tb.picture("digest-chinese")
	tb.says("h1", "合作伙伴通讯")
}

// unsubscribe follows the link in a digest, presses the button, and comes back later.
func unsubscribe(tb *tab, p *program, reader string) {
	before := p.subscribed(tb.t)
	tb.visit(p.mailTo(tb.t, reader) + "/html")
	link := eval[string](tb, `document.querySelector('a[href*="/unsubscribe/"]').href`)
	tb.visit(link)
	tb.picture("unsubscribe")
	tb.says("h1", "Unsubscribe from News for our partners")
	if n := p.subscribed(tb.t); n != before {
		tb.t.Errorf("looking at the page left %d of %d subscriptions", n, before)
	}
	tb.press("button")
	tb.fits("the page after the button")
	tb.picture("unsubscribed")
	tb.says("h1", "✓ You are unsubscribed")
	if n := p.subscribed(tb.t); n != before-1 {
		tb.t.Errorf("the button left %d of %d subscriptions", n, before)
	}
	tb.visit(link)
	tb.says("h1", "✓ You are unsubscribed")
}

// pagesInArabic looks at pages whose own words run from right to left.
func pagesInArabic(tb *tab, p *program) {
	for name, path := range map[string]string{"feeds": "/feeds/", "catcher": "/mail/"} {
		tb.visit(p.url + path)
		tb.picture(name + "-in-arabic")
		if direction := eval[string](tb, `getComputedStyle(document.querySelector('h1')).direction`); direction != "rtl" {
			tb.t.Errorf("%s runs %s", path, direction)
		}
	}
}

// TestBrowserPictures makes the pictures of the documentation, if they are wanted.
func TestBrowserPictures(t *testing.T) {
	if !*pictures {
		t.Skip("pictures are made with -pictures")
	}
	browser, p := launch(t), start(t)
	for name, picture := range map[string]struct {
		view
		path string
	}{
		"feeds":         {view{760, 792, "light"}, "/feeds/"},
		"digest":        {view{680, 794, "light"}, strings.TrimPrefix(p.mailTo(t, views[0].reader), p.url) + "/html"},
		"digest-arabic": {view{390, 794, "dark"}, strings.TrimPrefix(p.mailTo(t, "exchange@desert-observatory.example"), p.url) + "/html"},
	} {
		t.Run(name, func(t *testing.T) { document(open(t, browser, picture.view, "en"), p.url+picture.path, name) })
	}
}

func document(tb *tab, address, name string) {
	tb.visit(address)
	tb.save("../../docs/pictures/"+name+".png", chromedp.CaptureScreenshot())
}

// says fails when an element's words are not those wanted.
func (tb *tab) says(selector chromedp.CSS, want string) {
	tb.t.Helper()
	if got := tb.text(selector); got != want {
		tb.t.Errorf("%s is %q, want %q", selector, got, want)
	}
}

// press presses a button and waits for the page that comes of it.
func (tb *tab) press(button chromedp.CSS) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Click(button))
	if err != nil {
		tb.t.Fatal(err)
	}
	if response.Status != 200 {
		tb.t.Errorf("pressing the button: status %d", response.Status)
	}
}
