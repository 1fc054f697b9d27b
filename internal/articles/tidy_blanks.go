package articles

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// indents are the wide blanks that old editors indent with.
const indents = "\u00a0\u3000\u2002\u2003"

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
