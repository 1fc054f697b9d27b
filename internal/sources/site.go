package sources

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/andybalholm/cascadia"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// entry is what a listing says of one page.
type entry struct {
	key        string // the external key of its article
	url        string
	title      string
	date       stamp // published
	modified   stamp // edited last
	language   string
	alternates []alternate
	tags       []string
	image      string
	section    string
	stamp      string // what, when it changes, calls for reading the page again
}

// finish fills in the stamp.
func (e entry) finish() entry {
	e.stamp = e.title
	for _, s := range []stamp{e.date, e.modified} {
		if !s.IsZero() {
			e.stamp += " " + s.UTC().Format(time.RFC3339)
		}
	}
	return e
}

// draft returns what the listing and the page say together. What stands on the page counts before what its listing says of it, but for
// the title: a page that names none of its own is called as the listing calls it.
func (e entry) draft(d articles.Draft) articles.Draft {
	d.ExternalKey = e.key
	d.Title = cmp.Or(d.Title, e.title)
	d.Language = cmp.Or(d.Language, e.language)
	d.Section = cmp.Or(d.Section, e.section)
	d.ImageURL = cmp.Or(d.ImageURL, e.image)
	d.Tags = firstNonEmpty(d.Tags, e.tags)
	d.TranslationKey = cmp.Or(d.TranslationKey, translationKey(e.alternates, d.URL, e.url))
	if d.Published.IsZero() {
		d.Published = e.date.Time
	} else if midnight(d.Published) {
		d.Published = stamp{d.Published, false}.refined(e.date).Time
	}
	if d.Updated.IsZero() {
		d.Updated = e.modified.Time
	}
	return d
}

func midnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 }

// listing is a page of a listing.
type listing struct {
	entries []entry
	next    func() (listing, error) // the next page; nil: this is the last
	total   int                     // articles in all, on all pages; 0: it does not say
	fixed   bool                    // that the page is as it was says that the listing is, too
}

// lister reads the listings of a kind of site. The first page is what the source's address answered.
type lister func(ctx context.Context, p *Poller, source articles.Source, first *fetch.Result) (listing, error)

var listers = map[string]lister{
	articles.KindJCMS:    listJCMS,
	articles.KindHTML:    listHTML,
	articles.KindSitemap: listSitemap,
}

// maxPages is how many pages of a listing a poll reads when the source does not say.
const maxPages = 3

// newEntries goes through a listing, from the newest page on, as long as a page brings something that known does not have yet.
func (p *Poller) newEntries(
	ctx context.Context, source articles.Source, first *fetch.Result, known func([]entry) (int, error),
) (all []entry, fixed bool, err error) {
	page, err := listers[source.Kind](ctx, p, source, first)
	if err != nil {
		return nil, false, err
	}
	seen := map[string]bool{}
	fixed = page.fixed
	for read, asked := 0, 0; ; asked++ {
		if len(page.entries) > 0 {
			read++
		}
		var fresh []entry
		for _, e := range page.entries {
			if !seen[e.key] && source.Settings.Counts(e.url) {
				fresh = append(fresh, e.finish())
			}
			seen[e.key] = true
		}
		all = append(all, fresh...)
		old, err := known(fresh)
		most := cmp.Or(source.Settings.MaxPages, maxPages)
		nothingNew := len(page.entries) > 0 && old == len(fresh)
		if err != nil || page.next == nil || read >= most || asked > most || nothingNew || len(all) >= mostEntries {
			return all, fixed, err
		}
		if page, err = page.next(); err != nil {
			return all, fixed, err
		}
	}
}

// mostEntries is how many pages of a site are looked at.
const mostEntries = 50000

// tracking are parameters of addresses that tell who came from where.
var tracking = regexp.MustCompile(`^(?:utm_\w+|fbclid|gclid|mc_[ce]id|from|spm|jsessionid)$`)

// addressKey returns what an article is known by whose site gives it no number: its address without scheme, "www.", fragment and what
// tracks readers. "" is no web address.
func addressKey(address string) string {
	u, err := url.Parse(articles.WebAddress(address, ""))
	if err != nil || u.Host == "" {
		return ""
	}
	query := u.Query()
	for name := range query {
		if tracking.MatchString(strings.ToLower(name)) {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	path, _, _ := strings.Cut(u.Path, ";jsessionid=")
	u.Path, u.RawPath = path, ""
	return bareAddress(u.String())
}

// CheckSettings returns an error of kind errs.Invalid when a selector, pattern or time zone of a source cannot be used.
func CheckSettings(source articles.Source) error {
	s := source.Settings
	for name, selectors := range map[string][]string{
		"listing: item": {s.Listing.Item}, "listing: link": {s.Listing.Link}, "listing: title": {s.Listing.Title},
		"listing: date": {s.Listing.Date}, "listing: next": {s.Listing.Next}, "content": {s.Content}, "remove": s.Remove,
	} {
		for _, selector := range selectors {
			if _, err := cascadia.ParseGroup(selector); selector != "" && err != nil {
				return errs.New(errs.Invalid, "source %q: %s: %q is not a CSS selector: %w", source.Slug, name, selector, err)
			}
		}
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil {
		return errs.New(errs.Invalid, "source %q: time_zone %q is not one such as Asia/Shanghai", source.Slug, s.TimeZone)
	}
	return nil
}

// reading returns how the pages of a source are read.
func reading(of articles.Source) Reading {
	r := Reading{Content: of.Settings.Content, Remove: of.Settings.Remove}
	if zone, err := time.LoadLocation(of.Settings.TimeZone); err == nil && of.Settings.TimeZone != "" {
		r.Zone = zone
	} else if of.Kind == articles.KindJCMS {
		r.Zone = chinaTime()
	}
	return r
}

// zoneAt returns the zone of the dates that a source has at an address.
func zoneAt(of articles.Source, address string) *time.Location {
	if zone := reading(of).Zone; zone != nil {
		return zone
	}
	u, err := url.Parse(address)
	if err != nil {
		return time.UTC
	}
	return countryZone(u)
}
