package articles

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// row is a draft made ready to be written: clean, complete but for what is fixed at first sight.
type row struct {
	Article        // ID is 0 when the article is new; GUID is the upstream's own, "" when it has none
	ExternalKey    string
	File           string // see Draft
	TranslationKey string
	hash           []byte

	draft Draft    // what it was made of
	old   known    // the article as it was; the zero value when it is new
	like  likeness // see identify
	join  int64    // the group of another source's article that it is; 0: none
	alias bool     // ExternalKey is not the article's own
}

// Check returns the error with which Save would refuse a draft as new, nil when it would take it. It looks for what must be there
// and cleans nothing.
func (d Draft) Check() error {
	title := label(d.Title)
	switch {
	case strings.TrimSpace(scrub(d.ExternalKey)) == "":
		return errs.New(errs.Invalid, "article %q has no key by which its source knows it", title)
	case title == "":
		return errs.New(errs.Invalid, "article %q has no title", d.ExternalKey)
	case WebAddress(d.URL, "") == "" && !d.shows():
		return errs.New(errs.Invalid, "article %q has no text", d.ExternalKey)
	}
	if tag := strings.TrimSpace(d.Language); tag != "" {
		if _, err := language.Parse(tag); err != nil {
			return errs.New(errs.Invalid, "article %q: %w", d.ExternalKey, err)
		}
	}
	return nil
}

// shows reports whether there is anything to see in a draft without a page of its own: words or a picture.
func (d Draft) shows() bool {
	if strings.TrimSpace(d.HTML) == "" {
		return strings.TrimSpace(scrub(d.Text)) != ""
	}
	root, err := parseFragment(scrub(d.HTML))
	if err != nil {
		return true // Clean knows what to do
	}
	prune(root, nil)
	for n := range root.Descendants() {
		src, _ := attr(n, "src")
		image := n.DataAtom == atom.Img && WebAddress(src, "") != ""
		if image || n.Type == html.TextNode && strings.TrimSpace(scrub(n.Data)) != "" {
			return true
		}
	}
	return false
}

// prepare cleans a draft that Check takes. old is the article as it was, or the zero value.
func prepare(source Source, d Draft, hash []byte, old known, now time.Time) (row, error) {
	if err := d.Check(); err != nil {
		return row{}, err
	}
	r := row{ExternalKey: d.ExternalKey, File: d.File, TranslationKey: OneLine(d.TranslationKey), hash: hash, old: old, Article: Article{
		ID:       old.ID,
		SourceID: source.ID,
		GUID:     strings.TrimSpace(scrub(d.GUID)),
		URL:      WebAddress(d.URL, ""),
		Title:    shortTitle(label(d.Title)),
		Section:  cmp.Or(label(d.Section), source.Section),
		Tags:     atMost(maxTags, lines(d.Tags)),
		Authors:  lines(d.Authors),
		ImageURL: WebAddress(d.ImageURL, d.URL),
		ImageAlt: label(d.ImageAlt),
		Urgent:   d.Urgent,
		Pinned:   d.Pinned,
	}}
	r.date(d, old, now)
	words := r.fill(d)
	var err error
	r.Language, err = chooseLanguage(d.Language, source.Language, r.Title+"\n\n"+words)
	r.LanguageKey = language.Key(r.Language)
	return r, err
}

// date sets the article's times. One that has not come counts as none.
func (r *row) date(d Draft, old known, now time.Time) {
	published, updated := past(d.Published, now), past(d.Updated, now)
	r.FirstSeenAt = now
	r.PublishedAt = cmp.Or(published, old.PublishedAt, updated, past(d.Written, now), now)
	r.UpdatedAt = cmp.Or(updated, r.PublishedAt)
	if old.ID != 0 && !updated.After(old.UpdatedAt) {
		r.UpdatedAt = now
	}
}

// fill sets HTML, Text and Summary and returns the text without link addresses.
func (r *row) fill(d Draft) string {
	r.HTML = d.Shown()
	r.Text = Text(r.HTML)
	words := plain(r.HTML, false)
	r.Summary = shorten(label(d.Summary), givenLimit)
	if r.Summary == "" {
		r.Summary = label(Summary(words))
	}
	return words
}

func chooseLanguage(draft, source, text string) (string, error) {
	if tag := cmp.Or(strings.TrimSpace(draft), source); tag != "" {
		return language.Parse(tag)
	}
	return DetectLanguage(text), nil
}

// WebAddress returns the absolute http or https address of a reference on a page, "" when it has none.
func WebAddress(ref, base string) string {
	page, err := url.Parse(strings.TrimSpace(scrub(base)))
	if err != nil || !webScheme(page.Scheme) {
		page = nil
	}
	address := resolve(scrub(ref), page)
	u, err := url.Parse(address)
	if err != nil || !webScheme(u.Scheme) {
		return ""
	}
	if u.User != nil { // a name and a password are nobody else's business
		u.User = nil
		return u.String()
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

// past returns a time as it is kept, the zero time when it is after now.
func past(t, now time.Time) time.Time {
	if t = date(t); t.After(now) {
		return time.Time{}
	}
	return t
}

// maxTags is how many tags of an article are kept. Each has a feed.
const maxTags = 50

func atMost(n int, all pq.StringArray) pq.StringArray { return all[:min(n, len(all))] }

func lines(all []string) pq.StringArray {
	lines := pq.StringArray{}
	for _, s := range all {
		if s = label(s); s != "" && !slices.Contains(lines, s) {
			lines = append(lines, s)
		}
	}
	return lines
}

// Shown returns the clean HTML that the draft's text becomes.
func (d Draft) Shown() string {
	if strings.TrimSpace(d.HTML) != "" {
		return Clean(d.HTML, d.URL)
	}
	return paragraphsHTML(d.Text)
}
