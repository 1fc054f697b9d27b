package templates_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"silkpost/templates"
)

// Every page renders in every language, with full, odd and no data, and comes out as one well-formed document that needs
// nothing which a strict Content-Security-Policy forbids.
func TestPages(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, lang := range set.Catalogues() {
		for _, p := range pages() {
			t.Run(lang+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				var buf bytes.Buffer
				if err := set.Page(&buf, lang, p.page); err != nil {
					t.Fatal(err)
				}
				root := parse(t, buf.String())
				if got := attribute(find(root, "html")[0], "lang"); got != lang {
					t.Errorf("lang is %q, want %q", got, lang)
				}
				checkStrict(t, root, templates.Scripted(p.page))
				checkHarmless(t, root)
				if p.name != "catcher-raw" && p.name != "catcher-text" {
					checkOverrides(t, buf.String())
				}
				if len(find(root, "h1")) != 1 || len(find(root, "main")) != 1 {
					t.Error("a page has one main heading in one main part")
				}
			})
		}
	}
}

func TestPageInAnUnknownLanguageIsEnglish(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := newSet(t).Page(&buf, "tlh", templates.ErrorPage{Status: 404}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(buf.String(), "There is no such page") {
		t.Errorf("no English words in\n%s", buf.String())
	}
}

func TestErrorPageSpeaksForEachStatus(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	seen := map[string]int{}
	for _, status := range []int{400, 403, 404, 405, 410, 429, 500, 503} {
		var buf bytes.Buffer
		if err := set.Page(&buf, "en", templates.ErrorPage{Status: status}); err != nil {
			t.Fatal(err)
		}
		title := text(find(parse(t, buf.String()), "h1")[0])
		if other, ok := seen[title]; ok {
			t.Errorf("%d and %d both say %q", other, status, title)
		}
		seen[title] = status
	}
}

// What is recorded of a press is what stood on the button, or beside the choice.
func TestWordsAreThoseThatAreShown(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	const list = "News for our partners"
	every := preferences()
	for i := range every.Subscriptions {
		every.Subscriptions[i].ListName = list
	}
	for do, page := range map[string]templates.Page{
		templates.DoSubscribe: templates.SubscribePage{ListName: list},
		templates.DoConfirm:   templates.ConfirmPage{ListName: list},
		templates.DoTogether:  templates.ConfirmPage{ListName: list, Together: []templates.Choice{{Label: list}}},
		templates.DoRelease:   templates.ChangePage{Release: true},
		templates.DoChange:    templates.ChangePage{},
		templates.DoLeave:     templates.UnsubscribePage{ListName: list},
		templates.DoLeaveAll:  templates.UnsubscribePage{ListName: list, Others: true},
		templates.DoUndo:      templates.UnsubscribePage{ListName: list, Done: true, Nonce: "AAAA", Undo: "BBBB"},
		templates.DoReturn:    templates.UnsubscribePage{ListName: list, Done: true, Nonce: "AAAA"},
		templates.DoPause:     every,
		templates.DoBack:      every,
		templates.DoSave:      every,
		templates.DoAsk:       every,
	} {
		for _, lang := range set.Catalogues() {
			var buf bytes.Buffer
			if err := set.Page(&buf, lang, page); err != nil {
				t.Fatal(err)
			}
			want, err := set.Words(lang, do, list)
			if err != nil || !strings.Contains(text(parse(t, buf.String())), want) {
				t.Errorf("%s, %s: %q is not on the page, %v", lang, do, want, err)
			}
			if _, posts := page.(templates.PreferencesPage); posts {
				continue
			}
			shown := map[string]string{}
			for _, button := range find(parse(t, buf.String()), "button") {
				shown[attribute(button, "value")] = text(button)
			}
			if got := shown[do]; got != want && do != templates.DoSubscribe {
				t.Errorf("%s: the button for %s says %q, want %q", lang, do, got, want)
			}
		}
	}
	for _, pause := range templates.Pauses {
		if words, err := set.PauseWords("en", pause); err != nil || !strings.HasPrefix(words, "Pause: ") {
			t.Errorf("%s: %q, %v", pause, words, err)
		}
	}
	if _, err := set.Words("en", "dance", list); err == nil {
		t.Error("there are words for what nobody can press")
	}
}

// Everywhere on the pages of those who read the language can be switched by links that do nothing else.
func TestPagesOfReadersSwitchLanguage(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, p := range peoplePages() {
		var buf bytes.Buffer
		if err := set.Page(&buf, "it", p.page); err != nil {
			t.Fatal(err)
		}
		leads := map[string]string{}
		for _, a := range find(parse(t, buf.String()), "a") {
			if tag := attribute(a, "hreflang"); tag != "" {
				leads[tag] = attribute(a, "href") + " " + text(a) + " " + attribute(a, "dir")
				if attribute(a, "lang") != tag {
					t.Errorf("%s: the name of %s is marked as %q", p.name, tag, attribute(a, "lang"))
				}
			}
		}
		if len(leads) != len(set.Catalogues())-1 || leads["ar"] != "?lang=ar العربية rtl" || leads["en"] != "?lang=en English ltr" ||
			leads["zh-Hans"] != "?lang=zh-Hans 简体中文 ltr" {
			t.Errorf("%s leads to %v", p.name, leads)
		}
	}
}

func TestArticlePagePointsToItsSourceAndFeeds(t *testing.T) {
	t.Parallel()
	page := templates.ArticlePage{
		Title: "River", Language: "en", URL: "https://post.example.org/articles/river",
		Feeds: []templates.FeedLink{{Type: "application/atom+xml", Title: "All", URL: "https://post.example.org/feeds/all.atom"}},
	}
	for source, want := range map[string]string{
		"https://www.example.org/river": "https://www.example.org/river",
		"":                              page.URL,
		"javascript:alert(1)":           page.URL,
	} {
		page.SourceURL = source
		var buf bytes.Buffer
		if err := newSet(t).Page(&buf, "en", page); err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, link := range find(parse(t, buf.String()), "link") {
			found[attribute(link, "rel")] = attribute(link, "href")
		}
		if found["canonical"] != want || found["alternate"] != page.Feeds[0].URL {
			t.Errorf("with source %q the links are %v", source, found)
		}
	}
}

func TestCatcherShowsMailInASandbox(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	page := templates.CatcherMessage{View: templates.CatcherHTML, HTMLURL: "/messages/1/html", URL: "/messages/1"}
	if err := newSet(t).Page(&buf, "en", page); err != nil {
		t.Fatal(err)
	}
	frame := find(parse(t, buf.String()), "iframe")[0]
	sandbox := attribute(frame, "sandbox")
	if attribute(frame, "src") != page.HTMLURL || strings.Contains(sandbox, "scripts") || strings.Contains(sandbox, "same-origin") {
		t.Errorf("frame of %q with sandbox %q", attribute(frame, "src"), sandbox)
	}
}

func TestSetIsSharedByGoroutines(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	var wg sync.WaitGroup
	for _, lang := range set.Catalogues() {
		for range 4 {
			wg.Go(func() {
				for _, p := range pages() {
					if err := set.Page(&bytes.Buffer{}, lang, p.page); err != nil {
						t.Error(err)
					}
				}
				if _, err := set.Digest(digest(lang)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
}

// checkStrict finds what style-src 'self' would block, and script-src 'none', or 'self' when the page is scripted.
func checkStrict(t *testing.T, root *html.Node, scripted bool) {
	t.Helper()
	if len(find(root, "style")) > 0 {
		t.Error("there is a style element")
	}
	for _, script := range find(root, "script") {
		if !scripted || script.FirstChild != nil || !strings.HasPrefix(attribute(script, "src"), templates.StaticPrefix) {
			t.Errorf("there is a script element with %v", script.Attr)
		}
	}
	for n := range root.Descendants() {
		if attribute(n, "style") != "" {
			t.Errorf("%s has a style attribute", n.Data)
		}
		if n.Data == "link" && attribute(n, "rel") == "stylesheet" && !strings.HasPrefix(attribute(n, "href"), templates.StaticPrefix) {
			t.Errorf("a stylesheet at %s", attribute(n, "href"))
		}
	}
}

// checkHarmless finds markup and addresses that only hostile data can have brought in.
func checkHarmless(t *testing.T, root *html.Node) {
	t.Helper()
	for _, script := range find(root, "script") {
		if script.FirstChild != nil {
			t.Error("foreign text became a script")
		}
	}
	if len(find(root, "svg")) > 0 {
		t.Error("foreign text became an element")
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			value := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "feed:")
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(value, "javascript:") && (a.Key == "href" || a.Key == "src") ||
				strings.HasPrefix(value, "data:") {
				t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
}

// checkOverrides finds controls that would turn the direction of what follows.
func checkOverrides(t *testing.T, s string) {
	t.Helper()
	if strings.ContainsAny(s, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067") || strings.Count(s, "\u2068") != strings.Count(s, "\u2069") {
		t.Error("a bidirectional control got through")
	}
}

func parse(t *testing.T, document string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func find(root *html.Node, name string) []*html.Node {
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var all strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			all.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(all.String())
}
