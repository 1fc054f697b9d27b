package articles

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// State says why something waits.
type State string

// States of what waits.
const (
	Unfinished State = "unfinished" // its author goes on with it
	Embargoed  State = "embargoed"  // its time has not come
	Held       State = "held"       // a person is to decide: see SaveOptions.Polled
	Discarded  State = "discarded"  // a person said no; kept so that the source does not bring it again
)

// Waiting is what came from a source and is not published yet: it is in no feed, no digest and on no page, and has no GUID or slug. What
// is let through is saved as if it had come at that moment.
type Waiting struct {
	ID          int64      `db:"id" json:"id"`
	Source      string     `db:"source" json:"source"` // slug
	ExternalKey string     `db:"external_key" json:"external_key"`
	State       State      `db:"state" json:"state"`
	Title       string     `db:"title" json:"title"`
	PublishAt   *time.Time `db:"publish_at" json:"publish_at,omitempty"` // of one that is embargoed
	ArrivedAt   time.Time  `db:"arrived_at" json:"arrived_at"`
}

// keepBack takes out of a source's drafts what is not to be published now, and writes it down. It returns the others and how many have to
// wait. What is held, or was discarded, is neither.
func keepBack(ctx context.Context, h database.Handle, source Source, drafts []Draft, opt SaveOptions) (now []Draft, kept int, err error) {
	there, err := waitingFor(ctx, h, source.ID, drafts)
	if err != nil {
		return nil, 0, err
	}
	var free []string
	for _, d := range drafts {
		was, waits := there[d.ExternalKey]
		state := was.State
		switch {
		case waits && (state == Held || state == Discarded) && !opt.release:
		case d.Unfinished:
			state = Unfinished
		case d.NotBefore.After(opt.Now):
			state = Embargoed
		default:
			now = append(now, d)
			if waits {
				free = append(free, d.ExternalKey)
			}
			continue
		}
		if state == Discarded {
			continue
		}
		if state != Held {
			kept++
		}
		if err := wait(ctx, h, source, d, state, opt); err != nil {
			return nil, 0, err
		}
	}
	if len(free) > 0 {
		_, err = h.ExecContext(ctx, `DELETE FROM articles.waiting WHERE source_id = $1 AND external_key = ANY ($2)`, source.ID, pq.Array(free))
	}
	return now, kept, err
}

// stored is what waits, with what it becomes.
type stored struct {
	Waiting
	SourceID int64  `db:"source_id"`
	Draft    []byte `db:"draft"`
	Hash     []byte `db:"content_hash"`
	Archive  bool   `db:"archive"`
}

const waitingColumns = `w.id, w.source_id, s.slug AS source, w.external_key, w.state, w.title, w.publish_at, w.arrived_at, w.draft, w.content_hash, w.archive`

func waitingFor(ctx context.Context, h database.Handle, sourceID int64, drafts []Draft) (map[string]stored, error) {
	keys := make([]string, len(drafts))
	for i, d := range drafts {
		keys[i] = d.ExternalKey
	}
	var found []stored
	err := h.SelectContext(ctx, &found, `
		SELECT `+waitingColumns+` FROM articles.waiting w JOIN articles.sources s ON s.id = w.source_id
		WHERE w.source_id = $1 AND w.external_key = ANY ($2)`, sourceID, pq.Array(keys))
	there := make(map[string]stored, len(found))
	for _, w := range found {
		there[w.ExternalKey] = w
	}
	return there, err
}

// wait writes down a draft that waits. One that could not be saved is refused now, not when its time comes.
func wait(ctx context.Context, h database.Handle, source Source, d Draft, state State, opt SaveOptions) error {
	if err := d.Check(); err != nil {
		return err
	}
	hash, err := contentHash(d)
	if err != nil {
		return errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
	}
	var publishAt *time.Time
	if state == Embargoed {
		at := date(d.NotBefore)
		publishAt = &at
	}
	text, err := json.Marshal(cleanOf(d))
	if err != nil {
		return errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
	}
	_, err = h.ExecContext(ctx, `
		INSERT INTO articles.waiting AS w (source_id, external_key, state, draft, content_hash, title, archive, publish_at, arrived_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (source_id, external_key) DO UPDATE SET state = excluded.state, draft = excluded.draft, content_hash = excluded.content_hash,
			title = excluded.title, publish_at = excluded.publish_at
		WHERE (w.state, w.content_hash, w.publish_at) IS DISTINCT FROM (excluded.state, excluded.content_hash, excluded.publish_at)`,
		source.ID, d.ExternalKey, state, text, hash, shortTitle(label(d.Title)), opt.Archive, publishAt, date(opt.Now))
	return err
}

// cleanOf returns a draft that Postgres takes as JSON.
func cleanOf(d Draft) Draft {
	d.GUID, d.TranslationKey, d.URL, d.Title, d.Summary = scrub(d.GUID), scrub(d.TranslationKey), scrub(d.URL), scrub(d.Title), scrub(d.Summary)
	d.HTML, d.Text, d.Language, d.Section, d.ImageURL, d.ImageAlt = scrub(d.HTML), scrub(d.Text), scrub(d.Language), scrub(d.Section), scrub(d.ImageURL), scrub(d.ImageAlt)
	d.Tags, d.Authors = scrubAll(d.Tags), scrubAll(d.Authors)
	return d
}

func scrubAll(all []string) []string {
	all = slices.Clone(all)
	for i, s := range all {
		all[i] = scrub(s)
	}
	return all
}

// Waiting returns what waits of a source, "" of all, in the order in which it came; without what was discarded.
func (s *Store) Waiting(ctx context.Context, h database.Handle, source string) (all []Waiting, err error) {
	err = h.SelectContext(ctx, &all, `
		SELECT w.id, s.slug AS source, w.external_key, w.state, w.title, w.publish_at, w.arrived_at
		FROM articles.waiting w JOIN articles.sources s ON s.id = w.source_id
		WHERE w.state <> 'discarded' AND ($1 = '' OR s.slug = $1) ORDER BY w.id`, source)
	for i := range all {
		all[i].ArrivedAt, all[i].PublishAt = all[i].ArrivedAt.UTC(), inUTC(all[i].PublishAt)
	}
	return all, err
}

// WaitingDraft returns what waits under an id, and what it becomes; none is errs.NotFound.
func (s *Store) WaitingDraft(ctx context.Context, h database.Handle, id int64) (w Waiting, d Draft, err error) {
	var found stored
	err = h.GetContext(ctx, &found, `
		SELECT `+waitingColumns+` FROM articles.waiting w JOIN articles.sources s ON s.id = w.source_id WHERE w.state <> 'discarded' AND w.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return w, d, errs.New(errs.NotFound, "nothing waits under the number %d", id)
	}
	if err == nil {
		err = json.Unmarshal(found.Draft, &d)
	}
	w = found.Waiting
	w.ArrivedAt, w.PublishAt = w.ArrivedAt.UTC(), inUTC(w.PublishAt)
	return w, d, err
}

// WaitingPage returns what waits of a source, "" of all, in a state, "" in any, in the order in which it came: at most limit, with ids above after.
func (s *Store) WaitingPage(ctx context.Context, h database.Handle, source string, state State, after int64, limit int) (all []Waiting, err error) {
	err = h.SelectContext(ctx, &all, `
		SELECT w.id, s.slug AS source, w.external_key, w.state, w.title, w.publish_at, w.arrived_at
		FROM articles.waiting w JOIN articles.sources s ON s.id = w.source_id
		WHERE w.state <> 'discarded' AND w.id > $3 AND ($1 = '' OR s.slug = $1) AND ($2 = '' OR w.state = $2) ORDER BY w.id LIMIT $4`, source, state, after, limit)
	for i := range all {
		all[i].ArrivedAt, all[i].PublishAt = all[i].ArrivedAt.UTC(), inUTC(all[i].PublishAt)
	}
	return all, err
}

// Whereabouts returns what became of a draft of a source by its key: the slug of its article, or the id under which it waits.
func (s *Store) Whereabouts(ctx context.Context, h database.Handle, sourceID int64, key string) (slug string, waiting int64, err error) {
	var found struct {
		Slug    string `db:"slug"`
		Waiting int64  `db:"waiting"`
	}
	err = h.GetContext(ctx, &found, `
		SELECT coalesce((SELECT slug FROM articles.articles WHERE source_id = $1 AND external_key = $2), '') AS slug,
		       coalesce((SELECT id FROM articles.waiting WHERE source_id = $1 AND external_key = $2 AND state <> 'discarded'), 0) AS waiting`, sourceID, key)
	return found.Slug, found.Waiting, err
}

// PublishDue saves what was embargoed until now, and returns what that did and when the next is due, zero when none is. h should be a
// transaction.
func (s *Store) PublishDue(ctx context.Context, h database.Handle, now time.Time) (Result, time.Time, error) {
	done, err := s.letThrough(ctx, h, now, `w.state = 'embargoed' AND w.publish_at <= $1`, now)
	if err != nil {
		return done, time.Time{}, err
	}
	var next *time.Time
	err = h.GetContext(ctx, &next, `SELECT min(publish_at) FROM articles.waiting WHERE state = 'embargoed'`)
	if err != nil || next == nil {
		return done, time.Time{}, err
	}
	return done, next.UTC(), nil
}

// Publish saves what waits under an id now, whatever it waits for. h should be a transaction. None is errs.NotFound.
func (s *Store) Publish(ctx context.Context, h database.Handle, id int64, now time.Time) (Result, error) {
	done, err := s.letThrough(ctx, h, now, `w.state <> 'discarded' AND w.id = $1`, id)
	if err == nil && done == (Result{}) {
		err = errs.New(errs.NotFound, "nothing waits under the number %d: silkpost article waiting lists what does", id)
	}
	return done, err
}

// Discard drops what waits under an id: the source may bring it again as often as it likes. None is errs.NotFound.
func (s *Store) Discard(ctx context.Context, h database.Handle, id int64) error {
	n, err := discard(ctx, h, `w.state <> 'discarded' AND w.id = $1`, id)
	if err == nil && n == 0 {
		err = errs.New(errs.NotFound, "nothing waits under the number %d: silkpost article waiting lists what does", id)
	}
	return err
}

// ReleaseHeld publishes what is held of a source. h should be a transaction.
func (s *Store) ReleaseHeld(ctx context.Context, h database.Handle, source Source, now time.Time) (Result, error) {
	done, err := s.letThrough(ctx, h, now, `w.state = 'held' AND w.source_id = $1`, source.ID)
	if err != nil {
		return done, err
	}
	return done, heldBecause(ctx, h, source.ID, "")
}

// DiscardHeld drops what is held of a source, for good, and returns how many articles that were. h should be a transaction.
func (s *Store) DiscardHeld(ctx context.Context, h database.Handle, source Source) (int, error) {
	n, err := discard(ctx, h, `w.state = 'held' AND w.source_id = $1`, source.ID)
	if err != nil {
		return 0, err
	}
	return n, heldBecause(ctx, h, source.ID, "")
}

func heldBecause(ctx context.Context, h database.Handle, sourceID int64, why string) error {
	_, err := h.ExecContext(ctx, `UPDATE articles.sources SET held_why = $2 WHERE id = $1`, sourceID, why)
	return err
}

func discard(ctx context.Context, h database.Handle, which string, args ...any) (int, error) {
	done, err := h.ExecContext(ctx, `UPDATE articles.waiting w SET state = 'discarded', draft = '{}', publish_at = NULL WHERE `+which, args...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// letThrough saves what waits, source by source.
func (s *Store) letThrough(ctx context.Context, h database.Handle, now time.Time, which string, args ...any) (done Result, err error) {
	if err := lock(ctx, h); err != nil {
		return done, err
	}
	var all []stored
	if err := h.SelectContext(ctx, &all, `
		SELECT `+waitingColumns+` FROM articles.waiting w JOIN articles.sources s ON s.id = w.source_id
		WHERE `+which+` ORDER BY w.source_id, w.archive, w.id`, args...); err != nil {
		return done, err
	}
	alike := func(a, b stored) bool { return a.SourceID == b.SourceID && a.Archive == b.Archive }
	for len(all) > 0 {
		some := all[:1]
		for len(some) < len(all) && alike(all[len(some)], all[0]) {
			some = all[:len(some)+1]
		}
		all = all[len(some):]
		result, err := s.letSome(ctx, h, some, now)
		if err != nil {
			return done, err
		}
		done = done.Plus(result)
	}
	return done, nil
}

func (s *Store) letSome(ctx context.Context, h database.Handle, some []stored, now time.Time) (Result, error) {
	source, err := s.SourceBySlug(ctx, h, some[0].Source)
	if err != nil {
		return Result{}, err
	}
	drafts := make([]Draft, len(some))
	for i, w := range some {
		if err := json.NewDecoder(bytes.NewReader(w.Draft)).Decode(&drafts[i]); err != nil {
			return Result{}, err
		}
		drafts[i].Unfinished, drafts[i].NotBefore = false, time.Time{}
	}
	return s.Save(ctx, h, source, drafts, SaveOptions{Now: now, Archive: some[0].Archive, release: true})
}

// Plus returns what two saves did.
func (r Result) Plus(o Result) Result {
	return Result{
		Added: r.Added + o.Added, Changed: r.Changed + o.Changed, Unchanged: r.Unchanged + o.Unchanged, Held: r.Held + o.Held, Waiting: r.Waiting + o.Waiting,
	}
}
