package articles

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

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
