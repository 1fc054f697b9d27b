package send_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
)

func TestEveryAttemptIsObserved(t *testing.T) {
	t.Parallel()
	p := newPost(t, 3)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "RCPT", To: "reader0@*", Reply: "550 5.1.1 no such user"},
		{Verb: "RCPT", To: "reader1@*", Reply: "451 4.2.2 later", Times: 1},
	}})
	var mu sync.Mutex
	seen := map[string][]reply.Outcome{}
	p.run(p.sender(server.Addr, func(s *send.Sender) {
		s.Observe = func(a ledger.Attempt, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			seen[a.Delivery.Email] = append(seen[a.Delivery.Email], a.Outcome)
			if took < 0 || took > time.Hour || a.Outcome == reply.Deferred && a.DueAt.IsZero() {
				t.Errorf("%s: %s took %s, next at %s", a.Delivery.Email, a.Outcome, took, a.DueAt)
			}
		}
	}), "everything has its outcome", p.settled)
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen["reader1@example.org"], []reply.Outcome{reply.Deferred, reply.Sent}) || len(seen) != 3 {
		t.Errorf("observed: %v", seen)
	}
}
