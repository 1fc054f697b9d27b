package feeds

import (
	"context"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Document is a feed in one format, as it stood when it was loaded.
type Document struct {
	Format   Format
	Body     []byte
	Modified time.Time // when its articles or its definition last changed; zero when neither ever did
}

// Load renders the feed of a slug. A slug without a feed is NotFound, an unknown format Invalid.
func (s *Store) Load(ctx context.Context, h database.Handle, slug string, format Format, publicURL string) (_ Document, err error) {
	feed, err := s.Find(ctx, h, slug)
	if err != nil {
		return Document{}, err
	}
	defer errs.Wrap(&err, "feeds.Load(%q, %s)", slug, format)
	found, err := s.Articles.Select(ctx, h, feed.Selection, feed.Limit)
	if err != nil {
		return Document{}, err
	}
	items := make([]Item, len(found))
	for i := range found {
		items[i].Article = found[i]
	}
	frame := frameOf(feed, found)
	body, err := Render(format, &frame, items, publicURL)
	return Document{Format: format, Body: body, Modified: modified(feed, found)}, err
}

// frameOf returns the frame of the one document that a feed has.
func frameOf(feed Feed, items []articles.Article) Frame {
	frame := Frame{Feed: feed, Path: feed.Slug}
	for i, a := range items {
		if a.UpdatedAt.After(frame.Updated) {
			frame.Updated = a.UpdatedAt
		}
		if i == 0 {
			frame.Language = a.Language
		} else if a.Language != frame.Language {
			frame.Language = ""
		}
	}
	return frame
}

// modified returns when a document last changed. An article that came late with an old date counts from when it came.
func modified(feed Feed, items []articles.Article) time.Time {
	last := time.Unix(0, 0)
	for _, at := range append([]time.Time{feed.ChangedAt}, times(items)...) {
		if at.After(last) {
			last = at
		}
	}
	if last.Unix() == 0 {
		return time.Time{}
	}
	return last
}

func times(items []articles.Article) (all []time.Time) {
	for i := range items {
		all = append(all, items[i].UpdatedAt, items[i].FirstSeenAt)
	}
	return all
}
