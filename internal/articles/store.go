package articles

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Store keeps articles and sources. It is safe for concurrent use.
type Store struct {
	// Changed, if not nil, is called at the end of each Save that added or changed something, with the same handle: what it
	// does is done if and only if the articles are there.
	Changed func(ctx context.Context, h database.Handle) error
}

// SaveOptions say how drafts are taken in.
type SaveOptions struct {
	Now     time.Time // what "first seen" means
	Archive bool      // articles that are new go into feeds but are never due for a digest
}

// Result counts what Save did.
type Result struct {
	Added     int
	Changed   int
	Unchanged int
}

// saveLock is the key of the advisory lock that lets one transaction at a time save articles: slugs and ids are unique across
// all sources, and whoever comes second sees what the first one wrote.
const saveLock = 0x53696c6b_61727469

// Save takes in what a source gave. h should be a transaction: the first draft that is refused ends it with an error of kind
// errs.Invalid that names the draft. Saves wait for one another until their transactions end.
//
// A draft is known by its source and external key; of two with the same key the first counts. A new one gets its GUID, slug and
// first-seen time, for ever. One whose content is as it was leaves the article untouched. An edited one changes the content
// and updated_at; a date that the source does not give stays what it was taken to be at first sight.
//
// Drafts with the same translation key form one group. An article that gets such a key only later brings its group along, so
// that its translations join what was already sent; one that loses it stays where it was.
func (s *Store) Save(ctx context.Context, h database.Handle, source Source, drafts []Draft, opt SaveOptions) (_ Result, err error) {
	defer errs.Wrap(&err, "source %s", source.Slug)
	rows, err := prepareAll(source, drafts)
	if err != nil {
		return Result{}, err
	}
	if _, err := h.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(saveLock)); err != nil {
		return Result{}, err
	}
	known, err := knownArticles(ctx, h, source.ID, rows)
	if err != nil {
		return Result{}, err
	}
	result, err := write(ctx, h, source, rows, known, opt)
	if err != nil || result.Added+result.Changed == 0 || s.Changed == nil {
		return result, err
	}
	return result, s.Changed(ctx, h)
}

// prepareAll cleans the drafts, leaving out those whose key was already there.
func prepareAll(source Source, drafts []Draft) ([]row, error) {
	rows, seen := make([]row, 0, len(drafts)), make(map[string]bool, len(drafts))
	for _, d := range drafts {
		r, err := prepare(source, d)
		if err != nil {
			return nil, err
		}
		if !seen[r.draft.ExternalKey] {
			rows = append(rows, r)
		}
		seen[r.draft.ExternalKey] = true
	}
	return rows, nil
}

// known is what decides about an article that is already there.
type known struct {
	ID          int64     `db:"id"`
	ExternalKey string    `db:"external_key"`
	GroupKey    string    `db:"group_key"`
	GroupID     int64     `db:"group_id"`
	Hash        []byte    `db:"content_hash"`
	PublishedAt time.Time `db:"published_at"`
	UpdatedAt   time.Time `db:"updated_at"`
}

func knownArticles(ctx context.Context, h database.Handle, sourceID int64, rows []row) (map[string]known, error) {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.draft.ExternalKey
	}
	var found []known
	err := h.SelectContext(ctx, &found, `
		SELECT a.id, a.external_key, g.key AS group_key, a.group_id, a.content_hash, a.published_at, a.updated_at
		FROM articles.articles a JOIN articles.groups g ON g.id = a.group_id
		WHERE a.source_id = $1 AND a.external_key = ANY($2)`, sourceID, pq.Array(keys))
	byKey := make(map[string]known, len(found))
	for _, k := range found {
		byKey[k.ExternalKey] = k
	}
	return byKey, err
}

// write changes what is there before it adds what is new, so that a new translation finds the group of the old article.
func write(ctx context.Context, h database.Handle, source Source, rows []row, old map[string]known, opt SaveOptions) (Result, error) {
	var result Result
	now := date(opt.Now)
	for _, r := range rows {
		k, ok := old[r.draft.ExternalKey]
		if !ok {
			continue
		}
		if string(k.Hash) == string(r.hash) {
			result.Unchanged++
			continue
		}
		if err := change(ctx, h, r, k, now); err != nil {
			return Result{}, fmt.Errorf("article %q: %w", r.draft.ExternalKey, err)
		}
		result.Changed++
	}
	for _, r := range rows {
		if _, ok := old[r.draft.ExternalKey]; ok {
			continue
		}
		if err := add(ctx, h, source, r, now, opt.Archive); err != nil {
			return Result{}, fmt.Errorf("article %q: %w", r.draft.ExternalKey, err)
		}
		result.Added++
	}
	return result, nil
}

func add(ctx context.Context, h database.Handle, source Source, r row, now time.Time, archive bool) (err error) {
	if r.GUID, err = chooseGUID(ctx, h, source.Slug, r.draft); err != nil {
		return err
	}
	if r.Slug, err = chooseSlug(ctx, h, source.Slug, r.draft); err != nil {
		return err
	}
	if r.GroupID, err = ensureGroup(ctx, h, source.ID, groupKey(r.draft)); err != nil {
		return err
	}
	published := firstTime(r.PublishedAt, firstTime(r.UpdatedAt, now))
	_, err = h.ExecContext(ctx, `
		INSERT INTO articles.articles (source_id, external_key, group_id, guid, slug, url, title, summary, html, text, language,
			language_key, section, tags, authors, image_url, image_alt, published_at, updated_at, first_seen_at, content_hash, archive)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		r.SourceID, r.draft.ExternalKey, r.GroupID, r.GUID, r.Slug, r.URL, r.Title, r.Summary, r.HTML, r.Text, r.Language,
		r.LanguageKey, r.Section, r.Tags, r.Authors, r.ImageURL, r.ImageAlt, published, firstTime(r.UpdatedAt, published), now,
		r.hash, archive)
	return err
}

func change(ctx context.Context, h database.Handle, r row, old known, now time.Time) error {
	group, err := moveGroup(ctx, h, r, old)
	if err != nil {
		return err
	}
	updated := now
	if r.UpdatedAt.After(old.UpdatedAt) {
		updated = r.UpdatedAt
	}
	_, err = h.ExecContext(ctx, `
		UPDATE articles.articles SET group_id = $2, url = $3, title = $4, summary = $5, html = $6, text = $7, language = $8,
			language_key = $9, section = $10, tags = $11, authors = $12, image_url = $13, image_alt = $14, published_at = $15,
			updated_at = $16, content_hash = $17
		WHERE id = $1`,
		old.ID, group, r.URL, r.Title, r.Summary, r.HTML, r.Text, r.Language, r.LanguageKey, r.Section, r.Tags, r.Authors,
		r.ImageURL, r.ImageAlt, firstTime(r.PublishedAt, old.PublishedAt), updated, r.hash)
	return err
}

// groupKey names the group that a draft belongs to: its translations' or its own.
func groupKey(d Draft) string {
	if key := oneLine(d.TranslationKey); key != "" {
		return "translation:" + key
	}
	return "article:" + d.ExternalKey
}

func ensureGroup(ctx context.Context, h database.Handle, sourceID int64, key string) (id int64, err error) {
	err = h.GetContext(ctx, &id, `
		INSERT INTO articles.groups (source_id, key) VALUES ($1, $2)
		ON CONFLICT (source_id, key) DO UPDATE SET key = excluded.key
		RETURNING id`, sourceID, key)
	return id, err
}

// moveGroup returns the group of an edited article. What was sent is known by its group, so a group that gets a translation
// key keeps its id; and an article only moves into a group from which it cannot become due a second time.
func moveGroup(ctx context.Context, h database.Handle, r row, old known) (int64, error) {
	key := groupKey(r.draft)
	if oneLine(r.draft.TranslationKey) == "" || key == old.GroupKey {
		return old.GroupID, nil
	}
	var target int64
	err := h.GetContext(ctx, &target, `SELECT id FROM articles.groups WHERE source_id = $1 AND key = $2`, r.SourceID, key)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = h.ExecContext(ctx, `UPDATE articles.groups SET key = $2 WHERE id = $1`, old.GroupID, key)
		return old.GroupID, err
	}
	if err != nil {
		return 0, err
	}
	err = h.GetContext(ctx, &target, `
		SELECT CASE WHEN EXISTS (SELECT FROM articles.articles WHERE group_id = $1 AND NOT archive)
			OR (SELECT archive FROM articles.articles WHERE id = $2) THEN $1::bigint ELSE $3::bigint END`,
		target, old.ID, old.GroupID)
	return target, err
}

func firstTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
