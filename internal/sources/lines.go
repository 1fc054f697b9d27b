package sources

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"silkpost/internal/articles"
)

// textLines returns the paragraphs of a text, one line each. Where a text was broken into lines of about one width, those are
// put together again; everywhere else each line is a paragraph of its own.
func textLines(content string) []string {
	var raw []string
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(content), "\n") {
		raw = append(raw, articles.OneLine(line))
	}
	limit := wrapLimit(raw)
	var lines []string
	for i, line := range raw {
		switch {
		case line == "":
		case i > 0 && wrapped(raw[i-1], line, limit):
			lines[len(lines)-1] = join(lines[len(lines)-1], line)
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

// wrapLimit returns the width at which a text was broken into lines, 0 when it was not: some lines come close to it without
// ending a sentence, and none exceeds it.
func wrapLimit(raw []string) int {
	const narrowest, widest, evidence = 40, 120, 2
	limit, near := 0, 0
	for _, line := range raw {
		limit = max(limit, columns(line))
	}
	for i, line := range raw {
		if columns(line)*4 >= limit*3 && !sentence(line) && i+1 < len(raw) && raw[i+1] != "" {
			near++
		}
	}
	if limit < narrowest || limit > widest || near < evidence {
		return 0
	}
	return limit
}

// wrapped reports whether a line goes on in the next: the next one's first word would not have fitted.
func wrapped(line, next string, limit int) bool {
	if line == "" || limit == 0 || bullet.MatchString(next) {
		return false
	}
	word, _, _ := strings.Cut(next, " ")
	if r, size := utf8.DecodeRuneInString(word); wide(r) {
		word = word[:size]
	}
	return columns(line)+1+columns(word) > limit
}

func join(line, next string) string {
	last, _ := utf8.DecodeLastRuneInString(line)
	first, _ := utf8.DecodeRuneInString(next)
	if wide(last) && wide(first) {
		return line + next
	}
	return line + " " + next
}

// columns returns how wide a line is: two for a Chinese character, none for an accent.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}

// sentence reports whether a line ends as a sentence does, in whatever script.
func sentence(line string) bool {
	if strings.HasSuffix(line, "...") || strings.HasSuffix(line, "…") {
		return false
	}
	line = strings.TrimRight(line, `"'”’»›)）」』】]`)
	r, _ := utf8.DecodeLastRuneInString(line)
	return strings.ContainsRune(".!?。！？．؟۔।॥።។။", r)
}

// prose reports whether a line is a paragraph rather than a headline, a link or a label: a long sentence, or a line longer than
// those get. Scripts that do not mark the end of sentences get by with less.
func prose(line string) bool {
	const short, long, unmarked = 60, 160, 80
	n := columns(line)
	return n >= long || sentence(line) && n >= short || n >= unmarked && strings.ContainsFunc(line, noSentenceMarks)
}

func noSentenceMarks(r rune) bool { return unicode.In(r, unicode.Thai, unicode.Lao) }
