package articles

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Health is how a source is, beside what stands with the source itself.
type Health struct {
	SourceID     int64      `db:"id" json:"-"`
	FailingSince *time.Time `db:"failing_since" json:"failing_since"` // the first of the polls in a row that failed; nil: the last went well
	ChangedAt    *time.Time `db:"changed_at" json:"changed_at"`       // when it last brought anything; nil: never
	Added        int        `db:"added" json:"added"`                 // how much that was
	Changed      int        `db:"changed" json:"changed"`
	Remark       string     `db:"remark" json:"remark"` // what the last poll could not take in
	Held         int        `db:"held" json:"held"`     // articles that wait for a person
	HeldWhy      string     `db:"held_why" json:"held_why"`
	Waiting      int        `db:"waiting" json:"waiting"`           // articles that wait for their time or their author
	Articles     int        `db:"articles" json:"articles"`         // published ones
	LastArticle  *time.Time `db:"last_article" json:"last_article"` // when the newest was published
	QuietSince   *time.Time `db:"-" json:"quiet_since"`             // LastArticle, when that is unusually long ago; nil: it is not
}

// FailingLong is how long a source may fail before that is a warning.
const FailingLong = 24 * time.Hour

// When it is unusually long that a source published anything.
const (
	quietLooks = 40                   // articles that are looked at
	quietTimes = 2                    // as long as the longest pause between two days on which some of these were published
	quietLeast = 7 * 24 * time.Hour   // what is shorter is never unusual
	quietFew   = 5                    // days: of a source that published on fewer nothing is usual
	quietWide  = 10                   // of how many pauses the longest counts as an exception, once
	quietMost  = 180 * 24 * time.Hour // what is longer always is
)

// Healths returns how sources are, by their ids.
func (s *Store) Healths(ctx context.Context, h database.Handle, now time.Time) (map[int64]Health, error) {
	var all []struct {
		Health
		Days pq.StringArray `db:"days"`
	}
	err := h.SelectContext(ctx, &all, `
		SELECT s.id, s.failing_since, s.changed_at, s.added, s.changed, s.remark, s.held_why,
		       (SELECT count(*) FROM articles.waiting w WHERE w.source_id = s.id AND w.state = 'held') AS held,
		       (SELECT count(*) FROM articles.waiting w WHERE w.source_id = s.id AND w.state IN ('unfinished', 'embargoed')) AS waiting,
		       (SELECT count(*) FROM articles.articles a WHERE a.source_id = s.id AND a.withdrawn_at IS NULL) AS articles,
		       latest.published_at AS last_article, latest.days
		FROM articles.sources s, LATERAL (
			SELECT max(published_at) AS published_at, array_agg(DISTINCT to_char(published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')) AS days FROM (
				SELECT published_at FROM articles.articles a WHERE a.source_id = s.id AND NOT a.by_editor
				ORDER BY published_at DESC, id DESC LIMIT $1) a) latest`, quietLooks)
	found := make(map[int64]Health, len(all))
	for _, row := range all {
		health := row.Health
		health.FailingSince, health.ChangedAt, health.LastArticle = inUTC(health.FailingSince), inUTC(health.ChangedAt), inUTC(health.LastArticle)
		if health.LastArticle != nil && now.Sub(*health.LastArticle) > usualPause(row.Days) {
			health.QuietSince = health.LastArticle
		}
		found[health.SourceID] = health
	}
	return found, err
}

// usualPause returns up to how long it is usual that nothing is published, given the days on which something was.
func usualPause(days []string) time.Duration {
	const never = 100 * 365 * 24 * time.Hour
	if len(days) < quietFew {
		return never
	}
	slices.Sort(days)
	var pauses []time.Duration
	for i := range days[1:] {
		from, err := time.Parse(time.DateOnly, days[i])
		to, err2 := time.Parse(time.DateOnly, days[i+1])
		if err == nil && err2 == nil {
			pauses = append(pauses, to.Sub(from))
		}
	}
	slices.Sort(pauses)
	longest := pauses[len(pauses)-1]
	if len(pauses) >= quietWide { // one summer is no rule
		longest = pauses[len(pauses)-2]
	}
	return min(max(quietTimes*longest, quietLeast), quietMost)
}

// Warnings says in plain words what a person should look at; none when all is well.
func (h *Health) Warnings(s *Source, now time.Time) (all []string) {
	warn := func(format string, args ...any) { all = append(all, errs.New(errs.Invalid, format, args...).Error()) }
	if s.PausedAt != nil && h.Held == 0 {
		return nil // that it brings nothing is what somebody wanted
	}
	if h.FailingSince != nil && now.Sub(*h.FailingSince) >= FailingLong {
		warn("it has failed since %s: %s", day(*h.FailingSince), s.Failure)
	}
	if h.Held > 0 {
		warn("%d articles are held: %s; silkpost source release %s publishes them, silkpost source discard %s drops them", h.Held, h.HeldWhy, s.Slug, s.Slug)
	}
	if h.QuietSince != nil && h.FailingSince == nil {
		warn("it has published nothing since %s, which is unusually long", day(*h.QuietSince))
	}
	if h.Remark != "" {
		warn("not taken in: %s", h.Remark)
	}
	return all
}

func day(at time.Time) string { return at.UTC().Format("2 January 2006") }

// Remark notes what the poll of a source could not take in.
func (s *Store) Remark(ctx context.Context, h database.Handle, source Source, remark string) error {
	_, err := h.ExecContext(ctx, `UPDATE articles.sources SET remark = $2 WHERE id = $1 AND remark <> $2`, source.ID, scrub(remark))
	return err
}
