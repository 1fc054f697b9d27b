package articles

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

func BenchmarkTerms(b *testing.B) {
	for name, text := range map[string]string{
		"latin":   strings.Repeat("Forty-one teams met in the sports hall of the university. ", 345),
		"chinese": strings.Repeat("机器人接力赛在体育馆举行，四十一支队伍参加。", 310),
	} {
		b.Run(fmt.Sprintf("%s/%dKB", name, len(text)>>10), func(b *testing.B) {
			for b.Loop() {
				terms(text)
			}
		})
	}
}

// syllables make words that differ as much as those of a language do.
var syllables = []string{"ro", "bot", "re", "lay", "uni", "ver", "si", "ty", "mu", "se", "um", "sci", "ence", "fes", "ti", "val", "ha", "ll", "te", "am"}

func syntheticText(n int) string {
	var text strings.Builder
	for i := range 300 {
		word := n*7919 + i*i*104729
		if i%3 > 0 {
			word = (n + i*i) % 600 // common ones
		}
		for range 3 {
			text.WriteString(syllables[word%len(syllables)])
			word /= len(syllables)
		}
		text.WriteByte(' ')
		if n%3 == 0 {
			r := rune(0x4e00 + (n*31+i*i*7)%3000)
			text.WriteString("新闻" + string([]rune{r, r + 1, r + 2}) + "，")
		}
	}
	return text.String()
}

// BenchmarkFind looks for articles among 100,000.
func BenchmarkFind(b *testing.B) {
	many := 100_000
	if testkit.Quick() {
		many = 2000
	}
	bench := setup(b)
	for from := 0; from < many; from += 2000 {
		drafts := make([]Draft, 0, 2000)
		for i := from; i < min(from+2000, many); i++ {
			drafts = append(drafts, Draft{
				ExternalKey: strconv.Itoa(i), Title: "Article " + strconv.Itoa(i), Text: syntheticText(i), Language: []string{"en", "it", "zh-Hans"}[i%3],
				Section: "Section " + strconv.Itoa(i%20), Tags: []string{"tag " + strconv.Itoa(i%500)}, Published: monday.AddDate(0, 0, -i/20),
			})
		}
		bench.save(b, monday, drafts...)
	}
	bench.db.MustExec(`VACUUM ANALYZE`)
	for name, q := range map[string]Search{
		"everything": {}, "every article has it": {Words: "article"}, "rare": {Words: "article " + strconv.Itoa(many/2)}, "chinese": {Words: "新闻"},
		"nothing": {Words: "nowhere"}, "prefix": {Words: "rob"}, "section": {Section: "Section 3"}, "language": {Language: "en"}, "withdrawn": {Marked: MarkedWithdrawn},
		"all filters": {Words: "article", Section: "Section 3", Language: "en", Source: "files", Tag: "tag 3"}, "published": {Marked: MarkedPublished, Source: "files"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := database.Transact(b.Context(), bench.db, func(tx *sqlx.Tx) error {
					if _, err := bench.Find(b.Context(), tx, q, Place{}, 51); err != nil {
						return err
					}
					_, err := bench.CountFound(b.Context(), tx, q, 10_001)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
