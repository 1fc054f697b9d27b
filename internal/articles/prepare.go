package articles

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// row is a draft made ready to be written: clean, complete but for what is fixed at first sight.
type row struct {
	Article
	draft Draft
	hash  []byte
}

// prepare cleans a draft. One without key or title is refused, and so is one that has neither text nor a page of its own.
func prepare(source Source, d Draft) (row, error) {
	d.ExternalKey = strings.TrimSpace(scrub(d.ExternalKey))
	title := oneLine(d.Title)
	switch {
	case d.ExternalKey == "":
		return row{}, errs.New(errs.Invalid, "article %q has no key by which its source knows it", title)
	case title == "":
		return row{}, errs.New(errs.Invalid, "article %q has no title", d.ExternalKey)
	}
	hash, err := contentHash(d)
	if err != nil {
		return row{}, errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
	}
	r := row{draft: d, hash: hash, Article: Article{
		SourceID:    source.ID,
		URL:         webAddress(d.URL, ""),
		Title:       title,
		Section:     first(oneLine(d.Section), source.Section),
		Tags:        lines(d.Tags),
		Authors:     lines(d.Authors),
		ImageURL:    webAddress(d.ImageURL, d.URL),
		ImageAlt:    oneLine(d.ImageAlt),
		PublishedAt: date(d.Published),
		UpdatedAt:   date(d.Updated),
	}}
	words := r.fill(d)
	if r.HTML == "" && r.URL == "" {
		return row{}, errs.New(errs.Invalid, "article %q has no text", d.ExternalKey)
	}
	r.Language, err = chooseLanguage(d.Language, source.Language, title+"\n\n"+words)
	if err != nil {
		return row{}, errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
	}
	r.LanguageKey = language.Key(r.Language)
	r.draft.TranslationKey = oneLine(d.TranslationKey)
	r.draft.GUID = strings.TrimSpace(scrub(d.GUID))
	r.draft.Title, r.draft.Language = r.Title, r.Language
	return r, nil
}

// fill sets HTML, Text and Summary and returns the text without link addresses.
func (r *row) fill(d Draft) string {
	if strings.TrimSpace(d.HTML) != "" {
		r.HTML = Clean(d.HTML, d.URL)
	} else {
		r.HTML = paragraphsHTML(d.Text)
	}
	r.Text = Text(r.HTML)
	words := plain(r.HTML, false)
	r.Summary = shorten(oneLine(d.Summary), givenLimit)
	if r.Summary == "" {
		r.Summary = Summary(words)
	}
	return words
}

func chooseLanguage(draft, source, text string) (string, error) {
	if tag := first(strings.TrimSpace(draft), source); tag != "" {
		return language.Parse(tag)
	}
	return DetectLanguage(text), nil
}

// webAddress returns the absolute http or https address of a reference on a page, "" when it has none.
func webAddress(ref, base string) string {
	page, err := url.Parse(strings.TrimSpace(scrub(base)))
	if err != nil || !webScheme(page.Scheme) {
		page = nil
	}
	address := resolve(scrub(ref), page)
	if u, err := url.Parse(address); err != nil || !webScheme(u.Scheme) {
		return ""
	}
	return address
}

// date returns a time as it is kept: in UTC and whole seconds, which is what every kind of feed can say. A year that no feed
// can say counts as none.
func date(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < 1000 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

func lines(all []string) pq.StringArray {
	lines := pq.StringArray{}
	for _, s := range all {
		if s = oneLine(s); s != "" && !slices.Contains(lines, s) {
			lines = append(lines, s)
		}
	}
	return lines
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Check returns the error with which Save would refuse a draft, nil when it would take it.
func (d Draft) Check() error {
	_, err := prepare(Source{}, d)
	return err
}
