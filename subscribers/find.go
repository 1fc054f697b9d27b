package subscribers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// ContactFilter narrows a list of contacts. What is empty does not.
type ContactFilter struct {
	Text       string // in the address, the name or an organisation's name; with fewer than three letters an address or a name begins
	List       string // slug
	State      State  // of a subscription, on List if that is said
	Suppressed bool   // only those whose address or domain is
	Country    string // of one of its organisations, or its own
	Language   string // one that the contact reads
	// Within are the ids of the only lists whose people are shown, for who is confined to them, and of them what these may see; nil: all.
	Within []int64
}

// ListedContact is a contact in a list of many.
type ListedContact struct {
	ContactRecord
	Suppressed []Reason // why its address must not be mailed
}

// ContactPage is a part of a list of contacts, the newest first.
type ContactPage struct {
	Contacts []ListedContact
	// Next is what the next part begins after; 0: this is the last one. There can be fewer contacts than were asked for and yet a next part: then as
	// many were looked through as may be in one go.
	Next int64
}

// How much is looked at for one part of the list, so that it is there in a moment however many people there are: a filter that finds fewer than
// fewPeople is followed; else people are looked through from the newest on.
const (
	fewPeople     = 10_000
	manyPeople    = 40_000
	manyOnLists   = 15_000 // likewise, when they are found by way of their lists
	manyHouses    = 1000   // organisations whose names have a text in them
	shortestParts = 3      // letters that the index of parts goes by
)

// FindContacts returns up to limit contacts that a filter leaves, after the one where the last part ended, 0 for the first part. A list that does
// not exist is errs.NotFound, a country or a language that is none errs.Invalid.
func FindContacts(ctx context.Context, db *sqlx.DB, f ContactFilter, after int64, limit int) (page ContactPage, err error) {
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		page = ContactPage{}
		if _, err := tx.ExecContext(ctx, countingSettings); err != nil {
			return err
		}
		search, err := f.search(ctx, tx)
		if err != nil || search == nil {
			return err
		}
		ids, err := search.ids(ctx, tx, after, limit+1)
		if err != nil {
			return err
		}
		if len(ids) > limit {
			ids = ids[:limit]
			page.Next = ids[limit-1]
		} else if page.Next, err = search.rest(ctx, tx, after); err != nil {
			return err
		}
		page.Contacts, err = listed(ctx, tx, ids, f.Within)
		return err
	})
	errs.Wrap(&err, "find contacts")
	return page, err
}

// listed reads contacts with what a list shows of them, in the order of ids.
func listed(ctx context.Context, h database.Handle, ids, within []int64) ([]ListedContact, error) {
	var records []ContactRecord
	if err := h.SelectContext(ctx, &records, `SELECT `+recordColumns+` FROM subscribers.contacts c WHERE c.id = ANY ($1) ORDER BY c.id DESC`, pq.Array(ids)); err != nil {
		return nil, err
	}
	if err := complete(ctx, h, records, 0); err != nil {
		return nil, err
	}
	if err := keepTo(ctx, h, records, within); err != nil {
		return nil, err
	}
	var against []struct {
		ID     int64  `db:"id"`
		Reason Reason `db:"reason"`
	}
	err := h.SelectContext(ctx, &against, `
		SELECT c.id, x.reason FROM subscribers.contacts c JOIN subscribers.suppressions x ON x.lifted_at IS NULL AND x.address_key = c.email_key WHERE c.id = ANY ($1)
		UNION SELECT c.id, x.reason FROM subscribers.contacts c JOIN subscribers.suppressions x ON x.lifted_at IS NULL AND x.domain_key = c.domain_key WHERE c.id = ANY ($1)
		ORDER BY 1, 2`, pq.Array(ids))
	if err != nil {
		return nil, err
	}
	all := make([]ListedContact, len(records))
	for i, record := range records {
		all[i].ContactRecord = record
		for _, a := range against {
			if a.ID == record.ID {
				all[i].Suppressed = append(all[i].Suppressed, a.Reason)
			}
		}
	}
	return all, nil
}

// search is a filter as conditions on a contact c, and as statements that find contacts by an index. OFFSET 0 keeps Postgres from gathering everybody
// of whom a condition holds, where it is asked about one after the other.
type search struct {
	conditions []string
	ways       []way
	lists      []int64 // who is meant is on one of these; nil: it does not matter
	within     []int64 // what is asked of a person counts for whom one of these knows; nil: for everybody
	few        *way    // the one that was found to have few people; nil: none has
	args       []any
}

// way is a statement that finds the ids of all of whom a condition holds, and of nobody else.
type way struct{ find, condition string }

func (s *search) arg(value any) string {
	s.args = append(s.args, value)
	return fmt.Sprintf("$%d", len(s.args))
}

// knows says that what is asked of a contact beside its address is for who asks to know.
func (s *search) knows(contact string) string {
	if s.within == nil {
		return "true"
	}
	return known(contact, s.arg(pq.Array(s.within)))
}

// sees says likewise that its attributes are.
func (s *search) sees(contact string) string {
	if s.within == nil {
		return "true"
	}
	return alone(contact, s.arg(pq.Array(s.within)))
}

// search reads a filter. nil: nobody is meant, whoever there is.
func (f ContactFilter) search(ctx context.Context, h database.Handle) (*search, error) {
	s := &search{lists: f.Within, within: f.Within}
	if f.List != "" {
		list, err := ListBySlug(ctx, h, f.List)
		if err != nil {
			return nil, err
		}
		if s.lists != nil && !slices.Contains(s.lists, list.ID) {
			return nil, nil //nolint:nilnil // nobody, and no mistake
		}
		s.lists = []int64{list.ID}
	}
	f.bySubscription(s)
	for _, add := range []func(context.Context, database.Handle, *search) error{f.byText, f.byCountry, f.byLanguage} {
		if err := add(ctx, h, s); err != nil {
			return nil, err
		}
	}
	if f.Suppressed {
		s.ways = append(s.ways, way{barred, `(EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.address_key = c.email_key OFFSET 0)
			OR EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.domain_key = c.domain_key OFFSET 0))`})
	}
	return s, s.measure(ctx, h)
}

func (f ContactFilter) bySubscription(s *search) {
	if s.lists == nil && f.State == "" {
		return
	}
	conditions := "true"
	if s.lists != nil {
		conditions += " AND s.list_id = ANY (" + s.arg(pq.Array(s.lists)) + "::bigint[])"
	}
	if f.State != "" {
		conditions += " AND s.state = " + s.arg(f.State)
	}
	holds := `EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND ` + conditions + ` OFFSET 0)`
	if f.State == "" || f.State == Active {
		s.conditions = append(s.conditions, holds) // many, and those on a list are found in their order
		return
	}
	s.ways = append(s.ways, way{`SELECT s.contact_id FROM subscribers.subscriptions s WHERE s.state <> 'active' AND ` + conditions, holds})
}

// likeSigns are those that mean something in a pattern.
var likeSigns = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (f ContactFilter) byText(ctx context.Context, h database.Handle, s *search) error {
	text := tidy(f.Text)
	if text == "" {
		return nil
	}
	if err := checkText(text, maxName); err != nil {
		return errs.New(errs.Invalid, "the text to look for: %w", err)
	}
	var houses []int64
	if key := organisationKey(text); key != "" {
		if err := h.SelectContext(ctx, &houses, `SELECT id FROM subscribers.organisations WHERE strpos(name_key, $1) > 0 LIMIT $2`, key, manyHouses); err != nil {
			return err
		}
	}
	if done, err := f.byAddress(ctx, h, s, text); done || err != nil {
		return err
	}
	pattern := likeSigns.Replace(text) + "%"
	if utf8.RuneCountInString(text) >= shortestParts {
		pattern = "%" + pattern
	}
	part, members := s.arg(pattern), s.arg(pq.Array(houses))+"::bigint[]"
	s.ways = append(s.ways, way{
		`SELECT t.id FROM subscribers.contacts t WHERE lower(t.email_key) LIKE lower(` + part + `) OR lower(t.name) LIKE lower(` + part + `) AND ` + s.knows("t.id") + `
		UNION ALL SELECT m.contact_id FROM subscribers.memberships m WHERE m.organisation_id = ANY (` + members + `) AND ` + s.knows("m.contact_id"),
		`(lower(c.email_key) LIKE lower(` + part + `) OR ` + s.knows("c.id") + ` AND (lower(c.name) LIKE lower(` + part + `)
		OR EXISTS (SELECT FROM subscribers.memberships m WHERE m.contact_id = c.id AND m.organisation_id = ANY (` + members + `) OFFSET 0)))`,
	})
	return nil
}

// byAddress takes a text for the whole address of somebody, if there is anybody who has it.
func (f ContactFilter) byAddress(ctx context.Context, h database.Handle, s *search, text string) (done bool, err error) {
	address, err := ParseAddress(text)
	if err != nil {
		return false, nil //nolint:nilerr // it is part of one, or a name
	}
	if err := h.GetContext(ctx, &done, `SELECT EXISTS (SELECT FROM subscribers.contacts WHERE email_key = $1)`, address.Key); err != nil || !done {
		return false, err
	}
	key := s.arg(address.Key)
	s.ways = append(s.ways, way{`SELECT t.id FROM subscribers.contacts t WHERE t.email_key = ` + key, `c.email_key = ` + key})
	return true, nil
}

func (f ContactFilter) byCountry(ctx context.Context, h database.Handle, s *search) error {
	if f.Country == "" {
		return nil
	}
	code, err := parseCountry(f.Country)
	if err != nil {
		return errs.New(errs.Invalid, "country %q: %w", f.Country, err)
	}
	var houses []int64
	if err := h.SelectContext(ctx, &houses, `SELECT id FROM subscribers.organisations WHERE country = $1`, code); err != nil {
		return err
	}
	country, members := s.arg(code), s.arg(pq.Array(houses))+"::bigint[]"
	s.ways = append(s.ways, way{`SELECT m.contact_id FROM subscribers.memberships m WHERE m.organisation_id = ANY (` + members + `) AND ` + s.knows("m.contact_id") + `
		UNION ALL SELECT own.id FROM subscribers.contacts own WHERE own.attributes ->> 'country' = ` + country + ` AND ` + s.sees("own.id"), `(c.attributes ->> 'country' = ` + country + ` AND ` + s.sees("c.id") + `
		OR ` + s.knows("c.id") + ` AND EXISTS (SELECT FROM subscribers.memberships m WHERE m.contact_id = c.id AND m.organisation_id = ANY (` + members + `) OFFSET 0))`})
	return nil
}

func (f ContactFilter) byLanguage(_ context.Context, _ database.Handle, s *search) error {
	if f.Language == "" {
		return nil
	}
	tag, err := language.Parse(f.Language)
	if err != nil {
		return err
	}
	keys := s.arg(pq.Array(language.Keys([]string{tag}))) + "::text[]"
	s.ways = append(s.ways, way{
		`SELECT l.id FROM subscribers.contacts l WHERE l.erased_at IS NULL AND l.language_keys && ` + keys + ` AND ` + s.knows("l.id"),
		`c.language_keys && ` + keys + ` AND ` + s.knows("c.id"),
	})
	return nil
}

// measure finds a way on which there are few people.
func (s *search) measure(ctx context.Context, h database.Handle) error {
	fewest := fewPeople + 1
	for i := range s.ways {
		statement, args := packed(`SELECT count(*) FROM (SELECT FROM (`+s.ways[i].find+`) way LIMIT `+fmt.Sprint(fewest)+`) found`, s.args)
		var n int
		if err := h.GetContext(ctx, &n, statement, args...); err != nil {
			return err
		}
		if n < fewest {
			s.few, fewest = &s.ways[i], n
		}
		if n == 0 {
			break
		}
	}
	return nil
}

// ids returns the next contacts who are meant, the newest first.
func (s *search) ids(ctx context.Context, h database.Handle, after int64, limit int) (ids []int64, err error) {
	conditions := append([]string{"c.erased_at IS NULL"}, s.conditions...)
	for i := range s.ways {
		if &s.ways[i] != s.few {
			conditions = append(conditions, s.ways[i].condition)
		}
	}
	tail := ` WHERE ` + allOf(conditions)
	base := s.window(after)
	if s.few != nil {
		base = `(SELECT DISTINCT way.id FROM (` + s.few.find + `) way (id))`
		if after > 0 {
			tail += ` AND base.id < ` + s.arg(after)
		}
	}
	err = s.get(ctx, h, &ids, `SELECT base.id FROM `+base+` base
		CROSS JOIN LATERAL (SELECT c.* FROM subscribers.contacts c WHERE c.id = base.id OFFSET 0) c`+tail+` ORDER BY base.id DESC LIMIT `+fmt.Sprint(limit))
	return ids, err
}

// get runs a statement with those of the parameters that it names.
func (s *search) get(ctx context.Context, h database.Handle, into *[]int64, statement string) error {
	statement, args := packed(statement, s.args)
	return h.SelectContext(ctx, into, statement, args...)
}

// window is the statement for the people who are looked through in one go.
func (s *search) window(after int64) string {
	before := ""
	if after > 0 {
		before = ` AND %s < ` + s.arg(after)
	}
	ordered := func(id, table, condition string, most int) string {
		under := before
		if under != "" {
			under = fmt.Sprintf(before, id)
		}
		return fmt.Sprintf(`SELECT %s AS id FROM %s WHERE %s%s ORDER BY %s DESC LIMIT %d`, id, table, condition, under, id, most)
	}
	if s.lists == nil {
		return `(` + ordered("c.id", "subscribers.contacts c", "c.erased_at IS NULL", manyPeople) + `)`
	}
	each := ordered("s.contact_id", "subscribers.subscriptions s", "s.list_id = list.id", manyOnLists)
	return `(SELECT DISTINCT here.id FROM unnest(` + s.arg(pq.Array(s.lists)) + `::bigint[]) list (id) CROSS JOIN LATERAL (` + each + `) here
		ORDER BY here.id DESC LIMIT ` + fmt.Sprint(manyOnLists) + `)`
}

// rest returns where to go on when all that may be looked through in one go was, 0 when there is nobody further.
func (s *search) rest(ctx context.Context, h database.Handle, after int64) (int64, error) {
	if s.few != nil {
		return 0, nil
	}
	most := manyPeople
	if s.lists != nil {
		most = manyOnLists
	}
	var seen []int64
	err := s.get(ctx, h, &seen, `SELECT unnest(ARRAY[count(*), coalesce(min(seen.id), 0)]) FROM `+s.window(after)+` seen`)
	if err != nil || seen[0] < int64(most) {
		return 0, err
	}
	return seen[1], nil
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

// packed renumbers the parameters that a statement names, for Postgres wants to know the type of each.
func packed(statement string, args []any) (string, []any) {
	var used []any
	out := parameter.ReplaceAllStringFunc(statement, func(found string) string {
		var n int
		_, _ = fmt.Sscanf(found, "$%d", &n)
		used = append(used, args[n-1])
		return fmt.Sprintf("$%d", len(used))
	})
	return out, used
}
