package validate

import (
	"slices"
	"strings"
)

const (
	ruleFeed     = "RFC 4287, 4.1.1"
	ruleEntry    = "RFC 4287, 4.1.2"
	ruleLink     = "RFC 4287, 4.2.7"
	ruleHref     = "RFC 4287, 4.2.7.1"
	ruleRel      = "RFC 4287, 4.2.7.2"
	ruleLinkType = "RFC 4287, 4.2.7.3"
	ruleHreflang = "RFC 4287, 4.2.7.4"
	ruleLength   = "RFC 4287, 4.2.7.6"
)

// relations are the names of links that are registered and at home in feeds. Others are written as addresses.
var relations = strings.Fields("about alternate amphtml appendix archives author bookmark canonical cite-as collection contents copyright " +
	"current describedby describes disclosure duplicate edit edit-form edit-media enclosure first glossary help hosts hub icon index item " +
	"last latest-version license lrdd me memento monitor next next-archive nofollow original payment predecessor-version prev " +
	"prev-archive preview previous privacy-policy profile related replies search section self service shortlink start stylesheet " +
	"subsection successor-version tag terms-of-service timemap type up version-history via working-copy")

// history are the relations that tie the documents of one feed together (RFC 5005).
var history = []string{"first", "last", "previous", "next", "current", "prev-archive", "next-archive"}

// rel returns the relation of a link.
func rel(link *element) string {
	if link.attr("rel") == nil {
		return "alternate"
	}
	return strings.TrimPrefix(link.get("rel"), "http://www.iana.org/assignments/relation/")
}

// linksOf returns the links of a relation.
func linksOf(e *element, relation string) (found []*element) {
	for _, link := range e.all(nsAtom, "link") {
		if rel(link) == relation {
			found = append(found, link)
		}
	}
	return found
}

// links checks the atom:link elements of a feed, a channel or an entry. own is the media type of the document, when the links are
// those of a whole feed, and rule says where it is asked to name itself.
func (r *report) links(e *element, own, rule string) {
	for _, link := range e.all(nsAtom, "link") {
		r.link(link)
		if own == "" && slices.Contains(history, rel(link)) {
			r.warn(link, "W3C feed validator, FeedHistoryRelInEntry", `<%s rel="%s"> is about the feed: put it there`,
				link.name(), rel(link))
		}
	}
	r.oneAlternate(e)
	if own != "" {
		r.self(e, own, rule)
	}
}

func (r *report) link(link *element) {
	r.attributes(link, ruleLink, "href rel type hreflang title length")
	if link.trimmed() != "" || len(link.children) > 0 {
		r.warn(link, "W3C feed validator, AtomLinkNotEmpty", "<%s> holds text or elements, which readers ignore: say everything in its attributes",
			link.name())
	}
	if href, ok := r.needs(link, ruleHref, "href"); ok && !r.value(href, ruleHref, href.value, addressFault(href.value, reference)) {
		r.whole(href)
	}
	if a := link.attr("rel"); a != nil {
		r.relation(a)
	}
	if a := link.attr("type"); a != nil {
		r.value(a, ruleLinkType, a.value, mediaTypeFault(a.value))
	}
	if a := link.attr("hreflang"); a != nil {
		r.value(a, ruleHreflang, a.value, languageFault(a.value))
	}
	if a := link.attr("length"); a != nil {
		r.value(a, ruleLength, a.value, atLeastFault(a.value, 0))
	}
	if rel(link) == "enclosure" && link.attr("length") == nil {
		r.warn(link, ruleRel, `<%s rel="enclosure"> has no attribute length: add the size in bytes`, link.name())
	}
}

// whole warns of an address that is relative to nothing but where the document was found.
func (r *report) whole(a *attribute) {
	if !scheme.MatchString(a.value) && !a.of.hasBase() {
		r.value(a, ruleRelative, a.value, unwise("is relative to where the document is found: write the whole address"))
	}
}

func (r *report) relation(a *attribute) {
	switch {
	case a.value == "":
		r.err(a, ruleRel, "rel is empty: name a relation, or leave the attribute out")
	case strings.Contains(a.value, ":"):
		r.value(a, ruleRel, a.value, addressFault(a.value, wholeIRI))
	case strings.ContainsAny(a.value, "/?#") || addressFault(a.value, reference).severity == Error:
		r.value(a, ruleRel, a.value, wrong("is neither a name nor a whole address: write one of them"))
	case !slices.Contains(relations, rel(a.of)):
		r.value(a, "W3C feed validator, UnregisteredAtomLinkRel", a.value, unwise("is not registered: use a registered relation, or a whole address of your own"))
	}
}

// oneAlternate sees that of alternate links no two have the same type and language.
func (r *report) oneAlternate(e *element) {
	type version struct{ mediaType, language string }
	seen := map[version]bool{}
	rule := ruleEntry
	if e.local != "entry" {
		rule = ruleFeed
	}
	for _, link := range linksOf(e, "alternate") {
		v := version{strings.ToLower(link.get("type")), strings.ToLower(link.get("hreflang"))}
		if seen[v] {
			r.err(link, rule, `<%s rel="alternate"> with type %s and hreflang %s is there more than once: leave one, or tell them apart`,
				link.name(), quote(v.mediaType), quote(v.language))
		}
		seen[v] = true
	}
}

// self sees that a feed says where it is to be found.
func (r *report) self(e *element, own, rule string) {
	links := linksOf(e, "self")
	if len(links) == 0 {
		r.warn(e, rule, `<%s> has no <atom:link rel="self">: add one with the feed's own address`, e.name())
		return
	}
	if len(links) > 1 {
		r.warn(links[1], rule, `<%s rel="self"> is there more than once: leave one`, links[1].name())
	}
	if a := links[0].attr("type"); a != nil && !strings.HasPrefix(strings.ToLower(a.value), own) {
		r.value(a, "W3C feed validator, SelfNotAtom", a.value, unwise("is not the type of this document: write %s", own))
	}
}
