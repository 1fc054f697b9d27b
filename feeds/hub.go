package feeds

import (
	"context"

	"silkpost/internal/database"
)

// Hubs returns the addresses of the WebSub hubs, in the order of their bytes.
func (s *Store) Hubs(ctx context.Context, h database.Handle) (urls []string, err error) {
	err = h.SelectContext(ctx, &urls, `SELECT url FROM feeds.hubs ORDER BY url COLLATE "C"`)
	return urls, err
}
