package feeds

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/internal/slug"
)

// Store keeps the feeds: those that were declared, and those that come with sections, languages, tags and sources. It is safe for
// concurrent use.
type Store struct {
	Articles *articles.Store

	// CheckURL returns an error for an address that may not be asked for anything. nil: all may.
	CheckURL func(address string) error

	// Digest says what an organisation gets of a list, for its private feed.
	Digest func(ctx context.Context, h database.Handle, organisation, list int64) (Digest, error)
}

const columns = `slug, first_slug, kind, title, sections, tags, languages, sources, content, item_limit, articles, changed_at, version`

// Declare makes the feed of f's slug be what f says; now is when that happens. Only what a declaration has is looked at. What f leaves
// empty gets its default. A feed that was removed is back. A definition that makes no sense is Invalid, and nothing is written.
func (s *Store) Declare(ctx context.Context, h database.Handle, f Feed, now time.Time) (_ database.Change, err error) {
	defer errs.Wrap(&err, "feed %q", f.Slug)
	if f, err = normalised(f); err != nil {
		return "", err
	}
	if err := lock(ctx, h); err != nil {
		return "", err
	}
	if there, _, err := s.lookUp(ctx, h, f.Slug); err == nil && there.Slug != f.Slug {
		return "", errs.New(errs.Conflict, "this slug leads to the feed %q, which was called so before: choose another", there.Slug)
	} else if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	const query = `
		INSERT INTO feeds.feeds AS f
			(slug, first_slug, title, sections, tags, languages, language_keys, sources, content, item_limit)
		VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (slug) DO UPDATE SET
			title = excluded.title, sections = excluded.sections, tags = excluded.tags, languages = excluded.languages,
			language_keys = excluded.language_keys, sources = excluded.sources, content = excluded.content,
			item_limit = excluded.item_limit, removed_at = NULL
		WHERE (f.title, f.sections, f.tags, f.languages, f.sources, f.content, f.item_limit, NULL) IS DISTINCT FROM
			(excluded.title, excluded.sections, excluded.tags, excluded.languages, excluded.sources, excluded.content,
			excluded.item_limit, f.removed_at)
		RETURNING xmax = 0` // a row that was inserted was locked by no update
	var added bool
	err = h.GetContext(ctx, &added, query, f.Slug, f.Title, f.Sections, f.Tags, f.Languages,
		pq.StringArray(language.Keys(f.Languages)), f.Sources, f.Content, f.Limit)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return database.Unchanged, nil
	case err != nil:
		return "", err
	case added:
		return database.Added, s.renew(ctx, h, f.Slug, now)
	}
	return database.Changed, s.renew(ctx, h, f.Slug, now)
}

// lock keeps everybody else who touches feeds waiting until h's transaction ends. It comes before any lock on a feed.
func lock(ctx context.Context, h database.Handle) error {
	_, err := h.ExecContext(ctx, `SELECT FROM feeds.generation FOR UPDATE`)
	return err
}

// Lock keeps everybody else who changes feeds waiting until h's transaction ends, so that what is read then is still so when it is changed.
func (s *Store) Lock(ctx context.Context, h database.Handle) error { return lock(ctx, h) }

// renew marks a feed whose definition changed, and counts what it holds now.
func (s *Store) renew(ctx context.Context, h database.Handle, slug string, now time.Time) error {
	_, err := h.ExecContext(ctx, `
		WITH next AS (
			UPDATE feeds.generation SET number = number + 1 RETURNING number, pg_notify($3, '')
		)
		UPDATE feeds.feeds f
		SET version = next.number, changed_at = `+changedAt+`, articles = (
			SELECT count(*) FROM articles.available a
			WHERE (f.sections = '{}' OR a.section = ANY (f.sections)) AND (f.tags = '{}' OR a.tags && f.tags)
			  AND (f.language_keys = '{}' OR a.language_key = ANY (f.language_keys))
			  AND (f.sources = '{}' OR a.source = ANY (f.sources)))
		FROM next WHERE f.slug = $1`, slug, now, Channel)
	return err
}

// changedAt is a feed's next date of change, $2 being now: whole seconds, which is what HTTP can say, and never twice the same.
const changedAt = `date_trunc('second', greatest($2::timestamptz, f.changed_at + interval '1 second'))`

// Rename gives a declared feed another slug. The old one leads to it for ever, and is taken. Renaming it back frees that slug for it.
// A slug that another feed has or had is a Conflict. It returns the feed as it is called now.
func (s *Store) Rename(ctx context.Context, h database.Handle, from, to string, now time.Time) (f Feed, err error) {
	defer errs.Wrap(&err, "rename")
	if err := lock(ctx, h); err != nil {
		return f, err
	}
	if f, err = s.declared(ctx, h, from, "renamed"); err != nil {
		return f, err
	}
	if err := s.mayBeCalled(ctx, h, to, &f); err != nil || f.Slug == to {
		return f, err
	}
	if _, err := h.ExecContext(ctx, `DELETE FROM feeds.old_slugs WHERE slug = $1`, to); err != nil {
		return f, err
	}
	if _, err := h.ExecContext(ctx, `
		WITH renamed AS (
			UPDATE feeds.feeds SET slug = $2 WHERE slug = $1 RETURNING id
		)
		INSERT INTO feeds.old_slugs (slug, feed_id) SELECT $1, id FROM renamed`, f.Slug, to); err != nil {
		return f, err
	}
	if err := s.renew(ctx, h, to, now); err != nil {
		return f, err
	}
	return s.Find(ctx, h, to)
}

// AddOldSlug makes a slug lead to a declared feed for ever, as if that had been called so before; Unchanged when it does already. The
// feed's own slug is Invalid, one that another feed has or had a Conflict.
func (s *Store) AddOldSlug(ctx context.Context, h database.Handle, name, old string) (_ database.Change, err error) {
	defer errs.Wrap(&err, "old slug")
	if err := lock(ctx, h); err != nil {
		return "", err
	}
	f, err := s.declared(ctx, h, name, "given old slugs")
	if err != nil {
		return "", err
	}
	if err := s.mayBeCalled(ctx, h, old, &f); err != nil {
		return "", err
	}
	if f.Slug == old {
		return "", errs.New(errs.Invalid, "%q is what the feed is called now", old)
	}
	added, err := h.ExecContext(ctx, `
		INSERT INTO feeds.old_slugs (slug, feed_id) SELECT $2, id FROM feeds.feeds WHERE slug = $1
		ON CONFLICT (slug) DO NOTHING`, f.Slug, old)
	if err != nil {
		return "", err
	}
	if n, err := added.RowsAffected(); err != nil || n > 0 {
		return database.Changed, err
	}
	return database.Unchanged, nil
}

// mayBeCalled refuses a slug that is none, or that another feed than f has or had.
func (s *Store) mayBeCalled(ctx context.Context, h database.Handle, slug string, f *Feed) error {
	if err := checkSlug(slug); err != nil {
		return errs.New(errs.Invalid, "%q: %w", slug, err)
	}
	other, removed, err := s.lookUp(ctx, h, slug)
	switch {
	case err != nil && errs.KindOf(err) == errs.NotFound:
		return nil
	case err != nil:
		return err
	case removed:
		return errs.New(errs.Conflict, "%q is taken by a feed that was removed: choose another slug", slug)
	case other.Slug == slug && f.Slug != slug:
		return errs.New(errs.Conflict, "%q is taken by another feed: choose another slug", slug)
	case other.Slug != f.Slug:
		return errs.New(errs.Conflict, "%q is taken by the feed %q, which was called so before: choose another slug", slug, other.Slug)
	}
	return nil
}

// Remove takes a declared feed out of service: from then on its addresses say that it is gone. Declaring it brings it back. It returns
// the feed as it was.
func (s *Store) Remove(ctx context.Context, h database.Handle, slug string, now time.Time) (f Feed, err error) {
	defer errs.Wrap(&err, "remove")
	if err := lock(ctx, h); err != nil {
		return f, err
	}
	if f, err = s.declared(ctx, h, slug, "removed"); err != nil {
		return f, err
	}
	if _, err := h.ExecContext(ctx, `UPDATE feeds.feeds SET removed_at = $2 WHERE slug = $1`, f.Slug, now); err != nil {
		return f, err
	}
	return f, s.renew(ctx, h, f.Slug, now)
}

// declared returns a feed that an administrator may do something to.
func (s *Store) declared(ctx context.Context, h database.Handle, slug, done string) (Feed, error) {
	f, err := s.Find(ctx, h, slug)
	switch {
	case err != nil:
		return f, err
	case f.Slug == "all" || f.Kind != Declared:
		return f, errs.New(errs.Invalid, "the feed %q comes with the articles and cannot be %s", f.Slug, done)
	}
	return f, nil
}

func checkSlug(name string) error {
	switch {
	case !slug.Valid(name):
		return errs.New(errs.Invalid, "a slug is lower-case letters and digits, in words joined by single hyphens")
	case isVirtual(name):
		return errs.New(errs.Invalid, "slugs that begin with section-, lang-, tag- or source- belong to the feeds that come with the articles: choose another")
	case name == privatePath:
		return errs.New(errs.Invalid, "private feeds are served below this address: choose another slug")
	}
	return nil
}

// normalised returns f with its defaults filled in and its language tags canonical.
func normalised(f Feed) (Feed, error) {
	if err := checkSlug(f.Slug); err != nil {
		return f, err
	}
	if f.Content == "" {
		f.Content = Full
	}
	if f.Content != Full && f.Content != Summary {
		return f, errs.New(errs.Invalid, "content is %q: use full or summary", f.Content)
	}
	if f.Limit == 0 {
		f.Limit = defaultLimit
	}
	if f.Limit < 1 || f.Limit > 1000 {
		return f, errs.New(errs.Invalid, "limit is %d: use 1 to 1000", f.Limit)
	}
	f.Sections, f.Tags, f.Sources = cleanAll(f.Sections), cleanAll(f.Tags), cleanAll(f.Sources)
	return canonical(f)
}

// canonical returns f with canonical language tags in its title and its selection.
func canonical(f Feed) (Feed, error) {
	title, tags := database.StringMap{}, pq.StringArray{}
	for tag, words := range f.Title {
		parsed, err := language.Parse(tag)
		if err != nil {
			return f, errs.New(errs.Invalid, "title: %w", err)
		}
		if title[parsed] = clean(words); title[parsed] == "" {
			return f, errs.New(errs.Invalid, "title: the one in %s is empty", tag)
		}
	}
	for _, tag := range f.Languages {
		parsed, err := language.Parse(tag)
		if err != nil {
			return f, errs.New(errs.Invalid, "select: %w", err)
		}
		tags = append(tags, parsed)
	}
	f.Title, f.Languages = title, tags
	return f, nil
}

// Find returns the feed whose slug is name, or was: then the feed has another one. A language's slug may be written in any case. A
// feed that was removed is Gone; one that never was is NotFound.
func (s *Store) Find(ctx context.Context, h database.Handle, name string) (Feed, error) {
	f, removed, err := s.lookUp(ctx, h, name)
	if err == nil && removed {
		return Feed{}, errs.New(errs.Gone, "the feed %q was removed: /feeds/ lists those there are", name)
	}
	return f, err
}

// lookUp is Find, which also finds feeds that were removed.
func (s *Store) lookUp(ctx context.Context, h database.Handle, name string) (f Feed, removed bool, err error) {
	var found struct {
		Feed
		Removed bool `db:"removed"`
	}
	if clean(name) != name { // Postgres would not take it for a text
		return f, false, errs.New(errs.NotFound, "there is no feed %q: /feeds/ lists those there are", name)
	}
	err = h.GetContext(ctx, &found, `
		SELECT `+columns+`, removed_at IS NOT NULL AS removed FROM feeds.feeds
		WHERE slug = $1 OR id = (SELECT feed_id FROM feeds.old_slugs WHERE slug = $1)`, canonicalSlug(name))
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, errs.New(errs.NotFound, "there is no feed %q: /feeds/ lists those there are", name)
	}
	errs.Wrap(&err, "feeds.Find(%q)", name)
	return found.Feed, found.Removed, err
}

// List returns all feeds in service, those that were declared first, "all" before any other. Of those that nobody declares it leaves out
// the ones that hold nothing.
func (s *Store) List(ctx context.Context, h database.Handle) (all []Feed, err error) {
	defer errs.Wrap(&err, "feeds.List")
	err = h.SelectContext(ctx, &all, `
		SELECT `+columns+` FROM feeds.feeds
		WHERE removed_at IS NULL AND (kind = 'declared' OR articles > 0)
		ORDER BY array_position('{declared,section,language,tag,source}', kind), slug <> 'all', slug COLLATE "C"`)
	return all, err
}

// Served returns up to limit of the feeds that List has, by slug, beginning after one; "" is the beginning.
func (s *Store) Served(ctx context.Context, h database.Handle, after string, limit int) (some []Feed, err error) {
	defer errs.Wrap(&err, "feeds.Served")
	err = h.SelectContext(ctx, &some, `
		SELECT `+columns+` FROM feeds.feeds
		WHERE removed_at IS NULL AND (kind = 'declared' OR articles > 0) AND slug COLLATE "C" > $1
		ORDER BY slug COLLATE "C" LIMIT $2`, after, limit)
	return some, err
}

// Values returns the sections, languages (as tags) or tags that there are articles of, those with the most first, at most so many.
func (s *Store) Values(ctx context.Context, h database.Handle, kind Kind, most int) (values []string, err error) {
	defer errs.Wrap(&err, "read what there are articles of by %s", kind)
	err = h.SelectContext(ctx, &values, `
		SELECT (sections || languages || tags)[1] FROM feeds.feeds
		WHERE kind = $1 AND articles > 0 AND removed_at IS NULL AND sections || languages || tags <> '{}'
		ORDER BY articles DESC, slug LIMIT $2`, kind, most)
	return values, err
}
