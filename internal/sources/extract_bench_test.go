package sources

import (
	"os"
	"strings"
	"testing"

	"silkpost/internal/articles"
)

// BenchmarkExtract reads and cleans a page of 20 KB.
func BenchmarkExtract(b *testing.B) {
	page, err := os.ReadFile("testdata/pages/en-wordpress.html")
	if err != nil {
		b.Fatal(err)
	}
	paragraph := "<p>" + strings.Repeat("Visitors can follow experiments on deck, <em>look</em> through telescopes and talk to researchers. ", 5) + "</p>"
	text := string(page)
	text = strings.Replace(text, "<h2>Ten days", strings.Repeat(paragraph, (20<<10-len(text))/len(paragraph)+1)+"<h2>Ten days", 1)
	for b.Loop() {
		d, err := Extract("https://www.example.org/2024/03/18/festival/", []byte(text), "text/html")
		if err != nil {
			b.Fatal(err)
		}
		_ = articles.Clean(d.HTML, d.URL)
	}
}
