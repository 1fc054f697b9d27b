package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/calls"
	"silkpost/internal/web/api"
)

func TestACallThatNamesItselfIsDoneOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.ask("POST", "/api/v1/articles", robots, "Idempotency-Key", "one").is(http.StatusCreated)
	again := h.ask("POST", "/api/v1/articles", robots, "Idempotency-Key", "one").is(http.StatusCreated)
	if string(first.body) != string(again.body) || again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotency-Replayed") != "true" ||
		first.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("%v %s\n%v %s", first.header, first.body, again.header, again.body)
	}
	h.ask("POST", "/api/v1/articles", strings.Replace(robots, "came", "went", 1), "Idempotency-Key", "one").wrongAt("header.Idempotency-Key", "another call")
	h.ask("POST", "/api/v1/organisations", `{"name": "X"}`, "Idempotency-Key", "one").wrongAt("header.Idempotency-Key", "another call")
	h.ask("POST", "/api/v1/articles", robots, "Idempotency-Key", strings.Repeat("x", 201)).wrongAt("header.Idempotency-Key", "200")
	h.clock.Advance(calls.Life)
	h.ask("POST", "/api/v1/articles", robots, "Idempotency-Key", "one").is(http.StatusOK) // a day later it is another call
}

func TestACallThatWasRefusedMayComeAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	const body = `{"list": "partners", "email": "x@blocked.example", "consent": {"statement": "Agreed"}}`
	h.ask("POST", "/api/v1/suppressions", `{"whom": "blocked.example"}`).is(http.StatusCreated)
	h.ask("POST", "/api/v1/subscriptions", body, "Idempotency-Key", "one").problem(http.StatusConflict)
	h.ask("DELETE", "/api/v1/suppressions/blocked.example", nil).is(http.StatusNoContent)
	h.ask("POST", "/api/v1/subscriptions", body, "Idempotency-Key", "one").is(http.StatusCreated)
}

func TestTheSameCallAtOnceIsDoneOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	const many = 12
	statuses := make([]int, many)
	bodies := make([]string, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			for {
				r, err := h.try("POST", "/api/v1/organisations", `{"name": "City museum"}`, "Idempotency-Key", "one")
				if err != nil {
					t.Error(err)
					return
				}
				if r.status == http.StatusConflict && r.header.Get("Retry-After") != "" {
					continue
				}
				statuses[i], bodies[i] = r.status, string(r.body)
				return
			}
		})
	}
	group.Wait()
	for i := range many {
		if statuses[i] != http.StatusCreated || bodies[i] != bodies[0] {
			t.Errorf("%d: %d %s", i, statuses[i], bodies[i])
		}
	}
	var all api.Page[api.Organisation]
	h.ask("GET", "/api/v1/organisations", nil).into(&all)
	if len(all.Items) != 1 {
		t.Errorf("%d organisations", len(all.Items))
	}
}

// The process may end at any moment. Before the commit nothing was done; after it the answer is there.
func TestACrashBetweenCommitAndAnswerDoublesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.subscribed("partners", "reader@example.org")
	h.ask("POST", "/api/v1/articles", robots).is(http.StatusCreated)
	e := h.planned("partners")
	path := fmt.Sprintf("/api/v1/editions/%s/approve", e.ID)
	seen := h.ask("GET", fmt.Sprintf("/api/v1/editions/%s", e.ID), nil).is(http.StatusOK).header.Get("ETag")

	// The answer of the call that was committed is lost: whoever asks again cannot tell that from a crash.
	lost := h.ask("POST", path, nil, "If-Match", seen, "Idempotency-Key", "go").is(http.StatusOK)
	again := h.ask("POST", path, nil, "If-Match", seen, "Idempotency-Key", "go").is(http.StatusOK)
	if string(lost.body) != string(again.body) || lost.header.Get("ETag") != again.header.Get("ETag") {
		t.Errorf("%s\n%s", lost.body, again.body)
	}

	// Of a call that was claimed by a process that is gone, nothing was done. It is waited for, then another works it.
	if _, err := h.DB.Exec(`UPDATE calls.answers SET answer = NULL`); err != nil {
		t.Fatal(err)
	}
	h.ask("POST", path, nil, "If-Match", seen, "Idempotency-Key", "go").problem(http.StatusConflict)
	h.clock.Advance(calls.ClaimLife)
	h.ask("POST", path, nil, "If-Match", seen, "Idempotency-Key", "go").problem(http.StatusPreconditionFailed) // it works it: the edition has gone on
}

func TestAClaimThatIsAnothersRollsBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	call := calls.Call{Actor: "key 1", Name: "one", Request: []byte("r")}
	slow, _, err := calls.Begin(t.Context(), h.DB, call, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := calls.Begin(t.Context(), h.DB, call, now.Add(time.Minute)); err != calls.ErrBusy {
		t.Errorf("a minute later: %v", err)
	}
	fast, _, err := calls.Begin(t.Context(), h.DB, call, now.Add(calls.ClaimLife))
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Keep(t.Context(), h.DB, []byte(`{}`)); err == nil {
		t.Error("the slow one could keep its answer")
	}
	if err := slow.Drop(t.Context(), h.DB); err != nil {
		t.Error(err)
	}
	if err := fast.Keep(t.Context(), h.DB, []byte(`{"fast": true}`)); err != nil {
		t.Error(err)
	}
	if _, answer, err := calls.Begin(t.Context(), h.DB, call, now.Add(time.Hour)); err != nil || string(answer) != `{"fast": true}` {
		t.Errorf("%s (%v)", answer, err)
	}
	if err := calls.Forget(t.Context(), h.DB, now.Add(calls.Life+calls.ClaimLife)); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := h.DB.Get(&left, `SELECT count(*) FROM calls.answers`); err != nil || left != 0 {
		t.Errorf("%d answers are kept (%v)", left, err)
	}
}

func TestWhoCallsTooOftenWaits(t *testing.T) {
	t.Parallel()
	h := openLimited(t, calls.Limit{Times: 3, Within: time.Minute})
	for left := 2; left >= 0; left-- {
		r := h.ask("GET", "/api/v1/lists", nil).is(http.StatusOK)
		if got, want := r.header.Get("RateLimit"), fmt.Sprintf(`"calls";r=%d;t=60`, left); got != want {
			t.Errorf("RateLimit: %s, want %s", got, want)
		}
		if got := r.header.Get("RateLimit-Policy"); got != `"calls";q=3;w=60` {
			t.Error(got)
		}
	}
	h.clock.Advance(20 * time.Second)
	r := h.ask("GET", "/api/v1/lists", nil)
	r.problem(http.StatusTooManyRequests)
	if r.header.Get("Retry-After") != "40" {
		t.Error(r.header)
	}
	h.clock.Advance(40 * time.Second)
	h.ask("GET", "/api/v1/lists", nil).is(http.StatusOK)
}
