package sources

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// maxBackoff is the longest that a failing source is left alone, unless it is polled less often than that anyway.
const maxBackoff = 24 * time.Hour

// Poller polls feeds. It is safe for concurrent use; two polls of one source at once end as one.
type Poller struct {
	DB    *sqlx.DB
	Store *articles.Store
	Fetch *fetch.Client
}

// Run polls a source once, as Poll does.
func (p *Poller) Run(ctx context.Context, source articles.Source, now time.Time) (articles.Result, error) {
	out, err := p.Poll(ctx, source, now)
	return out.Result, err
}

// Poll polls a source once. The articles and what is remembered for the next poll are written in one transaction: a poll that is
// cut off has not happened. What the first poll of an address finds is archive: a source that is new here is not new to its
// readers; unless its settings say otherwise. Of a site without a feed, a poll reads the listing and then the pages that are new there.
//
// A poll that fails is recorded with the reason in plain words, leaves everything else as it was, and is tried again later:
// after the source's interval, then twice that, up to a day; its error is returned, of kind errs.Unavailable, errs.NotFound
// or errs.Invalid. When ctx is over nothing is recorded.
func (p *Poller) Poll(ctx context.Context, source articles.Source, now time.Time) (Outcome, error) {
	if source.Kind == articles.KindFolder {
		return Outcome{}, errs.New(errs.Invalid, "source %q is a %s and cannot be polled", source.Slug, source.Kind)
	}
	poll := p.visit
	if source.Kind == articles.KindFeed {
		poll = p.readUpstream
	}
	out, err := poll(ctx, source, now)
	if err == nil || ctx.Err() != nil {
		return out, err
	}
	failed := articles.Polled{At: now, Next: now.Add(backoff(source.Every, source.Failures)), Failure: err.Error()}
	if recordErr := p.Store.RecordPoll(ctx, p.DB, source, failed); recordErr != nil {
		return Outcome{}, recordErr
	}
	return Outcome{}, err
}

// readUpstream polls a feed.
func (p *Poller) readUpstream(ctx context.Context, source articles.Source, now time.Time) (Outcome, error) {
	got, drafts, err := p.look(ctx, source)
	if err != nil {
		return Outcome{}, err
	}
	result, err := p.take(ctx, source, got, drafts, now)
	return Outcome{Result: result, NotModified: got.NotModified(), Archive: isArchive(source)}, err
}

// isArchive reports whether what a poll finds new is archive: it is the first one, and nobody asked otherwise.
func isArchive(source articles.Source) bool {
	return source.PolledAt == nil && source.Settings.FirstPoll != articles.FirstPollDue
}

// look asks the server. There are no drafts when it says that nothing changed.
func (p *Poller) look(ctx context.Context, source articles.Source) (*fetch.Result, []articles.Draft, error) {
	got, err := p.Fetch.Get(ctx, fetch.Request{URL: source.URL, ETag: source.ETag, LastModified: source.LastModified})
	if err != nil || got.NotModified() {
		return got, nil, err
	}
	drafts, err := ParseFeed(got.Body, got.ContentType, got.URL)
	return got, drafts, err
}

// take writes what a poll brought.
func (p *Poller) take(
	ctx context.Context, source articles.Source, got *fetch.Result, drafts []articles.Draft, now time.Time,
) (result articles.Result, err error) {
	polled := articles.Polled{At: now, Next: now.Add(source.Every), ETag: got.ETag, LastModified: got.LastModified}
	if got.NotModified() {
		polled.ETag, polled.LastModified = source.ETag, source.LastModified
	}
	save := articles.SaveOptions{Now: now, Archive: isArchive(source), Polled: true}
	err = database.Transact(ctx, p.DB, func(tx *sqlx.Tx) error {
		if !got.NotModified() {
			if result, err = p.Store.Save(ctx, tx, source, drafts, save); err != nil {
				return err
			}
		}
		return p.Store.RecordPoll(ctx, tx, source, polled)
	})
	return result, err
}

// backoff returns how long to wait after a failure that followed on so many others.
func backoff(every time.Duration, failures int) time.Duration {
	wait := every << min(failures, 12)
	return max(every, min(wait, maxBackoff))
}
