package feeds

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Document is a feed in one format, as it stood when it was loaded.
type Document struct {
	Format   Format
	Path     string // below /feeds/, without the extension
	Body     []byte
	Modified time.Time // when its articles or its definition last changed; zero when neither ever did
	Archive  bool      // see RFC 5005
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

// load renders the document of a feed that ends at a place: the subscription document, when that is zero.
func (l loader) load(ctx context.Context, db *sqlx.DB, feed *Feed, place articles.Place, format Format) (doc Document, err error) {
	defer errs.Wrap(&err, "feed %q as %s", feed.Slug, format)
	return doc, snapshot(ctx, db, func(tx *sqlx.Tx) error {
		frame := Frame{Feed: *feed, Path: feed.Slug}
		laid, err := layout{}, error(nil)
		if place == (articles.Place{}) {
			laid, err = l.newest(ctx, tx, feed)
		} else {
			laid, err = l.archive(ctx, tx, feed, place)
			frame.Path, frame.Archive = feed.Slug+"/"+placeName(place), true
		}
		if err != nil {
			return err
		}
		if laid.older != "" {
			frame.Older = feed.Slug + "/" + laid.older
		}
		if !frame.Archive { // nothing new comes to an archive
			if frame.Hubs, err = l.Hubs(ctx, tx); err != nil {
				return err
			}
		}
		doc, err = l.render(ctx, tx, &frame, laid.positions, format)
		return err
	})
}

// snapshot runs statements that see the database as it is at the first of them.
func snapshot(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	return database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`); err != nil {
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
	doc := Document{Format: format, Path: frame.Path, Body: body, Archive: frame.Archive, Hubs: frame.Hubs}
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
