package sources

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// How much a poll asks of a site besides its listing. What is more waits for the next poll.
const (
	mostVisits  = 40 // pages of articles
	mostTries   = 5  // of a page that cannot be fetched
	mostAway    = 3  // pages in a row that cannot: then the site is left alone until the next poll
	firstVisits = 60 // pages that the first poll of a sitemap takes, the newest; older ones are passed over for good
)

// visitTime is how long a poll reads pages, far less than a job may take.
const visitTime = 4 * time.Minute

// Outcome is what a poll brought.
type Outcome struct {
	articles.Result
	Same    Same      // why nothing was read; "": something was
	Archive bool      // what was new is in feeds only
	Refused []Refused // pages that gave no article, by their addresses
	Waiting int       // pages that are left for the next polls
}

// Same says how a poll knew that there is nothing new.
type Same string

// How a poll knows.
const (
	SameSaid  Same = "not modified" // the server said so (304)
	SameBytes Same = "same bytes"   // it sent what it sent last time
	SameFiles Same = "same files"   // no file of the folder came, went or was written
)

// visit polls a site once: it reads the listing, then the pages that are new there or that the listing says something new of.
func (p *Poller) visit(ctx context.Context, source articles.Source, now time.Time) (Outcome, error) {
	waiting, err := p.Store.CountWaitingPages(ctx, p.DB, source.ID)
	if err != nil {
		return Outcome{}, err
	}
	if waiting > 0 { // what the listing says of them is needed
		source.ETag, source.LastModified = "", ""
	}
	got, err := p.Fetch.Get(ctx, fetch.Request{URL: source.URL, ETag: source.ETag, LastModified: source.LastModified})
	if err != nil {
		return Outcome{}, err
	}
	v := &visitor{Poller: p, source: source, now: now, archive: isArchive(source)}
	v.fresh = got.Fresh
	v.polled = articles.Polled{At: now, ETag: source.ETag, LastModified: source.LastModified, MovedURL: got.Moved}
	v.out = Outcome{Archive: v.archive}
	if got.NotModified() {
		v.out.Same = SameSaid
	} else if err := v.look(ctx, got); err != nil {
		return Outcome{}, err
	}
	if err := v.readPages(ctx); err != nil {
		return Outcome{}, err
	}
	return v.out, v.write(ctx)
}

// visitor is one poll of a site.
type visitor struct {
	*Poller
	source  articles.Source
	now     time.Time
	archive bool // what is new is
	polled  articles.Polled
	fresh   time.Duration    // for how long the server says that the listing will not change
	entries map[string]entry // what the listing said of the pages below
	pages   []articles.Page  // to be written down
	visits  []articles.Page  // to be read
	drafts  []visited
	out     Outcome
}

// visited is an article that was read.
type visited struct {
	articles.Draft
	archive bool
}

// look reads the listing and decides what is to be read.
func (v *visitor) look(ctx context.Context, first *fetch.Result) error {
	known := map[string]articles.Page{}
	entries, fixed, err := v.newEntries(ctx, v.source, first, func(entries []entry) (old int, err error) {
		keys := make([]string, len(entries))
		for i, e := range entries {
			keys[i] = e.key
		}
		found, err := v.Store.Pages(ctx, v.DB, v.source.ID, keys)
		for key, page := range found {
			known[key] = page
			old++
		}
		return old, err
	})
	if err != nil {
		return err
	}
	if v.polled.ETag, v.polled.LastModified = first.ETag, first.LastModified; !fixed {
		v.polled.ETag, v.polled.LastModified = "", ""
	}
	v.choose(entries, known)
	return nil
}

// choose decides which pages of a listing are to be read. A listing that says something new of most of its pages at once says nothing.
func (v *visitor) choose(entries []entry, known map[string]articles.Page) {
	changed := 0
	for _, e := range entries {
		if page, ok := known[e.key]; ok && page.Stamp != e.stamp {
			changed++
		}
	}
	const few = 10
	restamped := changed > few && changed*2 > len(known)
	v.entries = make(map[string]entry, len(entries))
	taken := 0
	for i, e := range entries {
		v.entries[e.key] = e
		page, old := known[e.key]
		switch {
		case !old:
			// What is further up in the listing is newer: those that are read later come first among those that were seen at once.
			page = articles.Page{Key: e.key, Archive: v.archive, SeenAt: v.now.Add(-time.Duration(i) * time.Microsecond), Waits: true}
			if taken++; v.source.Kind == articles.KindSitemap && v.source.PolledAt == nil && taken > firstVisits {
				page.Waits = false
			}
		case page.Stamp == e.stamp && page.URL == e.url:
			continue
		case page.Stamp != e.stamp && !restamped:
			page.Waits, page.Failures, page.Failure = true, 0, ""
		}
		page.URL, page.Stamp = e.url, e.stamp
		v.pages = append(v.pages, page)
	}
	for _, page := range v.pages {
		if page.Waits && len(v.visits) < mostVisits {
			v.visits = append(v.visits, page)
		}
	}
	slices.Reverse(v.visits) // the oldest first
}

// readPages reads the pages that are to be read, and as many that wait since earlier polls as there is room for.
func (v *visitor) readPages(ctx context.Context) error {
	if room := mostVisits - len(v.visits); room > 0 {
		waiting, err := v.Store.WaitingPages(ctx, v.DB, v.source.ID, room)
		if err != nil {
			return err
		}
		for _, page := range waiting {
			if !slices.ContainsFunc(v.pages, func(p articles.Page) bool { return p.Key == page.Key }) {
				v.visits = append(v.visits, page)
			}
		}
	}
	visiting, done := context.WithTimeout(ctx, visitTime)
	defer done()
	var away error
	good, bad := 0, 0
	for _, page := range v.visits {
		err := v.readPage(visiting, &page)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case visiting.Err() != nil:
			return nil // the others wait
		case errs.KindOf(err) == errs.Unavailable:
			away, bad = err, bad+1
		default:
			good, bad = good+1, 0
		}
		v.remember(page)
		if bad == mostAway {
			break
		}
	}
	if good == 0 && bad > 1 {
		return away // the site is away, not its pages; of a single page nobody knows
	}
	return nil
}

// readPage reads one page. Its failure is written down with it.
func (v *visitor) readPage(ctx context.Context, page *articles.Page) error {
	got, err := v.Fetch.Get(ctx, fetch.Request{URL: page.URL, ETag: page.ETag, LastModified: page.LastModified})
	if err == nil {
		page.ETag, page.LastModified = got.ETag, got.LastModified
		if got.NotModified() {
			page.Waits = false
			return nil
		}
		var d articles.Draft
		if d, err = reading(v.source).Extract(got.URL, got.Body, got.ContentType); err == nil || errors.Is(err, errUntitled) {
			e, listed := v.entries[page.Key]
			if !listed {
				e = entry{key: page.Key, url: page.URL}
			}
			if d = e.draft(d); d.Title != "" {
				err = d.Check()
			}
			if err == nil {
				v.drafts = append(v.drafts, visited{d, page.Archive})
			}
		}
	}
	page.Waits, page.Failure = false, ""
	switch {
	case ctx.Err() != nil:
		page.Waits = true
		return ctx.Err()
	case err == nil:
		page.Failures = 0
	default:
		page.ETag, page.LastModified = "", ""
		page.Failures, page.Failure = page.Failures+1, err.Error()
		page.Waits = errs.KindOf(err) == errs.Unavailable && page.Failures < mostTries
		v.out.Refused = append(v.out.Refused, Refused{Path: page.URL, Err: err})
	}
	return err
}

// remark notes that the selector of the text found none, until it finds some again: each page is refused but once.
func (v *visitor) remark(ctx context.Context, h database.Handle) error {
	unmatched := slices.ContainsFunc(v.out.Refused, func(r Refused) bool { return errors.Is(r.Err, errUnmatched) })
	switch {
	case len(v.drafts) > 0:
		return v.Store.Remark(ctx, h, v.source, "")
	case unmatched:
		return v.Store.Remark(ctx, h, v.source, remark(v.out.Refused))
	}
	return nil
}

// remember notes what became of a page.
func (v *visitor) remember(page articles.Page) {
	if i := slices.IndexFunc(v.pages, func(p articles.Page) bool { return p.Key == page.Key }); i >= 0 {
		v.pages[i] = page
		return
	}
	v.pages = append(v.pages, page)
}

// write keeps what the poll brought, whole or not at all.
func (v *visitor) write(ctx context.Context) error {
	return database.Transact(ctx, v.DB, func(tx *sqlx.Tx) error {
		v.out.Result = articles.Result{}
		for _, archive := range []bool{true, false} {
			var drafts []articles.Draft
			for _, d := range v.drafts {
				if d.archive == archive {
					drafts = append(drafts, d.Draft)
				}
			}
			if len(drafts) == 0 {
				continue
			}
			result, err := v.Store.Save(ctx, tx, v.source, drafts, articles.SaveOptions{Now: v.now, Archive: archive, Polled: true})
			if err != nil {
				return err
			}
			v.out.Result = v.out.Plus(result)
		}
		if err := v.Store.RecordPages(ctx, tx, v.source.ID, v.pages); err != nil {
			return err
		}
		if err := v.remark(ctx, tx); err != nil {
			return err
		}
		waiting, err := v.Store.CountWaitingPages(ctx, tx, v.source.ID)
		if err != nil {
			return err
		}
		v.out.Waiting = waiting
		if waiting > 0 { // there is more to do, whether the listing changes or not
			v.fresh = 0
		}
		v.polled.Next = nextPoll(v.source, v.now, v.out.Added+v.out.Changed+waiting > 0, v.fresh)
		return v.Store.RecordPoll(ctx, tx, v.source, v.polled)
	})
}
