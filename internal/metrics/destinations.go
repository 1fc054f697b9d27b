package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// What keeps the number of series bounded, and the domains of single people out of them.
const (
	namedDestinations = 50     // at most
	namedFrom         = 100    // attempts; before that a destination is one of the others
	talliedAtMost     = 10_000 // destinations on their way to a name; then counting towards names begins anew
)

// others is the label of destinations without a name of their own. It is no domain.
const others = "other"

// destinations counts attempts by destination. A destination gets its own series with its hundredth attempt; what was counted before stays with
// the others, so that no series ever falls.
type destinations struct {
	attempts *prometheus.CounterVec

	mu    *sync.Mutex
	tally map[string]int
	named map[string]bool
}

func newDestinations() destinations {
	return destinations{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "silkpost_destination_attempts_total",
			Help: `Attempts by destination. The first fifty that come to a hundred attempts have their own names, all else is "other".`,
		}, []string{"destination", "outcome"}),
		mu: &sync.Mutex{}, tally: map[string]int{}, named: map[string]bool{},
	}
}

func (d *destinations) count(name, outcome string) {
	d.attempts.WithLabelValues(d.label(name), outcome).Inc()
}

// label returns the name under which an attempt at a destination is counted.
func (d *destinations) label(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.named[name]:
		return name
	case len(d.named) == namedDestinations:
		return others
	case len(d.tally) >= talliedAtMost:
		clear(d.tally)
	}
	if d.tally[name]++; d.tally[name] < namedFrom {
		return others
	}
	delete(d.tally, name)
	d.named[name] = true
	return name
}
