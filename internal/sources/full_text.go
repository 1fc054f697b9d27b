package sources

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// What a poll does at most for the full texts of a feed's items. What is more waits for the next one.
const (
	mostFullTexts = 20              // pages
	fullTextTime  = 3 * time.Minute // within which they are begun
	mostMisses    = 3               // pages in a row that cannot be fetched: the site is away
)

// fullTexts puts the text of their pages into a feed's drafts that have no more than a summary, or into all if the source wants that. It
// returns the drafts to be saved and what to remember of their pages.
//
// A draft whose page was read before, and of which the feed says the same since, is left out: its article is as it should be. So is one
// that the feed changed whose page could not be read yet: the article keeps its text until then. The first time a draft whose page
// cannot be read goes with its summary, and the page is tried again by the next polls, five times in all.
func (p *Poller) fullTexts(
	ctx context.Context, source articles.Source, feed feedContent, now time.Time,
) (drafts []articles.Draft, states []articles.FullTextState, err error) {
	w := &pageReader{Poller: p, source: source, now: now}
	wanted := wantedFullTexts(source.Settings.FullText, feed)
	if len(wanted) == 0 {
		return feed.drafts, nil, nil
	}
	known, err := p.Store.FullTexts(ctx, p.DB, source.ID, wanted)
	if err != nil {
		return nil, nil, err
	}
	limited, cancel := context.WithTimeout(ctx, fullTextTime)
	defer cancel()
	kept := make([]*articles.Draft, len(feed.drafts))
	isWanted := map[string]bool{}
	for _, key := range wanted {
		isWanted[key] = true
	}
	for i := len(feed.drafts) - 1; i >= 0; i-- { // the newest first
		d := feed.drafts[i]
		keep := true
		if isWanted[d.ExternalKey] {
			state, seen := known[d.ExternalKey]
			d, keep = w.complete(limited, d, state, seen)
		}
		if keep {
			kept[i] = &d
		}
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	for _, d := range kept {
		if d != nil {
			drafts = append(drafts, *d)
		}
	}
	return drafts, w.states, nil
}

// wantedFullTexts returns the keys of the drafts whose pages are to be read.
func wantedFullTexts(setting articles.FullText, feed feedContent) (keys []string) {
	for _, d := range feed.drafts {
		switch {
		case d.URL == "" || setting == articles.FullTextNever:
		case setting == articles.FullTextAlways || feed.brief[d.ExternalKey]:
			keys = append(keys, d.ExternalKey)
		}
	}
	return keys
}

// pageReader reads the pages of one poll's items.
type pageReader struct {
	*Poller
	source articles.Source
	now    time.Time
	tried  int
	misses int // in a row
	states []articles.FullTextState
}

// complete returns an item with the text of its page if that is there and better; false when its article stays as it is.
func (w *pageReader) complete(ctx context.Context, d articles.Draft, state articles.FullTextState, seen bool) (articles.Draft, bool) {
	hash := itemHash(d)
	if !seen || !bytes.Equal(state.ItemHash, hash) {
		state = articles.FullTextState{Key: d.ExternalKey, ItemHash: hash, Done: state.Done, NextTryAt: &w.now}
	}
	if state.NextTryAt == nil || state.NextTryAt.After(w.now) {
		return d, !state.Done
	}
	if w.tried >= mostFullTexts || w.misses >= mostMisses || ctx.Err() != nil {
		w.states = append(w.states, state)
		return d, !state.Done
	}
	whole, err := w.readPage(ctx, d)
	switch {
	case err == nil:
		state.Done, state.NextTryAt, state.Failure = true, nil, ""
	case errs.KindOf(err) == errs.Invalid: // there is no article, or robots.txt closes it: the item is all there is
		state.Done, state.NextTryAt, state.Failure, err = true, nil, err.Error(), nil
	case ctx.Err() == nil:
		state = w.failed(state, err)
	}
	w.states = append(w.states, state)
	return whole, err == nil || !state.Done
}

// failed returns what to remember of a page that could not be fetched.
func (w *pageReader) failed(state articles.FullTextState, err error) articles.FullTextState {
	state.Tries, state.Failure, state.NextTryAt = state.Tries+1, err.Error(), nil
	if state.Tries < mostTries {
		next := w.now.Add(backoff(w.source.Every, state.Tries))
		state.NextTryAt = &next
	} else {
		state.Done = false // what the feed says now is better than what the page said once
	}
	return state
}

// readPage returns an item with the text of its page, or as it is when the page has no more than the item. Facts that the feed gives count.
func (w *pageReader) readPage(ctx context.Context, d articles.Draft) (articles.Draft, error) {
	w.tried++
	got, err := w.Fetch.Get(ctx, fetch.Request{URL: d.URL, MaxBytes: pageLimit})
	if errs.KindOf(err) == errs.Unavailable {
		w.misses++
		if fetch.RetryAfter(err) > 0 {
			w.misses = mostMisses
		}
	}
	if err != nil {
		return d, err
	}
	w.misses = 0
	page, err := reading(w.source).Extract(got.URL, got.Body, got.ContentType)
	if err != nil {
		return d, errs.New(errs.Invalid, "%w", err)
	}
	if columns(draftWords(page)) <= columns(draftWords(d)) {
		return d, nil
	}
	d.Summary = cmp.Or(d.Summary, articles.Summary(articles.Line(d.HTML+d.Text)))
	d.HTML, d.Text = page.HTML, page.Text
	d.ImageURL, d.ImageAlt = cmp.Or(d.ImageURL, page.ImageURL), cmp.Or(d.ImageAlt, page.ImageAlt)
	d.Language, d.Section, d.TranslationKey = cmp.Or(d.Language, page.Language), cmp.Or(d.Section, page.Section), cmp.Or(d.TranslationKey, page.TranslationKey)
	d.Authors, d.Tags = firstNonEmpty(d.Authors, page.Authors), firstNonEmpty(d.Tags, page.Tags)
	if d.Published.IsZero() {
		d.Published = page.Published
	}
	return d, nil
}

func draftWords(d articles.Draft) string { return articles.Line(cmp.Or(d.HTML, d.Text)) }

// itemHash tells whether a feed still says the same of an item. That it was edited, without anything else, is nothing new.
func itemHash(d articles.Draft) []byte {
	d.Updated = time.Time{}
	text, _ := json.Marshal(d) // strings and times; a year beyond 9999 has no JSON, and is as good as any other
	sum := sha256.Sum256(text)
	return sum[:]
}
