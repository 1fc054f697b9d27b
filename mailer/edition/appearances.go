package edition

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
)

// Appearance is an edition that an article is or was in.
type Appearance struct {
	ID        uuid.UUID `db:"id"`
	ListID    int64     `db:"list_id"`
	Rhythm    string    `db:"rhythm"`
	LocalDate time.Time `db:"local_date"`
	State     State     `db:"state"`
	Sent      int       `db:"sent"` // how many were sent it, up to SentMost; more is SentMost + 1
}

// SentMost is up to where those are counted who were sent an article in an edition.
const SentMost = 1000

// Appearances returns the latest editions that a translation group is or was in, at most limit; of some lists alone, unless lists is nil.
func Appearances(ctx context.Context, h handle, group int64, lists []int64, limit int) (all []Appearance, err error) {
	defer errs.Wrap(&err, "edition.Appearances(group %d)", group)
	err = h.SelectContext(ctx, &all, `
		SELECT e.id, e.list_id, e.rhythm, e.local_date, e.state, (
			SELECT count(*) FROM (
				SELECT FROM mailer.deliveries d WHERE d.edition_id = e.id AND d.variant_id = ANY (e.variants_with) AND d.state = 'sent' LIMIT $4) s) AS sent
		FROM (
			SELECT e.*, array_agg(v.id) AS variants_with FROM mailer.variants v JOIN mailer.editions e ON e.id = v.edition_id
			WHERE v.groups @> ARRAY[$1::bigint] AND NOT v.retired AND ($2::bigint[] IS NULL OR e.list_id = ANY ($2))
			GROUP BY e.id ORDER BY e.id DESC LIMIT $3) e
		ORDER BY e.id DESC`, group, pq.Array(lists), limit, SentMost+1)
	return all, err
}
