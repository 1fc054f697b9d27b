package send

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// The brake. A server whose directory is gone refuses everybody as unknown, and to believe it would suppress a whole list for ever. As many different addresses
// refused one after the other, within so long and with no recipient accepted between, say something about the server: it rests, and what they did is taken back.
// Each process counts by itself, so that of each but the one that brakes up to one less are believed.
const (
	tooMany    = 10
	runsFor    = time.Hour
	mostRuns   = 10_000 // destinations that are counted at once
	doubtReply = "%d different addresses were refused one after the other, the last one with: %s"
)

// run are the deliveries of different contacts that one server refused one after the other, as they were settled.
type run struct {
	refused []ledger.Attempt
	until   time.Time // it rests until then, and what was on its way is refused as well
}

// brake counts refusals, for the one who settles.
type brake struct {
	runs  map[string]*run // by relay (host:port) and by destination
	taken []taken         // to be taken back with what is settled next
}

// taken are attempts that are to be taken back, and when they are due again.
type taken struct {
	attempts []ledger.Attempt
	due      time.Time
}

// doubts looks at outcomes that are to be settled: those that a server has refused too many of before are deferred instead. After an error it is asked again, with the same.
func (s *Sender) doubts(ctx context.Context, attempts []ledger.Attempt) error {
	for i := range attempts {
		a := &attempts[i]
		switch {
		case a.Relay == "" || s.TakeBack == nil:
		case a.Reply.Phase == reply.Data || a.Reply.Phase == reply.Dot && a.Reply.Kind().Score() != reply.Hard:
			delete(s.brake.runs, a.Relay)
			delete(s.brake.runs, a.Delivery.Destination)
		case a.Outcome == reply.Failed && a.Reply.Kind().Score() == reply.Hard:
			if err := s.doubt(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// doubt counts a refusal, and brakes at the destination or, where several are concerned, at the relay.
func (s *Sender) doubt(ctx context.Context, a *ledger.Attempt) error {
	there, relay := s.brake.add(a.Delivery.Destination, a), s.brake.add(a.Relay, a)
	for name, r := range map[string]*run{a.Delivery.Destination: there, a.Relay: relay} {
		if !a.At.Before(r.until) {
			continue
		}
		rests, err := ledger.Rests(ctx, s.DB, name, a.At)
		if err != nil {
			return err
		}
		if rests {
			putOff(a, r.until)
			return nil
		}
		r.until = time.Time{} // somebody let it go on
	}
	name, r := a.Delivery.Destination, there
	if len(r.refused) < tooMany {
		name, r = a.Relay, relay
	}
	if len(r.refused) < tooMany {
		return nil
	}
	text := fmt.Sprintf(doubtReply, len(r.refused), a.Reply.Unaddressed())
	until, brakes, news, err := ledger.Brake(ctx, s.DB, ledger.Destination{Name: name, Code: a.Reply.Code, Reply: reply.OneLine(text)}, a.At, a.Relay)
	if err != nil {
		return err
	}
	if !brakes {
		return nil
	}
	due := until
	if name == a.Relay {
		if s.routes.rest(a.Relay, a.At.Add(longestHeard)) {
			due = a.At // over the second relay
		}
	} else {
		s.destinations.pause(name, a.At.Add(longestHeard))
		relay.refused = nil
	}
	if news {
		s.Log.WarnContext(ctx, "one address after the other is refused: that is about the server, which rests. See silkpost status", slog.String("name", name),
			slog.Time("until", until), slog.Int("code", a.Reply.Code), slog.String("answer", a.Reply.Unaddressed()))
	}
	s.brake.taken = append(s.brake.taken, taken{append([]ledger.Attempt(nil), r.refused[:len(r.refused)-1]...), due})
	r.refused, r.until = r.refused[:0], until
	putOff(a, due)
	return nil
}

// putOff has a refusal count as one of the server's.
func putOff(a *ledger.Attempt, due time.Time) { a.Outcome, a.DueAt = reply.Deferred, due }

// add notes a refusal in the run of a relay or a destination.
func (b *brake) add(name string, a *ledger.Attempt) *run {
	r := b.runs[name]
	if r == nil {
		if len(b.runs) >= mostRuns || b.runs == nil {
			b.runs = map[string]*run{}
		}
		r = &run{}
		b.runs[name] = r
	}
	r.refused = slices.DeleteFunc(r.refused, func(other ledger.Attempt) bool {
		return other.Delivery.Email == a.Delivery.Email || a.At.Sub(other.At) > runsFor
	})
	if len(r.refused) >= tooMany { // believed: the last ones do
		r.refused = slices.Delete(r.refused, 0, 1)
	}
	r.refused = append(r.refused, *a)
	return r
}

// undo returns what takes back what has to be, in the transaction that settles.
func (s *Sender) undo(ctx context.Context, now time.Time) (all []func(tx *sqlx.Tx) error) {
	for _, t := range s.brake.taken {
		all = append(all, func(tx *sqlx.Tx) error { return s.TakeBack(ctx, tx, t.attempts, t.due, now) })
	}
	return all
}

// heed lets the relay that mail takes now rest while it is paused in the database, by whichever process. It asks once a second at most.
func (s *Sender) heed(ctx context.Context) {
	now := s.Clock.Now()
	if now.Sub(s.heeded) < longestHeard/2 {
		return
	}
	s.heeded = now
	address := s.routes.way().relay.Address()
	rests, err := ledger.Rests(ctx, s.DB, address, now)
	if err == nil && rests {
		s.routes.rest(address, now.Add(longestHeard))
	}
}
