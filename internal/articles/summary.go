package articles

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/clipperhouse/uax29/v2/sentences"
	"golang.org/x/text/width"
)

const (
	summaryLimit = 300  // characters of a summary that is made here
	givenLimit   = 1000 // of one that the source gave
	titleLimit   = 300  // of a title
)

// Summary returns the beginning of a plain text: whole sentences (UAX 29) of its paragraphs, up to about 300 characters. When
// the first sentence alone is longer, it is cut between two words, or between two characters where a script has no blanks,
// and ends in "…". The result is one line.
func Summary(text string) string { return shorten(text, summaryLimit) }

// FirstSentence returns the first sentence of a plain text, shortened when it is too long for a title.
func FirstSentence(text string) string {
	const limit = 120
	for sentence := range eachSentence(text) {
		if utf8.RuneCountInString(sentence) > limit {
			return cut(sentence, limit)
		}
		return sentence
	}
	return ""
}

// shortTitle cuts a title that is longer than any headline.
func shortTitle(title string) string {
	if utf8.RuneCountInString(title) <= titleLimit {
		return title
	}
	return cut(title, titleLimit)
}

func shorten(text string, limit int) string {
	var b strings.Builder
	count := 0
	for sentence, blank := range eachSentence(text) {
		size := utf8.RuneCountInString(sentence)
		if count > 0 && count+size > limit {
			break
		}
		if size > limit {
			return cut(sentence, limit)
		}
		b.WriteString(sentence + blank)
		count += size + len(blank)
	}
	return strings.TrimSpace(b.String())
}

// eachSentence yields the sentences of a text, paragraph by paragraph, each as one line, and the blank that comes after it, "" when
// there is none: full-width marks bring their own. An ASCII full stop that no blank follows, as in "{{.Name}}", ends none.
func eachSentence(text string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, p := range paragraphs(text) {
			line := strings.Join(strings.Fields(p), " ") + " "
			start := 0
			for found := sentences.FromString(line); found.Next(); {
				end := found.End()
				if end < len(line) && line[end-1] < utf8.RuneSelf && line[end-1] != ' ' {
					continue
				}
				sentence := strings.TrimSuffix(line[start:end], " ")
				blank := line[start+len(sentence) : end]
				if wideEnd(sentence) {
					blank = ""
				}
				if !yield(sentence, blank) {
					return
				}
				start = end
			}
		}
	}
}

// cut returns the beginning of s, at most limit characters, and "…". It looks for a blank in the last third first.
func cut(s string, limit int) string {
	end, blank, count := 0, 0, 0
	for found := graphemes.FromString(s); found.Next(); {
		count += utf8.RuneCountInString(found.Value())
		if count >= limit {
			break
		}
		if strings.TrimSpace(found.Value()) == "" && count > limit*2/3 {
			blank = end
		}
		end = found.End()
	}
	if blank > 0 {
		end = blank
	}
	return strings.TrimRightFunc(s[:end], func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:，、；：", r) }) + "…"
}

// wideEnd reports whether a text ends in a full-width mark, which brings its own space.
func wideEnd(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}
