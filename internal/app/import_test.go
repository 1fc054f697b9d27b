package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"silkpost/internal/app"
)

// A file that would put its article in the place of another one keeps the others out, unless it is to keep going.
func TestImportArticlesOfTheSamePath(t *testing.T) {
	t.Parallel()
	h := open(t)
	folder := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	run := func(dir string, keepGoing bool) (app.Imported, error) {
		return h.ImportArticles(t.Context(), app.ArticleImport{Paths: []string{dir}, KeepGoing: keepGoing})
	}
	if _, err := run(folder(map[string]string{"index.md": "# News of May\n\nThe hall opens."}), false); err != nil {
		t.Fatal(err)
	}
	june := folder(map[string]string{"index.md": "# News of June\n\nThe robots dance.", "b.md": "# B\n\nText.", "c.png": ""})
	if done, err := run(june, false); err == nil || !strings.Contains(err.Error(), filepath.Join(june, "index.md")) {
		t.Errorf("all or nothing: %+v, %v", done, err)
	}
	done, err := run(june, true)
	if err != nil || done.Added != 1 || len(done.Refused) != 1 || done.Refused[0].Path != filepath.Join(june, "index.md") {
		t.Errorf("keeping going: %+v, %v", done, err)
	}
	if n := value[int](t, h, `SELECT count(*) FROM articles.articles WHERE title IN ('News of May', 'B')`); n != 2 {
		t.Errorf("%d of the two articles are there", n)
	}
}
