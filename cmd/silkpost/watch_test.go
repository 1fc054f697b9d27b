package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
)

func going(id uuid.UUID, c ledger.Counts) app.EditionStatus {
	return app.EditionStatus{Edition: edition.Edition{ID: id, List: "partners", Rhythm: "weekly", State: edition.Sending}, Deliveries: c}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	one, at := uuid.New(), time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	var out strings.Builder
	w := &watcher{out: &out}
	w.show(app.Progress{At: at})
	w.show(app.Progress{At: at.Add(time.Second), Editions: []app.EditionStatus{going(one, ledger.Counts{Recipients: 2400, Pending: 2400})}})
	w.show(app.Progress{At: at.Add(5 * time.Second), Editions: []app.EditionStatus{going(one, ledger.Counts{Recipients: 2400, Pending: 1200, Sent: 1100, Failed: 100})}})
	w.show(app.Progress{At: at.Add(6 * time.Second), Editions: []app.EditionStatus{going(one, ledger.Counts{Recipients: 2400, Deferred: 400, Sent: 1900, Failed: 100})}})
	over := going(one, ledger.Counts{Recipients: 2400, Sent: 2300, Failed: 99, Suppressed: 1})
	over.State = edition.Sent
	w.show(app.Progress{At: at.Add(60 * time.Second), Editions: []app.EditionStatus{over}})
	want := `09:00:00  Nothing goes out.
09:00:01  partners weekly [                        ] 0 of 2,400 sent
09:00:05  partners weekly [###########x            ] 1,100 of 2,400 sent, 100 failed; 300/s, 4s left
09:00:06  partners weekly [###################x    ] 1,900 of 2,400 sent, 400 deferred, 100 failed; 400/s, 1s left
09:01:00  partners weekly [#######################x] 2,300 of 2,400 sent, 99 failed, 1 left out; sent
`
	if out.String() != want {
		t.Errorf("it shows\n%s\nnot\n%s", out.String(), want)
	}
	if len(w.seen) != 1 || len(w.past) > 3 {
		t.Errorf("it remembers %v, %d", w.seen, len(w.past))
	}
}

// In a narrow terminal a line takes several rows: all of them are drawn anew.
func TestWatchInANarrowTerminal(t *testing.T) {
	t.Parallel()
	one, at, columns := uuid.New(), time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC), 30
	var out strings.Builder
	w := &watcher{out: &out, terminal: true, columns: func() int { return columns }}
	for i, sent := range []int{0, 200, 400} { // lines of 58 and 76 columns
		columns = []int{30, 30, 80}[i] // it is made wider before the last
		w.show(app.Progress{At: at.Add(time.Duration(i) * time.Second), Editions: []app.EditionStatus{going(one, ledger.Counts{Recipients: 1000, Pending: 1000 - sent, Sent: sent})}})
	}
	up := strings.Split(out.String(), "\x1b[J")
	if len(up) != 3 || !strings.HasSuffix(up[0], "\n\x1b[2A") || !strings.HasSuffix(up[1], "\n\x1b[1A") {
		t.Errorf("%q", up)
	}
}

func TestWatchTellsRateAndTimeLeft(t *testing.T) {
	t.Parallel()
	one, at := uuid.New(), time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	var out strings.Builder
	w := &watcher{out: &out, terminal: true, columns: func() int { return 0 }}
	for i, sent := range []int{0, 200, 400} {
		w.show(app.Progress{At: at.Add(time.Duration(i) * time.Second), Editions: []app.EditionStatus{going(one, ledger.Counts{Recipients: 1000, Pending: 1000 - sent, Sent: sent})}})
	}
	if got := out.String(); !strings.HasSuffix(got, "\x1b[1A\x1b[Jpartners weekly [#########               ] 400 of 1,000 sent; 200/s, 3s left\n") {
		t.Errorf("it ends with %q", got)
	}
}
