package sources

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

func checkSite(t *testing.T, path string, pages map[string]string) (Finding, string, error) {
	t.Helper()
	_, root := startSite(t, pages)
	client := fetch.New("127.0.0.1")
	t.Cleanup(client.Close)
	found, err := Check(t.Context(), client, root+path)
	return found, root, err
}

func TestCheckShowsDatesOfEdits(t *testing.T) {
	t.Parallel()
	found, _, err := checkSite(t, "/atom.xml", map[string]string{"/atom.xml": `<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>x</id>
		<entry><id>1</id><title>One</title><updated>2020-05-11T08:00:00Z</updated><content>Text of it.</content></entry></feed>`})
	if err != nil || len(found.Found) != 1 || found.Found[0].Articles[0].Published == nil || found.Found[0].Articles[0].Published.Format("2006-01-02") != "2020-05-11" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestCheckShowsAddressAndDateOfUntitledPages(t *testing.T) {
	t.Parallel()
	found, root, err := checkSite(t, "/news/", map[string]string{
		"/news/":       frameOf(`<ul class="list">` + listItems(1, 6) + `</ul>`),
		"/sitemap.xml": `<urlset><url><loc>ROOT/news/hall-1/</loc><lastmod>2020-05-11T08:00:00Z</lastmod></url></urlset>`,
	})
	if err != nil || len(found.Found) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	page := found.Found[1].Articles[0]
	if page.Title != "" || page.Language != "" || page.URL != root+"/news/hall-1/" || page.Published == nil || page.Published.Format("2006-01-02") != "2020-05-11" {
		t.Errorf("%+v", page)
	}
}

func TestCheckSaysWhatIsNoFeed(t *testing.T) {
	t.Parallel()
	const shell = `<!DOCTYPE html><html><head><title>Soon</title></head><body><p>We are back soon.</p></body></html>`
	for name, tt := range map[string]struct {
		path  string
		pages map[string]string
		says  string
	}{
		"a page at a feed's address": {"/feed.xml", map[string]string{"/feed.xml": shell}, "a feed was looked for, but ROOT/feed.xml: this is a web page, not a feed"},
		"a page that the head names": {
			"/",
			map[string]string{"/": `<link rel="alternate" type="application/rss+xml" href="/all"><p>Welcome</p>`, "/all": shell},
			"a feed was looked for, but ROOT/all: this is a web page, not a feed",
		},
		"nothing that the head names": {
			"/",
			map[string]string{"/": `<link rel="alternate" type="application/rss+xml" href="/all"><p>Welcome</p>`},
			"a feed was looked for, but ROOT/all: there is nothing at this address (404 Not Found)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, root, err := checkSite(t, tt.path, tt.pages)
			nothing := found.NothingThere()
			if err != nil || nothing == nil || errs.KindOf(nothing) != errs.NotFound || strings.Contains(nothing.Error(), "\n") {
				t.Fatalf("%+v, %v, %v", found, nothing, err)
			}
			for _, says := range []string{strings.ReplaceAll(tt.says, "ROOT", root), "try the address of the page on which the site lists its news"} {
				if !strings.Contains(nothing.Error(), says) {
					t.Errorf("%q is not in %v", says, nothing)
				}
			}
		})
	}
}

func TestCheckOfAnEmptyFeed(t *testing.T) {
	t.Parallel()
	found, _, err := checkSite(t, "/feed.xml", map[string]string{"/feed.xml": `<rss version="2.0"><channel><title>News</title></channel></rss>`})
	if err != nil || len(found.Found) != 1 || found.Found[0].About != `a feed without articles so far, called "News"` {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestCheckCountsAllRecordsOfAColumn(t *testing.T) {
	t.Parallel()
	record := func(id string) string {
		return `<record><![CDATA[<li><a href="/art/2020/4/12/art_29_` + id + `.html" title="第十二届国际科学节在示例市开幕">第十二届</a><span>2020-04-12</span></li>]]></record>`
	}
	found, _, err := checkSite(t, "/col/col29/index.html", map[string]string{"/col/col29/index.html": `<html><title>工作动态</title><body><script type="text/xml"><datastore>
		<nextgroup><![CDATA[<a href="/module/web/jpage/dataproxy.jsp?page=2&amp;columnid=29&amp;unitid=1737"></a>]]></nextgroup><totalrecord>1234</totalrecord>
		<recordset>` + record("1") + record("2") + `</recordset></datastore></script></body></html>`})
	if err != nil || len(found.Found) != 1 || !strings.Contains(found.Found[0].About, ", 1234 articles") {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestCheckOfWhatIsGone(t *testing.T) {
	t.Parallel()
	_, root, err := checkSite(t, "/news/old", nil)
	if errs.KindOf(err) != errs.NotFound || !strings.HasSuffix(err.Error(), "; silkpost source check "+root+"/ looks for where the site has its news now") {
		t.Errorf("%v", err)
	}
	if _, _, err := checkSite(t, "/", nil); errs.KindOf(err) != errs.NotFound || strings.Contains(err.Error(), "source check") {
		t.Errorf("the home page itself: %v", err)
	}
}

// endlessSite answers each path but its front page with a body that never ends: as fast as it is read, or a byte and then nothing.
func endlessSite(t *testing.T, front string, fast bool) (root string, requests *atomic.Int32) {
	t.Helper()
	requests = &atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("Content-Type", "text/html")
		if front != "" && r.URL.Path == "/" {
			_, _ = w.Write([]byte(front))
			return
		}
		some := bytes.Repeat([]byte("<p>Words</p>\n"), 5000)
		for fast {
			if _, err := w.Write(some); err != nil {
				return
			}
		}
		_, _ = w.Write(some[:1])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	return srv.URL, requests
}

func TestCheckEndsWhenAnswersDoNot(t *testing.T) {
	t.Parallel()
	links := `<link rel="alternate" type="application/rss+xml" href="/a"><link rel="alternate" type="application/rss+xml" href="/b">` +
		frameOf(`<ul class="list">`+listItems(1, 6)+`</ul>`)
	client := fetch.New("127.0.0.1")
	t.Cleanup(client.Close)

	root, requests := endlessSite(t, "", true)
	if _, err := Check(t.Context(), client, root+"/"); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "larger than 10485760 bytes") || requests.Load() != 1 {
		t.Errorf("the page itself: %v after %d requests", err, requests.Load())
	}
	root, requests = endlessSite(t, links, true)
	found, err := Check(t.Context(), client, root+"/")
	if err != nil || len(found.Found) != 1 || len(found.Found[0].Articles) != 1 {
		t.Errorf("all that it leads to: %+v, %v", found, err)
	}
	const most = 5 // the page, one feed, robots.txt, the sitemap, one article
	if requests.Load() > most {
		t.Errorf("%d endless answers were asked for", requests.Load()-1)
	}
	const soon = 200 * time.Millisecond
	root, _ = endlessSite(t, "", false)
	if _, err := checkWithin(t.Context(), soon, client, root+"/"); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "came within 200ms; try again later") {
		t.Errorf("one that waits for ever: %v", err)
	}
}
