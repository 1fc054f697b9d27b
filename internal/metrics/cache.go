package metrics

import "github.com/prometheus/client_golang/prometheus"

// Cache is what the feeds' cache holds, and how many documents had to be made since the process began.
type Cache struct {
	Documents, Bytes, Rendered int64
}

// WatchCache adds the cache of feeds; of several, the first.
func (m *Metrics) WatchCache(cache func() Cache) {
	for _, c := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "silkpost_feed_cache_documents", Help: "Documents of feeds that are ready in memory."},
			func() float64 { return float64(cache().Documents) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "silkpost_feed_cache_bytes", Help: "Memory for documents of feeds and their parts."},
			func() float64 { return float64(cache().Bytes) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "silkpost_feed_cache_misses_total", Help: "Documents of feeds that were not in memory and had to be made.",
		}, func() float64 { return float64(cache().Rendered) }),
	} {
		_ = m.registry.Register(c) // refused when there is one
	}
}
