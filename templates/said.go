package templates

import (
	"cmp"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The program thinks in English: what its rooms say of a mistake, of a source that fails or of a record that is missing is one English sentence, made with a
// format of package fmt. The sentence goes where it must: into the answer of the API, onto the command line, into a column of the database. Only where it is
// shown on a page is it said in the page's language: the table [said] of a catalogue has the English format as key and the language's own as value, and the
// sentence is read back with it. See docs/adr/0032.

const (
	longestSaid = 4000 // bytes; what is longer is no sentence of ours
	mostParts   = 100  // of a sentence that are looked at
	fewOwn      = 6    // bytes: a format with fewer of its own fits what is no sentence of ours, unless one of its values is
)

// phrase is how sentences of one English format are said.
type phrase struct {
	words []string       // the format's own, between its verbs: one more than there are verbs
	own   int            // how many bytes they have: what has more of them fits better
	reads *regexp.Regexp // nil: the format is the sentence
	verbs []byte         // of the format
	says  []spoken
}

// spoken is a piece of a sentence in the language: words, and a value of the English one behind them.
type spoken struct {
	words string
	value int  // of the English sentence; -1: none
	verb  byte // s: the value is said, too; v: it stays as it is
}

// phrasebook is the sentences that a language has for the program's.
type phrasebook struct {
	whole map[string]string
	made  []phrase

	before, after string // around what %q quotes
}

// separators stand between sentences that were put together, the loosest one first. The table [said] says as what, by the same keys.
var separators = []string{"\n", "; ", ": ", ", ", " or "}

// quotes is the key of what a language puts around what %q quotes.
const quotes = `"%s"`

// verbPattern finds the verbs of a format: an explicit index, flags, and what it is.
var verbPattern = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[0-9]*(?:\.[0-9]+)?([a-zA-Z%])`)

// readsVerb is how the value of a verb is read back.
func readsVerb(verb byte) string {
	switch verb {
	case 'd':
		return `([-+]?\d+)`
	case 'f':
		return `([-+]?\d+(?:\.\d+)?)`
	case 'q':
		return `("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)+')`
	case 'U':
		return `(U\+[0-9A-F]+)`
	}
	return `((?s:.*?))`
}

// readPhrases makes the table [said] of a catalogue ready. Keys that are punctuation alone say how the language writes it: that which joins sentences, and what
// %q quotes with, as "…" to “…”.
func readPhrases(said map[string]string) *phrasebook {
	p := &phrasebook{whole: map[string]string{}, before: `"`, after: `"`}
	if before, after, ok := strings.Cut(said[quotes], "%s"); ok {
		p.before, p.after = before, after
	}
	for format, own := range said {
		verbs := verbPattern.FindAllStringSubmatchIndex(format, -1)
		if !slices.ContainsFunc(verbs, func(v []int) bool { return format[v[4]] != '%' }) {
			p.whole[strings.ReplaceAll(format, "%%", "%")] = strings.ReplaceAll(own, "%%", "%")
			continue
		}
		p.made = append(p.made, readPhrase(format, own, verbs))
	}
	slices.SortFunc(p.made, func(a, b phrase) int {
		return cmp.Or(b.own-a.own, len(a.verbs)-len(b.verbs), strings.Compare(a.reads.String(), b.reads.String()))
	})
	return p
}

func readPhrase(format, own string, verbs [][]int) phrase {
	var f phrase
	var reads, literal strings.Builder
	end := 0
	ends := func() {
		f.own += literal.Len()
		f.words = append(f.words, literal.String())
		reads.WriteString(regexp.QuoteMeta(literal.String()))
		literal.Reset()
	}
	for _, v := range verbs {
		literal.WriteString(format[end:v[0]])
		if end = v[1]; format[v[4]] == '%' {
			literal.WriteByte('%')
			continue
		}
		ends()
		reads.WriteString(readsVerb(format[v[4]]))
		f.verbs = append(f.verbs, format[v[4]])
	}
	literal.WriteString(format[end:])
	ends()
	f.reads = regexp.MustCompile(`^` + reads.String() + `$`)
	f.says = readSpoken(own)
	return f
}

// readSpoken takes a language's format apart. Values come in the order of the English one, unless they are numbered: %[2]s. A %s is said itself, where that can
// be; what the reader would have to write as it is, such as the name of a field of a filter, is a %v.
func readSpoken(own string) (pieces []spoken) {
	var words strings.Builder
	end, next := 0, 0
	for _, v := range verbPattern.FindAllStringSubmatchIndex(own, -1) {
		words.WriteString(own[end:v[0]])
		if end = v[1]; own[v[4]] == '%' {
			words.WriteByte('%')
			continue
		}
		if v[2] >= 0 {
			n, _ := strconv.Atoi(own[v[2]:v[3]]) // the pattern takes digits alone
			next = n - 1
		}
		pieces = append(pieces, spoken{words.String(), next, own[v[4]]})
		words.Reset()
		next++
	}
	words.WriteString(own[end:])
	return append(pieces, spoken{words.String(), -1, 0})
}

// say returns a sentence in the language, and whether it could be said: else it is the English one.
func (p *phrasebook) say(sentence string) (said string, able bool) {
	if len(sentence) > longestSaid {
		return sentence, false
	}
	r := reading{p, map[string]reread{}}
	found := r.read(sentence)
	return found.said, found.own > 0
}

// reading is one sentence being read back, with what was read of its parts.
type reading struct {
	*phrasebook
	known map[string]reread
}

// reread is what came of a part: how it is said, and how many bytes of the English are accounted for. None: it stays as it is, which it does also as long as
// it is being read.
type reread struct {
	said string
	own  int
}

func (r reading) read(sentence string) reread {
	if whole, ok := r.whole[sentence]; ok {
		return reread{whole, len(sentence)}
	}
	found, ok := r.known[sentence]
	if ok {
		return found
	}
	found.said = sentence
	if sentence == "" || len(r.known) == mostParts {
		return found
	}
	r.known[sentence] = found
	found = r.best(sentence)
	r.known[sentence] = found
	return found
}

// best reads a sentence by the format, or as the two parts beside a separator, that accounts for most of it. A format that ends with a value would also take
// the sentence behind its own.
func (r reading) best(sentence string) reread {
	best := reread{sentence, 0}
	for i := range r.made {
		f := &r.made[i]
		if !f.mayBe(sentence) {
			continue
		}
		if values := f.reads.FindStringSubmatch(sentence); values != nil {
			if best = better(best, r.put(f, values[1:])); best.own > 0 && !slices.ContainsFunc(values[1:], together) {
				return best
			}
		}
	}
	for _, separator := range separators {
		if before, after, found := strings.Cut(sentence, separator); found {
			first, second := r.read(before), r.read(after)
			best = better(best, reread{first.said + cmp.Or(r.whole[separator], separator) + second.said, first.own + second.own})
		}
	}
	return best
}

// together reports whether a value may be of several sentences.
func together(value string) bool {
	return slices.ContainsFunc(separators, func(separator string) bool { return strings.Contains(value, separator) })
}

// better returns the second when it accounts for more.
func better(a, b reread) reread {
	if b.own > a.own {
		return b
	}
	return a
}

// mayBe reports whether a sentence has the format's own words in their order, which costs less than reading it.
func (f *phrase) mayBe(sentence string) bool {
	last := len(f.words) - 1
	if len(sentence) < f.own || !strings.HasPrefix(sentence, f.words[0]) || !strings.HasSuffix(sentence, f.words[last]) {
		return false
	}
	rest := sentence[len(f.words[0]):]
	for _, words := range f.words[1:last] {
		_, after, found := strings.Cut(rest, words)
		if !found {
			return false
		}
		rest = after
	}
	return true
}

// put puts the values of an English sentence into the language's.
func (r reading) put(f *phrase, values []string) reread {
	var b strings.Builder
	own, inside := f.own, 0
	for _, piece := range f.says {
		b.WriteString(piece.words)
		if piece.value < 0 || piece.value >= len(values) {
			continue
		}
		switch value := values[piece.value]; {
		case piece.verb == 'q' && f.verbs[piece.value] == 'q':
			own += len(value)
			b.WriteString(r.quoted(value))
		case piece.verb == 's' || piece.verb == 'w':
			part := r.read(value)
			inside += part.own
			b.WriteString(part.said)
		default:
			own += len(value)
			b.WriteString(value)
		}
	}
	if f.own < fewOwn && inside == 0 {
		return reread{}
	}
	return reread{b.String(), own + inside}
}

// quoted puts what %q quoted between the language's quotation marks.
func (p *phrasebook) quoted(value string) string {
	plain, err := strconv.Unquote(value)
	if err != nil || !utf8.ValidString(plain) || strings.ContainsAny(plain, "\n\x00") {
		return value
	}
	return p.before + plain + p.after
}

// saying are the functions with which templates say what the program said in English: said says it, english marks what cannot be.
func (w *words) saying() template.FuncMap {
	return template.FuncMap{
		"said": func(sentence string) string {
			said, _ := w.said.say(sentence)
			return line(said)
		},
		"english": func(sentence string) template.HTMLAttr {
			if _, able := w.said.say(sentence); able || sentence == "" {
				return ""
			}
			return ` lang="en"`
		},
	}
}
