package articles

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Edit is what an editor writes over an article: nil leaves a part as the source gives it.
type Edit struct {
	Title    *string
	Summary  *string
	HTML     *string // foreign and dirty
	Text     *string // instead of HTML: paragraphs parted by blank lines
	Section  *string
	Tags     *[]string
	Authors  *[]string
	ImageURL *string
	ImageAlt *string
	Language *string
}

// Edited is an edit that stands, with how its source goes on.
type Edited struct {
	Parts           []string   `json:"parts"`
	At              time.Time  `json:"at"`
	By              string     `json:"by"`
	SourceChangedAt *time.Time `json:"source_changed_at"` // when the source last gave one of these parts otherwise; nil: it did not
	Given           Article    `json:"-"`                 // what the source gives of these parts
}

// written is an edit as it is kept: by name of the part, what the editor wrote and what the source gives.
type written struct {
	ArticleID       int64      `db:"article_id"`
	Fields          []byte     `db:"fields"`
	Given           []byte     `db:"given"`
	EditedAt        time.Time  `db:"edited_at"`
	EditedBy        string     `db:"edited_by"`
	SourceChangedAt *time.Time `db:"source_changed_at"`
}

func (w *written) parts() (fields, given map[string]string, err error) {
	if err = json.Unmarshal(w.Fields, &fields); err == nil {
		err = json.Unmarshal(w.Given, &given)
	}
	return fields, given, err
}

func editsOf(ctx context.Context, h database.Handle, ids []int64) (map[int64]written, error) {
	var found []written
	err := h.SelectContext(ctx, &found, `
		SELECT article_id, fields, given, edited_at, edited_by, source_changed_at FROM articles.edits WHERE article_id = ANY ($1)`, pq.Array(ids))
	byID := make(map[int64]written, len(found))
	for _, w := range found {
		byID[w.ArticleID] = w
	}
	return byID, err
}

// over writes the edit over what the source gives now, and notes when that is not what it gave.
func (w *written) over(ctx context.Context, h database.Handle, a *Article, now time.Time) error {
	edited, given, err := w.parts()
	if err != nil {
		return err
	}
	moved := false
	for _, f := range fields {
		value, there := edited[f.name]
		if !there {
			continue
		}
		if source := f.get(a); source != given[f.name] {
			given[f.name], moved = source, true
		}
		f.set(a, value)
	}
	a.LanguageKey = language.Key(a.Language)
	if !moved {
		return nil
	}
	text, err := json.Marshal(given)
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `UPDATE articles.edits SET given = $2, source_changed_at = $3 WHERE article_id = $1`, a.ID, text, now)
	return err
}

// Edit writes over parts of the article that ref means. They stay so whatever the source gives later, until TakeBack; other parts follow the
// source. by is who does it. h should be a transaction. Nothing new is Unchanged.
func (s *Store) Edit(ctx context.Context, h database.Handle, ref, by string, e Edit, now time.Time) (a Article, _ database.Change, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	if a, err = s.byReference(ctx, h, ref); err != nil {
		return a, "", err
	}
	if a.ByEditor {
		return a, "", errs.New(errs.Invalid, "an editor typed it: type it again with silkpost article translate")
	}
	wanted, err := e.values(&a)
	if err != nil {
		return a, "", err
	}
	all, err := editsOf(ctx, h, []int64{a.ID})
	if err != nil {
		return a, "", err
	}
	edited, given := map[string]string{}, map[string]string{}
	if w, there := all[a.ID]; there {
		if edited, given, err = w.parts(); err != nil {
			return a, "", err
		}
	}
	next := a
	for _, f := range fields {
		value, there := wanted[f.name]
		if !there {
			continue
		}
		if _, before := edited[f.name]; !before {
			given[f.name] = f.get(&a)
		}
		edited[f.name] = value
		f.set(&next, value)
	}
	if len(differences(fields, &a, &next)) == 0 {
		return a, database.Unchanged, nil
	}
	if err := keepEdit(ctx, h, a.ID, edited, given, by, now); err != nil {
		return a, "", err
	}
	a, err = s.rewrite(ctx, h, &a, next, by, now)
	return a, database.Changed, err
}

// values returns what an edit writes, clean, by the names of the parts.
func (e Edit) values(a *Article) (map[string]string, error) {
	values := map[string]string{}
	set := func(name string, value *string, clean func(string) string) {
		if value != nil {
			values[name] = clean(*value)
		}
	}
	set("title", e.Title, func(v string) string { return shortTitle(label(v)) })
	set("summary", e.Summary, func(v string) string { return shorten(label(v), givenLimit) })
	set("html", e.HTML, func(v string) string { return Clean(v, a.URL) })
	set("html", e.Text, paragraphsHTML)
	set("section", e.Section, label)
	set("image", e.ImageURL, func(v string) string { return WebAddress(v, a.URL) })
	set("image_alt", e.ImageAlt, label)
	if e.Tags != nil {
		values["tags"] = strings.Join(atMost(maxTags, lines(*e.Tags)), "\n")
	}
	if e.Authors != nil {
		values["authors"] = strings.Join(lines(*e.Authors), "\n")
	}
	if e.Language != nil {
		tag, err := language.Parse(*e.Language)
		if err != nil {
			return nil, err
		}
		values["language"] = tag
	}
	switch {
	case len(values) == 0:
		return nil, errs.New(errs.Invalid, "say what to change, such as --title or --file")
	case e.Title != nil && values["title"] == "":
		return nil, errs.New(errs.Invalid, "a title cannot be empty")
	case e.ImageURL != nil && *e.ImageURL != "" && values["image"] == "":
		return nil, errs.New(errs.Invalid, "image %q is not a web address with http:// or https://", *e.ImageURL)
	}
	return values, nil
}

func keepEdit(ctx context.Context, h database.Handle, id int64, edited, given map[string]string, by string, now time.Time) error {
	fields, err := json.Marshal(edited)
	if err != nil {
		return err
	}
	source, err := json.Marshal(given)
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `
		INSERT INTO articles.edits (article_id, fields, given, edited_at, edited_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (article_id) DO UPDATE SET fields = excluded.fields, given = excluded.given, edited_at = excluded.edited_at,
			edited_by = excluded.edited_by, source_changed_at = NULL`, id, fields, source, date(now), by)
	return err
}

// TakeBack gives an article back to its source: what an editor wrote over it goes. by is who does it. h should be a transaction. One that nobody
// edited is Unchanged.
func (s *Store) TakeBack(ctx context.Context, h database.Handle, ref, by string, now time.Time) (a Article, _ database.Change, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	if a, err = s.byReference(ctx, h, ref); err != nil {
		return a, "", err
	}
	var given []byte
	err = h.GetContext(ctx, &given, `DELETE FROM articles.edits WHERE article_id = $1 RETURNING given`, a.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return a, database.Unchanged, nil
	}
	if err != nil {
		return a, "", err
	}
	var source map[string]string
	if err := json.Unmarshal(given, &source); err != nil {
		return a, "", err
	}
	next := a
	for _, f := range fields {
		if value, there := source[f.name]; there {
			f.set(&next, value)
		}
	}
	a, err = s.rewrite(ctx, h, &a, next, by, now)
	return a, database.Changed, err
}

// Edited returns the edit that stands over an article; nil: none does.
func (s *Store) Edited(ctx context.Context, h database.Handle, id int64) (*Edited, error) {
	all, err := editsOf(ctx, h, []int64{id})
	w, there := all[id]
	if err != nil || !there {
		return nil, err
	}
	edited, given, err := w.parts()
	e := &Edited{At: w.EditedAt.UTC(), By: w.EditedBy, SourceChangedAt: inUTC(w.SourceChangedAt)}
	for _, f := range fields {
		if _, there := edited[f.name]; there {
			e.Parts = append(e.Parts, f.name)
			f.set(&e.Given, given[f.name])
		}
	}
	return e, err
}

// OutrunEdits returns the slugs of articles whose source gives something else since an editor wrote over it, latest first.
func (s *Store) OutrunEdits(ctx context.Context, h database.Handle) (slugs []string, err error) {
	slugs = []string{}
	err = h.SelectContext(ctx, &slugs, `
		SELECT a.slug FROM articles.edits e JOIN articles.articles a ON a.id = e.article_id
		WHERE e.source_changed_at IS NOT NULL AND a.withdrawn_at IS NULL ORDER BY e.source_changed_at DESC, a.id`)
	return slugs, err
}

// rewrite makes an article into what an editor wants it to be.
func (s *Store) rewrite(ctx context.Context, h database.Handle, old *Article, next Article, by string, now time.Time) (Article, error) {
	next.LanguageKey = language.Key(next.Language)
	was, err := before(ctx, h, []int64{old.ID})
	if err != nil {
		return *old, err
	}
	if err := supersede(ctx, h, old, by, date(now)); err != nil {
		return *old, err
	}
	next.UpdatedAt = date(now)
	if _, err := h.ExecContext(ctx, `
		UPDATE articles.articles SET title = $2, summary = $3, html = $4, text = $5, language = $6, language_key = $7, section = $8, tags = $9,
			authors = $10, image_url = $11, image_alt = $12, updated_at = $13
		WHERE id = $1`,
		next.ID, next.Title, next.Summary, next.HTML, next.Text, next.Language, next.LanguageKey, next.Section, next.Tags, next.Authors, next.ImageURL,
		next.ImageAlt, next.UpdatedAt); err != nil {
		return *old, err
	}
	return next, s.tell(ctx, h, was, []int64{next.ID}, now)
}

// Mark sets whether the article that ref means is urgent or pinned; nil leaves it as it is. h should be a transaction.
func (s *Store) Mark(ctx context.Context, h database.Handle, ref string, urgent, pinned *bool, now time.Time) (a Article, _ database.Change, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	if a, err = s.byReference(ctx, h, ref); err != nil {
		return a, "", err
	}
	was := a
	if urgent != nil {
		a.Urgent = *urgent
	}
	if pinned != nil {
		a.Pinned = *pinned
	}
	if a.Urgent == was.Urgent && a.Pinned == was.Pinned {
		return a, database.Unchanged, nil
	}
	if _, err := h.ExecContext(ctx, `UPDATE articles.articles SET urgent = $2, pinned = $3 WHERE id = $1`, a.ID, a.Urgent, a.Pinned); err != nil {
		return a, "", err
	}
	touched, err := before(ctx, h, []int64{a.ID})
	if err == nil {
		err = index(ctx, h, []int64{a.ID})
	}
	if err != nil || s.Changed == nil {
		return a, database.Changed, err
	}
	for i := range touched {
		touched[i].Change = 0
	}
	return a, database.Changed, s.Changed(ctx, h, touched, now)
}

// Link makes the translation groups of two articles one: b's articles, and those that come with its translation keys, move to the group of a.
// It is for who calls it to know that nobody was ever given b's group, for what was given is known by it. An article in the language of another
// in the other group is errs.Conflict. h should be a transaction; Unchanged when they are in one group already.
func (s *Store) Link(ctx context.Context, h database.Handle, a, b Article, now time.Time) (_ database.Change, err error) {
	defer errs.Wrap(&err, "articles %q and %q", a.Slug, b.Slug)
	if err := lock(ctx, h); err != nil {
		return "", err
	}
	if a.GroupID == b.GroupID {
		return database.Unchanged, nil
	}
	var there []string
	if err := h.SelectContext(ctx, &there, `
		SELECT x.language FROM articles.articles x JOIN articles.articles y USING (language_key)
		WHERE x.group_id = $1 AND y.group_id = $2 AND x.withdrawn_at IS NULL AND y.withdrawn_at IS NULL AND NOT x.by_editor AND NOT y.by_editor
		LIMIT 1`,
		a.GroupID, b.GroupID); err != nil {
		return "", err
	}
	if len(there) > 0 {
		return "", errs.New(errs.Conflict, "both are there in %s: they cannot be translations of one another", there[0])
	}
	var ids []int64
	if err := h.SelectContext(ctx, &ids, `SELECT id FROM articles.articles WHERE group_id = $1 ORDER BY id`, b.GroupID); err != nil {
		return "", err
	}
	was, err := before(ctx, h, ids)
	if err != nil {
		return "", err
	}
	for _, statement := range []string{
		`UPDATE articles.articles SET group_id = $1 WHERE group_id = $2`, `UPDATE articles.translation_keys SET group_id = $1 WHERE group_id = $2`,
	} {
		if _, err := h.ExecContext(ctx, statement, a.GroupID, b.GroupID); err != nil {
			return "", err
		}
	}
	gone, were, err := replaced(ctx, h, append(ids, a.ID), now)
	if err != nil {
		return "", err
	}
	return database.Changed, s.tell(ctx, h, append(was, were...), append(ids, gone...), now)
}

// Unlink takes an article out of its translation group: it is no translation of the others any more. It is for who calls it to know that nobody was
// ever given the group. Translations that editors typed stay with the others. h should be a transaction; Unchanged when it is alone.
func (s *Store) Unlink(ctx context.Context, h database.Handle, a Article, now time.Time) (_ Article, _ database.Change, err error) {
	defer errs.Wrap(&err, "article %q", a.Slug)
	if err := lock(ctx, h); err != nil {
		return a, "", err
	}
	if a.ByEditor {
		return a, "", errs.New(errs.Invalid, "it was typed as a translation: withdraw it to take it away")
	}
	var ids []int64
	if err := h.SelectContext(ctx, &ids, `SELECT id FROM articles.articles WHERE group_id = $1 ORDER BY id`, a.GroupID); err != nil {
		return a, "", err
	}
	if len(ids) < 2 {
		return a, database.Unchanged, nil
	}
	was, err := before(ctx, h, ids)
	if err != nil {
		return a, "", err
	}
	if err := h.GetContext(ctx, &a.GroupID, `UPDATE articles.articles SET group_id = nextval('articles.groups') WHERE id = $1 RETURNING group_id`, a.ID); err != nil {
		return a, "", err
	}
	return a, database.Changed, s.tell(ctx, h, was, ids, now)
}
