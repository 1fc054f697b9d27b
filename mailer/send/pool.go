package send

import "time"

// A pool begins with a few connections; each message that a server takes lets it grow by one more, until connecting failed for the first time, and
// from then on a whole round of them is needed.
const (
	firstConnections   = 5
	firstGrowthPause   = 10 * time.Second // after a failure, before the next connection is tried; doubles
	longestGrowthPause = 10 * time.Minute
)

// pool says how many connections a route may have at once. It is fed with what came of connecting, as the scheduler of Postfix is: only failures to
// connect, to agree on TLS or to log in count against the route, for whatever is said later is about messages. A failure takes one connection away; the
// next one is taken when as many have failed again as there are, so that failures that come together count once. When as many fail in a row as there may
// be, the route is dead.
type pool struct {
	most    int
	size    int
	gain    float64 // towards one more
	credit  float64 // failures that are paid for already
	failing float64 // rounds of failures in a row
	settled bool    // one has failed: the slow start is over

	pause     time.Duration
	growAfter time.Time
}

func newPool(most int) pool { return pool{most: most, size: min(firstConnections, most)} }

// worked notes that the route took a connection or a message.
func (p *pool) worked(now time.Time) {
	p.failing = 0
	if p.size >= p.most || now.Before(p.growAfter) {
		return
	}
	if p.gain += p.share(); !p.settled {
		p.gain = 1
	}
	if p.gain+p.share()/2 >= 1 { // half a share for what rounding lost
		p.size, p.gain, p.credit = p.size+1, 0, 0
	}
}

// filled notes that all connections that there may be are open: that many work.
func (p *pool) filled() { p.pause = 0 }

// failed notes that a connection could not be made. It reports true when the route is dead; then the pool begins anew, with one.
func (p *pool) failed(now time.Time) (dead bool) {
	p.settled, p.gain = true, 0
	p.pause = min(max(2*p.pause, firstGrowthPause), longestGrowthPause)
	p.growAfter = now.Add(p.pause)
	if p.failing += p.share(); p.failing+p.share()/2 > 1 {
		*p = pool{most: p.most, size: 1}
		return true
	}
	if p.credit -= p.share(); p.credit+p.share()/2 < 0 {
		p.size, p.credit = max(p.size-1, 1), p.credit+1
	}
	return false
}

// share is one connection's part of a round.
func (p *pool) share() float64 { return 1 / float64(p.size) }
