//go:build browser

package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
)

var desk, phone = view{1280, 900, "light"}, view{390, 844, "light"}

// TestFeedsInABrowser tells a tab, a script and a feed reader apart, as a real browser does (docs/adr/0012).
func TestFeedsInABrowser(t *testing.T) {
	b, p := launch(t), start(t)
	for name, look := range map[string]func(*tab, *program){
		"negotiated": negotiated, "raw": raw, "copied": copied, "copied without TLS": copiedTheOldWay, "without scripts": withoutScripts, "narrow": narrow,
	} {
		t.Run(name, func(t *testing.T) { look(open(t, b, desk, "en"), p) })
	}
	t.Run("narrow in Arabic", func(t *testing.T) { narrow(open(t, b, desk, "ar"), p) })
	declareMany(t, p, 2000)
	t.Run("many", func(t *testing.T) { many(open(t, b, desk, "en"), p) })
	t.Run("many on a phone", func(t *testing.T) { many(open(t, b, phone, "en"), p) })
}

// asked fetches a feed as a page's script does. The browser keeps what it got for minutes.
const asked = `fetch('/feeds/all.rss').then(async r => r.headers.get('Content-Type') + '\n' + await r.text())`

// negotiated goes to and fro between the feed and its page, so that what the browser keeps of one could be taken for the other.
func negotiated(tb *tab, p *program) {
	tb.errors = true // /healthz has no icon
	feed := p.fetch(tb.t, "/feeds/all.rss", http.Header{"Accept": {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}})
	for range 2 {
		tb.visit(p.url + "/healthz") // our pages let no script connect to anything
		if got := result(tb, chromedp.Evaluate[string](asked, chromedp.EvalAwaitPromise)); got != feed {
			tb.t.Errorf("a script gets\n%s\nwant what a feed reader gets\n%s", got, feed)
		}
		tb.visit(p.url + "/feeds/all.rss")
		tb.says("h1", "All articles")
	}
	tb.leads(chromedp.Reload(), 200)
	tb.says("h1", "All articles")
}

// raw follows the link to what feed readers get.
func raw(tb *tab, p *program) {
	tb.visit(p.url + "/feeds/all.rss")
	tb.press(`a[href$="?raw"]`)
	if got := tb.text("body"); !strings.HasPrefix(got, "<?xml") || !strings.Contains(got, "<rss ") {
		tb.t.Errorf("the feed itself is shown as %.200s", got)
	}
}

// clipboard is what was copied last.
const clipboard = `navigator.clipboard.readText()`

func copied(tb *tab, p *program) {
	tb.mayReadClipboard()
	tb.visit(p.url + "/feeds/")
	if names := eval[[]string](tb, `[...document.querySelectorAll('.rows .entry:first-child button')].slice(0, 3).map(b => b.ariaLabel)`); strings.Join(names, "; ") !=
		"Copy: RSS, All articles; Copy: Atom, All articles; Copy: JSON, All articles" {
		tb.t.Errorf("the buttons are called %q", names)
	}
	tb.copies(`.addresses a[href$="/all.atom"] + button`, p.url+"/feeds/all.atom")
	tb.visit(p.url + "/feeds/all.atom")
	tb.copies(`dd a[href$="/all.json"] + button`, p.url+"/feeds/all.json")
}

// copiedTheOldWay is what is left where a browser does not trust the connection.
func copiedTheOldWay(tb *tab, p *program) {
	tb.mayReadClipboard()
	tb.visit(p.url + "/feeds/")
	tb.do(chromedp.Evaluate[chromedp.Void](`window.clip = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})`))
	tb.do(chromedp.Click(chromedp.CSS(`.addresses a[href$="/all.rss"] + button`)))
	tb.do(chromedp.WaitVisible(chromedp.CSS(`button.copied`)))
	if got, want := result(tb, chromedp.Evaluate[string](`clip.readText()`, chromedp.EvalAwaitPromise)), p.url+"/feeds/all.rss"; got != want {
		tb.t.Errorf("copied %q, want %q", got, want)
	}
	if at := eval[string](tb, `document.activeElement.className`); at != "copy copied" {
		tb.t.Errorf("the focus went from the button to %q", at)
	}
}

// mayReadClipboard lets the test look at what was copied. A page may copy without being asked.
func (tb *tab) mayReadClipboard() {
	tb.t.Helper()
	command(tb, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: browser.PermissionSettingGranted,
	})
}

// copies presses a button and looks what is on the clipboard then, and whether those who hear the page are told.
func (tb *tab) copies(button chromedp.CSS, want string) {
	tb.t.Helper()
	tb.do(chromedp.Click(button))
	tb.do(chromedp.WaitVisible(chromedp.CSS(`button.copied`)))
	if got := result(tb, chromedp.Evaluate[string](clipboard, chromedp.EvalAwaitPromise)); got != want {
		tb.t.Errorf("copied %q, want %q", got, want)
	}
	if got := eval[string](tb, `document.querySelector('[role=status]').textContent`); got != "Copied: "+want {
		tb.t.Errorf("the page says %q", got)
	}
	tb.accessible("the page after copying")
}

// withoutScripts finds nothing missing, and nothing that does not work.
func withoutScripts(tb *tab, p *program) {
	command(tb, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	for _, path := range []string{"/feeds/", "/feeds/all.rss"} {
		tb.visit(p.url + path)
		if n := eval[int](tb, `[...document.querySelectorAll('button, input')].filter(e => e.checkVisibility()).length`); n != 0 {
			tb.t.Errorf("%s: %d things to press that do nothing", path, n)
		}
		if n := eval[int](tb, `document.querySelectorAll('a[href$="/all.atom"]').length`); n == 0 {
			tb.t.Errorf("%s: no address", path)
		}
	}
}

// narrow opens pages on the narrowest screen that must do without scrolling to the side (WCAG 2.2, 1.4.10).
func narrow(tb *tab, p *program) {
	tb.resize(view{320, 640, "light"})
	for _, path := range []string{"/feeds/", "/feeds/all.rss", "/articles/" + relay} {
		tb.visit(p.url + path)
		tb.accessible(path)
	}
}

// declareMany adds feeds as a site of many institutes has them.
func declareMany(t *testing.T, p *program, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("Institut für Ökologie %d", i)
		f := feeds.Feed{Slug: fmt.Sprintf("institute-%d", i), Title: database.StringMap{"de": name}, Selection: articles.Selection{Tags: []string{"robotics"}}}
		if _, err := p.Feeds.Declare(t.Context(), p.DB, f, now); err != nil {
			t.Fatal(err)
		}
	}
}

// many finds a feed among thousands.
func many(tb *tab, p *program) {
	tb.visit(p.url + "/feeds/")
	if n := eval[int](tb, `document.querySelectorAll('.copy').length`); n < 6000 {
		tb.t.Errorf("%d buttons for 2,000 feeds in three formats", n)
	}
	tb.do(chromedp.SendKeys(chromedp.CSS("#find"), "okologie 1234"))
	tb.says("output", "1 / "+fmt.Sprint(eval[int](tb, `document.querySelectorAll('.entry').length`)))
	shown := eval[[]string](tb, `[...document.querySelectorAll('.name')].filter(e => e.checkVisibility()).map(e => e.innerText)`)
	if len(shown) != 1 || shown[0] != "Institut für Ökologie 1234" {
		tb.t.Errorf("found %q", shown)
	}
	tb.fits("the feed that was found")
	tb.picture("feeds-found")
	if tb.view.phone() {
		tb.accessible("the feed that was found")
	}
	tb.do(chromedp.SendKeys(chromedp.CSS("#find"), "x"))
	tb.says(".nothing", "No feed is called that.")
}

// fetch asks for an address as a feed reader does, and gives type and body of the answer.
func (p *program) fetch(t *testing.T, path string, header http.Header) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Header.Get("Content-Type") + "\n" + string(body)
}
