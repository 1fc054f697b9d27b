// Package limit keeps what goes out below what was declared: so many messages per second, minute, hour and day, in all, over a relay, to a
// destination, or from a list's sender; and plans by which a new one warms up from day to day.
//
// Its rules, in words. A message goes when each limit that is about it has room. Room is reserved in the database right before MAIL, so that any
// number of workers share a limit; what was reserved is used at once or given back. In no stretch of time of a limit's length do more go than it
// says, wherever the stretch begins, so nothing is saved up while mail is held back. What has to wait is told when its turn comes.
package limit

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Limit is a declared limit. A number that is 0 limits nothing.
type Limit struct {
	Name string `db:"name" toml:"name" json:"name"`

	// What it is about: one of them, or none for all that goes. Each stands for every one by itself, unless another limit names it.
	Relay       string `db:"relay" toml:"relay" json:"relay,omitempty"`                   // a host, or host:port
	Destination string `db:"destination" toml:"destination" json:"destination,omitempty"` // a destination, or a domain
	Sender      string `db:"sender" toml:"sender" json:"sender,omitempty"`                // the address that lists send from

	PerSecond int    `db:"per_second" toml:"per_second" json:"per_second,omitempty"`
	PerMinute int    `db:"per_minute" toml:"per_minute" json:"per_minute,omitempty"`
	PerHour   int    `db:"per_hour" toml:"per_hour" json:"per_hour,omitempty"`
	PerDay    int    `db:"per_day" toml:"per_day" json:"per_day,omitempty"` // in any 24 hours
	WarmUp    WarmUp `db:"warm_up" toml:"warm_up" json:"warm_up,omitzero"`
}

// Each stands, in a limit, for every relay, destination or sender by itself.
const Each = "*"

// Message is what limits are about in a message.
type Message struct {
	Relay, RelayHost    string // host:port, and the host alone
	Destination, Domain string // of the recipient
	Sender              string // the address that it is from
}

// scope is one of the things that a limit can be about.
type scope struct {
	name  string
	limit func(l *Limit) string      // what of it a limit names; "": it is not about this
	names func(m *Message) [2]string // how a limit may name that of a message, the usual one first
}

var scopes = []scope{
	{"relay", func(l *Limit) string { return l.Relay }, func(m *Message) [2]string { return [2]string{m.Relay, m.RelayHost} }},
	{"destination", func(l *Limit) string { return l.Destination }, func(m *Message) [2]string { return [2]string{m.Destination, m.Domain} }},
	{"sender", func(l *Limit) string { return l.Sender }, func(m *Message) [2]string { return [2]string{m.Sender, ""} }},
}

// scope returns what a limit is about, nil for all that goes.
func (l *Limit) scope() *scope {
	for i := range scopes {
		if scopes[i].limit(l) != "" {
			return &scopes[i]
		}
	}
	return nil
}

// about reports whether a limit of a set is about a message, and which relay, destination or sender that is; "" for all.
func (l *Limit) about(m *Message, set []Limit) (which string, is bool) {
	s := l.scope()
	if s == nil {
		return "", true
	}
	which, names := s.limit(l), s.names(m)
	switch {
	case names[0] == "":
		return "", false
	case which == Each:
		return names[0], !named(s, names, set)
	}
	return which, which == names[0] || which == names[1]
}

// named reports whether a limit of the set names a thing, and not just each.
func named(s *scope, names [2]string, set []Limit) bool {
	for i := range set {
		if which := s.limit(&set[i]); which != "" && which != Each && (which == names[0] || which == names[1]) {
			return true
		}
	}
	return false
}

// most is the largest number that a limit may say.
const most = 1_000_000_000

var wellNamed = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// check returns a limit in its usual form, or what is wrong with it.
func (l Limit) check() (Limit, error) {
	l.Relay, l.Destination, l.Sender = plain(l.Relay), plain(l.Destination), plain(l.Sender)
	abouts := 0
	for i := range scopes {
		if scopes[i].limit(&l) != "" {
			abouts++
		}
	}
	limited := l.WarmUp.planned()
	for i, n := range l.numbers() {
		if n < 0 || n > most {
			return l, l.wrong("per_"+periods[i].name, "per_%s %d: it is from 1 to a thousand million, or 0 for no limit", periods[i].name, n)
		}
		limited = limited || n > 0
	}
	switch {
	case !wellNamed.MatchString(l.Name) || len(l.Name) > 60:
		return l, l.wrong("name", "its name is of small letters, digits and hyphens, such as \"gmail\"")
	case abouts > 1:
		return l, l.wrong("relay", "it is about a relay, a destination or a sender, one of them; declare another limit for the other")
	case l.Sender != "" && l.Sender != Each && !strings.Contains(l.Sender, "@"):
		return l, l.wrong("sender", "sender %q is no address, such as news@example.org", l.Sender)
	case strings.Contains(l.Destination, "@") || strings.Contains(l.Relay, "@"):
		return l, l.wrong("destination", "a destination is a domain such as example.org, a relay a host such as mail.example.org")
	case !limited:
		return l, l.wrong("per_hour", "it limits nothing: give it per_second, per_minute, per_hour, per_day or warm_up")
	}
	if err := l.WarmUp.check(); err != nil {
		return l, l.wrong("warm_up", "%v", err)
	}
	return l, nil
}

// Mistake is what is wrong with one key of a limit.
type Mistake struct { //nolint:errname // it is read as one
	Limit string // its name
	Key   string // as a declaration has it
	Says  string
}

// Error says all of it in one line.
func (m *Mistake) Error() string { return fmt.Sprintf("limit %q: %s", m.Limit, m.Says) }

func (l *Limit) wrong(key, format string, args ...any) error {
	return errs.New(errs.Invalid, "%w", &Mistake{l.Name, key, fmt.Sprintf(format, args...)})
}

// plain returns a name with ASCII letters lowered.
func plain(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func (l *Limit) numbers() [4]int { return [4]int{l.PerSecond, l.PerMinute, l.PerHour, l.PerDay} }

// same reports whether two limits say the same.
func (l *Limit) same(other *Limit) bool {
	a, b := *l, *other
	a.WarmUp, b.WarmUp = WarmUp{}, WarmUp{}
	return a.Name == b.Name && a.Relay == b.Relay && a.Destination == b.Destination && a.Sender == b.Sender && a.numbers() == b.numbers() &&
		l.WarmUp.same(&other.WarmUp)
}

// All returns the declared limits by name.
func All(ctx context.Context, h database.Handle) (all []Limit, err error) {
	defer errs.Wrap(&err, "limit.All")
	err = h.SelectContext(ctx, &all, `
		SELECT name, relay, destination, sender, per_second, per_minute, per_hour, per_day, warm_up FROM mailer.limits ORDER BY name`)
	return all, err
}

// Named returns a limit, or errs.NotFound.
func Named(ctx context.Context, h database.Handle, name string) (l Limit, err error) {
	all, err := All(ctx, h)
	for _, l := range all {
		if l.Name == name {
			return l, nil
		}
	}
	if err == nil {
		err = errs.New(errs.NotFound, "there is no limit %q", name)
	}
	return l, err
}

// Declare makes a limit be as given and returns whether that changed anything. What workers know of it is a second old at most. What waited for
// it is still to be let go: see ledger.LetGo.
func Declare(ctx context.Context, h database.Handle, l Limit) (database.Change, error) {
	l, err := l.check()
	if err != nil {
		return "", err
	}
	there, err := Named(ctx, h, l.Name)
	change := database.Changed
	switch {
	case errs.KindOf(err) == errs.NotFound:
		change = database.Added
	case err != nil:
		return "", err
	case there.same(&l):
		return database.Unchanged, nil
	}
	_, err = h.ExecContext(ctx, `
		INSERT INTO mailer.limits (name, relay, destination, sender, per_second, per_minute, per_hour, per_day, warm_up)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (name) DO UPDATE SET relay = excluded.relay, destination = excluded.destination, sender = excluded.sender,
			per_second = excluded.per_second, per_minute = excluded.per_minute, per_hour = excluded.per_hour, per_day = excluded.per_day, warm_up = excluded.warm_up`,
		l.Name, l.Relay, l.Destination, l.Sender, l.PerSecond, l.PerMinute, l.PerHour, l.PerDay, l.WarmUp)
	errs.Wrap(&err, "limit.Declare(%s)", l.Name)
	return change, err
}

// Remove takes a limit away with what was counted of it, and returns whether there was one.
func Remove(ctx context.Context, h database.Handle, name string) (_ database.Change, err error) {
	defer errs.Wrap(&err, "limit.Remove(%s)", name)
	var gone []string
	err = h.SelectContext(ctx, &gone, `
		WITH counted AS (DELETE FROM mailer.reservations WHERE limit_name = $1)
		DELETE FROM mailer.limits WHERE name = $1 RETURNING name`, name)
	if err != nil || len(gone) == 0 {
		return database.Unchanged, err
	}
	return database.Removed, nil
}

// Forget forgets what was taken so long ago that it counts no more.
func Forget(ctx context.Context, h database.Handle, now time.Time) (err error) {
	defer errs.Wrap(&err, "limit.Forget")
	_, err = h.ExecContext(ctx, `DELETE FROM mailer.reservations WHERE (book ->> 'latest')::timestamptz < $1`, now.Add(-2*day))
	return err
}

// Use is what was taken of a limit. Periods are second, minute, hour, day and warm-up, which is today in UTC.
type Use struct {
	Limit
	About string         `json:"about"` // which relay, destination or sender; "" for all, or for one that was not used yet
	Taken map[string]int `json:"taken"` // by period, as far as it is limited
	Most  map[string]int `json:"most"`  // what may be taken
}

// Uses returns how far each limit is used at a time, those first that are used the most. Of a limit that was not used yet there is one without
// anything taken.
func Uses(ctx context.Context, h database.Handle, now time.Time) (uses []Use, err error) {
	defer errs.Wrap(&err, "limit.Uses")
	all, err := All(ctx, h)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	names := make(pq.StringArray, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	var kept []struct {
		Name  string `db:"limit_name"`
		About string `db:"about"`
		Book  Book   `db:"book"`
	}
	if err := h.SelectContext(ctx, &kept, `SELECT limit_name, about, book FROM mailer.reservations WHERE limit_name = ANY ($1) ORDER BY about`, names); err != nil {
		return nil, err
	}
	for _, l := range all {
		found := false
		for i := range kept {
			if kept[i].Name == l.Name {
				found = true
				uses = append(uses, kept[i].Book.use(l, kept[i].About, now))
			}
		}
		if !found {
			uses = append(uses, (&Book{}).use(l, "", now))
		}
	}
	return uses, nil
}
