package articles

import (
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

	// PublicURL, if not nil, is where we serve images.
	PublicURL func() string
}

// SaveOptions say how drafts are taken in.
type SaveOptions struct {
	Now     time.Time // what "first seen" means
	Archive bool      // articles that are new go into feeds but are never due for a digest

	// Polled says that nobody looked at the drafts: a site may give its articles new ids, addresses or dates overnight, or a thousand of them
	// at once. What is there already under another key is found by what it says, and what is unusually much waits for a person.
	Polled bool

	// Refuse, if not nil, is told of each file that would put its article in the place of another one, and the rest is taken
	// in. If it is nil such a file is refused as any draft is.
	Refuse func(path string, err error)

	release bool // what waits is let through
}

// Result counts what Save did.
type Result struct {
	Added     int
	Changed   int
	Unchanged int
	Held      int // wait for a person
	Waiting   int // wait for their time, or for their author
}

// saveLock is the key of the advisory lock that lets one transaction at a time save articles: slugs and ids are unique across
// all sources, and whoever comes second sees what the first one wrote.
const saveLock = 0x53696c6b_61727469

func lock(ctx context.Context, h database.Handle) error {
	_, err := h.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(saveLock))
	return err
}

// Alone waits until nobody else saves articles, and keeps it so until the transaction h ends. Who is to say what their Save did has to look at what
// was there after this: somebody else may be saving the same.
func (s *Store) Alone(ctx context.Context, h database.Handle) error { return lock(ctx, h) }

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
//
// A draft that is not finished, or whose time has not come, waits; once it has, PublishDue saves it as if it had just come. What is held, or
// was discarded, stays so when the source gives it again.
func (s *Store) Save(ctx context.Context, h database.Handle, source Source, drafts []Draft, opt SaveOptions) (_ Result, err error) {
	defer errs.Wrap(&err, "source %s", source.Slug)
	drafts = firstOfEach(drafts)
	if err := lock(ctx, h); err != nil {
		return Result{}, err
	}
	given := len(drafts)
	drafts, kept, err := keepBack(ctx, h, source, drafts, opt)
	if err != nil {
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
	if err := localImages(ctx, h, source, added, changed); err != nil {
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
	work := batch{source: source, opt: opt, identified: identified{added: added}, edits: changed}
	if opt.Polled {
		if work.identified, err = identify(ctx, h, source, added, keysOf(drafts), date(opt.Now)); err != nil {
			return Result{}, err
		}
		keepDates(len(known)+work.known, work.edits, work.changed)
		if err := localImages(ctx, h, source, work.changed); err != nil {
			return Result{}, err
		}
		if work.held, err = holdBack(ctx, h, &work); err != nil {
			return Result{}, err
		}
	}
	done := Result{Held: work.held, Waiting: kept}
	done.Added, done.Changed, err = s.write(ctx, h, &work)
	done.Unchanged = given - done.Added - done.Changed - len(clashes) - kept - work.held
	return done, err
}

// batch is what a save writes.
type batch struct {
	source Source
	opt    SaveOptions
	identified
	edits []row // of articles with the same keys
	held  int
}

func keysOf(drafts []Draft) map[string]bool {
	keys := make(map[string]bool, len(drafts))
	for _, d := range drafts {
		keys[d.ExternalKey] = true
	}
	return keys
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
	FirstSeenAt time.Time `db:"first_seen_at"`
	alias       bool      // ExternalKey is another key than its own
	leave       bool      // it comes under its own key, too
}

func knownArticles(ctx context.Context, h database.Handle, sourceID int64, drafts []Draft) (map[string]known, error) {
	keys := make([]string, len(drafts))
	for i, d := range drafts {
		keys[i] = d.ExternalKey
	}
	var found []known
	err := h.SelectContext(ctx, &found, `
		SELECT id, external_key, content_hash, published_at, updated_at, first_seen_at
		FROM articles.articles WHERE source_id = $1 AND external_key = ANY($2)`, sourceID, pq.Array(keys))
	byKey := make(map[string]known, len(found))
	for _, k := range found {
		byKey[k.ExternalKey] = k
	}
	if err != nil {
		return nil, err
	}
	return byKey, knownByAlias(ctx, h, sourceID, keys, byKey)
}

// prepareAll cleans what is new and what is not as it was. Cleaning takes a hundred times as long as finding that out.
func prepareAll(source Source, drafts []Draft, old map[string]known, now time.Time) (added, changed []row, err error) {
	for _, d := range drafts {
		hash, err := contentHash(d)
		if err != nil {
			return nil, nil, errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
		}
		k, isOld := old[d.ExternalKey]
		if isOld && unchanged(k, hash) {
			continue
		}
		r, err := prepare(source, d, hash, k, now)
		r.draft, r.alias = d, k.alias
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

// write changes what is there before it adds what is new, so that a new translation finds the group of the old article. It returns how many
// articles were added, and how many look different now.
func (s *Store) write(ctx context.Context, h database.Handle, w *batch) (added, changed int, err error) {
	edits, err := visible(ctx, h, append(w.edits, w.changed...), date(w.opt.Now))
	if err != nil {
		return 0, 0, err
	}
	if err := call(ctx, h, append(aliasesAmong(w.edits), w.aliases...)); err != nil || len(edits)+len(w.added) == 0 {
		return 0, 0, err
	}
	var ids []int64
	for _, r := range edits {
		ids = append(ids, r.ID)
	}
	was, err := before(ctx, h, ids)
	if err != nil {
		return 0, 0, err
	}
	for _, r := range edits {
		if err := change(ctx, h, r); err != nil {
			return 0, 0, fmt.Errorf("article %q: %w", r.ExternalKey, err)
		}
	}
	for _, r := range w.added {
		id, err := add(ctx, h, w.source, r, w.opt.Archive)
		if err != nil {
			return 0, 0, fmt.Errorf("article %q: %w", r.ExternalKey, err)
		}
		ids = append(ids, id)
		if err := call(ctx, h, twinsOf(w.twins[r.ExternalKey], id)); err != nil {
			return 0, 0, err
		}
	}
	gone, were, err := replaced(ctx, h, ids, w.opt.Now)
	if err != nil {
		return 0, 0, err
	}
	was, ids = append(was, were...), append(ids, gone...)
	if len(ids) >= analyzed {
		if _, err := h.ExecContext(ctx, `ANALYZE articles.articles`); err != nil {
			return 0, 0, err
		}
	}
	if _, err := h.ExecContext(ctx, `UPDATE articles.sources SET changed_at = $2, added = $3, changed = $4 WHERE id = $1`,
		w.source.ID, date(w.opt.Now), len(w.added), len(edits)); err != nil {
		return 0, 0, err
	}
	if err := noteImages(ctx, h, w.source, ids, date(w.opt.Now)); err != nil {
		return 0, 0, err
	}
	return len(w.added), len(edits), s.tell(ctx, h, was, ids, w.opt.Now)
}

func aliasesAmong(rows []row) (aliases []row) {
	for _, r := range rows {
		if r.alias {
			aliases = append(aliases, r)
		}
	}
	return aliases
}

func twinsOf(twins []row, id int64) []row {
	for i := range twins {
		twins[i].ID = id
	}
	return twins
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
			language_key, section, tags, authors, image_url, image_alt, published_at, updated_at, first_seen_at, content_hash, archive,
			urgent, pinned)
		VALUES ($1, $2, coalesce((SELECT group_id FROM articles.translation_keys WHERE source_id = $1 AND key = $3), nullif($23::bigint, 0),
				nextval('articles.groups')),
			$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $24, $25)
		RETURNING id`,
		r.SourceID, r.ExternalKey, r.TranslationKey, r.GUID, r.Slug, r.URL, r.Title, r.Summary, r.HTML, r.Text, r.Language,
		r.LanguageKey, r.Section, r.Tags, r.Authors, r.ImageURL, r.ImageAlt, r.PublishedAt, r.UpdatedAt, r.FirstSeenAt, r.hash, archive,
		r.join, r.Urgent, r.Pinned)
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
			urgent = urgent OR $17, pinned = pinned OR $18,
			updated_at = coalesce((SELECT updated_at FROM articles.versions WHERE article_id = $1 AND content_hash = $16), $15)
		WHERE id = $1`,
		r.ID, r.URL, r.Title, r.Summary, r.HTML, r.Text, r.Language, r.LanguageKey, r.Section, r.Tags, r.Authors,
		r.ImageURL, r.ImageAlt, r.PublishedAt, r.UpdatedAt, r.hash, r.Urgent, r.Pinned)
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
