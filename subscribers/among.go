package subscribers

import (
	"context"
	"strings"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// anyOf are those signs that mean something in a pattern, with what takes that from them.
var anyOf = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Among returns the ids of contacts in whose address or name, or in the name of one of whose organisations, a text stands, in order; at most limit. Case does
// not matter. With lists, names count of whom one of them knows.
func Among(ctx context.Context, h database.Handle, text string, lists []int64, limit int) (ids []int64, err error) {
	defer errs.Wrap(&err, "find contacts")
	text = tidy(text)
	if text == "" {
		return nil, errs.New(errs.Invalid, "write an address, a name or an organisation")
	}
	if err := checkText(text, maxName); err != nil {
		return nil, err
	}
	key := strings.ToLower(text)
	if address, err := ParseAddress(text); err == nil {
		key = address.Key
	}
	err = h.SelectContext(ctx, &ids, `
		SELECT id FROM (
			(SELECT id FROM subscribers.contacts WHERE email_key LIKE '%' || $1 || '%' LIMIT $4)
			UNION (SELECT c.id FROM subscribers.contacts c WHERE c.name ILIKE '%' || $2 || '%' AND `+known("c.id", "$5")+` LIMIT $4)
			UNION (SELECT m.contact_id FROM subscribers.memberships m WHERE m.organisation_id IN (
				SELECT id FROM subscribers.organisations WHERE name_key LIKE '%' || $3 || '%') AND `+known("m.contact_id", "$5")+` LIMIT $4)
		) found ORDER BY id LIMIT $4`, anyOf.Replace(key), anyOf.Replace(text), anyOf.Replace(organisationKey(text)), limit, listsOrNull(lists))
	return ids, err
}

// Houses returns the names of the organisations of contacts, in order; with lists, of those whom one of them knows.
func Houses(ctx context.Context, h database.Handle, contacts, lists []int64) (names map[int64][]string, err error) {
	defer errs.Wrap(&err, "read organisations of contacts")
	var rows []struct {
		Contact int64  `db:"contact_id"`
		Name    string `db:"name"`
	}
	err = h.SelectContext(ctx, &rows, `
		SELECT m.contact_id, o.name FROM subscribers.memberships m JOIN subscribers.organisations o ON o.id = m.organisation_id
		WHERE m.contact_id = ANY ($1) AND `+known("m.contact_id", "$2")+` ORDER BY o.name, o.id`, pq.Array(contacts), listsOrNull(lists))
	names = make(map[int64][]string, len(rows))
	for _, row := range rows {
		names[row.Contact] = append(names[row.Contact], row.Name)
	}
	return names, err
}
