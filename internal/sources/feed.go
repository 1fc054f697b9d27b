package sources

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/mmcdole/gofeed/rss"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// ParseFeed reads an RSS, Atom or JSON feed that was found at address, to which its links are relative. The articles come in
// the reverse order of the feed, the oldest first as feeds go; of items with the same id the first in the feed counts. The
// external key of an item is its id, else its link, else its title and text. What cannot be read as a feed gives an error of
// kind errs.Invalid.
func ParseFeed(body []byte, contentType, address string) ([]articles.Draft, error) {
	feed, err := readFeed(body, contentType, address, articles.Source{})
	return feed.drafts, err
}

// maxItems is how many items of a feed are read, the first ones, which are the newest as feeds go.
const maxItems = 2000

// feedContent is what a feed says.
type feedContent struct {
	title    string
	language string        // canonical; "" when it names none
	ttl      time.Duration // for how long it says that it need not be asked again; 0: it does not say
	drafts   []articles.Draft
	brief    map[string]bool // external keys of drafts that have no more than a summary
}

// readFeed reads a feed with what is known of its source; the zero Source is one of which nothing is.
func readFeed(body []byte, contentType, address string, of articles.Source) (content feedContent, err error) {
	feed, err := parseFeed(decodeXML(body, contentType))
	if err != nil {
		return content, notAFeed(body, address, err)
	}
	content.title = articles.Line(feed.Title)
	content.language, _ = language.Parse(feed.Language)
	content.ttl = feedTTL(feed)
	content.brief = map[string]bool{}
	seen := map[string]bool{}
	zone := feedZone(feed, address, of)
	drafts := make([]articles.Draft, 0, len(feed.Items))
	for _, item := range feed.Items[:min(len(feed.Items), maxItems)] {
		d, ok := itemDraft(feed, item, address, zone)
		if ok && !seen[d.ExternalKey] {
			drafts = append(drafts, d)
			content.brief[d.ExternalKey] = isBrief(item)
		}
		seen[d.ExternalKey] = true
	}
	slices.Reverse(drafts)
	content.drafts = drafts
	return content, nil
}

// parseFeed reads a feed's text, mended where it has to be.
func parseFeed(text string) (feed *gofeed.Feed, err error) {
	text = strings.TrimLeft(text, " \t\r\n\ufeff")
	if text == "" {
		return nil, errEmptyFeed
	}
	if strings.HasPrefix(text, "{") {
		if feed, err = parser().Parse(strings.NewReader(text)); err == nil {
			return feed, checkJSONFeed(feed)
		}
		tidied, tidyErr := tidyJSON(text)
		if tidyErr != nil {
			return nil, err
		}
		text = tidied
	} else if text, err = tidyXML(text); err != nil {
		return nil, err
	}
	return parser().Parse(strings.NewReader(text))
}

var errEmptyFeed = errors.New("it is empty")

func parser() *gofeed.Parser {
	p := gofeed.NewParser()
	p.KeepOriginalFeed = true
	p.RSSTranslator = &gofeed.DefaultRSSTranslator{DisableContentImageScan: true} // it would find tracking pixels
	return p
}

// checkJSONFeed refuses JSON that is no feed: anything at all can be read as one without items.
func checkJSONFeed(feed *gofeed.Feed) error {
	if len(feed.Items) == 0 && !strings.Contains(feed.FeedVersion, "jsonfeed.org") {
		return errors.New("it is JSON, but no feed")
	}
	return nil
}

var isPage = regexp.MustCompile(`(?i)^[^<]*(?:<[?!][^>]*>\s*)*<(?:html|head|body)[\s>]`)

var errWebPage = errors.New("this is a web page, not a feed")

func notAFeed(body []byte, address string, err error) error {
	if isPage.Match(body[:min(len(body), declarationLimit)]) || strings.HasPrefix(http.DetectContentType(body), "text/html") {
		return errs.New(errs.Invalid, "%s: %w", address, errWebPage)
	}
	return errs.New(errs.Invalid, "%s cannot be read as an RSS, Atom or JSON feed: %s", address, articles.OneLine(err.Error()))
}

// itemDraft returns an item as a draft; false when there is nothing in it.
func itemDraft(feed *gofeed.Feed, item *gofeed.Item, address string, zone *time.Location) (articles.Draft, bool) {
	d := articles.Draft{
		GUID:     strings.TrimSpace(item.GUID),
		URL:      itemAddress(feed, item, address),
		Title:    articles.Line(item.Title),
		Language: itemLanguage(feed, item),
		Authors:  itemAuthors(feed, item),
	}
	for _, tag := range item.Categories {
		d.Tags = append(d.Tags, articles.Line(tag))
	}
	image, alt := itemImage(item)
	if image != "" {
		d.ImageURL, d.ImageAlt = absolute(image, d.URL, feed.Link, address), articles.Line(alt)
	}
	d.Published, d.Updated = itemDates(item, zone)
	fillContent(&d, item)
	d.ExternalKey = itemKey(d)
	return d, d.Check() == nil
}

// itemDates returns when an item was published and edited. The parser fills a missing first date with the second, which moves
// with each edit: equal ones are taken as the second alone.
func itemDates(item *gofeed.Item, zone *time.Location) (published, updated time.Time) {
	published = feedDate(item.Published, item.PublishedParsed, zone)
	updated = feedDate(item.Updated, item.UpdatedParsed, zone)
	if published.Equal(updated) {
		published = time.Time{}
	}
	return published, updated
}

// fillContent takes the full content if there is one, the description then as summary. What holds no markup is plain text.
func fillContent(d *articles.Draft, item *gofeed.Item) {
	content, description := item.Content, item.Description
	if strings.TrimSpace(content) == "" {
		content, description = description, ""
	}
	if strings.Contains(content, "<") {
		d.HTML = content
	} else {
		d.Text = html.UnescapeString(content)
	}
	d.Summary = articles.Summary(articles.Line(description))
	if d.Title == "" {
		d.Title = articles.FirstSentence(articles.Line(content))
	}
	if d.Title == "" {
		d.Title = d.URL
	}
}

func itemKey(d articles.Draft) string {
	switch {
	case d.GUID != "":
		return d.GUID
	case d.URL != "":
		return d.URL
	}
	sum := sha256.Sum256([]byte(d.Title + "\x00" + d.HTML + d.Text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func itemAuthors(feed *gofeed.Feed, item *gofeed.Item) []string {
	people := item.Authors
	if len(people) == 0 && feed.FeedType != "rss" { // in Atom and JSON Feed the feed's authors are its items'
		people = feed.Authors
	}
	var names []string
	for _, p := range people {
		if p != nil && p.Name != "" {
			names = append(names, articles.Line(p.Name))
		}
	}
	return names
}

// itemLanguage returns the language that item or feed claim, "" when that is none.
func itemLanguage(feed *gofeed.Feed, item *gofeed.Item) string {
	claims := []string{feed.Language}
	if item.DublinCoreExt != nil {
		claims = append(item.DublinCoreExt.Language, claims...)
	}
	for _, claim := range claims {
		if tag, err := language.Parse(claim); err == nil {
			return tag
		}
	}
	return ""
}

// absolute resolves ref against the first of the bases that is a web address.
func absolute(ref string, bases ...string) string {
	base := slices.IndexFunc(bases, func(base string) bool { return articles.WebAddress(base, "") != "" })
	if base < 0 {
		return articles.WebAddress(ref, "")
	}
	return articles.WebAddress(ref, bases[base])
}

// briefColumns is how wide a text is that is taken for a summary, in columns: letters of Chinese take two.
const briefColumns = 1000

// cutOff are the ends of texts that go on elsewhere.
var cutOff = regexp.MustCompile(`(?i)(?:…|\.\.\.|\[(?:…|\.\.\.|&hellip;)\]|read more|continue reading[^.]*|weiterlesen|lire la suite|leer más|查看全文|阅读全文|続きを読む)\s*[»→>.]*\s*$`)

// isBrief reports an item with no more than a summary: a description that is short, or a text that ends where it would go on. An item with
// sound or film is what it is.
func isBrief(item *gofeed.Item) bool {
	for _, e := range item.Enclosures {
		if e != nil && (strings.HasPrefix(e.Type, "audio/") || strings.HasPrefix(e.Type, "video/")) {
			return false
		}
	}
	text := articles.Line(cmp.Or(strings.TrimSpace(item.Content), item.Description))
	short := strings.TrimSpace(item.Content) == "" && columns(text) < briefColumns
	return short || cutOff.MatchString(text)
}

// feedTTL returns the longer of what an RSS feed's ttl and the Syndication module say, 0 when neither says anything.
func feedTTL(feed *gofeed.Feed) time.Duration {
	minutes := 0
	if original, ok := feed.OriginalFeed().(*rss.Feed); ok {
		minutes, _ = strconv.Atoi(strings.TrimSpace(original.TTL))
	}
	return max(0, time.Duration(min(minutes, maxTTL))*time.Minute, syndicationTTL(feed.Extensions["sy"]))
}

const maxTTL = 365 * 24 * 60 // minutes

// syndicationTTL reads updatePeriod and updateFrequency of the RSS 1.0 Syndication module: so many times in such a period.
func syndicationTTL(sy map[string][]ext.Extension) time.Duration {
	value := func(name string) string {
		if all := sy[name]; len(all) > 0 {
			return strings.ToLower(strings.TrimSpace(all[0].Value))
		}
		return ""
	}
	const day = 24 * time.Hour
	period := map[string]time.Duration{"hourly": time.Hour, "daily": day, "weekly": 7 * day, "monthly": 30 * day, "yearly": 365 * day}[value("updatePeriod")]
	if times, err := strconv.Atoi(value("updateFrequency")); err == nil && times > 0 {
		period /= time.Duration(times)
	}
	return period
}

// itemAddress returns the address of an item's page: its link, before a service that counts readers rewrote it, else its id when that says to be
// one.
func itemAddress(feed *gofeed.Feed, item *gofeed.Item, address string) string {
	link := item.Link
	if original := item.Extensions["feedburner"]["origLink"]; len(original) > 0 {
		link = original[0].Value
	}
	if link == "" && feed.FeedType == "rss" && articles.WebAddress(item.GUID, "") != "" {
		link = item.GUID
	}
	return absolute(link, feed.Link, address)
}

// itemImage returns the address of an item's picture and the words for it: what iTunes or an enclosure says, else Media RSS.
func itemImage(item *gofeed.Item) (address, alt string) {
	if item.Image != nil && item.Image.URL != "" {
		return item.Image.URL, item.Image.Title
	}
	for _, e := range item.Enclosures {
		if e != nil && strings.HasPrefix(e.Type, "image/") {
			return e.URL, ""
		}
	}
	media := item.Extensions["media"]
	for _, within := range append([]map[string][]ext.Extension{media}, childrenOf(media["group"])...) {
		for _, c := range within["content"] {
			if c.Attrs["medium"] == "image" || strings.HasPrefix(c.Attrs["type"], "image/") || picturePath.MatchString(c.Attrs["url"]) {
				return c.Attrs["url"], firstValue(c.Children["title"], c.Children["description"])
			}
			if thumbnail := c.Children["thumbnail"]; len(thumbnail) > 0 {
				return thumbnail[0].Attrs["url"], ""
			}
		}
		if thumbnail := within["thumbnail"]; len(thumbnail) > 0 {
			return thumbnail[0].Attrs["url"], ""
		}
	}
	return "", ""
}

var picturePath = regexp.MustCompile(`(?i)\.(?:jpe?g|png|gif|webp|avif)(?:$|[?#])`)

func childrenOf(groups []ext.Extension) (all []map[string][]ext.Extension) {
	for _, g := range groups {
		all = append(all, g.Children)
	}
	return all
}

func firstValue(lists ...[]ext.Extension) string {
	for _, list := range lists {
		if len(list) > 0 {
			return list[0].Value
		}
	}
	return ""
}

// feedZone returns the zone of dates that name none: what the source's settings say, else that of the country in the address of feed or site, else
// that of the language that the source, the feed or its titles are in.
func feedZone(feed *gofeed.Feed, address string, of articles.Source) *time.Location {
	if zone := reading(of).Zone; zone != nil {
		return zone
	}
	for _, at := range []string{address, feed.Link} {
		if zone := zoneAt(of, at); zone != time.UTC {
			return zone
		}
	}
	for _, tag := range []string{of.Language, feed.Language} {
		if zone := languageZone(tag); zone != time.UTC {
			return zone
		}
	}
	return writtenZone(feedTitles(feed))
}

// feedTitles returns the titles of a feed and of its items, as far as they tell its language.
func feedTitles(feed *gofeed.Feed) string {
	const enough = 30
	titles := []string{feed.Title}
	for _, item := range feed.Items[:min(len(feed.Items), enough)] {
		titles = append(titles, item.Title)
	}
	return articles.Line(strings.Join(titles, "\n"))
}

// zoned are the ends of dates that name a zone.
var zoned = regexp.MustCompile(`(?i)(?:\dZ|[+-]\d{1,2}:?\d{2}|\b(?:UTC?|GMT|[A-Z]{3,4}))\s*(?:\([^)]*\))?$`)

// feedDate returns what a feed's date says, zero when it says nothing. parsed is what the parser made of it, which takes a missing zone for UTC,
// and CST for that of Chicago.
func feedDate(raw string, parsed *time.Time, zone *time.Location) time.Time {
	raw = strings.TrimSpace(raw)
	if before, ok := strings.CutSuffix(raw, "CST"); ok && zone != time.UTC {
		raw, parsed = strings.TrimSpace(before), nil
	}
	if parsed != nil && (zoned.MatchString(raw) || raw == "") {
		if likely(*parsed) {
			return *parsed
		}
		return time.Time{}
	}
	if found, ok := readStamp(raw, zone); ok && likely(found.Time) {
		return found.Time
	}
	if parsed == nil || !likely(*parsed) {
		return time.Time{}
	}
	return time.Date(parsed.Year(), parsed.Month(), parsed.Day(), parsed.Hour(), parsed.Minute(), parsed.Second(), 0, zone)
}
