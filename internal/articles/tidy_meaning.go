package articles

import (
	"regexp"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

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
