package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
	"silkpost/templates"
)

// ThemeStatus is a theme with the lists that wear it.
type ThemeStatus struct {
	templates.Theme
	Lists []string // slugs
}

// ThemeStatuses returns all themes by slug.
func (a *App) ThemeStatuses(ctx context.Context) (all []ThemeStatus, err error) {
	themes, err := compose.Themes(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	wear, err := wornBy(ctx, a.DB)
	for i := range themes {
		all = append(all, ThemeStatus{themes[i], wear[themes[i].Slug]})
	}
	return all, err
}

// ThemeStatus returns one theme, or errs.NotFound.
func (a *App) ThemeStatus(ctx context.Context, slug string) (s ThemeStatus, err error) {
	if s.Theme, err = compose.ThemeBySlug(ctx, a.DB, slug); err != nil {
		return s, err
	}
	wear, err := wornBy(ctx, a.DB)
	s.Lists = wear[slug]
	return s, err
}

// wornBy returns the slugs of lists by the theme that they wear.
func wornBy(ctx context.Context, h database.Handle) (map[string][]string, error) {
	lists, err := subscribers.Lists(ctx, h)
	wear := map[string][]string{}
	for i := range lists {
		wear[lists[i].Theme] = append(wear[lists[i].Theme], lists[i].Slug)
	}
	return wear, err
}

// checkTheme returns a theme in its usual form, or all that is wrong with it: a templates.ThemeMistake for each.
func (a *App) checkTheme(theme templates.Theme) (templates.Theme, error) {
	canonical, err := theme.Canonical()
	looked := canonical
	if err != nil { // its templates are looked at with the usual colours
		looked = templates.Theme{Slug: theme.Slug, HTML: theme.HTML, Text: theme.Text}
	}
	mistakes := slices.Concat(errs.All[*templates.ThemeMistake](err), errs.All[*templates.ThemeMistake](a.Templates.CheckTheme(looked)))
	if len(mistakes) == 0 {
		return canonical, err
	}
	lines := make([]error, len(mistakes))
	for i, m := range mistakes {
		lines[i] = m
	}
	return canonical, errs.New(errs.Invalid, "%w", errors.Join(lines...))
}

// SaveTheme makes a theme be as it is given, as a declaration would. With anew, one of that slug that is there already is errs.Conflict; without, one
// that is not there is errs.NotFound. What is wrong is a templates.ThemeMistake for each key.
func (a *App) SaveTheme(ctx context.Context, theme templates.Theme, anew bool) error {
	canonical, err := a.checkTheme(theme)
	if err != nil {
		return err
	}
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		switch _, err := compose.ThemeBySlug(ctx, tx, canonical.Slug); {
		case err == nil && anew:
			return errs.New(errs.Conflict, "%w", &templates.ThemeMistake{Theme: canonical.Slug, Key: "slug", Says: "there is a theme of that name already: choose another"})
		case err != nil && (!anew || errs.KindOf(err) != errs.NotFound):
			return err
		}
		_, err := compose.DeclareTheme(ctx, tx, canonical)
		return err
	})
}

// RemoveTheme takes a theme away; errs.Conflict while a list wears it. Digests that are rendered already stay as they are.
func (a *App) RemoveTheme(ctx context.Context, slug string) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		wear, err := wornBy(ctx, tx)
		if err != nil {
			return err
		}
		if lists := wear[slug]; len(lists) > 0 {
			return errs.New(errs.Conflict, "theme %q is worn by %s: give them another one first", slug, strings.Join(lists, ", "))
		}
		return compose.RemoveTheme(ctx, tx, slug)
	})
}

// PreviewTheme renders a digest that wears a theme, in a language: of a list's newest articles, or of an example when list is "". What is wrong with the
// theme is a templates.ThemeMistake for each key; its slug does not matter.
func (a *App) PreviewTheme(ctx context.Context, theme templates.Theme, list, tag string) (mail templates.Mail, err error) {
	theme.Slug = "preview"
	canonical, err := a.checkTheme(theme)
	if err != nil {
		return mail, err
	}
	if tag = a.Templates.Language([]string{tag}, ""); list == "" {
		return a.Templates.Digest(a.Templates.Example(tag, canonical, a.Clock.Now()))
	}
	of, err := subscribers.ListBySlug(ctx, a.DB, list)
	if err != nil {
		return mail, err
	}
	letter, err := a.testLetter(ctx, of, tag)
	if err != nil {
		return mail, err
	}
	d := letter.Digest
	d.Theme, d.Language, d.Address = canonical, tag, "reader@example.org"
	d.ViewURL, d.PreferencesURL, d.UnsubscribeURL = a.PublicURL()+"/view/preview", a.PublicURL()+"/preferences/preview", a.PublicURL()+"/unsubscribe/preview"
	return a.Templates.Digest(d)
}
