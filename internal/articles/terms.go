package articles

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// How much is indexed of an article, and asked for in a query.
const (
	termBytes  = 100     // of a word
	textBytes  = 400_000 // of an article
	queryBytes = 1000
	queryTerms = 20
	prefixFrom = 3 // bytes of a word from which on longer words that begin with it are found, too: three Latin letters, two Cyrillic ones, a Korean syllable
)

// spaceless are the scripts that part no words by spaces.
var spaceless = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Bopomofo, unicode.Yi,
}

// unmarked are marks without which words are compared: accents, and the vowel signs of Hebrew and Arabic, which few write. Other marks, such as Thai
// vowels, are letters of their own.
var unmarked = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0300, Hi: 0x036f, Stride: 1},
	{Lo: 0x0591, Hi: 0x05c7, Stride: 1},
	{Lo: 0x0610, Hi: 0x061a, Stride: 1},
	{Lo: 0x0640, Hi: 0x0640, Stride: 1},
	{Lo: 0x064b, Hi: 0x065f, Stride: 1},
	{Lo: 0x0670, Hi: 0x0670, Stride: 1},
	{Lo: 0x06d6, Hi: 0x06ed, Stride: 1},
}}

// folded returns a text as it is compared: without case, accents and differences of width.
func folded(text string) string {
	text = scrub(text)
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToLower(text)
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r < 0x300:
			return r
		case unicode.Is(unmarked, r):
			return -1
		case r == 'ى': // Arabic words end with either
			return 'ي'
		case r == 'ة':
			return 'ه'
		}
		return r
	}, norm.NFKD.String(text))
	return unmarkedLetters.Replace(norm.NFC.String(cases.Fold().String(text)))
}

// unmarkedLetters replaces letters whose mark Unicode does not tell apart.
var unmarkedLetters = strings.NewReplacer("đ", "d", "ø", "o", "ł", "l", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe")

// runs calls word for each word of a folded text, and unspaced for each stretch in a script that parts no words.
func runs(text string, word, unspaced func(string)) {
	start, apart := -1, false // of the run; it is in a script without spaces
	end := func(at int) {
		switch {
		case start < 0:
		case apart:
			unspaced(text[start:at])
		default:
			word(beginning(text[start:at], termBytes))
		}
		start = -1
	}
	for i, r := range text {
		alone := r > 0x2ff && isSpaceless(r)
		switch {
		case !alone && !isWord(r):
			end(i)
			continue
		case alone != apart:
			end(i)
			apart = alone
		}
		if start < 0 {
			start = i
		}
	}
	end(len(text))
}

func isSpaceless(r rune) bool { return r == 'ー' || unicode.In(r, spaceless...) }

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// beginning returns as much of the beginning of a text as has so many bytes.
func beginning(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// pairs calls pair for each character of a text with the one that follows it, and for the last one.
func pairs(text string, pair func(string)) {
	for len(text) > 0 {
		_, first := utf8.DecodeRuneInString(text)
		_, second := utf8.DecodeRuneInString(text[first:])
		pair(text[:first+second])
		text = text[first:]
	}
}

// terms returns what texts are found by, each once: their words, and of scripts that part no words each pair of neighbours, with the last character of
// a stretch by itself, so that each character begins a term.
func terms(texts ...string) []string {
	seen := map[string]bool{}
	all := []string{}
	add := func(term string) {
		if !seen[term] {
			seen[term] = true
			all = append(all, term)
		}
	}
	left := textBytes
	for _, text := range texts {
		text = beginning(text, left)
		left -= len(text)
		runs(folded(text), add, func(run string) { pairs(run, add) })
	}
	return all
}

// conditionOf writes what a person looks for as a condition on terms (a tsquery); "" when no word is in it. Everything must be there, a word as the
// beginning of one, unless it is short.
func conditionOf(words string) string {
	var all []string
	add := func(term string, begins bool) {
		if len(all) < queryTerms {
			all = append(all, quotedTerm(term, begins))
		}
	}
	runs(folded(beginning(words, queryBytes)), func(word string) {
		add(word, len(word) >= prefixFrom)
	}, func(run string) {
		pairs(run, func(pair string) {
			_, first := utf8.DecodeRuneInString(pair)
			switch {
			case first < len(pair):
				add(pair, false)
			case pair == run: // one character alone
				add(pair, true)
			}
		})
	})
	return strings.Join(all, " & ")
}

// quotedTerm writes a term as a tsquery has it.
func quotedTerm(term string, begins bool) string {
	quoted := `'` + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(term) + `'`
	if begins {
		quoted += ":*"
	}
	return quoted
}
