package articles

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Store keeps articles and sources. It is safe for concurrent use.
type Store struct {
	// Changed, if not nil, is called with the same handle at the end of whatever added, changed, withdrew or restored articles, and
	// told which kinds of articles that touched: what it does is done if and only if the articles are so.
	Changed func(ctx context.Context, h database.Handle, touched []Touched, now time.Time) error

	// CheckURL, if not nil, returns why the URL of a declared feed would never be fetched, nil when it may be.
	CheckURL func(url string) error
}

// SaveOptions say how drafts are taken in.
type SaveOptions struct {
	Now     time.Time // what "first seen" means
	Archive bool      // articles that are new go into feeds but are never due for a digest

	// Refuse, if not nil, is told of each file that would put its article in the place of another one, and the rest is taken
	// in. If it is nil such a file is refused as any draft is.
	Refuse func(path string, err error)
}

// Result counts what Save did.
type Result struct {
	Added     int
	Changed   int
	Unchanged int
}

// saveLock is the key of the advisory lock that lets one transaction at a time save articles: slugs and ids are unique across
// all sources, and whoever comes second sees what the first one wrote.
const saveLock = 0x53696c6b_61727469

func lock(ctx context.Context, h database.Handle) error {
	_, err := h.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(saveLock))
	return err
}

// Save takes in what a source gave. h should be a transaction: the first draft that is refused ends it with an error of kind
// errs.Invalid that names the draft. Saves wait for one another until their transactions end.
//
// A draft is known by its source and external key; of two with the same key the first counts. A new one gets its GUID, slug and
// first-seen time, for ever. One whose content is as it was leaves the article untouched. An edited one changes the content
// and updated_at; a date that the source does not give, or that has not come yet, stays what it was taken to be at first sight.
//
// The path of a file is a weak key, so a draft that is known by it alone (Draft.File) is looked at closer. When neither its title
// nor any paragraph of its text is that of the article with its key, it is another article and is refused. When its key is new, or
// would be refused, but title, language and text are those of an article of the source, it is that article, reached by another
// path, and counts as unchanged. An edited copy under another path is a new article.
//
// Drafts with the same translation key form one group. An article never leaves its group, for what was sent of it is known by
// that: one that gets a key later passes its group on to the translations that come after it, but is not joined with those
// that were there before.
func (s *Store) Save(ctx context.Context, h database.Handle, source Source, drafts []Draft, opt SaveOptions) (_ Result, err error) {
	defer errs.Wrap(&err, "source %s", source.Slug)
	drafts = firstOfEach(drafts)
	if err := lock(ctx, h); err != nil {
		return Result{}, err
	}
	known, err := knownArticles(ctx, h, source.ID, drafts)
	if err != nil {
		return Result{}, err
	}
	added, changed, err := prepareAll(source, drafts, known, date(opt.Now))
	if err != nil {
		return Result{}, err
	}
	added, changed, clashes, err := judgeFiles(ctx, h, added, changed)
	if err != nil {
		return Result{}, err
	}
	for _, c := range clashes {
		if opt.Refuse == nil {
			return Result{}, c.err
		}
		opt.Refuse(c.file, c.err)
	}
	if len(added)+len(changed) > 0 {
		err = s.write(ctx, h, source, added, changed, opt)
	}
	unchanged := len(drafts) - len(added) - len(changed) - len(clashes)
	return Result{Added: len(added), Changed: len(changed), Unchanged: unchanged}, err
}

// firstOfEach returns the drafts with clean keys, leaving out those whose key was already there.
func firstOfEach(drafts []Draft) []Draft {
	found, seen := make([]Draft, 0, len(drafts)), make(map[string]bool, len(drafts))
	for _, d := range drafts {
		d.ExternalKey = strings.TrimSpace(scrub(d.ExternalKey))
		if !seen[d.ExternalKey] {
			found = append(found, d)
		}
		seen[d.ExternalKey] = true
	}
	return found
}

// known is what decides about an article that is already there.
type known struct {
	ID          int64     `db:"id"`
	ExternalKey string    `db:"external_key"`
	Hash        []byte    `db:"content_hash"`
	PublishedAt time.Time `db:"published_at"`
	UpdatedAt   time.Time `db:"updated_at"`
}

func knownArticles(ctx context.Context, h database.Handle, sourceID int64, drafts []Draft) (map[string]known, error) {
	keys := make([]string, len(drafts))
	for i, d := range drafts {
		keys[i] = d.ExternalKey
	}
	var found []known
	err := h.SelectContext(ctx, &found, `
		SELECT id, external_key, content_hash, published_at, updated_at
		FROM articles.articles WHERE source_id = $1 AND external_key = ANY($2)`, sourceID, pq.Array(keys))
	byKey := make(map[string]known, len(found))
	for _, k := range found {
		byKey[k.ExternalKey] = k
	}
	return byKey, err
}

// prepareAll cleans what is new and what is not as it was. Cleaning takes a hundred times as long as finding that out.
func prepareAll(source Source, drafts []Draft, old map[string]known, now time.Time) (added, changed []row, err error) {
	for _, d := range drafts {
		hash, err := contentHash(d)
		if err != nil {
			return nil, nil, errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
		}
		k, isOld := old[d.ExternalKey]
		if isOld && bytes.Equal(k.Hash, hash) {
			continue
		}
		r, err := prepare(source, d, hash, k, now)
		switch {
		case err != nil:
			return nil, nil, err
		case isOld:
			changed = append(changed, r)
		default:
			added = append(added, r)
		}
	}
	return added, changed, nil
}

// write changes what is there before it adds what is new, so that a new translation finds the group of the old article.
func (s *Store) write(ctx context.Context, h database.Handle, source Source, added, changed []row, opt SaveOptions) error {
	var ids []int64
	for _, r := range changed {
		ids = append(ids, r.ID)
	}
	was, err := before(ctx, h, ids)
	if err != nil {
		return err
	}
	for _, r := range changed {
		if err := change(ctx, h, r); err != nil {
			return fmt.Errorf("article %q: %w", r.ExternalKey, err)
		}
	}
	for _, r := range added {
		id, err := add(ctx, h, source, r, opt.Archive)
		if err != nil {
			return fmt.Errorf("article %q: %w", r.ExternalKey, err)
		}
		ids = append(ids, id)
	}
	gone, were, err := replaced(ctx, h, ids, opt.Now)
	if err != nil {
		return err
	}
	was, ids = append(was, were...), append(ids, gone...)
	if len(ids) >= analyzed {
		if _, err := h.ExecContext(ctx, `ANALYZE articles.articles`); err != nil {
			return err
		}
	}
	return s.tell(ctx, h, was, ids, opt.Now)
}

// analyzed is how many articles at once are so many that the planner is told of them now. It would hear of them a minute later, and
// until then take minutes for what takes milliseconds.
const analyzed = 1000

func add(ctx context.Context, h database.Handle, source Source, r row, archive bool) (id int64, err error) {
	if r.GUID, err = chooseGUID(ctx, h, source.Slug, r); err != nil {
		return 0, err
	}
	if r.Slug, err = chooseSlug(ctx, h, source.Slug, r); err != nil {
		return 0, err
	}
	err = h.GetContext(ctx, &r.ID, `
		INSERT INTO articles.articles (source_id, external_key, group_id, guid, slug, url, title, summary, html, text, language,
			language_key, section, tags, authors, image_url, image_alt, published_at, updated_at, first_seen_at, content_hash, archive)
		VALUES ($1, $2, coalesce((SELECT group_id FROM articles.translation_keys WHERE source_id = $1 AND key = $3), nextval('articles.groups')),
			$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
		RETURNING id`,
		r.SourceID, r.ExternalKey, r.TranslationKey, r.GUID, r.Slug, r.URL, r.Title, r.Summary, r.HTML, r.Text, r.Language,
		r.LanguageKey, r.Section, r.Tags, r.Authors, r.ImageURL, r.ImageAlt, r.PublishedAt, r.UpdatedAt, r.FirstSeenAt, r.hash, archive)
	if err != nil {
		return 0, err
	}
	return r.ID, remember(ctx, h, r)
}

// change writes an edit. A content that was there before brings its date back, so that an edit taken back leaves no trace in feeds.
func change(ctx context.Context, h database.Handle, r row) error {
	_, err := h.ExecContext(ctx, `
		UPDATE articles.articles SET url = $2, title = $3, summary = $4, html = $5, text = $6, language = $7, language_key = $8,
			section = $9, tags = $10, authors = $11, image_url = $12, image_alt = $13, published_at = $14, content_hash = $16,
			updated_at = coalesce((SELECT updated_at FROM articles.versions WHERE article_id = $1 AND content_hash = $16), $15)
		WHERE id = $1`,
		r.ID, r.URL, r.Title, r.Summary, r.HTML, r.Text, r.Language, r.LanguageKey, r.Section, r.Tags, r.Authors,
		r.ImageURL, r.ImageAlt, r.PublishedAt, r.UpdatedAt, r.hash)
	if err != nil {
		return err
	}
	return remember(ctx, h, r)
}

// remember notes the version that was written, and makes the article's translation key stand for its group, unless the key stands for one
// already.
func remember(ctx context.Context, h database.Handle, r row) error {
	_, err := h.ExecContext(ctx, `
		WITH version AS (
			INSERT INTO articles.versions (article_id, content_hash, updated_at) VALUES ($1, $3, $4) ON CONFLICT DO NOTHING
		)
		INSERT INTO articles.translation_keys (source_id, key, group_id)
		SELECT source_id, $2, group_id FROM articles.articles WHERE id = $1 AND $2 <> ''
		ON CONFLICT (source_id, key) DO NOTHING`, r.ID, r.TranslationKey, r.hash, r.UpdatedAt)
	return err
}
