package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"silkpost/subscribers"
)

// progressBar shows on a terminal how far an import is; elsewhere it shows nothing. It is for one goroutine at a time.
type progressBar struct {
	out          io.Writer // nil: no terminal
	begun, drawn time.Time
	rows         int
}

func newProgressBar(out io.Writer) *progressBar {
	b := &progressBar{begun: time.Now()}
	if file, ok := out.(*os.File); ok && isTerminal(file) {
		b.out = out
	}
	return b
}

// drawEvery is how long a drawing stays at least.
const drawEvery = 100 * time.Millisecond

// show draws the bar: reading is the first half of the work, about.
func (b *progressBar) show(p subscribers.ImportProgress) {
	b.rows = max(b.rows, p.Rows)
	if b.out == nil || !p.Writing && time.Since(b.drawn) < drawEvery {
		return
	}
	b.drawn = time.Now()
	fmt.Fprint(b.out, "\r\x1b[K", barWords(p, b.rows))
}

// barWords is the bar with what stands behind it, narrower than any terminal.
func barWords(p subscribers.ImportProgress, rows int) string {
	const width = 30
	full := width
	if p.Size > 0 {
		full = int(min(p.Read, p.Size) * width / p.Size)
	}
	doing := "reading"
	if p.Writing {
		doing = "writing"
	}
	return fmt.Sprintf("[%s%s] %s %s", strings.Repeat("#", full), strings.Repeat(" ", width-full), doing, counted(rows, "row"))
}

// end puts how fast it was in the place of the bar.
func (b *progressBar) end(done bool) {
	if b.out == nil {
		return
	}
	fmt.Fprint(b.out, "\r\x1b[K")
	if took := time.Since(b.begun); done && took > 0 {
		fmt.Fprintf(b.out, "%s in %.1f s, %s rows/s\n", counted(b.rows, "row"), took.Seconds(), thousands(int(float64(b.rows)/took.Seconds())))
	}
}
