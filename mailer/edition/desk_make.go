package edition

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// Handmade is an edition that somebody makes: an introduction, chosen articles, or both.
type Handmade struct {
	List     subscribers.List
	Articles []articles.Article // in this order
	Texts    map[string]Texts   // by language; the product's language for the list's fallback stands in for those that are not there
	Audience subscribers.Audience

	Repeat     bool // also for those who were given its articles
	WordsAlone bool // the words alone for those who were given its articles
	AtOnce     bool // not at each contact's hour
	Approve    bool // do not wait in review
}

// Make makes an edition by hand and leaves it in review. What it gives counts for P1: no later edition gives it again, and it leaves out what
// was given before, unless it repeats; who was given all of it gets the words alone, or nothing. One that nobody would get is an error of kind errs.Conflict.
func (d *Desk) Make(ctx context.Context, m Handmade) (*Edition, error) {
	if len(m.Articles) == 0 && !d.says(m.List, m.Texts) {
		return nil, errs.New(errs.Invalid, "there is nothing in it: name articles with --article, or write an --introduction")
	}
	return d.make(ctx, m, nil, func(ctx context.Context, b *bench) error {
		condition, args, err := m.Audience.Condition(ctx, b.handle, 5)
		if err != nil {
			return err
		}
		return b.everybody(ctx, `AND `+condition, args...)
	})
}

// Correct makes a notice to exactly those who got an edition, or may have: an introduction without articles, at once. When articles are named, it
// is for those whose digest had any of them, in that very language: others did not read what was wrong. An edition that is still on its way is an
// error of kind errs.Conflict, for more would get it after the notice.
func (d *Desk) Correct(ctx context.Context, id uuid.UUID, texts map[string]Texts, approve bool, about ...articles.Article) (*Edition, error) {
	wrong, err := ByID(ctx, d.DB, id)
	if err != nil {
		return nil, err
	}
	if err := (act{"correct it", []State{Sent, Held, Cancelled}}).allowed(&wrong); err != nil {
		return nil, err
	}
	floor, err := ledger.FloorOf(ctx, d.DB)
	if err != nil {
		return nil, err
	}
	if floor.Below(id) {
		return nil, errs.New(errs.Gone, "who got edition %s is not kept any more", id)
	}
	list, err := subscribers.ListByID(ctx, d.DB, wrong.ListID)
	if err != nil {
		return nil, err
	}
	if !d.says(list, texts) {
		return nil, errs.New(errs.Invalid, "there is nothing in it: write an --introduction")
	}
	return d.make(ctx, Handmade{List: list, Texts: texts, AtOnce: true, Approve: approve}, &id, func(ctx context.Context, b *bench) error {
		var flying bool
		if err := b.GetContext(ctx, &flying, `
			SELECT EXISTS (SELECT FROM mailer.deliveries WHERE edition_id = $1 AND state = 'in_flight')`, id); err != nil {
			return err
		}
		if flying {
			return errs.New(errs.Conflict, "edition %s is still in flight to somebody: try again in a minute", id)
		}
		wrong := pq.Int64Array{}
		for _, a := range about {
			wrong = append(wrong, a.ID)
		}
		return b.everybody(ctx, `AND EXISTS (
			SELECT FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id
			WHERE d.edition_id = $5 AND d.contact_id = m.contact_id AND (d.state = 'sent' OR `+ledger.EverInDoubt+`)
			  AND ($6::bigint[] = '{}' OR (v.articles || v.more) && $6))`, id, wrong)
	})
}

// says reports whether words have an introduction that everybody can be shown.
func (d *Desk) says(list subscribers.List, texts map[string]Texts) bool {
	l := layout{list: &list, languages: d.Languages}
	introduction := texts[l.standIn()].Introduction
	return introduction != nil && strings.TrimSpace(*introduction) != ""
}

// make writes an edition with what is in it and lays it out for the readers that recipients sets.
func (d *Desk) make(ctx context.Context, m Handmade, corrects *uuid.UUID, recipients func(context.Context, *bench) error) (made *Edition, err error) {
	if err := MayBeSent(m.List); err != nil {
		return nil, err
	}
	for _, t := range m.Texts {
		if err := t.check(); err != nil {
			return nil, err
		}
	}
	now := d.Clock.Now()
	if err := ledger.Prepare(ctx, d.DB, now); err != nil {
		return nil, err
	}
	date, err := localDate(now, m.List.TimeZone)
	if err != nil {
		return nil, err
	}
	err = database.Transact(ctx, d.DB, func(tx *sqlx.Tx) error {
		made = &Edition{
			ID: ledger.NewEditionID(now), ListID: m.List.ID, List: m.List.Slug, Rhythm: Once, LocalDate: date, CutOff: now, CreatedAt: now,
			State: Review, Corrects: corrects, Audience: m.Audience.String(), Repeats: m.Repeat, WordsAlone: m.WordsAlone,
		}
		if m.Approve {
			made.State = Approved
		}
		r := Request{List: m.List, Rhythm: Once, CutOff: now, AtOnce: m.AtOnce, ByHand: true}
		p := (&Planner{Clock: d.Clock, Languages: d.Languages}).begin(tx, r, now, made)
		b := &bench{layout: p.layout, now: now, by: d.By}
		if err := b.write(ctx, m); err != nil {
			return err
		}
		if err := b.given(ctx); err != nil {
			return err
		}
		if err := recipients(ctx, b); err != nil {
			return err
		}
		if err := b.finish(ctx, p); err != nil {
			return err
		}
		return b.note(ctx, fmt.Sprintf("made by hand, %s", made.State))
	})
	return made, err
}

// write writes the edition with its arrangement and its texts, under the list's lock.
func (b *bench) write(ctx context.Context, m Handmade) error {
	e := b.edition
	if err := b.run(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, listLock, e.ListID); err != nil {
		return err
	}
	if err := b.holdFloor(ctx); err != nil {
		return err
	}
	if err := b.run(ctx, `
		INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, corrects, audience, repeats, words_alone,
		                             late_after, in_doubt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, make_interval(secs => $13), $14)`,
		e.ID, e.ListID, e.Rhythm, e.LocalDate, byHand, e.State, e.CutOff, e.CreatedAt, e.Corrects, e.Audience, e.Repeats, e.WordsAlone,
		b.list.LateAfter.Std().Seconds(), b.list.InDoubt); err != nil {
		return err
	}
	if err := b.mustBeThere(ctx, m.Articles); err != nil {
		return err
	}
	if err := b.mustBeKnown(ctx, m.Articles); err != nil {
		return err
	}
	if err := b.run(ctx, `
		INSERT INTO mailer.arrangements (edition_id, group_id, added, place)
		SELECT $1, g, true, n FROM unnest($2::bigint[]) WITH ORDINALITY AS chosen (g, n)`, e.ID, groupsOf(m.Articles)); err != nil {
		return err
	}
	for language, t := range m.Texts {
		if err := b.run(ctx, `
			INSERT INTO mailer.texts (edition_id, language, subject, preheader, introduction)
			VALUES ($1, $2, coalesce($3, ''), coalesce($4, ''), coalesce($5, ''))`,
			e.ID, language, t.Subject, t.Preheader, t.Introduction); err != nil {
			return err
		}
	}
	return nil
}

// everybody makes those of the list for whom a condition on a row m of subscribers.mailable holds readers of what was added and not given to
// them.
func (b *bench) everybody(ctx context.Context, condition string, args ...any) error {
	return b.setReaders(ctx, `
		SELECT m.subscription_id, m.contact_id, m.languages, m.language_keys, '{}'::text[] AS topics,
		       coalesce(nullif(m.time_zone, ''), $3) AS time_zone, coalesce(m.delivery_hour, $4::time) AS hour,
		       `+forever+`::bigint AS mark, '{}'::bigint[] AS had,
		       ARRAY(SELECT a.group_id FROM mailer.arrangements a
		             WHERE a.edition_id = $1 AND a.added AND a.group_id <> ALL (coalesce(given.groups, '{}')) ORDER BY 1) AS back
		FROM subscribers.mailable m LEFT JOIN given USING (subscription_id)
		WHERE m.list_id = $2 `+condition,
		append([]any{b.edition.ID, b.list.ID, b.list.TimeZone, b.list.DeliveryHour}, args...)...)
}

// forever is a mark that nothing lies behind.
var forever = fmt.Sprint(int64(math.MaxInt64))

// finish lays the edition out and writes its deliveries.
func (b *bench) finish(ctx context.Context, p *plan) error {
	if err := b.isBare(ctx); err != nil {
		return err
	}
	if err := b.layOut(ctx); err != nil {
		return err
	}
	e := b.edition
	if err := b.GetContext(ctx, e, `
		UPDATE mailer.editions SET (articles, variants, recipients, empty) = (
			SELECT (SELECT count(DISTINCT group_id) FROM chosen), (SELECT count(DISTINCT key) FROM digest),
			       (SELECT count(*) FROM reader JOIN digest USING (profile)),
			       (SELECT count(*) FROM reader WHERE profile NOT IN (SELECT profile FROM digest)))
		WHERE id = $1 RETURNING articles, variants, recipients, empty`, e.ID); err != nil {
		return err
	}
	if e.Recipients == 0 {
		return b.nobody()
	}
	if err := b.insertVariants(ctx); err != nil {
		return err
	}
	if err := p.deliver(ctx); err != nil || e.Repeats {
		return err
	}
	return b.run(ctx, `
		DELETE FROM mailer.released r USING reader JOIN digest g USING (profile)
		WHERE r.subscription_id = reader.subscription_id AND r.group_id = ANY (g.groups)`)
}

// nobody says why nobody would get the edition.
func (b *bench) nobody() error {
	e := b.edition
	switch {
	case e.Corrects != nil:
		return errs.New(errs.Conflict, "nobody who can be mailed got that of edition %s", e.Corrects)
	case e.Empty > 0 && !e.Repeats:
		return errs.New(errs.Conflict, "everybody was given these articles already, or reads none of their languages: --repeat gives them again, --words-alone the words alone")
	case e.Empty > 0:
		return errs.New(errs.Conflict, "nobody reads a language that these articles are in")
	}
	return errs.New(errs.Conflict, "nobody on list %s can be mailed", strings.TrimSpace(e.List+" "+e.Audience))
}
