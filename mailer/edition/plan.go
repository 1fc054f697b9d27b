package edition

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// listLock is the class of the advisory locks that planning a list takes.
const listLock = 0x51a9

// plan is an edition in the making. Its readers are the subscriptions of the rhythm that can be mailed.
type plan struct {
	*Planner
	Request
	layout
	now  time.Time
	last int64 // the list's last position
}

// Plan makes an edition with its variants and deliveries and moves the marks, all in the transaction of tx: rolled back, it was a
// dry run. An edition that nobody gets anything of is planned too; it is skipped and says why. A list without a sender address
// or a postal address is an error of kind errs.Invalid. ledger.Prepare must have been called for this month.
func (p *Planner) Plan(ctx context.Context, tx handle, r Request) (e *Edition, err error) {
	if err := MayBeSent(r.List); err != nil {
		return nil, err
	}
	defer errs.Wrap(&err, "edition.Plan(%s, %s)", r.List.Slug, r.Rhythm)
	now := p.Clock.Now()
	date, err := localDate(r.CutOff, r.List.TimeZone)
	if err != nil {
		return nil, err
	}
	made := p.begin(tx, r, now, &Edition{
		ID: ledger.NewEditionID(now), ListID: r.List.ID, List: r.List.Slug, Rhythm: r.Rhythm, CutOff: r.CutOff, CreatedAt: now,
		LocalDate: date,
	})
	made.closes = true
	for _, step := range []func(context.Context) error{
		made.lock, made.holdFloor, made.notice, made.position, made.enrol, made.has, made.readers,
		made.profiles, made.choose, made.measure, made.digests, made.insert, made.deliver, made.moveMarks,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return made.edition, nil
}

// begin makes the plan of an edition.
func (p *Planner) begin(tx handle, r Request, now time.Time, e *Edition) *plan {
	return &plan{Planner: p, Request: r, now: now, layout: layout{handle: tx, list: &r.List, languages: p.Languages, edition: e}}
}

// Lacking is what a list lacks to be sent for.
type Lacking struct { //nolint:errname // it is read as one
	What string // sender or postal_address
	says string
}

// Error says it to people.
func (l *Lacking) Error() string { return l.says }

// MayBeSent refuses, with a Lacking of kind errs.Invalid, a list that lacks what no message should leave without.
func MayBeSent(list subscribers.List) error {
	lacks := func(what, says string) error {
		return errs.New(errs.Invalid, "%w", &Lacking{what, fmt.Sprintf(says, list.Slug)})
	}
	switch {
	case list.Sender.Address == "":
		return lacks("sender", "list %s has no sender address: set sender in a file for silkpost apply")
	case list.PostalAddress == "":
		return lacks("postal_address", "list %s has no postal address: set postal_address in a file for silkpost apply")
	}
	return nil
}

// lock makes planning of one list happen one at a time. Lists whose articles are left out are held as well, all in the order of their ids:
// what they give out meanwhile would not be seen.
func (p *plan) lock(ctx context.Context) error {
	ids, err := p.locked(ctx)
	for _, id := range ids {
		if err := p.run(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, listLock, id); err != nil {
			return err
		}
	}
	return err
}

// holdFloor keeps the account from being cut off below what is planned.
func (l *layout) holdFloor(ctx context.Context) error { return ledger.HoldFloor(ctx, l) }

// tryLock is lock, but it reports false when another planner is at one of the lists.
func (p *plan) tryLock(ctx context.Context) (free bool, err error) {
	ids, err := p.locked(ctx)
	free = true
	for _, id := range ids {
		if !free || err != nil {
			break
		}
		err = p.GetContext(ctx, &free, `SELECT pg_try_advisory_xact_lock($1, $2)`, listLock, id)
	}
	return free, err
}

// locked returns the ids of the lists that planning this one holds.
func (p *plan) locked(ctx context.Context) ([]int64, error) {
	ids, err := p.leftOut(ctx)
	ids = append(ids, p.List.ID)
	slices.Sort(ids)
	return ids, err
}

// notice notes that the rhythm is planned. One that was never planned begins where the list is: it has no back-catalogue.
func (p *plan) notice(ctx context.Context) error {
	return p.run(ctx, `
		INSERT INTO mailer.plans (list_id, rhythm, cut_off, position)
		SELECT $1, $2, $3, coalesce(max(position), 0) FROM mailer.plans WHERE list_id = $1
		ON CONFLICT (list_id, rhythm) DO NOTHING`,
		p.List.ID, p.Rhythm, p.CutOff)
}

// position gives the next positions to what has become due since the list was last planned.
func (p *plan) position(ctx context.Context) error {
	s := p.List.Selection
	return p.GetContext(ctx, &p.last, `
		WITH last AS (
			SELECT coalesce(max(position), 0) AS position FROM mailer.positions WHERE list_id = $1
		), due AS (
			SELECT group_id, min(article_id) AS first FROM articles.available
			WHERE NOT archive AND ($2::text[] = '{}' OR section = ANY ($2)) AND ($3::text[] = '{}' OR tags && $3)
			  AND ($4::text[] = '{}' OR language_key = ANY ($4)) AND ($5::text[] = '{}' OR source = ANY ($5))
			  AND NOT EXISTS (SELECT 1 FROM mailer.positions p WHERE p.list_id = $1 AND p.group_id = available.group_id)
			GROUP BY group_id
		), given AS (
			INSERT INTO mailer.positions (list_id, position, group_id)
			SELECT $1, last.position + row_number() OVER (ORDER BY due.first), due.group_id FROM due, last
			RETURNING position
		)
		SELECT greatest((SELECT position FROM last), (SELECT max(position) FROM given))`,
		p.List.ID, orEmpty(s.Sections), orEmpty(s.Tags), pq.StringArray(language.Keys(s.Languages)), orEmpty(s.Sources))
}

// enrol fixes where everybody who is new on the list, or was away, starts: where the last edition of their rhythm ended, whichever
// rhythm is being planned. From then on nothing passes them by, even if they switch before their first edition, or pause and catch up.
func (p *plan) enrol(ctx context.Context) error {
	return p.run(ctx, `
		WITH arrived AS (
			SELECT m.subscription_id, m.activation,
			       coalesce(planned.position, (SELECT max(position) FROM mailer.plans WHERE list_id = $1)) AS position
			FROM subscribers.reading m
			LEFT JOIN mailer.plans planned USING (list_id, rhythm)
			LEFT JOIN mailer.marks mark USING (subscription_id)
			WHERE m.list_id = $1 AND mark.activation IS DISTINCT FROM m.activation
		), forgotten AS (
			DELETE FROM mailer.released WHERE subscription_id IN (SELECT subscription_id FROM arrived)
		)
		INSERT INTO mailer.marks (subscription_id, position, activation)
		SELECT subscription_id, position, activation FROM arrived
		ON CONFLICT (subscription_id) DO UPDATE
		SET position = greatest(marks.position, excluded.position), activation = excluded.activation`,
		p.List.ID)
}

// has finds out what those who may be mailed at this rhythm have from other lists.
func (p *plan) has(ctx context.Context) error {
	return p.elsewhere(ctx, `
		SELECT group_id FROM mailer.positions WHERE list_id = $2 AND position > (
			SELECT min(mark.position) FROM mailer.marks mark JOIN subscribers.mailable m USING (subscription_id)
			WHERE m.list_id = $2 AND m.rhythm = $3)
		UNION
		SELECT group_id FROM mailer.released JOIN subscribers.mailable m USING (subscription_id) WHERE m.list_id = $2 AND m.rhythm = $3`,
		p.List.ID, p.Rhythm)
}

// readers finds who may be mailed at this rhythm, and what each has not been given.
func (p *plan) readers(ctx context.Context) error {
	condition, args, err := p.Audience.Condition(ctx, p.handle, 5)
	if err != nil {
		return err
	}
	return p.setReaders(ctx, `
		WITH back AS (
			SELECT subscription_id, array_agg(group_id ORDER BY group_id) AS groups FROM mailer.released GROUP BY subscription_id
		), ahead AS (`+ahead+`)
		SELECT m.subscription_id, m.contact_id, m.languages, m.language_keys, m.topics,
		       coalesce(nullif(m.time_zone, ''), $3) AS time_zone, coalesce(m.delivery_hour, $4::time) AS hour,
		       mark.position AS mark, coalesce(back.groups, '{}') AS back,
		       coalesce(ahead.groups, '{}') || coalesce(elsewhere.groups, '{}') AS had
		FROM subscribers.mailable m
		JOIN mailer.marks mark USING (subscription_id, activation)
		LEFT JOIN back USING (subscription_id)
		LEFT JOIN ahead USING (subscription_id)
		LEFT JOIN elsewhere USING (contact_id)
		WHERE m.list_id = $1 AND m.rhythm = $2 AND `+condition,
		append([]any{p.List.ID, p.Rhythm, p.List.TimeZone, p.List.DeliveryHour}, args...)...)
}

// measure takes away what is to wait, and keeps it in the temporary table waiting: everything of a profile that has fewer articles than the
// list's minimum, and where the rest waits what became due after as many as a digest may hold. Alerts wait for nothing.
func (p *plan) measure(ctx context.Context) error {
	least, most := p.List.MinArticles, p.List.MaxArticles
	if p.Rhythm == immediate {
		least = 1
	}
	if most == 0 || p.shown() == most {
		most = math.MaxInt32
	}
	if err := p.run(ctx, `
		CREATE TEMP TABLE waiting ON COMMIT DROP AS
		SELECT profile, group_id, of < $1 AS all_of_them FROM (
			SELECT profile, group_id, row_number() OVER (PARTITION BY profile ORDER BY position) AS n, count(*) OVER (PARTITION BY profile) AS of
			FROM chosen
		) counted
		WHERE of < $1 OR n > $2`,
		least, most); err != nil {
		return err
	}
	return p.run(ctx, `DELETE FROM chosen USING waiting WHERE chosen.profile = waiting.profile AND chosen.group_id = waiting.group_id`)
}

// insert writes the edition and its variants.
func (p *plan) insert(ctx context.Context) error {
	e := p.edition
	if err := p.GetContext(ctx, e, `
		SELECT (SELECT count(DISTINCT group_id) FROM chosen) AS articles,
		       (SELECT count(DISTINCT key) FROM digest) AS variants,
		       (SELECT count(*) FROM reader JOIN digest USING (profile)) AS recipients,
		       (SELECT count(*) FROM reader WHERE profile NOT IN (SELECT profile FROM digest UNION SELECT profile FROM waiting)) AS empty,
		       (SELECT count(*) FROM reader WHERE profile IN (SELECT profile FROM waiting WHERE all_of_them)) AS waiting`); err != nil {
		return err
	}
	e.Audience = p.Audience.String()
	e.State, e.Reason = p.decide()
	if within := p.List.ApprovalWithin.Std(); e.State == Review && within > 0 {
		by := p.now.Add(within)
		e.ApproveBy = &by
	}
	if e.State == Skipped {
		e.FinishedAt = &p.now
	}
	if err := p.run(ctx, `
		INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, reason, cut_off, articles, variants, recipients,
		                             empty, created_at, finished_at, approve_by, audience, waiting, late_after, in_doubt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, make_interval(secs => $18), $19)`,
		e.ID, e.ListID, e.Rhythm, e.LocalDate, p.origin(), e.State, e.Reason, e.CutOff, e.Articles, e.Variants, e.Recipients,
		e.Empty, e.CreatedAt, e.FinishedAt, e.ApproveBy, e.Audience, e.Waiting, p.List.LateAfter.Std().Seconds(), p.List.InDoubt); err != nil {
		return err
	}
	return p.insertVariants(ctx)
}

// decide says what becomes of the edition, and why.
func (p *plan) decide() (State, string) {
	e := p.edition
	switch {
	case e.Recipients == 0 && e.Empty == 0 && e.Waiting == 0 && e.Audience != "":
		return Skipped, "nobody of the audience has an active subscription with this rhythm"
	case e.Recipients == 0 && e.Empty == 0 && e.Waiting == 0:
		return Skipped, "no active subscription has this rhythm"
	case e.Recipients == 0 && e.Waiting > 0:
		return Skipped, fmt.Sprintf("fewer than %d articles for anybody: they wait", p.List.MinArticles)
	case e.Recipients == 0:
		return Skipped, "nothing new"
	case !p.ByHand && p.now.Sub(e.CutOff) > p.List.LateAfter.Std():
		return Held, "planned long after its cut-off: release it to send it late"
	case p.List.Approval && !p.Approve:
		return Review, ""
	}
	return Approved, ""
}

func (p *plan) origin() string {
	if p.ByHand {
		return byHand
	}
	return bySchedule
}

// deliver writes a delivery for each reader who gets anything. Behind an older one that is still open it waits for that.
func (p *plan) deliver(ctx context.Context) error {
	if err := p.setHours(ctx); err != nil {
		return err
	}
	made, err := p.ExecContext(ctx, `
		WITH open AS (
			SELECT subscription_id, max(due_at) FILTER (WHERE state IN ('deferred', 'in_doubt')) AS due_at
			FROM mailer.deliveries WHERE due_at IS NOT NULL GROUP BY subscription_id
		)
		INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, not_before, due_at, behind)
		SELECT v.edition_id, r.contact_id, r.subscription_id, v.id, h.at, greatest(h.at, open.due_at), open.subscription_id IS NOT NULL
		FROM reader r
		LEFT JOIN open USING (subscription_id)
		JOIN digest d USING (profile)
		JOIN mailer.variants v ON v.edition_id = $1 AND v.key = d.key
		JOIN local_hour h USING (time_zone, hour)`,
		p.edition.ID)
	if err != nil {
		return err
	}
	if n, err := made.RowsAffected(); err != nil || int(n) != p.edition.Recipients {
		return errs.New(errs.Internal, "%d deliveries were made for %d recipients (%w)", n, p.edition.Recipients, err)
	}
	return nil
}

// moveMarks notes up to where every reader has been dealt with: the last position, also for those who get nothing, or, where anything of theirs
// waits, the last article that is in, if any. What was given back is done with up to the same place and stays beyond it: it may be theirs
// when they get the rest. What is given back while this plan is made stays for the next one.
func (p *plan) moveMarks(ctx context.Context) error {
	if err := p.run(ctx, `
		WITH upto AS (
			SELECT f.id AS profile, CASE WHEN f.id IN (SELECT profile FROM waiting)
			       THEN (SELECT max(position) FROM chosen WHERE chosen.profile = f.id) ELSE $2 END AS position
			FROM profile f
		), done AS (
			DELETE FROM mailer.released r USING reader JOIN upto USING (profile)
			WHERE r.subscription_id = reader.subscription_id AND r.group_id = ANY (reader.back)
			  AND coalesce((SELECT p.position FROM mailer.positions p WHERE p.list_id = $1 AND p.group_id = r.group_id), 0) <= upto.position
			  AND NOT EXISTS (SELECT FROM waiting WHERE waiting.profile = reader.profile AND waiting.group_id = r.group_id)
		)
		UPDATE mailer.marks SET position = upto.position
		FROM reader JOIN upto USING (profile)
		WHERE marks.subscription_id = reader.subscription_id AND marks.position < upto.position`,
		p.List.ID, p.last); err != nil {
		return err
	}
	if len(p.Audience.Clauses) > 0 {
		return nil // who comes new to the rhythm begins where everybody's last edition ended
	}
	return p.run(ctx, `
		UPDATE mailer.plans SET position = $3, cut_off = greatest(cut_off, $4) WHERE list_id = $1 AND rhythm = $2`,
		p.List.ID, p.Rhythm, p.last, p.CutOff)
}
