package articles

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// tidy makes what word processors and old page editors wrote into what they meant: paragraphs instead of boxes, line breaks and blanks,
// emphasis instead of fonts, lists instead of paragraphs with dots, headings in order.
func tidy(root *html.Node) {
	wordLists(root)
	means(root)
	flow(root)
	fold(root)
	headings(root)
}

// boxes are elements that part what they hold from what is around them, and say no more than that.
var boxes = atoms(atom.Div, atom.Center, atom.Section, atom.Article, atom.Main, atom.Header, atom.Footer, atom.Address, atom.Aside, atom.Nav,
	atom.Form, atom.Fieldset, atom.Legend, atom.Details, atom.Summary, atom.Hgroup, atom.Marquee, atom.Dialog, atom.Menu, atom.Search)

// blocks are elements that stand for themselves, other than boxes.
var blocks = atoms(atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol, atom.Dl,
	atom.Figure, atom.Table, atom.Hr)

// containers hold either blocks or words.
var containers = atoms(atom.Blockquote, atom.Li, atom.Dd, atom.Td, atom.Th, atom.Figcaption, atom.Caption, atom.Dt)

// phrases are elements within a line.
var phrases = atoms(atom.B, atom.Strong, atom.I, atom.Em, atom.U, atom.S, atom.Del, atom.Ins, atom.Sub, atom.Sup, atom.Small, atom.Mark,
	atom.Code, atom.Kbd, atom.Samp, atom.Var, atom.Abbr, atom.Cite, atom.Dfn, atom.Q, atom.Time, atom.Bdi, atom.Bdo, atom.A, atom.Ruby)

func atoms(all ...atom.Atom) map[atom.Atom]bool {
	set := make(map[atom.Atom]bool, len(all))
	for _, a := range all {
		set[a] = true
	}
	return set
}

// styles say which element means what a style only shows.
var styles = []struct {
	pattern *regexp.Regexp
	element atom.Atom
}{
	{regexp.MustCompile(`(?i)(?:^|[;\s])font-weight\s*:\s*(?:bold|[6-9]00)`), atom.Strong},
	{regexp.MustCompile(`(?i)(?:^|[;\s])font-style\s*:\s*(?:italic|oblique)`), atom.Em},
	{regexp.MustCompile(`(?i)(?:^|[;\s])vertical-align\s*:\s*super`), atom.Sup},
	{regexp.MustCompile(`(?i)(?:^|[;\s])vertical-align\s*:\s*sub`), atom.Sub},
	{regexp.MustCompile(`(?i)(?:^|[;\s])text-decoration(?:-line)?\s*:\s*line-through`), atom.S},
}

// means gives every element a name that is known here, or takes it away and leaves what it holds.
func means(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if child.Type == html.ElementNode {
			means(child)
			switch a := child.DataAtom; {
			case child.Namespace != "" || a == atom.Img:
			case boxes[a]:
				rename(child, atom.Div)
			case a == atom.Table && layout(child):
				dismantle(child)
			case !kept[a]:
				emphasise(child)
				unwrap(child)
			}
		}
		child = next
	}
}

// emphasise puts what a font or a span shows by its style into elements around its content.
func emphasise(n *html.Node) {
	style, _ := attr(n, "style")
	if style == "" || n.FirstChild == nil {
		return
	}
	for _, s := range styles {
		if s.pattern.MatchString(style) && !holdsBlock(n) {
			inner := element(s.element)
			adopt(inner, n)
			n.AppendChild(inner)
		}
	}
}

// rows returns the rows of a table itself.
func rows(table *html.Node) (all []*html.Node) {
	for part := range table.ChildNodes() {
		switch part.DataAtom {
		case atom.Tr:
			all = append(all, part)
		case atom.Tbody, atom.Thead, atom.Tfoot:
			all = append(all, rows(part)...)
		}
	}
	return all
}

// layout reports whether a table is there to place things on a page: it has no caption, and no row has more than one cell or a heading.
func layout(table *html.Node) bool {
	for part := range table.ChildNodes() {
		if part.DataAtom == atom.Caption {
			return false
		}
	}
	for _, row := range rows(table) {
		cells := 0
		for cell := range row.ChildNodes() {
			if cell.DataAtom == atom.Th {
				return false
			}
			if cell.DataAtom == atom.Td {
				cells++
			}
		}
		if cells > 1 {
			return false
		}
	}
	return true
}

// dismantle makes a table for the layout into boxes, one a cell.
func dismantle(table *html.Node) {
	for _, row := range rows(table) {
		for _, cell := range takeAll(row) {
			if cell.DataAtom == atom.Td {
				rename(cell, atom.Div)
				table.AppendChild(cell)
			}
		}
	}
	for _, part := range takeAll(table) {
		if part.DataAtom == atom.Div {
			table.AppendChild(part)
		}
	}
	rename(table, atom.Div)
}

// flow makes the inside of a container into blocks alone or words alone: boxes become paragraphs or are opened, a blank line parts
// paragraphs, and so does an indented one.
func flow(n *html.Node) {
	var made []*html.Node
	var line []*html.Node
	mixed := false
	flush := func() {
		if onlyNewline(line) {
			made = append(made, &html.Node{Type: html.TextNode, Data: "\n"})
		}
		made = append(made, inParagraphs(split(line))...)
		line = nil
	}
	for _, child := range takeAll(n) {
		for _, part := range lift(child) {
			switch {
			case part.DataAtom == atom.Div && part.Namespace == "":
				flush()
				mixed = true
				flow(part)
				made = append(made, opened(part)...)
			case part.DataAtom == atom.P && part.Namespace == "":
				flush()
				mixed = true
				made = append(made, paragraphsOf(part)...)
			case blocks[part.DataAtom] && part.Namespace == "":
				flush()
				mixed = true
				within(part)
				made = append(made, part)
			default:
				within(part)
				line = append(line, part)
			}
		}
	}
	pieces := split(line)
	if !mixed && len(pieces) < 2 {
		for _, piece := range pieces {
			appendAll(n, piece)
		}
		return
	}
	made = append(made, inParagraphs(pieces)...)
	made = withoutEmpty(made)
	if len(made) == 1 && made[0].DataAtom == atom.P && len(made[0].Attr) == 0 && single[n.DataAtom] {
		made = takeAll(made[0])
	}
	appendAll(n, made)
}

// onlyNewline reports whether words are no more than the end of a line of markup.
func onlyNewline(line []*html.Node) bool {
	return len(line) == 1 && line[0].Type == html.TextNode && strings.Trim(line[0].Data, blanks) == "" && strings.Contains(line[0].Data, "\n")
}

// withoutEmpty leaves out blocks with nothing in them, and ends of lines that part nothing.
func withoutEmpty(all []*html.Node) []*html.Node {
	var left []*html.Node
	newline := false
	for _, n := range all {
		switch {
		case n.Type == html.TextNode:
			newline = true
		case !empty(n):
			if newline && len(left) > 0 {
				left = append(left, &html.Node{Type: html.TextNode, Data: "\n"})
			}
			left, newline = append(left, n), false
		}
	}
	return left
}

func inParagraphs(pieces [][]*html.Node) (made []*html.Node) {
	for _, piece := range pieces {
		p := element(atom.P)
		appendAll(p, piece)
		made = append(made, p)
	}
	return made
}

// single are the containers that need no paragraph for what they hold, when it is one alone.
var single = atoms(atom.Li, atom.Dd, atom.Dt, atom.Td, atom.Th, atom.Figcaption, atom.Caption)

// opened returns what is to stand for a box whose inside is in order: the blocks in it, or a paragraph of its words.
func opened(box *html.Node) []*html.Node {
	for child := range box.ChildNodes() {
		if blocks[child.DataAtom] && child.Namespace == "" {
			inherit(box)
			return takeAll(box)
		}
	}
	rename(box, atom.P)
	return []*html.Node{box}
}

// inherit gives a box's language and direction to what stands in it.
func inherit(box *html.Node) {
	for _, a := range box.Attr {
		if a.Key != "lang" && a.Key != "dir" {
			continue
		}
		for child := range box.ChildNodes() {
			if _, own := attr(child, a.Key); !own && child.Type == html.ElementNode {
				child.Attr = append(child.Attr, a)
			}
		}
	}
}

// paragraphsOf returns the paragraphs that one is, parted by blank and indented lines.
func paragraphsOf(p *html.Node) (made []*html.Node) {
	for _, piece := range split(takeAll(p)) {
		next := element(atom.P)
		next.Attr = slices.Clone(p.Attr)
		appendAll(next, piece)
		made = append(made, next)
	}
	return made
}

// within puts what is inside of a block or a phrase in order.
func within(n *html.Node) {
	switch {
	case n.Type != html.ElementNode || n.Namespace != "" || n.DataAtom == atom.Pre:
	case containers[n.DataAtom]:
		flow(n)
	case n.DataAtom == atom.Figure:
		figure(n)
	default:
		heading := level(n) > 0
		for child := range n.ChildNodes() {
			within(child)
		}
		if heading {
			children := trim(takeAll(n))
			appendAll(n, children)
		}
	}
}

// figure opens the boxes and paragraphs in a figure.
func figure(n *html.Node) {
	for _, child := range takeAll(n) {
		within(child)
		if child.DataAtom == atom.Div || child.DataAtom == atom.P {
			figure(child)
			adopt(n, child)
		} else {
			n.AppendChild(child)
		}
	}
}

// lift returns what a phrase around blocks becomes: the blocks, with the phrase inside.
func lift(n *html.Node) []*html.Node {
	if n.Type != html.ElementNode || n.Namespace != "" || blocks[n.DataAtom] || n.DataAtom == atom.Div || !phrases[n.DataAtom] || !holdsBlock(n) {
		return []*html.Node{n}
	}
	var made, line []*html.Node
	flush := func() {
		if len(line) > 0 {
			made = append(made, copyAround(n, line))
		}
		line = nil
	}
	for _, child := range takeAll(n) {
		for _, part := range lift(child) {
			switch {
			case part.DataAtom == atom.P || part.DataAtom == atom.Div || level(part) > 0:
				flush()
				part.AppendChild(copyAround(n, takeAll(part)))
				made = append(made, part)
			case blocks[part.DataAtom]:
				flush()
				made = append(made, part)
			default:
				line = append(line, part)
			}
		}
	}
	flush()
	var all []*html.Node
	for _, part := range made { // a box within may hold blocks of its own
		if inner := part.FirstChild; inner != nil && inner.NextSibling == nil && phrases[inner.DataAtom] && holdsBlock(inner) {
			part.RemoveChild(inner)
			appendAll(part, lift(inner))
		}
		all = append(all, part)
	}
	return all
}

func copyAround(phrase *html.Node, inside []*html.Node) *html.Node {
	around := element(phrase.DataAtom)
	around.Attr = slices.Clone(phrase.Attr)
	appendAll(around, inside)
	return around
}

func holdsBlock(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.Namespace == "" && (blocks[d.DataAtom] || d.DataAtom == atom.Div) {
			return true
		}
	}
	return false
}

// split parts words into paragraphs: at two line breaks or more, and at a line break that an indented line follows.
func split(line []*html.Node) (pieces [][]*html.Node) {
	start := 0
	for i := 0; i < len(line); i++ {
		if line[i].DataAtom != atom.Br {
			continue
		}
		end := i + 1
		breaks := 1
		for end < len(line) && (line[end].DataAtom == atom.Br || blank(line[end])) {
			if line[end].DataAtom == atom.Br {
				breaks++
			}
			end++
		}
		if breaks < 2 && (end >= len(line) || !indented(line[i+1:min(end+1, len(line))])) {
			continue
		}
		pieces = append(pieces, line[start:i])
		start, i = end-trailingBlanks(line[i+1:end]), end-1
	}
	pieces = append(pieces, line[start:])
	for i, piece := range pieces {
		pieces[i] = trim(piece)
	}
	return slices.DeleteFunc(pieces, func(piece []*html.Node) bool {
		return !slices.ContainsFunc(piece, func(n *html.Node) bool { return !empty(n) })
	})
}

func trailingBlanks(nodes []*html.Node) (n int) {
	for i := len(nodes) - 1; i >= 0 && nodes[i].DataAtom != atom.Br; i-- {
		n++
	}
	return n
}

// indents are the wide blanks that old editors indent with.
const indents = "\u00a0\u3000\u2002\u2003"

// indented reports whether words begin with two wide blanks.
func indented(line []*html.Node) bool {
	for _, n := range line {
		for n != nil && n.Type == html.ElementNode {
			n = n.FirstChild
		}
		if n == nil || strings.Trim(n.Data, blanks) == "" {
			continue
		}
		words := strings.TrimLeft(n.Data, blanks+indents)
		wide := 0
		for _, r := range n.Data[:len(n.Data)-len(words)] {
			if strings.ContainsRune(indents, r) {
				wide++
			}
		}
		return wide >= 2
	}
	return false
}

func blank(n *html.Node) bool {
	return n.Type == html.TextNode && strings.Trim(n.Data, blanks+indents) == ""
}

// trim takes blanks and line breaks off both ends of words.
func trim(line []*html.Node) []*html.Node {
	for len(line) > 0 && (line[0].DataAtom == atom.Br || blank(line[0])) {
		line = line[1:]
	}
	for len(line) > 0 && (line[len(line)-1].DataAtom == atom.Br || blank(line[len(line)-1])) {
		line = line[:len(line)-1]
	}
	if len(line) > 0 {
		trimEdge(line[0], true)
		trimEdge(line[len(line)-1], false)
	}
	return line
}

// trimEdge takes blanks off the first or the last words in a node.
func trimEdge(n *html.Node, first bool) {
	for n != nil && n.Type == html.ElementNode && n.DataAtom != atom.Pre {
		edge := n.LastChild
		if first {
			edge = n.FirstChild
		}
		if edge != nil && (edge.DataAtom == atom.Br || blank(edge)) {
			n.RemoveChild(edge)
			continue
		}
		n = edge
	}
	switch {
	case n == nil || n.Type != html.TextNode:
	case first:
		n.Data = strings.TrimLeft(n.Data, blanks+indents)
	default:
		n.Data = strings.TrimRight(n.Data, blanks+indents)
	}
}

var wideRun = regexp.MustCompile(`[ \t\n\f\r]*[\x{00a0}\x{3000}\x{2002}\x{2003}](?:[ \t\n\f\r]*[\x{00a0}\x{3000}\x{2002}\x{2003}])+[ \t\n\f\r]*|` +
	`[ \t\n\f\r]+\x{00a0}[ \t\n\f\r]*|\x{00a0}[ \t\n\f\r]+`)

// fold makes one blank of several wide ones, and takes away what holds nothing.
func fold(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		switch {
		case child.Type == html.TextNode:
			if strings.ContainsAny(child.Data, indents) {
				child.Data = wideRun.ReplaceAllString(child.Data, " ")
			}
		case child.Namespace != "" || child.DataAtom == atom.Pre:
		default:
			fold(child)
			switch {
			case phrases[child.DataAtom] && (onlyBlank(child) || doubled(child)):
				unwrap(child)
			case disposable[child.DataAtom] && empty(child):
				n.RemoveChild(child)
			}
		}
		child = next
	}
}

// doubled reports whether an element says what the one around it says already.
func doubled(n *html.Node) bool {
	return n.Parent != nil && n.Parent.DataAtom == n.DataAtom && n.DataAtom != atom.A && n.DataAtom != atom.Q && n.DataAtom != atom.Bdo &&
		n.DataAtom != atom.Sub && n.DataAtom != atom.Sup && n.DataAtom != atom.Small && n.DataAtom != atom.Ruby && len(n.Attr) == 0
}

// disposable are blocks that are nothing when nothing is in them. A cell keeps the others in their columns.
var disposable = atoms(atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Li, atom.Dl,
	atom.Figure, atom.Figcaption, atom.Caption, atom.Table, atom.Div)

func onlyBlank(n *html.Node) bool {
	for child := range n.ChildNodes() {
		if child.Type != html.TextNode || strings.Trim(child.Data, blanks+indents) != "" {
			return false
		}
	}
	return true
}

// empty reports whether there is nothing to see in a node.
func empty(n *html.Node) bool {
	if shows(n) {
		return false
	}
	for d := range n.Descendants() {
		if shows(d) {
			return false
		}
	}
	return true
}

func shows(n *html.Node) bool {
	if n.Type == html.TextNode {
		return !blank(n)
	}
	return n.DataAtom == atom.Img || n.DataAtom == atom.Hr || n.DataAtom == atom.Math
}

// headings puts the headings in order: the first level is below the title's, and none is left out.
func headings(root *html.Node) {
	var open []int
	for n := range root.Descendants() {
		given := level(n)
		if given == 0 || n.Namespace != "" {
			continue
		}
		for len(open) > 0 && open[len(open)-1] >= given {
			open = open[:len(open)-1]
		}
		open = append(open, given)
		rename(n, levels[min(len(open), len(levels)-1)])
	}
}

var levels = []atom.Atom{atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6}

// level returns the level of a heading, 0 when a node is none.
func level(n *html.Node) int {
	if n.Type != html.ElementNode {
		return 0
	}
	return slices.Index(levels, n.DataAtom) + 1
}

// What a word processor says of a list's item, and of the dot or number before it.
var (
	wordList = regexp.MustCompile(`(?i)mso-list\s*:\s*[^;]*\blevel`)
	wordMark = regexp.MustCompile(`(?i)mso-list\s*:\s*ignore`)
)

// wordLists makes lists of the paragraphs that a word processor wrote for their items.
func wordLists(n *html.Node) {
	var list *html.Node
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		style, _ := attr(child, "style")
		switch {
		case child.DataAtom == atom.P && wordList.MatchString(style):
			kind := atom.Ul
			if mark := takeMark(child); strings.ContainsAny(mark, "0123456789") {
				kind = atom.Ol
			}
			if list == nil || list.DataAtom != kind {
				list = element(kind)
				n.InsertBefore(list, child)
			}
			n.RemoveChild(child)
			rename(child, atom.Li)
			child.Attr = nil
			list.AppendChild(child)
		case blank(child):
		default:
			list = nil
			wordLists(child)
		}
		child = next
	}
}

// takeMark takes the dot or the number off an item and returns it.
func takeMark(item *html.Node) string {
	for d := range item.Descendants() {
		if style, _ := attr(d, "style"); wordMark.MatchString(style) {
			words := inner(d)
			d.Parent.RemoveChild(d)
			return words
		}
	}
	return ""
}

// inner returns the text of a node and all that is in it.
func inner(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func element(a atom.Atom) *html.Node {
	return &html.Node{Type: html.ElementNode, DataAtom: a, Data: a.String()}
}

func rename(n *html.Node, a atom.Atom) { n.DataAtom, n.Data = a, a.String() }

// unwrap puts the children of a node in its place.
func unwrap(n *html.Node) {
	for child := n.FirstChild; child != nil; child = n.FirstChild {
		n.RemoveChild(child)
		n.Parent.InsertBefore(child, n)
	}
	n.Parent.RemoveChild(n)
}

// adopt moves the children of from to n.
func adopt(n, from *html.Node) { appendAll(n, takeAll(from)) }

func takeAll(n *html.Node) (children []*html.Node) {
	for child := n.FirstChild; child != nil; child = n.FirstChild {
		n.RemoveChild(child)
		children = append(children, child)
	}
	return children
}

func appendAll(n *html.Node, children []*html.Node) {
	for _, child := range children {
		n.AppendChild(child)
	}
}
