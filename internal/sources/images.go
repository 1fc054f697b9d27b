package sources

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/fetch"
	"silkpost/internal/media"
)

// What is asked for after a poll. The rest waits for the next one.
const (
	mostIllustrated = 20 // articles
	mostImages      = 60 // images
)

// StoreImages fetches the images of a source whose images are to be stored: those of articles that came lately, and those that could not be had
// before. Each is made small, kept, and put into the article's place of the foreign one. It returns how many it stored. What cannot be had
// stays where it is.
func (p *Poller) StoreImages(ctx context.Context, source articles.Source, now time.Time) (stored int, err error) {
	if source.Settings.Images != articles.ImagesStore {
		return 0, nil
	}
	tasks, err := p.Store.ImageTasks(ctx, p.DB, source, mostIllustrated, now)
	if err != nil {
		return 0, err
	}
	asked := 0
	for _, task := range tasks {
		urls, err := p.Store.ToFetch(ctx, p.DB, task.URLs, now)
		if err != nil {
			return stored, err
		}
		if asked += len(urls); asked > mostImages && asked > len(urls) {
			break
		}
		for _, url := range urls[:min(len(urls), mostImages)] {
			kept, err := p.storeImage(ctx, url, now)
			if err != nil {
				return stored, err
			}
			stored += kept
		}
		if err := database.Transact(ctx, p.DB, func(tx *sqlx.Tx) error { return p.Store.PlaceImages(ctx, tx, task.ArticleID, now) }); err != nil {
			return stored, err
		}
	}
	return stored, nil
}

func (p *Poller) storeImage(ctx context.Context, url string, now time.Time) (int, error) {
	got, err := p.Fetch.Get(ctx, fetch.Request{URL: url})
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var image media.Image
	if err == nil {
		image, err = media.Make(got.Body)
	}
	if err != nil {
		return 0, p.Store.MissImage(ctx, p.DB, url, err, now)
	}
	return 1, p.Store.KeepImage(ctx, p.DB, url, image, now)
}
