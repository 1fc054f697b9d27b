package subscribers

import (
	"context"
	"io"
	"strconv"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// consentRecord is a line of the log of consents with whom and what it is about.
type consentRecord struct {
	At        time.Time `db:"at" json:"at"`
	ContactID int64     `db:"contact_id" json:"contact"`
	Email     string    `db:"email" json:"email"` // "": erased
	List      string    `db:"list" json:"list"`
	State     State     `db:"state" json:"state"` // what the subscription became
	Method    Method    `db:"method" json:"method"`
	Statement string    `db:"statement" json:"statement"`
	Origin    string    `db:"origin" json:"origin"`
	Network   string    `db:"network" json:"network"`
	Actor     string    `db:"actor" json:"actor"`
}

// ExportConsents writes the log of consents, the oldest line first. Of who was erased it has the number alone.
func ExportConsents(ctx context.Context, h database.Handle, w io.Writer, format ExportFormat, list string) (n int, err error) {
	id, err := listID(ctx, h, list)
	if err != nil {
		return 0, err
	}
	defer errs.Wrap(&err, "export the log of consents")
	r := newRecords(w, format)
	header := []string{"at", "contact", "email", "list", "state", "method", "statement", "origin", "network", "actor"}
	err = export(ctx, h, r, header, func(c *consentRecord) [][]string {
		return [][]string{{
			written(c.At), strconv.FormatInt(c.ContactID, 10), c.Email, c.List, string(c.State), string(c.Method), c.Statement, c.Origin,
			c.Network, c.Actor,
		}}
	}, `
		SELECT g.at, s.contact_id, coalesce(c.email, '') AS email, l.slug AS list, g.state, g.method, g.statement, g.origin, g.network, g.actor
		FROM subscribers.consents g
		JOIN subscribers.subscriptions s ON s.id = g.subscription_id
		JOIN subscribers.lists l ON l.id = s.list_id
		JOIN subscribers.contacts c ON c.id = s.contact_id
		WHERE $1 = 0 OR s.list_id = $1
		ORDER BY g.id`, id)
	return r.n, err
}

// suppressionRecord is a suppression, lifted ones and those of erased addresses too.
type suppressionRecord struct {
	Address string     `db:"address" json:"address"` // or domain; "": it was erased
	Reason  Reason     `db:"reason" json:"reason"`
	Origin  string     `db:"origin" json:"origin"`
	At      time.Time  `db:"at" json:"date"`
	Lifted  *time.Time `db:"lifted_at" json:"lifted"`
}

// ExportSuppressions writes who must not be mailed, the oldest first. CSV has those in force whose address is known, and can be imported again;
// JSON Lines has also those that were lifted and, without an address, those of who was erased.
func ExportSuppressions(ctx context.Context, h database.Handle, w io.Writer, format ExportFormat) (n int, err error) {
	defer errs.Wrap(&err, "export suppressions")
	r := newRecords(w, format)
	err = export(ctx, h, r, []string{"address", "reason", "origin", "date"}, func(s *suppressionRecord) [][]string {
		return [][]string{{s.Address, string(s.Reason), s.Origin, written(s.At)}}
	}, `
		SELECT coalesce(address_key, domain_key, '') AS address, reason, origin, at, lifted_at
		FROM subscribers.suppressions
		WHERE $1 OR lifted_at IS NULL AND address_hash IS NULL
		ORDER BY id`, format == JSONLines)
	return r.n, err
}

// written is a time in a cell (RFC 3339).
func written(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
