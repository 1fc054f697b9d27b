package sources

import (
	"hash/fnv"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/fetch"
)

const (
	maxBackoff = 24 * time.Hour // the longest that a failing source is left alone, unless it is polled less often than that anyway
	maxWish    = 6 * time.Hour  // the longest that a source which goes well is left alone because its server or document says so
	slowest    = 4              // a source that brings nothing is polled so many times less often than it could be
	patience   = 10             // a tenth of the time for which it has brought nothing it may be left alone
)

// nextPoll returns when to poll a source again after a poll that went well. That is after its interval, the least there is. One that has
// brought nothing for long, counted from when it was declared if it never did, is asked less often, down to a fourth, and as often as before once it brings something. wish is for how
// long server or document say that asking is no use; it counts up to six hours.
func nextPoll(source articles.Source, now time.Time, news bool, wish time.Duration) time.Time {
	wait := source.Every
	if !news && source.PolledAt != nil {
		since := source.CreatedAt
		if source.ChangedAt != nil {
			since = *source.ChangedAt
		}
		wait = max(wait, min(now.Sub(since)/patience, slowest*source.Every))
	}
	wait = max(wait, min(wish, maxWish))
	return now.Add(wait + jitter(source.Slug, now, wait))
}

// nextTry returns when to poll a source again after a poll that failed: after its interval, then twice that, up to a day, and not before its
// server asked for it.
func nextTry(source articles.Source, now time.Time, failure error) time.Time {
	wait := max(backoff(source.Every, source.Failures), fetch.RetryAfter(failure))
	return now.Add(wait + jitter(source.Slug, now, wait))
}

// backoff returns how long to wait after a failure that followed on so many others.
func backoff(every time.Duration, failures int) time.Duration {
	wait := every << min(failures, 12)
	return max(every, min(wait, maxBackoff))
}

// jitter returns up to a tenth of a wait, other for each source and poll: sources that were declared together are not polled together for
// ever. It is in whole seconds and follows from what it is given.
func jitter(slug string, now time.Time, wait time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(slug + now.UTC().Format(time.RFC3339Nano)))
	const steps = 1 << 20
	return (wait / 10 / steps * time.Duration(h.Sum64()%steps)).Truncate(time.Second)
}
