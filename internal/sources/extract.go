package sources

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// pageLimit is the size up to which a web page is read as an article, 4 MB of text.
const pageLimit = 4 << 20

// Extract returns the article on a web page that was found at pageURL. contentType is what the server said of it, "" when it said
// nothing. The external key is the page's address; whoever knows a better one puts it there.
//
// Facts are taken from where they are most to be trusted: JSON-LD, OpenGraph, Dublin Core, the meta elements of Chinese
// government sites, <time>, the page's address, and last what can be read on it. Times without a zone are those of the country that the
// page is from. A page on which there is no article gives an error of kind errs.Invalid that names it and says why.
func Extract(pageURL string, body []byte, contentType string) (articles.Draft, error) {
	return Reading{}.Extract(pageURL, body, contentType)
}

var (
	errUntitled  = errors.New("the article on this page has no title")
	errUnmatched = errors.New("there is no text that matches")
)

// Reading is what is known of the pages of a site. The zero value is what Extract uses.
type Reading struct {
	Content string         // CSS selector of the article's text; "": it is found
	Remove  []string       // CSS selectors of what lies within the text and does not belong to it
	Zone    *time.Location // of times that name none; nil: the page's country's
}

// Extract is the function Extract with what is known of a site.
func (r Reading) Extract(pageURL string, body []byte, contentType string) (articles.Draft, error) {
	p, err := openPage(pageURL, body, contentType)
	if err != nil {
		return articles.Draft{}, err
	}
	if r.Zone != nil {
		p.zone = r.Zone
	}
	return p.article(r)
}

// webPage is a page that is being read.
type webPage struct {
	address *url.URL
	source  string // its HTML, decoded
	doc     *goquery.Document
	story   story // what its JSON-LD says
	zone    *time.Location
	blocks  []textBlock       // of the page as it came
	fields  map[string]string // of a JCMS template
	shell   bool              // scripts fill it
}

func openPage(pageURL string, body []byte, contentType string) (*webPage, error) {
	address, err := url.Parse(articles.WebAddress(pageURL, ""))
	if err != nil || address.Host == "" {
		return nil, errs.New(errs.Invalid, "%q is not a web address", pageURL)
	}
	if len(body) > pageLimit {
		return nil, errs.New(errs.Invalid, "%s: the page has %d bytes, more than the %d that are read", address, len(body), pageLimit)
	}
	source, err := pageText(body, contentType)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", address, err)
	}
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return nil, errs.New(errs.Invalid, "%s cannot be read as HTML: %w", address, err)
	}
	return newPage(address, source, goquery.NewDocumentFromNode(root)), nil
}

func newPage(address *url.URL, source string, doc *goquery.Document) *webPage {
	p := &webPage{address: address, source: source, doc: doc, story: readStory(doc, address), fields: templateFields(source)}
	p.blocks, p.shell = textBlocks(doc.Find("body")), scripted(doc)
	p.zone = zoneOf(address, doc, p.blocks)
	return p
}

// pageText returns the text of what should be a web page.
func pageText(body []byte, contentType string) (string, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return "", errors.New("the page is empty")
	}
	kind, _, _ := strings.Cut(http.DetectContentType(body), ";")
	family, _, _ := strings.Cut(kind, "/")
	if family != "text" && kind != "application/octet-stream" { // which a page in another encoding may look like
		return "", fmt.Errorf("this is no web page but %s", kind)
	}
	text := decodePage(body, contentType)
	if strings.ContainsRune(text, 0) {
		return "", errors.New("this is no web page but a binary file")
	}
	return text, nil
}

// article puts together what the page says. The order matters: reading the text takes the page apart.
func (p *webPage) article(r Reading) (articles.Draft, error) {
	d := p.facts()
	text := p.text(r, &d)
	d.HTML, d.Text = text.html, text.plain
	if d.Language != "" && wrongScript(d.Language, text.words) {
		d.Language = ""
	}
	switch {
	case text.empty() && r.Content != "":
		return d, errs.New(errs.Invalid, "%s: %w content = %q; the site may have changed", p.address, errUnmatched, r.Content)
	case text.empty() && p.shell:
		return d, errs.New(errs.Invalid, "%s: the text of this page is made by scripts, which are not run", p.address)
	case text.empty():
		return d, errs.New(errs.Invalid, "%s: there is no article on this page", p.address)
	case d.Title == "":
		return d, errs.New(errs.Invalid, "%s: %w", p.address, errUntitled)
	}
	return d, nil
}

// facts returns everything but the text.
func (p *webPage) facts() articles.Draft {
	d := headDraft(p.doc)
	d.URL = p.canonical()
	d.ExternalKey = p.address.String()
	d.Title = p.title()
	d.Summary = cmp.Or(p.story.description, p.meta("og:description", "dcterms.abstract", "description"))
	d.Language = p.language()
	d.Section = cmp.Or(p.story.section, p.meta("article:section", "ColumnName", "ColumnKeywords"))
	d.Tags = firstNonEmpty(p.story.tags, metaAll(p.doc, "article:tag"), p.relTags())
	d.Authors = p.authors()
	d.ImageURL = articles.WebAddress(cmp.Or(p.story.image, p.meta("og:image:secure_url", "og:image", "twitter:image")), p.address.String())
	d.Published = p.published(d.Title).Time
	d.Updated = p.updated()
	d.TranslationKey = translationKey(p.alternates(), d.URL, p.address.String())
	if d.Summary == d.Title {
		d.Summary = ""
	}
	return d
}

func (p *webPage) meta(names ...string) string { return articles.OneLine(meta(p.doc, names...)) }

// canonical returns the address that the page says is its own. Many templates say that of the site's first page.
func (p *webPage) canonical() string {
	link, _ := p.doc.Find(`link[rel="canonical"]`).First().Attr("href")
	for _, claim := range []string{link, meta(p.doc, "og:url")} {
		address := articles.WebAddress(claim, p.address.String())
		u, err := url.Parse(address)
		if address != "" && err == nil && (len(strings.Trim(u.Path, "/")) > 0 || u.RawQuery != "") && sameSite(u.Hostname(), p.address.Hostname()) {
			return address
		}
	}
	return p.address.String()
}

// sameSite reports whether two hosts are one but for "www." and the like: one ends with the other.
func sameSite(a, b string) bool {
	a, b = strings.TrimPrefix(strings.ToLower(a), "www."), strings.TrimPrefix(strings.ToLower(b), "www.")
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// language returns what the page claims to be written in, "" when it claims nothing.
func (p *webPage) language() string {
	lang, _ := p.doc.Find("html").First().Attr("lang")
	xml, _ := p.doc.Find("html").First().Attr("xml:lang")
	locale := strings.ReplaceAll(meta(p.doc, "og:locale"), "_", "-")
	for _, claim := range []string{p.story.language, lang, xml, meta(p.doc, "dc.language", "dcterms.language", "content-language"), locale} {
		if tag, err := language.Parse(claim); err == nil {
			return tag
		}
	}
	return ""
}

// wrongScript reports whether a text is not written in the script of the language that it is said to be in: templates say en
// of pages in Chinese.
func wrongScript(claim, text string) bool {
	_, claimed, _ := strings.Cut(language.Key(claim), "-")
	_, seen, _ := strings.Cut(language.Key(articles.DetectLanguage(text)), "-")
	han := func(script string) bool { return script == "Hans" || script == "Hant" }
	return claimed != seen && (!han(claimed) || !han(seen))
}

// authors returns who wrote it, else where the site has it from.
func (p *webPage) authors() []string {
	names := firstNonEmpty(p.story.authors, p.metaNames("article:author"), p.metaNames("dc.creator", "dcterms.creator"),
		p.metaNames("author"), p.metaNames("byl"), p.metaNames("ContentSource"), p.metaNames("source"))
	if len(names) > 0 {
		return names
	}
	if source := cmp.Or(p.field("来源", "信息来源", "文章来源"), p.writtenSource()); source != "" && columns(source) <= 80 {
		names = []string{source}
	}
	return names
}

// writtenSource returns where a Chinese page says above its text that it has it from.
func (p *webPage) writtenSource() string {
	for _, b := range p.blocks[:p.firstProse()] {
		if at := sourceLabel.FindStringSubmatch(b.text); at != nil {
			return at[1]
		}
	}
	return ""
}

var sourceLabel = regexp.MustCompile(`(?:来源|來源|发布单位|發布單位)\s?[:：]\s?([\p{Han}\p{L}]{2,20})`)

// metaNames returns the contents of meta elements that are names and no addresses.
func (p *webPage) metaNames(names ...string) (found []string) {
	for _, name := range names {
		for _, content := range metaAll(p.doc, name) {
			if content = articles.OneLine(content); !strings.Contains(content, "://") && columns(content) <= 80 {
				found = append(found, content)
			}
		}
	}
	return found
}

// relTags returns the words of links that are marked as tags, when they are few enough to be those of one article.
func (p *webPage) relTags() (tags []string) {
	const most = 20
	links := p.doc.Find(`a[rel~="tag"]`)
	if links.Length() > most {
		return nil
	}
	for _, link := range links.EachIter() {
		if tag := words(link); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// scripted reports whether a page is a shell that scripts fill.
func scripted(doc *goquery.Document) bool {
	return doc.Find("#root, #app, #__next, #__nuxt, app-root, [ng-app], noscript").Length() > 0 && doc.Find("script").Length() > 0
}

func firstNonEmpty(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}
