package articles

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"silkpost/internal/database"
)

// How many new articles of a source at once are usual: what of these is more.
const (
	usualLeast  = 20                  // for a source that hardly publishes anything
	usualTimes  = 3                   // as often as on its busiest day
	usualWithin = 90 * 24 * time.Hour // of this time
)

// What was said of articles that were held before follows what is said of those that came last.
const (
	heldBefore  = "; held before: "
	keptReasons = 5
)

// When articles that are there come with other dates all at once: see keepDates.
const (
	redatedFew = 5              // so many are corrected by hand
	redatedBy  = 36 * time.Hour // what is less may be a time zone that was set right
)

// HoldNever as a source's HoldAbove publishes whatever comes.
const HoldNever = -1

// holdBack keeps the new articles of a poll when they are more, with those of the last day, than their source usually has. It returns how many
// it kept.
func holdBack(ctx context.Context, h database.Handle, w *batch) (int, error) {
	if w.opt.Archive || len(w.added) == 0 { // what the first poll finds is nobody's news
		return 0, nil
	}
	var is struct {
		Today   int `db:"today"`
		Busiest int `db:"busiest"`
	}
	now := date(w.opt.Now)
	if err := h.GetContext(ctx, &is, `
		WITH day AS (
			SELECT count(*) AS n, first_seen_at > $2::timestamptz - interval '1 day' AS today
			FROM articles.articles
			WHERE source_id = $1 AND NOT archive AND NOT by_editor AND first_seen_at > $3
			GROUP BY date_bin('1 day', first_seen_at, $2::timestamptz), 2
		)
		SELECT coalesce((SELECT sum(n) FROM day WHERE today), 0) AS today, coalesce((SELECT max(n) FROM day WHERE NOT today), 0) AS busiest`, w.source.ID, now, now.Add(-usualWithin)); err != nil {
		return 0, err
	}
	limit := w.source.Settings.HoldAbove
	if limit == 0 {
		limit = max(usualLeast, usualTimes*is.Busiest)
	}
	if limit < 0 || len(w.added)+is.Today <= limit {
		return 0, nil
	}
	var first bool
	if err := h.GetContext(ctx, &first, `SELECT NOT EXISTS (SELECT FROM articles.waiting WHERE source_id = $1 AND state = 'held')`, w.source.ID); err != nil {
		return 0, err
	}
	why, err := whatChanged(ctx, h, w, is.Today, limit, is.Busiest)
	if err != nil {
		return 0, err
	}
	held := len(w.added)
	for _, r := range w.added {
		for _, one := range append(w.twins[r.ExternalKey], r) {
			if err := wait(ctx, h, w.source, one.draft, Held, w.opt); err != nil {
				return 0, err
			}
		}
	}
	for _, twins := range w.twins {
		held += len(twins)
	}
	w.added, w.twins = nil, nil
	return held, heldAlsoBecause(ctx, h, w.source.ID, why, first)
}

// heldAlsoBecause notes why articles are held that are more than those that were held before, if any: what was said of these stays, for a
// person decides about all of them at once. No more than keptReasons are told.
func heldAlsoBecause(ctx context.Context, h database.Handle, sourceID int64, why string, first bool) error {
	if first {
		return heldBecause(ctx, h, sourceID, why)
	}
	var before string
	if err := h.GetContext(ctx, &before, `SELECT held_why FROM articles.sources WHERE id = $1`, sourceID); err != nil {
		return err
	}
	told := append([]string{why}, strings.Split(before, heldBefore)...)
	return heldBecause(ctx, h, sourceID, strings.TrimSuffix(strings.Join(told[:min(len(told), keptReasons)], heldBefore), heldBefore))
}

// keepDates leaves edits the dates that their articles had, when a source dates most of what it brought anew at once. known is how many articles
// of those it brought are there. Feeds are in the order of dates: in its place would stand, as if it were new, what readers had long ago. An
// article that had no date gets one.
func keepDates(known int, edits ...[]row) {
	var redated []*row
	for _, some := range edits {
		for i := range some {
			old := &some[i].old
			dated := !old.PublishedAt.Equal(old.FirstSeenAt)
			if dated && some[i].PublishedAt.Sub(old.PublishedAt).Abs() > redatedBy {
				redated = append(redated, &some[i])
			}
		}
	}
	if len(redated) <= redatedFew || len(redated)*2 <= known {
		return
	}
	for _, r := range redated {
		r.PublishedAt = r.old.PublishedAt
	}
}

// whatChanged says in one line what is unusual about new articles.
func whatChanged(ctx context.Context, h database.Handle, w *batch, today, limit, busiest int) (string, error) {
	said := fmt.Sprintf("%d new articles at once", len(w.added))
	if today > 0 {
		said += fmt.Sprintf(", after %d within a day", today)
	}
	said += fmt.Sprintf("; more than %d are held", limit)
	if busiest > 0 {
		said += fmt.Sprintf(", for its busiest day had %d", busiest)
	}
	var old []struct {
		Title       string    `db:"title"`
		URL         string    `db:"url"`
		PublishedAt time.Time `db:"published_at"`
	}
	if err := h.SelectContext(ctx, &old, `SELECT title, url, published_at FROM articles.articles WHERE source_id = $1 ORDER BY id DESC LIMIT 20000`,
		w.source.ID); err != nil {
		return "", err
	}
	there := map[string]int{}
	for i, a := range old {
		there[titleKey(a.Title)] = i
	}
	known, moved, redated, example := 0, 0, 0, ""
	for _, r := range w.added {
		i, ok := there[r.like.title]
		if !ok {
			continue
		}
		known++
		if urlKey(old[i].URL) != r.like.url {
			moved++
			if example == "" {
				example = pathOf(old[i].URL) + " is now " + pathOf(r.URL)
			}
		}
		if old[i].PublishedAt.Sub(r.PublishedAt).Abs() > sameDay {
			redated++
		}
	}
	if known == 0 {
		return said + "; none has the title of one that was there", nil
	}
	said += fmt.Sprintf("; %d have titles that were there before: %d under other addresses", known, moved)
	if example != "" {
		said += " (" + example + ")"
	}
	return said + fmt.Sprintf(", %d with other dates", redated), nil
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "no address"
	}
	return strings.TrimPrefix(u.Host+u.RequestURI(), "//")
}
