package edition

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// CommandLine is who works at the desk by a command; else it is an id.
const CommandLine = "command line"

// Desk is where people work on editions before they are sent. Its rules, in words. What an editor wants of an edition is written down first,
// by translation group and by language; then whatever of it is not sent yet is laid out again by the very statements that planned it: each
// delivery's own articles and those that were added, without those that were dropped or withdrawn, in the languages that the contact reads
// now and with the translations that exist now. What a delivery loses by that is due again in the next edition, unless it was dropped for
// ever; one that loses everything is cancelled, and brought back when something is added. What was sent keeps the variant that was sent, and
// what is in doubt is left at that: nobody gets another message under the same Message-ID.
// While somebody works on an edition nothing of it is claimed and its list is not planned; what is in flight at that moment follows when it
// comes back. Each act says who did it and when.
//
// A Desk may be used by any number of goroutines and processes at once. An act that the edition's state does not allow is an error of kind
// errs.Conflict that says what to do.
type Desk struct {
	DB        *sqlx.DB
	Clock     clock.Clock
	Languages Languages
	By        string // who works: an id, or CommandLine

	// Check, if not nil, is asked about an edition before something is done to it, when nobody else can change it any more: its error forbids it.
	Check func(ctx context.Context, h database.Handle, id uuid.UUID) error
}

// bench is an edition that somebody has in hand.
type bench struct {
	layout
	now  time.Time
	by   string
	asks bool // before it leaves out any of its recipients
}

// work does something with an edition in a transaction, when it is in one of the states, and notes what.
func (d *Desk) work(ctx context.Context, id uuid.UUID, act act, do func(b *bench) (what string, err error)) error {
	if _, err := ByID(ctx, d.DB, id); err != nil {
		return err
	}
	return database.Transact(ctx, d.DB, func(tx *sqlx.Tx) error {
		b, err := d.take(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.Check != nil {
			if err := d.Check(ctx, tx, id); err != nil {
				return err
			}
		}
		if err := act.allowed(b.edition); err != nil {
			return err
		}
		what, err := do(b)
		if err != nil || what == "" {
			return err
		}
		return b.note(ctx, what)
	})
}

// SawAll is a Check of somebody who has seen an edition's log up to an entry: when something was done since, that is an error of kind errs.Conflict which
// names it.
func SawAll(entry int64) func(ctx context.Context, h database.Handle, id uuid.UUID) error {
	return func(ctx context.Context, h database.Handle, id uuid.UUID) error {
		log, err := Log(ctx, h, id)
		if err != nil || len(log) == 0 || log[len(log)-1].ID <= entry {
			return err
		}
		last := log[len(log)-1]
		return errs.New(errs.Conflict, "the edition has changed since you looked at it: %s by %s, %s", last.What, last.Actor,
			last.At.UTC().Format("2006-01-02 15:04 MST"))
	}
}

// act is something that is done to an edition, with the states that it is possible in.
type act struct {
	name string
	in   []State
}

func (a act) allowed(e *Edition) error {
	if slices.Contains(a.in, e.State) {
		return nil
	}
	states := make([]string, len(a.in))
	for i, s := range a.in {
		states[i] = string(s)
	}
	return errs.New(errs.Conflict, "edition %s is %s: to %s, it must be %s", e.ID, e.State, a.name, strings.Join(states, " or "))
}

// take locks an edition and its list: nobody plans the list meanwhile, and claims of the edition that are under way are waited for.
func (d *Desk) take(ctx context.Context, h handle, id uuid.UUID) (b *bench, err error) {
	e, err := ByID(ctx, h, id)
	if err != nil {
		return nil, err
	}
	list, err := subscribers.ListByID(ctx, h, e.ListID)
	if err != nil {
		return nil, err
	}
	b = &bench{now: d.Clock.Now(), by: d.By, layout: layout{handle: h, list: &list, languages: d.Languages, edition: &e}}
	if err := b.run(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, listLock, e.ListID); err != nil {
		return nil, err
	}
	if err := b.holdFloor(ctx); err != nil {
		return nil, err
	}
	if err := b.run(ctx, `SELECT FROM mailer.editions WHERE id = $1 FOR UPDATE`, id); err != nil {
		return nil, err
	}
	e, err = ByID(ctx, h, id)
	e.List = list.Slug
	return b, err
}

// note writes down who did what.
func (b *bench) note(ctx context.Context, what string) error {
	return b.run(ctx, `INSERT INTO mailer.edition_log (edition_id, at, actor, what) VALUES ($1, $2, $3, $4)`, b.edition.ID, b.now, b.by, what)
}

// retire says that those of the edition's variants that a condition on v holds for are no longer true. A retired variant's key is its own, so
// that what replaces it is a new one, rendered anew, even if it is made of the same.
func (b *bench) retire(ctx context.Context, where string, args ...any) error {
	return b.run(ctx, `
		UPDATE mailer.variants v SET retired = true, key = sha256(key || convert_to(id::text, 'UTF8'))
		WHERE v.edition_id = $1 AND NOT v.retired AND (`+where+`)`, append([]any{b.edition.ID}, args...)...)
}

// again lays out again what is not sent yet of the retired variants. Done again, it changes nothing.
func (b *bench) again(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		b.leaveInDoubt, b.suppress, b.given, b.readers, b.isBare, b.layOut, b.insertVariants, b.assign, b.tidy, b.count, b.recount,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unsent is true of a delivery d, with its variant v, that is to be laid out again. One in flight is left alone: a sender has it in its hands.
const unsent = `(v.retired AND d.due_at IS NOT NULL AND d.state <> 'in_flight' OR d.state = 'cancelled' AND d.emptied)`

// suppress ends deliveries to people who may not be mailed now, as claiming them would: nobody knows what to lay out for them.
func (b *bench) suppress(ctx context.Context) error {
	return b.run(ctx, `
		WITH ended AS (
			UPDATE mailer.deliveries d SET state = 'suppressed', due_at = NULL, settled_at = $2
			FROM mailer.variants v
			WHERE d.edition_id = $1 AND v.id = d.variant_id AND v.retired AND d.due_at IS NOT NULL AND d.state <> 'in_flight'
			  AND NOT EXISTS (SELECT FROM subscribers.mailable m WHERE m.subscription_id = d.subscription_id)
			RETURNING d.edition_id, d.contact_id, d.subscription_id, v.groups
		)
		INSERT INTO mailer.released (subscription_id, group_id)
		SELECT e.subscription_id, g FROM ended e, unnest(e.groups) g WHERE `+ledger.GivesBack("e")+`
		ON CONFLICT DO NOTHING`,
		b.edition.ID, b.now)
}

// leaveInDoubt ends deliveries that their contacts may have.
func (b *bench) leaveInDoubt(ctx context.Context) error {
	return b.run(ctx, `
		UPDATE mailer.deliveries d SET state = `+ledger.Remains+`, due_at = NULL
		FROM mailer.variants v
		WHERE d.edition_id = $1 AND v.id = d.variant_id AND v.retired AND d.due_at IS NOT NULL AND d.state <> 'in_flight'
		  AND `+ledger.EverInDoubt, b.edition.ID)
}

// counts is true of a delivery d whose articles are its contact's: given, or reserved.
var counts = `(d.state NOT IN ('failed', 'cancelled', 'suppressed') OR ` + ledger.EverInDoubt + `)`

// given makes the temporary table given: which of the added articles people got, or are about to get, by another edition, by the last one that
// greeted them, or from a list that is left out. To an edition that repeats that is nothing.
func (b *bench) given(ctx context.Context) error {
	if err := b.run(ctx, `DROP TABLE IF EXISTS pg_temp.given`); err != nil {
		return err
	}
	lists, err := b.leftOut(ctx)
	if err != nil {
		return err
	}
	return b.run(ctx, `
		CREATE TEMP TABLE given ON COMMIT DROP AS
		SELECT subscription_id, array_agg(DISTINCT group_id ORDER BY group_id) AS groups FROM (
			SELECT d.subscription_id, a.group_id
			FROM mailer.arrangements a
			JOIN mailer.editions e ON e.list_id = $2 AND e.id <> $1
			JOIN mailer.variants v ON v.edition_id = e.id AND a.group_id = ANY (v.groups)
			JOIN mailer.deliveries d ON d.edition_id = v.edition_id AND d.variant_id = v.id
			WHERE a.edition_id = $1 AND a.added AND `+counts+`
			UNION ALL
			SELECT n.subscription_id, a.group_id
			FROM mailer.arrangements a
			JOIN mailer.editions e ON e.list_id = $2
			JOIN mailer.variants v ON v.edition_id = e.id AND a.group_id = ANY (v.groups)
			JOIN mailer.notices n ON n.edition_id = e.id AND n.kind = 'last edition' AND n.state NOT IN ('failed', 'suppressed', 'cancelled')
			WHERE a.edition_id = $1 AND a.added
			UNION ALL
			SELECT m.subscription_id, a.group_id
			FROM mailer.arrangements a
			JOIN mailer.editions e ON e.list_id = ANY ($4)
			JOIN mailer.variants v ON v.edition_id = e.id AND a.group_id = ANY (v.groups)
			JOIN mailer.deliveries d ON d.edition_id = v.edition_id AND d.variant_id = v.id
			JOIN subscribers.mailable m ON m.list_id = $2 AND m.contact_id = d.contact_id
			WHERE a.edition_id = $1 AND a.added AND `+counts+`
		) all_of WHERE NOT $3
		GROUP BY subscription_id`,
		b.edition.ID, b.edition.ListID, b.edition.Repeats, pq.Array(lists))
}

// readers are the recipients of what is to be laid out again, each with what their delivery has and what was added for them, without what was
// dropped.
func (b *bench) readers(ctx context.Context) error {
	return b.setReaders(ctx, `
		WITH arranged AS (
			SELECT coalesce(array_agg(group_id) FILTER (WHERE added), '{}') AS added,
			       coalesce(array_agg(group_id) FILTER (WHERE dropped IS NOT NULL), '{}') AS dropped
			FROM mailer.arrangements WHERE edition_id = $1
		)
		SELECT d.subscription_id, d.contact_id, m.languages, m.language_keys, '{}'::text[] AS topics, $2::bigint AS mark,
		       '{}'::bigint[] AS had, reserved.groups AS reserved, d.emptied,
		       ARRAY(SELECT g FROM unnest(reserved.groups) g WHERE g <> ALL (arranged.dropped)
		             UNION
		             SELECT g FROM unnest(arranged.added) g WHERE g <> ALL (coalesce(given.groups, '{}'))
		             AND ($3 OR NOT `+ledger.Closed("g")+`)
		             ORDER BY 1) AS back
		FROM mailer.deliveries d
		JOIN mailer.variants v ON v.id = d.variant_id
		JOIN subscribers.mailable m ON m.subscription_id = d.subscription_id
		CROSS JOIN LATERAL (SELECT CASE WHEN d.emptied THEN '{}' ELSE v.groups END AS groups) reserved
		LEFT JOIN given ON given.subscription_id = d.subscription_id
		CROSS JOIN arranged
		WHERE d.edition_id = $1 AND `+unsent, b.edition.ID, int64(math.MaxInt64), b.edition.Repeats)
}

// isBare finds out whether the edition goes out also where it is no more than its introduction. One without that, too, is nothing, and goes to nobody.
func (b *bench) isBare(ctx context.Context) error {
	return b.GetContext(ctx, &b.bare, `
		SELECT e.rhythm = 'once' AND (e.words_alone OR NOT EXISTS (SELECT FROM mailer.arrangements a WHERE a.edition_id = e.id AND a.added))
		   AND EXISTS (SELECT FROM mailer.texts t WHERE t.edition_id = e.id AND t.language = $2 AND t.introduction ~ '\S')
		FROM mailer.editions e WHERE e.id = $1`, b.edition.ID, b.standIn())
}

// standIn returns the language of the words that stand in for those that are not there.
func (l *layout) standIn() string {
	return l.languages.Language([]string{l.list.FallbackLanguage}, l.list.FallbackLanguage)
}

// assign gives each delivery its new variant, gives back what it lost and reserves what it won. A delivery without any is cancelled.
func (b *bench) assign(ctx context.Context) error {
	// Postgres knows nothing yet of deliveries that were planned just now, takes them for one or two, and would go through them by nested loops.
	if err := b.run(ctx, `ANALYZE reader, digest; SET LOCAL enable_nestloop = off`); err != nil {
		return err
	}
	if err := b.run(ctx, `
		WITH laid AS (
			SELECT r.contact_id, r.reserved, n.id AS variant_id, coalesce(n.groups, '{}') AS groups
			FROM reader r LEFT JOIN digest g USING (profile)
			LEFT JOIN mailer.variants n ON n.edition_id = $1 AND n.key = g.key
		), moved AS (
			UPDATE mailer.deliveries d
			SET variant_id = coalesce(l.variant_id, d.variant_id),
			    emptied = l.variant_id IS NULL,
			    state = CASE WHEN l.variant_id IS NULL THEN 'cancelled' WHEN d.emptied THEN 'pending' ELSE d.state END,
			    due_at = CASE WHEN l.variant_id IS NULL THEN NULL WHEN d.emptied THEN d.not_before ELSE d.due_at END,
			    settled_at = CASE WHEN l.variant_id IS NULL THEN $2 WHEN d.emptied THEN NULL ELSE d.settled_at END,
			    reply = CASE WHEN l.variant_id IS NULL AND d.attempts = 0 THEN 'nothing was left in it' WHEN d.emptied THEN '' ELSE d.reply END
			FROM laid l, mailer.variants v
			WHERE d.edition_id = $1 AND d.contact_id = l.contact_id AND v.id = d.variant_id AND `+unsent+`
			RETURNING d.subscription_id, l.reserved, l.groups
		), back AS (
			INSERT INTO mailer.released (subscription_id, group_id)
			SELECT m.subscription_id, g FROM moved m, unnest(m.reserved) g
			WHERE g <> ALL (m.groups) AND NOT $3
			  AND g NOT IN (SELECT group_id FROM mailer.arrangements WHERE edition_id = $1 AND dropped = 'never')
			ON CONFLICT DO NOTHING
		)
		DELETE FROM mailer.released r USING moved m WHERE r.subscription_id = m.subscription_id AND r.group_id = ANY (m.groups) AND NOT $3`,
		b.edition.ID, b.now, b.edition.Repeats); err != nil {
		return err
	}
	return b.run(ctx, `SET LOCAL enable_nestloop = on`)
}

// tidy lets retired variants go that nobody waits for: those that nobody got for good.
func (b *bench) tidy(ctx context.Context) error {
	return b.run(ctx, `
		WITH used AS (
			SELECT variant_id, bool_or(due_at IS NOT NULL) AS waits FROM mailer.deliveries WHERE edition_id = $1 GROUP BY variant_id
		), gone AS (
			DELETE FROM mailer.variants WHERE edition_id = $1 AND retired AND message IS NULL AND id NOT IN (SELECT variant_id FROM used)
		)
		UPDATE mailer.variants SET retired = false
		WHERE edition_id = $1 AND retired AND id IN (SELECT variant_id FROM used WHERE NOT waits)`, b.edition.ID)
}

// count says with the edition what is in it now.
func (b *bench) count(ctx context.Context) error {
	return b.run(ctx, `
		UPDATE mailer.editions e SET (articles, variants) = (
			SELECT count(DISTINCT g), count(DISTINCT v.id)
			FROM (SELECT DISTINCT variant_id FROM mailer.deliveries WHERE edition_id = $1 AND NOT emptied) d
			JOIN mailer.variants v ON v.id = d.variant_id LEFT JOIN LATERAL unnest(v.groups) g ON true)
		WHERE e.id = $1`, b.edition.ID)
}

// recount counts a large edition anew: what was counted is of variants that are no more.
func (b *bench) recount(ctx context.Context) error {
	tx, ok := b.handle.(*sqlx.Tx)
	if !ok || b.edition.Recipients <= ledger.Few {
		return nil
	}
	return ledger.Recount(ctx, tx, b.edition.ID, b.now)
}

// ahead finds, for the readers of a list $1, what they were given before their mark came to it: an editor had added it to an edition, or had
// dropped it for ever. Of an edition that repeats only what has arrived counts: what it holds back nobody is given again for. It looks only at
// arrangements of articles that somebody's mark has not passed.
var ahead = `
	SELECT d.subscription_id, array_agg(DISTINCT a.group_id ORDER BY a.group_id) AS groups
	FROM mailer.arrangements a
	JOIN mailer.editions e ON e.id = a.edition_id AND e.list_id = $1
	JOIN mailer.positions p ON p.list_id = $1 AND p.group_id = a.group_id
	JOIN mailer.deliveries d ON d.edition_id = a.edition_id
	JOIN mailer.variants v ON v.id = d.variant_id
	JOIN mailer.marks k ON k.subscription_id = d.subscription_id AND k.position < p.position
	WHERE (a.added OR a.dropped = 'never')
	  AND p.position > (SELECT min(k.position) FROM mailer.marks k JOIN subscribers.mailable m USING (subscription_id) WHERE m.list_id = $1)
	  AND (a.dropped = 'never' OR a.group_id = ANY (v.groups) AND NOT d.emptied AND ` + counts + `
	       AND (NOT e.repeats OR d.state = 'sent' OR ` + ledger.EverInDoubt + `))
	GROUP BY d.subscription_id`
