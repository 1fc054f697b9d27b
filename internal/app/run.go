package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/calls"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/internal/staff"
	"silkpost/internal/web"
	"silkpost/mailer/bounce"
	"silkpost/mailer/destination"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// Parts say what of the program a process runs.
type Parts struct {
	Web     net.Listener // nil: no web; closed by Run
	Worker  bool         // plans, polls and sends
	Bounces net.Listener // takes in mail that comes back; nil: that does not come this way; closed by Run
	Debug   net.Listener // serves metrics and profiles; nil: nowhere but /metrics on the web, to who asks on this machine; closed by Run
	Extra   http.Handler // what else the web shows, below /mail/; nil: nothing
	Admin   http.Handler // the administrators' pages, below /admin/; nil: there are none
	API     http.Handler // for machines, below /api/; nil: there is none
}

// stopWeb is for how long requests in hand may take when stopping; then they are cut off.
const stopWeb = 10 * time.Second

// formPace is longer than it takes to take in a form, whatever there is to be done.
const formPace = 300 * time.Millisecond

// Listen opens the address of the web. Settings that were left to it, such as port 0, are known afterwards.
func (a *App) Listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return nil, errs.New(errs.Invalid, "cannot listen on %s: %w; choose another address with --listen", a.Config.Listen, err)
	}
	a.Config.Listen = ln.Addr().String()
	a.Composer.PublicURL = a.PublicURL()
	return ln, nil
}

// Run runs the parts until ctx ends. Then it stops in order: requests in hand are answered, running jobs and the messages in hand
// are finished, the rest is given back. It returns an error when a part cannot begin or ends by itself.
func (a *App) Run(ctx context.Context, parts Parts) error {
	if parts.Web != nil {
		defer func() { _ = parts.Web.Close() }() // also when the worker cannot begin
	}
	if parts.Bounces != nil {
		defer func() { _ = parts.Bounces.Close() }()
	}
	if parts.Debug != nil {
		defer func() { _ = parts.Debug.Close() }()
	}
	var running []func(context.Context) error
	if parts.Debug != nil {
		running = append(running, func(ctx context.Context) error { return a.serveDebug(ctx, parts.Debug) })
	}
	if parts.Worker {
		if _, err := a.sender(); err != nil {
			return err
		}
		running = append(running, a.workUnlessHeld)
		running = append(running, a.bounces(parts.Bounces)...)
	}
	if parts.Web != nil {
		if a.keys == nil { // every link to unsubscribe would be unknown
			return noSecretKey()
		}
		handler := feeds.NewHandler(a.Feeds, a.DB, a.PublicURL(), feeds.Options{Clock: a.Clock, Log: a.Log, CacheBytes: a.Config.FeedCacheMB << 20})
		a.metrics.WatchCache(cacheOf(handler))
		running = append(running,
			func(ctx context.Context) error { return a.serve(ctx, parts, handler) },
			func(ctx context.Context) error { return a.followFeeds(ctx, handler) },
			a.indexArticles)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range running {
		group.Go(func() error {
			err := part(ctx)
			if cutShort(ctx, err) {
				return nil // told to stop while it began
			}
			return err
		})
	}
	return group.Wait()
}

// cutShort reports an error that says no more than that ctx has ended.
func cutShort(ctx context.Context, err error) bool {
	const queryCanceled = "57014"
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || database.SQLState(err) == queryCanceled)
}

// worker makes what plans and polls, and what sends.
func (a *App) worker() (*jobs.Queue, *send.Sender, error) {
	sender, err := a.sender()
	if err != nil {
		return nil, nil, err
	}
	queue, err := jobs.NewWorker(a.DB, a.work(sender), a.Log)
	return queue, sender, err
}

func (a *App) serve(ctx context.Context, parts Parts, feedHandler http.Handler) error {
	server := &http.Server{
		Handler: web.New(web.Config{
			DB: a.DB, Clock: a.Clock, Log: a.Log, Templates: a.Templates, Articles: a.Articles, Feeds: a.Feeds, Keys: a.keys,
			PublicURL: a.PublicURL(), FeedHandler: feedHandler, Extra: parts.Extra, Admin: parts.Admin, API: parts.API, Proxies: a.Config.Proxies(), Pace: formPace,
			MayBeSent: edition.MayBeSent, SendConfirmation: a.SendConfirmation, SendWelcome: a.SendWelcome, SendAddressChange: a.SendAddressChange,
			SendNewAddress: a.SendNewAddress, Metrics: a.metrics.Handler(), Answered: a.metrics.Answered,
		}),
		ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
		// The first two are alike: another time for the headers would set one more deadline per request, which is one percent of a 304.
		ReadHeaderTimeout: 30 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	server.RegisterOnShutdown(func() { a.stopOnce.Do(func() { close(a.stopping) }) })
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWeb)
		defer cancel()
		err := server.Shutdown(ending)
		if errors.Is(err, context.DeadlineExceeded) {
			a.Log.WarnContext(ending, "requests that took too long were cut off")
			err = server.Close()
		}
		stopped <- err
	})
	if err := server.Serve(parts.Web); !errors.Is(err, http.ErrServerClosed) || stop() {
		return err
	}
	return <-stopped
}

// work is what the queue's jobs do.
func (a *App) work(sender *send.Sender) jobs.Work {
	return a.unlessHeld(jobs.Work{
		Plan: func(ctx context.Context) error {
			if err := a.keepBooks(ctx); err != nil {
				return err
			}
			release, unpublished := a.publishDue(ctx) // what cannot be published keeps nothing else back
			planned, next, err := a.PlanDue(ctx)
			changed, failed := a.keepDesk(ctx)
			if planned+changed > 0 {
				sender.Wake()
			}
			a.alarm.set(edition.Earlier(next, release))
			return errors.Join(unpublished, err, failed)
		},
		Retain:     a.retain,
		PollDue:    a.queueDueSources,
		PollSource: a.pollSource,
		TellHub:    a.hubTeller(),
		WorkUpload: a.WorkUpload,
		SendNotice: func(ctx context.Context, id uuid.UUID) error {
			again, err := a.sendNotice(ctx, id)
			if err == nil && again > 0 {
				return jobs.Later(again) // the account of notices alone says when to give up
			}
			return err
		},
		TellStaff: func(ctx context.Context) error {
			_, err := a.TellStaff(ctx)
			return err
		},
		SendStaff: func(ctx context.Context, id uuid.UUID) error {
			again, err := a.sendStaff(ctx, id)
			if err == nil && again > 0 {
				return jobs.Later(again)
			}
			return err
		},
		SendLink: func(ctx context.Context, id uuid.UUID) error {
			again, err := a.sendLink(ctx, id)
			if err == nil && again > 0 {
				return jobs.Later(again)
			}
			return err
		},
	})
}

// retain puts counts of past hours together and drops the deliveries of months that ended longer ago than they are to be kept.
func (a *App) retain(ctx context.Context) error {
	if err := destination.ForgetDays(ctx, a.DB, a.daysAgo(keptDays)); err != nil {
		return err
	}
	now := a.Clock.Now()
	if err := ledger.FoldHours(ctx, a.DB, now.Add(-foldAfter)); err != nil {
		return err
	}
	if err := staff.Forget(ctx, a.DB, now.Add(-toldFor)); err != nil {
		return err
	}
	if a.Config.RetentionMonths == 0 {
		return nil
	}
	done, err := ledger.Retain(ctx, a.DB, now.AddDate(0, -a.Config.RetentionMonths, 0), now)
	if len(done.Months) > 0 {
		a.Log.InfoContext(ctx, "old deliveries were counted and dropped", slog.String("months", strings.Join(done.Months, " ")))
	}
	if done.Blocked != "" {
		a.Log.WarnContext(ctx, "old deliveries stay, for something of their month is open: end its editions with silkpost edition cancel", slog.String("month", done.Blocked))
	}
	return err
}

// foldAfter is for how long the counts of an hour are left to the processes that make them.
const foldAfter = 2 * time.Hour

// keepBooks does what time alone brings: pauses and sessions end, counts of requests are forgotten, and images that nobody shows go.
func (a *App) keepBooks(ctx context.Context) error {
	now := a.Clock.Now()
	resumed, err := subscribers.ResumeDue(ctx, a.DB, now)
	if err != nil {
		return err
	}
	if resumed > 0 {
		a.Log.InfoContext(ctx, "pauses ended", slog.Int64("subscriptions", resumed))
	}
	for _, forget := range []func(context.Context, database.Handle, time.Time) error{
		limit.Forget, calls.Forget, subscribers.ForgetUploads, subscribers.ForgetLimits,
	} {
		if err := forget(ctx, a.DB, now); err != nil {
			return err
		}
	}
	if err := (articles.Hosts{DB: a.DB}).Forget(ctx, now); err != nil {
		return err
	}
	if _, err := a.Articles.RemoveUnusedImages(ctx, a.DB, now); err != nil {
		return err
	}
	if err := a.Accounts.Tidy(ctx); err != nil {
		return err
	}
	return subscribers.TidyCounts(ctx, a.DB)
}

// publishDue publishes the articles whose embargo is over, and returns when the next one ends; zero: none does.
func (a *App) publishDue(ctx context.Context) (next time.Time, err error) {
	var done articles.Result
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) (err error) {
		done, next, err = a.Articles.PublishDue(ctx, tx, a.Clock.Now())
		return err
	})
	if err == nil && done.Added+done.Changed > 0 {
		a.Log.InfoContext(ctx, "embargo over", slog.Int("added", done.Added), slog.Int("changed", done.Changed))
	}
	return next, err
}

// PlanDue plans what has come due of every list and returns how many editions that made, and when to look again; zero: no need. A list that
// cannot be planned does not keep the others from it.
func (a *App) PlanDue(ctx context.Context) (planned int, next time.Time, err error) {
	lists, err := subscribers.Lists(ctx, a.DB)
	if err != nil {
		return 0, next, err
	}
	var failed error
	for _, list := range lists {
		if edition.MayBeSent(list) != nil {
			continue // not set up yet: its articles wait
		}
		made, again, err := a.Planner.PlanDue(ctx, a.DB, list)
		for _, e := range made {
			a.Log.InfoContext(ctx, "edition planned", slog.Any("edition", e.ID), slog.String("list", e.List), slog.String("rhythm", e.Rhythm), slog.Any("state", e.State),
				slog.Any("reason", e.Reason), slog.Int("articles", e.Articles), slog.Int("recipients", e.Recipients))
		}
		planned, next = planned+len(made), edition.Earlier(next, again)
		failed = errors.Join(failed, err)
	}
	return planned, next, failed
}

// WarnAboutLists logs the lists that cannot be sent for yet: their articles wait until they can.
func (a *App) WarnAboutLists(ctx context.Context) error {
	lists, err := subscribers.Lists(ctx, a.DB)
	for _, list := range lists {
		if missing := edition.MayBeSent(list); missing != nil {
			a.Log.WarnContext(ctx, "nothing is sent for a list yet", slog.String("list", list.Slug), slog.Any("reason", missing))
		}
	}
	return err
}

// queueDueSources queues a poll for each source that is due.
func (a *App) queueDueSources(ctx context.Context) error {
	due, err := a.Articles.Due(ctx, a.DB, a.Clock.Now())
	if err != nil {
		return err
	}
	slugs := make([]string, len(due))
	for i, source := range due {
		slugs[i] = source.Slug
	}
	return a.queue.InsertPolls(ctx, slugs)
}

// maxTurn is how long a poll waits for its host's turn at most before it lets others be worked meanwhile.
const maxTurn = 200 * time.Millisecond

// pollSource polls a source. What went wrong stands with the source; the job is done.
func (a *App) pollSource(ctx context.Context, slug string) error {
	source, err := a.Articles.SourceBySlug(ctx, a.DB, slug)
	if err != nil || source.RemovedAt != nil {
		return err
	}
	if wait := a.poller.Fetch.Wait(source.URL); wait > maxTurn {
		return jobs.Later(wait)
	}
	if !source.Polled() { // only images of its articles are to be fetched
		return a.storeImages(ctx, source)
	}
	result, err := a.poller.Run(ctx, source, a.Clock.Now())
	a.metrics.Polled(slug, err == nil)
	if err != nil {
		a.Log.WarnContext(ctx, "source could not be polled", slog.String("source", slug), slog.Any("error", err))
		return nil
	}
	if result.Added+result.Changed > 0 {
		a.Log.InfoContext(ctx, "source polled", slog.String("source", slug), slog.Int("added", result.Added), slog.Int("changed", result.Changed))
	}
	if result.Held > 0 {
		a.Log.WarnContext(ctx, "unusually many new articles are held", slog.String("source", slug), slog.Int("held", result.Held))
	}
	return a.storeImages(ctx, source)
}

// storeImages fetches the images of a source's articles, if they are to be served by us. What cannot be had is tried again later; the job is done.
func (a *App) storeImages(ctx context.Context, source articles.Source) error {
	if stored, err := a.poller.StoreImages(ctx, source, a.Clock.Now()); err != nil {
		a.Log.WarnContext(ctx, "images could not be stored", slog.String("source", source.Slug), slog.Any("error", err))
	} else if stored > 0 {
		a.Log.InfoContext(ctx, "images stored", slog.String("source", source.Slug), slog.Int("images", stored))
	}
	return nil
}

// sender makes the sender of this process, or says what is missing for it.
func (a *App) sender() (*send.Sender, error) {
	switch {
	case a.relay == nil:
		return nil, errs.New(errs.Invalid, "no SMTP relay is set: set SILKPOST_SMTP_URL, such as smtp://user:password@mail.example.org:587")
	case a.keys == nil:
		return nil, noSecretKey()
	}
	s := &send.Sender{
		DB: a.DB, Clock: a.Clock, Log: a.Log, Relay: *a.relay, Connections: a.Config.SMTPConnections, Retry: a.retry,
		Poll: a.lookEvery, Grace: 30 * time.Second, Compose: a.Composer.Compose, Helo: a.helo(),
		Scored: bounce.Score, TakeBack: bounce.TakeBack, Limits: a.limits,
	}
	if a.lookupMX != nil {
		s.MX = &destination.Resolver{DB: a.DB, Clock: a.Clock, Log: a.Log, LookupMX: a.lookupMX}
	}
	a.observe(s)
	return s, nil
}

// followDue wakes the sender when an edition may go out, whoever saw to that, until ctx ends. What it does not hear of the sender finds by itself, a little later.
func (a *App) followDue(ctx context.Context, sender *send.Sender) {
	if err := database.Listen(ctx, a.url, ledger.Channel, a.Log, sender.Wake); err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "the database does not tell when something is due: it is looked for now and then", slog.String("error", err.Error()))
	}
}

// helo returns the name that we introduce ourselves to the relay with: that of the public URL, since many a machine's own name says
// nothing to others. An address is no name; then it is the machine's.
func (a *App) helo() string {
	u, err := url.Parse(a.Config.PublicURL)
	if err != nil || net.ParseIP(u.Hostname()) != nil || u.Hostname() == "localhost" {
		return ""
	}
	return u.Hostname()
}

func noSecretKey() error {
	return errs.New(errs.Invalid, "no secret key is set: set SILKPOST_SECRET_KEY to 16 random characters or more, the same for every process")
}
