package articles

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

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
