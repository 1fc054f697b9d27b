//go:build browser

package browsertest

import (
	"strings"
	"testing"
)

// TestReadingInABrowser looks at digests as pages and at the archive.
func TestReadingInABrowser(t *testing.T) {
	browser, p := launch(t), start(t)
	for i, v := range views {
		if testing.Short() && i%3 > 0 {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			t.Run("view", func(t *testing.T) { viewPage(open(t, browser, v.view, "en"), p, v.reader, "ltr", "view") })
			t.Run("view in Arabic", func(t *testing.T) { viewPage(open(t, browser, v.view, "en"), p, arabicReader, "rtl", "view-arabic") })
			t.Run("archive", func(t *testing.T) { archivePages(open(t, browser, v.view, "en"), p, "en", "ltr") })
			t.Run("archive in Arabic", func(t *testing.T) { archivePages(open(t, browser, v.view, "ar"), p, "ar", "rtl") })
			t.Run("archive in Chinese", func(t *testing.T) { archivePages(open(t, browser, v.view, "zh-CN"), p, "zh-Hans", "ltr") })
		})
	}
}

// viewPage goes from a digest to its page, and from there to the page that asks.
func viewPage(tb *tab, p *program, reader, direction, name string) {
	tb.visit(p.mailTo(tb.t, reader) + "/html")
	link := eval[string](tb, `document.querySelector('a[href*="/view/"]').href`)
	tb.visit(link)
	tb.picture(name)
	if got := eval[string](tb, `getComputedStyle(document.querySelector('h1')).direction`); got != direction {
		tb.t.Errorf("it runs %s", got)
	}
	if strings.Contains(tb.text("body"), reader) {
		tb.t.Errorf("the page names %s", reader)
	}
	ground := eval[string](tb, `getComputedStyle(document.body).backgroundColor`)
	if dark := ground == "rgb(20, 21, 24)"; dark != (tb.view.scheme == "dark") {
		tb.t.Errorf("its ground is %s", ground)
	}
	tb.visit(eval[string](tb, `document.querySelector('a[href$="/links"]').href`))
	tb.picture(name + "-links")
	tb.accessible("the page that asks whether to send the links")
	tb.tabbable("the page that asks whether to send the links", 3)
	tb.says("h1", "Preferences and unsubscribing")
}

// archivePages goes from the address of the archive to its newest edition.
func archivePages(tb *tab, p *program, language, direction string) {
	tb.visit(p.url + "/archive/partners")
	if at := eval[string](tb, `location.href`); at != p.url+"/archive/partners/"+language+"/" {
		tb.t.Errorf("it leads to %s", at)
	}
	tb.picture("archive-" + language)
	tb.accessible("the archive")
	tb.tabbable("the archive", 8)
	tb.press(".entries a")
	tb.fits("an edition")
	tb.picture("edition-" + language)
	tb.accessible("an edition")
	if got := eval[string](tb, `document.documentElement.lang + ' ' + getComputedStyle(document.querySelector('main')).direction`); got != language+" "+direction {
		tb.t.Errorf("it is %s", got)
	}
}
