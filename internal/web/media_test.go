package web_test

import (
	"net/http"
	"strings"
	"testing"

	"silkpost/internal/articles"
	"silkpost/internal/media"
)

func TestMedia(t *testing.T) {
	t.Parallel()
	s := open(t)
	store := &articles.Store{}
	body := []byte("\x89PNG\r\n\x1a\n<script>alert(1)</script>")
	if err := store.KeepImage(t.Context(), s.db, "https://www.example.org/i.png", media.Image{Body: body, Ext: "png", Width: 3, Height: 3}, now); err != nil {
		t.Fatal(err)
	}
	var hash string
	if err := s.db.Get(&hash, `SELECT hash FROM articles.images`); err != nil {
		t.Fatal(err)
	}
	path := "/media/" + hash + ".png"
	got := s.get(path)
	if got.Code != http.StatusOK || got.Body.String() != string(body) {
		t.Fatalf("%d %q", got.Code, got.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=31536000, immutable",
		"Content-Security-Policy": "default-src 'none'; sandbox", "ETag": `"` + hash + `"`,
	} {
		if got := got.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again := s.get(path, "If-None-Match", `"`+hash+`"`); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("the same again: %d", again.Code)
	}
	for _, unknown := range []string{"/media/" + hash + ".jpg", "/media/" + hash, "/media/" + strings.Repeat("0", 32) + ".png", "/media/x", "/media/" + hash + ".svg"} {
		if got := s.get(unknown); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", unknown, got.Code)
		}
	}
	if got := s.ask(http.MethodPost, path, ""); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.Code)
	}
}
