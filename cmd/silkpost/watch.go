package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/mailer/edition"
)

// How often it is looked, and how much of the time looking may take: counting a million deliveries takes some tenths of a second.
const (
	watchTerminal = time.Second
	watchLines    = 10 * time.Second
	watchShare    = 10
)

// watch shows how sending goes on until ctx ends, which is no failure: on a terminal a bar for each edition, drawn anew; elsewhere a line for each now and
// then. What is over stays in sight.
func watch(ctx context.Context, e *env, a *app.App) error {
	every := watchLines
	file, ok := e.stdout.(*os.File)
	terminal := ok && isTerminal(file)
	if terminal {
		every = watchTerminal
	}
	w := &watcher{out: e.stdout, terminal: terminal, columns: func() int { return columnsOf(file) }}
	for {
		begin := a.Clock.Now()
		p, err := a.Progress(ctx, w.seen...)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		w.show(p)
		timer := time.NewTimer(max(every, watchShare*a.Clock.Now().Sub(begin)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// watcher remembers what it has seen.
type watcher struct {
	out      io.Writer
	terminal bool
	columns  func() int // of the terminal; 0: nobody knows
	drawn    []string   // lines that are on the terminal
	seen     []uuid.UUID
	past     []app.Progress // of the last seconds, the oldest first
}

// recently is for how long back the rate is taken.
const recently = 10 * time.Second

func (w *watcher) show(p app.Progress) {
	w.past = append(w.past, p)
	for len(w.past) > 2 && p.At.Sub(w.past[1].At) >= recently {
		w.past = w.past[1:]
	}
	lines := w.lines(p)
	if w.terminal && len(w.drawn) > 0 {
		fmt.Fprintf(w.out, "\x1b[%dA\x1b[J", rowsOf(w.drawn, w.columns()))
	}
	if !w.terminal {
		for i, line := range lines {
			lines[i] = p.At.UTC().Format("15:04:05") + "  " + line
		}
	}
	fmt.Fprintln(w.out, strings.Join(lines, "\n"))
	w.drawn = lines
}

// rowsOf is how many rows of a terminal lines take: one that is longer than the terminal is wide goes on in the next row.
func rowsOf(lines []string, columns int) (rows int) {
	for _, line := range lines {
		rows++
		if columns > 0 {
			rows += max(0, utf8.RuneCountInString(line)-1) / columns
		}
	}
	return rows
}

func (w *watcher) lines(p app.Progress) (lines []string) {
	known := map[uuid.UUID]bool{}
	for _, id := range w.seen {
		known[id] = true
	}
	for _, e := range p.Editions {
		if !known[e.ID] {
			w.seen = append(w.seen, e.ID)
		}
		lines = append(lines, progressLine(e, w.rate(e)))
	}
	if len(lines) == 0 {
		return []string{"Nothing goes out."}
	}
	return lines
}

// rate returns how many deliveries of an edition were done in a second, lately.
func (w *watcher) rate(now app.EditionStatus) float64 {
	last := w.past[len(w.past)-1]
	for _, p := range w.past {
		for _, e := range p.Editions {
			if took := last.At.Sub(p.At).Seconds(); e.ID == now.ID && took > 0 {
				return max(0, float64(now.Done()-e.Done())/took)
			}
		}
	}
	return 0
}

// progressLine is an edition in a line, narrower than most terminals.
func progressLine(e app.EditionStatus, rate float64) string {
	const width = 24
	d := e.Deliveries
	part := func(n int) int { return n * width / max(1, d.Recipients) }
	sent, done := part(d.Sent), part(e.Done())
	bar := strings.Repeat("#", sent) + strings.Repeat("x", done-sent) + strings.Repeat(" ", width-done)
	parts := []string{fmt.Sprintf("%s %s [%s] %s of %s sent", e.List, e.Rhythm, bar, thousands(d.Sent), thousands(d.Recipients))}
	for _, more := range []struct {
		n    int
		name string
	}{{d.Deferred, "deferred"}, {d.Failed, "failed"}, {d.InDoubt, "in doubt"}, {d.Suppressed + d.Cancelled, "left out"}} {
		if more.n > 0 {
			parts = append(parts, thousands(more.n)+" "+more.name)
		}
	}
	line := strings.Join(parts, ", ")
	switch {
	case e.State != edition.Approved && e.State != edition.Sending:
		return line + "; " + string(e.State)
	case e.Stopped:
		return line + "; paused"
	case rate > 0:
		left := time.Duration(float64(e.Open()) / rate * float64(time.Second)).Round(time.Second)
		return line + fmt.Sprintf("; %s/s, %s left", thousands(int(rate+0.5)), left)
	}
	return line
}
