//go:build browser

package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/testkit"
)

// partnersFile is what a communications officer has of the partners.
const partnersFile = `email,name,organisation,country,languages
secretariat@river-institute.example,Secretariat,River Institute,NL,en
office@tide-museum.example,Office,Tide Museum,PT,en
`

// jobReader is the partner who does not want to go on.
const jobReader = "office@tide-museum.example"

// jobList is the list that is made: there is one from the beginning, which stays as it is.
const jobList = "bulletin"

// TestTheWholeJob does what a communications officer does on the first day, from an empty database, by clicking: a source, a list, partners, an
// edition that goes out, and a reader who ends their subscription, which is on record.
func TestTheWholeJob(t *testing.T) {
	browser, site := launch(t), website(t)
	for name, w := range map[string]struct {
		view
		accepts, language string
		ended             string // how the state of who ended their subscription is called
	}{
		"on a desk":  {view{1280, 900, "light"}, "en", "en", "unsubscribed"},
		"on a phone": {view{390, 844, "light"}, "en", "en", "unsubscribed"},
		"in Chinese": {view{1280, 900, "dark"}, "zh-CN", "zh-Hans", "已退订"},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, app.Options{}, func(*program) {}, "127.0.0.1")
			o := &officer{tab: open(t, browser, w.view, w.accepts), program: p, name: strings.ReplaceAll(name, " ", "-")}
			o.choosePassword(w.language)
			o.addSource(site)
			o.makeList()
			o.importPartners()
			o.letOut(o.makeEdition())
			unsubscribe(open(t, browser, w.view, "en"), p, jobReader)
			o.findsEnded(w.ended)
		})
	}
}

// website answers with a feed of two articles.
func website(t *testing.T) (feed string) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /feed.xml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/rss+xml")
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>News of the institute</title><link>%[1]s/</link><language>en</language>
<item><title>Schools measure their river</title><link>%[1]s/river</link><guid>%[1]s/river</guid><pubDate>%[2]s</pubDate><description>Three thousand samples were taken in one morning.</description></item>
<item><title>The museum opens at night</title><link>%[1]s/night</link><guid>%[1]s/night</guid><pubDate>%[2]s</pubDate><description>Six halls stay open until midnight, and entry is free.</description></item>
</channel></rss>`, server.URL, time.Now().Add(-time.Hour).Format(time.RFC1123Z))
	})
	return server.URL + "/feed.xml"
}

// officer is somebody who does their job in a browser.
type officer struct {
	*tab
	*program

	name string
}

// seen looks at the page that came, as at every page.
func (o *officer) seen(step string) {
	o.t.Helper()
	o.fits(step)
	o.picture("job-" + o.name + "-" + step)
	o.accessible(step)
}

// goes follows the menu to a place, which on a phone is unfolded first.
func (o *officer) goes(path string) {
	o.t.Helper()
	if o.view.phone() {
		o.do(chromedp.Click(chromedp.CSS(".masthead summary")))
	}
	o.press(chromedp.CSS(`.menu a[href="` + path + `"]`))
}

// writes writes into a field that is empty.
func (o *officer) writes(field chromedp.CSS, words string) {
	o.t.Helper()
	o.do(chromedp.SendKeys(field, words))
}

// ticks ticks a box, or one of several.
func (o *officer) ticks(box chromedp.CSS) {
	o.t.Helper()
	o.do(chromedp.Click(box))
}

// awaits waits until an expression holds on the page, which may be loaded anew meanwhile.
func (o *officer) awaits(what, expression string) {
	o.t.Helper()
	testkit.Eventually(o.t, patience, what, func() bool {
		holds, err := chromedp.Run(o.ctx, chromedp.Evaluate[bool](expression))
		return err == nil && holds
	})
}

// reloads loads the page anew until an expression on it holds.
func (o *officer) reloads(what, expression string) {
	o.t.Helper()
	testkit.Eventually(o.t, patience, what, func() bool {
		o.do(chromedp.Reload())
		return eval[bool](o.tab, expression)
	})
}

func (o *officer) choosePassword(language string) {
	o.t.Helper()
	id, err := o.Accounts.Create(o.t.Context(), accounts.Account{Email: "office@example.org", Language: language, Roles: []accounts.Role{accounts.Owner, accounts.Approver}})
	if err != nil {
		o.t.Fatal(err)
	}
	secret, err := o.Accounts.MakeLink(o.t.Context(), id, accounts.ToSetPassword, accounts.LinkFor)
	if err != nil {
		o.t.Fatal(err)
	}
	o.visit(o.LinkURL(secret))
	o.seen("1-password")
	o.writes("#password", "seven herons by the river")
	o.writes("#again", "seven herons by the river")
	o.press("main form button")
	o.runs("html", language, "ltr")
	o.seen("2-home")
	o.press(`main .empty a[href="/admin/guide"]`)
	o.seen("3-guide")
}

func (o *officer) addSource(feed string) {
	o.t.Helper()
	o.press(`main li.next a.button[href="/admin/sources/new"]`)
	o.writes("#address", feed)
	o.press("form.look button")
	o.seen("4-source")
	o.do(chromedp.SetValue(chromedp.CSS("#slug"), "institute"))
	o.ticks(`input[name="first"][value="due"]`)
	o.press(`form[action="/admin/sources"] p.actions button`)
	o.press(`form[action="/admin/sources/institute/poll"] button`) // it would be read within a minute, too
	o.goes("/admin/articles")
	o.reloads("the articles are there", `document.querySelectorAll('main a[href^="/admin/articles/"]').length >= 2`)
	o.seen("5-articles")
}

func (o *officer) makeList() {
	o.t.Helper()
	o.goes("/admin/lists")
	o.press(`main a[href="/admin/lists/new"]`)
	o.writes("#slug", jobList)
	o.do(chromedp.SetValue(chromedp.CSS(`[name="name.language"]`), "en"))
	o.writes(`[name="name.words"]`, "News for our partners")
	o.writes("#sender_name", "Example Institute")
	o.writes("#sender_address", "news@example.org")
	o.writes("#postal_address", "1 Example Street, 00000 Exampletown")
	o.press("main form.form > p:last-child button")
	o.seen("6-list")
	o.says("h1", "News for our partners")
}

func (o *officer) importPartners() {
	o.t.Helper()
	file := filepath.Join(o.t.TempDir(), "partners.csv")
	if err := os.WriteFile(file, []byte(partnersFile), 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.goes("/admin/import")
	o.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	o.press("main form button")
	o.seen("7-import-columns")
	o.do(chromedp.SetValue(chromedp.CSS("#list"), jobList))
	o.writes("#consent", "agreed at the annual meeting, 3 March 2026")
	o.press("main form p.actions button")
	o.awaits("the rows are checked", `!!document.querySelector('form[action$="/import"] button')`)
	o.seen("8-import-checked")
	o.press(`form[action$="/import"] button`)
	o.awaits("the partners are there", `!!document.querySelector('main a.button[href^="/admin/contacts?list="]')`)
	o.seen("9-imported")
	if n := o.subscribed(o.t); n != 2 {
		o.t.Fatalf("%d partners get mail, want 2", n)
	}
}

// makeEdition looks at what is planned, makes an edition by hand, and returns how its page is called.
func (o *officer) makeEdition() (page string) {
	o.t.Helper()
	o.goes("/admin/")
	o.seen("10-planned")
	if n := eval[int](o.tab, `document.querySelectorAll('section[aria-labelledby=next] tbody tr').length`); n == 0 {
		o.t.Error("nothing goes out next")
	}
	o.goes("/admin/editions")
	o.press(`main a[href="/admin/editions/new"]`)
	o.do(chromedp.SetValue(chromedp.CSS("#list"), jobList))
	o.writes("#subject", "What the institute did")
	o.press(`button[value="find"]`)
	o.ticks(`input[name="article"]`)
	o.ticks(`input[name="when"][value="once"]`)
	o.press(`button[value="make"]`)
	o.seen("11-edition")
	return eval[string](o.tab, `location.pathname`)
}

// letOut approves an edition and watches it go.
func (o *officer) letOut(page string) {
	o.t.Helper()
	o.press(chromedp.CSS(`a.button[href="` + page + `/approve"]`))
	o.seen("12-approve")
	o.press("main form p.actions button")
	o.awaits("the edition is sent, which its page shows by itself", `!!document.querySelector('h1 .badge.done')`)
	o.seen("13-sent")
}

// findsEnded finds on the page of who ended their subscription that it is on record.
func (o *officer) findsEnded(state string) {
	o.t.Helper()
	o.goes("/admin/contacts")
	o.writes(`main [type="search"]`, jobReader)
	o.press("main form.filters button")
	o.press(`main a[href^="/admin/contacts/"]:not([href*="suppressions"]):not([href$="/new"])`)
	o.seen("14-contact")
	if consents := o.text(`section[aria-labelledby="consents"]`); !strings.Contains(consents, state) {
		o.t.Errorf("the consents on record do not say %q: %s", state, consents)
	}
}
