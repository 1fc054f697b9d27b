package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Contact is a person or an office with an address.
type Contact struct {
	ID            int64              `db:"id"`
	Email         string             `db:"email"`         // as given: what is sent to
	EmailKey      string             `db:"email_key"`     // what addresses are compared by
	Name          string             `db:"name"`          // "" when unknown
	Languages     pq.StringArray     `db:"languages"`     // canonical BCP 47, the first is the best
	TimeZone      string             `db:"time_zone"`     // IANA; "" is the list's
	DeliveryHour  string             `db:"delivery_hour"` // "15:04", local; "" is the list's
	Attributes    database.StringMap `db:"attributes"`
	CreatedAt     time.Time          `db:"created_at"`
	ErasedAt      *time.Time         `db:"erased_at"` // nil: there; else nothing but the id is left
	Organisations []Organisation     `db:"-"`         // by name
}

const selectContact = `
SELECT id, coalesce(email, '') AS email, coalesce(email_key, '') AS email_key, name, languages, time_zone, coalesce(to_char(delivery_hour, 'HH24:MI'), '') AS delivery_hour,
       attributes, created_at, erased_at
FROM subscribers.contacts
WHERE id = $1`

const selectOrganisationsOf = selectOrganisations + `
JOIN subscribers.memberships m ON m.organisation_id = o.id
WHERE m.contact_id = $1
ORDER BY o.name_key`

// ContactByID returns a contact with its organisations, or errs.NotFound.
func ContactByID(ctx context.Context, h database.Handle, id int64) (contact Contact, err error) {
	err = h.GetContext(ctx, &contact, selectContact, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Contact{}, errs.New(errs.NotFound, "no contact %d", id)
	}
	defer errs.Wrap(&err, "read contact %d", id)
	if err != nil {
		return Contact{}, err
	}
	err = h.SelectContext(ctx, &contact.Organisations, selectOrganisationsOf, id)
	return contact, err
}
