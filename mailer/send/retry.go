package send

import (
	"hash/fnv"
	"time"

	"github.com/google/uuid"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// Retry says when a deferred delivery is tried again.
type Retry struct {
	First   time.Duration // after the first attempt; doubles with each further one
	Longest time.Duration // but never longer than this
	GiveUp  time.Duration // after its hour; what is still deferred then has failed
	InDoubt time.Duration // before a delivery in doubt is sent again
}

// DefaultRetry tries again within minutes and gives up after a day.
var DefaultRetry = Retry{First: 2 * time.Minute, Longest: time.Hour, GiveUp: 24 * time.Hour, InDoubt: 10 * time.Minute}

// attempt decides what an answer means for a delivery: its outcome, and when to try again.
func (p Retry) attempt(sender uuid.UUID, d *ledger.Delivery, r reply.Reply, now time.Time) ledger.Attempt {
	a := ledger.Attempt{Sender: sender, Delivery: d, At: now, Outcome: r.Outcome(), Reply: r}
	switch a.Outcome {
	case reply.Deferred:
		a.DueAt = now.Add(p.wait(d))
	case reply.InDoubt:
		a.DueAt = now.Add(p.InDoubt)
	case reply.Sent, reply.Failed:
		return a
	}
	if a.DueAt.Before(d.NotBefore.Add(p.GiveUp)) {
		return a
	}
	a.DueAt = time.Time{}
	if a.Outcome == reply.Deferred {
		a.Outcome = reply.Failed
	}
	return a
}

// wait returns the pause after a delivery's next attempt: exponential, with up to a quarter more by a hash of who it is, so that
// those that failed together do not come back together.
func (p Retry) wait(d *ledger.Delivery) time.Duration {
	wait := p.First
	for range d.Attempts {
		if wait = 2 * wait; wait >= p.Longest {
			wait = p.Longest
			break
		}
	}
	h := fnv.New32a()
	_, _ = h.Write(d.EditionID[:])
	_, _ = h.Write([]byte{byte(d.ContactID), byte(d.ContactID >> 8), byte(d.ContactID >> 16), byte(d.Attempts)})
	return wait + wait/4*time.Duration(h.Sum32()%1024)/1024
}
