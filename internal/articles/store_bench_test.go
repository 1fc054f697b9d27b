package articles

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkSaveUnchanged saves what is there already, as nearly every poll does.
func BenchmarkSaveUnchanged(b *testing.B) {
	store := setup(b)
	drafts := make([]Draft, 1000)
	for i := range drafts {
		paragraph := fmt.Sprintf(`<p class="x">The hall opens for number %d. <a href="/more">Read on</a>, or come and <em>see</em>.</p>`, i)
		drafts[i] = Draft{
			ExternalKey: fmt.Sprint(i), URL: fmt.Sprintf("https://www.example.org/%d", i), Title: fmt.Sprintf("Title %d", i),
			HTML: strings.Repeat(paragraph, 30), Tags: []string{"robots", "people"}, Published: monday,
		}
	}
	store.save(b, monday, drafts...)
	for b.Loop() {
		if got := store.save(b, monday.Add(time.Hour), drafts...); got.Unchanged != len(drafts) {
			b.Fatalf("%+v", got)
		}
	}
}
