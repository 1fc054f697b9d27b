package app_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"silkpost/feeds"
	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
)

const smallFeed = `
[[feed]]
slug = "small"
title = { en = "Small" }
limit = 2
`

// documents returns every document of a feed, its archives included, by path and extension.
func (n *newsroom) documents(t *testing.T, slug string) map[string]answer {
	t.Helper()
	feed, err := n.Feeds.Find(t.Context(), n.DB, slug)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]answer{}
	for _, format := range feeds.Formats() {
		for doc, err := range n.Feeds.Documents(t.Context(), n.DB, feed, format, n.PublicURL()) {
			if err != nil {
				t.Fatal(err)
			}
			got := n.get(t, feeds.URL(n.PublicURL(), doc.Path, format))
			if got.StatusCode != http.StatusOK || !bytes.Equal(got.body, doc.Body) {
				t.Fatalf("%s.%s: %d\n%s", doc.Path, format, got.StatusCode, cmp.Diff(string(doc.Body), string(got.body)))
			}
			all[doc.Path+"."+string(format)] = got
		}
	}
	return all
}

func (n *newsroom) rename(t *testing.T, from, to string) {
	t.Helper()
	if f, err := n.RenameFeed(t.Context(), from, to); err != nil || f.Slug != to {
		t.Fatalf("%s to %s: %+v, %v", from, to, f, err)
	}
}

// Whoever reads a feed under a slug that it had before is led to the one it has now, in one step, from each of its documents; so is
// who walks through its archive.
func TestOldSlugsLeadToTheFeed(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, smallFeed)
	n.articles(t, relayEn, relayIt, relayZh, seatsAr, seatsEn, skyRu)
	before := slices.Sorted(maps.Keys(n.documents(t, "small")))
	if len(before) < 9 {
		t.Fatalf("only %d documents: %v", len(before), before)
	}
	n.rename(t, "small", "little")
	n.rename(t, "small", "tiny") // by a name that it had
	n.rename(t, "tiny", "minute")
	for _, old := range []string{"small", "little", "tiny"} {
		for _, path := range before {
			path = strings.TrimPrefix(path, "small")
			for method, header := range map[string][]string{http.MethodGet: nil, http.MethodHead: browser} {
				n.clock.Advance(time.Second)
				got := ask(t, method, n.PublicURL()+"/feeds/"+old+path, "", "", header...)
				if to := n.PublicURL() + "/feeds/minute" + path; got.StatusCode != http.StatusMovedPermanently || got.Header.Get("Location") != to {
					t.Errorf("%s %s%s: %d to %s, want 301 to %s", method, old, path, got.StatusCode, got.Header.Get("Location"), to)
				}
			}
		}
	}
	now := n.documents(t, "small")
	for path, got := range now {
		for _, old := range []string{"/small", "/little", "/tiny"} {
			if bytes.Contains(got.body, []byte(old)) {
				t.Errorf("%s still says %s", path, old)
			}
		}
	}
	if len(now) != len(before) {
		t.Errorf("%d documents, %d before", len(now), len(before))
	}
	n.rename(t, "minute", "small") // and back
	if after := slices.Sorted(maps.Keys(n.documents(t, "minute"))); !slices.Equal(after, before) {
		t.Errorf("renamed back: %v, want %v", after, before)
	}
	if got := n.get(t, n.PublicURL()+"/feeds/minute.rss"); got.Header.Get("Location") != n.PublicURL()+"/feeds/small.rss" {
		t.Errorf("the last name leads to %q", got.Header.Get("Location"))
	}
	if got := n.get(t, n.PublicURL()+"/feeds/small.rss?raw"); got.StatusCode != http.StatusOK || got.Header.Get("ETag") == "" {
		t.Errorf("the first name, which it has again: %d", got.StatusCode)
	}
}

// A feed that was removed is gone, by all its names and in all its documents, until it is declared again.
func TestRemovedFeedsAreGone(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, smallFeed)
	n.articles(t, relayEn, relayIt, relayZh)
	n.rename(t, "small", "tiny")
	first := n.documents(t, "tiny")
	if f, err := n.RemoveFeed(t.Context(), "small"); err != nil || f.Slug != "tiny" {
		t.Fatalf("removed %+v, %v", f, err)
	}
	for path, was := range first {
		for _, slug := range []string{"small", "tiny"} {
			path := slug + strings.TrimPrefix(path, "tiny")
			if got := n.get(t, n.PublicURL()+"/feeds/"+path, "If-None-Match", was.Header.Get("ETag")); got.StatusCode != http.StatusGone {
				t.Errorf("%s: %d", path, got.StatusCode)
			}
		}
	}
	for _, list := range []string{"/feeds/", "/feeds.opml"} {
		if got := n.get(t, n.PublicURL()+list); bytes.Contains(got.body, []byte("tiny")) {
			t.Errorf("%s lists it", list)
		}
	}
	n.apply(t, strings.Replace(smallFeed, `"small"`, `"tiny"`, 1))
	checkSame(t, first, n.documents(t, "small"))
}

// checkSame holds that documents have the same bytes and entity tags as before.
func checkSame(t *testing.T, before, after map[string]answer) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))); diff != "" {
		t.Errorf("documents (-before +after):\n%s", diff)
	}
	for path, was := range before {
		now := after[path]
		if diff := cmp.Diff(string(was.body), string(now.body)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", path, diff)
		}
		if now.Response != nil && now.Header.Get("ETag") != was.Header.Get("ETag") {
			t.Errorf("%s has the tag %s, had %s", path, now.Header.Get("ETag"), was.Header.Get("ETag"))
		}
	}
}

// A withdrawn article leaves every feed and its page at once; where it stood, readers of Atom are told that it is gone. Restored, it is
// where it was, by the byte.
func TestWithdrawAndRestore(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, list+smallFeed)
	n.articles(t, relayEn, relayIt, seatsEn, seatsAr, skyRu)
	listed, err := n.ListFeeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	everything := func() map[string]answer {
		all := map[string]answer{}
		for _, f := range listed {
			maps.Copy(all, n.documents(t, f.Slug))
		}
		return all
	}
	const page = "/articles/robots-pass-the-water-on"
	guid := value[string](t, n.house, `SELECT guid FROM articles.articles WHERE slug = 'robots-pass-the-water-on'`)
	before, counts := everything(), n.articlesByFeed(t)

	n.clock.Advance(time.Hour)
	withdrawn, change, err := n.WithdrawArticle(t.Context(), edition.CommandLine, guid)
	if err != nil || change != database.Changed || withdrawn.Title != relayEn.title || withdrawn.WithdrawnAt == nil {
		t.Fatalf("withdrawn %+v, %q, %v", withdrawn, change, err)
	}
	told := 0
	for path, got := range everything() {
		if bytes.Contains(got.body, []byte(relayEn.title)) || bytes.Contains(got.body, []byte(page)) {
			t.Errorf("%s still has it:\n%s", path, got.body)
		}
		had := bytes.Contains(before[path].body, []byte(relayEn.title))
		tombstone := fmt.Sprintf("<at:deleted-entry ref=%q when=%q>", guid, withdrawn.WithdrawnAt.Format("2006-01-02T15:04:05Z"))
		if tells := bytes.Contains(got.body, []byte(tombstone)); tells != (had && strings.HasSuffix(path, ".atom")) {
			t.Errorf("%s tells that it is gone: %t\n%s", path, tells, got.body)
		} else if tells {
			told++
		}
		if changed := got.Header.Get("ETag") != before[path].Header.Get("ETag"); had && !changed {
			t.Errorf("%s kept its tag", path)
		}
	}
	if told < 4 { // all, small, its section, its language, its tag
		t.Errorf("%d documents tell that it is gone", told)
	}
	if got := n.get(t, n.PublicURL()+page); got.StatusCode != http.StatusGone || bytes.Contains(got.body, []byte(relayEn.title)) {
		t.Errorf("its page answers %d %s", got.StatusCode, got.body)
	}
	if got := n.get(t, n.PublicURL()+"/feeds/all.rss", browser...); got.StatusCode != http.StatusOK || bytes.Contains(got.body, []byte(relayEn.title)) {
		t.Errorf("the page of a feed still has it: %d %s", got.StatusCode, got.body)
	}
	for slug, count := range n.articlesByFeed(t) {
		if was := counts[slug]; count != was-1 && slices.Contains([]string{"all", "small", "section-events", "lang-en", "tag-robotics", "source-files"}, slug) {
			t.Errorf("%s counts %d articles, had %d", slug, count, was)
		}
	}

	if again, change, err := n.WithdrawArticle(t.Context(), edition.CommandLine, withdrawn.Slug); err != nil || change != database.Unchanged || !again.WithdrawnAt.Equal(*withdrawn.WithdrawnAt) {
		t.Errorf("withdrawn again: %+v, %q, %v", again, change, err)
	}
	if n.articles(t, relayEn); n.get(t, n.PublicURL()+page).StatusCode != http.StatusGone {
		t.Error("importing it again brought it back")
	}
	n.clock.Advance(time.Hour)
	for _, want := range []database.Change{database.Changed, database.Unchanged} {
		if restored, change, err := n.RestoreArticle(t.Context(), withdrawn.Slug); err != nil || change != want || restored.WithdrawnAt != nil {
			t.Errorf("restored %+v, %q, %v", restored, change, err)
		}
	}
	checkSame(t, before, everything())
	if got := n.get(t, n.PublicURL()+page); got.StatusCode != http.StatusOK {
		t.Errorf("restored, its page answers %d", got.StatusCode)
	}
	if diff := cmp.Diff(counts, n.articlesByFeed(t)); diff != "" {
		t.Errorf("articles by feed (-before +after):\n%s", diff)
	}
}

func (n *newsroom) articlesByFeed(t *testing.T) map[string]int {
	t.Helper()
	listed, err := n.ListFeeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range listed {
		counts[f.Slug] = f.Articles
	}
	return counts
}

// What is withdrawn before an edition is planned is not in it; what was mailed is not mailed again when it is back.
func TestWithdrawnArticlesAreNotMailed(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn, seatsEn)
	if _, _, err := h.WithdrawArticle(t.Context(), edition.CommandLine, "robots-pass-the-water-on"); err != nil {
		t.Fatal(err)
	}
	if sent := h.send(t); sent.Deliveries.Sent != 1 {
		t.Fatalf("sent %+v", sent)
	}
	if titles := h.letters(t)["anna@museum.example"].digest(t).titles; !slices.Equal(titles, []string{seatsEn.title}) {
		t.Errorf("mailed %q", titles)
	}
	if _, _, err := h.WithdrawArticle(t.Context(), edition.CommandLine, "thirty-seats-for-exchange"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.RestoreArticle(t.Context(), "thirty-seats-for-exchange"); err != nil {
		t.Fatal(err)
	}
	if sent := h.send(t); sent.Editions[0].State != "skipped" {
		t.Errorf("what is back is mailed again: %+v", sent)
	}
}

// Who means no article, or more than one, is told; nothing is withdrawn.
func TestWithdrawRefuses(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.articles(t, relayEn, relayIt)
	h.DB.MustExec(`UPDATE articles.articles SET url = 'https://www.example.org/relay'`)
	for ref, want := range map[string]errs.Kind{"": errs.NotFound, "nothing": errs.NotFound, "\xff\x00": errs.NotFound, "https://www.example.org/relay": errs.Conflict} {
		for name, do := range map[string]func() error{
			"withdraw": func() error { _, _, err := h.WithdrawArticle(t.Context(), edition.CommandLine, ref); return err },
			"restore":  func() error { _, _, err := h.RestoreArticle(t.Context(), ref); return err },
		} {
			if err := do(); errs.KindOf(err) != want || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s %q: %v", name, ref, err)
			}
		}
	}
	if n := value[int](t, h, `SELECT count(*) FROM articles.articles WHERE withdrawn_at IS NOT NULL`); n != 0 {
		t.Errorf("%d are withdrawn", n)
	}
}

// Old slugs that a file declares lead to its feed, also from where it never was; applying the file again changes nothing.
func TestApplyOldSlugs(t *testing.T) {
	t.Parallel()
	h := open(t)
	feed := func(slug, oldSlugs string) string {
		return fmt.Sprintf("[[feed]]\nslug = %q\nlimit = 7\nold_slugs = [%s]\n", slug, oldSlugs)
	}
	for _, step := range []struct {
		name, declaration string
		want              string
		leads             map[string]string
	}{
		{"with a slug it never had", feed("a", `"z"`), "added", map[string]string{"a": "a", "z": "a"}},
		{"renamed", feed("b", `"a"`), "changed", map[string]string{"a": "b", "b": "b", "z": "b"}},
		{"the limit left out stays", "[[feed]]\nslug = \"b\"\n", "unchanged", map[string]string{"a": "b", "z": "b"}},
		{"renamed by the first slug of all", feed("c", `"z"`), "changed", map[string]string{"a": "c", "b": "c", "z": "c"}},
		{"all of them written down", feed("c", `"a", "b", "z"`), "unchanged", map[string]string{"a": "c", "b": "c", "z": "c"}},
		{"one more", feed("c", `"y", "b", "y"`), "changed", map[string]string{"y": "c"}},
		{"renamed back", feed("a", `"c"`), "changed", map[string]string{"a": "a", "b": "a", "c": "a", "y": "a", "z": "a"}},
	} {
		for range 2 {
			applied := h.apply(t, step.declaration)
			if want := []app.Applied{{Kind: "feed", Slug: applied[0].Slug, Change: step.want}}; !slices.Equal(applied, want) {
				t.Errorf("%s: applied %v, want %s", step.name, applied, step.want)
			}
			step.name, step.want = step.name+" again", "unchanged"
		}
		for slug, want := range step.leads {
			if f, err := h.Feeds.Find(t.Context(), h.DB, slug); err != nil || f.Slug != want || f.FirstSlug != "a" || f.Limit != 7 {
				t.Errorf("%s: %s leads to %+v, %v", step.name, slug, f, err)
			}
		}
	}
}

// A file that claims what is another feed's is refused whole.
func TestApplyRefusesTakenSlugs(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "[[feed]]\nslug = \"a\"\nold_slugs = [\"old\"]\n[[feed]]\nslug = \"b\"\n[[feed]]\nslug = \"removed\"\n")
	if _, err := h.RemoveFeed(t.Context(), "removed"); err != nil {
		t.Fatal(err)
	}
	before := h.feedRows(t)
	for name, tt := range map[string]struct{ declaration, want string }{
		"another's slug as an old one":     {"[[feed]]\nslug = \"a\"\nold_slugs = [\"b\"]\n", `feed "a": old slug: "b" is taken by another feed`},
		"another's old slug":               {"[[feed]]\nslug = \"b\"\nold_slugs = [\"old\"]\n", `feed "b": old slug: "old" is taken by the feed "a"`},
		"an old slug as a new feed":        {"[[feed]]\nslug = \"old\"\n", `feed "old": this slug leads to the feed "a"`},
		"two feeds as one":                 {"[[feed]]\nslug = \"c\"\nold_slugs = [\"a\", \"b\"]\n", `feed "c": old slug: "b" is taken by another feed`},
		"the feed of all articles renamed": {"[[feed]]\nslug = \"c\"\nold_slugs = [\"all\"]\n", `feed "c": old_slugs: rename: the feed "all" comes with the articles`},
		"a removed feed renamed":           {"[[feed]]\nslug = \"c\"\nold_slugs = [\"removed\"]\n", `feed "c": old_slugs: the feed "removed" was removed`},
		"its own slug":                     {"[[feed]]\nslug = \"a\"\nold_slugs = [\"a\"]\n", `feed "a": old slug: "a" is what the feed is called now`},
		"a section's slug":                 {"[[feed]]\nslug = \"a\"\nold_slugs = [\"section-news\"]\n", `feed "a": old slug: "section-news": slugs that begin with`},
		"no slug":                          {"[[feed]]\nslug = \"a\"\nold_slugs = [\"A\"]\n", `feed "a": old slug: "A": a slug is`},
		"no list of slugs":                 {"[[feed]]\nslug = \"a\"\nold_slugs = \"b\"\n", `old_slugs`},
		"the last of good things":          {"[[feed]]\nslug = \"new\"\n[[feed]]\nslug = \"b\"\nold_slugs = [\"c\", \"a\"]\n", `feed "b": old slug: "a" is taken by another feed`},
	} {
		_, err := h.Apply(t.Context(), strings.NewReader(tt.declaration), "silkpost.toml", false)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "silkpost.toml: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: want one line with %q, got %v", name, tt.want, err)
		}
	}
	if diff := cmp.Diff(before, h.feedRows(t)); diff != "" {
		t.Errorf("something was applied (-before +after):\n%s", diff)
	}
}

// feedRows returns all that is kept of feeds and their slugs.
func (h *house) feedRows(t *testing.T) (all []string) {
	t.Helper()
	if err := h.DB.Select(&all, `SELECT f::text FROM feeds.feeds f UNION ALL SELECT o::text FROM feeds.old_slugs o ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	return all
}

// What ListFeeds says of a feed is what its documents hold.
func TestListFeeds(t *testing.T) {
	t.Parallel()
	n := openNewsroom(t)
	n.apply(t, smallFeed)
	n.articles(t, relayEn, relayIt, seatsAr)
	listed, err := n.ListFeeds(t.Context())
	if err != nil || len(listed) < 9 {
		t.Fatalf("listed %+v, %v", listed, err)
	}
	for _, f := range listed {
		for _, url := range addresses(f.URLs) {
			feed, err := gofeed.NewParser().Parse(bytes.NewReader(n.get(t, url).body))
			if err != nil || len(feed.Items) != f.Items || !strings.Contains(url, "/feeds/"+f.Slug+".") {
				t.Errorf("%s holds %v, %v; listed %+v", url, feed, err, f)
			}
		}
	}
	if small := listed[1]; small.Slug != "small" || small.Kind != feeds.Declared || small.Title != "Small" || small.Articles != 3 || small.Items != 2 {
		t.Errorf("listed %+v", small)
	}
}
