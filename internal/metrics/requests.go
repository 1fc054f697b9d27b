package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requests counts what the web answers, by pattern: addresses hold tokens. The series of a pattern are looked up once, because feed readers ask
// tens of thousands of times a second.
type requests struct {
	total    *prometheus.CounterVec
	took     *prometheus.HistogramVec
	patterns *sync.Map // pattern → *pattern
}

type pattern struct {
	classes [len(classes)]prometheus.Counter
	took    prometheus.Observer
}

// classes of status codes, by their first digit.
var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

func newRequests() requests {
	return requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "silkpost_http_requests_total", Help: "Requests that were answered, by pattern of their address and class of the status.",
		}, []string{"pattern", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "silkpost_http_request_duration_seconds", Help: "Answering requests, by pattern of their address.", Buckets: seconds[:12],
		}, []string{"pattern"}),
		patterns: &sync.Map{},
	}
}

// Answered counts a request that was answered.
func (m *Metrics) Answered(name string, status int, took time.Duration) {
	if m == nil {
		return
	}
	known, ok := m.requests.patterns.Load(name)
	if !ok {
		known, _ = m.requests.patterns.LoadOrStore(name, m.requests.pattern(name))
	}
	p := known.(*pattern)
	class := status / 100
	if class < 0 || class >= len(classes) {
		class = 0
	}
	p.classes[class].Inc()
	p.took.Observe(took.Seconds())
}

func (r *requests) pattern(name string) *pattern {
	p := &pattern{took: r.took.WithLabelValues(name)}
	for i, class := range classes {
		p.classes[i] = r.total.WithLabelValues(name, class)
	}
	return p
}
