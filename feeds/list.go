package feeds

import (
	"context"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Listed is a feed with what it holds.
type Listed struct {
	Feed
	Kind  Kind
	Items int `db:"items"` // articles in its documents, at most its limit
}

// Kind says where a feed comes from.
type Kind string

// The kinds.
const (
	Declared   Kind = "declared" // a row, made by silkpost apply; "all" is there from the start
	OfSection  Kind = "section"  // one for each section of the articles
	OfLanguage Kind = "language" // one for each language of the articles
)

// List returns all feeds: "all", the other declared ones by slug, those of the sections by name, those of the languages by tag.
func (s *Store) List(ctx context.Context, h database.Handle) (all []Listed, err error) {
	defer errs.Wrap(&err, "feeds.List")
	for _, list := range []lister{declared, s.sections, s.languages} {
		some, err := list(ctx, h)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func declared(ctx context.Context, h database.Handle) ([]Listed, error) {
	const query = `
		SELECT f.slug, f.title, f.sections, f.tags, f.languages, f.sources, f.content, f.item_limit, f.changed_at,
			'declared' AS kind,
			least(f.item_limit, (
				SELECT count(*) FROM articles.available a
				WHERE (f.sections = '{}' OR a.section = ANY (f.sections))
				AND (f.tags = '{}' OR a.tags && f.tags)
				AND (f.language_keys = '{}' OR a.language_key = ANY (f.language_keys))
				AND (f.sources = '{}' OR a.source = ANY (f.sources)))) AS items
		FROM feeds.feeds f
		ORDER BY f.slug <> 'all', f.slug COLLATE "C"`
	var listed []Listed
	err := h.SelectContext(ctx, &listed, query)
	return listed, err
}

func (s *Store) sections(ctx context.Context, h database.Handle) ([]Listed, error) {
	counts, err := s.Articles.Sections(ctx, h)
	if err != nil {
		return nil, err
	}
	names := map[string][]string{}
	return grouped(counts, OfSection, func(name string) Feed {
		slug := sectionSlug(name)
		names[slug] = append(names[slug], name)
		return sectionFeed(slug, names[slug])
	}), nil
}

func (s *Store) languages(ctx context.Context, h database.Handle) ([]Listed, error) {
	counts, err := s.Articles.Languages(ctx, h)
	if err != nil {
		return nil, err
	}
	return grouped(counts, OfLanguage, func(tag string) Feed { return languageFeed(language.Key(tag)) }), nil
}

// grouped returns the feeds that names belong to, in the order of their first names, each as feed gives it for the last of its
// names, with what all of them hold.
func grouped(counts []articles.Count, kind Kind, feed func(name string) Feed) (listed []Listed) {
	place := map[string]int{}
	for _, c := range counts {
		f := feed(c.Name)
		i, known := place[f.Slug]
		if !known {
			i = len(listed)
			place[f.Slug] = i
			listed = append(listed, Listed{Kind: kind})
		}
		listed[i].Feed = f
		listed[i].Items = min(listed[i].Items+c.Count, f.Limit)
	}
	return listed
}
