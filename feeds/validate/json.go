package validate

import (
	"slices"
	"strings"
)

// JSON Feed has no numbers for its sections; these are their headings.
const (
	ruleTop         = "JSON Feed 1.1, top-level"
	ruleJSONItems   = "JSON Feed 1.1, items"
	ruleAttachments = "JSON Feed 1.1, attachments"
	ruleExtensions  = "JSON Feed 1.1, extensions"
	ruleDeprecated  = "JSON Feed 1.1, deprecations"
	ruleHubs        = "JSON Feed 1.1, subscribing to real-time notifications"
)

// field is what is known of a member of an object.
type field struct {
	kind     string
	required bool
	check    func(*report, *node)
}

var topFields = map[string]field{
	"version":       {kind: isString, required: true, check: jsonVersion},
	"title":         {kind: isString, required: true, check: jsonTitle},
	"home_page_url": {kind: isString, check: jsonAddress},
	"feed_url":      {kind: isString, check: jsonAddress},
	"description":   {kind: isString, check: jsonText},
	"user_comment":  {kind: isString},
	"next_url":      {kind: isString, check: jsonAddress},
	"icon":          {kind: isString, check: jsonAddress},
	"favicon":       {kind: isString, check: jsonAddress},
	"author":        {kind: isObject, check: jsonOldAuthor},
	"authors":       {kind: isArray, check: jsonAuthors},
	"language":      {kind: isString, check: jsonLanguage},
	"expired":       {kind: isBoolean},
	"hubs":          {kind: isArray, check: jsonHubs},
	"items":         {kind: isArray, required: true, check: jsonItems},
}

var itemFields = map[string]field{
	"id":             {kind: isString, required: true, check: jsonID},
	"url":            {kind: isString, check: jsonAddress},
	"external_url":   {kind: isString, check: jsonAddress},
	"title":          {kind: isString, check: jsonTitle},
	"content_html":   {kind: isString, check: func(r *report, n *node) { r.html(n, n.text, false) }},
	"content_text":   {kind: isString},
	"summary":        {kind: isString, check: jsonText},
	"image":          {kind: isString, check: jsonAddress},
	"banner_image":   {kind: isString, check: jsonAddress},
	"date_published": {kind: isString, check: jsonDate},
	"date_modified":  {kind: isString, check: jsonDate},
	"author":         {kind: isObject, check: jsonOldAuthor},
	"authors":        {kind: isArray, check: jsonAuthors},
	"tags":           {kind: isArray, check: jsonTags},
	"language":       {kind: isString, check: jsonLanguage},
	"attachments":    {kind: isArray, check: jsonAttachments},
}

var authorFields = map[string]field{
	"name":   {kind: isString, check: jsonTitle},
	"url":    {kind: isString, check: jsonAddress},
	"avatar": {kind: isString, check: jsonAddress},
}

var attachmentFields = map[string]field{
	"url":                 {kind: isString, required: true, check: jsonAddress},
	"mime_type":           {kind: isString, required: true, check: jsonMediaType},
	"title":               {kind: isString, check: jsonTitle},
	"size_in_bytes":       {kind: isNumber, check: jsonAmount},
	"duration_in_seconds": {kind: isNumber, check: jsonAmount},
}

var hubFields = map[string]field{
	"type": {kind: isString, required: true, check: jsonTitle},
	"url":  {kind: isString, required: true, check: jsonAddress},
}

// checkJSON checks a document of JSON Feed 1.1.
func checkJSON(r *report, body []byte) {
	feed := r.readJSON(body)
	if feed == nil {
		return
	}
	if feed.kind != isObject {
		r.err(feed, ruleTop, "the document is %s: a feed is an object", feed.kind)
		return
	}
	r.fields(feed, ruleTop, topFields)
	if len(feed.members) > 0 && feed.members[0].key != "version" && feed.member("version") != nil {
		r.warn(feed.member("version"), ruleTop, "version stands behind other fields: put it first")
	}
	for _, key := range []string{"home_page_url", "feed_url"} {
		if feed.member(key) == nil {
			r.warn(feed, ruleTop, "the feed has no %s: add it, a feed on the web needs it", key)
		}
	}
	if next := feed.get("next_url"); next != "" && next == feed.get("feed_url") {
		r.err(feed.member("next_url"), ruleTop, "next_url is the feed_url, so readers go in circles: write the address of the next page")
	}
}

// fields checks the members of an object: that each is known and of its kind, and that none is missing.
func (r *report) fields(object *node, rule string, known map[string]field) {
	seen := map[string]bool{}
	for _, m := range object.members {
		f, ok := known[m.key]
		switch {
		case m.again: // that was told when it was read
		case !ok:
			r.unknown(m)
		case m.kind != f.kind && f.required:
			r.err(m, rule, "%s is %s: make it %s", m.name(), m.kind, f.kind)
		case m.kind != f.kind:
			r.err(m, rule, "%s is %s: make it %s, or leave it out", m.name(), m.kind, f.kind)
		default:
			r.undamaged(m, m.text)
			if f.check != nil {
				f.check(r, m)
			}
		}
		seen[m.key] = true
	}
	var missing []string
	for key, f := range known {
		if f.required && !seen[key] {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	for _, key := range missing {
		r.err(object, rule, "%s has no %s: add it", described(object), key)
	}
}

// described returns what to call an object that something is missing from.
func described(object *node) string {
	if object.parent == nil {
		return "the feed"
	}
	return "one of " + object.name()
}

// unknown sees a field that nobody knows. Names with a _ are left to everybody.
func (r *report) unknown(m *node) {
	switch {
	case !strings.HasPrefix(m.key, "_"):
		r.warn(m, ruleExtensions, "%s is not a field of JSON Feed: leave it out, or let its name begin with _", quote(m.key))
	case strings.Contains(m.key, ".") || len(m.key) < 2 || !isLetter(m.key[1]):
		r.warn(m, ruleExtensions, "%s is not a name for a field of one's own: write _, a letter, and no dots", quote(m.key))
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 }

// elements checks the elements of an array that are to be of one kind.
func (r *report) elements(array *node, kind, rule string, check func(*node)) {
	for _, n := range array.members {
		if n.kind != kind {
			r.err(n, rule, "one of %s is %s: make it %s", n.name(), n.kind, kind)
			continue
		}
		check(n)
	}
}

// sectionOf returns where a field is written of.
func sectionOf(n *node) string {
	switch n.parent.name() {
	case "items", "tags":
		return ruleJSONItems
	case "attachments":
		return ruleAttachments
	case "hubs":
		return ruleHubs
	}
	return ruleTop
}

func jsonVersion(r *report, n *node) {
	switch n.text {
	case "https://jsonfeed.org/version/1.1":
	case "https://jsonfeed.org/version/1":
		r.value(n, ruleTop, n.text, unwise("is the old version: write https://jsonfeed.org/version/1.1"))
	default:
		r.value(n, ruleTop, n.text, wrong("is not a version of JSON Feed: write https://jsonfeed.org/version/1.1"))
	}
}

func jsonTitle(r *report, n *node) {
	if strings.TrimSpace(n.text) == "" {
		r.warn(n, sectionOf(n), "%s is empty: fill it, or leave it out", n.name())
	}
	jsonText(r, n)
}

// jsonText checks plain text: the only HTML is in content_html.
func jsonText(r *report, n *node) { r.plain(n, ruleJSONItems, n.text) }

func jsonAddress(r *report, n *node) {
	r.value(n, sectionOf(n), n.text, addressFault(n.text, wholeAddress))
}

func jsonLanguage(r *report, n *node) { r.value(n, "RFC 5646, 2.1", n.text, languageFault(n.text)) }

// jsonDate checks a date; JSON Feed has no rule for the case of T and Z.
func jsonDate(r *report, n *node) { r.netTime(n, ruleJSONItems, strings.ToUpper(n.text)) }

func jsonMediaType(r *report, n *node) { r.value(n, ruleAttachments, n.text, mediaTypeFault(n.text)) }

func jsonAmount(r *report, n *node) {
	if strings.HasPrefix(n.text, "-") {
		r.value(n, ruleAttachments, n.text, wrong("is less than nothing: write how much it is, or leave it out"))
	}
}

func jsonID(r *report, n *node) {
	if strings.TrimSpace(n.text) == "" {
		r.err(n, ruleJSONItems, "id is empty: write what the item is known by")
	}
}

func jsonOldAuthor(r *report, n *node) {
	if n.parent.member("authors") == nil {
		r.warn(n, ruleDeprecated, "author is of JSON Feed 1: write authors, an array")
	}
	r.author(n)
}

func (r *report) author(n *node) {
	r.fields(n, ruleTop, authorFields)
	if n.member("name") == nil && n.member("url") == nil && n.member("avatar") == nil {
		r.err(n, ruleTop, "one of %s has none of name, url and avatar: add one", n.name())
	}
}

func jsonAuthors(r *report, n *node) { r.elements(n, isObject, ruleTop, r.author) }

func jsonHubs(r *report, n *node) {
	r.elements(n, isObject, ruleHubs, func(hub *node) { r.fields(hub, ruleHubs, hubFields) })
}

func jsonTags(r *report, n *node) {
	r.elements(n, isString, ruleJSONItems, func(tag *node) {
		r.undamaged(tag, tag.text)
		jsonTitle(r, tag)
	})
}

func jsonAttachments(r *report, n *node) {
	r.elements(n, isObject, ruleAttachments, func(attachment *node) { r.fields(attachment, ruleAttachments, attachmentFields) })
}

func jsonItems(r *report, items *node) {
	lines := map[string]int{}
	r.elements(items, isObject, ruleJSONItems, func(item *node) {
		r.item(item)
		id := item.member("id")
		switch {
		case id == nil || id.kind != isString || id.text == "":
		case lines[id.text] > 0:
			r.err(id, ruleJSONItems, "id %s is that of line %d, too: give each item its own", quote(id.text), lines[id.text])
		default:
			lines[id.text] = id.line
		}
	})
}

func (r *report) item(item *node) {
	r.fields(item, ruleJSONItems, itemFields)
	if item.member("content_html") == nil && item.member("content_text") == nil {
		r.err(item, ruleJSONItems, "one of items has neither content_html nor content_text: add one of them")
	}
	published, p := parseNetDate(strings.ToUpper(item.get("date_published")))
	modified, m := parseNetDate(strings.ToUpper(item.get("date_modified")))
	if p == (fault{}) && m == (fault{}) && modified.Before(published) {
		r.warn(item.member("date_modified"), ruleJSONItems, "date_modified lies before date_published: write the later of the two")
	}
}
