package feeds

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/internal/slug"
)

// Store keeps the declared feeds and knows those of sections and languages. It is safe for concurrent use.
type Store struct {
	Articles *articles.Store
}

// Declare makes the feed of f's slug be what f says; now is when that happens, and f.ChangedAt is not looked at. What f leaves
// empty gets its default. A definition that makes no sense is Invalid, and nothing is written.
func (s *Store) Declare(ctx context.Context, h database.Handle, f Feed, now time.Time) (_ database.Change, err error) {
	defer errs.Wrap(&err, "feed %q", f.Slug)
	if f, err = normalised(f); err != nil {
		return "", err
	}
	const query = `
		INSERT INTO feeds.feeds AS f
			(slug, title, sections, tags, languages, language_keys, sources, content, item_limit, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (slug) DO UPDATE SET
			title = excluded.title, sections = excluded.sections, tags = excluded.tags, languages = excluded.languages,
			language_keys = excluded.language_keys, sources = excluded.sources, content = excluded.content,
			item_limit = excluded.item_limit, changed_at = excluded.changed_at
		WHERE (f.title, f.sections, f.tags, f.languages, f.sources, f.content, f.item_limit) IS DISTINCT FROM
			(excluded.title, excluded.sections, excluded.tags, excluded.languages, excluded.sources, excluded.content,
			excluded.item_limit)
		RETURNING xmax = 0` // a row that was inserted was locked by no update
	var added bool
	err = h.GetContext(ctx, &added, query, f.Slug, f.Title, f.Sections, f.Tags, f.Languages,
		pq.StringArray(language.Keys(f.Languages)), f.Sources, f.Content, f.Limit, now)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return database.Unchanged, nil
	case err != nil:
		return "", err
	case added:
		return database.Added, nil
	}
	return database.Changed, nil
}

// normalised returns f with its defaults filled in and its language tags canonical.
func normalised(f Feed) (Feed, error) {
	switch {
	case !slug.Valid(f.Slug):
		return f, errs.New(errs.Invalid, "a slug is lower-case letters and digits, in words joined by single hyphens")
	case isVirtual(f.Slug):
		return f, errs.New(errs.Invalid, "slugs that begin with %s or %s belong to the feeds of sections and languages: choose another",
			sectionPrefix, langPrefix)
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

// Find returns the feed whose slug is name: a declared one, or that of a section or language that has articles. A language's slug may be
// written in any case; the feed comes with the canonical one. Without such a feed it is NotFound.
func (s *Store) Find(ctx context.Context, h database.Handle, name string) (Feed, error) {
	switch {
	case strings.HasPrefix(name, sectionPrefix):
		return findListed(ctx, h, s.sections, name, name)
	case strings.HasPrefix(strings.ToLower(name), langPrefix):
		return findListed(ctx, h, s.languages, name, canonicalLanguageSlug(name))
	case !slug.Valid(name):
		return Feed{}, noFeed(name)
	}
	return findDeclared(ctx, h, name)
}

func findDeclared(ctx context.Context, h database.Handle, slug string) (Feed, error) {
	const query = `
		SELECT slug, title, sections, tags, languages, sources, content, item_limit, changed_at
		FROM feeds.feeds WHERE slug = $1`
	var f Feed
	if err := h.GetContext(ctx, &f, query, slug); errors.Is(err, sql.ErrNoRows) {
		return Feed{}, noFeed(slug)
	} else if err != nil {
		return Feed{}, fmt.Errorf("feeds.Find(%q): %w", slug, err)
	}
	return f, nil
}

type lister func(context.Context, database.Handle) ([]Listed, error)

// findListed looks for the feed called canonical in what list gives; slug is what was asked for.
func findListed(ctx context.Context, h database.Handle, list lister, slug, canonical string) (Feed, error) {
	listed, err := list(ctx, h)
	if err != nil {
		return Feed{}, fmt.Errorf("feeds.Find(%q): %w", slug, err)
	}
	for _, l := range listed {
		if l.Slug == canonical {
			return l.Feed, nil
		}
	}
	return Feed{}, noFeed(slug)
}

func noFeed(slug string) error {
	return errs.New(errs.NotFound, "there is no feed %q: /feeds/ lists those there are", slug)
}
