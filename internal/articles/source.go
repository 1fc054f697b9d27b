package articles

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/internal/slug"
)

// Kinds of sources.
const (
	KindFolder = "folder" // files given to an import
	KindFeed   = "feed"   // an upstream RSS, Atom or JSON feed, polled
	KindAPI    = "api"    // a program that brings them itself

	// Sites without a feed, polled.
	KindJCMS    = "jcms"    // columns of a site that Hanweb's JCMS makes
	KindHTML    = "html"    // a page that lists articles
	KindSitemap = "sitemap" // a sitemap, or a site that has one
)

// polled are the kinds that have an address, which is asked from time to time.
var polled = []string{KindFeed, KindJCMS, KindHTML, KindSitemap}

// DefaultEvery is how often a source is polled that does not say.
const DefaultEvery = 15 * time.Minute

const minEvery = time.Minute

// Source is where articles come from.
type Source struct {
	ID       int64         `db:"id"`
	Slug     string        `db:"slug"`
	Kind     string        `db:"kind"`
	URL      string        `db:"url"`      // of the feed, column, listing or sitemap
	Section  string        `db:"section"`  // for articles that name none
	Language string        `db:"language"` // for articles that name none; "" detects
	Every    time.Duration `db:"every"`    // between polls
	Settings Settings      `db:"settings"`

	// What the last polls left behind.
	ETag         string     `db:"etag"`
	LastModified string     `db:"last_modified"`
	PolledAt     *time.Time `db:"polled_at"`    // the last poll that went well; nil: none did yet
	NextPollAt   *time.Time `db:"next_poll_at"` // nil: never polled by itself
	Failures     int        `db:"failures"`     // polls in a row that failed
	Failure      string     `db:"failure"`      // why the last one did; "" when it went well

	TTL      time.Duration `db:"ttl"`       // for how long its document said that it need not be asked again
	BodyHash []byte        `db:"body_hash"` // of what was there last
	MovedURL string        `db:"moved_url"` // where permanent redirects lead to; "": they do not

	CreatedAt time.Time  `db:"created_at"`
	ChangedAt *time.Time `db:"changed_at"` // when it last brought anything new or changed, by whichever way; nil: never
	PausedAt  *time.Time `db:"paused_at"`  // it is not polled by itself since; nil: it is
	RemovedAt *time.Time `db:"removed_at"` // see RemoveSource; nil: it is there
}

const sourceColumns = `id, slug, kind, url, section, language, (extract(epoch FROM every) * 1000000000)::bigint AS every,
	settings, etag, last_modified, polled_at, next_poll_at, failures, failure,
	(extract(epoch FROM ttl) * 1000000000)::bigint AS ttl, body_hash, moved_url,
	created_at, changed_at, paused_at, removed_at`

// EnsureSource returns the folder source with a slug and makes it when there is none. A slug that belongs to another kind gives
// an error of kind errs.Conflict.
func (s *Store) EnsureSource(ctx context.Context, h database.Handle, slug string, now time.Time) (Source, error) {
	found, err := s.SourceBySlug(ctx, h, slug)
	if errs.KindOf(err) == errs.NotFound || err == nil && found.RemovedAt != nil && found.Kind == KindFolder {
		found, _, err = s.UpsertSource(ctx, h, Source{Slug: slug, Kind: KindFolder}, now)
	}
	if err == nil && found.Kind != KindFolder {
		err = errs.New(errs.Conflict, "source %q is a %s: files cannot be imported into it, name another", slug, found.Kind)
	}
	return found, err
}

// UpsertSource declares a source by its slug and reports whether that wrote anything. A source that is polled is so at once when it is
// new or its URL, columns or listing changed: then, too, its polls begin anew, and what the first one finds that was not known is archive,
// for another place may bring a whole past along; so it is with one that was removed, which is there again. The kind of a source cannot
// change: its articles are known by keys of that kind.
func (s *Store) UpsertSource(ctx context.Context, h database.Handle, want Source, now time.Time) (Source, bool, error) {
	want, err := checkSource(want)
	if err == nil && want.URL != "" && s.CheckURL != nil {
		if err = s.CheckURL(want.URL); err != nil {
			err = errs.New(errs.KindOf(err), "source %q: %w", want.Slug, err)
		}
	}
	if err != nil {
		return Source{}, false, err
	}
	var written []Source
	err = h.SelectContext(ctx, &written, `
		INSERT INTO articles.sources AS s (slug, kind, url, section, language, every, settings, next_poll_at, created_at)
		VALUES ($1, $2, $3, $4, $5, make_interval(secs => $6), $8, CASE WHEN $2 NOT IN ('folder', 'api') OR $8::jsonb ? 'path' THEN $7::timestamptz END, $7)
		ON CONFLICT (slug) DO UPDATE SET url = excluded.url, section = excluded.section, language = excluded.language,
			every = excluded.every, settings = excluded.settings,
			etag = CASE WHEN `+sameDocument+` THEN s.etag ELSE '' END,
			last_modified = CASE WHEN `+sameDocument+` THEN s.last_modified ELSE '' END,
			body_hash = CASE WHEN `+sameDocument+` THEN s.body_hash END,
			polled_at = CASE WHEN `+samePlace+` THEN s.polled_at END,
			next_poll_at = CASE WHEN `+samePlace+` THEN s.next_poll_at ELSE excluded.next_poll_at END,
			ttl = CASE WHEN `+samePlace+` THEN s.ttl ELSE '0' END,
			moved_url = CASE WHEN `+samePlace+` THEN s.moved_url ELSE '' END,
			failures = CASE WHEN `+samePlace+` THEN s.failures ELSE 0 END,
			failure = CASE WHEN `+samePlace+` THEN s.failure ELSE '' END,
			failing_since = CASE WHEN `+samePlace+` THEN s.failing_since END,
			paused_at = CASE WHEN s.removed_at IS NULL THEN s.paused_at END, removed_at = NULL
		WHERE s.kind = excluded.kind
		  AND ((s.url, s.section, s.language, s.every, s.settings)
		    <> (excluded.url, excluded.section, excluded.language, excluded.every, excluded.settings) OR s.removed_at IS NOT NULL)
		RETURNING `+sourceColumns,
		want.Slug, want.Kind, want.URL, want.Section, want.Language, want.Every.Seconds(), now, want.Settings)
	if err != nil {
		return Source{}, false, err
	}
	if len(written) == 1 {
		return written[0], true, nil
	}
	found, err := s.SourceBySlug(ctx, h, want.Slug)
	if err == nil && found.Kind != want.Kind {
		err = errs.New(errs.Conflict, "source %q is a %s and cannot become a %s: choose another slug", want.Slug, found.Kind, want.Kind)
	}
	return found, false, err
}

// samePlace says in SQL that a source is looked for where it was. What is left out of its pages does not matter for that.
const samePlace = `s.removed_at IS NULL AND s.url = excluded.url AND (s.settings->'columns', s.settings->'listing', s.settings->'include', s.settings->'path')
	IS NOT DISTINCT FROM (excluded.settings->'columns', excluded.settings->'listing', excluded.settings->'include', excluded.settings->'path')`

// sameDocument says in SQL that what a source was asked for last is what it will be asked for next.
const sameDocument = `s.removed_at IS NULL AND s.url = excluded.url AND s.settings = excluded.settings`

// checkSource returns a declared source with its defaults filled in, or an error of kind errs.Invalid.
func checkSource(s Source) (Source, error) {
	if !slug.Valid(s.Slug) {
		return s, errs.New(errs.Invalid, "source slug %q: use small letters, digits and dashes, such as city-news", s.Slug)
	}
	switch {
	case s.Kind == KindFolder:
	case s.Kind == KindAPI && s.URL != "":
		return s, errs.New(errs.Invalid, "source %q: url means nothing for kind %q: its articles are brought, not fetched", s.Slug, s.Kind)
	case s.Kind == KindAPI:
	case slices.Contains(polled, s.Kind):
		address := WebAddress(s.URL, "")
		if address == "" {
			return s, errs.New(errs.Invalid, "source %q: url %q is not a web address with http:// or https://", s.Slug, s.URL)
		}
		s.URL = address
	default:
		return s, errs.New(errs.Invalid, "source %q: kind %q does not exist; kinds are folder, api, %s", s.Slug, s.Kind, strings.Join(polled, ", "))
	}
	if err := s.Settings.check(s.Kind); err != nil {
		return s, errs.New(errs.Invalid, "source %q: %w", s.Slug, err)
	}
	if s.Every == 0 {
		s.Every = DefaultEvery
	}
	if s.Every < minEvery {
		return s, errs.New(errs.Invalid, "source %q: every %s is too often, the least is %s", s.Slug, s.Every, minEvery)
	}
	s.Section = label(s.Section)
	if s.Language != "" {
		tag, err := language.Parse(s.Language)
		if err != nil {
			return s, errs.New(errs.Invalid, "source %q: language %w", s.Slug, err)
		}
		s.Language = tag
	}
	return s, nil
}

// SourceBySlug returns a source, also one that was removed, or an error of kind errs.NotFound.
func (s *Store) SourceBySlug(ctx context.Context, h database.Handle, slug string) (found Source, err error) {
	err = h.GetContext(ctx, &found, `SELECT `+sourceColumns+` FROM articles.sources WHERE slug = $1`, slug)
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "there is no source %q", slug)
	}
	return found, err
}

// Sources returns all sources by slug, but for those that were removed.
func (s *Store) Sources(ctx context.Context, h database.Handle) (all []Source, err error) {
	err = h.SelectContext(ctx, &all, `SELECT `+sourceColumns+` FROM articles.sources WHERE removed_at IS NULL ORDER BY slug`)
	return all, err
}

// Due returns the sources whose next poll is at or before now, the longest overdue first; then those that are never polled, and have images to be
// fetched by now. None is that is paused or was removed.
func (s *Store) Due(ctx context.Context, h database.Handle, now time.Time) (due []Source, err error) {
	err = h.SelectContext(ctx, &due, `
		SELECT `+sourceColumns+` FROM articles.sources
		WHERE (next_poll_at <= $1 OR next_poll_at IS NULL AND id IN (
				SELECT a.source_id FROM articles.image_tasks t JOIN articles.articles a ON a.id = t.article_id WHERE t.next_at <= $1))
		  AND paused_at IS NULL AND removed_at IS NULL
		ORDER BY next_poll_at, id`, now)
	return due, err
}

// Polled is how a poll ended.
type Polled struct {
	At           time.Time
	Next         time.Time
	Failure      string // "" when it went well
	ETag         string // for the next request; kept as they were when the poll failed
	LastModified string

	TTL      time.Duration // see Source; these three, too, stay as they were when the poll failed
	BodyHash []byte
	MovedURL string
}

// RecordPoll writes down how a poll of a source ended, unless the source got another URL or other settings meanwhile.
func (s *Store) RecordPoll(ctx context.Context, h database.Handle, source Source, p Polled) error {
	_, err := h.ExecContext(ctx, `
		UPDATE articles.sources SET next_poll_at = $3, failure = $4,
			failing_since = CASE WHEN $4 <> '' THEN coalesce(failing_since, $2) END,
			polled_at = CASE WHEN $4 = '' THEN $2 ELSE polled_at END,
			failures = CASE WHEN $4 = '' THEN 0 ELSE failures + 1 END,
			etag = CASE WHEN $4 = '' THEN $5 ELSE etag END,
			last_modified = CASE WHEN $4 = '' THEN $6 ELSE last_modified END,
			ttl = CASE WHEN $4 = '' THEN make_interval(secs => $9) ELSE ttl END,
			body_hash = CASE WHEN $4 = '' THEN $10 ELSE body_hash END,
			moved_url = CASE WHEN $4 = '' THEN $11 ELSE moved_url END
		WHERE id = $1 AND url = $7 AND settings = $8`,
		source.ID, p.At, p.Next, scrub(p.Failure), scrub(p.ETag), scrub(p.LastModified), source.URL, source.Settings,
		p.TTL.Seconds(), p.BodyHash, scrub(p.MovedURL))
	return err
}

// SourceSlugs returns the slugs of sources, also of those that were removed, by their ids.
func (s *Store) SourceSlugs(ctx context.Context, h database.Handle) (map[int64]string, error) {
	var all []Source
	err := h.SelectContext(ctx, &all, `SELECT id, slug FROM articles.sources`)
	slugs := make(map[int64]string, len(all))
	for _, source := range all {
		slugs[source.ID] = source.Slug
	}
	return slugs, err
}
