package sources

import (
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"silkpost/internal/articles"
)

// textBlock is one line as readers see it: a paragraph, a heading, a cell, what stands between two line breaks.
type textBlock struct {
	text    string
	nodes   []*html.Node // text nodes
	heading bool
	ruled   bool // a line is drawn above it
}

// inline elements do not end a line.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Bdi: true, atom.Bdo: true, atom.Big: true, atom.Cite: true, atom.Code: true, atom.Del: true,
	atom.Dfn: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Img: true, atom.Ins: true, atom.Kbd: true, atom.Label: true, atom.Mark: true,
	atom.Q: true, atom.Ruby: true, atom.Rt: true, atom.Rb: true, atom.Rp: true, atom.S: true, atom.Samp: true, atom.Small: true, atom.Span: true,
	atom.Strong: true, atom.Sub: true, atom.Sup: true, atom.Time: true, atom.Tt: true, atom.U: true, atom.Var: true, atom.Wbr: true, atom.Strike: true,
}

// silent elements have no text that readers see.
var silent = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Iframe: true, atom.Object: true, atom.Svg: true,
	atom.Select: true, atom.Textarea: true, atom.Button: true, atom.Head: true,
}

// textBlocks returns the lines of a part of a page in their order.
func textBlocks(part *goquery.Selection) []textBlock {
	w := &blockWriter{}
	for _, n := range part.Nodes {
		w.walk(n, false)
	}
	w.end(false)
	return w.done
}

type blockWriter struct {
	done  []textBlock
	text  strings.Builder
	nodes []*html.Node
	ruled bool
}

func (w *blockWriter) walk(n *html.Node, heading bool) {
	switch {
	case n.Type == html.TextNode:
		w.text.WriteString(n.Data)
		w.nodes = append(w.nodes, n)
		return
	case n.Type == html.CommentNode || silent[n.DataAtom]:
		return
	}
	if !inline[n.DataAtom] {
		w.end(heading)
		heading = heading || n.DataAtom == atom.H1 || n.DataAtom == atom.H2 || n.DataAtom == atom.H3
		defer func() { w.end(heading) }()
	}
	w.ruled = w.ruled || n.DataAtom == atom.Hr
	for child := range n.ChildNodes() {
		w.walk(child, heading)
	}
}

func (w *blockWriter) end(heading bool) {
	if text := articles.OneLine(w.text.String()); text != "" {
		w.done = append(w.done, textBlock{text: text, nodes: w.nodes, heading: heading, ruled: w.ruled})
		w.nodes, w.ruled = nil, false
	}
	w.text.Reset()
	w.nodes = w.nodes[:0]
}

// titleBlock returns the place of the line that is the page's title, a heading before others; -1 when there is none.
func (p *webPage) titleBlock(title string) int {
	found := -1
	for i, b := range p.blocks {
		if b.text != title {
			continue
		}
		if b.heading {
			return i
		}
		found = i // a trail or a menu comes before the title itself
	}
	return found
}

// How many lines before and after a title belong to it.
const linesAbove, linesBelow = 5, 10

// near reports whether a node stands beside the title of the page.
func (p *webPage) near(n *html.Node, title string) bool {
	at := p.titleBlock(title)
	if at < 0 {
		return false
	}
	for _, b := range p.blocks[max(0, at-linesAbove):min(len(p.blocks), at+linesBelow)] {
		if slices.ContainsFunc(b.nodes, func(text *html.Node) bool { return within(text, n) }) {
			return true
		}
	}
	return false
}

func within(n, outer *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if n == outer {
			return true
		}
	}
	return false
}

// writtenDate returns the date that readers see: beside the title, before the text begins, or alone in a line right after its end.
func (p *webPage) writtenDate(title string) (stamp, bool) {
	at := p.titleBlock(title)
	from, to := max(0, at-linesAbove), min(len(p.blocks), at+1+linesBelow)
	if at < 0 {
		to = min(len(p.blocks), 40)
	}
	for i := max(0, at+1); i < to; i++ {
		if prose(p.blocks[i].text) && !strings.ContainsAny(p.blocks[i].text, "|｜") {
			to = i
		}
	}
	for _, span := range [][2]int{{max(0, at+1), to}, {from, max(from, at)}} {
		for _, b := range p.blocks[span[0]:span[1]] {
			if s, before, after, ok := findDate(b.text, p.zone); ok && labelled(before, after) {
				return s, true
			}
		}
	}
	return p.closingDate(to)
}

// closingDate returns the date that stands alone below the last paragraph, as letters and announcements have it.
func (p *webPage) closingDate(from int) (stamp, bool) {
	const alone, reach = 12, 6
	last := -1
	for i := from; i < len(p.blocks); i++ {
		if prose(p.blocks[i].text) && !legal(p.blocks[i].text) {
			last = i
		}
	}
	if last < 0 {
		return stamp{}, false
	}
	for _, b := range p.blocks[last+1 : min(len(p.blocks), last+1+reach)] {
		if s, before, after, ok := findDate(b.text, p.zone); ok && columns(before) <= alone && columns(after) <= alone && !legal(b.text) {
			return s, true
		}
	}
	return stamp{}, false
}

// dated reports whether a line is there to give the date.
func dated(line string) bool {
	_, before, after, ok := findDate(line, time.UTC)
	return ok && labelled(before, after)
}

// labelled reports whether what stands around a date only says what it is; another date may follow.
func labelled(before, after string) bool {
	if labels(before, after) {
		return true
	}
	_, _, _, second := findDate(after, time.UTC)
	return second && columns(before) <= 24 && columns(after) <= 80
}

// firstProse returns the place of the first paragraph.
func (p *webPage) firstProse() int {
	i := slices.IndexFunc(p.blocks, func(b textBlock) bool { return !b.heading && prose(b.text) && !legal(b.text) })
	if i < 0 {
		return len(p.blocks)
	}
	return i
}
