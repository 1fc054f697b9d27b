package limit

import (
	"fmt"
	"testing"
	"time"

	"silkpost/internal/testkit"
)

// A process that has sent to any number of domains remembers those alone of which there is something to say.
func TestPursesAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	l := &Limiter{Clock: testkit.NewClock(now)}
	named := func(i int) purseKey { return purseKey{"each", fmt.Sprintf("d%d.example", i)} }
	says := []int{3, 4, 5}
	for i := range fewPurses {
		l.purse(named(i))
	}
	l.purses[named(3)].left, l.purses[named(3)].until = 1, now.Add(time.Second)
	l.purses[named(4)].closed.Until = now.Add(time.Hour)
	l.purses[named(5)].lineEnds = now.Add(time.Hour)
	l.purses[named(6)].left, l.purses[named(6)].until = 1, now
	l.purse(named(fewPurses))
	for _, i := range append(says, fewPurses) {
		if l.purses[named(i)] == nil {
			t.Errorf("%v is forgotten", named(i))
		}
	}
	if len(l.purses) != len(says)+1 {
		t.Errorf("%d purses are kept", len(l.purses))
	}
}
