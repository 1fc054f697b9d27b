package validate

import (
	"strings"
	"time"
)

// feedMeta are the elements that describe a feed; a source has them, too, but need not.
var feedMeta = map[string]part{
	"author":      {many: true, holds: true, check: atomPerson, rule: "RFC 4287, 4.2.1"},
	"category":    {many: true, attrs: "term scheme label", holds: true, check: atomCategory, rule: ruleCategory},
	"contributor": {many: true, holds: true, check: atomPerson, rule: "RFC 4287, 4.2.3"},
	"generator":   {attrs: "uri version", check: atomGenerator, rule: ruleGenerator},
	"icon":        {check: atomReference, rule: "RFC 4287, 4.2.5"},
	"id":          {required: true, check: atomID, rule: ruleID},
	"link":        {many: true, attrs: anything, holds: true}, // links looks at them
	"logo":        {check: atomReference, rule: "RFC 4287, 4.2.8"},
	"rights":      {attrs: "type", holds: true, check: atomText},
	"subtitle":    {attrs: "type", holds: true, check: atomText},
	"title":       {required: true, attrs: "type", holds: true, check: atomText},
	"updated":     {required: true, check: atomDate},
}

var entryParts = map[string]part{
	"author":      {many: true, holds: true, check: atomPerson, rule: "RFC 4287, 4.2.1"},
	"category":    {many: true, attrs: "term scheme label", holds: true, check: atomCategory, rule: ruleCategory},
	"content":     {attrs: "type src", holds: true, check: atomContent},
	"contributor": {many: true, holds: true, check: atomPerson, rule: "RFC 4287, 4.2.3"},
	"id":          {required: true, check: atomID, rule: ruleID},
	"link":        {many: true, attrs: anything, holds: true},
	"published":   {check: atomDate},
	"rights":      {attrs: "type", holds: true, check: atomText},
	"source":      {holds: true, check: atomSource, rule: ruleAtomSource},
	"summary":     {attrs: "type", holds: true, check: atomText},
	"title":       {required: true, attrs: "type", holds: true, check: atomText},
	"updated":     {required: true, check: atomDate},
}

const (
	ruleAtom       = "RFC 4287, 2"
	ruleAtomSource = "RFC 4287, 4.2.11"
	ruleUpdated    = "RFC 4287, 4.2.15"
	ruleTextual    = "RFC 4287, 4.1.1.1"

	ruleNoNamespace = "W3C feed validator, MissingNamespace"
)

// checkAtom checks a feed of Atom 1.0.
func checkAtom(r *report, body []byte) {
	feed := r.readXML(body)
	switch {
	case feed == nil:
		return
	case !feed.is(nsAtom, "feed"):
		r.err(feed, ruleAtom, "the root is <%s> in namespace %s: begin with <feed xmlns=%q>", feed.name(), quote(feed.space), nsAtom)
		return
	}
	known := map[string]part{"entry": {many: true, holds: true, check: atomEntry}}
	for local, p := range feedMeta {
		known[local] = p
	}
	r.parts(feed, ruleFeed, known)
	r.attributes(feed, ruleFeed, "")
	r.noText(feed, ruleFeed)
	r.foreign(feed)
	r.links(feed, "application/atom+xml", ruleFeed)
	r.history(feed)
	r.tombstones(feed)
	r.metaFirst(feed)
	r.authors(feed)
	r.distinctIDs(feed)
	r.updatedLast(feed)
}

// foreign checks what an element holds of other vocabularies.
func (r *report) foreign(e *element) {
	for _, child := range e.children {
		if child.space == "" {
			r.warn(child, ruleNoNamespace, "<%s> is in no namespace: put it into Atom's, or into one of its own",
				child.name())
		}
	}
	r.extensions(e)
}

// metaFirst sees that what describes the feed stands before its entries.
func (r *report) metaFirst(feed *element) {
	behind := false
	for _, child := range feed.children {
		switch {
		case child.is(nsAtom, "entry"):
			behind = true
		case behind && child.space == nsAtom:
			r.err(child, ruleFeed, "<%s> stands behind an <entry>: put what describes the feed before its entries", child.name())
			return
		}
	}
}

// authors sees that each entry has an author, of its own, of its source or of the feed.
func (r *report) authors(feed *element) {
	entries := feed.all(nsAtom, "entry")
	if feed.first(nsAtom, "author") != nil {
		return
	}
	if len(entries) == 0 {
		r.err(feed, ruleFeed, "<feed> has no <author>: add one, or have one in each entry")
	}
	for _, entry := range entries {
		source := entry.first(nsAtom, "source")
		if entry.first(nsAtom, "author") == nil && (source == nil || source.first(nsAtom, "author") == nil) {
			r.err(entry, ruleEntry, "<entry> has no <author>, and neither has the feed: add one to either")
		}
	}
}

// distinctIDs sees that no two entries have one id, and none that of the feed.
func (r *report) distinctIDs(feed *element) {
	seen := map[string]*element{}
	if id := feed.first(nsAtom, "id"); id != nil {
		seen[id.text] = id
	}
	for _, entry := range feed.all(nsAtom, "entry") {
		id := entry.first(nsAtom, "id")
		if id == nil || id.text == "" {
			continue
		}
		other := seen[id.text]
		switch {
		case other == nil:
			seen[id.text] = id
		case other.parent == feed:
			r.err(id, ruleID, "id %s is that of the feed, too: give the entry its own", quote(id.text))
		default:
			r.warn(id, ruleFeed, "id %s is that of the entry of line %d, too, so readers show one of them: leave one, or give each its own",
				quote(id.text), other.parent.line)
		}
	}
}

// updatedLast warns of a feed that was updated before its newest entry.
func (r *report) updatedLast(feed *element) {
	at := netTimeOf(feed, "updated")
	for _, entry := range feed.all(nsAtom, "entry") {
		if netTimeOf(entry, "updated").After(at) && !at.IsZero() {
			r.warn(feed.first(nsAtom, "updated"), ruleUpdated, "updated lies before that of the entry of line %d: write the newest",
				entry.line)
			return
		}
	}
}

// netTimeOf returns the date of a child, or the zero time.
func netTimeOf(e *element, local string) time.Time {
	date := e.first(nsAtom, local)
	if date == nil {
		return time.Time{}
	}
	t, _ := parseNetDate(date.text)
	return t
}

func atomEntry(r *report, entry *element) {
	r.parts(entry, ruleEntry, entryParts)
	r.noText(entry, ruleEntry)
	r.foreign(entry)
	r.links(entry, "", "")
	published, updated := netTimeOf(entry, "published"), netTimeOf(entry, "updated")
	if !updated.IsZero() && published.After(updated) {
		r.warn(entry.first(nsAtom, "updated"), ruleUpdated, "updated lies before published: write the later of the two")
	}
	for _, local := range []string{"archive", "complete"} {
		if mark := entry.first(nsHistory, local); mark != nil {
			r.err(mark, "RFC 5005, 2 and 4", "<%s> is about the feed: put it there", mark.name())
		}
	}
	r.substance(entry)
}

// substance sees that an entry has something to read, or says where.
func (r *report) substance(entry *element) {
	content, summary := entry.first(nsAtom, "content"), entry.first(nsAtom, "summary")
	switch {
	case content == nil && len(linksOf(entry, "alternate")) == 0:
		r.err(entry, ruleEntry, `<entry> has neither <content> nor <link rel="alternate">: add one of them`)
	case content == nil && summary == nil:
		r.warn(entry, ruleTextual, "<entry> has neither <content> nor <summary>: add one of them")
	case content == nil || summary != nil:
	case content.attr("src") != nil:
		r.err(entry, ruleEntry, "<entry> has its content elsewhere and no <summary>: add one")
	case isBase64(content):
		r.err(entry, ruleEntry, "<entry> has content in Base64 and no <summary>: add one")
	}
}

func atomSource(r *report, source *element) {
	known := map[string]part{}
	for local, p := range feedMeta {
		p.required = false
		known[local] = p
	}
	r.parts(source, ruleAtomSource, known)
	r.noText(source, ruleAtomSource)
	for _, local := range []string{"id", "title", "updated"} {
		if source.first(nsAtom, local) == nil {
			r.warn(source, ruleAtomSource, "<source> has no <%s>: add that of the feed the entry comes from", written(source.prefix, local))
		}
	}
	for _, link := range source.all(nsAtom, "link") {
		r.link(link)
	}
	r.oneAlternate(source)
}

// mediaKind returns what the type of a text construct or content is: text, html, xhtml, or a media type in small letters and
// without its parameters.
func mediaKind(e *element) string {
	if e.attr("type") == nil {
		return "text"
	}
	kind, _, _ := strings.Cut(e.get("type"), ";")
	if strings.Contains(kind, "/") {
		return strings.ToLower(strings.TrimSpace(kind))
	}
	return kind
}
