// Package metrics is what a process tells Prometheus of itself. docs/metrics.md lists it all; a test compares the two.
//
// Its rules, in words. What happens often is counted where it happens, by methods that take well under a microsecond and never wait. What the
// database knows is asked when somebody looks, no more often than every five seconds and for two seconds at most. Labels have few values: a
// destination gets a name of its own only when it matters, and no more than fifty do. Nothing here names a person.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one process. A nil one counts nothing. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	attempts     *prometheus.CounterVec
	attemptTook  *prometheus.HistogramVec
	destinations destinations
	settleTook   prometheus.Histogram
	settleGroup  prometheus.Histogram
	claimTook    prometheus.Histogram
	claimed      prometheus.Counter
	connections  prometheus.Gauge
	polls        *prometheus.CounterVec
	requests     requests
}

// seconds are the bounds of what takes between milliseconds and the ten minutes that the answer to a final dot may take.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600}

// New returns metrics of which everything that this process counts by itself is registered already, and Go's runtime with it.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "silkpost_attempts_total", Help: "Attempts at deliveries, by what came of them and what the answer was about.",
		}, []string{"outcome", "kind"}),
		attemptTook: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "silkpost_attempt_duration_seconds", Help: "From when a connection took a delivery up until its outcome was known, by how far that came.",
			Buckets: seconds,
		}, []string{"phase"}),
		destinations: newDestinations(),
		settleTook: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "silkpost_settle_duration_seconds", Help: "Writing a group of outcomes down, until that is committed.", Buckets: seconds,
		}),
		settleGroup: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "silkpost_settle_group_size", Help: "Outcomes that were written down together.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		claimTook: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "silkpost_claim_duration_seconds", Help: "Claiming a window of deliveries that are due.", Buckets: seconds,
		}),
		claimed:     prometheus.NewCounter(prometheus.CounterOpts{Name: "silkpost_claimed_total", Help: "Deliveries that this process claimed."}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "silkpost_smtp_connections", Help: "Connections that are open to send digests."}),
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "silkpost_source_polls_total", Help: "Polls of sources, by source and whether they went well.",
		}, []string{"source", "result"}),
		requests: newRequests(),
	}
	m.registry.MustRegister(
		m.attempts, m.attemptTook, m.destinations.attempts, m.settleTook, m.settleGroup, m.claimTook, m.claimed, m.connections, m.polls, m.requests.total, m.requests.took,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all numbers in the form that is asked for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Timeout: 10 * time.Second})
}

// Attempt is one try at a delivery. Outcome, kind and phase are words of mailer/reply; the destination is a domain.
type Attempt struct {
	Outcome, Kind, Phase, Destination string
	Took                              time.Duration
}

// Attempted counts an attempt.
func (m *Metrics) Attempted(a Attempt) {
	if m == nil {
		return
	}
	m.attempts.WithLabelValues(a.Outcome, a.Kind).Inc()
	m.attemptTook.WithLabelValues(a.Phase).Observe(a.Took.Seconds())
	m.destinations.count(a.Destination, a.Outcome)
}

// Settled counts a group of outcomes that was committed.
func (m *Metrics) Settled(n int, took time.Duration) {
	if m != nil {
		m.settleTook.Observe(took.Seconds())
		m.settleGroup.Observe(float64(n))
	}
}

// Claimed counts a window that was claimed.
func (m *Metrics) Claimed(n int, took time.Duration) {
	if m != nil {
		m.claimTook.Observe(took.Seconds())
		m.claimed.Add(float64(n))
	}
}

// Connected counts a connection that was opened, 1, or closed, -1.
func (m *Metrics) Connected(by int) {
	if m != nil {
		m.connections.Add(float64(by))
	}
}

// Polled counts a poll of a source.
func (m *Metrics) Polled(source string, well bool) {
	if m == nil {
		return
	}
	result := "failed"
	if well {
		result = "ok"
	}
	m.polls.WithLabelValues(source, result).Inc()
}
