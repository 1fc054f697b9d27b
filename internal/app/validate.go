package app

import (
	"context"
	"slices"

	"silkpost/feeds"
	"silkpost/feeds/validate"
)

// CheckedDocument is a document of a feed with what is wrong with it.
type CheckedDocument struct {
	Name     string // below /feeds/: all.rss, all/before-20260503T120000Z.rss
	Findings []validate.Finding
}

// ValidateFeeds renders every document of feeds in every format, their archives too, and hands each to seen when it was checked. slugs
// name the feeds, none all that are listed; formats are those to check, none all. An unknown slug is told before any document is seen;
// an error of seen ends it.
func (a *App) ValidateFeeds(ctx context.Context, slugs []string, formats []feeds.Format, seen func(CheckedDocument) error) error {
	chosen, err := a.findFeeds(ctx, slugs)
	if err != nil {
		return err
	}
	if len(formats) == 0 {
		formats = feeds.Formats()
	}
	for _, feed := range chosen {
		for _, format := range formats {
			if err := a.validateFeed(ctx, feed, format, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// findFeeds returns the feeds of slugs, each once; without any, all that are listed.
func (a *App) findFeeds(ctx context.Context, slugs []string) (chosen []feeds.Feed, err error) {
	if len(slugs) == 0 {
		return a.Feeds.List(ctx, a.DB)
	}
	for _, slug := range slugs {
		f, err := a.Feeds.Find(ctx, a.DB, slug)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen, func(other feeds.Feed) bool { return other.Slug == f.Slug }) {
			chosen = append(chosen, f)
		}
	}
	return chosen, nil
}

func (a *App) validateFeed(ctx context.Context, feed feeds.Feed, format feeds.Format, seen func(CheckedDocument) error) error {
	for doc, err := range a.Feeds.Documents(ctx, a.DB, feed, format, a.PublicURL()) {
		if err != nil {
			return err
		}
		findings, err := validate.Check(string(format), doc.Body)
		if err != nil {
			return err
		}
		if err := seen(CheckedDocument{Name: doc.Path + "." + string(format), Findings: findings}); err != nil {
			return err
		}
	}
	return nil
}
