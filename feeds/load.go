package feeds

import (
	"context"
	"iter"
	"path"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Document is a feed in one format, as it stood when it was loaded.
type Document struct {
	Format   Format
	Path     string // in its folder, without the extension
	Folder   string // see Frame; "" is /feeds/
	Body     []byte
	Modified time.Time // when its articles or its definition last changed; zero when neither ever did
	Archive  bool      // see RFC 5005
	Older    string    // Path of the document that goes on where this one ends; "": there is none
	Hubs     []string  // WebSub
}

// loader renders documents for readers who reach this installation at publicURL.
type loader struct {
	*Store
	publicURL string
	fragments *fragments // nil: none are kept
}

// Load renders the subscription document of the feed of a slug. A slug without a feed is NotFound, one of a feed that was removed is
// Gone, an unknown format Invalid.
func (s *Store) Load(ctx context.Context, db *sqlx.DB, slug string, format Format, publicURL string) (doc Document, err error) {
	feed, err := s.Find(ctx, db, slug)
	if err != nil {
		return Document{}, err
	}
	return loader{Store: s, publicURL: publicURL}.load(ctx, db, &feed, articles.Place{}, format)
}

// Documents walks back through a feed: it yields the subscription document, then the archive documents, each rendered when it is asked
// for. An error is the last that it yields.
func (s *Store) Documents(ctx context.Context, db *sqlx.DB, feed Feed, format Format, publicURL string) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		l := loader{Store: s, publicURL: publicURL}
		for place, more := (articles.Place{}), true; more; {
			doc, err := l.load(ctx, db, &feed, place, format)
			if !yield(doc, err) || err != nil {
				return
			}
			place, more = parsePlace(path.Base(doc.Older))
		}
	}
}

// load renders the document of a feed that ends at a place: the subscription document, when that is zero.
func (l loader) load(ctx context.Context, db *sqlx.DB, feed *Feed, place articles.Place, format Format) (doc Document, err error) {
	defer errs.Wrap(&err, "feed %q as %s", feed.Slug, format)
	err = snapshot(ctx, db, func(tx *sqlx.Tx) error {
		frame, positions, err := l.lay(ctx, tx, feed, place)
		if err == nil {
			doc, err = l.render(ctx, tx, &frame, positions, format)
		}
		return err
	})
	return doc, err
}

// lay lays out the document of a feed that ends at a place.
func (s *Store) lay(ctx context.Context, h database.Handle, feed *Feed, place articles.Place) (frame Frame, _ []articles.Position, err error) {
	frame = Frame{Feed: *feed, Path: feed.Slug}
	var laid layout
	if place == (articles.Place{}) {
		laid, err = s.newest(ctx, h, feed)
	} else {
		laid, err = s.archive(ctx, h, feed, place)
		frame.Path, frame.Archive = feed.Slug+"/"+placeName(place), true
	}
	if err != nil {
		return frame, nil, err
	}
	if laid.older != "" {
		frame.Older = feed.Slug + "/" + laid.older
	}
	if !frame.Archive { // nothing new comes to an archive
		frame.Hubs, err = s.Hubs(ctx, h)
	}
	return frame, laid.positions, err
}

// Contents is what a document of a feed holds, for those who show it otherwise.
type Contents struct {
	Feed     Feed
	Articles []articles.Article // newest first
	Older    string             // path, below /feeds/ and without extension, of the document that goes on; "": there is none
}

// Contents returns what a document of the feed of a slug holds: the subscription document, or with the name of an archive that one. What is
// not there is NotFound, or Gone.
func (s *Store) Contents(ctx context.Context, db *sqlx.DB, slug, archive string) (c Contents, err error) {
	place, ok := parsePlace(archive)
	if archive != "" && !ok {
		return c, errs.New(errs.NotFound, "there is no archive %q", archive)
	}
	feed, err := s.Find(ctx, db, slug)
	if err != nil {
		return c, err
	}
	return s.contents(ctx, db, func(h database.Handle) (Frame, []articles.Position, error) { return s.lay(ctx, h, &feed, place) })
}

// contents returns what lay lays out.
func (s *Store) contents(
	ctx context.Context, db *sqlx.DB, lay func(h database.Handle) (Frame, []articles.Position, error),
) (c Contents, err error) {
	err = snapshot(ctx, db, func(tx *sqlx.Tx) error {
		frame, positions, err := lay(tx)
		if err != nil {
			return err
		}
		c.Feed, c.Older = frame.Feed, frame.Older
		var ids []int64
		for i := range positions {
			if positions[i].WithdrawnAt == nil {
				ids = append(ids, positions[i].ID)
			}
		}
		c.Articles, err = s.Articles.ByIDs(ctx, tx, ids)
		return err
	})
	return c, err
}

// snapshot runs statements that see the database as it is at the first of them. Each reads a few rows: what the planner may take for so
// much that it compiles the statement, which takes half a second.
func snapshot(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	return database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL jit = off`); err != nil {
			return err
		}
		return fn(tx)
	})
}

// render makes a document of the articles at positions. Of those that were withdrawn it names no more than the feed may have articles.
func (l loader) render(ctx context.Context, h database.Handle, frame *Frame, positions []articles.Position, format Format) (Document, error) {
	var shown []articles.Position
	for _, p := range positions {
		switch {
		case p.WithdrawnAt == nil:
			shown = append(shown, p)
			frame.Updated = later(frame.Updated, p.UpdatedAt)
		case len(frame.Gone) < frame.Feed.Limit:
			frame.Gone = append(frame.Gone, Gone{GUID: p.GUID, At: *p.WithdrawnAt})
			frame.Updated = later(frame.Updated, *p.WithdrawnAt)
		}
	}
	frame.Language = commonLanguage(shown)
	items, err := l.items(ctx, h, frame.Feed.Content, shown, format)
	if err != nil {
		return Document{}, err
	}
	body, err := assemble(format, frame, l.publicURL, items)
	doc := Document{Format: format, Path: frame.Path, Body: body, Archive: frame.Archive, Older: frame.Older, Hubs: frame.Hubs}
	if at := frame.Feed.ChangedAt; at.Unix() > 0 {
		doc.Modified = at
	}
	return doc, err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// commonLanguage returns the language that all articles are in; "" when they are in several, or there are none.
func commonLanguage(shown []articles.Position) string {
	for i := range shown {
		if shown[i].Language != shown[0].Language {
			return ""
		}
	}
	if len(shown) == 0 {
		return ""
	}
	return shown[0].Language
}

// items returns the articles at positions as they stand in documents, reading those alone that are not kept.
func (l loader) items(ctx context.Context, h database.Handle, content Content, shown []articles.Position, format Format) ([][]byte, error) {
	rendered := make([][]byte, len(shown))
	missing := map[int64]int{} // place by id
	var ids, groups []int64
	for i := range shown {
		p := &shown[i]
		if rendered[i] = l.fragments.get(p, format, content); rendered[i] == nil {
			missing[p.ID] = i
			ids, groups = append(ids, p.ID), append(groups, p.GroupID)
		}
	}
	if len(ids) == 0 {
		return rendered, nil
	}
	found, err := l.Articles.HTMLByIDs(ctx, h, ids)
	if err != nil {
		return nil, err
	}
	links, err := l.Articles.Links(ctx, h, groups)
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		item := Item{Article: a, Translations: translations(&a, links[a.GroupID], l.publicURL)}
		i := missing[a.ID]
		if rendered[i], err = renderItem(format, content, &item, l.publicURL); err != nil {
			return nil, err
		}
		l.fragments.put(&shown[i], format, content, rendered[i])
	}
	return rendered, nil
}

// translations returns the other language versions of an article, one per language.
func translations(a *articles.Article, group []articles.Article, publicURL string) (all []Translation) {
	seen := map[string]bool{a.Language: true}
	for i := range group {
		if other := &group[i]; !seen[other.Language] {
			seen[other.Language] = true
			all = append(all, Translation{Language: other.Language, URL: other.Link(publicURL)})
		}
	}
	return all
}
