package admin_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/mailer/ledger"
)

// publish has the house take in articles, each a file, and returns the slug of each by its title.
func (h *house) publish(files ...string) map[string]string {
	h.t.Helper()
	dir := h.t.TempDir()
	for i, content := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.md", i)), []byte(content), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := h.ImportArticles(h.t.Context(), app.ArticleImport{Paths: []string{dir}}); err != nil {
		h.t.Fatal(err)
	}
	all, err := h.Articles.Select(h.t.Context(), h.DB, articles.Selection{}, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	slugs := map[string]string{}
	for _, a := range all {
		slugs[a.Title] = a.Slug
	}
	return slugs
}

const (
	relayFile   = "---\nid: relay\nlanguage: en\nsection: News\ntags: [robotics]\nurl: https://www.example.org/relay\n---\n# Robots run a relay\n\nForty-one teams met in the sports hall.\n"
	chineseFile = "---\nid: relay-zh\nlanguage: zh-Hans\nsection: 新闻\n---\n# 机器人接力赛\n\n四十一支队伍在体育馆参加比赛。\n"
	hallFile    = "---\nid: hall\nlanguage: en\nsection: Culture\n---\n# The hall opens\n\nIt opens in May.\n"
)

// found returns what the list of articles shows.
func (a answer) found() string {
	var all []string
	for _, cell := range a.Find(".listing .name > a").EachIter() {
		all = append(all, cell.Text())
	}
	return strings.Join(all, ", ")
}

func (h *house) leads(got answer, to string) {
	h.t.Helper()
	if got.status != http.StatusSeeOther || got.location != to {
		h.t.Errorf("%d to %q, not %q: %s", got.status, got.location, to, got.text("main"))
	}
}

func TestArticlesAreFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	if got := h.get("/admin/articles").text(".empty h2"); got != "No article yet" {
		t.Errorf("%q", got)
	}
	slugs := h.publish(relayFile, chineseFile, hallFile)
	for query, want := range map[string]string{
		"q=robot": "Robots run a relay", "q=体育馆": "机器人接力赛", "section=Culture": "The hall opens", "language=zh-Hans": "机器人接力赛", "tag=robotics": "Robots run a relay",
		"q=robot&section=Culture": "", "is=withdrawn": "", "before=x": "The hall opens, 机器人接力赛, Robots run a relay", "is=nonsense": "The hall opens, 机器人接力赛, Robots run a relay",
	} {
		got := h.get("/admin/articles?" + query)
		if got.status != http.StatusOK || got.found() != want {
			t.Errorf("%s: %d %q", query, got.status, got.found())
		}
	}
	if got := h.get("/admin/articles?q=nowhere").text(".empty h2"); got != "No article is like that" {
		t.Errorf("%q", got)
	}
	h.leads(h.get("/admin/articles?q=https://www.example.org/relay"), "/admin/articles/"+slugs["Robots run a relay"])
}

func TestArticlesAreFoundPageByPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	var files []string
	for i := range 120 {
		files = append(files, fmt.Sprintf("---\nid: n%d\nlanguage: en\n---\n# Notice %d\n\nText.\n", i, i))
	}
	h.publish(files...)
	seen, path := map[string]bool{}, "/admin/articles?q=notice"
	pages := 0
	for ; path != ""; pages++ {
		page := h.get(path)
		for title := range strings.SplitSeq(page.found(), ", ") {
			seen[title] = true
		}
		path = page.Find(".pager [rel=next]").AttrOr("href", "")
	}
	if len(seen) != 120 || pages != 3 {
		t.Errorf("%d articles on %d pages", len(seen), pages)
	}
}

func TestAnArticleIsEdited(t *testing.T) {
	t.Parallel()
	h := open(t)
	slug := h.publish(relayFile)["Robots run a relay"]
	at := "/admin/articles/" + slug
	fields := func(page answer, change map[string]string) (form []string) {
		for _, e := range page.Find("form[method=post] [name]").EachIter() {
			name, value := e.AttrOr("name", ""), e.AttrOr("value", "")
			if e.Is("textarea") {
				value = strings.TrimPrefix(e.Text(), "\n")
			}
			if other, there := change[name]; there {
				value = other
			}
			form = append(form, name, strings.ReplaceAll(value, "\n", "\r\n"))
		}
		return form
	}
	form := h.get(at + "/edit")
	h.leads(h.send(at+"/edit", fields(form, nil)...), at) // nothing was changed
	h.leads(h.send(at+"/edit", fields(form, map[string]string{"title": "A relay of robots", "text": "They met.\n\nOne won.", "tags": "robots\nsport", "authors": "The office"})...), at+"?done=article_edited")
	a, err := h.Articles.BySlug(t.Context(), h.DB, slug)
	if err != nil || a.Title != "A relay of robots" || a.HTML != "<p>They met.</p>\n<p>One won.</p>" && a.HTML != "<p>They met.</p><p>One won.</p>" ||
		strings.Join(a.Tags, " ") != "robots sport" || strings.Join(a.Authors, "") != "The office" || a.Section != "News" {
		t.Errorf("%+v, %v", a, err)
	}
	if late := h.send(at+"/edit", fields(form, map[string]string{"title": "Mine"})...); late.status != http.StatusUnprocessableEntity || !strings.Contains(late.text(".mistakes"), "has changed since") {
		t.Errorf("%d %s", late.status, late.text(".mistakes"))
	}
	again := h.get(at + "/edit")
	if got := again.text("#title-hint"); got != "The source gives: Robots run a relay" {
		t.Errorf("beside it stands %q", got)
	}
	if empty := h.send(at+"/edit", fields(again, map[string]string{"title": ""})...); empty.status != http.StatusUnprocessableEntity || !strings.Contains(empty.text(".mistakes"), "title cannot be empty") {
		t.Errorf("%d %s", empty.status, empty.text("main"))
	}
	versions := h.get(at + "/versions")
	if got := versions.text("ins"); !strings.Contains(got, "A relay of robots") || !strings.Contains(got, "One won.") {
		t.Errorf("the difference is %q", got)
	}
	if got := h.get(at + "/versions?from=2&to=2").text("main"); !strings.Contains(got, "They are the same.") {
		t.Errorf("%q", got)
	}
	h.leads(h.send(at+"/revert"), at+"?done=article_reverted")
	if got := h.get(at).text("h1"); got != "Robots run a relay" {
		t.Errorf("%q", got)
	}
}

func TestAnArticleIsWithdrawnMarkedAndRestored(t *testing.T) {
	t.Parallel()
	h := open(t)
	slug := h.publish(relayFile)["Robots run a relay"]
	at := "/admin/articles/" + slug
	h.leads(h.send(at+"/mark", "urgent", "yes"), at+"?done=saved")
	h.leads(h.send(at+"/mark", "pinned", "yes"), at+"?done=saved")
	if got := h.get(at).text("h1 .badge"); got != "… Urgent– Pinned" && got != "… Urgent – Pinned" {
		t.Errorf("%q", got)
	}
	if got := h.get("/admin/articles?is=urgent").found(); got != "Robots run a relay" {
		t.Errorf("%q", got)
	}
	h.leads(h.send(at+"/withdraw"), at+"?done=article_withdrawn")
	if got := h.get("/admin/articles?is=withdrawn").found(); got != "Robots run a relay" {
		t.Errorf("%q", got)
	}
	h.leads(h.send(at+"/restore"), at+"?done=article_restored")
	h.leads(h.send(at+"/mark", "urgent", "no", "pinned", "no"), at+"?done=saved")
	if got := h.get(at); got.Find("h1 .badge").Length() != 0 || !strings.Contains(got.text("main"), "Withdraw this article") {
		t.Errorf("%s", got.text("main"))
	}
	for _, path := range []string{"/withdraw", "/restore", "/mark", "/revert", "/link", "/unlink", "/edit"} {
		if got := h.send("/admin/articles/nowhere" + path).status; got != http.StatusNotFound {
			t.Errorf("%s of none: %d", path, got)
		}
	}
}

func TestTranslationsAreLinkedTypedAndUnlinked(t *testing.T) {
	t.Parallel()
	h := open(t)
	slugs := h.publish(relayFile, chineseFile, hallFile)
	at := "/admin/articles/" + slugs["Robots run a relay"]
	h.leads(h.send(at+"/link", "other", slugs["机器人接力赛"]), at+"?done=article_linked")
	if got := h.get(at).text("#translations + ul"); !strings.Contains(got, "机器人接力赛") {
		t.Errorf("%q", got)
	}
	for other, says := range map[string]string{slugs["The hall opens"]: "both are there in en", "nowhere": "there is none", "": "there is none"} {
		if got := h.send(at+"/link", "other", other); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), says) {
			t.Errorf("%q: %d %s", other, got.status, got.text("main"))
		}
	}
	h.leads(h.send(at+"/unlink"), at+"?done=article_unlinked")
	if got := h.get(at).Find("#translations + ul").Length(); got != 0 {
		t.Error("they are still linked")
	}
	typed := h.send(at+"/translate", "language", "it", "title", "Staffetta", "summary", "Una gara.")
	if typed.status != http.StatusSeeOther {
		t.Fatalf("%d %s", typed.status, typed.text("main"))
	}
	path, _, _ := strings.Cut(typed.location, "?")
	if again := h.get(path + "/translate"); again.Find("[name=title]").AttrOr("value", "") != "Staffetta" {
		t.Errorf("typed again: %s", again.text("main"))
	}
	h.leads(h.get(path+"/edit"), path+"/translate")
	if got := h.send(at+"/translate", "language", "klingonisch", "title", "X", "summary", "Y"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistake"), "klingonisch") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if got := h.send(at+"/translate", "language", "en", "title", "X", "summary", "Y"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), "its source has it in en") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
}

// What readers were given as one article stays one.
func TestWhatWasInADigestIsNotUnlinked(t *testing.T) {
	t.Parallel()
	h := open(t)
	slugs := h.publish(relayFile, chineseFile)
	at := "/admin/articles/" + slugs["Robots run a relay"]
	h.leads(h.send(at+"/link", "other", slugs["机器人接力赛"]), at+"?done=article_linked")
	h.sentIn(slugs["Robots run a relay"], "partners")
	if got := h.send(at + "/unlink"); got.status != http.StatusConflict || !strings.Contains(got.text("main"), "they stay so") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
}

// sentIn makes an edition of a list with an article that two people got and one did not, and returns its id.
func (h *house) sentIn(article, list string) string {
	h.t.Helper()
	a, err := h.Articles.BySlug(h.t.Context(), h.DB, article)
	if err != nil {
		h.t.Fatal(err)
	}
	now := h.Clock.Now()
	if err := ledger.Prepare(h.t.Context(), h.DB, now); err != nil {
		h.t.Fatal(err)
	}
	id := ledger.NewEditionID(now)
	h.DB.MustExec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, recipients, articles, variants)
		SELECT $1, id, 'weekly', '2026-11-23', 'hand', 'sent', $3, $3, 3, 1, 1 FROM subscribers.lists WHERE slug = $2`, id, list, now)
	h.DB.MustExec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'en', ARRAY[$2::bigint], ARRAY[$3::bigint], 'k')`, id, a.ID, a.GroupID)
	h.DB.MustExec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, settled_at)
		SELECT $1, n, n, (SELECT id FROM mailer.variants WHERE edition_id = $1), CASE n WHEN 3 THEN 'failed' ELSE 'sent' END, $2, $2 FROM generate_series(1, 3) n`, id, now)
	return id.String()
}

func TestAnArticleSaysWhereItAppeared(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare("[[feed]]\nslug = \"robots\"\ntitle = { en = \"Robots\" }\nselect = { tags = [\"robotics\"] }\n[[list]]\nslug = \"other\"\nname = { en = \"Other\" }\n")
	slug := h.publish(relayFile)["Robots run a relay"]
	edition, other := h.sentIn(slug, "partners"), h.sentIn(slug, "other")
	page := h.get("/admin/articles/" + slug)
	for _, href := range []string{"/admin/feeds/all", "/admin/feeds/robots", "/admin/feeds/section-news", "/admin/feeds/lang-en", "/admin/editions/" + edition, "/admin/editions/" + other} {
		if page.Find(`main a[href="`+href+`"]`).Length() != 1 {
			t.Errorf("nothing leads to %s", href)
		}
	}
	if got := page.text(`tr:has(a[href="/admin/editions/` + edition + `"]) .number`); got != "2" {
		t.Errorf("%q got it", got)
	}
	var partners int64
	if err := h.DB.Get(&partners, `SELECT id FROM subscribers.lists WHERE slug = 'partners'`); err != nil {
		t.Fatal(err)
	}
	h.as(accounts.Actor{Name: "account 2", Email: "m@example.org", Roles: []accounts.Role{accounts.Manager}, Lists: []int64{partners}})
	page = h.get("/admin/articles/" + slug)
	if page.Find(`a[href="/admin/editions/`+edition+`"]`).Length() != 1 || page.Find(`a[href="/admin/editions/`+other+`"]`).Length() != 0 {
		t.Error("a manager sees editions of another list, or not those of the own one")
	}
}

func TestAnArticleIsWrittenHere(t *testing.T) {
	t.Parallel()
	h := open(t)
	draft := h.send("/admin/waiting", "title", "The hall", "text", "It opens.", "language", "en", "when", "draft", "urgent", "on")
	if draft.status != http.StatusSeeOther || !strings.HasPrefix(draft.location, "/admin/waiting/") {
		t.Fatalf("%d to %s: %s", draft.status, draft.location, draft.text("main"))
	}
	at, _, _ := strings.Cut(draft.location, "?")
	if got := h.get("/admin/articles").found(); got != "" {
		t.Errorf("a draft is published: %q", got)
	}
	if got := h.get("/admin/waiting").found(); got != "The hall" {
		t.Errorf("what waits: %q", got)
	}
	form := h.get(at + "/edit")
	if form.Find("[name=title]").AttrOr("value", "") != "The hall" || !form.Find("#urgent").Is("[checked]") {
		t.Errorf("the form has %s", form.text("main"))
	}
	later := h.Clock.Now().Add(48 * time.Hour).In(everything().Location()).Format("2006-01-02T15:04")
	h.leads(h.send(at+"/edit", "title", "The hall opens", "text", "<p>It <em>opens</em>.</p><script>alert(1)</script>", "language", "en", "when", "at", "at", later), at+"?done=saved")
	shown := h.get(at)
	if shown.text("h1") != "The hall opens" || !strings.Contains(shown.text("main"), "published by itself") {
		t.Errorf("%s", shown.text("main"))
	}
	for _, wrong := range [][]string{{"when", "at", "at", "2001-01-01T00:00"}, {"when", "at", "at", "soon"}, {"title", " "}, {"language", "klingonisch"}, {"text", ""}} {
		fields := append([]string{"title", "X", "text", "Y", "language", "en", "when", "now"}, wrong...)
		values := map[string]string{}
		for i := 0; i < len(fields); i += 2 {
			values[fields[i]] = fields[i+1]
		}
		var form []string
		for name, value := range values {
			form = append(form, name, value)
		}
		if got := h.send("/admin/waiting", form...); got.status != http.StatusUnprocessableEntity || got.Find(".mistakes").Length() != 1 {
			t.Errorf("%v: %d %s", wrong, got.status, got.text("main"))
		}
	}
	h.leads(h.send(at+"/publish"), "/admin/waiting?done=article_published")
	if got := h.get("/admin/articles").found(); got != "The hall opens" {
		t.Errorf("published: %q", got)
	}
	now := h.send("/admin/waiting", "title", "At once", "text", "Now.", "language", "en", "when", "now")
	if now.status != http.StatusSeeOther || !strings.HasPrefix(now.location, "/admin/articles/") {
		t.Errorf("%d to %s", now.status, now.location)
	}
	dropped := h.send("/admin/waiting", "title", "Never", "text", "No.", "when", "draft")
	at, _, _ = strings.Cut(dropped.location, "?")
	h.leads(h.send(at+"/discard"), "/admin/waiting?done=article_discarded")
	if got := h.get(at).status; got != http.StatusNotFound {
		t.Errorf("%d", got)
	}
}

func TestReadersLookAtArticlesAndChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	slug := h.publish(relayFile)["Robots run a relay"]
	draft := h.send("/admin/waiting", "title", "The hall", "text", "It opens.", "language", "en", "when", "draft")
	waits, _, _ := strings.Cut(draft.location, "?")
	h.as(accounts.Actor{Name: "account 2", Email: "reader@example.org", Roles: []accounts.Role{accounts.Reader}})
	for _, path := range []string{"/admin/articles", "/admin/articles/" + slug, "/admin/articles/" + slug + "/versions", "/admin/waiting", waits} {
		if got := h.get(path); got.status != http.StatusOK || got.Find("main form[method=post]").Length() != 0 || strings.Contains(got.text("main"), "Write an article") {
			t.Errorf("a reader sees at %s: %d %s", path, got.status, got.text("main"))
		}
	}
	for _, path := range []string{
		"/admin/articles/" + slug + "/edit", "/admin/articles/" + slug + "/withdraw", "/admin/articles/" + slug + "/link", "/admin/articles/" + slug + "/translate", waits + "/publish",
		waits + "/discard", waits + "/edit", "/admin/waiting",
	} {
		if got := h.send(path, "title", "x").status; got != http.StatusForbidden {
			t.Errorf("a reader posts to %s: %d", path, got)
		}
	}
}

func TestWhatArticlesSayStaysText(t *testing.T) {
	t.Parallel()
	h := open(t, "127.0.0.1")
	bad := strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(hostile)
	item := `<item><guid>x</guid><title><![CDATA[` + bad + `]]></title><link>https://www.example.org/"onmouseover="alert(1)</link><category><![CDATA[` + bad + `]]></category>
		<author><![CDATA[` + bad + `]]></author><enclosure url="javascript:alert(1)" type="image/png"/>
		<description><![CDATA[<p onclick="alert(4)">Words</p><script>alert(5)</script><a href="javascript:alert(6)">x</a><svg onload=alert(7)>]]></description></item>`
	at := upstream(t, item, nil)
	h.declare(fmt.Sprintf("[[source]]\nslug = \"city\"\nkind = \"feed\"\nurl = \"%s/feed.xml\"\nfirst_poll = \"due\"\n", at))
	if _, err := h.RunSource(t.Context(), "city"); err != nil {
		t.Fatal(err)
	}
	all, err := h.Articles.Select(t.Context(), h.DB, articles.Selection{}, 0)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d articles, %v", len(all), err)
	}
	path := "/admin/articles/" + all[0].Slug
	if _, err := h.DB.Exec(`UPDATE articles.articles SET url = $1, image_url = $1, section = $2, tags = ARRAY[$2], authors = ARRAY[$2], summary = $2, image_alt = $2, language = $3`,
		"javascript:alert(1)", hostile, "en"); err != nil {
		t.Fatal(err)
	}
	waiting := h.send("/admin/waiting", "title", hostile, "text", `<p onclick=alert(1)>x</p><script>alert(1)</script>`, "section", hostile, "tags", hostile, "url", "javascript:alert(1)", "when", "draft")
	waits, _, _ := strings.Cut(waiting.location, "?")
	for name, page := range map[string]answer{
		"list": h.get("/admin/articles"), "looked for": h.get("/admin/articles?q=" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E&section=%22%3E%3Cscript%3E"), "one": h.get(path),
		"edit": h.get(path + "/edit"), "translate": h.get(path + "/translate?language=%22%3E%3Cscript%3E"), "wrong translation": h.send(path+"/translate", "language", hostile, "title", hostile, "summary", hostile),
		"wrong link": h.send(path+"/link", "other", hostile), "waits": h.get("/admin/waiting"), "wait": h.get(waits), "write": h.get(waits + "/edit"),
		"wrong draft": h.send("/admin/waiting", "title", "", "section", hostile, "language", hostile),
	} {
		if page.status >= http.StatusInternalServerError || page.Find("main").Length() != 1 {
			t.Errorf("%s: %d", name, page.status)
		}
		staysText(t, name, page)
	}
	for _, framed := range []string{path + "/body", waits + "/body"} {
		body := h.get(framed)
		policy := body.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "sandbox") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: %s", framed, policy)
		}
		staysText(t, framed, body)
		if body.Find("svg, script").Length() > 0 {
			t.Errorf("%s holds what runs", framed)
		}
	}
}
