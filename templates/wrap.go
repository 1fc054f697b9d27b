package templates

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// columns is the width of a text mail's lines. Chinese, Japanese and Korean characters take two.
const columns = 72

// Characters that a line does not begin with, or not end with, in Chinese and Japanese.
const (
	notFirst = "、。，．：；？！）］｝〕〉》」』】〗’”…‥・ー々～%％,.:;?!)]}"
	notLast  = "（［｛〔〈《「『【〖‘“([{"
)

// wrap lays one line of plain text out in lines of at most width columns. It breaks at spaces, beside wide characters as their
// typography allows, and inside a word only when that alone is wider than a line; a web address is never broken.
func wrap(s string, width int) string {
	var out strings.Builder
	column := 0
	for i, word := range strings.FieldsFunc(s, breaks) {
		for j, piece := range pieces(word, width) {
			wide := displaywidth.String(piece)
			switch {
			case i == 0 && j == 0:
			case j == 0 && column+1+wide <= width:
				out.WriteByte(' ')
				column++
			case j == 0 || column+wide > width:
				out.WriteByte('\n')
				column = 0
			}
			out.WriteString(piece)
			column += wide
		}
	}
	return out.String()
}

// pieces parts a word where a line may end inside it.
func pieces(word string, width int) []string {
	if strings.Contains(word, "://") {
		return []string{word}
	}
	breakable := displaywidth.String(word) > width // anywhere, as there is no better place
	var all []string
	start, end, column := 0, 0, 0 // of the piece so far
	var last string               // its last character
	for g := displaywidth.StringGraphemes(word); g.Next(); {
		full := breakable && column+g.Width() > width
		if end > start && (full || mayBreak(last, g.Value())) {
			all = append(all, word[start:end])
			start, column = end, 0
		}
		end += len(g.Value())
		column += g.Width()
		last = g.Value()
	}
	return append(all, word[start:])
}

// mayBreak reports whether a line may end between two neighbouring characters of a word.
func mayBreak(before, after string) bool {
	wide := displaywidth.String(before) > 1 || displaywidth.String(after) > 1
	return wide && !strings.Contains(notFirst, after) && !strings.Contains(notLast, before)
}
