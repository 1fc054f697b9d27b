// Package articles keeps what was published: the article, its translations, and the cleaning of foreign HTML on its way in.
package articles

import (
	"time"

	"github.com/lib/pq"
)

// Article is one published piece as it stands in the store. HTML is already clean and every link in it absolute.
type Article struct {
	ID          int64          `db:"id"`
	SourceID    int64          `db:"source_id"`
	GroupID     int64          `db:"group_id"` // translation group
	GUID        string         `db:"guid"`     // permanent
	Slug        string         `db:"slug"`     // ASCII; of our own page, /articles/{slug}
	URL         string         `db:"url"`      // the source's own page; "" when it has none
	Title       string         `db:"title"`
	Summary     string         `db:"summary"` // plain text, whole sentences
	HTML        string         `db:"html"`
	Text        string         `db:"text"`
	Language    string         `db:"language"`     // canonical BCP 47
	LanguageKey string         `db:"language_key"` // see language.Key
	Section     string         `db:"section"`
	Tags        pq.StringArray `db:"tags"`
	Authors     pq.StringArray `db:"authors"`
	ImageURL    string         `db:"image_url"`
	ImageAlt    string         `db:"image_alt"`
	PublishedAt time.Time      `db:"published_at"` // the source's own date if it had come, else FirstSeenAt
	UpdatedAt   time.Time      `db:"updated_at"`
	FirstSeenAt time.Time      `db:"first_seen_at"`
	Archive     bool           `db:"archive"`      // in feeds, never due for a digest
	WithdrawnAt *time.Time     `db:"withdrawn_at"` // nil: published
	Revision    int64          `db:"revision"`     // see Position
	ByEditor    bool           `db:"by_editor"`    // a translation that an editor typed; see Translate
	Urgent      bool           `db:"urgent"`       // first in digests, and in alerts at once
	Pinned      bool           `db:"pinned"`       // before the others in digests, after what is urgent
}

// Link returns the address that readers should be sent to: the source's own page, else our page below publicURL.
func (a *Article) Link(publicURL string) string {
	if a.URL != "" {
		return a.URL
	}
	return publicURL + "/articles/" + a.Slug
}

// Draft is an article as a source found it, before it is cleaned and stored. Only ExternalKey, Title and one of HTML, Text and
// URL must be there. HTML apart, everything is plain text: what stands in < > is shown as it is. Title, summary, section, tags,
// authors and alternative text become one line each, without characters that turn the direction of writing; a title is cut after
// 300 characters.
type Draft struct {
	ExternalKey    string // what the source calls it; the same article always has the same
	File           string `json:"-"` // path of its file when ExternalKey is no more than that file's place, see Save; no content
	GUID           string // the upstream's own id; "" derives one
	TranslationKey string // articles of a source with the same one are translations of one another
	URL            string // absolute address of the source's page; links in HTML are relative to it
	Title          string
	Summary        string // "" derives one from the text
	HTML           string // foreign and dirty
	Text           string // used when HTML is empty: paragraphs parted by blank lines
	Language       string // "" uses the source's, else detects it
	Section        string // "" uses the source's
	Tags           []string
	Authors        []string
	ImageURL       string
	ImageAlt       string
	Published      time.Time // zero or in the future: Updated as it is at first sight, else Written, else first seen
	Updated        time.Time // zero or in the future: Published
	Written        time.Time `json:"-"` // of a file, last: stands for Published and Updated at first sight; no content

	Urgent bool `json:",omitzero"` // see Article
	Pinned bool `json:",omitzero"`

	// When it may be published, and whether it may at all. See Waiting.
	NotBefore  time.Time `json:",omitzero"` // zero, or not after now: at once
	Unfinished bool      `json:",omitzero"` // a draft in its author's sense
}

// Selection says which articles belong to a feed or a list. Within a field any value matches; every field that is not empty
// must match; the zero Selection is everything. Languages are compared by language and script (language.Key).
type Selection struct {
	Sections  pq.StringArray `db:"sections" toml:"sections"`
	Tags      pq.StringArray `db:"tags" toml:"tags"`
	Languages pq.StringArray `db:"languages" toml:"languages"`
	Sources   pq.StringArray `db:"sources" toml:"sources"` // slugs
}
