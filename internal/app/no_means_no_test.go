package app_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/internal/testkit/smtptest"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// noWithin is the promise P5: later than this after a no was acknowledged no MAIL is written for who said it.
const noWithin = 2 * time.Second

// TestNoMeansNo lets mail flow at twenty messages a second while people say no at random moments, half of them with one click, the others by an
// administrator who suppresses them. Over one connection few are claimed ahead; over ten, seconds of mail are.
func TestNoMeansNo(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 10} {
		t.Run(strconv.Itoa(connections), func(t *testing.T) {
			t.Parallel()
			const people = 160
			server := startSlow(t, 50*time.Millisecond)
			h := openOn(t, testkit.FreshURL(t), &catchertest.Server{Addr: server.Addr}, app.Options{})
			h.Config.SMTPConnections = connections
			h.apply(t, list)
			h.contacts(t, many(people, "weekly")...)
			h.articles(t, relayEn, seatsEn)
			stop := h.run(t, app.Parts{Worker: true, Web: h.web})
			testkit.Eventually(t, time.Minute, "a worker is up", func() bool {
				n, err := ledger.Senders(t.Context(), h.DB, h.Clock.Now())
				return err == nil && n == 1
			})
			if _, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"}); err != nil {
				t.Fatal(err)
			}
			said := h.sayNo(t, rand.New(rand.NewPCG(uint64(connections), 5)))
			stop()
			judgeNo(t, server, said, people)
		})
	}
}

// startSlow starts a server that takes one message at a time, each in pace, whatever the number of connections.
func startSlow(t *testing.T, pace time.Duration) *smtptest.Server {
	t.Helper()
	var one sync.Mutex
	return smtptest.Start(t, smtptest.Config{Pipelining: true, Do: func(m smtptest.Moment) (act smtptest.Act) {
		if m.Step == smtptest.Dot {
			one.Lock()
			defer one.Unlock()
			time.Sleep(pace)
		}
		return act
	}})
}

// no is one that was acknowledged.
type no struct {
	at      time.Time
	claimed bool // the message was in a sender's hands already
}

// sayNo has somebody say no every now and then, of those whose message has not gone, until all have gone.
func (h *house) sayNo(t *testing.T, r *rand.Rand) map[string]no {
	t.Helper()
	said := map[string]no{}
	for ; ; time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond) { // people take their time
		var open []struct {
			Subscription int64  `db:"subscription_id"`
			Email        string `db:"email"`
			State        string `db:"state"`
		}
		if err := h.DB.SelectContext(t.Context(), &open, `SELECT d.subscription_id, a.email, d.state FROM mailer.deliveries d
			JOIN subscribers.addresses a ON a.contact_id = d.contact_id WHERE d.due_at IS NOT NULL ORDER BY d.contact_id`); err != nil {
			t.Fatal(err)
		}
		if len(open) == 0 {
			return said
		}
		one := open[r.IntN(len(open))]
		if _, before := said[one.Email]; before {
			continue
		}
		if r.IntN(2) == 0 {
			if got := oneClick(t, h.Composer.UnsubscribeURL(one.Subscription)); got.StatusCode != http.StatusOK {
				t.Fatalf("one click: %d", got.StatusCode)
			}
		} else if _, err := subscribers.Suppress(t.Context(), h.DB, one.Email, subscribers.Manual, "test", h.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		said[one.Email] = no{time.Now(), one.State == "in_flight"}
	}
}

// judgeNo holds what was said against what the server heard, and when.
func judgeNo(t *testing.T, server *smtptest.Server, said map[string]no, people int) {
	t.Helper()
	begun := map[int]time.Time{} // the last MAIL of each connection
	heard := map[string]bool{}
	var latest time.Duration
	for _, m := range server.Moments() {
		switch m.Step {
		case smtptest.Mail:
			begun[m.Conn] = m.At
		case smtptest.Rcpt:
			heard[m.To] = true
			if no, did := said[m.To]; did {
				after := begun[m.Conn].Sub(no.at)
				latest = max(latest, after)
				if after > noWithin {
					t.Errorf("%s: MAIL %s after the no was acknowledged", m.To, after)
				}
			}
		}
	}
	spared, claimed := 0, 0
	for email, no := range said {
		if !heard[email] {
			spared++
			if no.claimed {
				claimed++
			}
		}
	}
	t.Logf("%d of %d said no; %d of them had no mail, for %d of whom it was claimed already; the latest MAIL came %s after its no",
		len(said), people, spared, claimed, latest)
	if spared == 0 || len(heard) != people-spared {
		t.Errorf("%d of %d people had mail, and %d were spared", len(heard), people, spared)
	}
	if faults := server.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}
