package articles

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// BySource is who changes an article when its source gives it otherwise.
const BySource = "source"

// keptVersions is how many former versions of an article are kept: the first, and the latest.
const keptVersions = 50

// field is a part of an article that can be changed, as text.
type field struct {
	name string
	get  func(a *Article) string
	set  func(a *Article, value string)
}

// fields are the parts of an article that are compared and that editors may write over, in the order in which they are shown.
var fields = []field{
	{"title", func(a *Article) string { return a.Title }, func(a *Article, v string) { a.Title = v }},
	{"summary", func(a *Article) string { return a.Summary }, func(a *Article, v string) { a.Summary = v }},
	{"html", func(a *Article) string { return a.HTML }, func(a *Article, v string) { a.HTML, a.Text = v, Text(v) }},
	{"section", func(a *Article) string { return a.Section }, func(a *Article, v string) { a.Section = v }},
	{"tags", func(a *Article) string { return strings.Join(a.Tags, "\n") }, func(a *Article, v string) { a.Tags = split1(v) }},
	{"authors", func(a *Article) string { return strings.Join(a.Authors, "\n") }, func(a *Article, v string) { a.Authors = split1(v) }},
	{"image", func(a *Article) string { return a.ImageURL }, func(a *Article, v string) { a.ImageURL = v }},
	{"image_alt", func(a *Article) string { return a.ImageAlt }, func(a *Article, v string) { a.ImageAlt = v }},
	{"language", func(a *Article) string { return a.Language }, func(a *Article, v string) { a.Language = v }},
}

// places are parts that say where and when, not what: that they change is no news to who has read the article.
var places = []field{
	{"url", func(a *Article) string { return a.URL }, nil},
	{"published", func(a *Article) string { return a.PublishedAt.UTC().Format(time.RFC3339) }, nil},
}

func split1(v string) pq.StringArray {
	if v == "" {
		return pq.StringArray{}
	}
	return strings.Split(v, "\n")
}

// differences returns the names of the parts in which two articles differ.
func differences(parts []field, a, b *Article) (names []string) {
	for _, f := range parts {
		if f.get(a) != f.get(b) {
			names = append(names, f.name)
		}
	}
	return names
}

// visible returns those edits that change what is shown of an article, with what an editor wrote over them. What they replace is
// kept. Of the others it is noted that they came.
func visible(ctx context.Context, h database.Handle, edits []row, now time.Time) (seen []row, err error) {
	if len(edits) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(edits))
	for i, r := range edits {
		ids[i] = r.ID
	}
	current, err := byIDs(ctx, h, columns, ids)
	if err != nil {
		return nil, err
	}
	byID := map[int64]*Article{}
	for i := range current {
		byID[current[i].ID] = &current[i]
	}
	written, err := editsOf(ctx, h, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range edits {
		old := byID[r.ID]
		if e, edited := written[r.ID]; edited {
			if err := e.over(ctx, h, &r.Article, now); err != nil {
				return nil, err
			}
		}
		said := differences(fields, old, &r.Article)
		switch {
		case len(said) == 0 && len(differences(places, old, &r.Article)) == 0 && (old.Urgent || !r.Urgent) && (old.Pinned || !r.Pinned):
			err = note(ctx, h, r)
		case len(said) == 0:
			r.UpdatedAt = old.UpdatedAt
			seen = append(seen, r)
		default:
			seen = append(seen, r)
			err = supersede(ctx, h, old, BySource, now)
		}
		if err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// note remembers an edit that shows nothing new.
func note(ctx context.Context, h database.Handle, r row) error {
	if !r.alias {
		if _, err := h.ExecContext(ctx, `UPDATE articles.articles SET content_hash = $2 WHERE id = $1`, r.ID, r.hash); err != nil {
			return err
		}
	}
	return remember(ctx, h, r)
}

// supersede keeps an article as it is before it changes.
func supersede(ctx context.Context, h database.Handle, a *Article, by string, now time.Time) error {
	_, err := h.ExecContext(ctx, `
		WITH latest AS (
			SELECT coalesce(max(number), 0) AS number FROM articles.former WHERE article_id = $1
		), forgotten AS (
			DELETE FROM articles.former f USING latest WHERE f.article_id = $1 AND f.number > 1 AND f.number <= latest.number - $16
		)
		INSERT INTO articles.former (article_id, number, title, summary, html, text, section, url, language, tags, authors, image_url, image_alt,
			published_at, replaced_at, replaced_by)
		SELECT $1, number + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 FROM latest`,
		a.ID, a.Title, a.Summary, a.HTML, a.Text, a.Section, a.URL, a.Language, a.Tags, a.Authors, a.ImageURL, a.ImageAlt, a.PublishedAt, now, by,
		keptVersions-2)
	return err
}

// Version is an article as it was for some time.
type Version struct {
	Number  int       `json:"number"`  // 1 is what it was first
	At      time.Time `json:"at"`      // since when
	By      string    `json:"by"`      // BySource, or who edited it
	Changed []string  `json:"changed"` // the parts in which it differs from the version before
	Article Article   `json:"-"`
}

// History returns the versions of the article that ref means, the first one first; the last is what it is now.
func (s *Store) History(ctx context.Context, h database.Handle, ref string) (_ []Version, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	now, err := find(ctx, h, ref)
	if err != nil {
		return nil, err
	}
	var former []struct {
		Article
		Number     int       `db:"number"`
		ReplacedAt time.Time `db:"replaced_at"`
		ReplacedBy string    `db:"replaced_by"`
	}
	if err := h.SelectContext(ctx, &former, `
		SELECT number, title, summary, html, text, section, url, language, tags, authors, image_url, image_alt, published_at, replaced_at, replaced_by
		FROM articles.former WHERE article_id = $1 ORDER BY number`, now.ID); err != nil {
		return nil, err
	}
	at, by := now.FirstSeenAt, BySource
	versions := make([]Version, 0, len(former)+1)
	for _, f := range former {
		versions = append(versions, Version{Number: f.Number, At: at, By: by, Article: f.Article})
		at, by = f.ReplacedAt.UTC(), f.ReplacedBy
	}
	last := 1
	if len(former) > 0 {
		last = former[len(former)-1].Number + 1
	}
	versions = append(versions, Version{Number: last, At: at, By: by, Article: now})
	for i := range versions {
		versions[i].Changed = []string{}
		if i > 0 {
			versions[i].Changed = slices.Concat(differences(fields, &versions[i-1].Article, &versions[i].Article),
				differences(places, &versions[i-1].Article, &versions[i].Article))
		}
	}
	return versions, nil
}

// Difference is how a part of an article changed.
type Difference struct {
	Part  string   `json:"part"`
	Lines []string `json:"lines"` // each begins with "-" when it went, "+" when it came, " " when it stayed
}

// Compare returns how the second version differs from the first: part by part, the text line by line. Lines that stayed are there where they
// stand beside one that did not.
func Compare(a, b Version) (all []Difference) {
	for _, f := range slices.Concat(fields, places) {
		name, from, to := f.name, f.get(&a.Article), f.get(&b.Article)
		if from == to {
			continue
		}
		if name == "html" {
			name, from, to = "text", a.Article.Text, b.Article.Text
			if from == to {
				name, from, to = "html", strings.ReplaceAll(a.Article.HTML, "><", ">\n<"), strings.ReplaceAll(b.Article.HTML, "><", ">\n<")
			}
		}
		all = append(all, Difference{Part: name, Lines: diffLines(lineList(from), lineList(to))})
	}
	return all
}

func lineList(text string) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// diffLines returns what went, came and stayed beside that, by the longest common subsequence of lines.
func diffLines(a, b []string) []string {
	const most = 2000 // lines whose order is compared; of longer texts what went is told before what came
	if len(a) > most || len(b) > most {
		a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	}
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var all []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			all = append(all, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			all = append(all, "-"+a[i])
			i++
		default:
			all = append(all, "+"+b[j])
			j++
		}
	}
	return besideChanges(all)
}

func besideChanges(all []string) (some []string) {
	for i, line := range all {
		if line[0] != ' ' || i > 0 && all[i-1][0] != ' ' || i+1 < len(all) && all[i+1][0] != ' ' {
			some = append(some, line)
		}
	}
	return some
}
