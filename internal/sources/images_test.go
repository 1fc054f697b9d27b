package sources

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/testkit"
)

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	made := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		made.SetNRGBA(i%width, i/width, color.NRGBA{uint8(i), uint8(i >> 8), 7, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, made); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImagesAreStored(t *testing.T) {
	t.Parallel()
	var asked, broken atomic.Int64
	broken.Store(1)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	serve := func(path string, body []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			_, _ = w.Write(body)
		})
	}
	serve("/hall.png", picture(t, 1800, 20))
	serve("/drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`))
	mux.HandleFunc("/late.png", func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() > 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write(picture(t, 30, 20))
	})
	mux.HandleFunc("/away.png", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	text := "Come and see the hall."
	mux.HandleFunc("/feed", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>The hall</title><link>%s/1</link><description><![CDATA[<p>%s</p>`+
			`<img src="/hall.png" alt="Hall"><img src="hall.png?2"><img src="/drawing.svg"><img src="/late.png"><img src="/away.png">]]></description></item></channel></rss>`,
			server.URL, text)
	})
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := fetch.New(u.Hostname())
	t.Cleanup(client.Close)
	db := testkit.DB(t)
	store := &articles.Store{PublicURL: func() string { return "https://news.example.org" }}
	poller := &Poller{DB: db, Store: store, Fetch: client}
	now := time.Date(2031, 5, 12, 8, 0, 0, 0, time.UTC)
	_, _, err = store.UpsertSource(t.Context(), db, articles.Source{
		Slug: "site", Kind: articles.KindFeed, URL: server.URL + "/feed", Settings: articles.Settings{Images: articles.ImagesStore},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	poll := func(stored int) articles.Article {
		t.Helper()
		now = now.Add(7 * time.Hour)
		source, err := store.SourceBySlug(t.Context(), db, "site")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := poller.Poll(t.Context(), source, now); err != nil {
			t.Fatal(err)
		}
		if n, err := poller.StoreImages(t.Context(), source, now); err != nil || n != stored {
			t.Errorf("%d images stored, want %d; %v", n, stored, err)
		}
		all, err := store.Select(t.Context(), db, articles.Selection{}, 0)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d articles, %v", len(all), err)
		}
		return all[0]
	}
	ours := func(a articles.Article) int { return strings.Count(a.HTML, `src="https://news.example.org/media/`) }
	first := poll(2)
	if ours(first) != 2 || strings.Count(first.HTML, server.URL) != 3 {
		t.Errorf("after the first poll: %s", first.HTML)
	}
	broken.Store(0)
	second := poll(1)
	if ours(second) != 3 || !second.UpdatedAt.Equal(first.UpdatedAt) || second.Revision == first.Revision {
		t.Errorf("after the second poll: %s (updated %v, %v)", second.HTML, first.UpdatedAt, second.UpdatedAt)
	}
	was := asked.Load()
	text += " It opens in May."
	if third := poll(0); ours(third) != 3 || !strings.Contains(third.HTML, "in May") {
		t.Errorf("after an edit: %s", third.HTML)
	}
	if asked.Load() != was {
		t.Errorf("images that are here, or are none, were asked for %d times more", asked.Load()-was)
	}
	file := second.HTML[strings.Index(second.HTML, "/media/")+len("/media/"):]
	file, _, _ = strings.Cut(file, `"`)
	stored, err := store.Image(t.Context(), db, file)
	if err != nil || len(stored.Body) == 0 {
		t.Errorf("%q: %v", file, err)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(stored.Body))
	if err != nil || config.Width != 1200 {
		t.Errorf("it is %d wide, %v", config.Width, err)
	}
	for _, unknown := range []string{"", "x", strings.Repeat("0", 32) + ".jpg", file[:32] + ".svg", file[:32]} {
		if _, err := store.Image(t.Context(), db, unknown); errs.KindOf(err) != errs.NotFound {
			t.Errorf("image %q: %v", unknown, err)
		}
	}
	// What nobody shows any more goes, but not at once: mails still show it.
	if err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := store.Save(t.Context(), tx, articles.Source{ID: second.SourceID, Slug: "site", Settings: articles.Settings{Images: articles.ImagesStore}},
			[]articles.Draft{{ExternalKey: "1", Title: "The hall", Text: "No pictures."}}, articles.SaveOptions{Now: now})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := store.RemoveUnusedImages(t.Context(), db, now.Add(89*24*time.Hour)); err != nil || n != 0 {
		t.Errorf("after 89 days: %d removed, %v", n, err)
	}
	if n, err := store.RemoveUnusedImages(t.Context(), db, now.Add(91*24*time.Hour)); err != nil || n != 2 {
		t.Errorf("after 91 days: %d removed, %v", n, err)
	}
}
