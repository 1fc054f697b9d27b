package templates

import (
	"bytes"
	"cmp"
	"fmt"
	stdhtml "html"
	"html/template"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// introduction is what an editor wrote above the articles.
type introduction struct {
	HTML template.HTML
	tree *html.Node
}

// markdown reads CommonMark without HTML: a tag is text like any other.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100), util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300), util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500), util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700), util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000)),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100), util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300), util.Prioritized(parser.NewEmphasisParser(), 500)),
		parser.WithParagraphTransformers(util.Prioritized(parser.LinkReferenceParagraphTransformer, 100)))),
	goldmark.WithExtensions(extension.Linkify, extension.NewCJK(extension.WithEastAsianLineBreaks())),
)

// introduce lays out Markdown in a language for a digest in another or the same. What is no heading, paragraph, list, quotation, line, emphasis, code or link is its words alone,
// and a picture is a link to it: nothing is loaded from where an editor says.
func introduce(source, around, lang string, looks *looks) (introduction, error) {
	var rendered bytes.Buffer
	if err := markdown.Convert([]byte(strings.Map(plainRune, strings.ToValidUTF8(source, "\ufffd"))), &rendered); err != nil {
		return introduction{}, fmt.Errorf("introduction: %w", err)
	}
	nodes, err := html.ParseFragment(&rendered, &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return introduction{}, fmt.Errorf("introduction: %w", err)
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	l := layout{lang: lang, looks: looks}
	l.blocks(root)
	laid := l.html.String()
	if lang != around && laid != "" {
		align := ""
		if looks != nil { // Outlook on Windows does not follow dir
			align = fmt.Sprintf(` align="%s"`, start(lang))
		}
		laid = fmt.Sprintf("<div lang=\"%s\" dir=\"%s\"%s>\n%s</div>\n", languageTag(lang), direction(lang), align, laid)
	}
	return introduction{HTML: template.HTML(laid), tree: root}, nil //nolint:gosec // written by layout, which escapes
}

// introduction lays out Markdown for a page in the language of the product's words; in is its own language, "" the same.
func (w *words) introduction(source, in string) (template.HTML, error) {
	made, err := introduce(source, w.tag, cmp.Or(in, w.tag), nil)
	return made.HTML, err
}

// text returns an introduction in lines of at most 72 columns. A link is followed by its number, and the links stand below; counted is how many
// the text has counted before, and after.
func (i introduction) text(counted int) (text string, after int) {
	l := layout{counted: counted}
	text = l.text(i.tree, columns, "\n\n")
	var below strings.Builder
	for n, link := range l.links {
		fmt.Fprintf(&below, "\n[%d] %s", counted+n+1, link)
	}
	if len(l.links) > 0 {
		text += "\n" + below.String()
	}
	return text, counted + len(l.links)
}

// plainRune drops what would reach beyond its own place, as line does, and keeps the form of lines.
func plainRune(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r):
		return ' '
	case overrides(r):
		return -1
	}
	return r
}

// layout writes the tree of an introduction anew, with the looks of a mail.
type layout struct {
	lang  string
	looks *looks // nil: for a page
	html  strings.Builder

	counted int
	links   []string
}

func (l *layout) open(tag, class, style string) {
	l.html.WriteString("<" + tag + l.look(class, style) + ">")
}

// look returns the attributes of a tag for its looks: none on a page, which has a stylesheet.
func (l *layout) look(class, style string) string {
	if l.looks == nil {
		return ""
	}
	return fmt.Sprintf(` class="%s" %s`, class, l.looks.Style(style, l.lang))
}

func (l *layout) shut(tag string) { l.html.WriteString("</" + tag + ">") }

// blocks writes the children of a node, which are blocks or, in a tight list, words.
func (l *layout) blocks(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.DataAtom {
		case atom.P:
			l.words(c, "p", "text")
		case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			l.words(c, "h2", "heading")
		case atom.Ul, atom.Ol:
			l.list(c)
		case atom.Blockquote:
			l.open("blockquote", "quote", "quote-"+start(l.lang))
			l.blocks(c)
			l.shut("blockquote")
		case atom.Pre:
			l.open("p", "ink", "code")
			l.html.WriteString(strings.ReplaceAll(stdhtml.EscapeString(strings.TrimRight(content(c), "\n")), "\n", "<br>"))
			l.shut("p")
		case atom.Hr:
			l.open("p", "soft", "rule")
			l.html.WriteString("* * *")
			l.shut("p")
		default:
			if c.Type != html.TextNode || strings.TrimSpace(c.Data) != "" {
				l.inline(c)
			}
		}
	}
}

func (l *layout) words(n *html.Node, tag, style string) {
	l.open(tag, "ink", style)
	l.inlines(n)
	l.shut(tag)
	l.html.WriteByte('\n')
}

func (l *layout) list(n *html.Node) {
	from := ""
	if first := number(attributeOf(n, "start")); first != 1 {
		from = fmt.Sprintf(` start="%d"`, first)
	}
	fmt.Fprintf(&l.html, "<%s%s%s>\n", n.Data, from, l.look("ink", "items"))
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Li {
			l.open("li", "ink", "item")
			l.blocks(c)
			l.shut("li")
			l.html.WriteByte('\n')
		}
	}
	l.shut(n.Data)
	l.html.WriteByte('\n')
}

func (l *layout) inlines(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		l.inline(c)
	}
}

func (l *layout) inline(n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		l.html.WriteString(stdhtml.EscapeString(clean(n.Data)))
	case n.DataAtom == atom.Em || n.DataAtom == atom.Strong || n.DataAtom == atom.Code:
		l.html.WriteString("<" + n.Data + ">")
		l.inlines(n)
		l.shut(n.Data)
	case n.DataAtom == atom.Br:
		l.html.WriteString("<br>")
	case linkOf(n) != "":
		fmt.Fprintf(&l.html, `<a href="%s"%s>`, stdhtml.EscapeString(linkOf(n)), l.look("accent", "link"))
		l.label(n)
		l.shut("a")
	default:
		l.label(n)
	}
}

func (l *layout) label(n *html.Node) {
	if n.DataAtom == atom.Img {
		l.html.WriteString(stdhtml.EscapeString(line(attributeOf(n, "alt"))))
		return
	}
	l.inlines(n)
}

// text returns the children of a node as plain text, in lines of at most width columns.
func (l *layout) text(n *html.Node, width int, between string) string {
	var all []string
	var loose strings.Builder // words that stand in no block
	flush := func() {
		if words := wrapLines(loose.String(), width); words != "" {
			all = append(all, words)
		}
		loose.Reset()
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		var block string
		switch c.DataAtom {
		case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			block = wrapLines(l.spoken(c), width)
		case atom.Ul, atom.Ol:
			block = l.listText(c, width)
		case atom.Blockquote:
			block = indent(l.text(c, width-2, "\n\n"), "> ", "> ")
		case atom.Pre:
			block = wrapLines(content(c), width)
		case atom.Hr:
			block = "* * *"
		default:
			loose.WriteString(l.spokenOne(c))
			continue
		}
		flush()
		if block != "" {
			all = append(all, block)
		}
	}
	flush()
	return strings.Join(all, between)
}

func (l *layout) listText(n *html.Node, width int) string {
	var items []string
	for c, i := n.FirstChild, number(attributeOf(n, "start")); c != nil; c = c.NextSibling {
		if c.DataAtom != atom.Li {
			continue
		}
		mark := "- "
		if n.DataAtom == atom.Ol {
			mark = strconv.Itoa(i) + ". "
		}
		i++
		items = append(items, indent(l.text(c, max(width-len(mark), 20), "\n"), mark, strings.Repeat(" ", len(mark))))
	}
	return strings.Join(items, "\n")
}

// spoken returns the words below a node; each link is counted and followed by its number, unless it is its own words.
func (l *layout) spoken(n *html.Node) string {
	var words strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		words.WriteString(l.spokenOne(c))
	}
	return words.String()
}

func (l *layout) spokenOne(n *html.Node) string {
	switch {
	case n.Type == html.TextNode:
		return strings.ReplaceAll(clean(n.Data), "\n", " ")
	case n.DataAtom == atom.Br:
		return "\n"
	}
	words, link := l.spoken(n), linkOf(n)
	if n.DataAtom == atom.Img {
		words = line(attributeOf(n, "alt"))
	}
	if link == "" || link == words || link == "mailto:"+words {
		return words
	}
	l.links = append(l.links, strings.TrimPrefix(link, "mailto:"))
	return fmt.Sprintf("%s [%d]", words, l.counted+len(l.links))
}

// linkOf returns where a link or a picture leads, "" for anything else and for what is neither a web nor a mail address.
func linkOf(n *html.Node) string {
	var to string
	switch n.DataAtom {
	case atom.A:
		to = attributeOf(n, "href")
	case atom.Img:
		to = attributeOf(n, "src")
	}
	if address, isMail := strings.CutPrefix(to, "mailto:"); isMail && !strings.ContainsFunc(address, unicode.IsSpace) {
		return to
	}
	return webAddress(to)
}

func attributeOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// content returns the characters below a node as they are.
func content(n *html.Node) string {
	if n.Type == html.TextNode {
		return clean(n.Data)
	}
	var all strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		all.WriteString(content(c))
	}
	return all.String()
}

// clean drops what a character reference has brought in after all.
func clean(s string) string { return strings.Map(plainRune, s) }

// number returns where an ordered list begins.
func number(given string) int {
	if n, err := strconv.Atoi(given); err == nil && n >= 0 {
		return n
	}
	return 1
}

// wrapLines wraps each line of a text by itself and leaves out the empty ones.
func wrapLines(s string, width int) string {
	var all []string
	for _, l := range lines(s) {
		all = append(all, wrap(l, width))
	}
	return strings.Join(all, "\n")
}

// indent sets one thing before the first line of a text and another before all that follow.
func indent(s, first, rest string) string {
	indented := first + strings.ReplaceAll(s, "\n", "\n"+rest)
	return strings.ReplaceAll(indented, rest+"\n", strings.TrimRight(rest, " ")+"\n")
}
