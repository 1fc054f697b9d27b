package sources

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

var monday = time.Date(2020, 5, 11, 8, 30, 0, 0, time.UTC)

// folder writes files, given as name and content, and returns their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// readPath returns the articles of a file or a folder, all of them or none.
func readPath(ctx context.Context, path string) ([]articles.Draft, error) {
	found, err := ReadPaths(ctx, path)
	if err == nil {
		err = found.Err()
	}
	if err != nil {
		return nil, err
	}
	return found.Drafts, nil
}

func TestReadPathsKeys(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.md":            "# A\n\nText.",
		"sub/b.MD":        "---\nid: the-b\nurl: https://www.example.org/b\n---\n# B\n\nText.",
		"sub/c.html":      `<link rel="canonical" href="https://www.example.org/c"><title>C</title><p>Text.`,
		"sub/deep/d.txt":  "D\n\nText.",
		".hidden/e.md":    "nothing",
		".f.md":           "nothing",
		"sub/picture.JPG": "\xff\xd8",
	})
	keys := func(paths ...string) []string {
		t.Helper()
		found, err := ReadPaths(t.Context(), paths...)
		if err != nil || found.Err() != nil {
			t.Fatal(err, found.Err())
		}
		var keys []string
		for _, d := range found.Drafts {
			keys = append(keys, d.ExternalKey)
		}
		return keys
	}
	want := []string{"a.md", "the-b", "https://www.example.org/c", "sub/deep/d.txt"}
	if diff := cmp.Diff(want, keys(dir)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, keys(dir+string(filepath.Separator))); diff != "" {
		t.Errorf("with a slash: %s", diff)
	}
	if diff := cmp.Diff([]string{"d.txt", "a.md"}, keys(filepath.Join(dir, "sub", "deep", "d.txt"), filepath.Join(dir, "a.md"))); diff != "" {
		t.Errorf("files named themselves: %s", diff)
	}
}

func TestReadPathsRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"good.md":      "# Good\n\nText.",
		"bin.txt":      "a\x00b",
		"bin.html":     "\x89PNG\r\n\x1a\n",
		"empty.md":     " \n",
		"same.md":      "---\nid: good.md\n---\n# Same\n\nText.",
		"latin1.txt":   "Caff\xe8\n\nUn testo qualsiasi.",
		"letter.docx":  "PK",
		"notitle.md":   "Text only.",
		"notext.html":  "<title>T</title><script>x</script>",
		"onlytitle.md": "# Title",
		"one.txt":      "Title alone",
	})
	found, err := ReadPaths(t.Context(), dir, filepath.Join(dir, "nowhere"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bin.txt":      "is binary",
		"bin.html":     "is binary",
		"empty.md":     "is empty",
		"same.md":      "same key \"good.md\" as ",
		"latin1.txt":   "save it as UTF-8",
		"letter.docx":  "this kind of file is not read; Markdown (.md, .markdown), HTML",
		"notitle.md":   "has no title",
		"notext.html":  "has no text",
		"onlytitle.md": "has no text",
		"one.txt":      "a title and some text",
		"nowhere":      "no such file or folder",
	}
	for _, r := range found.Refused {
		name := filepath.Base(r.Path)
		text := r.Err.Error()
		if want[name] == "" || !strings.HasPrefix(text, r.Path+": ") || !strings.Contains(text, want[name]) || strings.Contains(text, "\n") {
			t.Errorf("%s: error %q, want %q", name, text, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 || len(found.Drafts) != 1 {
		t.Errorf("not refused: %v; %d drafts", want, len(found.Drafts))
	}
	if _, err := readPath(t.Context(), dir); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "10 of 11 files") {
		t.Errorf("error: %v", err)
	}
}

func TestReadPathsOddities(t *testing.T) {
	t.Parallel()
	if _, err := readPath(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "there are no articles in this folder") {
		t.Errorf("an empty folder: %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.txt")
	if err := os.WriteFile(large, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, fileLimit+1); err != nil {
		t.Fatal(err)
	}
	if _, err := readPath(t.Context(), large); err == nil || !strings.Contains(err.Error(), "bytes, more than") {
		t.Errorf("a large file: %v", err)
	}
	if _, err := readPath(t.Context(), "/dev/null"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a device: %v", err)
	}
	picture := filepath.Join(folder(t, map[string]string{"a.png": "x"}), "a.png")
	if _, err := readPath(t.Context(), picture); err == nil || !strings.Contains(err.Error(), "this kind of file is not read") {
		t.Errorf("a picture named itself: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadPaths(ctx, t.TempDir()); err == nil {
		t.Error("a cancelled context is no error")
	}
}

// files imports a folder as the program does.
func importFolder(ctx context.Context, db *sqlx.DB, dir string, now time.Time) (result articles.Result, err error) {
	store := &articles.Store{}
	drafts, err := readPath(ctx, dir)
	if err != nil {
		return result, err
	}
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		source, err := store.EnsureSource(ctx, tx, "files", now)
		if err != nil {
			return err
		}
		result, err = store.Save(ctx, tx, source, drafts, articles.SaveOptions{Now: now})
		return err
	})
	return result, err
}

func TestImportAgainAndMoved(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	files := map[string]string{
		"a.md":   "---\nid: a\n---\n# First title\n\nText.",
		"b.txt":  "A hall opens\n\nThe hall of the science museum opens on the first of May, and everybody is invited.",
		"c.html": "<title>Third</title><body><p>Text</p>",
	}
	result, err := importFolder(t.Context(), db, folder(t, files), monday)
	if err != nil || result != (articles.Result{Added: 3}) {
		t.Fatal(result, err)
	}
	all := func() []articles.Article {
		found, err := (&articles.Store{}).Select(t.Context(), db, articles.Selection{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := all()
	// The same folder, on another machine, on another day.
	result, err = importFolder(t.Context(), db, folder(t, files), monday.Add(48*time.Hour))
	if err != nil || result != (articles.Result{Unchanged: 3}) {
		t.Fatal(result, err)
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Error(diff)
	}
	// Renamed and edited: the id holds.
	delete(files, "a.md")
	files["2020/renamed.md"] = "---\nid: a\n---\n# Second title\n\nText."
	result, err = importFolder(t.Context(), db, folder(t, files), monday.Add(72*time.Hour))
	if err != nil || result != (articles.Result{Changed: 1, Unchanged: 2}) {
		t.Fatal(result, err)
	}
	for i, after := range all() {
		if after.GUID != before[i].GUID || after.Slug != before[i].Slug || after.PublishedAt != before[i].PublishedAt {
			t.Errorf("%+v became %+v", before[i], after)
		}
	}
}

func TestImportConcurrently(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	files := map[string]string{}
	for _, name := range strings.Fields("a b c d e f g h i j") {
		files[name+".md"] = "# Same title\n\nText of " + name + "."
	}
	dir := folder(t, files)
	results := make([]articles.Result, 2)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			var err error
			if results[i], err = importFolder(t.Context(), db, dir, monday); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if results[0].Added+results[1].Added != 10 || results[0].Unchanged+results[1].Unchanged != 10 {
		t.Errorf("results %+v", results)
	}
}

func TestImportByOtherPaths(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	dir := folder(t, map[string]string{
		"may/index.md":  "# News of May\n\nThe hall opens.",
		"june/index.md": "# News of June\n\nThe robots dance.",
		"july.html":     "<title>News of July</title><p>We have a holiday.",
	})
	if result, err := importFolder(t.Context(), db, filepath.Join(dir, "may"), monday); err != nil || result.Added != 1 {
		t.Fatal(result, err)
	}
	june := filepath.Join(dir, "june")
	_, err := importFolder(t.Context(), db, june, monday)
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), filepath.Join(june, "index.md")) {
		t.Errorf("another file of the same name: %v", err)
	}
	result, err := importFolder(t.Context(), db, dir, monday)
	if err != nil || result != (articles.Result{Added: 2, Unchanged: 1}) {
		t.Errorf("the folder above: %+v, %v", result, err)
	}
	for _, path := range []string{"may", "june", "july.html"} {
		if result, err := importFolder(t.Context(), db, filepath.Join(dir, path), monday); err != nil || result != (articles.Result{Unchanged: 1}) {
			t.Errorf("%s: %+v, %v", path, result, err)
		}
	}
}

// What an old file says of its date counts, then its path, then when it was written; the time of the import is the last resort.
func TestDatesOfFiles(t *testing.T) {
	t.Parallel()
	const text = "<p>The hall was opened by the director in front of many guests from partner museums abroad, and stays open.</p>"
	const chinese = "<p>示例市科学技术协会今天上午在市科技馆举办了国际科学节开幕式，来自十六个国家的合作伙伴出席了开幕式，双方达成了一致意见。</p>"
	written := time.Date(2011, 3, 4, 5, 6, 7, 0, time.UTC)
	files := map[string][2]string{ // content and date
		"line.html":          {"<h1>科学节开幕</h1><p>2024年5月7日</p>" + chinese, "2024-05-07T00:00:00Z"},
		"hour.html":          {`<html lang="zh"><h1>科学节开幕</h1><p>发布时间：2024-05-07 10:30</p>` + chinese, "2024-05-07T02:30:00Z"},
		"meta.html":          {`<meta name="PubDate" content="2024-05-06 08:00:00"><link rel="canonical" href="https://www.example.it/2020/1/2/hall"><h1>Hall</h1>` + text, "2024-05-06T06:00:00Z"},
		"canonical.html":     {`<link rel="canonical" href="https://www.example.org/2020/1/2/hall"><h1>Hall</h1>` + text, "2020-01-02T00:00:00Z"},
		"json.html":          {`<script type="application/ld+json">{"@type":"NewsArticle","headline":"Hall","datePublished":"2024-05-05T08:00:00+02:00"}</script><h1>Hall</h1><p>1 January 2020</p>` + text, "2024-05-05T06:00:00Z"},
		"2019/05/07/a.html":  {"<h1>Hall A</h1>" + text, "2019-05-07T00:00:00Z"},
		"2018-05-07-b.md":    {"# Hall B\n\nThe hall opens in May.", "2018-05-07T00:00:00Z"},
		"hall_20170507.txt":  {"Hall C\n\nThe hall opens in May, and everybody who has a ticket is welcome to come.", "2017-05-07T00:00:00Z"},
		"2016年5月7日.txt":      {"Hall D\n\nThe hall opens in May, and everybody who has a ticket is welcome to come.", "2016-05-07T00:00:00Z"},
		"below.md":           {"# Hall E\n\n7 May 2015\n\nThe hall opens in May.", "2015-05-07T00:00:00Z"},
		"2014-01-01-said.md": {"---\ndate: 2014-05-07\n---\n# Hall F\n\nThe hall opens in May.", "2014-05-07T00:00:00Z"},
		"hour.txt":           {"科学节开幕\n\n2024-05-07 10:30\n\n示例市科学技术协会今天上午在市科技馆举办了国际科学节开幕式，来自十六个国家的合作伙伴出席了开幕式，双方达成了一致意见。", "2024-05-07T02:30:00Z"},
		"undated.html":       {"<h1>Hall G</h1>" + text, "2011-03-04T05:06:07Z"},
		"undated.txt":        {"Hall H\n\nThe hall is open, and everybody who has a ticket is welcome to come.", "2011-03-04T05:06:07Z"},
	}
	contents := map[string]string{}
	for name, file := range files {
		contents[name] = file[0]
	}
	dir := folder(t, contents)
	for name := range files {
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(name)), written, written); err != nil {
			t.Fatal(err)
		}
	}
	found, err := ReadPaths(t.Context(), dir)
	if err != nil || found.Err() != nil {
		t.Fatal(err, found.Err())
	}
	db, store := testkit.DB(t), &articles.Store{}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	source, err := store.EnsureSource(t.Context(), db, "files", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Save(t.Context(), db, source, found.Drafts, articles.SaveOptions{Now: now}); err != nil {
		t.Fatal(err)
	}
	var saved []struct {
		Key string    `db:"external_key"`
		At  time.Time `db:"published_at"`
	}
	if err := db.Select(&saved, `SELECT external_key, published_at FROM articles.articles`); err != nil || len(saved) != len(files) {
		t.Fatalf("%d articles, %v", len(saved), err)
	}
	for _, a := range saved {
		name := strings.NewReplacer("https://www.example.it/2020/1/2/hall", "meta.html", "https://www.example.org/2020/1/2/hall", "canonical.html").Replace(a.Key)
		if got := a.At.UTC().Format(time.RFC3339); got != files[name][1] {
			t.Errorf("%s: %s, want %s", name, got, files[name][1])
		}
	}
	// A file that is written again without being changed, or with another text, is no newer article.
	if err := os.Chtimes(filepath.Join(dir, "undated.html"), now, now); err != nil {
		t.Fatal(err)
	}
	if found, err = ReadPaths(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if done, err := store.Save(t.Context(), db, source, found.Drafts, articles.SaveOptions{Now: now}); err != nil || done.Unchanged != len(files) {
		t.Errorf("again: %+v, %v", done, err)
	}
}
