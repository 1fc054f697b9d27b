// Package feeds publishes articles to feed readers, as RSS 2.0, Atom 1.0 and JSON Feed 1.1.
//
// Same content, same bytes: a document is made from the feed's definition, its articles and the public URL, and from nothing
// else. No clock, time zone, map order or random number reaches it, so its ETag changes when and only when what it says does.
//
// Foreign text stays text: what XML 1.0 cannot carry is dropped from every field, in all three formats alike, and a title
// that looks like markup is shown as it was written.
package feeds

import (
	"slices"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Feed is a named selection of articles.
type Feed struct {
	Slug string `db:"slug"` // of its addresses, /feeds/{slug}.rss and so on
	Kind Kind   `db:"kind"`
	// FirstSlug is the one that it was declared with. Its id in documents is made of it, for ever.
	FirstSlug string `db:"first_slug"`
	// Title is its name by language tag. "und" stands for words whose language is not known, such as a section's name.
	Title              database.StringMap `db:"title"`
	articles.Selection                    // which articles; the zero one is all of them
	Content            Content            `db:"content"`    // "" declares Full
	Limit              int                `db:"item_limit"` // the newest so many, 1 to 1000; 0 declares 50
	Articles           int                `db:"articles"`   // how many match, whatever the limit
	// ChangedAt is when the definition or an article last changed; zero or the epoch: never. It dates the HTTP answer and is not in
	// the document. It rises by a second at least with every change, so it may be a little ahead of the clock.
	ChangedAt time.Time `db:"changed_at"`
	Version   int64     `db:"version"` // rises with every change
}

// Items returns how many articles the subscription document holds.
func (f *Feed) Items() int { return min(f.Articles, f.Limit) }

// Kind says where a feed comes from.
type Kind string

// The kinds, in the order in which they are listed.
const (
	Declared   Kind = "declared" // by silkpost apply; "all" is there from the start
	OfSection  Kind = "section"  // one for each section that articles name
	OfLanguage Kind = "language" // one for each language and script
	OfTag      Kind = "tag"
	OfSource   Kind = "source"
)

// Name returns the feed's title in the first of the wanted languages that it has, else in English, else in the first it has in
// the order of their tags, and the tag of its language. A feed without any title is called by its slug, which is in none: "".
func (f Feed) Name(wanted ...string) (name, tag string) {
	if len(f.Title) == 0 {
		return f.Slug, ""
	}
	return language.In(f.Title, wanted...)
}

// Content says how much of each article a feed carries.
type Content string

// The contents.
const (
	Full    Content = "full"
	Summary Content = "summary" // the plain summary; readers follow the link for the rest
)

// Format is one of the three forms of a feed. Its text is the extension of the feed's address.
type Format string

// The formats.
const (
	RSS  Format = "rss"  // RSS 2.0
	Atom Format = "atom" // Atom 1.0, RFC 4287
	JSON Format = "json" // JSON Feed 1.1
)

// Formats returns all formats, in the order in which they are shown.
func Formats() []Format { return []Format{RSS, Atom, JSON} }

// ParseFormat returns the format that is called name. An unknown one is Invalid.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", errs.New(errs.Invalid, "%q is not a feed format: use rss, atom or json", name)
}

// MediaType returns the registered media type, without parameters.
func (f Format) MediaType() string {
	if f == JSON {
		return "application/feed+json"
	}
	return "application/" + string(f) + "+xml"
}

const feedsFolder = "/feeds/"

// URL returns the address of a document in a format: of a feed when path is its slug; see Frame for others. publicURL has no slash
// at its end.
func URL(publicURL, path string, format Format) string {
	return publicURL + feedsFolder + path + "." + string(format)
}
