package articles

import (
	"bytes"
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
)

// candidate is an article that may be the one that a draft is, too.
type candidate struct {
	ID          int64     `db:"id"`
	SourceID    int64     `db:"source_id"`
	GroupID     int64     `db:"group_id"`
	ExternalKey string    `db:"external_key"`
	Hash        []byte    `db:"content_hash"`
	Title       string    `db:"title"`
	URL         string    `db:"url"`
	LanguageKey string    `db:"language_key"`
	PublishedAt time.Time `db:"published_at"`
	UpdatedAt   time.Time `db:"updated_at"`
	FirstSeenAt time.Time `db:"first_seen_at"`
	like        likeness
}

// identified is what a poll brought under keys that were not known, told apart.
type identified struct {
	added   []row            // new articles
	changed []row            // articles that the source calls otherwise now
	twins   map[string][]row // drafts of articles in added, by the key of that
	aliases []row            // with the ID of the article that they are: changed ones, and those that need no change
	known   int              // how many there are of these
}

// identify finds out which of the articles that a poll brought under new keys are there already, under other keys. keys are all that the poll
// brought: an article whose own key is among them is not changed by another. One that another source has is put into its group.
func identify(ctx context.Context, h database.Handle, source Source, added []row, keys map[string]bool, now time.Time) (found identified, err error) {
	found.twins = map[string][]row{}
	if len(added) == 0 {
		return found, nil
	}
	there, err := candidates(ctx, h, source, added)
	if err != nil {
		return found, err
	}
	own := map[string][]int{} // places in found.added, by title and by address
	for _, r := range added {
		r.like = r.likeness()
		switch c := oneLike(there, &r, source.ID); {
		case c != nil && c.SourceID == source.ID:
			found.known++
			if r, err = r.as(source, c, now); err != nil {
				return found, err
			}
			found.aliases = append(found.aliases, r)
			if !keys[c.ExternalKey] {
				found.changed = append(found.changed, r)
			}
			continue
		case c != nil:
			r.join = c.GroupID
		}
		if twin := twinOf(found.added, own, &r); twin >= 0 {
			found.known++
			key := found.added[twin].ExternalKey
			found.twins[key] = append(found.twins[key], r)
			continue
		}
		for _, key := range []string{r.like.title, r.like.url} {
			own[key] = append(own[key], len(found.added))
		}
		found.added = append(found.added, r)
	}
	return found, nil
}

func (r *row) likeness() likeness {
	return likeness{
		title: titleKey(r.Title), url: urlKey(r.URL), at: r.PublishedAt, dated: !r.draft.Published.IsZero() || !r.draft.Updated.IsZero(), text: shinglesOf(r.Text),
	}
}

// as returns the row as an edit of an article that is there.
func (r *row) as(source Source, c *candidate, now time.Time) (row, error) {
	edit, err := prepare(source, r.draft, r.hash, known{ID: c.ID, ExternalKey: c.ExternalKey, Hash: c.Hash, PublishedAt: c.PublishedAt, UpdatedAt: c.UpdatedAt, FirstSeenAt: c.FirstSeenAt}, now)
	edit.draft = r.draft
	return edit, err
}

// oneLike returns the candidate that a row is, nil when it is none: one of its own source before those of others, whose address and title
// must be the same.
func oneLike(all []candidate, r *row, sourceID int64) (other *candidate) {
	for i := range all {
		c := &all[i]
		switch {
		case c.LanguageKey != r.LanguageKey || !c.like.same(&r.like):
		case c.SourceID == sourceID:
			return c
		case other == nil && c.like.title == r.like.title && c.like.url == r.like.url && c.like.text.like(r.like.text) >= nearlySame:
			other = c
		}
	}
	return other
}

// twinOf returns the place of the article among the new ones that a row is as well, -1 when there is none. They stand in the same feed, so
// they must be alike to the word.
func twinOf(added []row, own map[string][]int, r *row) int {
	for _, key := range []string{r.like.title, r.like.url} {
		for _, i := range own[key] {
			o := &added[i]
			if key != "" && o.LanguageKey == r.LanguageKey && o.like.title == r.like.title && o.like.same(&r.like) && o.like.text.like(r.like.text) >= exactly {
				return i
			}
		}
	}
	return -1
}

// candidates returns the articles whose title, or whose address, is that of one of the rows.
func candidates(ctx context.Context, h database.Handle, source Source, rows []row) ([]candidate, error) {
	titles, addresses := map[string]bool{}, map[string]bool{}
	var urls pq.StringArray
	first, last := rows[0].PublishedAt, rows[0].PublishedAt
	for _, r := range rows {
		titles[titleKey(r.Title)] = true
		if key := urlKey(r.URL); key != "" && !addresses[key] {
			addresses[key] = true
			urls = append(urls, spellings(key)...)
		}
		urls = append(urls, r.URL)
		if r.PublishedAt.Before(first) {
			first = r.PublishedAt
		}
		if r.PublishedAt.After(last) {
			last = r.PublishedAt
		}
	}
	const longAgo = 400 * 24 * time.Hour // what was there before that is compared by its address alone
	var some []candidate
	if err := h.SelectContext(ctx, &some, `
		SELECT id, source_id, group_id, external_key, content_hash, title, url, language_key, published_at, updated_at, first_seen_at
		FROM articles.articles
		WHERE url = ANY ($2) AND url <> '' OR source_id = $1 AND published_at BETWEEN $3 AND $4`,
		source.ID, urls, first.Add(-longAgo), last.Add(sameDay)); err != nil {
		return nil, err
	}
	var close []candidate
	ids := pq.Int64Array{}
	for _, c := range some {
		c.like = likeness{title: titleKey(c.Title), url: urlKey(c.URL), at: c.PublishedAt, dated: !c.PublishedAt.Equal(c.FirstSeenAt)}
		if titles[c.like.title] || c.like.url != "" && addresses[c.like.url] {
			close, ids = append(close, c), append(ids, c.ID)
		}
	}
	return close, withTexts(ctx, h, close, ids)
}

// spellings are the ways in which sites write an address that is compared by its key.
func spellings(key string) (all []string) {
	for _, scheme := range []string{"https://", "http://"} {
		for _, www := range []string{"", "www."} {
			for _, end := range []string{"", "/", "/index.html"} {
				all = append(all, scheme+www+key+end)
			}
		}
	}
	return all
}

func withTexts(ctx context.Context, h database.Handle, all []candidate, ids pq.Int64Array) error {
	if len(ids) == 0 {
		return nil
	}
	var texts []struct {
		ID   int64  `db:"id"`
		Text string `db:"text"`
	}
	if err := h.SelectContext(ctx, &texts, `SELECT id, text FROM articles.articles WHERE id = ANY ($1)`, ids); err != nil {
		return err
	}
	byID := make(map[int64]string, len(texts))
	for _, t := range texts {
		byID[t.ID] = t.Text
	}
	for i := range all {
		all[i].like.text = shinglesOf(byID[all[i].ID])
	}
	return nil
}

// call writes down that the source calls articles by other keys, too.
func call(ctx context.Context, h database.Handle, aliases []row) error {
	if len(aliases) == 0 {
		return nil
	}
	var keys pq.StringArray
	var hashes pq.ByteaArray
	var ids pq.Int64Array
	for _, r := range aliases {
		keys, hashes, ids = append(keys, r.ExternalKey), append(hashes, r.hash), append(ids, r.ID)
	}
	_, err := h.ExecContext(ctx, `
		INSERT INTO articles.aliases (source_id, external_key, article_id, content_hash)
		SELECT $1, u.* FROM unnest($2::text[], $3::bigint[], $4::bytea[]) u
		ON CONFLICT (source_id, external_key) DO UPDATE SET content_hash = excluded.content_hash`,
		aliases[0].SourceID, keys, ids, hashes)
	return err
}

// knownByAlias adds what is known under other keys. An article whose own key came as well is left to that.
func knownByAlias(ctx context.Context, h database.Handle, sourceID int64, keys []string, all map[string]known) error {
	var found []struct {
		known
		Own string `db:"own"`
	}
	err := h.SelectContext(ctx, &found, `
		SELECT a.id, x.external_key, x.content_hash, a.published_at, a.updated_at, a.first_seen_at, a.external_key AS own
		FROM articles.aliases x JOIN articles.articles a ON a.id = x.article_id
		WHERE x.source_id = $1 AND x.external_key = ANY ($2)`, sourceID, pq.Array(keys))
	came := make(map[string]bool, len(keys))
	for _, key := range keys {
		came[key] = true
	}
	claimed := map[int64]bool{}
	for _, x := range found {
		x.known.alias, x.known.leave = true, came[x.Own] || claimed[x.ID]
		claimed[x.ID] = true
		all[x.ExternalKey] = x.known
	}
	return err
}

func unchanged(k known, hash []byte) bool { return k.leave || bytes.Equal(k.Hash, hash) }
