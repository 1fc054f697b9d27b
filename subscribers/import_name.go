package subscribers

import (
	"slices"
	"strings"
	"unicode"
)

// joinName returns the whole name in the order that its language wants: the family first, without a space, where both parts are written in
// Chinese, Japanese or Korean; the family first in Hungarian; else the family last.
func joinName(first, middle, last string, languages []string) string {
	given := strings.TrimSpace(first + " " + middle)
	switch {
	case given == "" || last == "":
		return given + last
	case strings.HasPrefix(last, given+" ") || strings.HasSuffix(last, " "+given): // the whole name stood there
		return last
	case isEastAsian(given) && isEastAsian(last):
		return last + strings.ReplaceAll(given, " ", "")
	case len(languages) > 0 && (languages[0] == "hu" || strings.HasPrefix(languages[0], "hu-")):
		return last + " " + given
	}
	return given + " " + last
}

func isEastAsian(name string) bool {
	return !slices.ContainsFunc([]rune(name), func(r rune) bool {
		return r != ' ' && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
}
