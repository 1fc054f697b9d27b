package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/jobs"
	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const patience = 20 * time.Second

// count counts the jobs of a kind in a state, "" for any.
func count(t *testing.T, db *sqlx.DB, kind, state string) (n int) {
	t.Helper()
	if err := db.Get(&n, `SELECT count(*) FROM river.river_job WHERE kind = $1 AND ($2 = '' OR state::text = $2)`, kind, state); err != nil {
		t.Fatal(err)
	}
	return n
}

func inserter(t *testing.T, db *sqlx.DB) *jobs.Queue {
	t.Helper()
	queue, err := jobs.NewInserter(db)
	if err != nil {
		t.Fatal(err)
	}
	return queue
}

// A job is there if and only if its transaction is.
func TestInsertBelongsToItsTransaction(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	queue := inserter(t, db)
	boom := errors.New("something went wrong afterwards")
	for _, tt := range []struct {
		end  error
		want int
	}{{boom, 0}, {nil, 1}} {
		err := database.Transact(t.Context(), db, func(tx *sqlx.Tx) error {
			if err := queue.Insert(t.Context(), tx, jobs.Plan{}); err != nil {
				return err
			}
			return tt.end
		})
		if !errors.Is(err, tt.end) {
			t.Fatal(err)
		}
		if got := count(t, db, "plan", ""); got != tt.want {
			t.Errorf("%d jobs after a transaction that ended with %v, want %d", got, tt.end, tt.want)
		}
	}
	if err := queue.Insert(t.Context(), db, jobs.Plan{}); err != nil || count(t, db, "plan", "available") != 2 {
		t.Errorf("by itself: %v", err)
	}
}

// A source is queued once while its poll waits; another source, and the same one later, are queued.
func TestPollsOfASourceDoNotPileUp(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	queue := inserter(t, db)
	for range 3 {
		for _, slug := range []string{"site", "blog"} {
			if err := queue.Insert(t.Context(), db, jobs.PollSource{Slug: slug}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := count(t, db, "poll_source", ""); got != 2 {
		t.Errorf("%d polls wait, want one for each source", got)
	}
	polled := make(chan string, 10)
	work(t, db, jobs.Work{PollSource: func(_ context.Context, slug string) error { polled <- slug; return nil }})
	if got := map[string]bool{next(t, polled): true, next(t, polled): true}; !got["site"] || !got["blog"] {
		t.Errorf("polled: %v", got)
	}
	testkit.Eventually(t, patience, "both polls are over", func() bool { return count(t, db, "poll_source", "completed") == 2 })
	if err := queue.Insert(t.Context(), db, jobs.PollSource{Slug: "site"}); err != nil {
		t.Fatal(err)
	}
	if got := next(t, polled); got != "site" {
		t.Errorf("polled again: %s", got)
	}
}

// next waits for what a job says.
func next[V any](t *testing.T, said <-chan V) (v V) {
	t.Helper()
	select {
	case v = <-said:
	case <-time.After(patience):
		t.Fatalf("nothing within %s", patience)
	}
	return v
}

// work runs a worker until stop is called, or the test ends. What a job does that is not given is nothing.
func work(t *testing.T, db *sqlx.DB, w jobs.Work) (stop func() <-chan error) {
	t.Helper()
	nothing := func(context.Context) error { return nil }
	if w.Plan == nil {
		w.Plan = nothing
	}
	if w.PollDue == nil {
		w.PollDue = nothing
	}
	queue, err := jobs.NewWorker(db, w, testkit.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	running := make(chan struct{})
	go func() {
		defer close(running)
		ended <- queue.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-running
	})
	return func() <-chan error {
		cancel()
		return ended
	}
}

// A worker plans and polls as soon as it runs: what came due while none did is not forgotten.
func TestPeriodicJobsBeginAtOnce(t *testing.T) {
	t.Parallel()
	planned, polled := make(chan struct{}, 9), make(chan struct{}, 9)
	work(t, testkit.DB(t), jobs.Work{
		Plan:    func(context.Context) error { planned <- struct{}{}; return nil },
		PollDue: func(context.Context) error { polled <- struct{}{}; return nil },
	})
	next(t, planned)
	next(t, polled)
}

// Stopping lets a job that runs come to its end, and does not cut its context short.
func TestStoppingWaitsForRunningJobs(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	if err := inserter(t, db).Insert(t.Context(), db, jobs.PollSource{Slug: "slow"}); err != nil {
		t.Fatal(err)
	}
	begun, goOn, cut := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	stop := work(t, db, jobs.Work{PollSource: func(ctx context.Context, _ string) error {
		close(begun)
		<-goOn
		cut <- ctx.Err()
		return nil
	}})
	next(t, begun)
	ended := stop()
	select {
	case err := <-ended:
		t.Errorf("the worker ended with %v while a job ran", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	if err := <-cut; err != nil {
		t.Errorf("the job was cut short: %v", err)
	}
	if got := count(t, db, "poll_source", "completed"); got != 1 {
		t.Errorf("%d jobs completed, want 1", got)
	}
}

// What fails, or panics, is the job's own trouble: the worker goes on.
func TestFailingJobs(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	queue := inserter(t, db)
	polled := make(chan string, 9)
	work(t, db, jobs.Work{PollSource: func(_ context.Context, slug string) error {
		polled <- slug
		switch slug {
		case "panics":
			panic("on purpose")
		case "fails":
			return errors.New("on purpose")
		}
		return nil
	}})
	for _, slug := range []string{"panics", "fails", "works"} {
		if err := queue.Insert(t.Context(), db, jobs.PollSource{Slug: slug}); err != nil {
			t.Fatal(err)
		}
		if got := next(t, polled); got != slug {
			t.Errorf("%s was worked, not %s", got, slug)
		}
	}
	testkit.Eventually(t, patience, "two are given up and one is done", func() bool {
		return count(t, db, "poll_source", "discarded") == 2 && count(t, db, "poll_source", "completed") == 1
	})
}

// Hubs that do not answer keep neither planning nor polling waiting.
func TestHubsHaveAQueueOfTheirOwn(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	queue := inserter(t, db)
	told, release, polled := make(chan string, 99), make(chan struct{}), make(chan string, 9)
	work(t, db, jobs.Work{
		TellHub:    func(_ context.Context, hub string, _ int64) error { told <- hub; <-release; return nil },
		PollSource: func(_ context.Context, slug string) error { polled <- slug; return nil },
	})
	t.Cleanup(func() { close(release) })
	for n := range 20 {
		if err := queue.Insert(t.Context(), db, jobs.TellHub{Hub: "https://hub.example.org/", Generation: int64(n)}); err != nil {
			t.Fatal(err)
		}
	}
	next(t, told)
	if err := queue.Insert(t.Context(), db, jobs.PollSource{Slug: "site"}); err != nil {
		t.Fatal(err)
	}
	if got := next(t, polled); got != "site" {
		t.Errorf("polled: %s", got)
	}
}

// Sources that do not answer do not keep planning waiting: alerts have to go.
func TestPlanningHasAQueueOfItsOwn(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	queue := inserter(t, db)
	polled, release, planned := make(chan string, 99), make(chan struct{}), make(chan string, 99)
	work(t, db, jobs.Work{
		PollSource: func(_ context.Context, slug string) error { polled <- slug; <-release; return nil },
		Plan:       func(context.Context) error { planned <- "planned"; return nil },
	})
	t.Cleanup(func() { close(release) })
	next(t, planned) // the first periodic job
	for n := range 20 {
		if err := queue.Insert(t.Context(), db, jobs.PollSource{Slug: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	next(t, polled)
	if err := queue.Insert(t.Context(), db, jobs.Plan{}); err != nil {
		t.Fatal(err)
	}
	next(t, planned)
}

// A job that asks for it is worked later, which is no failure; one that fails is tried again, too.
func TestJobsOfHubsComeAgain(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	told := make(chan int64, 9)
	tries := 0 // one job, worked by one at a time
	work(t, db, jobs.Work{TellHub: func(_ context.Context, hub string, generation int64) error {
		told <- generation
		switch tries++; tries {
		case 1:
			return jobs.Later(time.Millisecond)
		case 2:
			return errors.New("on purpose")
		}
		return nil
	}})
	if err := inserter(t, db).Insert(t.Context(), db, jobs.TellHub{Hub: "https://hub.example.org/", Generation: 7}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := next(t, told); got != 7 {
			t.Errorf("told of %d", got)
		}
	}
	testkit.Eventually(t, patience, "it is done", func() bool { return count(t, db, "tell_hub", "completed") == 1 })
	var attempts, failures int
	if err := db.QueryRow(`SELECT attempt, cardinality(errors) FROM river.river_job WHERE kind = 'tell_hub'`).Scan(&attempts, &failures); err != nil || attempts != 2 || failures != 1 {
		t.Errorf("%d attempts, %d failed, %v; want 2 and 1", attempts, failures, err)
	}
}

// A notice is tried as often as its work wants, and that costs it none of the attempts that a failing job has.
func TestNoticesAreTriedAgain(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	id, tries := uuid.New(), make(chan uuid.UUID, 100)
	if err := inserter(t, db).Insert(t.Context(), db, jobs.SendNotice{ID: id}); err != nil {
		t.Fatal(err)
	}
	const enough = 6
	n := 0
	work(t, db, jobs.Work{SendNotice: func(_ context.Context, id uuid.UUID) error {
		tries <- id
		if n++; n < enough {
			return jobs.Later(time.Millisecond)
		}
		return nil
	}})
	for range enough {
		if got := next(t, tries); got != id {
			t.Errorf("tried %s", got)
		}
	}
	testkit.Eventually(t, patience, "it is done", func() bool { return count(t, db, "send_notice", "completed") == 1 })
	var job struct {
		Attempt int
		Errors  int
		Args    string
	}
	if err := db.Get(&job, `SELECT attempt, coalesce(cardinality(errors), 0) AS errors, args FROM river.river_job WHERE kind = 'send_notice'`); err != nil {
		t.Fatal(err)
	}
	if job.Attempt != 1 || job.Errors != 0 || job.Args != `{"id": "`+id.String()+`"}` {
		t.Errorf("the job is %+v", job)
	}
}

// Notices that hang keep nothing else from being worked.
func TestNoticesHaveAQueueOfTheirOwn(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	queue := inserter(t, db)
	for range 9 {
		if err := queue.Insert(t.Context(), db, jobs.SendNotice{ID: uuid.New()}); err != nil {
			t.Fatal(err)
		}
	}
	hanging, goOn, polled := make(chan uuid.UUID, 9), make(chan struct{}), make(chan string, 1)
	defer close(goOn)
	work(t, db, jobs.Work{
		SendNotice: func(_ context.Context, id uuid.UUID) error {
			hanging <- id
			<-goOn
			return nil
		},
		PollSource: func(_ context.Context, slug string) error { polled <- slug; return nil },
	})
	next(t, hanging)
	next(t, hanging)
	if err := queue.Insert(t.Context(), db, jobs.PollSource{Slug: "site"}); err != nil {
		t.Fatal(err)
	}
	next(t, polled)
}
