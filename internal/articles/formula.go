package articles

import (
	"regexp"
	"slices"

	"golang.org/x/net/html"
)

// formulaParts are the elements of MathML that may stand in a formula: true for those that hold words, false for those that hold
// other parts. Parts that could hold HTML again, link or run anything are none of them.
var formulaParts = map[string]bool{
	"mi": true, "mn": true, "mo": true, "ms": true, "mtext": true,
	"mrow": false, "mfrac": false, "msqrt": false, "mroot": false, "mstyle": false, "mpadded": false, "mphantom": false, "mfenced": false,
	"menclose": false, "msub": false, "msup": false, "msubsup": false, "munder": false, "mover": false, "munderover": false,
	"mmultiscripts": false, "mprescripts": false, "none": false, "mtable": false, "mtr": false, "mtd": false, "mspace": false,
}

// formulaAttrs are what parts of a formula may say about themselves.
var formulaAttrs = map[string]*regexp.Regexp{
	"display":       regexp.MustCompile(`^(?:block|inline)$`),
	"mathvariant":   regexp.MustCompile(`^[a-z-]{1,30}$`),
	"stretchy":      regexp.MustCompile(`^(?:true|false)$`),
	"accent":        regexp.MustCompile(`^(?:true|false)$`),
	"linethickness": regexp.MustCompile(`^[0-9.]{1,6}(?:px|em|ex|pt)?$`),
	"columnalign":   regexp.MustCompile(`^(?:left|center|right)(?: (?:left|center|right)){0,20}$`),
}

// formula leaves of a formula (MathML Core) what shows it.
func formula(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		words, known := formulaParts[child.Data]
		switch {
		case child.Type == html.ElementNode && child.Namespace == "math" && child.Data == "semantics":
			meaning(child) // what it shows is its first part; the others say the same to programs
			next = child.FirstChild
			if next == nil {
				next = child.NextSibling
			}
			unwrap(child)
		case child.Type != html.ElementNode || child.Namespace != "math" || !known:
			n.RemoveChild(child)
		case words:
			prune(child, nil)
			text := inner(child)
			takeAll(child)
			child.AppendChild(&html.Node{Type: html.TextNode, Data: text})
		default:
			formula(child)
		}
		child = next
	}
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Namespace != "" })
}

func meaning(semantics *html.Node) {
	first := true
	for child := semantics.FirstChild; child != nil; {
		next := child.NextSibling
		if child.Type != html.ElementNode || !first {
			semantics.RemoveChild(child)
		} else {
			first = false
		}
		child = next
	}
}
