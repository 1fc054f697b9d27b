package articles

import (
	"context"
	"strings"

	"silkpost/internal/database"
)

// Titled returns published articles whose titles have a text in them, whatever the case, the newest first; at most limit.
func (s *Store) Titled(ctx context.Context, h database.Handle, text string, limit int) ([]Article, error) {
	return s.shown(query(ctx, h, `
		SELECT `+teaserColumns+` FROM articles.articles a
		WHERE a.withdrawn_at IS NULL AND a.title ILIKE '%' || $1 || '%'
		ORDER BY a.published_at DESC, a.id DESC LIMIT $2`, strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text), limit))
}
