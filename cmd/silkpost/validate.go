package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"silkpost/feeds"
	"silkpost/feeds/validate"
	"silkpost/internal/app"
	"silkpost/internal/errs"
)

type feedValidateCmd struct {
	Slugs  []string   `arg:"" optional:"" name:"slug" help:"Slugs of the feeds."`
	All    bool       `help:"Every feed that is listed."`
	Format feedFormat `help:"rss, atom or json alone; of a file, what it should be." placeholder:"FORMAT"`
	File   string     `help:"Check a document from a file instead; - is standard input." placeholder:"PATH"`
}

// Validate wants it to be clear what is meant.
func (c *feedValidateCmd) Validate() error {
	meant := 0
	for _, given := range []bool{len(c.Slugs) > 0, c.All, c.File != ""} {
		if given {
			meant++
		}
	}
	if meant != 1 {
		return errors.New("say what to check: slugs of feeds, or --all, or --file PATH")
	}
	return nil
}

func (c *feedValidateCmd) Run(e *env) error {
	found := &findings{out: e.stdout}
	if c.File != "" {
		if err := c.checkFile(found); err != nil {
			return err
		}
		return found.conclude()
	}
	var formats []feeds.Format
	if c.Format != "" {
		formats = []feeds.Format{feeds.Format(c.Format)}
	}
	return e.open(func(ctx context.Context, a *app.App) error {
		if err := a.ValidateFeeds(ctx, c.Slugs, formats, found.add); err != nil {
			return err
		}
		return found.conclude()
	})
}

// largestDocument is more than the checker reads of a document: what is larger need not be held to be told so.
const largestDocument = 65 << 20

func (c *feedValidateCmd) checkFile(found *findings) error {
	in := os.Stdin
	if c.File != "-" {
		file, err := openFile(c.File)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, largestDocument))
	if err != nil {
		return errs.New(errs.Invalid, "%s: %w", c.File, err)
	}
	format := string(c.Format)
	if format == "" {
		var known bool
		if format, known = validate.Detect(body); !known {
			return errs.New(errs.Invalid, "%s: this is neither RSS, Atom nor JSON Feed; say with --format what it should be", c.File)
		}
	}
	checked, err := validate.Check(format, body)
	if err != nil {
		return err
	}
	return found.add(app.CheckedDocument{Name: c.File, Findings: checked})
}

// findings prints what is found and counts it.
type findings struct {
	out                         io.Writer
	documents, errors, warnings int
}

// add prints what was found in a document, a line for each.
func (f *findings) add(doc app.CheckedDocument) error {
	f.documents++
	for _, found := range doc.Findings {
		if found.Severity == validate.Error {
			f.errors++
		} else {
			f.warnings++
		}
		if _, err := fmt.Fprintf(f.out, "%s:%d: %s: %s: %s (%s)\n", doc.Name, found.Line, found.Severity, found.Where, found.What, found.Rule); err != nil {
			return err
		}
	}
	return nil
}

// conclude prints how much was found; errors are a failure.
func (f *findings) conclude() error {
	_, err := fmt.Fprintf(f.out, "%s checked: %s, %s.\n", counted(f.documents, "document"), counted(f.errors, "error"), counted(f.warnings, "warning"))
	if f.errors > 0 {
		return errs.New(errs.Invalid, "%s, as listed above", counted(f.errors, "error"))
	}
	return err
}
