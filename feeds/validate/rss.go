package validate

import (
	"strings"
	"time"
)

// RSS 2.0 has no numbers for its sections; these are their headings.
const (
	ruleRSS        = "RSS 2.0, what is RSS"
	ruleChannel    = "RSS 2.0, elements of <channel>"
	ruleItem       = "RSS 2.0, elements of <item>"
	ruleGUID       = "RSS 2.0, <guid>"
	ruleEnclosure  = "RSS 2.0, <enclosure>"
	ruleSource     = "RSS 2.0, <source>"
	ruleLinks      = "RSS 2.0, comments" // addresses begin with a registered scheme
	ruleRSSDates   = "RSS profile, dates and times"
	ruleRSSText    = "RSS profile, character data"
	ruleRSSMail    = "RSS profile, email addresses"
	ruleRSSOrder   = "RSS profile, <item>"
	ruleRSSSelf    = "RSS profile, atom:link"
	ruleRSSContent = "RSS profile, content:encoded"
)

var channelParts = map[string]part{
	"title":          {required: true, check: rssTitle},
	"link":           {required: true, check: rssAddress},
	"description":    {required: true, check: rssText},
	"language":       {check: rssLanguage},
	"copyright":      {check: rssText},
	"managingEditor": {check: rssMail},
	"webMaster":      {check: rssMail},
	"pubDate":        {check: rssDate},
	"lastBuildDate":  {check: rssDate},
	"category":       {many: true, attrs: "domain", check: rssTitle},
	"generator":      {check: rssText},
	"docs":           {check: rssAddress},
	"cloud":          {attrs: "domain port path registerProcedure protocol", check: rssCloud},
	"ttl":            {check: rssTTL},
	"image":          {holds: true, check: rssImage},
	"rating":         {},
	"textInput":      {holds: true, check: rssTextInput},
	"skipHours":      {holds: true, check: rssSkipHours},
	"skipDays":       {holds: true, check: rssSkipDays},
	"item":           {many: true, holds: true, check: rssItem},
}

var itemParts = map[string]part{
	"title":       {check: rssTitle},
	"link":        {check: rssAddress},
	"description": {check: func(r *report, e *element) { r.html(e, e.text, e.hasBase()) }},
	"author":      {check: rssMail},
	"category":    {many: true, attrs: "domain", check: rssTitle},
	"comments":    {check: rssAddress},
	"enclosure":   {many: true, attrs: "url length type", check: rssEnclosure, rule: ruleEnclosure},
	"guid":        {attrs: "isPermaLink", check: rssGUID, rule: ruleGUID},
	"pubDate":     {check: rssDate},
	"source":      {attrs: "url", check: rssSource, rule: ruleSource},
}

// checkRSS checks a document of RSS 2.0.
func checkRSS(r *report, body []byte) {
	root := r.readXML(body)
	switch {
	case root == nil:
		return
	case !root.is("", "rss"):
		r.err(root, ruleRSS, "the root is <%s> in namespace %s: begin with <rss> in none", root.name(), quote(root.space))
		return
	}
	r.parts(root, ruleRSS, map[string]part{"channel": {required: true, holds: true, check: rssChannel}})
	r.attributes(root, ruleRSS, "version")
	r.noText(root, ruleRSS)
	if version, ok := r.needs(root, ruleRSS, "version"); ok && version.value != "2.0" {
		r.err(version, ruleRSS, "version is %s: write 2.0, whose rules are the ones looked at here", quote(version.value))
	}
}

func rssChannel(r *report, channel *element) {
	r.parts(channel, ruleChannel, channelParts)
	r.noText(channel, ruleChannel)
	r.extensions(channel)
	r.links(channel, "application/rss+xml", ruleRSSSelf)
	r.history(channel)
	r.overlaps(channel, channelOverlaps)
	items := channel.all("", "item")
	r.itemsLast(channel)
	r.distinctGUIDs(items)
	r.builtAfter(channel, items)
}

// itemsLast warns of the first element that stands behind items.
func (r *report) itemsLast(channel *element) {
	behind := false
	for _, child := range channel.children {
		switch {
		case child.is("", "item"):
			behind = true
		case behind && (child.space == "" || child.is(nsAtom, "link")):
			r.warn(child, ruleRSSOrder, "<%s> stands behind an <item>: put what describes the channel before its items", child.name())
			return
		}
	}
}

func (r *report) distinctGUIDs(items []*element) {
	lines := map[string]int{}
	for _, item := range items {
		guid := item.first("", "guid")
		if guid == nil || guid.trimmed() == "" {
			continue
		}
		if line := lines[guid.trimmed()]; line > 0 {
			r.err(guid, ruleGUID, "guid %s is that of line %d, too: give each item its own", quote(guid.trimmed()), line)
			continue
		}
		lines[guid.trimmed()] = guid.line
	}
}

// builtAfter warns of a lastBuildDate before the newest item.
func (r *report) builtAfter(channel *element, items []*element) {
	built := mailTimeOf(channel, "lastBuildDate")
	for _, item := range items {
		if published := mailTimeOf(item, "pubDate"); !built.IsZero() && published.After(built) {
			r.warn(channel.first("", "lastBuildDate"), ruleChannel, "lastBuildDate lies before the pubDate of line %d: write when the channel last changed",
				item.first("", "pubDate").line)
			return
		}
	}
}

// mailTimeOf returns the date of a child, or the zero time.
func mailTimeOf(e *element, local string) time.Time {
	date := e.first("", local)
	if date == nil {
		return time.Time{}
	}
	t, _ := parseMailDate(date.trimmed())
	return t
}

func rssItem(r *report, item *element) {
	r.parts(item, ruleItem, itemParts)
	r.noText(item, ruleItem)
	r.extensions(item)
	r.links(item, "", "")
	r.overlaps(item, itemOverlaps)
	if item.first("", "title") == nil && item.first("", "description") == nil {
		r.err(item, ruleItem, "<item> has neither <title> nor <description>: add one of them")
	}
	if item.first("", "guid") == nil {
		r.warn(item, "RSS profile, <guid>", "<item> has no <guid>, by which readers know it again: add one")
	}
	if enclosures := item.all("", "enclosure"); len(enclosures) > 1 {
		r.warn(enclosures[1], "RSS profile, <enclosure>", "<item> has %d enclosures, of which many readers see one: leave one",
			len(enclosures))
	}
	r.descriptionFirst(item)
}

// descriptionFirst warns of a content:encoded that no description stands before.
func (r *report) descriptionFirst(item *element) {
	for _, child := range item.children {
		switch {
		case child.is("", "description"):
			return
		case child.is(nsContent, "encoded"):
			r.warn(child, ruleRSSContent, "<%s> has no <description> before it: put a summary there", child.name())
			return
		}
	}
}

func rssTitle(r *report, e *element) {
	r.filled(e, ruleBlank)
	rssText(r, e)
}

func rssText(r *report, e *element) { r.plain(e, ruleRSSText, e.text) }

func rssAddress(r *report, e *element) {
	r.value(e, ruleLinks, e.trimmed(), addressFault(e.trimmed(), wholeAddress))
}

func rssLanguage(r *report, e *element) {
	r.value(e, ruleChannel, e.trimmed(), languageFault(e.trimmed()))
}

func rssDate(r *report, e *element) { r.mailTime(e, ruleRSSDates, e.trimmed()) }

func rssTTL(r *report, e *element) {
	r.value(e, ruleChannel, e.trimmed(), atLeastFault(e.trimmed(), 1))
}

// rssMail checks the address of a person: the profile wants it as "address (Name)".
func rssMail(r *report, e *element) {
	value := e.trimmed()
	address, name, named := strings.Cut(value, " (")
	switch {
	case !email.MatchString(address) && !strings.Contains(value, "@"):
		r.err(e, ruleRSSMail, "%s %s is not an address of mail: write office@example.org (Press office), or use dc:creator for a name",
			e.name(), quote(value))
	case !email.MatchString(address) || named && !strings.HasSuffix(name, ")"):
		r.warn(e, ruleRSSMail, "%s %s is not in the usual form: write office@example.org (Press office)", e.name(), quote(value))
	case !named:
		r.warn(e, ruleRSSMail, "%s %s has no name: write office@example.org (Press office)", e.name(), quote(value))
	}
}

func rssGUID(r *report, guid *element) {
	value, link := guid.trimmed(), true
	if a := guid.attr("isPermaLink"); a != nil {
		r.value(a, ruleGUID, a.value, oneOfFault(a.value, "true", "false"))
		link = a.value != "false"
	}
	switch {
	case value == "":
		r.err(guid, ruleGUID, "guid is empty: write what the item is known by, or leave it out")
	case link && addressFault(value, webAddress).severity == Error:
		r.err(guid, ruleGUID, `guid %s is not an address on the web, though it is said to be one: write isPermaLink="false"`,
			quote(value))
	}
}

func rssEnclosure(r *report, e *element) {
	if a, ok := r.needs(e, ruleEnclosure, "url"); ok {
		r.value(a, ruleEnclosure, a.value, addressFault(a.value, webAddress))
	}
	if a, ok := r.needs(e, ruleEnclosure, "length"); ok {
		r.value(a, ruleEnclosure, a.value, atLeastFault(a.value, 0))
	}
	if a, ok := r.needs(e, ruleEnclosure, "type"); ok {
		r.value(a, ruleEnclosure, a.value, mediaTypeFault(a.value))
	}
}

func rssSource(r *report, e *element) {
	if a, ok := r.needs(e, ruleSource, "url"); ok {
		r.value(a, ruleSource, a.value, addressFault(a.value, wholeAddress))
	}
	rssText(r, e)
}
