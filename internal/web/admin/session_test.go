package admin_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/pquerna/otp/totp"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/app/apptest"
	"silkpost/internal/config"
	"silkpost/internal/testkit"
	"silkpost/internal/web/admin"
)

// gate is the program with its pages over https, and people who sign in for themselves.
type gate struct {
	*app.App
	t     *testing.T
	clock *testkit.Clock
	url   string
	tls   *tls.Config
}

const password = "five quiet words here"

func openGate(t *testing.T, change ...func(*config.Config, *admin.Config)) *gate {
	t.Helper()
	g := &gate{t: t, clock: testkit.NewClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
	cfg, pages := apptest.Settings(t, nil), admin.Config{}
	for _, c := range change {
		c(&cfg, &pages)
	}
	g.App = apptest.Open(t, cfg, app.Options{Clock: g.clock})
	pages.App = g.App
	handler, err := admin.New(pages)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(handler)
	if pages.Plain {
		server.Close()
		server = httptest.NewServer(handler)
	} else {
		g.tls = server.Client().Transport.(*http.Transport).TLSClientConfig
	}
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// account makes one with the password of these tests.
func (g *gate) account(email string, roles ...accounts.Role) int64 {
	g.t.Helper()
	id, err := g.Accounts.Create(g.t.Context(), accounts.Account{Email: email, Roles: roles})
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.Accounts.UseLink(g.t.Context(), g.link(id), password, accounts.Visit{}); err != nil {
		g.t.Fatal(err)
	}
	if err := g.Accounts.EndOthers(g.t.Context(), id, 0); err != nil {
		g.t.Fatal(err)
	}
	return id
}

func (g *gate) link(id int64) string {
	g.t.Helper()
	link, err := g.Accounts.MakeLink(g.t.Context(), id, accounts.ToSetPassword, time.Hour)
	if err != nil {
		g.t.Fatal(err)
	}
	return link
}

// browser keeps cookies and follows nothing.
type browser struct {
	*gate
	client http.Client
	header http.Header
}

func (g *gate) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: g.tls}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &browser{gate: g, header: http.Header{}, client: http.Client{
		Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is an answer with the cookies that came with it.
type page struct {
	answer

	cookies []*http.Cookie
}

func (b *browser) get(path string) page { return b.ask(http.MethodGet, path, nil) }

func (b *browser) send(path string, fields ...string) page {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.ask(http.MethodPost, path, form)
}

func (b *browser) ask(method, path string, form url.Values) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Referer", b.url+"/admin/account")
	}
	for name, values := range b.header {
		req.Header[name] = values
	}
	if host := b.header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{answer{doc, resp.StatusCode, resp.Header.Get("Location"), resp.Header}, resp.Cookies()}
}

// cookie returns what a browser has by a name.
func (b *browser) cookie(name string) string {
	at, _ := url.Parse(b.url)
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// signIn signs in, which must work.
func (b *browser) signIn(email string) {
	b.t.Helper()
	if got := b.send("/admin/sign-in", "email", email, "password", password); got.status != http.StatusSeeOther || got.location != "/admin/" {
		b.t.Fatalf("%d to %q: %s", got.status, got.location, got.text("main"))
	}
}

const sessionCookie = "__Host-silkpost"

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	if got := b.get("/admin/accounts"); got.status != http.StatusSeeOther || got.location != "/admin/sign-in?to=%2Fadmin%2Faccounts" {
		t.Errorf("%d %s", got.status, got.location)
	}
	got := b.get("/admin/sign-in?to=%2Fadmin%2Faccounts")
	if got.status != http.StatusOK || len(got.cookies) != 0 || got.Find("nav").Length() != 0 {
		t.Errorf("%d, %d cookies for a stranger", got.status, len(got.cookies))
	}
	to, _ := got.Find("input[name=to]").Attr("value")
	got = b.send("/admin/sign-in", "email", "owner@example.org", "password", password, "to", to)
	if got.status != http.StatusSeeOther || got.location != "/admin/accounts" {
		t.Fatalf("%d %s", got.status, got.location)
	}
	for _, c := range got.cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s", c)
		}
	}
	if got := b.get("/admin/accounts"); got.status != http.StatusOK || got.text("h1") != "Accounts" {
		t.Errorf("%d %s", got.status, got.text("h1"))
	}
	old := b.cookie(sessionCookie)
	if got := b.get("/admin/sign-out"); got.status != http.StatusMethodNotAllowed || b.get("/admin/").status != http.StatusOK {
		t.Errorf("GET signs out: %d", got.status)
	}
	if got := b.send("/admin/sign-out"); got.location != "/admin/sign-in?done=signed_out" || b.cookie(sessionCookie) != "" {
		t.Errorf("%s %s", got.location, b.cookie(sessionCookie))
	}
	b.header.Set("Cookie", sessionCookie+"="+old)
	if got := b.get("/admin/"); got.status != http.StatusSeeOther {
		t.Error("the session goes on without its cookie")
	}
}

// Somebody who plants a cookie before the sign-in does not have the session after it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	g.account("reader@example.org", accounts.Reader)
	evil := g.browser()
	evil.signIn("reader@example.org")
	planted := evil.cookie(sessionCookie)
	victim := g.browser()
	at, _ := url.Parse(g.url)
	for _, value := range []string{planted, "made up"} {
		victim.client.Jar.SetCookies(at, []*http.Cookie{{Name: sessionCookie, Value: value, Path: "/", Secure: true}})
		victim.signIn("owner@example.org")
		if victim.cookie(sessionCookie) == value {
			t.Fatal("the cookie that was planted is the session's")
		}
	}
	if got := evil.get("/admin/"); got.status != http.StatusSeeOther {
		t.Errorf("who planted it is in: %s", got.text(".me"))
	}
}

func TestUnknownAndKnownLookAlike(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("there@example.org", accounts.Owner)
	said := map[string]page{}
	for _, email := range []string{"there@example.org", "gone@example.org"} {
		b := g.browser()
		for range 5 {
			said[email] = b.send("/admin/sign-in", "email", email, "password", "a wrong password")
			if len(said[email].cookies) > 0 {
				t.Error("a cookie")
			}
		}
	}
	one, other := said["there@example.org"], said["gone@example.org"]
	if one.status != http.StatusUnprocessableEntity || one.status != other.status || one.text("main") != other.text("main") || len(one.header) != len(other.header) {
		t.Errorf("%d %q\n%d %q", one.status, one.text("main"), other.status, other.text("main"))
	}
	b := g.browser()
	one = b.send("/admin/sign-in", "email", "there@example.org", "password", password)
	other = b.send("/admin/sign-in", "email", "gone@example.org", "password", password)
	if one.status != http.StatusTooManyRequests || one.header.Get("Retry-After") == "" || other.status != one.status || one.text("main") != other.text("main") {
		t.Errorf("%d %q\n%d %q", one.status, one.text("main"), other.status, other.text("main"))
	}
}

func TestWhereToGoOnIsAPageOfOurs(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.header.Set("Host", "evil.example")
	for _, to := range []string{
		"//evil.example", "//evil.example/admin/", "https://evil.example/admin/", "https:/admin/", "https:evil.example", `/\evil.example`, `\\evil.example/admin/`, `/admin/\..\\evil`,
		"/%2f/evil.example", "/admin/..//evil.example", "/admin/../../evil.example", "/admin/%2e%2e//evil.example", "javascript:alert(1)", "/admin/\r\nX: y", " //evil.example",
		"/\t/evil.example", "admin/", "", "/adminevil", "data:text/html,x", "/admin/%0d%0aX:y", "http://user@evil.example/admin/", "/admin/%5c%5cevil.example",
	} {
		got := b.send("/admin/sign-in", "email", "owner@example.org", "password", password, "to", to)
		if got.status != http.StatusSeeOther || got.location != "/admin/" {
			t.Errorf("%q leads to %d %q", to, got.status, got.location)
		}
		if shown, _ := g.browser().get("/admin/sign-in?" + url.Values{"to": {to}}.Encode()).Find("input[name=to]").Attr("value"); shown != "/admin/" {
			t.Errorf("%q is shown as %q", to, shown)
		}
		if got := b.get("/admin/sign-in?" + url.Values{"to": {to}}.Encode()); got.location != "/admin/" {
			t.Errorf("%q leads who is signed in to %q", to, got.location)
		}
	}
	for to, want := range map[string]string{"/admin/contacts?q=a%26b": "/admin/contacts?q=a%26b", "/admin/lists/partners": "/admin/lists/partners", "/admin/": "/admin/"} {
		if got := b.send("/admin/sign-in", "email", "owner@example.org", "password", password, "to", to); got.location != want {
			t.Errorf("%s leads to %s", to, got.location)
		}
	}
}

func TestFormsFromElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": nil, "Origin": {"null"}},
	} {
		b.header = header
		for _, path := range []string{"/admin/account", "/admin/sign-out", "/admin/sign-in", "/admin/keys"} {
			if got := b.send(path, "name", "changed", "email", "owner@example.org", "password", password); got.status != http.StatusForbidden {
				t.Errorf("%v %s: %d", header, path, got.status)
			}
		}
	}
	b.header = http.Header{}
	if got := b.send("/admin/account", "name", "Somebody", "language", "en", "zone", ""); got.status != http.StatusSeeOther {
		t.Errorf("our own: %d", got.status)
	}
	if a, err := g.Accounts.ByEmail(t.Context(), "owner@example.org"); err != nil || a.Name != "Somebody" {
		t.Errorf("%q %v", a.Name, err)
	}
}

// hidden returns what the fields of a page's form hold, as names and values in turn.
func (p page) hidden(form string) (fields []string) {
	p.Find(form + " input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		fields = append(fields, in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return fields
}

// What was typed into a form whose proof ran out meanwhile is asked for again with the password, and does then what it was to do, once.
func TestNothingTypedIsLostToTheProof(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	g.clock.Advance(15*time.Minute + time.Second)
	name := "the <b>site's\nsecond line"
	asked := b.send("/admin/keys?x=1", "name", name, "role", "reader", "role", "editor", "days", "30")
	if asked.status != http.StatusForbidden || asked.Find("main form").AttrOr("action", "") != "/admin/keys?x=1" || asked.Find("main b").Length() > 0 {
		t.Fatalf("%d %s", asked.status, asked.text("main"))
	}
	want := []string{"days", "30", "name", name, "role", "reader", "role", "editor"}
	kept := asked.hidden("main form")
	if !slices.Equal(kept, want) {
		t.Fatalf("%q", kept)
	}
	wrong := b.send("/admin/keys?x=1", append(kept, "proof", "no")...)
	if wrong.status != http.StatusUnprocessableEntity || !slices.Equal(wrong.hidden("main form"), want) {
		t.Errorf("%d %q", wrong.status, wrong.hidden("main form"))
	}
	old := b.cookie(sessionCookie)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if got := b.send("/admin/keys?x=1", append(kept, "proof", password)...); got.status != http.StatusForbidden || b.cookie(sessionCookie) != old {
		t.Errorf("from elsewhere: %d", got.status)
	}
	b.header.Del("Sec-Fetch-Site")
	if keys, err := g.Accounts.APIKeys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("done without the password: %+v %v", keys, err)
	}
	kept[3] = "the site's"
	done := b.send("/admin/keys?x=1", append(kept, "proof", password)...)
	if done.status != http.StatusOK || b.cookie(sessionCookie) == old || done.text(".secret") == "" {
		t.Errorf("%d %s", done.status, done.text("main"))
	}
	if keys, err := g.Accounts.APIKeys(t.Context()); err != nil || len(keys) != 1 || keys[0].Name != "the site's" {
		t.Errorf("%+v %v", keys, err)
	}
	if got := b.get("/admin/keys/new"); got.status != http.StatusOK {
		t.Errorf("asked again: %d", got.status)
	}
}

// Whoever came by a link that signs in, as the demo's owner does, has no password to give.
func TestWhoHasNoPasswordIsOfferedToChooseOne(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	id, err := g.Accounts.Create(t.Context(), accounts.Account{Email: "owner@example.org", Roles: []accounts.Role{accounts.Owner}})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := g.Accounts.MakeLink(t.Context(), id, accounts.ToSignIn, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b := g.browser()
	b.send(app.LinkPath + secret)
	g.clock.Advance(15*time.Minute + time.Second)
	for what, asked := range map[string]page{"a page": b.get("/admin/prove?to=/admin/keys"), "a form": b.send("/admin/keys", "name", "x", "role", "reader", "days", "30")} {
		if asked.Find("input[type=password]").Length() > 0 || asked.Find(`main a[href^="/admin/account#"]`).Length() != 1 {
			t.Errorf("%s: %d %s", what, asked.status, asked.text("main"))
		}
	}
	b.send("/admin/account/password", "password", password, "again", password)
	if got := b.get("/admin/keys/new"); got.status != http.StatusOK {
		t.Errorf("with a password that was just chosen: %d", got.status)
	}
	g.clock.Advance(15*time.Minute + time.Second)
	if got := b.get("/admin/prove?to=/admin/keys"); got.Find("input[type=password]").Length() != 1 {
		t.Errorf("later: %s", got.text("main"))
	}
}

func TestTheDangerousAsksForThePassword(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	if got := b.get("/admin/keys/new"); got.status != http.StatusOK {
		t.Fatalf("%d", got.status)
	}
	g.clock.Advance(15*time.Minute + time.Second)
	if got := b.get("/admin/keys/new"); got.location != "/admin/prove?to=%2Fadmin%2Fkeys%2Fnew" {
		t.Errorf("%d %s", got.status, got.location)
	}
	if got := b.send("/admin/account/factor/finish", "code", "123456"); got.location != "/admin/prove?to=%2Fadmin%2Faccount" {
		t.Errorf("a secret: %d %s", got.status, got.location)
	}
	if got := b.send("/admin/prove", "password", "wrong", "to", "/admin/keys/new"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	old := b.cookie(sessionCookie)
	if got := b.send("/admin/prove", "password", password, "to", "/admin/keys/new"); got.location != "/admin/keys/new" || b.cookie(sessionCookie) == old {
		t.Errorf("%d %s", got.status, got.location)
	}
	made := b.send("/admin/keys", "name", "x", "role", "reader", "days", "30")
	secret := made.text(".secret")
	if made.status != http.StatusOK || !strings.HasPrefix(secret, "sp_") {
		t.Fatalf("%d %q", made.status, secret)
	}
	if who, err := g.Accounts.KeyActor(t.Context(), secret); err != nil || !who.May(accounts.Read) || who.May(accounts.Edit) {
		t.Errorf("%+v %v", who, err)
	}
	if got := b.get("/admin/keys"); strings.Contains(got.text("main"), secret) || !strings.Contains(got.text("main"), secret[len(secret)-4:]) {
		t.Error("the key is shown again, or not at all")
	}
	if got := b.send("/admin/keys/1/revoke"); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if _, err := g.Accounts.KeyActor(t.Context(), secret); err == nil {
		t.Error("it works after it was revoked")
	}
}

func TestALinkIsUsedOnceAndNotByLooking(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	id, err := g.Accounts.Create(t.Context(), accounts.Account{Email: "new@example.org", Roles: []accounts.Role{accounts.Reader}})
	if err != nil {
		t.Fatal(err)
	}
	path := app.LinkPath + g.link(id)
	b := g.browser()
	for range 2 {
		if got := b.get(path); got.status != http.StatusOK || got.text("bdi") != "new@example.org" {
			t.Fatalf("%d %s", got.status, got.text("main"))
		}
	}
	for _, fields := range [][]string{{"password", "short", "again", "short"}, {"password", password, "again", "another"}, {}} {
		if got := b.send(path, fields...); got.status != http.StatusUnprocessableEntity || got.Find(".mistakes").Length() == 0 {
			t.Errorf("%v: %d", fields, got.status)
		}
	}
	if got := b.send(path, "password", password, "again", password); got.location != "/admin/" || b.get("/admin/").status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	stranger := g.browser()
	for _, got := range []page{stranger.get(path), stranger.send(path, "password", "other quiet words", "again", "other quiet words"), stranger.get(app.LinkPath + "made-up")} {
		if got.status != http.StatusGone || len(got.cookies) > 0 {
			t.Errorf("%d %s", got.status, got.text("h1"))
		}
	}
	late := app.LinkPath + g.link(id)
	g.clock.Advance(time.Hour)
	if got := stranger.get(late); got.status != http.StatusGone {
		t.Errorf("too late: %d", got.status)
	}
}

func TestTheSecondStep(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	b, elsewhere := g.browser(), g.browser()
	b.signIn("owner@example.org")
	elsewhere.signIn("owner@example.org")
	if got := b.send("/admin/account/factor"); got.location != "/admin/account/factor" {
		t.Fatalf("%d %s", got.status, got.location)
	}
	shown := b.get("/admin/account/factor")
	secret := strings.ReplaceAll(shown.text(".secret"), " ", "")
	if modules, _ := shown.Find("svg path").Attr("d"); len(modules) < 1000 || len(secret) != 32 {
		t.Fatalf("%s %s", modules, secret)
	}
	if got := b.send("/admin/account/factor/finish", "code", "000000"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	code := func() string {
		code, err := totp.GenerateCode(secret, g.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	done := b.send("/admin/account/factor/finish", "code", code())
	recovery := strings.Fields(done.text(".codes"))
	if done.status != http.StatusOK || len(recovery) != 10 || b.get("/admin/").status != http.StatusOK || elsewhere.get("/admin/").status != http.StatusSeeOther {
		t.Fatalf("%d %v", done.status, recovery)
	}
	g.clock.Advance(time.Minute)
	for _, answer := range []string{code(), recovery[0]} {
		b := g.browser()
		got := b.send("/admin/sign-in", "email", "owner@example.org", "password", password, "to", "/admin/log")
		if got.location != "/admin/sign-in/code?to=%2Fadmin%2Flog" || b.get("/admin/").status != http.StatusSeeOther {
			t.Fatalf("%s: the password alone lets in", got.location)
		}
		waiting := b.cookie(sessionCookie)
		if got := b.send("/admin/sign-in/code", "code", "123", "to", "/admin/log"); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%d", got.status)
		}
		if got := b.send("/admin/sign-in/code", "code", answer, "to", "/admin/log"); got.location != "/admin/log" || b.cookie(sessionCookie) == waiting || b.get("/admin/").status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.text("main"))
		}
		again := g.browser()
		again.send("/admin/sign-in", "email", "owner@example.org", "password", password)
		if got := again.send("/admin/sign-in/code", "code", answer); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s works twice: %d", answer, got.status)
		}
	}
}

func TestSessionsAreSeenAndEnded(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.account("owner@example.org", accounts.Owner)
	g.account("reader@example.org", accounts.Reader)
	b, elsewhere, other := g.browser(), g.browser(), g.browser()
	elsewhere.header.Set("User-Agent", "<script>alert(1)</script>")
	b.signIn("owner@example.org")
	elsewhere.signIn("owner@example.org")
	other.signIn("reader@example.org")
	me := b.get("/admin/account")
	if me.Find("tbody tr").Length() != 2 || !strings.Contains(me.text("tbody"), "<script>alert(1)") || me.Find("main script").Length() != 0 {
		t.Errorf("%s", me.text("tbody"))
	}
	end, _ := me.Find("tbody form").Attr("action")
	if got := other.send(end); got.status != http.StatusSeeOther || elsewhere.get("/admin/").status != http.StatusOK {
		t.Error("somebody else ended it")
	}
	if got := b.send(end); got.status != http.StatusSeeOther || elsewhere.get("/admin/").status != http.StatusSeeOther {
		t.Errorf("%d; it goes on", got.status)
	}
	elsewhere.signIn("owner@example.org")
	old := b.cookie(sessionCookie)
	if got := b.send("/admin/account/password", "old", "wrong", "password", "other quiet words", "again", "other quiet words"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	if got := b.send("/admin/account/password", "old", password, "password", "other quiet words", "again", "other quiet words"); got.location != "/admin/account?done=password" {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if b.get("/admin/").status != http.StatusOK || b.cookie(sessionCookie) == old || elsewhere.get("/admin/").status != http.StatusSeeOther || other.get("/admin/").status != http.StatusOK {
		t.Error("after a change of the password the wrong sessions ended")
	}
}

func TestTheLastOwnerCannotGo(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	id := g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	if got := b.send("/admin/accounts/1", "role", "editor"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), "last owner") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if got := b.send("/admin/accounts/1/disable"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	if a, err := g.Accounts.Get(t.Context(), id); err != nil || a.State != accounts.Active || a.Roles[0] != accounts.Owner {
		t.Errorf("%+v %v", a, err)
	}
	if got := b.send("/admin/accounts/1", "role", "owner", "role", "approver"); got.status != http.StatusSeeOther {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
}

// Over plain http nobody signs in but in the demo, whose cookies have other names; behind a proxy it is the proxy's word that counts, if it is trusted.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	plain := func(c *config.Config, p *admin.Config) { p.Plain = true }
	g := openGate(t, plain)
	g.account("owner@example.org", accounts.Owner)
	b := g.browser()
	b.signIn("owner@example.org")
	if b.cookie("plain-silkpost") == "" || b.get("/admin/").Find(".plain-http").Length() == 0 {
		t.Error("the demo lets nobody in, or does not warn")
	}
	for _, tt := range []struct {
		public, peer, said string
		status             int
	}{
		{"http://news.example.org", "203.0.113.5:1", "", http.StatusUnprocessableEntity},
		{"http://news.example.org", "203.0.113.5:1", "https", http.StatusUnprocessableEntity}, // anybody can say so
		{"http://news.example.org", "10.0.0.1:1", "https", http.StatusSeeOther},
		{"http://news.example.org", "10.0.0.1:1", "http", http.StatusUnprocessableEntity},
		{"https://news.example.org", "203.0.113.5:1", "", http.StatusSeeOther},
	} {
		g.Config.PublicURL, g.Config.TrustedProxies = tt.public, []string{"10.0.0.0/8"}
		handler, err := admin.New(admin.Config{App: g.App})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/admin/sign-in", strings.NewReader(url.Values{"email": {"owner@example.org"}, "password": {password}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = tt.peer
		if tt.said != "" {
			r.Header.Set("X-Forwarded-Proto", tt.said)
		}
		answered := httptest.NewRecorder()
		handler.ServeHTTP(answered, r)
		if answered.Code != tt.status {
			t.Errorf("%+v: %d", tt, answered.Code)
		}
		for _, c := range answered.Result().Cookies() {
			if !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
				t.Errorf("%+v: %s", tt, c)
			}
		}
	}
}
