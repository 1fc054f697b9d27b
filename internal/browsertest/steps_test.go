//go:build browser

package browsertest

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/testkit"
)

// beholder looks at each page that comes up in each view.
type beholder struct {
	*tab
	*program

	clock *testkit.Clock
}

// seen looks at the page that is shown.
func (b *beholder) seen(what string) {
	b.t.Helper()
	for i, v := range adminViews {
		if testing.Short() && i%3 > 0 {
			continue
		}
		b.resize(v)
		b.look(what)
	}
	b.resize(adminViews[0])
}

// goes opens an address that answers with a status, and looks at it.
func (b *beholder) goes(what, path string, status int64) {
	b.t.Helper()
	b.open(b.url+path, status)
	b.seen(what)
}

// fill writes values into fields by their names, whatever a browser would have them be.
func (b *beholder) fill(fields ...string) {
	b.t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		b.do(chromedp.SetValue(chromedp.CSS(`main [name="`+fields[i]+`"]`), fields[i+1]))
	}
}

// sends sends the form of a page without the browser looking at it first.
func (b *beholder) sends(status int64) {
	b.t.Helper()
	b.leads(chromedp.Evaluate[chromedp.Void](`document.querySelector('main form[method=post]').submit()`), status)
}

// TestSigningInStepByStep looks at each step that lets somebody in, with its mistakes: an invitation, the first sign-in, the second step as it is set up and asked
// for, recovery codes, the proof that comes before what is dangerous.
func TestSigningInStepByStep(t *testing.T) {
	b := behold(t)
	const password = "seven herons by the river"
	id, err := b.Accounts.Create(t.Context(), accounts.Account{Email: "new@example.org", Roles: []accounts.Role{accounts.Owner}})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := b.Accounts.MakeLink(t.Context(), id, accounts.ToSetPassword, accounts.LinkFor)
	if err != nil {
		t.Fatal(err)
	}
	b.goes("invitation", app.LinkPath+secret, 200)
	b.fill("password", "short", "again", "another")
	b.sends(422)
	b.seen("invitation with a mistake")
	b.fill("password", password, "again", password)
	b.sends(200)
	b.says("h1", "Home")
	b.seen("first sign-in")
	b.goes("a link that was used", app.LinkPath+secret, 410)

	b.visit(b.url + "/admin/account")
	b.leads(chromedp.Click(chromedp.CSS(`form[action="/admin/account/factor"] button`)), 200)
	b.seen("second step")
	key := strings.ReplaceAll(b.text(".secret"), " ", "")
	b.fill("code", "000000")
	b.sends(422)
	b.seen("second step with a mistake")
	b.fill("code", b.code(key))
	b.sends(200)
	b.seen("recovery codes")

	b.clock.Advance(16 * time.Minute)
	b.goes("proof", "/admin/keys/new", 200)
	b.fill("password", "wrong")
	b.sends(422)
	b.seen("proof with a mistake")

	b.leads(chromedp.Click(chromedp.CSS(`form[action="/admin/sign-out"] button`)), 200)
	b.seen("signed out")
	b.fill("email", "new@example.org", "password", "wrong")
	b.sends(422)
	b.seen("sign-in with a mistake")
	b.fill("email", "new@example.org", "password", password)
	b.sends(200)
	b.seen("code")
	b.fill("code", "123")
	b.sends(422)
	b.seen("code with a mistake")
	for _, status := range []int64{422, 422, 422, 422, 422, 429} {
		b.visit(b.url + "/admin/sign-in")
		b.fill("email", "nobody@example.org", "password", "wrong")
		b.sends(status)
	}
	b.seen("sign-in too often")
}

// code returns the code of the moment.
func (b *beholder) code(key string) string {
	b.t.Helper()
	code, err := totp.GenerateCode(key, b.clock.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

// spoil sends the largest form of a page with question marks in all its fields.
const spoil = `(() => {
	const form = [...document.querySelectorAll('main form[method=post]')].sort((a, b) => b.elements.length - a.elements.length)[0];
	for (const e of form.elements) {
		if (e.matches('textarea, input:not([type]), input[type=text], input[type=email], input[type=url], input[type=search], input[type=password]')) e.value = '?';
		if (e.matches('input[type=checkbox], input[type=radio]')) e.checked = false;
	}
	form.submit();
})()`

// TestFormsWithMistakes looks at forms that came back, and at the pages that say what went wrong.
func TestFormsWithMistakes(t *testing.T) {
	b := behold(t)
	b.visit(b.linkTo(t, accounts.Account{Email: "owner@example.org", Roles: accounts.Roles}))
	b.sends(200)
	for _, path := range []string{
		"/admin/accounts/new", "/admin/articles/forty-one-school-teams-take-their-robots-to-the-relay-final/edit", "/admin/contacts/1/edit", "/admin/contacts/new",
		"/admin/contacts/suppressions", "/admin/editions/new", "/admin/feeds/new", "/admin/hubs", "/admin/import", "/admin/keys/new", "/admin/lists/new", "/admin/lists/partners/edit",
		"/admin/organisations/1/edit", "/admin/organisations/new", "/admin/private-feeds", "/admin/settings", "/admin/settings/domains", "/admin/settings/limits/new", "/admin/sources/new", "/admin/themes/new",
		"/admin/waiting/new",
	} {
		b.visit(b.url + path)
		b.leads(chromedp.Evaluate[chromedp.Void](spoil), 422)
		b.seen(path + " with mistakes")
	}
	b.visit(b.url + "/admin/account")
	b.leads(chromedp.Evaluate[chromedp.Void](`document.querySelector('form[action="/admin/account/password"]').submit()`), 422)
	b.seen("a change of the password with mistakes")
	for _, path := range []string{"/admin/contacts?country=Italy", "/admin/audiences?filter=x+%3D+", "/admin/organisations?country=Italy"} {
		b.goes(strings.NewReplacer("?", " ", "=", " ", "+", " ", "%", " ").Replace(path), path, 422)
	}
	b.goes("not there", "/admin/nowhere", 404)
	b.leads(chromedp.Evaluate[chromedp.Void](`const form = document.createElement('form'); form.method = 'post'; form.action = '/admin/log'; document.body.append(form); form.submit()`), 405)
	b.seen("a wrong method")
	b.DB.MustExec(`ALTER TABLE accounts.log RENAME TO mislaid`)
	b.goes("what went wrong inside", "/admin/log", 500)
	b.DB.MustExec(`ALTER TABLE accounts.mislaid RENAME TO log`)
	b.visit(b.linkTo(t, accounts.Account{Email: "reader@example.org", Roles: []accounts.Role{accounts.Reader}}))
	b.sends(200)
	b.goes("not allowed", "/admin/contacts", 403)
}

// behold runs the program with its sample data and opens a tab on it.
func behold(t *testing.T) *beholder {
	t.Helper()
	p := start(t)
	b := &beholder{tab: open(t, launch(t), adminViews[0], "en"), program: p, clock: p.Clock.(*testkit.Clock)}
	b.errors = true
	return b
}
