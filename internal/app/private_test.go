package app_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"silkpost/feeds"
	"silkpost/feeds/validate"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
)

// newsroom is a house whose web runs, and whose clock moves when it is told to.
type newsroom struct {
	*house
	clock *testkit.Clock
	log   *buffer // of all levels
}

func openNewsroom(t *testing.T) *newsroom {
	t.Helper()
	n := &newsroom{clock: testkit.NewClock(time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)), log: &buffer{}}
	n.house = openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}), app.Options{Clock: n.clock})
	n.Log = slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n.run(t, app.Parts{Web: n.web})
	return n
}

// browser is what a tab says when it is led to an address.
var browser = []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}

// get asks for an address a second later: what changed before then is to be seen.
func (n *newsroom) get(t *testing.T, url string, header ...string) answer {
	t.Helper()
	n.clock.Advance(time.Second)
	return get(t, url, header...)
}

// organisations are partners whose contacts read the news differently.
const organisations = `email,organisation,languages,topics
roma@centro.example,Centro Il Faro,it;en,
bangongshi@palace.example,湖畔科学宫,zh-Hans;en,robotics
maktab@marsad.example,مرصد الصحراء,ar,
kyiv@instytut.example,Степовий інститут,uk;en,exchange;astronomy
karachi@indus.example,Indus Foundation,ur,News
berlin@elbe.example,Elbmuseum,de,robotics
presse@elbe.example,Elbmuseum,it,exchange
`

func (h *house) partners(t *testing.T, rows string) {
	t.Helper()
	done, err := h.ImportContacts(t.Context(), strings.NewReader(rows), subscribers.ImportOptions{List: "partners", Consent: "They asked for it"})
	if err != nil || done.Refused > 0 {
		t.Fatalf("import of contacts: %+v, %v", done, err)
	}
}

func (h *house) privateFeed(t *testing.T, organisation string) (app.PrivateFeed, app.FeedURLs) {
	t.Helper()
	f, urls, err := h.MakePrivateFeed(t.Context(), organisation, "partners")
	if err != nil {
		t.Fatal(err)
	}
	return f, urls
}

func addresses(u app.FeedURLs) []string { return []string{u.RSS, u.Atom, u.JSON} }

// guidsOf returns the ids of a feed's items, in order.
func guidsOf(t *testing.T, got answer) (guids []string) {
	t.Helper()
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(got.body))
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%d, %v: %s", got.StatusCode, err, got.body)
	}
	for _, item := range feed.Items {
		guids = append(guids, item.GUID)
	}
	slices.Sort(guids)
	return guids
}

// A private feed holds what the digests of its organisation's contacts would: the same selection, topics and language versions.
func TestPrivateFeedHoldsWhatDigestsBring(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, list+`select = { tags = ["robotics", "exchange", "astronomy"] }`)
	elsewhere := piece{"budget", "budget", "The budget", "it", "News", "budget", "Not for partners."}
	n.articles(t, relayEn, relayIt, relayZh, seatsAr, seatsEn, skyRu, elsewhere)
	n.partners(t, organisations)

	planned, err := n.PlanDigest(t.Context(), app.PlanOptions{List: "partners"}, nil)
	if err != nil || len(planned) != 1 {
		t.Fatalf("planned %+v, %v", planned, err)
	}
	brought, err := n.GUIDs(t.Context(), planned[0].Entries)
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string][]string{} // by address
	for i, entry := range planned[0].Entries {
		slices.Sort(brought[i])
		digests[entry.Email] = brought[i]
	}
	guid := func(p piece) string {
		return value[string](t, n.house, `SELECT guid FROM articles.articles WHERE title = $1`, p.title)
	}
	for organisation, want := range map[string][]string{
		"Centro Il Faro":    digests["roma@centro.example"],
		"湖畔科学宫":             digests["bangongshi@palace.example"],
		"مرصد الصحراء":      digests["maktab@marsad.example"],
		"Степовий інститут": digests["kyiv@instytut.example"],
		"Indus Foundation":  digests["karachi@indus.example"],
		"Elbmuseum":         {guid(relayEn), guid(seatsEn)}, // the topics of both, in the first one's languages
	} {
		slices.Sort(want)
		_, urls := n.privateFeed(t, organisation)
		for _, url := range addresses(urls) {
			if diff := cmp.Diff(want, guidsOf(t, n.get(t, url))); diff != "" || len(want) == 0 {
				t.Errorf("%s: %s (-digest +feed):\n%s", organisation, url[len(url)-5:], diff)
			}
		}
	}
	if diff := cmp.Diff([]string{guid(relayIt), guid(seatsEn)}, digests["roma@centro.example"], sorted); diff != "" {
		t.Errorf("a digest to begin with (-want +got):\n%s", diff)
	}
}

var sorted = cmp.Transformer("sorted", func(all []string) []string { return slices.Sorted(slices.Values(all)) })

// What comes, goes and is chosen differently is in a private feed at its next request.
func TestPrivateFeedFollows(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, list)
	n.partners(t, organisations)
	_, urls := n.privateFeed(t, "Centro Il Faro")
	titles := func() (titles []string) {
		feed, err := gofeed.NewParser().Parse(bytes.NewReader(n.get(t, urls.Atom).body))
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range feed.Items {
			titles = append(titles, item.Title)
		}
		return titles
	}
	check := func(step string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, titles(), sorted); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	check("at first")
	n.articles(t, relayEn)
	check("in English alone", relayEn.title)
	n.articles(t, relayIt, seatsEn)
	check("the translation takes its place", relayIt.title, seatsEn.title)
	if _, _, err := n.WithdrawArticle(t.Context(), edition.CommandLine, "thirty-seats-for-exchange"); err != nil {
		t.Fatal(err)
	}
	check("one is withdrawn", relayIt.title)
	n.apply(t, list+`select = { tags = ["exchange"] }`)
	check("the list selects others")
}

// Nobody keeps or indexes what is private; who has the address gets it as cheaply as any feed.
func TestPrivateFeedOverHTTP(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, list)
	n.articles(t, relayEn, relayIt)
	n.partners(t, organisations)
	first, urls := n.privateFeed(t, "Centro Il Faro")
	second, others := n.privateFeed(t, "centro  IL FARO")
	if first.Organisation != "Centro Il Faro" || first.List != "partners" || second.ID == first.ID || second.Organisation != first.Organisation {
		t.Errorf("made %+v and %+v", first, second)
	}
	const words = "robot si passano" // of the one article
	for i, url := range addresses(urls) {
		format := feeds.Formats()[i]
		if !strings.HasPrefix(url, n.PublicURL()+"/feeds/p/") || !strings.HasSuffix(url, "."+string(format)) || len(url)-len(n.PublicURL()) < 30 {
			t.Errorf("the address in %s is %s", format, url)
		}
		got := n.get(t, url)
		checkPrivateHeaders(t, url, got)
		if kind, _, _ := strings.Cut(got.Header.Get("Content-Type"), ";"); kind != format.MediaType() || !bytes.Contains(got.body, []byte(url)) || !bytes.Contains(got.body, []byte(words)) {
			t.Errorf("%s is %s and names itself: %t", url, kind, bytes.Contains(got.body, []byte(url)))
		}
		found, err := validate.Check(string(format), got.body)
		if err != nil || slices.ContainsFunc(found, func(f validate.Finding) bool { return f.Severity == validate.Error }) {
			t.Errorf("%s: %v, %v", url, found, err)
		}
		again := n.get(t, url, "If-None-Match", got.Header.Get("ETag"))
		checkPrivateHeaders(t, url, again)
		if again.StatusCode != http.StatusNotModified || len(again.body) > 0 {
			t.Errorf("%s with its ETag: %d", url, again.StatusCode)
		}
		n.clock.Advance(time.Second)
		if head := ask(t, http.MethodHead, url, "", ""); head.StatusCode != http.StatusOK || head.ContentLength != int64(len(got.body)) {
			t.Errorf("HEAD %s: %d, %d bytes", url, head.StatusCode, head.ContentLength)
		}
		tab := n.get(t, url, browser...)
		if kind, _, _ := strings.Cut(tab.Header.Get("Content-Type"), ";"); tab.StatusCode != http.StatusOK || kind != "text/html" || !bytes.Contains(tab.body, []byte(words)) ||
			tab.Header.Get("Cache-Control") != "private, no-store" || tab.Header.Get("X-Robots-Tag") != "noindex" || tab.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s in a tab: %d %v", url, tab.StatusCode, tab.Header)
		}
		if post := ask(t, http.MethodPost, url, form, ""); post.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", url, post.StatusCode)
		}
	}
	now := n.clock.Now()
	for range 2 { // the second time changes nothing
		if f, err := n.RevokePrivateFeed(t.Context(), first.ID); err != nil || f.RevokedAt == nil || !f.RevokedAt.Equal(now) || f.Organisation != first.Organisation {
			t.Errorf("revoked: %+v, %v", f, err)
		}
		n.clock.Advance(time.Hour)
	}
	for _, url := range addresses(urls) {
		for _, header := range [][]string{nil, browser} {
			if got := n.get(t, url, header...); got.StatusCode != http.StatusGone || bytes.Contains(got.body, []byte(words)) {
				t.Errorf("%s, revoked: %d %s", url, got.StatusCode, got.body)
			}
		}
	}
	for _, url := range addresses(others) {
		if got := n.get(t, url); got.StatusCode != http.StatusOK {
			t.Errorf("%s, of another token: %d", url, got.StatusCode)
		}
	}
	all, err := n.PrivateFeeds(t.Context())
	if err != nil || len(all) != 2 || all[0].RevokedAt == nil || all[1].RevokedAt != nil {
		t.Errorf("listed %+v, %v", all, err)
	}
}

func checkPrivateHeaders(t *testing.T, url string, got answer) {
	t.Helper()
	control := got.Header.Get("Cache-Control")
	if !strings.HasPrefix(control, "private, max-age=") || strings.Contains(control, "public") {
		t.Errorf("%s, %d: Cache-Control %q", url, got.StatusCode, control)
	}
	for name, want := range map[string]string{"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "Set-Cookie": ""} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s, %d: %s %q, want %q", url, got.StatusCode, name, value, want)
		}
	}
	if etag := got.Header.Get("ETag"); !strings.HasPrefix(etag, `"`) {
		t.Errorf("%s: ETag %q", url, etag)
	}
}

// Addresses that name no private feed look alike, however near they come.
func TestUnknownPrivateFeeds(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.partners(t, organisations)
	_, urls := n.privateFeed(t, "Elbmuseum")
	base := strings.TrimSuffix(urls.RSS, ".rss")
	for _, url := range []string{
		n.PublicURL() + "/feeds/p/.rss", n.PublicURL() + "/feeds/p/1.rss", n.PublicURL() + "/feeds/p/private-1-1.rss", n.PublicURL() + "/feeds/private-1-1.rss",
		base[:len(base)-1] + ".rss", base + "A.rss", strings.ToLower(base[len(n.PublicURL()):]) + ".rss", base, base + ".xml", base + "/before-20260501T000000Z.rss",
		n.PublicURL() + "/feeds/p/%00.rss", n.PublicURL() + "/feeds/p/%FF.rss",
	} {
		if !strings.HasPrefix(url, "http") {
			url = n.PublicURL() + url
		}
		for _, header := range [][]string{nil, browser} {
			if got := n.get(t, url, header...); got.StatusCode != http.StatusNotFound || bytes.Contains(got.body, []byte("Elbmuseum")) {
				t.Errorf("%s: %d %s", url, got.StatusCode, got.body)
			}
		}
	}
	for name, err := range map[string]error{
		`no organisation "Elb"`:                made(n.MakePrivateFeed(t.Context(), "Elb", "partners")),
		`no list "guests"`:                     made(n.MakePrivateFeed(t.Context(), "Elbmuseum", "guests")),
		"there is no private feed 7: silkpost": revoke(t, n.house, 7),
	} {
		if errs.KindOf(err) != errs.NotFound || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
}

func made(_ app.PrivateFeed, _ app.FeedURLs, err error) error { return err }

func revoke(t *testing.T, h *house, id int64) error {
	t.Helper()
	_, err := h.RevokePrivateFeed(t.Context(), id)
	return err
}

// A token is told once, to who made the feed: it is on no page, in no other feed, in no table and in no line of the log.
func TestPrivateFeedIsToldNowhere(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, list)
	n.articles(t, relayEn, relayIt)
	n.partners(t, organisations)
	feed, urls := n.privateFeed(t, "Elbmuseum")
	token := strings.TrimSuffix(urls.RSS[strings.LastIndex(urls.RSS, "/")+1:], ".rss")

	asked := 0
	for _, url := range append(addresses(urls), urls.RSS+"?x=1", strings.TrimSuffix(urls.RSS, ".rss"), urls.RSS+"x", urls.RSS+"/x", n.PublicURL()+"/unsubscribe/"+token) {
		n.get(t, url)
		n.get(t, url, browser...)
		n.get(t, url, "Accept-Encoding", "gzip", "If-None-Match", "*")
		ask(t, http.MethodDelete, url, "", "")
		asked += 4
	}
	for _, path := range []string{
		"/", "/feeds/", "/feeds.opml", "/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json", "/feeds/section-events.atom", "/articles/robots-pass-the-water-on",
		"/feeds/nothing.rss", "/robots.txt", "/sitemap.xml", "/healthz", "/readyz",
	} {
		for _, header := range [][]string{nil, browser} {
			got := n.get(t, n.PublicURL()+path, header...)
			for _, secret := range []string{token, "/feeds/p/", "Elbmuseum"} {
				if bytes.Contains(got.body, []byte(secret)) {
					t.Errorf("%s tells of %s", path, secret)
				}
			}
		}
	}
	if got := n.get(t, n.PublicURL()+"/feeds.opml"); got.StatusCode != http.StatusOK || !bytes.Contains(got.body, []byte("/feeds/all.rss")) {
		t.Errorf("the OPML file: %d %s", got.StatusCode, got.body)
	}
	if _, err := n.RevokePrivateFeed(t.Context(), feed.ID); err != nil {
		t.Fatal(err)
	}
	if got := n.get(t, urls.JSON); bytes.Contains(got.body, []byte(token)) {
		t.Errorf("a refusal repeats the token: %s", got.body)
	}
	log := n.log.String()
	if strings.Contains(log, token) || strings.Count(log, "msg=request") < asked || !strings.Contains(log, "/feeds/p/{file}") {
		t.Errorf("logged %d requests, the token among them: %t", strings.Count(log, "msg=request"), strings.Contains(log, token))
	}
	for table := range n.rows(t) {
		if value[bool](t, n.house, "SELECT coalesce(bool_or(strpos(t::text, $1) > 0), false) FROM "+table+" t", token) {
			t.Errorf("the token stands in %s", table)
		}
	}
}
