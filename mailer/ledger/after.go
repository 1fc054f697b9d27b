package ledger

import (
	"context"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// EntriesAfter returns up to limit deliveries of an edition in the order of their contacts, beginning after one: those in a state, "" for any.
func EntriesAfter(ctx context.Context, h database.Handle, edition uuid.UUID, state string, after int64, limit int) (entries []Entry, err error) {
	defer errs.Wrap(&err, "ledger.EntriesAfter(%s)", edition)
	err = h.SelectContext(ctx, &entries, `
		SELECT d.contact_id, a.email, d.state, d.attempts, d.resent, d.code, d.reply, d.not_before, d.settled_at, d.variant_id,
		       v.language, coalesce(v.sender, '') AS sender, v.articles || v.more AS articles, d.bounced_at, coalesce(d.bounce_kind, '') AS bounce_kind,
		       coalesce(d.bounce_status, '') AS bounce_status, coalesce(d.bounce_diagnostic, '') AS bounce_diagnostic
		FROM (SELECT * FROM mailer.deliveries WHERE edition_id = $1 AND contact_id > $2 AND ($3 = '' OR state = $3) ORDER BY contact_id LIMIT $4) d
		JOIN mailer.variants v ON v.id = d.variant_id
		JOIN subscribers.addresses a ON a.contact_id = d.contact_id
		ORDER BY d.contact_id`, edition, after, state, limit)
	return entries, err
}
