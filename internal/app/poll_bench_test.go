package app_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/jobs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// BenchmarkPollRound polls 2,000 sources on 250 hosts, in which nothing changed, by the running program with its queue and manners: one
// request at a time and a second's rest for each host, and robots.txt of each in the first round. Half of the servers know ETags, the others
// send 50 KB each time. peak-MB is the most memory that this process ever had, which is that of the servers, too.
func BenchmarkPollRound(b *testing.B) {
	sources, hosts := 2000, 250
	if testkit.Quick() {
		sources, hosts = 20, 5
	}
	body := []byte(`<rss version="2.0"><channel><title>x</title>` + strings.Repeat(`<item><title>Words</title><description>More words</description></item>`, 700) + `</channel></rss>`)
	hash := sha256.Sum256(body)
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		default:
			_, _ = w.Write(body)
		}
	})
	var allowed, origins []string
	for i := range hosts {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", i+2))
		if err != nil {
			b.Skip("this machine has one loopback address only")
		}
		srv := &http.Server{Handler: site, ReadHeaderTimeout: time.Minute}
		go func() { _ = srv.Serve(ln) }()
		b.Cleanup(func() { _ = srv.Close() })
		host, _, _ := net.SplitHostPort(ln.Addr().String())
		allowed, origins = append(allowed, host), append(origins, "http://"+ln.Addr().String())
	}
	a, err := app.Open(b.Context(), settings(testkit.FreshURL(b), catchertest.Start(b, catcher.Config{})), app.Options{Allow: allowed})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close(context.Background()) })
	for i := range sources {
		etag := ""
		if i%2 == 0 {
			etag = `"v1"`
		}
		if _, err := a.DB.ExecContext(b.Context(), `
			INSERT INTO articles.sources (slug, kind, url, etag, body_hash, polled_at, changed_at, created_at) VALUES ($1, 'feed', $2, $3, $4, $5, $5, $5)`,
			fmt.Sprintf("source-%d", i), fmt.Sprintf("%s/feed/%d", origins[i%hosts], i), etag, hash[:], time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	queue, err := jobs.NewInserter(a.DB)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, app.Parts{Worker: true}) }()
	for b.Loop() {
		began := time.Now()
		if _, err := a.DB.ExecContext(b.Context(), `UPDATE articles.sources SET next_poll_at = $1`, began); err != nil {
			b.Fatal(err)
		}
		if err := queue.Insert(b.Context(), a.DB, jobs.PollDue{}); err != nil {
			b.Fatal(err)
		}
		testkit.Eventually(b, 5*time.Minute, "all are polled", func() bool {
			var waiting, failed int
			if err := a.DB.QueryRowxContext(b.Context(), `SELECT count(*) FILTER (WHERE next_poll_at <= $1), count(*) FILTER (WHERE failure <> '') FROM articles.sources`,
				began).Scan(&waiting, &failed); err != nil || failed > 0 {
				b.Fatalf("%d polls failed; %v", failed, err)
			}
			return waiting == 0
		})
	}
	b.ReportMetric(peakMB(b), "peak-MB")
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// peakMB returns the most memory that this process ever had.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.Atoi(string(found[1]))
	return float64(kilobytes) / 1024
}
