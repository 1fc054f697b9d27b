package feeds

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
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
		Weigher:       func(_ fragmentKey, v []byte) uint32 { return uint32(len(v)) + overhead },
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

// overhead is about what an entry of a cache takes beside its bytes.
const overhead = 300

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

	asking     singleflight.Group
	mu         sync.RWMutex
	feeds      map[string]Feed // by slug, old ones too
	generation int64           // up to which touched feeds were forgotten
	asked      time.Time       // when the database was last asked
	forgotten  []Feed          // since the last renewal
}

func newDocuments(store *Store, db *sqlx.DB, publicURL string, opt Options) *documents {
	return &documents{
		loader: loader{Store: store, publicURL: publicURL, fragments: newFragments(opt.CacheBytes / 4)},
		db:     db, clock: opt.Clock, log: opt.Log, feeds: map[string]Feed{},
		cache: otter.Must(&otter.Options[documentKey, *served]{
			MaximumWeight: uint64(opt.CacheBytes / 4 * 3),
			Weigher:       func(_ documentKey, v *served) uint32 { return uint32(len(v.body)) + overhead },
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

// feed returns the feed of a slug as it has been within the last second.
func (d *documents) feed(ctx context.Context, slug string) (Feed, error) {
	d.mu.RLock()
	feed, known := d.feeds[slug]
	generation, fresh := d.generation, d.clock.Now().Sub(d.asked) < trust
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
	feed, err := d.Find(ctx, d.db, slug)
	if err != nil {
		return feed, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.generation == generation { // or it may have been touched since it was read
		d.feeds[slug] = feed
	}
	return feed, nil
}

// refresh forgets the feeds that were touched since the database was last asked. Those who ask while somebody does wait for his answer.
// A database that does not answer is asked again a little later; until then what is known is served, for the worst that it can be is
// old.
func (d *documents) refresh(ctx context.Context) {
	_, err, _ := d.asking.Do("", func() (any, error) {
		now := d.clock.Now()
		d.mu.RLock()
		generation := d.generation
		d.mu.RUnlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadLimit)
		defer cancel()
		present, touched, err := d.touchedSince(ctx, d.db, generation)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked = now
		if err != nil {
			return nil, err
		}
		d.generation = present
		for slug, feed := range d.feeds {
			if touched[feed.Slug] || touched[slug] {
				delete(d.feeds, slug)
				d.forgotten = append(d.forgotten, feed)
			}
		}
		return nil, nil
	})
	if err != nil {
		d.log.WarnContext(ctx, "feeds are served as they were: the database does not say what changed", slog.Any("error", err))
	}
}

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
		doc, err := d.load(ctx, d.db, feed, place, format)
		if err != nil {
			return nil, err
		}
		return newServed(doc, d.publicURL), nil
	}))
}

// follow keeps the documents that were read lately as fresh as can be, until ctx ends: woken, it renders anew those that were touched.
func (d *documents) follow(ctx context.Context, wake <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		d.refresh(ctx)
		d.mu.Lock()
		forgotten := d.forgotten
		d.forgotten = nil
		d.mu.Unlock()
		since := d.clock.Now().Add(-lately).Unix()
		for i := range forgotten {
			d.renew(ctx, &forgotten[i], since)
		}
	}
}

// lately is for how long a document that was read is likely to be read again.
const lately = time.Minute

// renew renders the documents of a feed again that were read since a time.
func (d *documents) renew(ctx context.Context, old *Feed, since int64) {
	for _, format := range Formats() {
		for _, enc := range encodings {
			doc, ok := d.cache.GetIfPresent(documentKey{old.Slug, old.Version, articles.Place{}, format, enc})
			if !ok || doc.read.Load() < since {
				continue
			}
			feed, err := d.feed(ctx, old.Slug)
			if err == nil {
				_, err = d.get(ctx, &feed, articles.Place{}, format, enc)
			}
			if err != nil && ctx.Err() == nil && errs.KindOf(err) != errs.Gone {
				d.log.WarnContext(ctx, "feed not rendered in advance", slog.String("feed", old.Slug), slog.Any("error", err))
			}
		}
	}
}
