package feeds

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/errs"
)

// fragments keeps rendered items for all the documents that they stand in. A nil one keeps none.
type fragments struct {
	cache *otter.Cache[fragmentKey, []byte]
}

// fragmentKey says what the bytes of an item depend on. A revision belongs to one state of one article.
type fragmentKey struct {
	revision int64
	format   Format
	content  Content
}

func newFragments(size int) *fragments {
	return &fragments{otter.Must(&otter.Options[fragmentKey, []byte]{
		MaximumWeight: uint64(size),
		Weigher:       func(_ fragmentKey, v []byte) uint32 { return uint32(len(v)) + fragmentOverhead },
	})}
}

func (f *fragments) get(p *articles.Position, format Format, content Content) []byte {
	if f == nil {
		return nil
	}
	rendered, _ := f.cache.GetIfPresent(fragmentKey{p.Revision, format, content})
	return rendered
}

func (f *fragments) put(p *articles.Position, format Format, content Content, rendered []byte) {
	if f != nil {
		f.cache.Set(fragmentKey{p.Revision, format, content}, bytes.Clone(rendered)) // without the room that it was written in
	}
}

// What an entry takes beside its bytes, more or less.
const (
	fragmentOverhead = 300
	documentOverhead = 2000 // its headers
)

// documents keeps feeds ready to be served, as many as fit into its size.
//
// A document is kept under the version of its feed, so it is never wrong, only old; which version is the present one is in feeds. That
// is trusted for half a second, then one short question to the database tells which feeds were touched, however many requests wait for
// it. With a listener (Follow) it is known sooner.
type documents struct {
	loader
	db    *sqlx.DB
	clock clock.Clock
	log   *slog.Logger
	cache *otter.Cache[documentKey, *served]

	rendered atomic.Int64 // documents that were not in the cache

	asking     singleflight.Group // what changed, and for feeds
	mu         sync.RWMutex
	feeds      map[string]*Feed      // by slug; what they point to does not change
	generation int64                 // up to which touched feeds were forgotten
	asked      time.Time             // when the database was last asked
	wanted     map[documentKey]int64 // without version: what was read lately, when, and is stale since the last renewal
}

func newDocuments(store *Store, db *sqlx.DB, publicURL string, opt Options) *documents {
	forFragments := opt.CacheBytes / 3 // they are the same bytes as documents in no encoding, which take as much
	return &documents{
		loader: loader{Store: store, publicURL: publicURL, fragments: newFragments(forFragments)},
		db:     db, clock: opt.Clock, log: opt.Log, feeds: map[string]*Feed{}, wanted: map[documentKey]int64{},
		cache: otter.Must(&otter.Options[documentKey, *served]{
			MaximumWeight: uint64(opt.CacheBytes - forFragments),
			Weigher:       func(_ documentKey, v *served) uint32 { return uint32(len(v.body)) + documentOverhead },
		}),
	}
}

// trust is for how long what was known of feeds is taken for true.
const trust = 500 * time.Millisecond

// documentKey says which bytes are meant.
type documentKey struct {
	slug     string
	version  int64
	place    articles.Place
	format   Format
	encoding encoding
}

// feed returns the feed of a slug as it has been within the last second before now.
func (d *documents) feed(ctx context.Context, slug string, now time.Time) (*Feed, error) {
	d.mu.RLock()
	feed, known := d.feeds[slug]
	generation, fresh := d.generation, now.Sub(d.asked) < trust
	d.mu.RUnlock()
	if !fresh {
		d.refresh(ctx)
		d.mu.RLock()
		feed, known = d.feeds[slug]
		generation = d.generation
		d.mu.RUnlock()
	}
	if known {
		return feed, nil
	}
	return d.find(ctx, slug, generation)
}

// find reads a feed, once for all who ask at the same generation.
func (d *documents) find(ctx context.Context, slug string, generation int64) (*Feed, error) {
	found, err, _ := d.asking.Do(fmt.Sprintf("%s@%d", slug, generation), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadLimit)
		defer cancel()
		found, err := d.Find(ctx, d.db, slug)
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		// It may have been touched since it was read; and of other names that lead to it there is no end.
		if d.generation == generation && found.Slug == slug {
			d.feeds[slug] = &found
		}
		return &found, nil
	})
	if err != nil {
		return nil, err
	}
	return found.(*Feed), nil
}

// patience is for how long a reader waits to hear whether something changed.
const patience = 300 * time.Millisecond

// refresh forgets the feeds that were touched since the database was last asked. Those who ask while somebody does wait for his answer.
// A database that does not answer is not waited for: what is known is served, for the worst that it can be is old.
func (d *documents) refresh(ctx context.Context) {
	answer := d.asking.DoChan("", func() (any, error) { return nil, d.ask(context.WithoutCancel(ctx)) })
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-answer:
	case <-timer.C:
		d.mu.Lock()
		d.asked = d.clock.Now() // the next reader need not find out again
		d.mu.Unlock()
		d.log.WarnContext(ctx, "feeds are served as they were: the database takes its time to say what changed")
	}
}

// ask asks the database which feeds were touched, and forgets those.
func (d *documents) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	now := d.clock.Now()
	d.mu.RLock()
	generation := d.generation
	d.mu.RUnlock()
	present, touched, err := d.touchedSince(ctx, d.db, generation)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = now
	if err != nil {
		d.log.WarnContext(ctx, "feeds are served as they were: the database does not say what changed", slog.Any("error", err))
		return err
	}
	d.generation = present
	if present < generation { // the database was restored to an earlier state, and will count the same numbers again
		clear(d.feeds)
		d.cache.InvalidateAll()
		d.fragments.cache.InvalidateAll()
	}
	for slug, feed := range d.feeds {
		if touched[slug] {
			delete(d.feeds, slug)
			d.drop(feed, now)
		}
	}
	return nil
}

// drop removes the stale documents of a feed, which nobody will ask for again and which would long be kept for having been in demand.
func (d *documents) drop(feed *Feed, now time.Time) {
	since := now.Add(-lately).Unix()
	for _, format := range Formats() {
		for _, enc := range encodings {
			key := documentKey{slug: feed.Slug, version: feed.Version, format: format, encoding: enc}
			if doc, there := d.cache.Invalidate(key); there && doc.read.Load() >= since {
				key.version = 0
				d.wanted[key] = doc.read.Load()
			}
		}
	}
}

// lately is for how long a document that was read is likely to be read again.
const lately = time.Minute

// loadLimit is for how long the database may take for a document.
const loadLimit = 20 * time.Second

// get returns a document, rendered once for all who wait, and compressed once.
func (d *documents) get(ctx context.Context, feed *Feed, place articles.Place, format Format, enc encoding) (*served, error) {
	key := documentKey{feed.Slug, feed.Version, place, format, enc}
	if doc, ok := d.cache.GetIfPresent(key); ok {
		return doc, nil
	}
	var plain *served
	if enc != identity {
		var err error
		if plain, err = d.get(ctx, feed, place, format, identity); err != nil {
			return nil, err
		}
	}
	// Whoever came first may leave; the others still wait for what he began.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadLimit)
	defer cancel()
	return d.cache.Get(ctx, key, otter.LoaderFunc[documentKey, *served](func(ctx context.Context, _ documentKey) (*served, error) {
		if plain != nil {
			return plain.encoded(enc), nil
		}
		d.rendered.Add(1)
		doc, err := d.load(ctx, d.db, feed, place, format)
		if err != nil {
			return nil, err
		}
		return newServed(doc, d.publicURL), nil
	}))
}

// stats counts what is kept.
func (d *documents) stats() CacheStats {
	return CacheStats{
		Documents: int64(d.cache.EstimatedSize()),
		Bytes:     int64(d.cache.WeightedSize() + d.fragments.cache.WeightedSize()),
		Rendered:  d.rendered.Load(),
	}
}

// follow keeps the documents that were read lately as fresh as can be, until ctx ends: woken, it renders anew those that are stale.
func (d *documents) follow(ctx context.Context, wake <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		d.refresh(ctx)
		d.mu.Lock()
		wanted := d.wanted
		d.wanted = map[documentKey]int64{}
		d.mu.Unlock()
		for key, read := range wanted {
			d.renew(ctx, key, read)
		}
	}
}

// renew renders a document of whatever version its feed has now. It is as much in demand as when it was last read.
func (d *documents) renew(ctx context.Context, key documentKey, read int64) {
	feed, err := d.feed(ctx, key.slug, d.clock.Now())
	if err == nil {
		var doc *served
		if doc, err = d.get(ctx, feed, key.place, key.format, key.encoding); err == nil {
			doc.read.CompareAndSwap(0, read)
		}
	}
	if err != nil && ctx.Err() == nil && errs.KindOf(err) != errs.Gone {
		d.log.WarnContext(ctx, "feed not rendered in advance", slog.String("feed", key.slug), slog.Any("error", err))
	}
}
