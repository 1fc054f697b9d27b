package templates_test

import (
	"bytes"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"silkpost/templates"
)

var galleryDir = flag.String("gallery", "", "write every page and mail to this directory, to be looked at in a browser")

// TestGallery writes what there is to see: go test ./templates -run Gallery -gallery DIR, then serve DIR as it is.
func TestGallery(t *testing.T) {
	if *galleryDir == "" {
		t.Skip("no -gallery directory given")
	}
	set := newSet(t)
	for _, lang := range set.Catalogues() {
		for _, p := range pages() {
			var buf bytes.Buffer
			if err := set.Page(&buf, lang, p.page); err != nil {
				t.Error(err)
			}
			keep(t, lang+"/"+p.name+".html", buf.Bytes())
		}
		for name, d := range digests(lang) {
			mail, err := set.Digest(d)
			if err != nil {
				t.Error(err)
			}
			keep(t, lang+"/digest-"+name+".html", []byte(mail.HTML))
			keep(t, lang+"/digest-"+name+".txt", []byte("Subject: "+mail.Subject+"\n\n"+mail.Text))
		}
	}
	for _, lang := range set.Catalogues() {
		for name, n := range notices(lang) {
			mail, err := set.Notice(lang, n)
			if err != nil {
				t.Error(err)
			}
			keep(t, lang+"/notice-"+name+".html", []byte(mail.HTML))
			keep(t, lang+"/notice-"+name+".txt", []byte("Subject: "+mail.Subject+"\n\n"+mail.Text))
		}
	}
	for _, name := range []string{"silkpost.css", "feeds.js", "icon.svg"} {
		path, err := set.StaticPath(name)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		set.StaticHandler().ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		keep(t, path, answer.Body.Bytes())
	}
}

func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(*galleryDir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func newSet(t testing.TB) *templates.Set {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return set
}
