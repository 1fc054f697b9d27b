package articles_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/fetch"
	"silkpost/internal/testkit"
)

// calls are the requests that a host gets, one at a time and with a rest between them.
type calls struct {
	sync.Mutex
	t     *testing.T
	rest  time.Duration
	busy  int
	n     int
	ended time.Time
}

func (c *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.Lock()
	if c.busy++; c.busy > 1 {
		c.t.Error("two requests at a time")
	}
	if rested := time.Since(c.ended); c.n > 0 && rested < c.rest && r.URL.Path != "/robots.txt" && !c.ended.IsZero() {
		c.t.Errorf("asked again after %v", rested)
	}
	c.n++
	c.Unlock()
	if r.URL.Path == "/robots.txt" {
		http.NotFound(w, r)
	}
	c.Lock()
	c.busy--
	if c.ended = time.Now(); r.URL.Path == "/robots.txt" {
		c.ended = time.Time{} // the page follows in the same turn
	}
	c.Unlock()
}

// Two processes on one database ask a host one at a time, and leave it its rest.
func TestProcessesShareTheirTurns(t *testing.T) {
	t.Parallel()
	host := &calls{t: t, rest: 30 * time.Millisecond}
	server := httptest.NewServer(host)
	defer server.Close()
	db := testkit.DB(t)
	var all sync.WaitGroup
	for range 2 {
		client := fetch.NewPolite(fetch.Manners{Delay: host.rest, Clock: clock.System{}, Shared: articles.Hosts{DB: db}}, "127.0.0.1")
		defer client.Close()
		for range 6 {
			all.Go(func() {
				if _, err := client.Get(t.Context(), fetch.Request{URL: server.URL + "/page"}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if host.n != 14 {
		t.Errorf("%d requests, not 12 and robots.txt twice", host.n)
	}
}

// The turn of a process that died comes back, and what it gives back late is not taken from the next.
func TestATurnIsLostByWhoIsNotHeardOf(t *testing.T) {
	t.Parallel()
	hosts, now := articles.Hosts{DB: testkit.DB(t)}, time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	take := func(at time.Time) (holder [16]byte, taken bool, until time.Time, held bool) {
		id, taken, until, held, err := hosts.Take(t.Context(), "www.example.org", at, at.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return id, taken, until, held
	}
	first, taken, _, _ := take(now)
	if !taken {
		t.Fatal("nobody had it")
	}
	if _, taken, until, held := take(now.Add(time.Second)); taken || !held || !until.Equal(now.Add(time.Minute)) {
		t.Errorf("taken %v, held %v until %v", taken, held, until)
	}
	second, taken, _, _ := take(now.Add(time.Minute))
	if !taken {
		t.Error("it does not come back")
	}
	if err := hosts.Give(t.Context(), "www.example.org", first, now); err != nil {
		t.Fatal(err)
	}
	if _, taken, _, held := take(now.Add(61 * time.Second)); taken || !held {
		t.Error("the dead one gave back what was not theirs")
	}
	if err := hosts.Give(t.Context(), "www.example.org", second, now.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, taken, until, held := take(now.Add(62 * time.Second)); taken || held || !until.Equal(now.Add(2*time.Minute)) {
		t.Errorf("its rest: taken %v, held %v until %v", taken, held, until)
	}
	if err := hosts.Forget(t.Context(), now.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	if _, taken, _, _ := take(now); !taken {
		t.Error("it was not forgotten")
	}
}
