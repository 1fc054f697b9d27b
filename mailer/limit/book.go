package limit

import (
	"database/sql/driver"
	"encoding/json"
	"time"
)

// period is a stretch of time for which a limit says how many may go. It is counted in buckets: those that a stretch which ends now touches must not
// hold more than the limit. So any stretch of that length holds no more, wherever it begins, at the price of one bucket's part of the rate.
type period struct {
	name   string
	length time.Duration
	bucket time.Duration
	back   int64 // how many buckets before the present one count
}

// Buckets lie in one another, so what is used within the smallest is within all.
var periods = [...]period{
	{"second", time.Second, 50 * time.Millisecond, 20},
	{"minute", time.Minute, time.Second, 60},
	{"hour", time.Hour, time.Minute, 60},
	{"day", day, 15 * time.Minute, 96},
	{"warm-up", day, day, 0}, // a day of the calendar
}

const warmUp = len(periods) - 1

// number returns the bucket of a time.
func (p *period) number(at time.Time) int64 { return at.UnixMicro() / p.bucket.Microseconds() }

// begin returns when a bucket begins.
func (p *period) begin(number int64) time.Time {
	return time.UnixMicro(number * p.bucket.Microseconds()).UTC()
}

// step is the time between two messages at the rate that n for a period makes in the end.
func (p *period) step(n int) time.Duration {
	return time.Duration(p.back+1) * p.bucket / time.Duration(max(n, 1))
}

// allows returns how many a limit lets go in a period that ends at a time, and whether it says so at all.
func (l *Limit) allows(p int, at time.Time) (n int, limited bool) {
	if p == warmUp {
		return l.WarmUp.On(at)
	}
	n = l.numbers()[p]
	return n, n > 0
}

// Book is what was taken of a limit for one relay, destination or sender of late. Its zero value is an empty one.
type Book struct {
	Latest time.Time            `json:"latest"` // nothing is taken at an earlier time
	Taken  [len(periods)]window `json:"taken"`
}

// window counts by bucket.
type window struct {
	First  int64 `json:"first"` // the number of the first bucket
	Counts []int `json:"counts,omitempty"`
}

// Grant is what may be taken.
type Grant struct {
	N      int
	Until  time.Time // it has to be used before
	At     time.Time // what it was taken at: to give some of it back
	Next   time.Time // when N is 0: the earliest time at which there may be room again
	Period string    // when N is 0: the one that is full until then
}

// Take takes up to want messages at a time. Times that go back are taken as the latest before.
func (b *Book) Take(l *Limit, now time.Time, want int) (g Grant) {
	now = b.settle(now)
	g = Grant{N: want, At: now, Until: now.Add(day)}
	for i := range periods {
		p, w := &periods[i], &b.Taken[i]
		n, limited := l.allows(i, now)
		if !limited {
			continue
		}
		present := p.number(now)
		w.drop(present - p.back)
		g.N = min(g.N, max(0, n-w.sum()))
		if end := p.begin(present + 1); end.Before(g.Until) {
			g.Until = end
		}
		if next := p.begin(w.room(n) + p.back + 1); w.sum() >= n && next.After(g.Next) {
			g.Next, g.Period = next, p.name
		}
	}
	if g.N > 0 {
		b.add(l, now, g.N)
		b.Latest = now
	}
	return g
}

// Return gives back what was taken at a time and not used.
func (b *Book) Return(l *Limit, at time.Time, n int) { b.add(l, at, -n) }

func (b *Book) settle(now time.Time) time.Time {
	if now.Before(b.Latest) {
		return b.Latest
	}
	return now
}

func (b *Book) add(l *Limit, at time.Time, n int) {
	for i := range periods {
		if _, limited := l.allows(i, at); limited {
			b.Taken[i].add(periods[i].number(at), n)
		}
	}
}

// use says how far a limit is used at a time.
func (b *Book) use(l Limit, about string, now time.Time) Use {
	u := Use{Limit: l, About: about, Taken: map[string]int{}, Most: map[string]int{}}
	for i := range periods {
		p := &periods[i]
		if n, limited := l.allows(i, now); limited {
			w := window{First: b.Taken[i].First, Counts: b.Taken[i].Counts}
			w.drop(p.number(now) - p.back)
			u.Taken[p.name], u.Most[p.name] = w.sum(), n
		}
	}
	return u
}

// drop forgets buckets before one.
func (w *window) drop(first int64) {
	if gone := first - w.First; gone >= int64(len(w.Counts)) {
		w.Counts = nil
	} else if gone > 0 {
		w.Counts = w.Counts[gone:]
	}
	w.First = max(w.First, first)
}

func (w *window) sum() (n int) {
	for _, count := range w.Counts {
		n += count
	}
	return n
}

// room returns the bucket that has to leave the window so that fewer than n are left in it.
func (w *window) room(n int) int64 {
	left := w.sum()
	for i, count := range w.Counts {
		if left -= count; left < n {
			return w.First + int64(i)
		}
	}
	return w.First + int64(len(w.Counts))
}

// add counts n in a bucket, or takes -n from it; one that is forgotten holds nothing that could be taken.
func (w *window) add(number int64, n int) {
	if number < w.First {
		return
	}
	if len(w.Counts) == 0 {
		w.First = number
	}
	for number >= w.First+int64(len(w.Counts)) {
		w.Counts = append(w.Counts, 0)
	}
	count := &w.Counts[number-w.First]
	*count = max(0, *count+n)
}

// Value returns the book as it is stored.
func (b Book) Value() (driver.Value, error) { return json.Marshal(b) }

// Scan reads a stored book.
func (b *Book) Scan(stored any) error { return scanJSON(stored, b) }

// Line gives k messages that have to wait their turns: one after the other at the limit's rate, from when there may be room, behind the last that
// waits already (the zero time: none does).
func (l *Limit) Line(periodName string, next, last time.Time, k int) (turns []time.Time) {
	at := next
	for i := range periods {
		if periods[i].name != periodName {
			continue
		}
		step := func() time.Duration {
			n, limited := l.allows(i, at)
			if !limited {
				return time.Millisecond // the plan is over by then
			}
			return periods[i].step(n)
		}
		if !last.Before(at) {
			at = last
			at = at.Add(step())
		}
		for range k {
			turns = append(turns, at)
			at = at.Add(step())
		}
	}
	return turns
}
