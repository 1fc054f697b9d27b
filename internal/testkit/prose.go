package testkit

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Prose returns about size bytes of made-up sentences in paragraphs of HTML: for each seed a text of its own, always the same. Its words
// are as often repeated as those of a language, so that it compresses about as well as articles do.
func Prose(seed uint64, size int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	frequency := rand.NewZipf(r, 1.2, 12, uint64(len(vocabulary)-1))
	var out strings.Builder
	for out.Len() < size {
		out.WriteString("<p>")
		for range 2 + r.IntN(4) {
			sentence(&out, r, frequency)
		}
		fmt.Fprintf(&out, `<a href="https://www.example.org/%d/%d">%s</a>.</p>`, seed, r.IntN(1e6), vocabulary[frequency.Uint64()])
	}
	return out.String()
}

func sentence(out *strings.Builder, r *rand.Rand, frequency *rand.Zipf) {
	for i := range 6 + r.IntN(14) {
		word := vocabulary[frequency.Uint64()]
		if i == 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		} else {
			out.WriteByte(' ')
		}
		out.WriteString(word)
	}
	out.WriteString(". ")
}

// vocabulary are made-up words, the short ones first as they are the frequent ones.
var vocabulary = func() (words []string) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		var word strings.Builder
		for range 1 + r.IntN(2) + min(i/500, 2) {
			word.WriteByte("bcdfghjklmnprstvw"[r.IntN(17)])
			word.WriteByte("aeiou"[r.IntN(5)])
			if r.IntN(3) == 0 {
				word.WriteByte("nrstl"[r.IntN(5)])
			}
		}
		words = append(words, word.String())
	}
	return words
}()
