package articles

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// clash is a file that would put its article in the place of another one.
type clash struct {
	file string
	err  error
}

// judgeFiles looks closer at articles that are known only by where their file lies: the same path may name another file, and the
// same file be reached by another path. It leaves out of added and changed what is there already under another key, and the clashes.
func judgeFiles(ctx context.Context, h database.Handle, added, changed []row) (add, edit []row, clashes []clash, err error) {
	replaced, err := replacedBy(ctx, h, changed)
	if err != nil {
		return nil, nil, nil, err
	}
	there, err := sameTitled(ctx, h, slices.Concat(added, changed))
	if err != nil {
		return nil, nil, nil, err
	}
	for _, r := range added {
		if r.File == "" || !there[r.content()] {
			add = append(add, r)
		}
		there[r.content()] = true
	}
	for _, r := range changed {
		title, clashing := replaced[r.ID]
		switch {
		case !clashing:
			edit = append(edit, r)
		case !there[r.content()]:
			clashes = append(clashes, newClash(r, title))
		}
	}
	return add, edit, clashes, nil
}

func newClash(r row, title string) clash {
	return clash{file: r.File, err: errs.New(errs.Invalid, "%s would take the place of another article, %q, imported before as %q too; "+
		"give it an id in its front matter, or import it with another --source", r.File, title, r.ExternalKey)}
}

// replacedBy returns the titles of those articles, by id, in whose place a file would put another one: neither the title nor any
// paragraph is the same.
func replacedBy(ctx context.Context, h database.Handle, changed []row) (map[int64]string, error) {
	files := map[int64]row{}
	ids := pq.Int64Array{}
	for _, r := range changed {
		if r.File != "" {
			files[r.ID] = r
			ids = append(ids, r.ID)
		}
	}
	replaced := map[int64]string{}
	if len(ids) == 0 {
		return replaced, nil
	}
	var old []Article
	err := h.SelectContext(ctx, &old, `SELECT id, title, text FROM articles.articles WHERE id = ANY($1)`, ids)
	for _, a := range old {
		if r := files[a.ID]; r.Title != a.Title && !sharesParagraph(r.Text, a.Text) {
			replaced[a.ID] = a.Title
		}
	}
	return replaced, err
}

func sharesParagraph(a, b string) bool {
	all := paragraphs(a)
	return slices.ContainsFunc(paragraphs(b), func(p string) bool { return slices.Contains(all, p) })
}

// content is by what two files are seen to be the same.
type content struct {
	SourceID int64  `db:"source_id"`
	Title    string `db:"title"`
	Language string `db:"language"`
	HTML     string `db:"html"`
}

func (r row) content() content {
	return content{SourceID: r.SourceID, Title: r.Title, Language: r.Language, HTML: r.HTML}
}

// sameTitled returns the articles that have the title of one of the files, and the source.
func sameTitled(ctx context.Context, h database.Handle, rows []row) (map[content]bool, error) {
	titles := pq.StringArray{}
	for _, r := range rows {
		if r.File != "" {
			titles = append(titles, r.Title)
		}
	}
	there := map[content]bool{}
	if len(titles) == 0 {
		return there, nil
	}
	var found []content
	err := h.SelectContext(ctx, &found, `
		SELECT source_id, title, language, html FROM articles.articles WHERE source_id = $1 AND title = ANY($2)`,
		rows[0].SourceID, titles)
	for _, c := range found {
		there[c] = true
	}
	return there, err
}
