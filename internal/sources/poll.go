package sources

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// Poller polls sources. It is safe for concurrent use; two polls of one source at once end as one.
type Poller struct {
	DB    *sqlx.DB
	Store *articles.Store
	Fetch *fetch.Client

	jcms sync.Map // by the address of a data proxy, the jcmsWay that it answered last
}

// Run polls a source once, as Poll does.
func (p *Poller) Run(ctx context.Context, source articles.Source, now time.Time) (articles.Result, error) {
	out, err := p.Poll(ctx, source, now)
	return out.Result, err
}

// Poll polls a source once. The articles and what is remembered for the next poll are written in one transaction: a poll that is
// cut off has not happened. What the first poll of an address finds is archive, unless its settings say otherwise: a source that is new
// here is not new to its readers. Of a site without a feed, a poll reads the listing and then the pages that are new there. When the next
// poll is, nextPoll says.
//
// A poll that fails is recorded with the reason in plain words, leaves everything else as it was, and is tried again later: see
// nextTry; its error is returned, of kind errs.Unavailable, errs.NotFound or errs.Invalid. When ctx is over nothing is recorded.
func (p *Poller) Poll(ctx context.Context, source articles.Source, now time.Time) (Outcome, error) {
	poll := p.visit
	switch {
	case source.Kind == articles.KindFolder && source.Settings.Path == "":
		return Outcome{}, errs.New(errs.Invalid, "source %q is a folder without a path and cannot be polled: import its files", source.Slug)
	case source.Kind == articles.KindAPI:
		return Outcome{}, errs.New(errs.Invalid, "source %q cannot be polled: its articles are brought by POST /api/v1/articles", source.Slug)
	case source.Kind == articles.KindFolder:
		poll = p.pollFolder
	case source.Kind == articles.KindFeed:
		poll = p.pollFeed
	}
	out, err := poll(ctx, source, now)
	if err == nil || ctx.Err() != nil {
		return out, err
	}
	err = advised(err, source.URL)
	failed := articles.Polled{At: now, Next: nextTry(source, now, err), Failure: err.Error()}
	if recordErr := p.Store.RecordPoll(ctx, p.DB, source, failed); recordErr != nil {
		return Outcome{}, recordErr
	}
	return Outcome{}, err
}

// isArchive reports whether what a poll finds new is archive: it is the first one, and nobody asked otherwise.
func isArchive(source articles.Source) bool {
	return source.PolledAt == nil && source.Settings.FirstPoll != articles.FirstPollDue
}

// pollFeed asks for a feed and writes what it brought.
func (p *Poller) pollFeed(ctx context.Context, source articles.Source, now time.Time) (Outcome, error) {
	due, err := p.Store.FullTextsDue(ctx, p.DB, source.ID, now)
	if err != nil {
		return Outcome{}, err
	}
	if due { // the items are needed, whether they changed or not
		source.ETag, source.LastModified, source.BodyHash = "", "", nil
	}
	got, err := p.Fetch.Get(ctx, fetch.Request{URL: source.URL, ETag: source.ETag, LastModified: source.LastModified})
	if err != nil {
		return Outcome{}, err
	}
	polled := articles.Polled{At: now, ETag: got.ETag, LastModified: got.LastModified, TTL: source.TTL, BodyHash: source.BodyHash, MovedURL: got.Moved}
	out := Outcome{Archive: isArchive(source)}
	var feed feedContent
	items := 0
	var pages []articles.FullTextState
	switch {
	case got.NotModified():
		polled.ETag, polled.LastModified, out.Same = source.ETag, source.LastModified, SameSaid
	case bytes.Equal(source.BodyHash, bodyHash(got.Body)):
		out.Same = SameBytes
	default:
		if feed, err = readFeed(got.Body, got.ContentType, got.URL, source); err != nil {
			return Outcome{}, err
		}
		items = len(feed.drafts)
		if feed.drafts, pages, err = p.fullTexts(ctx, source, feed, now); err != nil {
			return Outcome{}, err
		}
		polled.TTL, polled.BodyHash = feed.ttl, bodyHash(got.Body)
	}
	left := items - len(feed.drafts)
	out.Result, err = p.write(ctx, source, feed.drafts, pages, polled, got.Fresh)
	out.Unchanged += left
	return out, err
}

// write keeps what a poll brought, and when the next one is, whole or not at all. fresh is how long the server said that nothing will change.
func (p *Poller) write(
	ctx context.Context, source articles.Source, drafts []articles.Draft, pages []articles.FullTextState, polled articles.Polled, fresh time.Duration,
) (result articles.Result, err error) {
	save := articles.SaveOptions{Now: polled.At, Archive: isArchive(source), Polled: true}
	err = database.Transact(ctx, p.DB, func(tx *sqlx.Tx) error {
		if len(drafts) > 0 {
			if result, err = p.Store.Save(ctx, tx, source, drafts, save); err != nil {
				return err
			}
		}
		if err := p.Store.RecordFullTexts(ctx, tx, source.ID, pages); err != nil {
			return err
		}
		polled.Next = nextPoll(source, polled.At, result.Added+result.Changed > 0, max(fresh, polled.TTL))
		return p.Store.RecordPoll(ctx, tx, source, polled)
	})
	return result, err
}

func bodyHash(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}
