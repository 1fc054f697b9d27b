package subscribers

import (
	"context"
	"io"
	"strconv"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// ExportConsents writes the log of consents, the oldest line first. Of who was erased it has the number alone.
func ExportConsents(ctx context.Context, h database.Handle, w io.Writer, format ExportFormat, list string) (n int, err error) {
	id, err := listID(ctx, h, list)
	if err != nil {
		return 0, err
	}
	defer errs.Wrap(&err, "export the log of consents")
	r := newRecords(w, format)
	header := []string{"at", "contact", "email", "list", "state", "method", "statement", "origin", "network", "actor"}
	err = export(ctx, h, r, header, func(c *ConsentRecord) [][]string {
		return [][]string{{
			written(c.At), strconv.FormatInt(c.ContactID, 10), c.Email, c.List, string(c.State), string(c.Method), c.Statement, c.Origin,
			c.Network, c.Actor,
		}}
	}, selectConsents+` WHERE $1 = 0 OR s.list_id = $1 ORDER BY g.id`, id)
	return r.n, err
}

// ExportSuppressions writes who must not be mailed, the oldest first. CSV has those in force whose address is known, and can be imported again;
// JSON Lines has also those that were lifted and, without an address, those of who was erased.
func ExportSuppressions(ctx context.Context, h database.Handle, w io.Writer, format ExportFormat) (n int, err error) {
	defer errs.Wrap(&err, "export suppressions")
	r := newRecords(w, format)
	err = export(ctx, h, r, []string{"address", "reason", "origin", "date"}, func(s *SuppressionRecord) [][]string {
		return [][]string{{s.Address, string(s.Reason), s.Origin, written(s.At)}}
	}, selectSuppressions+` WHERE $1 OR x.lifted_at IS NULL AND x.address_hash IS NULL ORDER BY x.id`, format == JSONLines)
	return r.n, err
}

// written is a time in a cell (RFC 3339).
func written(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
