package articles

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Marked is what articles can be filtered by beside where they belong.
type Marked string

// Marks of articles. Without one what is looked for is published.
const (
	MarkedPublished Marked = ""
	MarkedWithdrawn Marked = "withdrawn"
	MarkedUrgent    Marked = "urgent" // and published
	MarkedPinned    Marked = "pinned" // and published
	MarkedEdited    Marked = "edited" // published, with an edit of ours over what the source gives
)

// Search says which articles are looked for: all that it says must be true of one. The zero Search finds all that are published.
type Search struct {
	Words    string // of title, summary, text, authors, section or tags; in any script
	Source   string // slug
	Section  string
	Tag      string
	Language string // a tag; those of the same language and script count
	Marked   Marked
}

// filters returns what a search asks for beside words, as terms.
func (q Search) filters() (all []string) {
	for _, f := range [][2]string{{"source", q.Source}, {"section", q.Section}, {"tag", q.Tag}} {
		if f[1] != "" {
			all = append(all, filterTerm(f[0], f[1]))
		}
	}
	if q.Language != "" {
		all = append(all, filterTerm("language", language.Key(q.Language)))
	}
	switch q.Marked {
	case MarkedWithdrawn:
		return append(all, filterTerm("is", "withdrawn"))
	case MarkedUrgent, MarkedPinned, MarkedEdited:
		all = append(all, filterTerm("is", string(q.Marked)))
	}
	return append(all, filterTerm("is", "published"))
}

// filterTerm is a term that no word is.
func filterTerm(kind, value string) string {
	const most = 200 // bytes; terms have a limit
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "")
	}
	return "=" + kind + ":" + scrub(value)
}

// condition writes the search as a tsquery; "" for the zero one. ok is false when there are words to look for and none that can be found.
func (q Search) condition() (condition string, ok bool) {
	parts := q.filters()
	if len(parts) == 1 && q.Words == "" && q.Marked == MarkedPublished {
		return "", true
	}
	for i := range parts {
		parts[i] = quotedTerm(parts[i], false)
	}
	if q.Words != "" {
		words := conditionOf(q.Words)
		if words == "" {
			return "", false
		}
		parts = append(parts, words)
	}
	return strings.Join(parts, " & "), true
}

// Find returns what a search finds, newest first, without HTML and text: what comes before a place, the zero one being the beginning, and at most
// limit. h must be a transaction of its own.
func (s *Store) Find(ctx context.Context, h database.Handle, q Search, before Place, limit int) (found []Article, err error) {
	defer errs.Wrap(&err, "articles.Find")
	condition, ok := q.condition()
	if !ok {
		return nil, nil
	}
	var at *time.Time
	if before != (Place{}) {
		at = &before.At
	}
	if condition == "" {
		return s.shown(query(ctx, h, `
			SELECT `+teaserColumns+` FROM articles.articles a
			WHERE a.withdrawn_at IS NULL AND ($1::timestamptz IS NULL OR (a.published_at, a.id) < ($1, $2))
			ORDER BY a.published_at DESC, a.id DESC LIMIT $3`, at, before.ID, limit))
	}
	if err := byIndex(ctx, h); err != nil {
		return nil, err
	}
	return s.shown(query(ctx, h, `
		SELECT `+teaserColumns+` FROM (
			SELECT article_id FROM articles.search
			WHERE words @@ $4::tsquery AND ($1::timestamptz IS NULL OR (published_at, article_id) < ($1, $2))
			ORDER BY published_at DESC, article_id DESC LIMIT $3) f
		JOIN articles.articles a ON a.id = f.article_id ORDER BY a.published_at DESC, a.id DESC`, at, before.ID, limit, condition))
}

// Titled returns published articles whose titles have a text in them, whatever the case, the newest first; at most limit.
func (s *Store) Titled(ctx context.Context, h database.Handle, text string, limit int) ([]Article, error) {
	return s.shown(query(ctx, h, `
		SELECT `+teaserColumns+` FROM articles.articles a
		WHERE a.withdrawn_at IS NULL AND a.title ILIKE '%' || $1 || '%'
		ORDER BY a.published_at DESC, a.id DESC LIMIT $2`, strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text), limit))
}

// CountFound returns how many articles a search finds, at most so many. h must be a transaction of its own.
func (s *Store) CountFound(ctx context.Context, h database.Handle, q Search, most int) (n int, err error) {
	defer errs.Wrap(&err, "articles.CountFound")
	condition, ok := q.condition()
	switch {
	case !ok:
		return 0, nil
	case condition == "":
		condition = quotedTerm(filterTerm("is", "published"), false)
	}
	if err := byIndex(ctx, h); err != nil {
		return 0, err
	}
	err = h.GetContext(ctx, &n, `SELECT count(*) FROM (SELECT FROM articles.search WHERE words @@ $1::tsquery LIMIT $2) f`, condition, most)
	return n, err
}

// byIndex keeps a transaction from reading every article's words: the planner thinks that comparing them costs next to nothing, and it costs a
// second for a hundred thousand.
func byIndex(ctx context.Context, h database.Handle) error {
	_, err := h.ExecContext(ctx, `SET LOCAL enable_seqscan = off; SET LOCAL jit = off`)
	return err
}

// searched is what an article is found by.
type searched struct {
	ID          int64          `db:"id"`
	Source      string         `db:"source"`
	Title       string         `db:"title"`
	Summary     string         `db:"summary"`
	Text        string         `db:"text"`
	LanguageKey string         `db:"language_key"`
	Section     string         `db:"section"`
	Tags        pq.StringArray `db:"tags"`
	Authors     pq.StringArray `db:"authors"`
	PublishedAt time.Time      `db:"published_at"`
	Withdrawn   bool           `db:"withdrawn"`
	Urgent      bool           `db:"urgent"`
	Pinned      bool           `db:"pinned"`
	Edited      bool           `db:"edited"`
}

func (a *searched) terms() []string {
	all := terms(a.Title, a.Summary, a.Section, strings.Join(a.Tags, " "), strings.Join(a.Authors, " "), a.Text)
	all = append(all, filterTerm("source", a.Source), filterTerm("language", a.LanguageKey))
	if a.Section != "" {
		all = append(all, filterTerm("section", a.Section))
	}
	for _, tag := range a.Tags {
		all = append(all, filterTerm("tag", tag))
	}
	if a.Withdrawn {
		return append(all, filterTerm("is", "withdrawn"))
	}
	for mark, has := range map[Marked]bool{"published": true, MarkedUrgent: a.Urgent, MarkedPinned: a.Pinned, MarkedEdited: a.Edited} {
		if has {
			all = append(all, filterTerm("is", string(mark)))
		}
	}
	return all
}

// indexedAtOnce bounds how much text is held at once.
const indexedAtOnce = 200

// index has articles found by what they say now.
func index(ctx context.Context, h database.Handle, ids []int64) error {
	return indexAs(ctx, h, ids, `DO UPDATE SET published_at = excluded.published_at, words = excluded.words`)
}

// indexAs writes what articles are found by; conflict says what becomes of what is written already.
func indexAs(ctx context.Context, h database.Handle, ids []int64, conflict string) error {
	for len(ids) > 0 {
		some := ids[:min(len(ids), indexedAtOnce)]
		ids = ids[len(some):]
		var all []searched
		if err := h.SelectContext(ctx, &all, `
			SELECT a.id, s.slug AS source, a.title, a.summary, a.text, a.language_key, a.section, a.tags, a.authors, a.published_at,
			       a.withdrawn_at IS NOT NULL AS withdrawn, a.urgent, a.pinned, e.article_id IS NOT NULL AS edited
			FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id LEFT JOIN articles.edits e ON e.article_id = a.id
			WHERE a.id = ANY ($1)`, pq.Array(some)); err != nil {
			return err
		}
		for i := range all {
			if _, err := h.ExecContext(ctx, `
				INSERT INTO articles.search (article_id, published_at, words) VALUES ($1, $2, array_to_tsvector($3::text[]))
				ON CONFLICT (article_id) `+conflict, all[i].ID, all[i].PublishedAt, pq.Array(all[i].terms())); err != nil {
				return err
			}
		}
	}
	return nil
}

// IndexMissing has some articles found that were there before there was a search, those with ids above after. It returns the last of them; 0 when
// no more are missing.
func (s *Store) IndexMissing(ctx context.Context, db *sqlx.DB, after int64) (last int64, err error) {
	defer errs.Wrap(&err, "articles.IndexMissing")
	var ids []int64
	if err := db.SelectContext(ctx, &ids, `
		SELECT a.id FROM articles.articles a
		WHERE a.id > $1 AND NOT EXISTS (SELECT FROM articles.search s WHERE s.article_id = a.id) ORDER BY a.id LIMIT $2`, after, indexedAtOnce); err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[len(ids)-1], database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		return indexAs(ctx, tx, ids, `DO NOTHING`) // what was written meanwhile is newer
	})
}
