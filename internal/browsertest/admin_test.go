//go:build browser

package browsertest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/mailer/edition"
)

// adminViews are how every page of the administrators is looked at.
var adminViews = []view{{1280, 900, "light"}, {1280, 900, "dark"}, {390, 844, "light"}, {390, 844, "dark"}}

// more is what the sample lacks, so that there is a record of each kind.
const more = `
[[theme]]
slug = "festival"

[[limit]]
name = "slow"
destination = "slow.example"
per_minute = 30
`

// TestAdministratorsPages follows the links of the administrators' pages until there is one page of each kind, and looks at each of them in
// each view, and in Chinese.
func TestAdministratorsPages(t *testing.T) {
	p := start(t)
	if _, err := p.Apply(t.Context(), strings.NewReader(more), "more.toml", false); err != nil {
		t.Fatal(err)
	}
	subject, words := "A word between two digests", "The river was measured. The results are there for everybody."
	if _, err := p.MakeEdition(t.Context(), "test", app.MakeOptions{List: "partners", Texts: edition.Texts{Subject: &subject, Introduction: &words}}); err != nil {
		t.Fatal(err)
	}
	browser := launch(t)
	link, err := p.DemoLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tb := open(t, browser, adminViews[0], "en")
	tb.visit(p.url + "/admin/sign-in")
	tb.accessible("the page to sign in")
	tb.visit(link)
	tb.picture("admin-sign-in")
	tb.accessible("the link to sign in")
	tb.press("main form button")
	tb.says("h1", "Home")
	pages := tb.crawl(p.url, "/admin/")
	for _, area := range areas {
		if _, found := pages[area]; !found {
			t.Errorf("no link leads to %s", area)
		}
	}
	for kind, path := range pages {
		t.Run(strings.TrimPrefix(kind, "/"), func(t *testing.T) {
			tb := open(t, browser, adminViews[0], "en")
			tb.visit(p.url + path)
			for i, v := range adminViews {
				if testing.Short() && i%3 > 0 {
					continue // leaves a desk in light and a phone in dark
				}
				tb.resize(v)
				tb.look(kind)
			}
			tb.resize(adminViews[0])
			tb.tabbable(kind, 12)
		})
	}
	t.Run("in Chinese", func(t *testing.T) {
		tb := open(t, browser, adminViews[2], "zh-CN")
		tb.visit(p.linkTo(t, accounts.Account{Email: "bianji@example.org", Language: "zh-Hans", Roles: []accounts.Role{accounts.Owner, accounts.Approver}}))
		tb.press("main form button")
		tb.runs("html", "zh-Hans", "ltr")
		for kind, path := range pages {
			tb.visit(p.url + path)
			tb.look(kind + " in Chinese")
		}
	})
}

// areas are kinds of pages that must be there, a record of each kind among them.
var areas = []string{
	"/admin/", "/admin/guide", "/admin/sources", "/admin/sources/*", "/admin/articles", "/admin/articles/*", "/admin/feeds", "/admin/feeds/*",
	"/admin/organisations", "/admin/organisations/*", "/admin/contacts", "/admin/contacts/*", "/admin/lists", "/admin/lists/*", "/admin/audiences",
	"/admin/import", "/admin/editions", "/admin/editions/*", "/admin/editions/*/approve", "/admin/editions/*/preview", "/admin/themes",
	"/admin/themes/*", "/admin/destinations", "/admin/settings", "/admin/settings/domains", "/admin/settings/limits", "/admin/accounts",
	"/admin/accounts/*", "/admin/account", "/admin/keys", "/admin/log",
}

// linkTo makes an account and returns a link that signs in as it, once.
func (p *program) linkTo(t *testing.T, account accounts.Account) string {
	t.Helper()
	id, err := p.Accounts.Create(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := p.Accounts.MakeLink(t.Context(), id, accounts.ToSignIn, accounts.LinkFor)
	if err != nil {
		t.Fatal(err)
	}
	return p.LinkURL(secret)
}

// look looks at the page that is shown, as it is shown.
func (tb *tab) look(kind string) {
	tb.t.Helper()
	what := fmt.Sprintf("%s at %s", kind, tb.view)
	tb.fits(what)
	tb.picture("admin" + strings.NewReplacer("/admin/", "-", "/", "-", "*", "one", " ", "-").Replace(kind))
	tb.accessible(what)
}

// links are the addresses of pages that a page leads to, of files not.
const links = `[...document.querySelectorAll('a[href^="/admin/"]')].map(a => a.pathname).filter(path => !/[.](csv|json)$|[/]body$|[/]preview[/]/.test(path))`

// crawl follows links from a page and returns, by kind, an address of each kind of page that they lead to.
func (tb *tab) crawl(site, from string) (pages map[string]string) {
	tb.t.Helper()
	pages = map[string]string{kindOf(from): from}
	for waiting := []string{from}; len(waiting) > 0; {
		path := waiting[0]
		waiting = waiting[1:]
		tb.leads(chromedp.Navigate(site+path), 200)
		for _, next := range eval[[]string](tb, links) {
			if _, seen := pages[kindOf(next)]; !seen {
				pages[kindOf(next)] = next
				waiting = append(waiting, next)
			}
		}
	}
	return pages
}

// record is the part of an address that names a record.
var record = regexp.MustCompile(`^(/admin/(?:sources|articles|waiting|feeds|organisations|contacts|lists|import|editions|themes|destinations|accounts|settings/limits)/)([^/]+)`)

// words are where an address has no record although others like it have.
var words = regexp.MustCompile(`^(new|suppressions|pauses|stream)$`)

// kindOf returns an address without what it names.
func kindOf(path string) string {
	found := record.FindStringSubmatch(path)
	if found == nil || words.MatchString(found[2]) {
		return path
	}
	return regexp.MustCompile(`/words/.*`).ReplaceAllString(found[1]+"*"+path[len(found[0]):], "/words/*")
}
