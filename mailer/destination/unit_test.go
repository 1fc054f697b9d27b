package destination

import (
	"fmt"
	"testing"

	"silkpost/internal/clock"
)

// While name servers do not answer, what is noted does not pile up.
func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	r := &Resolver{Clock: clock.System{}}
	for i := range 3 * mostNoted {
		r.Note(fmt.Sprintf("d%d.museum", i))
	}
	if len(r.todo) > mostNoted || len(r.noted) > mostNoted {
		t.Errorf("%d wait, %d are noted", len(r.todo), len(r.noted))
	}
}
