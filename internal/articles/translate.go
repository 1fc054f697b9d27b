package articles

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Translation is what an editor types of an article in another language.
type Translation struct {
	Language string
	Title    string
	Summary  string
}

// Translate puts an editor's translation into the translation group of the article that ref means (its slug, its GUID or its address). It leads
// to the same page, and has the section, the tags and the date of the article. Typed again it is changed. One that the source gives in that
// language takes its place, now and later: while there is one, an editor's is errs.Conflict. h should be a transaction.
func (s *Store) Translate(ctx context.Context, h database.Handle, ref string, t Translation, now time.Time) (_ Article, _ database.Change, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	original, err := s.byReference(ctx, h, ref)
	if err != nil {
		return original, "", err
	}
	tag, err := language.Parse(t.Language)
	if err != nil {
		return original, "", err
	}
	if label(t.Title) == "" || label(t.Summary) == "" {
		return original, "", errs.New(errs.Invalid, "a translation has a title and a summary")
	}
	if err := mayTranslate(ctx, h, original, tag); err != nil {
		return original, "", err
	}
	return s.writeTranslation(ctx, h, original, Draft{
		ExternalKey: fmt.Sprintf("urn:silkpost:translation:%d:%s", original.GroupID, language.Key(tag)),
		URL:         original.URL, Title: t.Title, Summary: t.Summary, Text: t.Summary, Language: tag, Section: original.Section,
		Tags: original.Tags, Authors: original.Authors, ImageURL: original.ImageURL, ImageAlt: original.ImageAlt, Published: original.PublishedAt,
	}, now)
}

// mayTranslate refuses a translation that nobody would see.
func mayTranslate(ctx context.Context, h database.Handle, original Article, tag string) error {
	if original.WithdrawnAt != nil {
		return errs.New(errs.Conflict, "it is withdrawn: restore it first")
	}
	there, err := query(ctx, h, `
		SELECT `+columns+` FROM articles.articles a
		WHERE a.group_id = $1 AND a.language_key = $2 AND a.withdrawn_at IS NULL AND NOT a.by_editor LIMIT 1`, original.GroupID, language.Key(tag))
	if err == nil && len(there) > 0 {
		err = errs.New(errs.Conflict, "its source has it in %s: %s", there[0].Language, there[0].Slug)
	}
	return err
}

func (s *Store) writeTranslation(ctx context.Context, h database.Handle, original Article, d Draft, now time.Time) (_ Article, done database.Change, err error) {
	var source Source
	if err := h.GetContext(ctx, &source, `SELECT id, slug FROM articles.sources WHERE id = $1`, original.SourceID); err != nil {
		return original, "", err
	}
	hash, err := contentHash(d)
	if err != nil {
		return original, "", errs.New(errs.Invalid, "%w", err)
	}
	all, err := knownArticles(ctx, h, source.ID, []Draft{d})
	if err != nil {
		return original, "", err
	}
	old, isOld := all[d.ExternalKey]
	r, err := prepare(source, d, hash, old, date(now))
	if err != nil {
		return original, "", err
	}
	id, was := old.ID, []Touched(nil)
	if isOld {
		was, err = before(ctx, h, []int64{id})
		done = database.Changed
		if err == nil {
			err = change(ctx, h, r)
		}
	} else {
		done = database.Added
		id, err = add(ctx, h, source, r, original.Archive)
	}
	if err != nil {
		return original, "", err
	}
	if _, err := h.ExecContext(ctx, `UPDATE articles.articles SET group_id = $2, by_editor = true, withdrawn_at = NULL WHERE id = $1`,
		id, original.GroupID); err != nil {
		return original, "", err
	}
	if err := s.tell(ctx, h, was, []int64{id}, now); err != nil {
		return original, "", err
	}
	made, err := s.ByIDs(ctx, h, []int64{id})
	if err != nil || len(made) == 0 {
		return original, "", err
	}
	return made[0], done, nil
}

// replaced withdraws the editors' translations whose place articles with the given ids take, and returns them with what they were.
func replaced(ctx context.Context, h database.Handle, ids []int64, now time.Time) (gone []int64, was []Touched, err error) {
	if err := h.SelectContext(ctx, &gone, `
		SELECT DISTINCT e.id FROM articles.articles e
		JOIN articles.articles s ON s.group_id = e.group_id AND s.language_key = e.language_key
		WHERE s.id = ANY ($1) AND NOT s.by_editor AND s.withdrawn_at IS NULL AND e.by_editor AND e.withdrawn_at IS NULL`,
		pq.Array(ids)); err != nil || len(gone) == 0 {
		return nil, nil, err
	}
	if was, err = before(ctx, h, gone); err != nil {
		return nil, nil, err
	}
	_, err = h.ExecContext(ctx, `UPDATE articles.articles SET withdrawn_at = $2 WHERE id = ANY ($1)`, pq.Array(gone), date(now))
	return gone, was, err
}

// followers returns the editors' translations that go with an article that is withdrawn, since nothing else is left of its group, or that come
// back with it.
func followers(ctx context.Context, h database.Handle, a Article, withdraw bool) (ids []int64, err error) {
	condition := `e.withdrawn_at = $3`
	if withdraw {
		condition = `e.withdrawn_at IS NULL AND $3::timestamptz IS NULL AND NOT EXISTS (
			SELECT FROM articles.articles s WHERE s.group_id = $2 AND s.id <> $1 AND NOT s.by_editor AND s.withdrawn_at IS NULL)`
	}
	err = h.SelectContext(ctx, &ids, strings.TrimSpace(`
		SELECT e.id FROM articles.articles e WHERE e.group_id = $2 AND e.by_editor AND e.id <> $1 AND `+condition+` ORDER BY e.id`),
		a.ID, a.GroupID, a.WithdrawnAt)
	return ids, err
}
