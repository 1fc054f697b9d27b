package send

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var poolNoon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Whatever happens, a pool has one connection at least and no more than it may; a failure takes one at most; a success gives one at most; and a
// route is dead when nothing works, and only then.
func TestPoolKeepsItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 60).Draw(t, "most")
		p, now, inARow := newPool(most), poolNoon, 0
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			before, dead := p.size, false
			if rapid.Bool().Draw(t, "works") {
				p.worked(now)
				inARow = 0
			} else {
				dead = p.failed(now)
				inARow++
			}
			if p.size < 1 || p.size > most || p.size > before+1 || !dead && p.size < before-1 {
				t.Fatalf("%d connections after %d, of %d", p.size, before, most)
			}
			if dead {
				if inARow < 1 || p.size != 1 {
					t.Fatalf("dead after %d failures in a row", inARow)
				}
				inARow = 0
			}
			if inARow > before+1 {
				t.Fatalf("%d failures in a row of %d, and not dead", inARow, before)
			}
		}
	})
}

// The slow start doubles the connections with each round of messages.
func TestPoolStartsSlowly(t *testing.T) {
	t.Parallel()
	p := newPool(50)
	messages := 0
	for ; p.size < 50; messages++ {
		p.worked(poolNoon)
	}
	if messages != 45 {
		t.Errorf("%d messages until 50 connections", messages)
	}
	if p := newPool(3); p.size != 3 {
		t.Errorf("%d of 3", p.size)
	}
}

// A server that takes eight connections and refuses the ninth gets eight, and is rarely asked for more.
func TestPoolSettlesAtWhatAServerTakes(t *testing.T) {
	t.Parallel()
	const takes = 8
	p, now, refused := newPool(50), poolNoon, 0
	for range 100 * 3600 { // an hour, with a hundred messages a second
		now = now.Add(10 * time.Millisecond)
		if p.size > takes {
			refused++
			if p.failed(now) {
				t.Fatal("dead, and eight work")
			}
			continue
		}
		p.worked(now)
		if p.size < takes-1 && now.Sub(poolNoon) > time.Minute {
			t.Fatalf("%d connections at %s", p.size, now)
		}
	}
	if p.size != takes || refused > 12 {
		t.Errorf("%d connections, %d refused within an hour", p.size, refused)
	}
}

// One failure among messages that are taken changes little, and a dead route begins anew with one.
func TestPoolFailures(t *testing.T) {
	t.Parallel()
	p := newPool(20)
	for range 20 {
		p.worked(poolNoon)
	}
	for range 5 { // they come together
		p.failed(poolNoon)
	}
	if p.size != 19 {
		t.Errorf("%d connections after five failures at once, want 19", p.size)
	}
	p.worked(poolNoon)
	failures := 1
	for !p.failed(poolNoon) {
		failures++
	}
	if failures != 19 && failures != 20 {
		t.Errorf("dead after %d failures in a row of 19", failures)
	}
	if p.size != 1 {
		t.Errorf("%d connections for a dead route", p.size)
	}
	if p.worked(poolNoon); p.size != 2 {
		t.Errorf("%d when it works again", p.size)
	}
}
