package sources

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// site serves pages by path; feeds are pages whose text begins with "feed " and the number of items.
func site(t *testing.T, pages map[string]string) (*fetch.Client, string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		items := 0
		if _, err := fmt.Sscanf(page, "feed %d", &items); err != nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, page)
			return
		}
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>%s</title>`, page)
		for i := range items {
			fmt.Fprintf(w, `<item><guid>%d</guid><title>Title %d</title><link>https://www.example.org/%d</link><description>Words.</description></item>`, i, i, i)
		}
		fmt.Fprint(w, `</channel></rss>`)
	}))
	client := fetch.New("127.0.0.1")
	t.Cleanup(func() { client.Close(); srv.Close() })
	return client, srv.URL
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pages map[string]string
		want  []string // via and path
	}{
		"the address is a feed": {map[string]string{"/": "feed 2"}, []string{"itself /"}},
		"head": {map[string]string{
			"/":     `<head><link rel="alternate" type="application/rss+xml" href="/all" title="All"><link rel=alternate hreflang=de href=/de></head>`,
			"/all":  "feed 1",
			"/feed": "feed 3", // not asked: the page said where its feed is
		}, []string{"link /all"}},
		"comments come last": {map[string]string{
			"/":               `<link rel="alternate" type="application/rss+xml" href="/comments/feed/"><LINK REL="Alternate" TYPE="Application/RSS+XML" HREF="/posts">`,
			"/comments/feed/": "feed 9", "/posts": "feed 1",
		}, []string{"link /posts", "link /comments/feed/"}},
		"an empty feed comes behind": {map[string]string{
			"/":                `<link rel="alternate" type="application/atom+xml" href="/empty"><a href="/news?format=rss">News</a>`,
			"/empty":           "feed 0",
			"/news?format=rss": "feed 1",
		}, []string{"anchor /news?format=rss", "link /empty"}},
		"anchors": {map[string]string{
			"/":          `<base href="/sub/"><a href="x.xml">RSS订阅</a> <a href="mailto:rss@example.org">RSS</a> <a href="/about">About</a>`,
			"/sub/x.xml": "feed 1",
		}, []string{"anchor /sub/x.xml"}},
		"usual places":          {map[string]string{"/": "Words", "/rss.xml": "feed 1"}, []string{"guess /rss.xml"}},
		"what is named is gone": {map[string]string{"/": `<link rel="alternate" type="application/rss+xml" href="/gone">`, "/feed": "feed 1"}, []string{"guess /feed"}},
		"a page for every path": {map[string]string{"/": "Words", "/feed": "<p>Not here</p>", "/rss.xml": "<p>Not here</p>"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, address := site(t, tt.pages)
			found, err := Discover(t.Context(), client, address+"/")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found.Feeds {
				got = append(got, f.Via+" "+f.URL[len(address):])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if found.Page == nil || found.Page.URL != address+"/" {
				t.Errorf("page %+v", found.Page)
			}
		})
	}
}

func TestDiscoverFails(t *testing.T) {
	t.Parallel()
	client, address := site(t, nil)
	if _, err := Discover(t.Context(), client, address+"/"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("error = %v", err)
	}
}
