package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"github.com/prometheus/client_golang/prometheus"
)

// full returns metrics with all that they can have.
func full(ask func(context.Context) (Account, error), now func() time.Time) *Metrics {
	m := New()
	m.Watch(sqlx.NewDb(nil, "").DB, now, ask)
	m.WatchCache(func() Cache { return Cache{} })
	return m
}

// scrape returns the lines that a look finds.
func scrape(m *Metrics) []string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return strings.Split(w.Body.String(), "\n")
}

// What the documentation lists is what there is: name, labels and words.
func TestTheDocumentationListsAllMetrics(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(silkpost_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, ]*?) ?\\| (.+) \\|$").FindAllStringSubmatch(string(content), -1) {
		documented = append(documented, fmt.Sprintf("%s %s {%s} %s", row[1], row[2], strings.ReplaceAll(row[3], " ", ""), row[4]))
	}
	slices.Sort(documented)
	if diff := cmp.Diff(registered(), documented); diff != "" {
		t.Errorf("docs/metrics.md (-registered +documented):\n%s", diff)
	}
}

// registered returns all that is ours, as the documentation has it.
func registered() (all []string) {
	m := full(func(context.Context) (Account, error) { return Account{}, nil }, time.Now)
	descs := make(chan *prometheus.Desc)
	go func() { m.registry.Describe(descs); close(descs) }()
	form := regexp.MustCompile(`fqName: "(silkpost_[a-z_]+)", help: "(.*)", unit: "[^"]*", constLabels: \{\}, variableLabels: \{(.*)\}\}`)
	for d := range descs {
		if found := form.FindStringSubmatch(d.String()); found != nil {
			all = append(all, fmt.Sprintf("%s %s {%s} %s", found[1], kindOf(found[1]), found[3], strings.ReplaceAll(found[2], `\"`, `"`)))
		}
	}
	slices.Sort(all)
	return all
}

// kindOf returns what a metric of a name is, by the conventions.
func kindOf(name string) string {
	switch {
	case strings.HasSuffix(name, "_total"):
		return "counter"
	case strings.HasSuffix(name, "_duration_seconds"), strings.HasSuffix(name, "_group_size"):
		return "histogram"
	}
	return "gauge"
}

func TestNamesFollowTheConventions(t *testing.T) {
	t.Parallel()
	m := full(func(context.Context) (Account, error) {
		return Account{
			Deliveries: map[string]int{"sent": 3}, Notices: map[string]int{"sent": 1}, OldestDue: 90 * time.Second,
			Jobs: []Jobs{{"plans", "available", 2, time.Second}, {"plans", "running", 1, 0}},
		}, nil
	}, time.Now)
	m.Attempted(Attempt{"sent", "accepted", "dot", "example.org", time.Second})
	m.Settled(2, time.Millisecond)
	m.Claimed(2, time.Millisecond)
	m.Polled("site", true)
	m.Answered("GET /feeds/{file}", 304, time.Microsecond)
	lines := scrape(m)
	for _, want := range []string{
		`silkpost_attempts_total{kind="accepted",outcome="sent"} 1`, `silkpost_deliveries{state="sent"} 3`, `silkpost_delivery_queue_age_seconds 90`,
		`silkpost_destination_attempts_total{destination="other",outcome="sent"} 1`, `silkpost_jobs{queue="plans",state="available"} 2`,
		`silkpost_job_queue_age_seconds{queue="plans"} 1`, `silkpost_http_requests_total{pattern="GET /feeds/{file}",status="3xx"} 1`,
		`silkpost_settle_group_size_sum 2`, `silkpost_database_up 1`, `silkpost_source_polls_total{result="ok",source="site"} 1`,
		`silkpost_claimed_total 2`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s", want)
		}
	}
	for _, line := range lines {
		if name, kind, ok := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " "); ok && strings.HasPrefix(line, "# TYPE silkpost_") {
			if kind != kindOf(name) {
				t.Errorf("%s is a %s", name, kind)
			}
		}
	}
}

func TestDestinationsAreBounded(t *testing.T) {
	t.Parallel()
	m := New()
	for i := range 3 * namedDestinations {
		for range namedFrom + 10 {
			m.destinations.count(fmt.Sprintf("d%d.example.org", i), "sent")
		}
	}
	for i := range 3 * talliedAtMost {
		m.destinations.count(fmt.Sprintf("seldom%d.example.org", i), "sent")
	}
	named, sum := 0, 0.0
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "silkpost_destination_attempts_total" {
			named = len(f.GetMetric())
			for _, series := range f.GetMetric() {
				sum += series.GetCounter().GetValue()
			}
		}
	}
	if named != namedDestinations+1 || sum != 3*namedDestinations*(namedFrom+10)+3*talliedAtMost || len(m.destinations.tally) > talliedAtMost {
		t.Errorf("%d series make up %v; %d on their way", named, sum, len(m.destinations.tally))
	}
}

// The database is asked when somebody looks, but not by each of many; when it does not answer nothing is said of what it knows.
func TestTheDatabaseIsAskedNowAndThen(t *testing.T) {
	t.Parallel()
	now, asked, broken := time.Unix(1_700_000_000, 0), 0, error(nil)
	m := full(func(context.Context) (Account, error) { asked++; return Account{Senders: asked}, broken }, func() time.Time { return now })
	for range 3 {
		if !slices.Contains(scrape(m), "silkpost_senders 1") {
			t.Error("the senders are not told")
		}
	}
	now, broken = now.Add(askedEvery), errors.New("away")
	lines := scrape(m)
	if asked != 2 || !slices.Contains(lines, "silkpost_database_up 0") || slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "silkpost_senders") }) {
		t.Errorf("asked %d times; a database that is away still tells", asked)
	}
}

func TestNobodyCountsOnNil(*testing.T) {
	var m *Metrics
	m.Attempted(Attempt{})
	m.Settled(1, 0)
	m.Claimed(1, 0)
	m.Polled("", false)
	m.Answered("", 200, 0)
}

func BenchmarkAttempted(b *testing.B) {
	m := New()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Attempted(Attempt{"sent", "accepted", "dot", "example.org", time.Millisecond})
		}
	})
}

func BenchmarkAnswered(b *testing.B) {
	m := New()
	b.ReportAllocs()
	for b.Loop() {
		m.Answered("GET /feeds/{file}", 304, time.Microsecond)
	}
}
