package app_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/png"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// gallery serves images, each on a host of its own, so that none waits for another's turn.
type gallery struct {
	mu    sync.Mutex
	asked map[string]int // by path
	hosts []string
}

// hang serves at a path and returns its address.
func (g *gallery) hang(t *testing.T, path string, serve http.HandlerFunc) string {
	t.Helper()
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", 20+len(g.hosts)))
	if err != nil {
		t.Skip("this machine has one loopback address only")
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		g.mu.Lock()
		g.asked[path]++
		g.mu.Unlock()
		serve(w, r)
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	host, _, _ := net.SplitHostPort(ln.Addr().String())
	g.hosts = append(g.hosts, host)
	return "http://" + ln.Addr().String() + path
}

func (g *gallery) times(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[path]
}

// What a program brings has its images fetched by a job, made into what mail shows, and served from here. What is inside, gone, too large or none at all
// stays a link, and only what may come yet is asked for again.
func TestImagesOfArticlesThatAreBroughtAreStored(t *testing.T) {
	t.Parallel()
	g := &gallery{asked: map[string]int{}}
	webp := testkit.WebP(2400, 600, 180, 20, 20)
	late := http.StatusBadGateway
	hall := g.hang(t, "/hall.webp", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(webp) })
	gone := g.hang(t, "/gone.png", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	vast := g.hang(t, "/vast.png", func(w http.ResponseWriter, _ *http.Request) {
		for range 11 {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return // the reader has had enough
			}
		}
	})
	bomb := g.hang(t, "/bomb.png", func(w http.ResponseWriter, _ *http.Request) {
		header := []byte("IHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x06\x00\x00\x00") // 65,536 × 65,536 pixels
		_, _ = w.Write(binary.BigEndian.AppendUint32(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...), crc32.ChecksumIEEE(header)))
	})
	page := g.hang(t, "/page.png", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	slow := g.hang(t, "/late.webp", func(w http.ResponseWriter, _ *http.Request) {
		if g.mu.Lock(); late != 0 {
			w.WriteHeader(late)
		} else {
			_, _ = w.Write(testkit.WebP(30, 20, 1, 200, 3))
		}
		g.mu.Unlock()
	})
	allowed := g.hosts
	inside := g.hang(t, "/inside.png", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(webp) })
	away := g.hang(t, "/away.png", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside, http.StatusFound) })
	allowed = append(allowed, g.hosts[len(g.hosts)-1])
	host := g.hosts[len(g.hosts)-2]
	mapped := strings.Replace(inside, host, "[::ffff:"+host+"]", 1)

	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}), app.Options{Allow: allowed})
	h.apply(t, "[[source]]\nslug = \"cms\"\nkind = \"api\"\nimages = \"store\"\n")
	html := `<p>Come and see the hall.</p><img src="` + strings.Join([]string{gone, vast, bomb, page, slow, inside, mapped, away}, `"><img src="`) + `">`
	if err := h.PushArticles(t.Context(), "cms", []articles.Draft{{ExternalKey: "1", Title: "The hall", HTML: html, ImageURL: hall}}, func([]app.Pushed) {}); err != nil {
		t.Fatal(err)
	}
	now := func() articles.Article {
		t.Helper()
		found, err := h.Articles.Select(t.Context(), h.DB, articles.Selection{}, 0)
		if err != nil || len(found) != 1 {
			t.Fatalf("%d articles, %v", len(found), err)
		}
		return found[0]
	}
	tasks := func(where string) (n int) {
		if err := h.DB.Get(&n, `SELECT count(*) FROM articles.image_tasks WHERE `+where); err != nil {
			t.Error(err)
		}
		return n
	}
	stop := h.run(t, app.Parts{Web: h.web, Worker: true})
	testkit.Eventually(t, patience, "the images are asked for", func() bool { return tasks(`next_at > now() + interval '1 hour'`) == 1 })
	first := now()
	if !strings.HasPrefix(first.ImageURL, h.PublicURL()+"/media/") || strings.Contains(first.HTML, "/media/") || strings.Count(first.HTML, "<img") != 8 {
		t.Errorf("image %s of %s", first.ImageURL, first.HTML)
	}
	served := get(t, first.ImageURL)
	if picture, err := png.DecodeConfig(bytes.NewReader(served.body)); err != nil || picture.Width != 1200 || picture.Height != 300 || served.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%v, served as %s: %+v", err, served.Header.Get("Content-Type"), picture)
	}
	stop()

	g.mu.Lock()
	late = 0
	g.mu.Unlock()
	h.DB.MustExec(`UPDATE articles.image_tasks SET next_at = next_at - interval '7 hours'`)
	h.DB.MustExec(`UPDATE articles.image_origins SET fetched_at = fetched_at - interval '7 hours'`)
	h.DB.MustExec(`DELETE FROM river.river_job`)
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "what was late is there", func() bool { return strings.Contains(now().HTML, "/media/") })
	for path, want := range map[string]int{"/hall.webp": 1, "/gone.png": 1, "/bomb.png": 1, "/page.png": 1, "/late.webp": 2, "/away.png": 1, "/inside.png": 0} {
		if got := g.times(path); got != want {
			t.Errorf("%s was asked for %d times, want %d", path, got, want)
		}
	}
	var whys []string
	if err := h.DB.Select(&whys, `SELECT failure FROM articles.image_origins WHERE failure <> '' ORDER BY url`); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"there is nothing at this address (410 Gone)", "larger than", "pixels, more than", "it is no JPEG", "it redirects", "internal address"} {
		if !strings.Contains(strings.Join(whys, "\n"), says) {
			t.Errorf("nothing failed for %q:\n%s", says, strings.Join(whys, "\n"))
		}
	}
}
