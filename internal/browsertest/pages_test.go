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
				"feeds": feedsPage, "feed": feedPage, "article": articlePage, "catcher": catcherList, "arabic": arabicDigest,
				"chinese": chineseDigest, "errors": errorPages,
			} {
				t.Run(name, func(t *testing.T) { look(open(t, browser, v.view, "en"), p) })
			}
			t.Run("digest", func(t *testing.T) { digestPage(open(t, browser, v.view, "en"), p, v.reader) })
			t.Run("unsubscribe", func(t *testing.T) { unsubscribe(open(t, browser, v.view, "en"), p, v.reader) })
			t.Run("choices", func(t *testing.T) { choices(open(t, browser, v.view, "en"), p, v.reader) })
			t.Run("in Arabic", func(t *testing.T) { pagesIn(open(t, browser, v.view, "ar"), p, "arabic", "rtl") })
			t.Run("in Chinese", func(t *testing.T) { pagesIn(open(t, browser, v.view, "zh-CN"), p, "chinese", "ltr") })
		})
	}
}

// feedsPage looks at the page that lists the feeds, which is also where the bare address leads.
func feedsPage(tb *tab, p *program) {
	tb.visit(p.url + "/")
	tb.picture("feeds")
	tb.accessible("the feeds")
	tb.tabbable("the feeds", 20)
	tb.says("h1", "Feeds")
	names := eval[[]string](tb, `[...document.querySelectorAll('.rows .name')].map(a => a.innerText)`)
	for _, want := range []string{"All articles", "Robotics", "News", "English", "العربية", "简体中文"} {
		if !slices.Contains(names, want) {
			tb.t.Errorf("no feed %q among %q", want, names)
		}
	}
	links := eval[[]string](tb, `[...document.querySelector('.rows .addresses').querySelectorAll('a')].map(a => a.type + ' ' + a.href)`)
	want := []string{
		"application/rss+xml " + p.url + "/feeds/all.rss", "application/atom+xml " + p.url + "/feeds/all.atom",
		"application/feed+json " + p.url + "/feeds/all.json", " feed:" + p.url + "/feeds/all.rss",
	}
	if !slices.Equal(links, want) {
		tb.t.Errorf("the first feed is at %q, want %q", links, want)
	}
}

// feedPage opens a feed from the list.
func feedPage(tb *tab, p *program) {
	tb.visit(p.url + "/feeds/")
	tb.press(`.rows .name`)
	tb.fits("the page of a feed")
	tb.picture("feed")
	tb.accessible("the page of a feed")
	tb.tabbable("the page of a feed", 20)
	tb.says("h1", "All articles")
	if at, want := eval[string](tb, `location.href`), p.url+"/feeds/all.rss"; at != want {
		tb.t.Errorf("the feed is shown at %s, want %s", at, want)
	}
	directions := eval[[]string](tb, `[...document.querySelectorAll('h3')].map(h => getComputedStyle(h).direction)`)
	if !slices.Contains(directions, "rtl") || !slices.Contains(directions, "ltr") {
		tb.t.Errorf("the articles run %q, want some each way", directions)
	}
	tb.press(`h3 a[hreflang=it]`)
	tb.says("h1", "Quarantuno squadre scolastiche alla finale della staffetta dei robot")
}

// errorPages looks at what those see whose request cannot be answered.
func errorPages(tb *tab, p *program) {
	tb.errors = true
	tb.open(p.url+"/nowhere", 404)
	tb.picture("not-found")
	tb.accessible("the page that is not there")
	tb.open(p.url+"/feeds/nowhere.rss", 404)
	tb.says("h1", "There is no such page")
	tb.visit(p.url + "/feeds/")
	tb.leads(chromedp.Evaluate[chromedp.Void](`const form = document.createElement('form'); form.method = 'post'; document.body.append(form); form.submit()`), 405)
	tb.says("h1", "This cannot be done here")
	tb.accessible("the page for a wrong method")
}

const relay = "forty-one-school-teams-take-their-robots-to-the-relay-final"

// articlePage looks at an article, and from there at its translation.
func articlePage(tb *tab, p *program) {
	tb.visit(p.url + "/articles/" + relay)
	tb.picture("article")
	tb.accessible("the article")
	tb.says("h1", "Forty-one school teams take their robots to the relay final")
	if n := eval[int](tb, `document.querySelectorAll('head link[rel=alternate][type^="application/"]').length`); n != 9 {
		tb.t.Errorf("the article leads feed readers to %d addresses, want all, its section and its language in three formats", n)
	}
	tb.visit(eval[string](tb, `document.querySelector('nav a[hreflang=zh-Hans]').href`))
	tb.picture("article-chinese")
	tb.accessible("the article in Chinese")
	tb.says("h1", "四十一支校队携机器人参加接力赛决赛")
}

// catcherList looks at the list of messages and follows its first one.
func catcherList(tb *tab, p *program) {
	tb.visit(p.url + "/mail/")
	tb.picture("catcher")
	tb.accessible("the catcher")
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
	tb.accessible("the question before unsubscribing")
	tb.tabbable("the question before unsubscribing", 5)
	tb.says("h1", "Unsubscribe from News for our partners")
	if n := p.subscribed(tb.t); n != before {
		tb.t.Errorf("looking at the page left %d of %d subscriptions", n, before)
	}
	tb.press("button")
	tb.says("h1", "Press once more") // the digest came a moment ago: mail scanners press buttons, too
	tb.picture("press-once-more")
	tb.accessible("the second question before unsubscribing")
	if n := p.subscribed(tb.t); n != before {
		tb.t.Errorf("the first press left %d of %d subscriptions", n, before)
	}
	tb.press("button")
	tb.fits("the page after the button")
	tb.picture("unsubscribed")
	tb.accessible("the answer after unsubscribing")
	tb.says("h1", "✓ You are unsubscribed")
	if n := p.subscribed(tb.t); n != before-1 {
		tb.t.Errorf("the button left %d of %d subscriptions", n, before)
	}
	tb.visit(link)
	tb.says("h1", "✓ You are unsubscribed")
}

// choices looks at the form to subscribe and at the preferences that a digest leads to.
func choices(tb *tab, p *program, reader string) {
	tb.visit(p.url + "/s/partners")
	tb.picture("subscribe")
	tb.accessible("the form to subscribe")
	tb.says("h1", "Subscribe to News for our partners")
	tb.visit(p.mailTo(tb.t, reader) + "/html")
	tb.visit(eval[string](tb, `document.querySelector('a[href*="/preferences/"]').href`))
	tb.picture("preferences")
	tb.accessible("the preferences")
	tb.says("h1", "Your preferences")
}

// pagesIn looks at pages whose own words are in another language.
func pagesIn(tb *tab, p *program, language, direction string) {
	for _, page := range []struct{ name, path string }{
		{"feeds", "/feeds/"}, {"feed", "/feeds/robotics.rss"}, {"catcher", "/mail/"}, {"article", "/articles/" + relay},
	} {
		tb.visit(p.url + page.path)
		tb.picture(page.name + "-in-" + language)
		tb.accessible(page.name + " in " + language)
		if got := eval[string](tb, `getComputedStyle(document.querySelector('main')).direction`); got != direction {
			tb.t.Errorf("%s runs %s", page.path, got)
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

// press presses a button, or follows a link, and waits for the page that comes of it.
func (tb *tab) press(button chromedp.CSS) {
	tb.t.Helper()
	tb.leads(chromedp.Click(button), 200)
}

// leads does what leads to another page and waits for that.
func (tb *tab) leads(action chromedp.Action[chromedp.Void], status int64) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, action)
	if err != nil {
		tb.t.Fatal(err)
	}
	if response.Status != status {
		tb.t.Errorf("%s: status %d, want %d", response.URL, response.Status, status)
	}
}
