package compose

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates"
)

// ThemeBySlug returns the theme of that slug. There being none is errs.NotFound, and the text names those there are.
func ThemeBySlug(ctx context.Context, h database.Handle, slug string) (theme templates.Theme, err error) {
	var definition []byte
	err = h.GetContext(ctx, &definition, `SELECT definition FROM mailer.themes WHERE slug = $1`, slug)
	if errors.Is(err, sql.ErrNoRows) {
		return theme, noTheme(ctx, h, slug)
	}
	defer errs.Wrap(&err, "read the theme %q", slug)
	if err != nil {
		return theme, err
	}
	return theme, json.Unmarshal(definition, &theme)
}

// Themes returns all themes by slug.
func Themes(ctx context.Context, h database.Handle) (all []templates.Theme, err error) {
	defer errs.Wrap(&err, "read the themes")
	var definitions [][]byte
	if err := h.SelectContext(ctx, &definitions, `SELECT definition FROM mailer.themes ORDER BY slug`); err != nil {
		return nil, err
	}
	all = make([]templates.Theme, len(definitions))
	for i, definition := range definitions {
		if err := json.Unmarshal(definition, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func noTheme(ctx context.Context, h database.Handle, slug string) error {
	var slugs []string
	if err := h.SelectContext(ctx, &slugs, `SELECT slug FROM mailer.themes ORDER BY slug`); err != nil {
		return err
	}
	if len(slugs) == 0 {
		return errs.New(errs.NotFound, "no theme %q: declare it in a table [[theme]]", slug)
	}
	return errs.New(errs.NotFound, "no theme %q; the themes are: %s", slug, strings.Join(slugs, ", "))
}

// DeclareTheme makes the theme of a slug be as it is given, which has to be canonical and checked (templates.Theme.Canonical, templates.Set.CheckTheme).
// Digests that are rendered already stay as they are.
func DeclareTheme(ctx context.Context, h database.Handle, theme templates.Theme) (_ database.Change, err error) {
	defer errs.Wrap(&err, "theme %q", theme.Slug)
	definition, err := json.Marshal(theme)
	if err != nil {
		return "", err
	}
	var added bool
	err = h.GetContext(ctx, &added, `
		INSERT INTO mailer.themes AS t (slug, definition) VALUES ($1, $2)
		ON CONFLICT (slug) DO UPDATE SET definition = excluded.definition WHERE t.definition IS DISTINCT FROM excluded.definition
		RETURNING xmax = 0`, theme.Slug, string(definition))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return database.Unchanged, nil
	case err != nil:
		return "", err
	case added:
		return database.Added, nil
	}
	return database.Changed, nil
}

// RemoveTheme takes the theme of a slug away; errs.NotFound when there is none.
func RemoveTheme(ctx context.Context, h database.Handle, slug string) error {
	var gone []string
	err := h.SelectContext(ctx, &gone, `DELETE FROM mailer.themes WHERE slug = $1 RETURNING slug`, slug)
	if err == nil && len(gone) == 0 {
		return noTheme(ctx, h, slug)
	}
	errs.Wrap(&err, "remove the theme %q", slug)
	return err
}

// Dress gives a letter the theme of its list. A theme that a list was given before there were themes, and that nobody has declared since, is
// the usual one: mail is not held up by how it looks.
func (c *Composer) Dress(ctx context.Context, h database.Handle, list subscribers.List, l *Letter) (err error) {
	if list.Theme == "" {
		return nil
	}
	l.Digest.Theme, err = ThemeBySlug(ctx, h, list.Theme)
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	return err
}
