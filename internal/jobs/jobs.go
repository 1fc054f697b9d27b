// Package jobs is the queue: River over the same database, so that a job is there if and only if the transaction that makes it
// true is. Jobs carry ids; a worker loads, calls the domain and records. Nothing is claimed or sent here: deliveries have the
// ledger.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Plan plans every edition that has come due.
type Plan struct{}

// Retain drops old deliveries.
type Retain struct{}

// PollDue queues a PollSource for each source that is due.
type PollDue struct{}

// PollSource polls one source.
type PollSource struct {
	Slug string `json:"slug"`
}

// TellHub tells a WebSub hub of the feeds that changed up to a generation.
type TellHub struct {
	Hub        string `json:"hub"` // its address
	Generation int64  `json:"generation"`
}

// SendNotice sends a notice, unless that is done.
type SendNotice struct {
	ID uuid.UUID `json:"id"`
}

// WorkUpload checks or imports a table of people that was uploaded.
type WorkUpload struct {
	ID uuid.UUID `json:"id"`
}

// Kind names the job in the queue.
func (WorkUpload) Kind() string { return "work_upload" }

// InsertOpts has an upload worked again whose process was killed: an import is whole or not at all, and importing again changes nothing.
func (WorkUpload) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 3} }

// Kind names the job in the queue.
func (Plan) Kind() string { return "plan" }

// Kind names the job in the queue.
func (Retain) Kind() string { return "retain" }

// Kind names the job in the queue.
func (PollDue) Kind() string { return "poll_due" }

// Kind names the job in the queue.
func (PollSource) Kind() string { return "poll_source" }

// Kind names the job in the queue.
func (TellHub) Kind() string { return "tell_hub" }

// SendLink sends an account's mail with a link, unless that is done.
type SendLink struct {
	ID uuid.UUID `json:"id"`
}

// TellStaff tells those who work with the program what needs them.
type TellStaff struct{}

// SendStaff sends a mail to staff, unless that is done.
type SendStaff struct {
	ID uuid.UUID `json:"id"`
}

// Kind names the job in the queue.
func (TellStaff) Kind() string { return "tell_staff" }

// Kind names the job in the queue.
func (SendStaff) Kind() string { return "send_staff" }

// InsertOpts puts mails to staff among the notices.
func (SendStaff) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: noticeQueue} }

// Kind names the job in the queue.
func (SendLink) Kind() string { return "send_link" }

// InsertOpts puts mails with links among the notices.
func (SendLink) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: noticeQueue} }

// Kind names the job in the queue.
func (SendNotice) Kind() string { return "send_notice" }

// InsertOpts keeps a source from being queued while its last poll waits or runs. A poll that fails is not retried here: the
// source's own schedule says when.
func (PollSource) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: pollQueue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}, MaxAttempts: 1}
}

// InsertOpts gives hubs a queue of their own, so that one that does not answer keeps nothing else waiting. A job that fails is tried
// again after 1 second, 16, 81 and so on (the fourth power of its attempts): 14 attempts take a day. Then the next change has to come.
func (TellHub) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: hubQueue, MaxAttempts: 14}
}

const hubQueue = "hubs"

// pollQueue is a queue of its own with many workers, for they do little but wait for other people's servers.
const pollQueue = "polls"

// planQueue is a queue of its own: sources that do not answer do not keep alerts waiting.
const planQueue = "plans"

// InsertOpts puts planning into its own queue.
func (Plan) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: planQueue} }

// noticeQueue is a queue of its own: a relay that does not answer keeps nothing else waiting.
const noticeQueue = "notices"

// InsertOpts puts notices into their own queue.
func (SendNotice) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: noticeQueue} }

// queues are all there are, with how many of their jobs a process works at once.
var queues = map[string]river.QueueConfig{
	river.QueueDefault: {MaxWorkers: 4}, pollQueue: {MaxWorkers: 32}, planQueue: {MaxWorkers: 2}, hubQueue: {MaxWorkers: 8}, noticeQueue: {MaxWorkers: 2},
}

// Later returns an error with which a job asks to be worked again after a while. That is no failure and counts as no attempt.
func Later(d time.Duration) error { return river.JobSnooze(d) }

// Work is what the jobs do. Each function may be called more than once for the same job.
type Work struct {
	Plan       func(ctx context.Context) error
	Retain     func(ctx context.Context) error
	PollDue    func(ctx context.Context) error
	PollSource func(ctx context.Context, slug string) error
	TellHub    func(ctx context.Context, hub string, generation int64) error
	SendNotice func(ctx context.Context, id uuid.UUID) error
	SendLink   func(ctx context.Context, id uuid.UUID) error
	TellStaff  func(ctx context.Context) error
	SendStaff  func(ctx context.Context, id uuid.UUID) error
	WorkUpload func(ctx context.Context, id uuid.UUID) error
}

// How often the periodic jobs run, and how often the queue is looked at: this driver cannot listen.
const (
	planEvery = 30 * time.Second
	pollEvery = 30 * time.Second

	retainEvery = time.Hour
	tellEvery   = time.Minute
	lookEvery   = 500 * time.Millisecond
)

// Queue inserts jobs and, once started, works them. It is safe for concurrent use.
type Queue struct {
	client *river.Client[*sql.Tx]
}

// NewInserter returns a queue that only takes jobs in, for others to work.
func NewInserter(db *sqlx.DB) (*Queue, error) {
	client, err := river.NewClient(riverdatabasesql.New(db.DB), &river.Config{Schema: database.RiverSchema, Logger: slog.New(slog.DiscardHandler)})
	return &Queue{client: client}, err
}

// NewWorker returns a queue that also works jobs, once started.
func NewWorker(db *sqlx.DB, work Work, log *slog.Logger) (*Queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[Plan]) error { return work.Plan(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[Retain]) error { return work.Retain(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[PollDue]) error { return work.PollDue(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[PollSource]) error {
		return work.PollSource(ctx, job.Args.Slug)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[TellHub]) error {
		return work.TellHub(ctx, job.Args.Hub, job.Args.Generation)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[SendNotice]) error {
		return work.SendNotice(ctx, job.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[SendLink]) error {
		return work.SendLink(ctx, job.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[TellStaff]) error { return work.TellStaff(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[SendStaff]) error {
		return work.SendStaff(ctx, job.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[WorkUpload]) error {
		return work.WorkUpload(ctx, job.Args.ID)
	}))
	client, err := river.NewClient(riverdatabasesql.New(db.DB), &river.Config{
		Schema:            database.RiverSchema,
		Logger:            slog.New(calm{&damped{Handler: log.Handler(), clock: clock.System{}}}),
		Workers:           workers,
		Queues:            queues,
		FetchPollInterval: lookEvery,
		SoftStopTimeout:   20 * time.Second,
		PollOnly:          true, // lib/pq's driver for River cannot listen
		// Planning a list of a million contacts takes a while; a job of a process that was killed is worked again soon after.
		JobTimeout:           10 * time.Minute,
		RescueStuckJobsAfter: 11 * time.Minute,
		PeriodicJobs: []*river.PeriodicJob{
			every(planEvery, Plan{}),
			every(pollEvery, PollDue{}),
			every(retainEvery, Retain{}),
			every(tellEvery, TellStaff{}),
		},
	})
	return &Queue{client: client}, err
}

// calm leaves out what River tells of itself, and what it logs as errors when it is told to stop in the midst of a query.
type calm struct{ slog.Handler }

// Enabled passes on warnings and errors.
func (c calm) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && c.Handler.Enabled(ctx, level)
}

// Handle passes on what is not about being stopped.
func (c calm) Handle(ctx context.Context, r slog.Record) error {
	stopped := false
	r.Attrs(func(a slog.Attr) bool {
		err, isError := a.Value.Any().(error)
		stopped = isError && errors.Is(err, context.Canceled) || strings.Contains(a.Value.String(), context.Canceled.Error())
		return !stopped
	})
	if stopped {
		return nil
	}
	return c.Handler.Handle(ctx, r)
}

// every is a periodic job that begins at once. A missed one is not made up for, so it is not tried again either.
func every(interval time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval),
		func() (river.JobArgs, *river.InsertOpts) { return args, &river.InsertOpts{MaxAttempts: 1} },
		&river.PeriodicJobOpts{RunOnStart: true})
}

// Run works jobs until ctx ends; then it lets those that run come to their end.
func (q *Queue) Run(ctx context.Context) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if err := q.client.Start(working); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-q.client.Stopped():
	}
	return q.client.Stop(working)
}

// Insert queues a job in the transaction of h, or by itself when h is the database.
func (q *Queue) Insert(ctx context.Context, h database.Handle, args river.JobArgs) (err error) {
	defer errs.Wrap(&err, "queue a %s job", args.Kind())
	if tx, ok := h.(*sqlx.Tx); ok {
		_, err = q.client.InsertTx(ctx, tx.Tx, args, nil)
	} else {
		_, err = q.client.Insert(ctx, args, nil)
	}
	return err
}

// InsertPolls queues a poll of each source, by its slug, but of those whose last one waits or runs.
func (q *Queue) InsertPolls(ctx context.Context, slugs []string) (err error) {
	defer errs.Wrap(&err, "queue %d polls", len(slugs))
	const most = 1000 // in one statement
	for some := range slices.Chunk(slugs, most) {
		params := make([]river.InsertManyParams, len(some))
		for i, slug := range some {
			params[i] = river.InsertManyParams{Args: PollSource{Slug: slug}}
		}
		if _, err := q.client.InsertMany(ctx, params); err != nil {
			return err
		}
	}
	return nil
}
