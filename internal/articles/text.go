package articles

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Text returns clean HTML as plain text: paragraphs parted by blank lines, list items with a dash or their number, table cells
// with a bar between them, and the address of a link in angle brackets after its words.
func Text(clean string) string { return plain(clean, true) }

// plain returns the text of HTML, with or without the addresses of its links. It also reads foreign markup; markup that is
// nested too deeply gives "".
func plain(markup string, links bool) string {
	root, err := parseFragment(scrub(markup))
	if err != nil {
		return ""
	}
	prune(root, nil)
	w := &textWriter{links: links}
	w.children(root)
	return w.b.String()
}

// Line returns foreign words that may hold markup or entities, such as the title of a feed's item, as one line of plain text.
func Line(markup string) string {
	if strings.ContainsAny(markup, "<&") {
		markup = plain(markup, false)
	}
	return OneLine(markup)
}

// OneLine returns plain text in one line, without double blanks, control characters and what is not UTF-8.
func OneLine(s string) string { return strings.Join(strings.Fields(scrub(s)), " ") }

// label returns plain text in one line that keeps to itself wherever it is shown: without what overrides, embeds or isolates the
// direction of writing, which would reach beyond its end (UAX 9). Marks of direction stay.
func label(s string) string {
	return OneLine(strings.Map(func(r rune) rune {
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s))
}

// textWriter collects text. What parts two pieces is kept back until the second one comes, so nothing ends in blanks.
type textWriter struct {
	b      strings.Builder
	links  bool
	pre    int    // how many <pre> are open
	breaks int    // newlines due
	space  bool   // a blank is due
	prefix string // due at the beginning of a list item
}

func (w *textWriter) children(n *html.Node) {
	for child := range n.ChildNodes() {
		w.node(child)
	}
}

func (w *textWriter) node(n *html.Node) {
	if n.Type == html.TextNode {
		w.text(n.Data)
		return
	}
	switch n.DataAtom {
	case atom.Br:
		w.breaks++
	case atom.Rt, atom.Rp: // how a word is read, not a word
	case atom.A:
		w.link(n)
	case atom.Li:
		w.item(n)
	case atom.Td, atom.Th:
		w.cell(n)
	case atom.Pre:
		w.pre++
		w.block(n, 2)
		w.pre--
	case atom.Tr, atom.Dt, atom.Dd:
		w.block(n, 1)
	case atom.P, atom.Div, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Dl,
		atom.Table, atom.Figure, atom.Figcaption, atom.Caption, atom.Hr, atom.Section, atom.Article, atom.Header, atom.Footer:
		w.block(n, 2)
	default:
		w.children(n)
	}
}

func (w *textWriter) block(n *html.Node, newlines int) {
	w.breaks = max(w.breaks, newlines)
	w.children(n)
	w.breaks = max(w.breaks, newlines)
}

func (w *textWriter) item(n *html.Node) {
	w.prefix = "- "
	if n.Parent != nil && n.Parent.DataAtom == atom.Ol {
		w.prefix = strconv.Itoa(itemNumber(n)) + ". "
	}
	w.block(n, 1)
	w.prefix = ""
}

func itemNumber(n *html.Node) int {
	number := 1
	if start, ok := attr(n.Parent, "start"); ok {
		number, _ = strconv.Atoi(start)
	}
	for n = n.PrevSibling; n != nil; n = n.PrevSibling {
		if n.DataAtom == atom.Li {
			number++
		}
	}
	return number
}

func (w *textWriter) cell(n *html.Node) {
	for before := n.PrevSibling; before != nil; before = before.PrevSibling {
		if before.Type == html.ElementNode {
			w.text(" | ")
			break
		}
	}
	w.children(n)
}

func (w *textWriter) link(n *html.Node) {
	start := w.b.Len()
	w.children(n)
	href, _ := attr(n, "href")
	words := strings.TrimSpace(w.b.String()[start:])
	if !w.links || words == "" || strings.TrimPrefix(href, "mailto:") == words {
		return
	}
	if strings.HasPrefix(href, "http") || strings.HasPrefix(href, "mailto:") {
		w.text(" <" + href + ">")
	}
}

func (w *textWriter) text(s string) {
	if w.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				w.breaks++
			}
			w.write(line)
		}
		return
	}
	w.space = w.space || s != strings.TrimLeft(s, blanks)
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(blanks, r) }) {
		w.write(word)
		w.space = true
	}
	w.space = w.space && s != strings.TrimRight(s, blanks)
}

// blanks are what HTML folds into one space. A no-break space is none of them.
const blanks = " \t\n\f\r"

func (w *textWriter) write(s string) {
	if s == "" {
		return
	}
	switch {
	case w.b.Len() == 0:
	case w.breaks > 0:
		w.b.WriteString(strings.Repeat("\n", min(w.breaks, 2)))
	case w.space:
		w.b.WriteByte(' ')
	}
	w.b.WriteString(w.prefix + s)
	w.breaks, w.space, w.prefix = 0, false, ""
}

var blankLine = regexp.MustCompile(`\n[\t ]*(?:\n[\t ]*)+`)

// paragraphs returns the paragraphs of plain text, which are parted by blank lines. Lines within one are kept.
func paragraphs(text string) []string {
	var found []string
	for _, p := range blankLine.Split(scrub(text), -1) {
		if p = strings.TrimSpace(p); p != "" {
			found = append(found, p)
		}
	}
	return found
}

// paragraphsHTML returns plain text as HTML.
func paragraphsHTML(text string) string {
	all := paragraphs(text)
	for i, p := range all {
		all[i] = "<p>" + strings.ReplaceAll(html.EscapeString(p), "\n", "<br/>") + "</p>"
	}
	return strings.Join(all, "\n")
}

// scrub returns s as text that Postgres and XML take: valid UTF-8, line ends as \n, no control characters but tab and newline.
func scrub(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffe || r == 0xffff || r == '\ufeff':
			return -1
		}
		return r
	}, s)
}
