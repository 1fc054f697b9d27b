package metrics

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Account is what the database knows. Keys of Deliveries and Notices are states.
type Account struct {
	Deliveries         map[string]int
	Notices            map[string]int
	OldestDue          time.Duration // for how long the delivery that waits longest could have been claimed; 0: none waits
	Senders            int
	PausedDestinations int
	Jobs               []Jobs
}

// Jobs are those of a queue in one state.
type Jobs struct {
	Queue, State string
	Count        int
	Oldest       time.Duration // for how long the oldest could have been worked; 0: it may not yet, or is done
}

// What asking the database may cost.
const (
	askedEvery = 5 * time.Second
	askedFor   = 2 * time.Second
)

// account asks the database when somebody looks.
type account struct {
	ask func(context.Context) (Account, error)
	now func() time.Time

	mu    sync.Mutex
	known Account
	up    bool
	asked time.Time

	deliveries, notices, oldest, senders, paused, jobs, jobAge, alive *prometheus.Desc
}

// Watch adds what ask finds in the database, and the state of its pool. It is called once, before anybody looks.
func (m *Metrics) Watch(db *sql.DB, now func() time.Time, ask func(context.Context) (Account, error)) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("silkpost_"+name, help, labels, nil)
	}
	m.registry.MustRegister(collectors.NewDBStatsCollector(db, "silkpost"), &account{
		ask: ask, now: now,
		deliveries: desc("deliveries", "Deliveries that are kept, by state.", "state"),
		notices:    desc("notices", "Notices, by state.", "state"),
		oldest:     desc("delivery_queue_age_seconds", "For how long the delivery that waits longest could have been claimed."),
		senders:    desc("senders", "Processes that send, on all machines."),
		paused:     desc("destinations_paused", "Destinations that pause."),
		jobs:       desc("jobs", "Jobs in the queue, by queue and state.", "queue", "state"),
		jobAge:     desc("job_queue_age_seconds", "For how long the job that waits longest could have been worked.", "queue"),
		alive:      desc("database_up", "1 when the database answered within two seconds."),
	})
}

// Describe is of prometheus.Collector.
func (a *account) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.deliveries, a.notices, a.oldest, a.senders, a.paused, a.jobs, a.jobAge, a.alive} {
		to <- d
	}
}

// Collect is of prometheus.Collector. A database that does not answer leaves out all that it knows, for old numbers look like new ones.
func (a *account) Collect(to chan<- prometheus.Metric) {
	known, up := a.latest()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	if !up {
		gauge(a.alive, 0)
		return
	}
	gauge(a.alive, 1)
	for state, n := range known.Deliveries {
		gauge(a.deliveries, float64(n), state)
	}
	for state, n := range known.Notices {
		gauge(a.notices, float64(n), state)
	}
	gauge(a.oldest, known.OldestDue.Seconds())
	gauge(a.senders, float64(known.Senders))
	gauge(a.paused, float64(known.PausedDestinations))
	ages := map[string]time.Duration{}
	for _, j := range known.Jobs {
		gauge(a.jobs, float64(j.Count), j.Queue, j.State)
		ages[j.Queue] = max(ages[j.Queue], j.Oldest)
	}
	for queue, age := range ages {
		gauge(a.jobAge, age.Seconds(), queue)
	}
}

func (a *account) latest() (Account, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); now.Sub(a.asked) >= askedEvery {
		ctx, cancel := context.WithTimeout(context.Background(), askedFor)
		defer cancel()
		known, err := a.ask(ctx)
		a.known, a.up, a.asked = known, err == nil, now
	}
	return a.known, a.up
}
