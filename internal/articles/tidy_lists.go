package articles

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

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
