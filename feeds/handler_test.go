package feeds_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
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
	clock := testkit.NewClock(day(20))
	handler := feeds.NewHandler(b.feeds, b.db, publicURL, feeds.Options{Clock: clock, Log: testkit.Log(t), CacheBytes: 1 << 20})
	for _, path := range []string{"/feeds/{file}", "/feeds/{slug}/{file}", "/feeds/p/{file}"} {
		mux.Handle(path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return func(method, path string, header ...string) *http.Response {
		t.Helper()
		clock.Advance(time.Second) // what was true a second ago is asked for anew
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
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", Section: "News", Tags: []string{"robots"}})
	get := b.serve(t)
	types := map[feeds.Format]string{
		feeds.RSS: "application/rss+xml; charset=utf-8", feeds.Atom: "application/atom+xml; charset=utf-8",
		feeds.JSON: "application/feed+json; charset=utf-8",
	}
	for format, mediaType := range types {
		for _, slug := range []string{"all", "section-news", "lang-en", "tag-robots", "source-desk"} {
			path := "/feeds/" + slug + "." + string(format)
			resp := get("GET", path+"?x=<evil>", "Host", "evil.example", "X-Forwarded-Host", "evil.example", "Accept", "text/html")
			want := b.load(t, slug, format)
			if got := body(t, resp); resp.StatusCode != 200 || got != string(want.Body) || strings.Contains(got, "evil") {
				t.Errorf("%s: %s\n%s", path, resp.Status, got)
			}
			for name, value := range map[string]string{
				"Content-Type": mediaType, "Cache-Control": "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400", "Set-Cookie": "",
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
		{"GET", "/feeds/all/before-20200101T000000Z-1.rss", 404},
		{"GET", "/feeds/all/before-2020.rss", 404},
		{"GET", "/feeds/all/x.rss", 404},
		{"GET", "/feeds/p/TOKEN.atom", 404},
		{"GET", "/feeds/p/.atom", 404},
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

func TestCompression(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>" + strings.Repeat("Long text. ", 500) + "</p>"})
	get := b.serve(t)
	for _, c := range []struct {
		accept, want string
		reader       func(io.Reader) (io.Reader, error)
	}{
		{"br;q=0.4, gzip;q=0.5", "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"gzip, deflate, br", "br", func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }},
	} {
		resp := get("GET", "/feeds/all.rss", "Accept-Encoding", c.accept)
		if resp.Header.Get("Content-Encoding") != c.want || resp.ContentLength > 2000 || !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: Content-Encoding %q, %d bytes, Vary %q", c.accept, resp.Header.Get("Content-Encoding"), resp.ContentLength, resp.Header.Get("Vary"))
		}
		unpacked, err := c.reader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(unpacked)
		if err != nil || string(text) != string(b.load(t, "all", feeds.RSS).Body) {
			t.Errorf("%s unpacked, %v:\n%s", c.accept, err, text)
		}
	}
}

func TestAcceptedEncoding(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "GZIP": "gzip", "x-gzip": "gzip", "deflate, gzip;q=1.0, *;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.000": "",
		"*": "br", "*;q=0": "", "gzip;q=0, *": "br", "identity": "", "br": "br", "gzip;q=x": "", "gzipped": "", "gzip ; q=0.1": "gzip",
		"gzip, deflate, br, zstd": "br", "br;q=0.5, gzip": "gzip", "br;q=0, gzip;q=0": "", "br;q=0, *": "gzip",
		"br;q=0.5, identity;q=1": "", "br, identity": "br", "gzip;q=0.5, identity;q=0.5": "gzip",
	} {
		if got := feeds.Accepted([]string{header}); string(got) != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	if got := feeds.Accepted([]string{"gzip;q=0.5", "br;q=0.1"}); string(got) != "gzip" {
		t.Errorf("two lines: %q", got)
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
