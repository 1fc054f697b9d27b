package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/subscribers"
)

func (h *house) feed(slug string) feeds.Feed {
	h.t.Helper()
	f, err := h.Feeds.Find(h.t.Context(), h.DB, slug)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func TestAFeedIsMadeAfterALook(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.publish(relayFile, chineseFile, hallFile)
	form := h.get("/admin/feeds/new")
	if got := form.text(".picks:has([name=sections]) .choices"); !strings.Contains(got, "Culture 1") || !strings.Contains(got, "新闻 1") {
		t.Errorf("sections to choose from: %q", got)
	}
	fields := []string{
		"slug", "news", "title_language", "en", "title", "News", "title_language", "zh-Hans", "title", "新闻", "title_language", "", "title", "",
		"sections", "News", "sections", "新闻", "sections_more", "Nowhere\r\n", "languages", "en", "content", "summary", "limit", "20",
	}
	look := h.send("/admin/feeds", append(fields, "do", "preview")...)
	if look.status != http.StatusOK || look.text("#preview") != "1 article" || !strings.Contains(look.text(".newest"), "Robots run a relay") {
		t.Errorf("%d %s", look.status, look.text("main"))
	}
	if _, err := h.Feeds.Find(t.Context(), h.DB, "news"); err == nil {
		t.Error("the look made it")
	}
	h.leads(h.send("/admin/feeds", fields...), "/admin/feeds/news?done=feed_added")
	f := h.feed("news")
	if f.Title["zh-Hans"] != "新闻" || f.Title["en"] != "News" || len(f.Title) != 2 || strings.Join(f.Sections, " ") != "News 新闻 Nowhere" || f.Content != feeds.Summary || f.Limit != 20 || f.Articles != 1 {
		t.Errorf("%+v", f)
	}
	page := h.get("/admin/feeds/news")
	if !strings.Contains(page.text(".facts"), "/feeds/news.atom") || page.text(".newest h3") != "Robots run a relay" {
		t.Errorf("%s", page.text("main"))
	}
	if again := h.send("/admin/feeds", fields...); again.status != http.StatusUnprocessableEntity || !strings.Contains(again.text(".mistakes"), "choose another slug") || !again.Find(`[name=sections][value=News]`).Is("[checked]") {
		t.Errorf("%d %s", again.status, again.text("main"))
	}
	for wrong, says := range map[string]string{"limit=0": "1 to 1000", "limit=x": "1 to 1000", "slug=new": "another slug", "slug=A B": "lower-case", "sources=nowhere": "there is no source", "languages=klingonisch": "language tag", "slug=section-x": "belong to"} {
		name, value, _ := strings.Cut(wrong, "=")
		got := h.send("/admin/feeds", append([]string{name, value}, "slug", "other", "title_language", "en", "title", "X")...)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), says) {
			t.Errorf("%s: %d %s", wrong, got.status, got.text("main"))
		}
	}
}

// othersEmpty are the fields of a feed's form for values that are not offered, empty.
var othersEmpty = []string{"sections_more", "", "tags_more", "", "languages_more", "", "sources_more", ""}

func TestAFeedIsChangedRenamedAndRemoved(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.publish(relayFile, hallFile)
	h.declare("[[feed]]\nslug = \"robots\"\ntitle = { en = \"Robots\" }\nselect = { tags = [\"robotics\"] }\n")
	edit := h.get("/admin/feeds/robots/edit")
	if !edit.Find(`[name=tags][value=robotics]`).Is("[checked]") || edit.Find("[name=title]").First().AttrOr("value", "") != "Robots" {
		t.Errorf("%s", edit.text("main"))
	}
	h.leads(h.send("/admin/feeds/robots/edit", append([]string{"title_language", "en", "title", "All of it", "limit", "5"}, othersEmpty...)...), "/admin/feeds/robots?done=saved")
	if f := h.feed("robots"); f.Title["en"] != "All of it" || f.Articles != 2 || f.Limit != 5 {
		t.Errorf("%+v", f)
	}
	h.leads(h.send("/admin/feeds/robots/rename", "slug", "everything"), "/admin/feeds/everything?done=feed_renamed")
	h.leads(h.get("/admin/feeds/robots"), "/admin/feeds/everything")
	if got := h.send("/admin/feeds/everything/rename", "slug", "all"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), "taken by another feed") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	h.leads(h.send("/admin/feeds/everything/remove"), "/admin/feeds?done=feed_removed")
	if got := h.get("/admin/feeds/everything").status; got != http.StatusGone {
		t.Errorf("removed: %d", got)
	}
	if got := h.send("/admin/feeds/section-news/edit", append([]string{"title_language", "en", "title", "x", "limit", "5"}, othersEmpty...)...).status; got != http.StatusConflict {
		t.Errorf("a feed of the program's own: %d", got)
	}
	for path, want := range map[string]int{"/admin/feeds/all/remove": http.StatusUnprocessableEntity, "/admin/feeds/nowhere/remove": http.StatusNotFound} {
		if got := h.send(path, "slug", "x").status; got != want {
			t.Errorf("%s: %d, not %d", path, got, want)
		}
	}
}

func TestFeedsAreListed(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.publish(relayFile, chineseFile)
	var toml strings.Builder
	for i := range 60 {
		fmt.Fprintf(&toml, "[[feed]]\nslug = \"feed-%02d\"\ntitle = { en = \"Feed %d\" }\n", i, i)
	}
	h.declare(toml.String())
	first := h.get("/admin/feeds")
	next := h.get(first.Find("[rel=next]").AttrOr("href", ""))
	if n, m := first.Find(".listing tbody tr").Length(), next.Find(".listing tbody tr").Length(); n != 50 || m != 11 {
		t.Errorf("%d and %d", n, m)
	}
	if got := h.get("/admin/feeds?q=feed+7").found(); got != "Feed 7" {
		t.Errorf("%q", got)
	}
	if got := h.get("/admin/feeds?kind=section"); !strings.Contains(got.found(), "News") || strings.Contains(got.found(), "Feed") {
		t.Errorf("%q", got.found())
	}
}

func TestPrivateFeedsAreShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare("[[organisation]]\nname = \"Science Centre\"\n[[list]]\nslug = \"other\"\nname = { en = \"Other\" }\n")
	made := h.send("/admin/private-feeds", "organisation", "Science Centre", "list", "partners")
	address := made.text("#made-rss")
	if made.status != http.StatusOK || !strings.Contains(address, "/feeds/p/") {
		t.Fatalf("%d %s", made.status, made.text("main"))
	}
	if again := h.get("/admin/private-feeds"); strings.Contains(again.text("body"), "/feeds/p/") || again.Find(".listing tbody tr").Length() != 1 {
		t.Errorf("%s", again.text("main"))
	}
	if got := h.send("/admin/private-feeds", "organisation", "Nobody", "list", "partners"); got.status != http.StatusUnprocessableEntity || got.Find(".mistakes").Length() != 1 {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	other, err := subscribers.ListBySlug(t.Context(), h.DB, "other")
	if err != nil {
		t.Fatal(err)
	}
	all, err := h.PrivateFeeds(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	revoke := fmt.Sprintf("/admin/private-feeds/%d/revoke", all[0].ID)
	h.as(accounts.Actor{Name: "account 2", Email: "m@example.org", Roles: []accounts.Role{accounts.Manager}, Lists: []int64{other.ID}})
	if got := h.get("/admin/private-feeds"); got.Find(".listing").Length() != 0 || strings.Contains(got.text("form"), "partners") {
		t.Errorf("a manager of another list sees %s", got.text("main"))
	}
	if got := h.send("/admin/private-feeds", "organisation", "Science Centre", "list", "partners"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), "of yours") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if got := h.send(revoke).status; got != http.StatusNotFound {
		t.Errorf("%d", got)
	}
	h.as(accounts.Actor{Name: "account 3", Email: "e@example.org", Roles: []accounts.Role{accounts.Editor}})
	if got := h.get("/admin/private-feeds").status; got != http.StatusForbidden {
		t.Errorf("an editor sees organisations: %d", got)
	}
	h.as(everything())
	h.leads(h.send(revoke), "/admin/private-feeds?done=feed_revoked")
	if got := h.get("/admin/private-feeds").text(".badge"); !strings.Contains(got, "Revoked on") {
		t.Errorf("%q", got)
	}
}

func TestHubsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.leads(h.send("/admin/hubs", "url", "https://hub.example.org"), "/admin/hubs?done=saved")
	if got := h.get("/admin/hubs").text(".listing .name"); got != "https://hub.example.org/" {
		t.Errorf("%q", got)
	}
	for _, wrong := range []string{"", "http://127.0.0.1/", "javascript:alert(1)", "https://user:secret@hub.example.org/"} {
		if got := h.send("/admin/hubs", "url", wrong); got.status != http.StatusUnprocessableEntity || got.Find(".mistakes").Length() != 1 || strings.Contains(got.text(".mistakes"), "secret") {
			t.Errorf("%q: %d %s", wrong, got.status, got.text("main"))
		}
	}
	h.leads(h.send("/admin/hubs/remove", "url", "https://hub.example.org/"), "/admin/hubs?done=removed")
}

func TestReadersLookAtFeedsAndChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare("[[feed]]\nslug = \"robots\"\ntitle = { en = \"Robots\" }\n[[hub]]\nurl = \"https://hub.example.org/\"\n")
	h.as(accounts.Actor{Name: "account 2", Email: "reader@example.org", Roles: []accounts.Role{accounts.Reader}})
	for _, path := range []string{"/admin/feeds", "/admin/feeds/robots", "/admin/hubs"} {
		if got := h.get(path); got.status != http.StatusOK || got.Find("main form[method=post]").Length() != 0 || strings.Contains(got.text("main"), "Make a feed") {
			t.Errorf("%s: %d %s", path, got.status, got.text("main"))
		}
	}
	for _, path := range []string{"/admin/feeds", "/admin/feeds/robots/edit", "/admin/feeds/robots/rename", "/admin/feeds/robots/remove", "/admin/hubs", "/admin/hubs/remove", "/admin/private-feeds"} {
		if got := h.send(path, "slug", "x").status; got != http.StatusForbidden {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestWhatFeedsSayStaysText(t *testing.T) {
	t.Parallel()
	h := open(t)
	bad := strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(hostile)
	h.declare("[[feed]]\nslug = \"robots\"\ntitle = { en = \"Robots\" }\n[[organisation]]\nname = \"Science Centre\"\n")
	if _, err := h.DB.Exec(`UPDATE feeds.feeds SET title = jsonb_build_object('en', $1::text), sections = ARRAY[$1], tags = ARRAY[$1] WHERE slug = 'robots'`, bad); err != nil {
		t.Fatal(err)
	}
	if _, err := h.DB.Exec(`INSERT INTO feeds.hubs (url, failures, failure) VALUES ('javascript:alert(1)', 1, $1)`, bad); err != nil {
		t.Fatal(err)
	}
	if _, err := h.DB.Exec(`UPDATE subscribers.organisations SET name = $1`, bad); err != nil {
		t.Fatal(err)
	}
	if got := h.send("/admin/private-feeds", "organisation", bad, "list", "partners"); got.status >= http.StatusInternalServerError {
		t.Errorf("%d", got.status)
	}
	for name, page := range map[string]answer{
		"list": h.get("/admin/feeds"), "one": h.get("/admin/feeds/robots"), "edit": h.get("/admin/feeds/robots/edit"), "remove": h.get("/admin/feeds/robots/remove"),
		"hubs": h.get("/admin/hubs"), "private": h.get("/admin/private-feeds?organisation=%22%3E%3Cscript%3E"), "rename": h.send("/admin/feeds/robots/rename", "slug", bad),
		"form": h.send("/admin/feeds", "slug", bad, "title", bad, "title_language", bad, "sections", bad, "tags_more", bad, "limit", bad, "content", bad), "wrong hub": h.send("/admin/hubs", "url", bad),
		"wrong private": h.send("/admin/private-feeds", "organisation", bad+"x", "list", bad), "looked for": h.get("/admin/feeds?q=%22%3E%3Cscript%3E&kind=%22%3E"),
	} {
		if page.status >= http.StatusInternalServerError || page.Find("main").Length() != 1 {
			t.Errorf("%s: %d", name, page.status)
		}
		staysText(t, name, page)
	}
}
