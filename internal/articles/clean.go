package articles

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// cleanRounds is how often Clean goes over a text before it gives up on its markup. Ordinary pages need two.
const cleanRounds = 8

// Clean makes foreign HTML safe to show anywhere: text, headings, lists, tables, images, formulas and links stay; scripts, styles, forms,
// frames, handlers, hidden parts and tracking pixels go. Links and image addresses are made absolute against base, the
// address of the page; those that stay relative, because base is "" or not a web address, are dropped. What old editors and word
// processors wrote becomes paragraphs, lists and emphasis; headings begin below the title's level, the first, and leave out none.
//
// Clean(Clean(x)) is Clean(x): it repeats its round until nothing changes any more. Markup that never comes to rest, or that
// is nested beyond reason, is given up: its text alone is kept.
func Clean(dirty, base string) string {
	page, err := url.Parse(base)
	if err != nil || !webScheme(page.Scheme) {
		page = nil
	}
	text := dirty
	for range cleanRounds {
		next, err := cleanRound(text, page)
		if err != nil {
			break
		}
		if next == text {
			return text
		}
		text = next
	}
	bare := html.UnescapeString(bluemonday.StrictPolicy().Sanitize(dirty))
	return paragraphsHTML(scrub(bare))
}

// cleanRound does on the tree what a policy over single tags cannot, then lets the policy decide what remains.
func cleanRound(text string, page *url.URL) (string, error) {
	root, err := parseFragment(scrub(text))
	if err != nil {
		return "", err
	}
	prune(root, page)
	tidy(root)
	rendered, err := renderChildren(root)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(policy.Sanitize(rendered)), nil
}

// elements are those that an article may have, besides links, images and formulas.
var elements = []string{
	"p", "br", "hr", "div", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "li", "dl", "dt",
	"dd", "figure", "figcaption", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
	"b", "strong", "i", "em", "u", "s", "del", "ins", "sub", "sup", "small", "mark", "code", "kbd", "samp", "var", "abbr",
	"cite", "dfn", "q", "time", "bdi", "bdo", "ruby", "rt", "rp", "wbr",
}

// kept are the elements that tidy knows.
var kept = func() map[atom.Atom]bool {
	known := atoms(atom.A, atom.Img)
	for _, name := range elements {
		known[atom.Lookup([]byte(name))] = true
	}
	return known
}()

var policy = newPolicy()

// newPolicy says what may stand in an article. There is no style, no class, no id: an article looks as its reader's place does.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(elements...)
	formulas := append(slices.Collect(maps.Keys(formulaParts)), "math")
	p.AllowElements(formulas...)
	for name, values := range formulaAttrs {
		p.AllowAttrs(name).Matching(values).OnElements(formulas...)
	}
	p.AllowNoAttrs().OnElements(append(formulas, elements...)...)
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)).Globally()
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(?:ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img", "a", "abbr")
	number := regexp.MustCompile(`^[0-9]{1,4}$`)
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("colspan", "rowspan").Matching(number).OnElements("td", "th")
	p.AllowAttrs("start").Matching(number).OnElements("ol")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireParseableURLs(true)
	return p
}

// unwanted elements go with all that is in them. Of a form only the fields go: some sites wrap the whole page in one.
var unwanted = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Iframe: true, atom.Frame: true,
	atom.Frameset: true, atom.Noframes: true, atom.Object: true, atom.Embed: true, atom.Applet: true, atom.Svg: true,
	atom.Canvas: true, atom.Audio: true, atom.Video: true, atom.Button: true, atom.Input: true,
	atom.Select: true, atom.Textarea: true, atom.Option: true, atom.Datalist: true, atom.Title: true, atom.Head: true,
	atom.Base: true, atom.Link: true, atom.Meta: true, atom.Xmp: true, atom.Plaintext: true, atom.Noembed: true,
}

// prune removes what must go with its content and makes addresses absolute.
func prune(n *html.Node, page *url.URL) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if child.DataAtom == atom.Img {
			awaited(child)
		}
		switch {
		case child.Namespace == "math" && child.Data == "math":
			if formula(child); strings.TrimSpace(inner(child)) == "" {
				n.RemoveChild(child)
			}
		case removable(child):
			n.RemoveChild(child)
		default:
			absolute(child, page)
			prune(child, page)
		}
		child = next
	}
}

func removable(n *html.Node) bool {
	switch n.Type {
	case html.TextNode:
		return false
	case html.ElementNode:
		return n.Namespace != "" || unwanted[n.DataAtom] || n.Data == "xml" || hidden(n) || n.DataAtom == atom.Img && pixel(n)
	default:
		return true
	}
}

var (
	hiddenStyle = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden`)
	pixelStyle  = regexp.MustCompile(`(?i)(?:^|[;\s])(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|$)`)
)

func hidden(n *html.Node) bool {
	_, marked := attr(n, "hidden")
	style, _ := attr(n, "style")
	return marked || hiddenStyle.MatchString(style)
}

// pixel reports whether an image is there to count its readers: no address, or at most one pixel wide or high.
func pixel(n *html.Node) bool {
	if src, _ := attr(n, "src"); strings.TrimSpace(src) == "" {
		return true
	}
	for _, side := range []string{"width", "height"} {
		value, _ := attr(n, side)
		if size, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), "px")); err == nil && size <= 1 {
			return true
		}
	}
	style, _ := attr(n, "style")
	return pixelStyle.MatchString(style)
}

// absolute rewrites the element's address against page, or takes it away. An image without one is a pixel in the next round.
func absolute(n *html.Node, page *url.URL) {
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Key == "href" || a.Key == "src" {
			a.Val = resolve(a.Val, page)
			if a.Val == "" {
				continue
			}
		}
		kept = append(kept, a)
	}
	n.Attr = kept
}

// awaited gives an image that a script would have put in place its address.
func awaited(img *html.Node) {
	src, _ := attr(img, "src")
	if src = strings.TrimSpace(src); src != "" && !strings.HasPrefix(src, "data:") && !placeholder.MatchString(src) {
		return
	}
	for _, name := range []string{"data-src", "data-original", "data-lazy-src", "data-lazy", "srcset", "data-srcset"} {
		value, _ := attr(img, name)
		if value = strings.TrimSpace(value); strings.HasSuffix(name, "srcset") {
			value, _, _ = strings.Cut(value, " ")
		}
		if value != "" && !strings.HasPrefix(value, "data:") {
			img.Attr = slices.DeleteFunc(img.Attr, func(a html.Attribute) bool { return a.Key == "src" || a.Key == name })
			img.Attr = append(img.Attr, html.Attribute{Key: "src", Val: value})
			return
		}
	}
}

// placeholder matches what stands in for an image until a script comes.
var placeholder = regexp.MustCompile(`(?i)(?:^|/)(?:blank|spacer|pixel|grey|gray|transparent|placeholder|loading|lazy)[^/]*\.(?:gif|png|svg)$`)

// resolve returns the absolute form of a reference, "" when there is none.
func resolve(ref string, page *url.URL) string {
	ref = strings.TrimSpace(ref)
	u, err := url.Parse(ref)
	if err != nil || ref == "" {
		return ""
	}
	if page != nil {
		u = page.ResolveReference(u)
	}
	if !u.IsAbs() || webScheme(u.Scheme) && !namesHost(u) {
		return ""
	}
	return u.String()
}

// namesHost reports whether an address leads anywhere. A parsed one may have quotes and brackets in its host, which no host can have.
func namesHost(u *url.URL) bool {
	return u.Hostname() != "" && !strings.ContainsAny(u.Hostname(), `"<>[]`)
}

func webScheme(scheme string) bool { return scheme == "http" || scheme == "https" }

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// parseFragment reads text as the inside of a body and returns a node that holds it. Text nested too deeply is an error.
func parseFragment(text string) (*html.Node, error) {
	nodes, err := html.ParseFragment(strings.NewReader(text), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return nil, err
	}
	root := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return root, nil
}

func renderChildren(n *html.Node) (string, error) {
	var b strings.Builder
	for child := range n.ChildNodes() {
		if err := html.Render(&b, child); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
