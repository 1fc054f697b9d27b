package compose

import (
	"context"

	"silkpost/internal/errs"
)

// lately is how many variants are looked at for the largest.
const lately = 10_000

// Largest returns how many bytes the largest variant has of those that were made last, before anything is a recipient's own; 0 when none was.
func (c *Composer) Largest(ctx context.Context) (bytes int64, err error) {
	err = c.DB.GetContext(ctx, &bytes, `
		SELECT coalesce(max(octet_length(message)), 0) FROM (SELECT message FROM mailer.variants WHERE message IS NOT NULL ORDER BY id DESC LIMIT $1) latest`, lately)
	errs.Wrap(&err, "compose.Largest")
	return bytes, err
}
