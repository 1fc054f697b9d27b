package feeds_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// serve runs a real server over b's feeds and returns a client that follows nothing and unpacks nothing.
func (b *bundle) serve(t *testing.T) func(method, path string, header ...string) *http.Response {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/feeds/{file}", feeds.NewHandler(b.feeds, b.db, publicURL, testkit.Log(t)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return func(method, path string, header ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for pair := range slices.Chunk(header, 2) {
			req.Header.Add(pair[0], pair[1])
			if pair[0] == "Host" {
				req.Host = pair[1]
			}
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestServesEveryFormat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", Section: "News"})
	get := b.serve(t)
	types := map[feeds.Format]string{
		feeds.RSS: "application/rss+xml; charset=utf-8", feeds.Atom: "application/atom+xml; charset=utf-8",
		feeds.JSON: "application/feed+json; charset=utf-8",
	}
	for format, mediaType := range types {
		for _, slug := range []string{"all", "section-news", "lang-en", "lang-EN"} {
			path := "/feeds/" + slug + "." + string(format)
			resp := get("GET", path+"?x=<evil>", "Host", "evil.example", "X-Forwarded-Host", "evil.example", "Accept", "text/html")
			want := b.load(t, slug, format)
			if got := body(t, resp); resp.StatusCode != 200 || got != string(want.Body) || strings.Contains(got, "evil") {
				t.Errorf("%s: %s\n%s", path, resp.Status, got)
			}
			for name, value := range map[string]string{
				"Content-Type": mediaType, "Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding", "Set-Cookie": "",
				"X-Content-Type-Options": "nosniff", "Last-Modified": day(1).UTC().Format(http.TimeFormat), "Content-Encoding": "",
			} {
				if got := resp.Header.Get(name); got != value {
					t.Errorf("%s: %s is %q, want %q", path, name, got, value)
				}
			}
			if cors := resp.Header.Get("Access-Control-Allow-Origin"); (cors == "*") != (format == feeds.JSON) {
				t.Errorf("%s: Access-Control-Allow-Origin is %q", path, cors)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	get := setup(t).serve(t)
	cases := []struct {
		method, path string
		status       int
	}{
		{"GET", "/feeds/none.rss", 404},
		{"GET", "/feeds/all", 404},
		{"GET", "/feeds/rss", 404},
		{"GET", "/feeds/all.opml", 404},
		{"GET", "/feeds/.rss", 404},
		{"GET", "/feeds/lang-en.rss", 404},
		{"HEAD", "/feeds/none.json", 404},
		{"GET", "/feeds/%00%ff%0a.rss", 404},
		{"GET", "/feeds/lang-%00.atom", 404},
		{"GET", "/feeds/section-%27.atom", 404},
		{"POST", "/feeds/all.rss", 405},
		{"DELETE", "/feeds/none.rss", 405},
		{"OPTIONS", "/feeds/all.json", 405},
	}
	for _, c := range cases {
		resp := get(c.method, c.path)
		if resp.StatusCode != c.status || strings.Count(body(t, resp), "\n") > 1 {
			t.Errorf("%s %s: %s, want %d", c.method, c.path, resp.Status, c.status)
		}
		if allow := resp.Header.Get("Allow"); (allow == "GET, HEAD") != (c.status == 405) {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, allow)
		}
		if resp.Header.Get("ETag") != "" || resp.Header.Get("Cache-Control") != "" {
			t.Errorf("%s %s: caching headers on a refusal", c.method, c.path)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "en"})
	get := b.serve(t)
	const path = "/feeds/all.json"
	plain, packed := get("GET", path), get("GET", path, "Accept-Encoding", "gzip")
	etag, zipped := plain.Header.Get("ETag"), packed.Header.Get("ETag")
	if etag == zipped || !strings.HasPrefix(etag, `"`) || !strings.HasPrefix(zipped, `"`) {
		t.Fatalf("want two strong entity tags, got %s and %s", etag, zipped)
	}
	same, older, newer := plain.Header.Get("Last-Modified"), day(1).UTC().Format(http.TimeFormat), day(3).UTC().Format(http.TimeFormat)
	cases := []struct {
		name   string
		header []string
		status int
	}{
		{"its tag", []string{"If-None-Match", etag}, 304},
		{"weak", []string{"If-None-Match", "W/" + etag}, 304},
		{"in a list", []string{"If-None-Match", `"a,b" , W/"x",` + etag}, 304},
		{"in the second line", []string{"If-None-Match", `"a"`, "If-None-Match", etag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"another", []string{"If-None-Match", `"another"`}, 200},
		{"unquoted", []string{"If-None-Match", strings.Trim(etag, `"`)}, 200},
		{"of the other encoding", []string{"If-None-Match", zipped}, 200},
		{"of this encoding", []string{"If-None-Match", zipped, "Accept-Encoding", "gzip"}, 304},
		{"of no encoding", []string{"If-None-Match", etag, "Accept-Encoding", "gzip"}, 200},
		{"as old", []string{"If-Modified-Since", same}, 304},
		{"newer", []string{"If-Modified-Since", newer}, 304},
		{"older", []string{"If-Modified-Since", older}, 200},
		{"no date", []string{"If-Modified-Since", "yesterday"}, 200},
		{"tag before date", []string{"If-None-Match", `"another"`, "If-Modified-Since", newer}, 200},
		{"tag without date", []string{"If-None-Match", etag, "If-Modified-Since", older}, 304},
	}
	for _, c := range cases {
		for _, method := range []string{"GET", "HEAD"} {
			resp := get(method, path, c.header...)
			text := body(t, resp)
			if resp.StatusCode != c.status {
				t.Errorf("%s %s: %s, want %d", method, c.name, resp.Status, c.status)
			}
			if (text == "") != (c.status == 304 || method == "HEAD") {
				t.Errorf("%s %s: a body of %d bytes", method, c.name, len(text))
			}
			full := get("GET", path, append(slices.Clone(c.header), "If-None-Match", `"-"`)...)
			if c.status == 200 {
				full = get("GET", path, c.header...)
			}
			for _, name := range []string{"ETag", "Last-Modified", "Cache-Control", "Vary", "Access-Control-Allow-Origin"} {
				if got := resp.Header.Get(name); got == "" || got != full.Header.Get(name) && !strings.HasPrefix(c.name, "any") {
					t.Errorf("%s %s: %s is %q, want %q", method, c.name, name, got, full.Header.Get(name))
				}
			}
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	t.Parallel()
	get := setup(t).serve(t)
	for _, encoding := range []string{"gzip", "identity"} {
		full, head := get("GET", "/feeds/all.atom", "Accept-Encoding", encoding), get("HEAD", "/feeds/all.atom", "Accept-Encoding", encoding)
		full.Header.Del("Date")
		head.Header.Del("Date")
		if diff := cmp.Diff(full.Header, head.Header); diff != "" || full.ContentLength != head.ContentLength || head.ContentLength <= 0 {
			t.Errorf("%s: %d and %d bytes (-get +head):\n%s", encoding, full.ContentLength, head.ContentLength, diff)
		}
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>" + strings.Repeat("Long text. ", 500) + "</p>"})
	get := b.serve(t)
	resp := get("GET", "/feeds/all.rss", "Accept-Encoding", "br, gzip;q=0.5")
	if resp.Header.Get("Content-Encoding") != "gzip" || resp.ContentLength > 2000 {
		t.Errorf("Content-Encoding %q, %d bytes", resp.Header.Get("Content-Encoding"), resp.ContentLength)
	}
	zip, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil || string(text) != string(b.load(t, "all", feeds.RSS).Body) {
		t.Errorf("unpacked, %v:\n%s", err, text)
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "x-gzip": true, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false,
		"*": true, "*;q=0": false, "gzip;q=0, *": false, "identity": false, "br": false, "gzip;q=x": false, "gzipped": false, "gzip ; q=0.1": true,
	} {
		if got := feeds.AcceptsGzip([]string{header}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func FuzzMatches(f *testing.F) {
	for _, list := range []string{`"a"`, `W/"a", "b"`, `*`, `"`, `,,"a`, `W/`, "\"\x00\""} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if feeds.Matches(list, `"tag"`) && !strings.Contains(list, `"tag"`) && strings.TrimSpace(list) != "*" {
			t.Errorf("%q matched", list)
		}
	})
}

// The entity tag changes when the content does, and returns when the content does.
func TestETagFollowsContent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	get := b.serve(t)
	tag := func() string { return get("GET", "/feeds/all.rss").Header.Get("ETag") }
	declare := func(n int, f feeds.Feed) {
		if _, err := b.feeds.Declare(t.Context(), b.db, f, day(n)); err != nil {
			t.Fatal(err)
		}
	}
	first := tag()
	declare(2, feeds.Feed{Slug: "all", Title: database.StringMap{"en": "Everything"}})
	second := tag()
	declare(3, feeds.Feed{Slug: "all", Title: database.StringMap{"en": "All articles"}})
	if second == first || tag() != first {
		t.Errorf("tags %s, %s, %s: want the third like the first and the second another", first, second, tag())
	}
	b.publish(t, day(4), articles.Draft{ExternalKey: "2", Language: "it", Published: day(1)})
	if tag() == first {
		t.Error("a new article left the entity tag as it was")
	}
}

// A feed of fifty articles of 5 KB, through the handler alone.
func BenchmarkHandler(b *testing.B) {
	at := setup(b)
	drafts := make([]articles.Draft, 50)
	for i := range drafts {
		drafts[i] = articles.Draft{
			ExternalKey: strconv.Itoa(i), Language: "en",
			HTML: strings.Repeat("<p>A paragraph of some length, with a <a href=\"https://www.example.org/\">link</a> in it.</p>\n", 52),
		}
	}
	at.publish(b, day(1), drafts...)
	handler := feeds.NewHandler(at.feeds, at.db, publicURL, testkit.Log(b))
	for name, header := range map[string][2]string{"plain": {"X", ""}, "gzip": {"Accept-Encoding", "gzip"}, "304": {"If-None-Match", "*"}} {
		b.Run(name, func(b *testing.B) {
			req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/feeds/all.rss", nil)
			req.SetPathValue("file", "all.rss")
			req.Header.Set(header[0], header[1])
			for b.Loop() {
				handler.ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
}
