package articles

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
	"golang.org/x/net/html"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/media"
)

// MediaPrefix is where the images are that we serve, below the public URL.
const MediaPrefix = "/media/"

const (
	imageTries  = 4                   // of an image that could not be had
	imageAgain  = 6 * time.Hour       // between two of them
	imageUnused = 90 * 24 * time.Hour // how long an image is kept that no article shows: mails that were sent still do
)

// StoredImage is an image that we serve.
type StoredImage struct {
	Hash string `db:"hash"`
	Ext  string `db:"ext"` // jpg or png
	Body []byte `db:"body"`
}

// Image returns the image of a file name such as 0123….jpg, or an error of kind errs.NotFound.
func (s *Store) Image(ctx context.Context, h database.Handle, file string) (found StoredImage, err error) {
	hash, ext, _ := strings.Cut(file, ".")
	if len(hash) == 32 {
		err = h.GetContext(ctx, &found, `SELECT hash, ext, body FROM articles.images WHERE hash = $1 AND ext = $2`, scrub(hash), scrub(ext))
	}
	if len(hash) != 32 || errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "there is no image %q", file)
	}
	return found, err
}

// mediaFile finds the images that we serve in what articles hold.
var mediaFile = regexp.MustCompile(`(?:^|src=")` + MediaPrefix + `([0-9a-f]{32})\.(?:jpg|png)(?:"|$)`)

// shown makes the addresses of the images that we serve absolute. In the store they begin at our root, for the public URL may change.
func (s *Store) shown(all []Article, err error) ([]Article, error) {
	if s.PublicURL == nil {
		return all, err
	}
	base := s.PublicURL()
	for i := range all {
		a := &all[i]
		if strings.HasPrefix(a.ImageURL, MediaPrefix) {
			a.ImageURL = base + a.ImageURL
		}
		a.HTML = strings.ReplaceAll(a.HTML, `src="`+MediaPrefix, `src="`+base+MediaPrefix)
	}
	return all, err
}

// foreignImages returns the addresses of the images of an article that are elsewhere, the first ones first.
func foreignImages(a *Article) (urls []string) {
	add := func(address string) {
		if strings.HasPrefix(address, "http") && !slices.Contains(urls, address) {
			urls = append(urls, address)
		}
	}
	add(a.ImageURL)
	if !strings.Contains(a.HTML, "<img") {
		return urls
	}
	root, err := parseFragment(a.HTML)
	if err != nil {
		return urls
	}
	for n := range root.Descendants() {
		if src, there := attr(n, "src"); there && n.Data == "img" {
			add(src)
		}
	}
	return urls
}

// withImages puts our own addresses in the place of those of images that we have.
func withImages(a *Article, paths map[string]string) {
	if path, there := paths[a.ImageURL]; there {
		a.ImageURL = path
	}
	for address, path := range paths {
		a.HTML = strings.ReplaceAll(a.HTML, `src="`+html.EscapeString(address)+`"`, `src="`+path+`"`)
	}
}

// localImages puts our own addresses into articles of a source whose images are stored.
func localImages(ctx context.Context, h database.Handle, source Source, rows ...[]row) error {
	if source.Settings.Images != ImagesStore {
		return nil
	}
	for _, some := range rows {
		for i := range some {
			paths, err := pathsOf(ctx, h, foreignImages(&some[i].Article))
			if err != nil {
				return err
			}
			withImages(&some[i].Article, paths)
		}
	}
	return nil
}

func pathsOf(ctx context.Context, h database.Handle, urls []string) (map[string]string, error) {
	paths := map[string]string{}
	if len(urls) == 0 {
		return paths, nil
	}
	var found []struct{ URL, File string }
	err := h.SelectContext(ctx, &found, `
		SELECT o.url, i.hash || '.' || i.ext AS file FROM articles.image_origins o JOIN articles.images i USING (hash) WHERE o.url = ANY ($1)`, pq.Array(urls))
	for _, f := range found {
		paths[f.URL] = MediaPrefix + f.File
	}
	return paths, err
}

// noteImages notes which images articles show, and those of which some are still to be fetched.
func noteImages(ctx context.Context, h database.Handle, source Source, ids []int64, now time.Time) error {
	if source.Settings.Images != ImagesStore {
		return nil
	}
	all, err := byIDs(ctx, h, columns, ids)
	if err != nil {
		return err
	}
	for i := range all {
		if err := useImages(ctx, h, &all[i], now); err != nil {
			return err
		}
		if len(foreignImages(&all[i])) == 0 {
			continue
		}
		if _, err := h.ExecContext(ctx, `
			INSERT INTO articles.image_tasks (article_id, next_at) VALUES ($1, $2) ON CONFLICT (article_id) DO UPDATE SET next_at = excluded.next_at`,
			all[i].ID, now); err != nil {
			return err
		}
	}
	return nil
}

// useImages notes which images an article shows, and since when those are unused that it showed last.
func useImages(ctx context.Context, h database.Handle, a *Article, now time.Time) error {
	hashes := pq.StringArray{}
	for _, text := range []string{a.ImageURL, a.HTML} {
		for _, found := range mediaFile.FindAllStringSubmatch(text, -1) {
			hashes = append(hashes, found[1])
		}
	}
	if _, err := h.ExecContext(ctx, `
		INSERT INTO articles.image_uses (article_id, hash) SELECT DISTINCT $1::bigint, hash FROM articles.images WHERE hash = ANY ($2)
		ON CONFLICT DO NOTHING`, a.ID, hashes); err != nil {
		return err
	}
	var gone pq.StringArray
	if err := h.SelectContext(ctx, &gone, `
		DELETE FROM articles.image_uses WHERE article_id = $1 AND hash <> ALL ($2) RETURNING hash`, a.ID, hashes); err != nil {
		return err
	}
	_, err := h.ExecContext(ctx, `
		UPDATE articles.images i SET unused_since = CASE WHEN NOT EXISTS (SELECT FROM articles.image_uses u WHERE u.hash = i.hash) THEN coalesce(unused_since, $2) END
		WHERE hash = ANY ($1)`, append(hashes, gone...), now)
	return err
}

// ImageTask is an article with the images of it that are to be fetched.
type ImageTask struct {
	ArticleID int64
	Slug      string
	Title     string
	URLs      []string
}

// ImageTasks returns articles of a source whose images are to be fetched by now, those that wait longest first, at most limit.
func (s *Store) ImageTasks(ctx context.Context, h database.Handle, source Source, limit int, now time.Time) (tasks []ImageTask, err error) {
	found, err := query(ctx, h, `
		SELECT `+columns+` FROM articles.articles a JOIN articles.image_tasks t ON t.article_id = a.id
		WHERE a.source_id = $1 AND t.next_at <= $2 ORDER BY t.next_at, a.id LIMIT $3`, source.ID, now, limit)
	for i := range found {
		a := &found[i]
		tasks = append(tasks, ImageTask{ArticleID: a.ID, Slug: a.Slug, Title: a.Title, URLs: foreignImages(a)})
	}
	return tasks, err
}

// ToFetch returns those of some images that are neither here nor were asked for in vain too often or just now.
func (s *Store) ToFetch(ctx context.Context, h database.Handle, urls []string, now time.Time) (fetch []string, err error) {
	var known pq.StringArray
	err = h.SelectContext(ctx, &known, `
		SELECT url FROM articles.image_origins WHERE url = ANY ($1) AND (hash IS NOT NULL OR tries >= $2 OR fetched_at > $3)`,
		pq.Array(urls), imageTries, now.Add(-imageAgain))
	return slices.DeleteFunc(slices.Clone(urls), func(url string) bool { return slices.Contains(known, url) }), err
}

// KeepImage stores an image that came from an address.
func (s *Store) KeepImage(ctx context.Context, h database.Handle, url string, image media.Image, now time.Time) error {
	sum := sha256.Sum256(image.Body)
	_, err := h.ExecContext(ctx, `
		WITH image AS (
			INSERT INTO articles.images (hash, ext, body, width, height, stored_at, unused_since) VALUES ($2, $3, $4, $5, $6, $7, $7)
			ON CONFLICT (hash) DO UPDATE SET unused_since = CASE WHEN images.unused_since IS NOT NULL THEN excluded.unused_since END
			RETURNING hash
		)
		INSERT INTO articles.image_origins (url, hash, tries, fetched_at) SELECT $1, hash, 1, $7 FROM image
		ON CONFLICT (url) DO UPDATE SET hash = excluded.hash, failure = '', fetched_at = excluded.fetched_at`,
		scrub(url), hex.EncodeToString(sum[:16]), image.Ext, image.Body, image.Width, image.Height, date(now))
	return err
}

// MissImage notes why an image could not be had. One that is none is not asked for again.
func (s *Store) MissImage(ctx context.Context, h database.Handle, url string, why error, now time.Time) error {
	tries := 1
	if kind := errs.KindOf(why); kind == errs.Invalid || kind == errs.NotFound {
		tries = imageTries
	}
	_, err := h.ExecContext(ctx, `
		INSERT INTO articles.image_origins (url, failure, tries, fetched_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (url) DO UPDATE SET failure = excluded.failure, tries = image_origins.tries + excluded.tries, fetched_at = excluded.fetched_at`,
		scrub(url), scrub(why.Error()), tries, date(now))
	return err
}

// PlaceImages puts the images of an article that are here now in the place of those elsewhere. It looks like an edit to nobody: updated_at
// stays. What could not be had yet is tried again later, until it was tried often enough. h should be a transaction.
func (s *Store) PlaceImages(ctx context.Context, h database.Handle, id int64, now time.Time) error {
	if err := lock(ctx, h); err != nil {
		return err
	}
	all, err := byIDs(ctx, h, columns, []int64{id})
	if err != nil || len(all) == 0 {
		return err
	}
	a, urls := &all[0], foreignImages(&all[0])
	paths, err := pathsOf(ctx, h, urls)
	if err != nil {
		return err
	}
	if len(paths) > 0 {
		withImages(a, paths)
		was, err := before(ctx, h, []int64{id})
		if err != nil {
			return err
		}
		if _, err := h.ExecContext(ctx, `UPDATE articles.articles SET html = $2, text = $3, image_url = $4 WHERE id = $1`, id, a.HTML, Text(a.HTML), a.ImageURL); err != nil {
			return err
		}
		if err := useImages(ctx, h, a, date(now)); err != nil {
			return err
		}
		if err := s.tell(ctx, h, was, []int64{id}, now); err != nil {
			return err
		}
	}
	if len(foreignImages(a)) > 0 {
		var hope bool
		if err := h.GetContext(ctx, &hope, `
			SELECT EXISTS (SELECT FROM unnest($1::text[]) u WHERE NOT EXISTS (SELECT FROM articles.image_origins o WHERE o.url = u AND o.tries >= $2))`,
			pq.Array(foreignImages(a)), imageTries); err != nil {
			return err
		}
		if hope {
			_, err = h.ExecContext(ctx, `UPDATE articles.image_tasks SET next_at = $2 WHERE article_id = $1`, id, date(now).Add(imageAgain))
			return err
		}
	}
	_, err = h.ExecContext(ctx, `DELETE FROM articles.image_tasks WHERE article_id = $1`, id)
	return err
}

// RemoveUnusedImages removes the images that no article has shown for 90 days, and returns how many those were.
func (s *Store) RemoveUnusedImages(ctx context.Context, h database.Handle, now time.Time) (int64, error) {
	done, err := h.ExecContext(ctx, `DELETE FROM articles.images WHERE unused_since < $1`, now.Add(-imageUnused))
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
