package feeds_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/testkit"
)

// The large feed of these benchmarks has so many items, of so many bytes of HTML each.
const (
	largeItems = 1000
	largeItem  = 5000
)

// BenchmarkRender makes the documents of a large feed, one after the other: each alone, and all three with each compressed. MB is what comes
// out, cpu-ms the processor time that it takes, collecting garbage included.
func BenchmarkRender(b *testing.B) {
	for _, format := range feeds.Formats() {
		b.Run(string(format), func(b *testing.B) { benchmarkRender(b, "", format) })
	}
	for _, coding := range []string{"gzip", "br"} {
		b.Run("all-"+coding, func(b *testing.B) { benchmarkRender(b, coding, feeds.Formats()...) })
	}
}

func benchmarkRender(b *testing.B, coding string, formats ...feeds.Format) {
	frame := &feeds.Frame{Feed: feeds.Feed{Slug: "all", Limit: largeItems}, Path: "all"}
	var items []feeds.Item
	for n, d := range largeDrafts() {
		items = append(items, feeds.Item{Article: articles.Article{
			GUID: "urn:x:" + d.ExternalKey, URL: d.URL, Title: d.Title, Summary: "What this is about.", HTML: d.HTML, Language: d.Language,
			Section: d.Section, Tags: d.Tags, Authors: d.Authors, PublishedAt: d.Published, UpdatedAt: day(1 + n%20),
		}})
	}
	began, size := testkit.ProcessorTime(b), 0
	for b.Loop() {
		size = 0
		for _, format := range formats {
			body, err := feeds.Render(format, frame, items, publicURL)
			if err != nil {
				b.Fatal(err)
			}
			size += len(feeds.Compress(coding, body))
		}
	}
	reportMilliseconds(b, "ms", b.Elapsed())
	reportMilliseconds(b, "cpu-ms", testkit.ProcessorTime(b)-began)
	b.ReportMetric(float64(size)/1e6, "MB")
}

func largeDrafts() (drafts []articles.Draft) {
	for n := range largeItems {
		drafts = append(drafts, articles.Draft{
			ExternalKey: fmt.Sprint(n), URL: fmt.Sprintf("https://www.example.org/%d", n), Title: fmt.Sprintf("Title %d", n),
			HTML: testkit.Prose(uint64(n), largeItem), Language: "en", Section: "News", Tags: []string{"robots", "people"},
			Authors: []string{"A. Author"}, Published: day(1).Add(time.Duration(n-largeItems) * time.Hour),
		})
	}
	return drafts
}

// BenchmarkLargeFeed asks the handler for all three documents of a large feed at once, compressed: in a process that keeps nothing yet, and
// after an edit of one of its articles. Reading from the database is in it.
func BenchmarkLargeFeed(b *testing.B) {
	l := &library{bundle: setup(b), clock: testkit.NewClock(day(2))}
	if _, err := l.feeds.Declare(b.Context(), l.db, feeds.Feed{Slug: "all", Limit: largeItems}, day(1)); err != nil {
		b.Fatal(err)
	}
	drafts := largeDrafts()
	l.publish(b, day(1), drafts...)
	l.exec(b, `VACUUM ANALYZE`)
	edited := &drafts[largeItems/2]
	for _, coding := range []string{"gzip", "br"} {
		b.Run("new-process/"+coding, func(b *testing.B) {
			for b.Loop() {
				fetchAll(b, l.restart(), coding)
			}
			reportMilliseconds(b, "ms", b.Elapsed())
		})
		b.Run("one-edited/"+coding, func(b *testing.B) {
			handler := l.restart()
			fetchAll(b, handler, coding)
			for b.Loop() {
				b.StopTimer()
				edited.HTML = testkit.Prose(uint64(l.clock.Now().Unix()), largeItem)
				l.publish(b, l.clock.Now(), *edited)
				l.clock.Advance(time.Second) // what was known of feeds is no longer trusted
				b.StartTimer()
				fetchAll(b, handler, coding)
			}
			reportMilliseconds(b, "ms", b.Elapsed())
		})
	}
}

// fetchAll asks for the three formats of the feed of everything, all at once.
func fetchAll(b *testing.B, handler http.Handler, coding string) {
	var group sync.WaitGroup
	for _, format := range feeds.Formats() {
		group.Go(func() { fetch(b, handler, "/feeds/all."+string(format), coding) })
	}
	group.Wait()
}

// reportMilliseconds reports a time per iteration.
func reportMilliseconds(b *testing.B, unit string, all time.Duration) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(all.Microseconds())/1000/float64(b.N), unit)
}
