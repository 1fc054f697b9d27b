package send

import (
	"hash/fnv"
	"time"

	"github.com/google/uuid"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// Retry says when what was deferred is tried again.
type Retry struct {
	First   time.Duration // after the first attempt; doubles with each further one
	Longest time.Duration // but never longer than this
	GiveUp  time.Duration // after its hour; what is still deferred then has failed
	InDoubt time.Duration // before a delivery in doubt is sent again
}

// NoticeRetry is for mail that somebody waits for: it tries again sooner, and gives up after two days.
var NoticeRetry = Retry{First: 30 * time.Second, Longest: time.Hour, GiveUp: 48 * time.Hour, InDoubt: 10 * time.Minute}

// DefaultRetry tries again within minutes and gives up after a day. Nobody should try for more than five days: what came so late is no news.
var DefaultRetry = Retry{First: 2 * time.Minute, Longest: time.Hour, GiveUp: 24 * time.Hour, InDoubt: 10 * time.Minute}

// attempt decides what an answer means for a delivery: its outcome, and when to try again.
func (p Retry) attempt(sender uuid.UUID, d *ledger.Delivery, r reply.Reply, now time.Time) ledger.Attempt {
	a := ledger.Attempt{Sender: sender, Delivery: d, At: now, Reply: r}
	a.Outcome, a.DueAt = p.Next(r, Tried{ID: d.EditionID, Contact: d.ContactID, Attempts: d.Attempts, Since: d.Since(), LeaveInDoubt: d.LeaveInDoubt}, now)
	return a
}

// Tried is what was sent, and how often that was tried before.
type Tried struct {
	ID       uuid.UUID
	Contact  int64
	Attempts int
	Since    time.Time // its hour: giving up is counted from here

	LeaveInDoubt bool // it is not tried again when nobody knows whether it arrived
}

// Next decides what an answer means for what was tried once more: the outcome, and when to try again; zero: never.
func (p Retry) Next(r reply.Reply, t Tried, now time.Time) (outcome reply.Outcome, due time.Time) {
	outcome = r.Outcome()
	switch outcome {
	case reply.Deferred:
		due = now.Add(p.wait(t))
	case reply.InDoubt:
		if t.LeaveInDoubt {
			return outcome, due
		}
		due = now.Add(p.InDoubt)
	case reply.Sent, reply.Failed:
		return outcome, due
	}
	if due.Before(t.Since.Add(p.GiveUp)) {
		return outcome, due
	}
	if outcome == reply.Deferred {
		outcome = reply.Failed
	}
	return outcome, time.Time{}
}

// wait returns the pause after the next attempt: exponential, with up to a quarter more by a hash of what it is, so that those that
// failed together do not come back together.
func (p Retry) wait(t Tried) time.Duration {
	wait := p.First
	for range t.Attempts {
		if wait = 2 * wait; wait >= p.Longest {
			wait = p.Longest
			break
		}
	}
	h := fnv.New32a()
	_, _ = h.Write(t.ID[:])
	_, _ = h.Write([]byte{byte(t.Contact), byte(t.Contact >> 8), byte(t.Contact >> 16), byte(t.Attempts)})
	return wait + wait/4*time.Duration(h.Sum32()%1024)/1024
}
