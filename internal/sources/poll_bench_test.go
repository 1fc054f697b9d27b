package sources

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"silkpost/internal/articles"
)

// BenchmarkPollUnchanged polls a feed of 1,000 items that knows nothing of ETags, says when it was made, and has nothing new.
func BenchmarkPollUnchanged(b *testing.B) {
	bench := pollSetup(b)
	var feed strings.Builder
	for i := range 1000 {
		paragraph := fmt.Sprintf(`<p class="x">The hall opens for number %d. <a href="/more">Read on</a>, or come and <em>see</em>.</p>`, i)
		fmt.Fprintf(&feed, `<item><guid>%d</guid><title>Title %d</title><link>https://www.example.org/%d</link><description><![CDATA[%s]]></description></item>`,
			i, i, i, strings.Repeat(paragraph, 30))
	}
	made := 0
	bench.upstream.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		made++
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>x</title><description>%d</description>%s</channel></rss>`, made, feed.String())
	}))
	bench.poll(b, monday)
	for b.Loop() {
		if got := bench.poll(b, monday); got != (articles.Result{Unchanged: 1000}) {
			b.Fatalf("%+v", got)
		}
	}
}
