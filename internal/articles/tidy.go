package articles

import (
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

func holdsBlock(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.Namespace == "" && (blocks[d.DataAtom] || d.DataAtom == atom.Div) {
			return true
		}
	}
	return false
}
