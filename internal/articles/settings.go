package articles

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"silkpost/internal/errs"
)

// Settings are what a source has to know of a site without a feed. Each kind has its own; what is empty is found out or has a default.
type Settings struct {
	Columns  []string `toml:"columns" json:"columns,omitempty"`     // jcms: further column pages, whose articles belong to this source too
	Listing  Listing  `toml:"listing" json:"listing,omitzero"`      // html: where a listing has what
	Include  []string `toml:"include" json:"include,omitempty"`     // only pages whose path matches one of these; * stands for anything
	Exclude  []string `toml:"exclude" json:"exclude,omitempty"`     // no pages whose path matches one of these
	MaxPages int      `toml:"max_pages" json:"max_pages,omitempty"` // pages of the listing, or sitemaps, that a poll reads at most

	Content  string   `toml:"content" json:"content,omitempty"`     // CSS selector of the text on an article's page
	Remove   []string `toml:"remove" json:"remove,omitempty"`       // CSS selectors of what does not belong to it
	TimeZone string   `toml:"time_zone" json:"time_zone,omitempty"` // of dates that name none

	Path      string `toml:"path" json:"path,omitempty"`             // folder: what is watched; "": files come by import alone
	HoldAbove int    `toml:"hold_above" json:"hold_above,omitempty"` // more new articles than that at once are held; 0: see holdBack; HoldNever
	Images    Images `toml:"images" json:"images,omitempty"`

	FirstPoll FirstPoll `toml:"first_poll" json:"first_poll,omitempty"`
	FullText  FullText  `toml:"full_text" json:"full_text,omitempty"` // feed: whose text is taken from the pages that its items link to
}

// FirstPoll says what becomes of what the first poll of a source finds, of whichever kind that is polled, a watched folder too.
type FirstPoll string

// What the first poll finds is in feeds only, which is the default, or due for digests too.
const (
	FirstPollArchive FirstPoll = "archive"
	FirstPollDue     FirstPoll = "due"
)

// Images says what becomes of the images of a source's articles.
type Images string

// Images are shown from where they are, which is the default, or fetched, made small and served by us.
const (
	ImagesLink  Images = "link"
	ImagesStore Images = "store"
)

// Listing says, in CSS selectors, where a page that lists articles has what. All but Item look within an item.
type Listing struct {
	Item  string `toml:"item" json:"item,omitempty"`   // one article of the listing
	Link  string `toml:"link" json:"link,omitempty"`   // the link to its page; "": its first one
	Title string `toml:"title" json:"title,omitempty"` // its title; "": what the link says
	Date  string `toml:"date" json:"date,omitempty"`   // when it was published; "": the first date that stands there
	Next  string `toml:"next" json:"next,omitempty"`   // the link to the next page of the listing, anywhere on the page
}

// Value writes settings as JSON.
func (s Settings) Value() (driver.Value, error) {
	text, err := json.Marshal(s)
	return string(text), err
}

// Scan reads what Value wrote.
func (s *Settings) Scan(value any) error {
	text, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("settings are %T, not JSON", value)
	}
	*s = Settings{}
	return json.Unmarshal(text, s)
}

// maxMaxPages bounds what one poll asks of a site.
const maxMaxPages = 100

// check returns what is wrong with the settings of a kind of source that can be told without looking at the selectors themselves.
func (s Settings) check(kind string) error {
	site := slices.Contains([]string{KindJCMS, KindHTML, KindSitemap}, kind)
	for _, key := range []struct {
		name        string
		given, fits bool
	}{
		{"columns", len(s.Columns) > 0, kind == KindJCMS},
		{"listing", s.Listing != Listing{}, kind == KindHTML},
		{"include", len(s.Include) > 0, site},
		{"exclude", len(s.Exclude) > 0, site},
		{"max_pages", s.MaxPages != 0, site},
		{"content", s.Content != "", site},
		{"remove", len(s.Remove) > 0, site},
		{"time_zone", s.TimeZone != "", site || kind == KindFeed},
		{"full_text", s.FullText != "", kind == KindFeed},
		{"path", s.Path != "", kind == KindFolder},
		{"first_poll", s.FirstPoll != "", kind != KindAPI},
		{"hold_above", s.HoldAbove != 0, kind != KindAPI},
	} {
		if key.given && !key.fits {
			return errs.New(errs.Invalid, "%s means nothing for kind %q", key.name, kind)
		}
	}
	switch {
	case s.MaxPages < 0 || s.MaxPages > maxMaxPages:
		return errs.New(errs.Invalid, "max_pages %d: use 1 to %d", s.MaxPages, maxMaxPages)
	case s.FirstPoll != "" && kind == KindFolder && s.Path == "":
		return errs.New(errs.Invalid, "first_poll means nothing for a folder without path: its files are imported, and --archive says there what becomes of them")
	case s.FirstPoll != "" && s.FirstPoll != FirstPollArchive && s.FirstPoll != FirstPollDue:
		return errs.New(errs.Invalid, "first_poll %q: use archive, or due to have what it finds in digests", s.FirstPoll)
	case !slices.Contains([]FullText{"", FullTextAuto, FullTextAlways, FullTextNever}, s.FullText):
		return errs.New(errs.Invalid, "full_text %q: use auto, always or never", s.FullText)
	case s.HoldAbove < HoldNever:
		return errs.New(errs.Invalid, "hold_above %d: use how many new articles at once are usual, 0 to have that found out, or -1 to hold none", s.HoldAbove)
	case s.Images != "" && s.Images != ImagesLink && s.Images != ImagesStore:
		return errs.New(errs.Invalid, "images %q: use link, or store to serve them from here", s.Images)
	case s.Path != "" && !filepath.IsAbs(s.Path):
		return errs.New(errs.Invalid, "path %q: write the whole path, such as /srv/news", s.Path)
	case kind == KindHTML && strings.TrimSpace(s.Listing.Item) == "":
		return errs.New(errs.Invalid, "listing: item is missing, the CSS selector of one article in the listing; silkpost source check suggests one")
	}
	for _, column := range s.Columns {
		if WebAddress(column, "https://x.example/") == "" {
			return errs.New(errs.Invalid, "columns: %q is not a web address", column)
		}
	}
	return nil
}

// Counts reports whether the settings take a page in by its address: it matches one of the patterns of Include, if there are any, and none
// of Exclude. A pattern is compared with path and query; * in it stands for anything.
func (s Settings) Counts(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	path := u.RequestURI()
	matches := func(pattern string) bool { return matchPattern(pattern, path) }
	return (len(s.Include) == 0 || slices.ContainsFunc(s.Include, matches)) && !slices.ContainsFunc(s.Exclude, matches)
}

// matchPattern reports whether a whole text is as a pattern says.
func matchPattern(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	text, ok := strings.CutPrefix(text, parts[0])
	if len(parts) == 1 || !ok {
		return ok && text == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
