package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/templates"
)

// themeTable is a theme whose own templates may stand in files of their own, which are named from where the declaring file is.
type themeTable struct {
	templates.Theme
	HTMLFile string `toml:"html_file"`
	TextFile string `toml:"text_file"`
}

// themesIn applies themes that a file in a folder declares.
type themesIn string

func (dir themesIn) apply(a *App) func(context.Context, database.Handle, table) (string, error) {
	return func(ctx context.Context, h database.Handle, t table) (string, error) {
		there, err := compose.ThemeBySlug(ctx, h, t.slug())
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return "", err
		}
		want := themeTable{Theme: there}
		anew(t, "logo", &want.Logo)
		anew(t, "colours", &want.Colours)
		anew(t, "dark", &want.Dark)
		anew(t, "footer", &want.Footer)
		if err := t.over(&want); err != nil {
			return "", err
		}
		for key, part := range map[string]struct{ file, into *string }{
			"html": {&want.HTMLFile, &want.HTML}, "text": {&want.TextFile, &want.Text},
		} {
			if err := dir.read(t, key, *part.file, part.into); err != nil {
				return "", errs.New(errs.Invalid, "theme %q, %w", want.Slug, err)
			}
		}
		theme, err := a.checkTheme(want.Theme)
		if err != nil {
			return "", err
		}
		change, err := compose.DeclareTheme(ctx, h, theme)
		return string(change), err
	}
}

// longestTemplate is more than CheckTheme takes.
const longestTemplate = 1 << 20

// read reads a template from a file, if there is one.
func (dir themesIn) read(t table, key, file string, into *string) error {
	if file == "" {
		return nil
	}
	if _, both := t[key]; both {
		return errs.New(errs.Invalid, "%s and %s_file: give one of them", key, key)
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(string(dir), file)
	}
	opened, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.Invalid, "%s_file: there is no file %s", key, path)
	}
	if err != nil {
		return errs.New(errs.Invalid, "%s_file: %w", key, err)
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, longestTemplate))
	*into = string(content)
	return err
}

// dresser renders digests and logs when a theme's own template could not be used.
type dresser struct {
	*templates.Set
	log *slog.Logger
}

func (d dresser) Digest(digest templates.Digest) (templates.Mail, error) {
	mail, err := d.Set.Digest(digest)
	if mail.Warning != "" {
		d.log.Warn("the usual template takes the place of a theme's own",
			slog.String("theme", digest.Theme.Slug), slog.String("language", digest.Language), slog.String("why", mail.Warning))
	}
	return mail, err
}
