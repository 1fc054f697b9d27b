package feeds

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Channel is the name under which Postgres tells everybody that feeds were touched.
const Channel = "silkpost_feeds"

// touchedAtOnce bounds the size of one statement.
const touchedAtOnce = 10_000

// Touch marks the feeds stale that articles are in or were in, counts what each has now, and makes the feeds that come with a new
// section, language, tag or source. h should be the transaction that changed the articles; it then holds the lock on all marks
// until its end. Processes that listen on Channel hear of it when it commits.
func (s *Store) Touch(ctx context.Context, h database.Handle, touched []articles.Touched, now time.Time) (err error) {
	defer errs.Wrap(&err, "feeds.Touch")
	if err := lock(ctx, h); err != nil {
		return err
	}
	for some := range slices.Chunk(touched, touchedAtOnce) {
		if err := touch(ctx, h, some, now); err != nil {
			return err
		}
	}
	return nil
}

// compared is what feeds are compared with.
type compared struct {
	articles.Touched
	Virtual []string `json:"virtual"` // slugs of the feeds that nobody declares, each once
}

func touch(ctx context.Context, h database.Handle, touched []articles.Touched, now time.Time) error {
	all := make([]compared, len(touched))
	made := map[[2]string]virtual{}
	for i := range touched {
		all[i].Touched = touched[i]
		for _, v := range virtualsOf(&touched[i]) {
			made[[2]string{v.Slug, v.Value}] = v
			if !slices.Contains(all[i].Virtual, v.Slug) {
				all[i].Virtual = append(all[i].Virtual, v.Slug)
			}
		}
	}
	kinds, err := json.Marshal(all)
	if err != nil {
		return err
	}
	virtuals, err := json.Marshal(slices.SortedFunc(maps.Values(made), func(a, b virtual) int {
		return cmp.Or(strings.Compare(a.Slug, b.Slug), strings.Compare(a.Value, b.Value))
	}))
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, mark, kinds, now, Channel, virtuals)
	return err
}

// mark touches the feeds that any of the compared kinds of articles ($1) is in. Of the virtual feeds ($4) those that are not there yet
// are made; names that share a slug share its feed. Candidates come from the index on found_by, which holds one of a feed's conditions;
// comparing 10,000 feeds with each of 5,000 kinds takes 12 seconds, this way one.
const mark = `
	WITH next AS (
		UPDATE feeds.generation SET number = number + 1 RETURNING number, pg_notify($3, '')
	), kind AS MATERIALIZED (
		SELECT *, virtual || tags || ARRAY[section, source, language_key, ''] AS found_by FROM jsonb_to_recordset($1)
			AS kind (section text, tags text[], language_key text, source text, virtual text[], change int)
	), virtual AS MATERIALIZED (
		SELECT slug, kind, (array_agg(title))[1] AS title, array_agg(value) AS names, array_agg(key) AS keys
		FROM jsonb_to_recordset($4) AS virtual (slug text, kind text, title jsonb, value text, key text)
		GROUP BY slug, kind
	), made AS (
		INSERT INTO feeds.feeds (slug, first_slug, kind, title, sections, languages, language_keys, tags, sources, articles, version, changed_at)
		SELECT slug, slug, kind, title, CASE kind WHEN 'section' THEN names ELSE '{}' END, CASE kind WHEN 'language' THEN names ELSE '{}' END,
		       CASE kind WHEN 'language' THEN keys ELSE '{}' END, CASE kind WHEN 'tag' THEN names ELSE '{}' END,
		       CASE kind WHEN 'source' THEN names ELSE '{}' END, held.articles, (SELECT number FROM next), date_trunc('second', $2::timestamptz)
		FROM virtual JOIN (SELECT slug, sum(change) AS articles FROM kind, unnest(virtual) slug GROUP BY slug) held USING (slug)
		WHERE NOT EXISTS (SELECT FROM feeds.feeds f WHERE f.slug = virtual.slug)
	), stale AS (
		SELECT f.id, f.slug, sum(kind.change) AS change
		FROM feeds.feeds f JOIN kind ON f.found_by && kind.found_by AND CASE f.kind
			WHEN 'declared' THEN (f.sections = '{}' OR kind.section = ANY (f.sections)) AND (f.tags = '{}' OR kind.tags && f.tags)
				AND (f.language_keys = '{}' OR kind.language_key = ANY (f.language_keys))
				AND (f.sources = '{}' OR kind.source = ANY (f.sources))
			ELSE f.slug = ANY (kind.virtual) END
		GROUP BY f.id
	)
	UPDATE feeds.feeds f
	SET version = (SELECT number FROM next), articles = f.articles + stale.change,
	    changed_at = ` + changedAt + `,
	    sections = CASE f.kind WHEN 'section' THEN f.sections || ARRAY(
			SELECT name FROM unnest(names) name WHERE name <> ALL (f.sections)) ELSE f.sections END,
	    tags = CASE f.kind WHEN 'tag' THEN f.tags || ARRAY(
			SELECT name FROM unnest(names) name WHERE name <> ALL (f.tags)) ELSE f.tags END
	FROM stale LEFT JOIN virtual USING (slug)
	WHERE f.id = stale.id`

// touchedSince returns the present generation and the slugs, old ones too, of the feeds that were touched after another one.
func (s *Store) touchedSince(ctx context.Context, h database.Handle, generation int64) (present int64, slugs map[string]bool, err error) {
	var found struct {
		Number int64          `db:"number"`
		Slugs  pq.StringArray `db:"slugs"`
	}
	// There is no index on version: each mark would pay for it, and to read 12,000 feeds takes two milliseconds when there was one.
	err = h.GetContext(ctx, &found, `
		SELECT number, CASE WHEN number > $1 THEN ARRAY(
			SELECT slug FROM feeds.feeds WHERE version > $1
			UNION ALL SELECT o.slug FROM feeds.old_slugs o JOIN feeds.feeds f ON f.id = o.feed_id WHERE f.version > $1) END AS slugs
		FROM feeds.generation`, generation)
	slugs = make(map[string]bool, len(found.Slugs))
	for _, slug := range found.Slugs {
		slugs[slug] = true
	}
	return found.Number, slugs, err
}

// Begin makes the marks of a database whose articles were there before the marks. It does nothing when there are any.
func (s *Store) Begin(ctx context.Context, h database.Handle, now time.Time) (err error) {
	defer errs.Wrap(&err, "feeds.Begin")
	var generation int64
	if err := h.GetContext(ctx, &generation, `SELECT number FROM feeds.generation`); err != nil || generation > 0 {
		return err
	}
	// Whoever is second to lock the row finds that the first has been here.
	if err := h.GetContext(ctx, &generation, `SELECT number FROM feeds.generation FOR UPDATE`); err != nil || generation > 0 {
		return err
	}
	all, err := s.Articles.All(ctx, h)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.Touch(ctx, h, all, now)
}
