package feeds

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Settled is for how long after a change a Handler may still serve what was before.
const Settled = time.Second

// ErrBusy says that the hub is being told already. Whoever gets it tries again a little later, for the other one may have begun before
// the change.
var ErrBusy = errors.New("the hub is being told by somebody else")

// Teller tells WebSub hubs which documents have changed. It is safe for concurrent use, by any number of processes.
//
// How a publisher tells a hub is left open by WebSub (section 6). What hubs take is a form with hub.mode=publish and the address of the
// document: in hub.url (those that come from PubSubHubbub 0.3, such as Google's and Superfeedr's), in hub.topic (Switchboard), or in
// either (WebSubHub, Webubbub). We say both. Some take several addresses at once, not all do: each document has a request of its
// own.
//
// Hubs fetch at once, and hand on what they got. So nothing is told before every process serves it (Settle), and nothing that says what
// it said when the hub was last told: an edit far back in an archive touches a feed, but not its subscription documents.
type Teller struct {
	Store     *Store
	DB        *sqlx.DB
	Clock     clock.Clock
	PublicURL string        // no slash at its end
	Settle    time.Duration // how long to wait after reading what changed: Settled, when a Handler serves
	// Post sends a form. Its error is Invalid when the hub refuses just this one.
	Post func(ctx context.Context, address string, form url.Values) error
}

// Tell tells a hub of the documents of all public feeds in service that changed since it was last told, generation being the one to
// which somebody wants it told; when it knows that already, or when somebody has begun to tell it of a later one, nothing is done.
// What it was told is not told again, however Tell ends: after an error it goes on where it was. An error is recorded with the
// hub, unless ctx is over; a document that the hub refuses does not keep it from being told of the others. ErrBusy: see there.
func (t *Teller) Tell(ctx context.Context, hub string, generation int64) error {
	// The transaction does nothing but hold the lock: whoever dies lets it go.
	return database.Transact(ctx, t.DB, func(tx *sqlx.Tx) error {
		var mine bool
		if err := tx.GetContext(ctx, &mine, `SELECT pg_try_advisory_xact_lock(hashtextextended('silkpost hub ' || $1, 0))`, hub); err != nil {
			return err
		}
		if !mine {
			return ErrBusy
		}
		return t.tell(ctx, hub, generation)
	})
}

func (t *Teller) tell(ctx context.Context, hub string, generation int64) error {
	var at struct {
		Told    int64 `db:"told"`
		Asked   int64 `db:"asked"`
		Present int64 `db:"present"`
	}
	err := t.DB.GetContext(ctx, &at, `
		UPDATE feeds.hubs SET asked = greatest(asked, $2) WHERE url = $1
		RETURNING told, asked, (SELECT number FROM feeds.generation) AS present`, hub, generation)
	switch {
	case errors.Is(err, sql.ErrNoRows): // it was taken away
		return nil
	case err != nil:
		return err
	case at.Told >= generation || at.Asked > generation:
		return nil
	}
	touched, err := t.behind(ctx, at.Told)
	if err == nil {
		err = wait(ctx, t.Settle)
	}
	if err == nil {
		err = t.tellOf(ctx, hub, touched)
	}
	if err != nil {
		return t.failed(ctx, hub, err)
	}
	_, err = t.DB.ExecContext(ctx, `
		UPDATE feeds.hubs SET told = greatest(told, $2), told_at = $3, failures = 0, failure = '' WHERE url = $1`, hub, at.Present, t.Clock.Now())
	return err
}

// touched is a feed that a hub may have to be told of, as it was when that was read.
type touched struct {
	ID int64 `db:"id"`
	Feed
}

// behind returns the feeds in service that were touched after a generation, in a fixed order.
func (t *Teller) behind(ctx context.Context, generation int64) (all []touched, err error) {
	err = t.DB.SelectContext(ctx, &all, `
		SELECT id, `+columns+` FROM feeds.feeds WHERE version > $1 AND removed_at IS NULL ORDER BY slug COLLATE "C"`, generation)
	return all, err
}

// wait returns nil after a while, or the reason when ctx is over first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tellOf tells a hub of the documents of feeds. What it refuses is passed over, and told as the error at the end; anything else that
// goes wrong would go wrong with the next document too.
func (t *Teller) tellOf(ctx context.Context, hub string, feeds []touched) error {
	// Feeds share articles: rendered once for all, documents take a fifth of the time.
	l := loader{Store: t.Store, publicURL: t.PublicURL, fragments: newFragments(tellBytes)}
	var refused error
	for i := range feeds {
		changed, err := t.changed(ctx, l, hub, &feeds[i])
		if err != nil {
			return err
		}
		for _, doc := range changed {
			err := t.publish(ctx, hub, feeds[i].ID, &doc)
			switch {
			case err == nil:
			case errs.KindOf(err) != errs.Invalid:
				return err
			case refused == nil:
				refused = errs.New(errs.Invalid, "%w, for %s", err, t.topic(&doc))
			}
		}
	}
	return refused
}

// tellBytes is how much memory rendered articles may take while a hub is told.
const tellBytes = 16 << 20

// changed returns the documents of a feed that do not say what they said when the hub was last told of them. There are none when the
// feed was touched again: what it says now may not be served by all yet, and whoever touched it has the hub told of that.
func (t *Teller) changed(ctx context.Context, l loader, hub string, feed *touched) (docs []Document, err error) {
	err = snapshot(ctx, t.DB, func(tx *sqlx.Tx) error {
		docs = nil
		same, told, err := t.known(ctx, tx, hub, feed)
		if err != nil || !same {
			return err
		}
		frame, positions, err := l.lay(ctx, tx, &feed.Feed, articles.Place{})
		if err != nil {
			return err
		}
		for _, format := range Formats() {
			laid := frame
			doc, err := l.render(ctx, tx, &laid, positions, format)
			if err != nil {
				return err
			}
			if !slices.Equal(told[format], hash(&doc)) {
				docs = append(docs, doc)
			}
		}
		return nil
	})
	return docs, err
}

// known reports whether a feed is as it was when it was read, and what the hub was told of it.
func (t *Teller) known(ctx context.Context, h database.Handle, hub string, feed *touched) (same bool, told map[Format][]byte, err error) {
	if err := h.GetContext(ctx, &same, `SELECT version = $2 FROM feeds.feeds WHERE id = $1`, feed.ID, feed.Version); err != nil || !same {
		return false, nil, err
	}
	var rows []struct {
		Format Format `db:"format"`
		Hash   []byte `db:"hash"`
	}
	err = h.SelectContext(ctx, &rows, `SELECT format, hash FROM feeds.told WHERE hub = $1 AND feed_id = $2`, hub, feed.ID)
	told = make(map[Format][]byte, len(rows))
	for _, row := range rows {
		told[row.Format] = row.Hash
	}
	return true, told, err
}

func hash(doc *Document) []byte {
	sum := sha256.Sum256(doc.Body)
	return sum[:16]
}

func (t *Teller) topic(doc *Document) string { return URL(t.PublicURL, doc.Path, doc.Format) }

// publish tells a hub of one document, and keeps that it did.
func (t *Teller) publish(ctx context.Context, hub string, feed int64, doc *Document) error {
	topic := t.topic(doc)
	if err := t.Post(ctx, hub, url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}); err != nil {
		return err
	}
	// Told is told, also when there is no time left.
	_, err := t.DB.ExecContext(context.WithoutCancel(ctx), `
		INSERT INTO feeds.told (hub, feed_id, format, hash) VALUES ($1, $2, $3, $4)
		ON CONFLICT (hub, feed_id, format) DO UPDATE SET hash = excluded.hash`, hub, feed, doc.Format, hash(doc))
	return err
}

// failed records why a hub could not be told, and returns that. When ctx is over, nothing is recorded: that is no fault of the hub.
func (t *Teller) failed(ctx context.Context, hub string, why error) error {
	_, err := t.DB.ExecContext(ctx, `UPDATE feeds.hubs SET failures = failures + 1, failure = $2 WHERE url = $1`, hub, why.Error())
	return errors.Join(why, err)
}
