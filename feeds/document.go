package feeds

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	gorilla "github.com/gorilla/feeds"

	"silkpost/internal/articles"
)

// Item is an article as documents show it.
type Item struct {
	articles.Article
	Translations []Translation // its other language versions, at most one per language, by language
}

// Translation is another language version of an article.
type Translation struct {
	Language string // canonical BCP 47
	URL      string // of its page
}

// Gone is an article that was withdrawn.
type Gone struct {
	GUID string
	At   time.Time
}

// Frame is a document without its items. A feed has one subscription document, which holds the newest items and is called as the
// feed, and archive documents that hold the rest; together they are the whole feed (RFC 5005, section 4).
type Frame struct {
	Feed     Feed
	Path     string    // of this document in its folder, without its extension: "all", "all/before-20260503T120000Z", "p/TOKEN"
	Folder   string    // where the feed's page is and Path begins, with slashes around it; "" is /feeds/
	Archive  bool      // an archive document
	Older    string    // Path of the document that goes on where this one ends; "": there is none
	Language string    // of all its items; "" when they are in several
	Updated  time.Time // newest change among its items and Gone; zero when it has neither
	Gone     []Gone    // newest first; Atom shows them as tombstones (RFC 6721), the others cannot
	Hubs     []string  // addresses of WebSub hubs
}

// maxAge is for how long a reader may keep a subscription document without asking again.
const maxAge = 5 * time.Minute

// generator names the program in documents, without its version: the same content has the same bytes.
const generator = "Silkpost"

// Render writes items, in the order given, into the frame of a document. publicURL is where this installation is reached, with no
// slash at its end. The bytes depend on the arguments alone. An unknown format is Invalid.
func Render(format Format, frame *Frame, items []Item, publicURL string) ([]byte, error) {
	rendered := make([][]byte, len(items))
	for i := range items {
		var err error
		if rendered[i], err = renderItem(format, frame.Feed.Content, &items[i], publicURL); err != nil {
			return nil, err
		}
	}
	return assemble(format, frame, publicURL, rendered)
}

// renderItem returns the bytes that stand for an item in every document of that format and content. They depend on the arguments
// alone, not on the feed.
func renderItem(format Format, content Content, item *Item, publicURL string) ([]byte, error) {
	it := cleanItem(item, publicURL)
	switch format {
	case RSS:
		return encodeXML(newRSSItem(content, it), rssDepth, len(it.HTML))
	case Atom:
		return encodeXML(newAtomEntry(content, it), atomDepth, len(it.HTML))
	case JSON:
		return encodeJSON(newJSONItem(content, it), len(it.HTML))
	}
	return nil, unknownFormat(format)
}

// assemble puts rendered items between the head and the tail of a document.
func assemble(format Format, frame *Frame, publicURL string, items [][]byte) ([]byte, error) {
	empty, err := renderEmpty(format, newOutline(format, frame, publicURL))
	if err != nil {
		return nil, err
	}
	tail := tails[format]
	head, found := bytes.CutSuffix(empty, []byte(tail))
	if !found {
		return nil, fmt.Errorf("an empty %s document does not end in %q", format, tail)
	}
	size := len(empty) + len(items)
	for _, item := range items {
		size += len(item)
	}
	document := append(make([]byte, 0, size), head...)
	for i, item := range items {
		if i > 0 && format == JSON {
			document = append(document, ',')
		}
		document = append(document, item...)
	}
	return append(document, tail...), nil
}

// tails is how documents end after their last item.
var tails = map[Format]string{
	RSS:  "\n  </channel>\n</rss>\n",
	Atom: "\n</feed>\n",
	JSON: "]}\n",
}

// renderEmpty writes a document without items.
func renderEmpty(format Format, o outline) ([]byte, error) {
	switch format {
	case RSS:
		return writeXML(o.rss())
	case Atom:
		return writeXML(o.atom())
	case JSON:
		document, err := encodeJSON(o.json(), 0)
		return append(document, '\n'), err
	}
	return nil, unknownFormat(format)
}

func unknownFormat(format Format) error {
	_, err := ParseFormat(string(format))
	return err
}

// outline is what the formats make a frame's head of: all text in it is clean.
type outline struct {
	id        string
	title     string
	language  string // of the whole; "" when the items are in several
	publisher string // host of the public URL
	home      string // the page that lists the feeds
	self      string
	current   string // on an archive document, the subscription document, else ""
	older     string // "": there is none
	archive   bool
	hubs      []string
	updated   time.Time
	gone      []Gone
}

func newOutline(format Format, frame *Frame, publicURL string) outline {
	feed, home := frame.Feed, publicURL+cmp.Or(frame.Folder, feedsFolder)
	lang := frame.Language
	if len(feed.Languages) == 1 {
		lang = feed.Languages[0] // also when the feed holds nothing, or regional variants of it
	}
	name, _ := feed.Name(feed.Languages...) // whatever the articles are in at the moment
	o := outline{
		id:        feedID(home, cmp.Or(feed.FirstSlug, feed.Slug)),
		title:     cmp.Or(clean(name), clean(feed.Slug)),
		language:  clean(lang),
		publisher: host(publicURL),
		home:      address(home),
		self:      address(home + frame.Path + "." + string(format)),
		archive:   frame.Archive,
		updated:   frame.Updated,
	}
	if frame.Archive {
		o.current = address(URL(publicURL, feed.Slug, format))
	}
	if frame.Older != "" {
		o.older = address(URL(publicURL, frame.Older, format))
	}
	for _, hub := range frame.Hubs {
		o.hubs = append(o.hubs, address(hub))
	}
	for _, gone := range frame.Gone {
		o.gone = append(o.gone, Gone{GUID: clean(gone.GUID), At: gone.At})
	}
	return o
}

// feedID returns the id of a feed, which all its documents share: an id names the feed wherever it is found (RFC 4287, section
// 4.2.6), and readers that walk through the archive put together one logical feed (RFC 5005, section 4). Which of the documents one
// is, its self link says.
func feedID(home, slug string) string { return derivedID(home + slug) }

// derivedID makes a permanent URN of a name.
func derivedID(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).URN()
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return clean(address)
	}
	return clean(u.Host)
}

// isPage reports whether a clean id is the address of a web page.
func isPage(id string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(id), ":")
	return (scheme == "http" || scheme == "https") && isIRI(id)
}

// categories returns an article's section and tags, each once.
func categories(a *articles.Article) []string {
	var all []string
	for _, name := range append([]string{a.Section}, a.Tags...) {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// imageTypes has the media types of images by the extension of their addresses.
var imageTypes = map[string]string{
	".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".heic": "image/heic", ".jpeg": "image/jpeg",
	".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml", ".tif": "image/tiff", ".tiff": "image/tiff",
	".webp": "image/webp",
}

// imageType returns the media type of an image as its address tells it, "" when it does not. Nothing is fetched to find out.
func imageType(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return imageTypes[strings.ToLower(path.Ext(u.Path))]
}

// stamp formats a time in UTC; a zero one gives "".
func stamp(layout string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(layout)
}

func writeXML(feed gorilla.XmlFeed) ([]byte, error) {
	var out bytes.Buffer
	if err := gorilla.WriteXML(feed, &out); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// room is what an item takes beside its text, more or less.
const room = 2048

// encodeXML writes an item as it stands in a document of gorilla's, on lines of their own, so many levels deep. size is that of its
// text.
func encodeXML(item any, depth, size int) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(size + room)
	out.WriteByte('\n')
	enc := xml.NewEncoder(&out)
	enc.Indent(strings.Repeat("  ", depth), "  ")
	err := enc.Encode(item)
	return out.Bytes(), err
}

func encodeJSON(value any, size int) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(size + room)
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
