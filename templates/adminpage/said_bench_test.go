package adminpage

import "testing"

// What it costs to say a sentence that is known, and one that is not: pages show up to fifty.
func BenchmarkSaid(b *testing.B) {
	said := newSet(b).Words("zh-Hans").Said
	for name, sentence := range map[string]string{
		"known":   `list "partners": address "a b@example.org": a space before the @; fewer than 3 articles for anybody: they wait`,
		"foreign": "smtp; 550 5.1.1 <somebody@example.org>: user unknown, see https://mail.example.org/help, or ask: nobody",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				said(sentence)
			}
		})
	}
}
