// Package app is the program as a value: it opens what Silkpost needs, runs it, and holds the use cases that span several rooms.
// It is the only room that knows all others. A test runs the very program, on port 0.
package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/config"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/installation"
	"silkpost/internal/jobs"
	"silkpost/internal/metrics"
	"silkpost/internal/sources"
	"silkpost/internal/token"
	"silkpost/mailer/compose"
	"silkpost/mailer/destination"
	"silkpost/mailer/edition"
	"silkpost/mailer/limit"
	"silkpost/mailer/send"
	"silkpost/templates"
)

// Options are what a process may choose beyond its settings. The zero value is a command that works beside others.
type Options struct {
	Owner    bool                                                        // serve and demo: own the private Postgres; a second owner of a data directory is refused
	Log      *slog.Logger                                                // nil: silence
	Clock    clock.Clock                                                 // nil: the machine's
	Retry    *send.Retry                                                 // nil: send.DefaultRetry, and send.NoticeRetry for notices
	Poll     time.Duration                                               // how often to look for what has come due; 0: twice a second
	LookupMX func(ctx context.Context, domain string) ([]*net.MX, error) // tells which domains are one destination; nil: each is its own

	Allow []string // hosts that may be fetched from although their addresses are internal; for tests

	// AskPublicURL is to ask at the public URL, before anything is sent and now and then, whether it is this database that answers there.
	AskPublicURL bool
}

const defaultPoll = 500 * time.Millisecond

// App is the program. Its methods may be called by any number of goroutines, but Close only once and last.
type App struct {
	Config    config.Config
	DB        *sqlx.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Templates *templates.Set
	Articles  *articles.Store
	Feeds     *feeds.Store
	Accounts  *accounts.Store
	Planner   *edition.Planner
	Composer  *compose.Composer

	// NameServer is whom the doctor asks what is published, host:port; "": the machine's own. It is set before use.
	NameServer string

	local *database.Local // nil: the database is elsewhere
	url   string          // of the database
	queue *jobs.Queue     // takes jobs in

	metrics *metrics.Metrics
	tally   *destination.Tally
	alarm   *alarm // has planning looked at
	poller  *sources.Poller
	retry   send.Retry
	limits  *limit.Limiter // what this process may send
	relay   *send.Relay    // nil: none is set
	keys    token.Keys     // nil: no secret key is set

	noticeRetry send.Retry
	lookEvery   time.Duration                                               // for what has come due
	lookupMX    func(ctx context.Context, domain string) ([]*net.MX, error) // nil: nobody is asked

	place        string // of the private Postgres' files; "": another one is used
	askPublicURL bool
	bounceTLS    *tls.Config // of the listener for bounces; nil: it offers none
	comesBack    atomic.Bool // mail to our own addresses does: it was tried

	stopping chan struct{} // closed when the web stops
	stopOnce sync.Once
}

// Open brings the database up, the private one if no other is set, and its schema up to date. Nothing is listened on, worked or
// sent yet. Close must be called when it succeeds.
func Open(ctx context.Context, cfg config.Config, opt Options) (_ *App, err error) {
	a := &App{
		Config: cfg, Clock: opt.Clock, Log: opt.Log, retry: send.DefaultRetry, noticeRetry: send.NoticeRetry, askPublicURL: opt.AskPublicURL,
		lookupMX:  opt.LookupMX,
		metrics:   metrics.New(),
		stopping:  make(chan struct{}),
		lookEvery: cmp.Or(opt.Poll, defaultPoll),
	}
	if a.Clock == nil {
		a.Clock = clock.System{}
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	a.retry.GiveUp = time.Duration(cmp.Or(cfg.RetryHours, 24)) * time.Hour
	if opt.Retry != nil {
		a.retry, a.noticeRetry = *opt.Retry, *opt.Retry
	}
	if err := a.setRelay(cfg.SMTPURL, cfg.SMTPFallbackURL); err != nil {
		return nil, err
	}
	if a.Templates, err = templates.New(); err != nil {
		return nil, err
	}
	if err := a.openDatabase(ctx, opt.Owner); err != nil {
		return nil, errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	err = a.furnish(opt)
	if err == nil {
		err = a.beginFeeds(ctx)
	}
	if err == nil {
		err = a.seeWhatComesBack(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	return a, nil
}

func (a *App) setRelay(url, fallback string) error {
	if url == "" && fallback == "" {
		return nil
	}
	if url == "" {
		return errs.New(errs.Invalid, "SILKPOST_SMTP_FALLBACK_URL is set, and no SILKPOST_SMTP_URL for which that could stand in")
	}
	relay, err := send.ParseRelay(url)
	if err != nil {
		return errs.New(errs.Invalid, "SILKPOST_SMTP_URL: %w", err)
	}
	a.relay = &relay
	if fallback == "" {
		return nil
	}
	second, err := send.ParseRelay(fallback)
	if err != nil {
		return errs.New(errs.Invalid, "SILKPOST_SMTP_FALLBACK_URL: %w", err)
	}
	if second.Address() == relay.Address() && second.User == relay.User {
		return errs.New(errs.Invalid, "SILKPOST_SMTP_FALLBACK_URL is %s, as SILKPOST_SMTP_URL: name another relay that can stand in for it, or none", second.Address())
	}
	a.relay.Fallback = &second
	return nil
}

func (a *App) openDatabase(ctx context.Context, owner bool) (err error) {
	a.url = a.Config.DatabaseURL
	if a.url == "" {
		a.local, err = database.StartLocal(ctx, database.LocalConfig{Dir: a.Config.DataDir, Shared: !owner, Log: a.Log})
		if err != nil {
			return err
		}
		a.url = a.local.URL()
	}
	if a.DB, err = database.Open(ctx, a.url); err != nil {
		return err
	}
	a.limits = &limit.Limiter{DB: a.DB, Clock: a.Clock}
	if a.local != nil {
		if a.place, err = a.local.Place(); err != nil {
			return err
		}
	}
	if err := database.Migrate(ctx, a.DB, a.Log); err != nil {
		return err
	}
	return installation.Enrol(ctx, a.DB, a.place, a.Clock.Now())
}

// fetchDelay is how long a host that we fetch from has its rest between requests.
const fetchDelay = time.Second

// furnish makes the rooms and connects them.
func (a *App) furnish(opt Options) (err error) {
	if a.keys, err = a.secretKeys(); err != nil {
		return err
	}
	if a.queue, err = jobs.NewInserter(a.DB); err != nil {
		return err
	}
	a.watch()
	a.Accounts = &accounts.Store{DB: a.DB, Clock: a.Clock, Keys: a.keys}
	a.alarm = newAlarm(a.Clock, a.Log, func(ctx context.Context) error { return a.queue.Insert(ctx, a.DB, jobs.Plan{}) })
	client := fetch.NewPolite(fetch.Manners{
		Contact: cmp.Or(a.Config.FetchContact, a.Config.PublicURL), Delay: fetchDelay, Clock: a.Clock, Shared: articles.Hosts{DB: a.DB},
	}, slices.Concat(opt.Allow, a.Config.InternalHosts)...)
	a.Articles = &articles.Store{
		Changed:   a.articlesChanged,
		CheckURL:  client.Check,
		PublicURL: a.PublicURL,
	}
	a.Feeds = &feeds.Store{Articles: a.Articles, CheckURL: client.Check, Digest: organisationDigest}
	a.poller = &sources.Poller{DB: a.DB, Store: a.Articles, Fetch: client}
	a.Planner = &edition.Planner{Clock: a.Clock, Languages: a.Templates}
	a.Composer = &compose.Composer{DB: a.DB, Templates: dresser{a.Templates, a.Log}, Articles: a.Articles, Keys: a.keys, PublicURL: a.PublicURL()}
	a.tally = &destination.Tally{DB: a.DB, Log: a.Log}
	a.furnishSigning()
	return a.furnishBounces()
}

// secretKeys returns the ring of secret keys. On a private Postgres the first start makes one and keeps it beside the database,
// because links in mails already sent must go on working.
func (a *App) secretKeys() (token.Keys, error) {
	if len(a.Config.SecretKey) > 0 {
		return token.NewKeys(a.Config.SecretKey...)
	}
	if a.local == nil {
		return nil, nil
	}
	path := filepath.Join(a.Config.DataDir, "secret.key")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = makeSecretKey(path)
	}
	if err != nil {
		return nil, errs.New(errs.Invalid, "the secret key: %w", err)
	}
	return token.NewKeys(strings.TrimSpace(string(content)))
}

// makeSecretKey writes a new key, whole or not at all; of two processes that do so at once both get the first one's.
func makeSecretKey(path string) ([]byte, error) {
	key := []byte(hex.EncodeToString(randomBytes(32)) + "\n")
	draft, err := os.CreateTemp(filepath.Dir(path), "secret.key.*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.Write(key)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// PublicURL returns where readers reach the program, without a slash at its end: what was set, else the address listened on.
func (a *App) PublicURL() string {
	if a.Config.PublicURL != "" {
		return a.Config.PublicURL
	}
	host, port, _ := net.SplitHostPort(a.Config.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Stopping returns what is closed when the web stops: answers that would go on for long end then, and whoever asked asks again.
func (a *App) Stopping() <-chan struct{} { return a.stopping }

// Close lets the database go and stops the private one if this process holds it.
func (a *App) Close(ctx context.Context) error {
	var failed error
	if a.poller != nil {
		a.poller.Fetch.Close()
	}
	if a.DB != nil {
		failed = errors.Join(a.limits.GiveBack(ctx), a.DB.Close())
	}
	if a.local != nil {
		failed = errors.Join(failed, a.local.Stop(ctx))
	}
	return failed
}
