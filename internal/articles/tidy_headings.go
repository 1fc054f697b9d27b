package articles

import (
	"slices"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

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
