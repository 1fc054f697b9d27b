package feeds

import (
	"context"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Of returns the feeds in service that an article is in, or would be if it were not withdrawn, those that were declared first, at most limit. source is
// the slug of its source.
func (s *Store) Of(ctx context.Context, h database.Handle, a *articles.Article, source string, limit int) (all []Feed, err error) {
	defer errs.Wrap(&err, "feeds.Of(%q)", a.Slug)
	virtual := []string{}
	for _, v := range virtualsOf(&articles.Touched{Section: a.Section, Tags: a.Tags, Language: a.Language, LanguageKey: a.LanguageKey, Source: source}) {
		virtual = append(virtual, v.Slug)
	}
	err = h.SelectContext(ctx, &all, `
		SELECT `+columns+` FROM feeds.feeds f
		WHERE removed_at IS NULL AND found_by && ($1::text[] || $2::text[] || ARRAY[$3, $4, $5, '']) AND CASE kind
			WHEN 'declared' THEN (sections = '{}' OR $3 = ANY (sections)) AND (tags = '{}' OR tags && $2)
				AND (language_keys = '{}' OR $5 = ANY (language_keys)) AND (sources = '{}' OR $4 = ANY (sources))
			ELSE slug = ANY ($1) END
		ORDER BY array_position('{declared,section,language,tag,source}', kind), slug <> 'all', slug COLLATE "C" LIMIT $6`,
		pq.Array(virtual), pq.Array([]string(a.Tags)), a.Section, source, a.LanguageKey, limit)
	return all, err
}
