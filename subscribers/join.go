package subscribers

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// JoinRequest is what somebody wrote into a form to subscribe. Anybody can write anybody's address there: until its owner confirms, nothing
// that is there already is changed by it.
type JoinRequest struct {
	Address   Address
	Name      string   // "" when not said
	Languages []string // the best first
	Wants     []Want
	Evidence  Evidence // of the form
}

// Want is a list that is asked for.
type Want struct {
	List   string   // slug
	Rhythm string   // "" is the list's default
	Topics []string // sections or tags; none is all
	Words  string   // that were shown for this list; "" is the Statement of the request's Evidence
}

// Joined is a subscription that was asked for.
type Joined struct {
	Subscription int64 `db:"id"`
	State        State `db:"state"` // as it is now
	// Mail says that a mail shall go to the address: to ask whether it was them, or to say that they are on the list already. It is false
	// where an administrator does not want mail to go there, where another mail of the same request asks for this list, too (see Together), and
	// where one says already that they are on another list: a form is no way to send somebody a mail for each list there is.
	Mail  bool `db:"-"`
	begun bool // by this request
}

// Join takes a request in. A list with double opt-in makes a subscription that waits for Confirm; one with single opt-in makes it active at once,
// unless something was ever said against mail to the address: somebody left a list, it bounced, complained, was suppressed or erased. What was
// active, paused or ended stays so. A list that is not public is errs.NotFound; a rhythm that it does not offer, and what else is wrong with the
// request, is errs.Invalid, whoever's address it is.
func Join(ctx context.Context, tx *sqlx.Tx, r JoinRequest) (joined []Joined, err error) {
	if r, err = r.canonical(); err != nil {
		return nil, err
	}
	lists, err := r.lists(ctx, tx)
	if err != nil {
		return nil, err
	}
	defer errs.Wrap(&err, "take in a request to subscribe")
	contact, err := r.contact(ctx, tx)
	if err != nil {
		return nil, err
	}
	unwelcome, err := r.unwelcome(ctx, tx, contact)
	if err != nil {
		return nil, err
	}
	barred, err := Barred(ctx, tx, r.Address)
	if err != nil {
		return nil, err
	}
	for i, want := range r.Wants {
		one, err := r.join(ctx, tx, contact, lists[i], want, unwelcome)
		if err != nil {
			return nil, err
		}
		joined = append(joined, one)
	}
	return joined, r.decideMail(ctx, tx, joined, barred)
}

// CheckName refuses what somebody wrote for a name and cannot be one. It may be shown in a mail to a person who never asked for that, so it
// holds no address of the web. The error, of kind Invalid, is the reason alone.
func CheckName(name string) error {
	name = tidy(name)
	if isAddressOfWeb(name) {
		return errs.New(errs.Invalid, "a name, not an address of the web")
	}
	return checkText(name, maxName)
}

func isAddressOfWeb(s string) bool {
	return strings.Contains(s, "://") || strings.Contains(strings.ToLower(s), "www.")
}

// canonical checks what can be checked without knowing whose address it is.
func (r JoinRequest) canonical() (_ JoinRequest, err error) {
	if err := CheckName(r.Name); err != nil {
		return r, errs.New(errs.Invalid, "name: %w", err)
	}
	r.Name = tidy(r.Name)
	if r.Languages, err = parseLanguages(r.Languages); err != nil {
		return r, errs.New(errs.Invalid, "languages: %w", err)
	}
	if len(r.Languages) > MaxLanguages {
		return r, errs.New(errs.Invalid, "languages: more than %d", MaxLanguages)
	}
	r.Wants = slices.Clone(r.Wants)
	for i := range r.Wants {
		if r.Wants[i].Topics, err = parseTopics(r.Wants[i].Topics); err != nil {
			return r, err
		}
		if slices.ContainsFunc(r.Wants[i].Topics, isAddressOfWeb) {
			return r, errs.New(errs.Invalid, "topics: not an address of the web")
		}
	}
	return r, nil
}

// lists returns the wanted lists and keeps their offers as they are until the transaction ends.
func (r JoinRequest) lists(ctx context.Context, tx *sqlx.Tx) (lists []List, err error) {
	for i := range r.Wants {
		want := &r.Wants[i]
		list, err := ListBySlug(ctx, tx, want.List)
		if err == nil {
			err = tx.GetContext(ctx, &list, selectLists+` WHERE id = $1 FOR SHARE`, list.ID)
		}
		if err != nil {
			return nil, err
		}
		if !list.Public {
			return nil, errs.New(errs.NotFound, "the list %q is not public", want.List)
		}
		if want.Rhythm == "" {
			want.Rhythm = list.DefaultRhythm
		}
		if err := list.offers(want.Rhythm); err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// offers refuses a rhythm that the list does not offer.
func (l *List) offers(rhythm string) error {
	if !slices.Contains(l.Rhythms, rhythm) {
		return errs.New(errs.Invalid, "rhythm %q: the list %s offers %s", rhythm, l.Slug, strings.Join(l.Rhythms, ", "))
	}
	return nil
}

// What a form says of a person is taken as long as nobody but forms has said anything of them.
const updateUnconfirmed = `
UPDATE subscribers.contacts c
SET name = $2, languages = $3, language_keys = $4
WHERE c.id = $1
  AND EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id)
  AND NOT EXISTS (
      SELECT FROM subscribers.consents g JOIN subscribers.subscriptions s ON s.id = g.subscription_id
      WHERE s.contact_id = c.id AND (g.method <> 'form' OR g.state <> 'pending'))`

// contact returns the contact of the address, which is made if there is none, and holds it.
func (r JoinRequest) contact(ctx context.Context, tx *sqlx.Tx) (id int64, err error) {
	languages, keys := present(r.Languages), pq.StringArray(language.Keys(r.Languages))
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email_key) DO NOTHING`,
		r.Address.Given, r.Address.Key, r.Name, languages, keys, r.Evidence.At); err != nil {
		return 0, err
	}
	if err := tx.GetContext(ctx, &id, `SELECT id FROM subscribers.contacts WHERE email_key = $1 FOR UPDATE`, r.Address.Key); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, updateUnconfirmed, id, r.Name, languages, keys)
	return id, err
}

const selectUnwelcome = `
SELECT EXISTS (
           SELECT FROM subscribers.suppressions
           WHERE address_key = $2 OR domain_key = $3 OR address_hash = $4)
       OR EXISTS (
           SELECT FROM subscribers.consents g JOIN subscribers.subscriptions s ON s.id = g.subscription_id
           WHERE s.contact_id = $1 AND g.state = 'unsubscribed')`

// unwelcome reports whether anything was ever said against mail to the address: then only its owner can begin anew.
func (r JoinRequest) unwelcome(ctx context.Context, tx *sqlx.Tx, contact int64) (unwelcome bool, err error) {
	hash, err := addressHash(ctx, tx, r.Address.Key)
	if err != nil {
		return false, err
	}
	err = tx.GetContext(ctx, &unwelcome, selectUnwelcome, contact, r.Address.Key, r.Address.domain(), hash)
	return unwelcome, err
}

// Barred reports whether an administrator does not want any mail to go to an address, or to its domain, not even one that asks for
// confirmation.
func Barred(ctx context.Context, h database.Handle, a Address) (bool, error) {
	reasons, err := suppressedFor(ctx, h, target{address: a.Key, domain: a.domain()})
	return slices.Contains(reasons, Manual), err
}

const insertWanted = `
WITH added AS (
    INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, topics, created_at)
    VALUES ($1, $2, 'pending', $3, $4, $5)
    ON CONFLICT (list_id, contact_id) DO NOTHING
    RETURNING id)
INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, network)
SELECT id, $5, 'pending', $6, $7, $8, $9 FROM added`

// What is not active is as it was asked for last: its owner sees that before confirming.
const updateWanted = `
UPDATE subscribers.subscriptions SET rhythm = $3, topics = $4
WHERE list_id = $1 AND contact_id = $2 AND state IN ('pending', 'unsubscribed')`

// join makes one subscription and its line in the log, or finds it.
func (r JoinRequest) join(ctx context.Context, tx *sqlx.Tx, contact int64, list List, want Want, unwelcome bool) (one Joined, err error) {
	e, topics := r.Evidence, present(want.Topics)
	e.Statement = cmp.Or(want.Words, e.Statement)
	if _, err := tx.ExecContext(ctx, insertWanted, list.ID, contact, want.Rhythm, topics, e.At, e.Method, e.Statement, e.Origin, e.Network); err != nil {
		return one, err
	}
	if _, err := tx.ExecContext(ctx, updateWanted, list.ID, contact, want.Rhythm, topics); err != nil {
		return one, err
	}
	err = tx.GetContext(ctx, &one, `SELECT id, state FROM subscribers.subscriptions WHERE list_id = $1 AND contact_id = $2`, list.ID, contact)
	if err != nil || list.OptIn != "single" || unwelcome || one.State != Pending {
		return one, err
	}
	one.State, one.begun = Active, true
	return one, change(ctx, tx, one.Subscription, transition{from: []State{Pending}, to: Active, enrols: true}, e)
}

// decideMail says which of the subscriptions a mail is sent for: one for all that wait together, one for all that were there already, and one for
// each other.
func (r JoinRequest) decideMail(ctx context.Context, tx *sqlx.Tx, joined []Joined, barred bool) error {
	var covered []int64
	told := false
	for i := range joined {
		one := &joined[i]
		known := (one.State == Active || one.State == Paused) && !one.begun
		one.Mail = !barred && !slices.Contains(covered, one.Subscription) && (!known || !told)
		told = told || known
		together, err := Together(ctx, tx, one.Subscription)
		if err != nil {
			return err
		}
		covered = append(covered, together...)
	}
	return nil
}

// It looks at the subscriptions of one contact alone: an import may leave very many that wait.
const selectTogether = `
WITH waiting AS (
    SELECT s.id, g.at
    FROM subscribers.subscriptions s
    JOIN subscribers.lists l ON l.id = s.list_id,
         LATERAL (SELECT at, method FROM subscribers.consents WHERE subscription_id = s.id ORDER BY id DESC LIMIT 1) g
    WHERE s.contact_id = (SELECT contact_id FROM subscribers.subscriptions WHERE id = $1)
      AND s.state = 'pending' AND g.method = 'form' AND l.public)
SELECT w.id FROM waiting w JOIN waiting mine ON mine.at = w.at
WHERE mine.id = $1 ORDER BY w.id`

// Together returns the subscriptions that were asked for in one form and wait to be confirmed, of which the given one is one: its person
// can confirm them all at once. One that does not wait, or whose list is not public any more, is alone.
func Together(ctx context.Context, h database.Handle, subscription int64) (ids []int64, err error) {
	defer errs.Wrap(&err, "read what waits together with subscription %d", subscription)
	if err = h.SelectContext(ctx, &ids, selectTogether, subscription); err == nil && len(ids) == 0 {
		ids = []int64{subscription}
	}
	return ids, err
}

// AwaitsPerson reports whether only its person can make a subscription mailable again, by Confirm: because it is not active, or because
// their address bounced or they complained.
func AwaitsPerson(ctx context.Context, h database.Handle, subscription int64) (awaits bool, err error) {
	defer errs.Wrap(&err, "read what subscription %d waits for", subscription)
	err = h.GetContext(ctx, &awaits, `
		SELECT EXISTS (
			SELECT FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
			WHERE s.id = $1 AND c.erased_at IS NULL AND (s.state <> 'active' OR EXISTS (
				SELECT FROM subscribers.suppressions x
				WHERE x.lifted_at IS NULL AND x.address_key = c.email_key AND x.reason IN ('hard bounce', 'complaint'))))`, subscription)
	return awaits, err
}
