package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"silkpost/internal/app/sample"
	"silkpost/internal/errs"
	"silkpost/mailer/catcher"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// Summary is what running the main job once came to, as silkpost demo --once prints it.
type Summary struct {
	OK         bool              `json:"ok"`
	Articles   Tally             `json:"articles"`
	Contacts   Tally             `json:"contacts"`
	Feeds      []FeedSummary     `json:"feeds"`
	Editions   []edition.Edition `json:"editions"`
	Deliveries ledger.Counts     `json:"deliveries"` // of these editions
	MailDir    string            `json:"mail_dir"`   // where the catcher keeps what it caught; "" when mail went to a relay
	Steps      []Step            `json:"steps"`
}

// Tally counts what an import did.
type Tally struct {
	Imported  int `json:"imported"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
}

// FeedSummary is a feed with its addresses.
type FeedSummary struct {
	Slug  string   `json:"slug"`
	Items int      `json:"items"`
	URLs  FeedURLs `json:"urls"`
}

// Step is how long a part of the job took.
type Step struct {
	Name string `json:"name"`
	MS   int64  `json:"ms"`
}

// demoList is the list that the sample is about.
const demoList = "partners"

// Demo runs the main job once: the sample's settings, articles and partners in, feeds and digests out. Run again, it finds nothing
// new to do. Its steps begin with how long opening took, which the caller knows.
func (a *App) Demo(ctx context.Context, opening time.Duration) (s Summary, err error) {
	s.Steps = []Step{{Name: "database", MS: opening.Milliseconds()}}
	dir := filepath.Join(a.Config.DataDir, "sample")
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"settings", func() error { return a.demoSettings(ctx, dir) }},
		{"articles", func() error { return a.demoArticles(ctx, dir, &s) }},
		{"contacts", func() error { return a.demoContacts(ctx, dir, &s) }},
		{"feeds", func() error { return a.demoFeeds(ctx, &s) }},
		{"digests", func() error { return a.demoDigests(ctx, &s) }},
	} {
		begin := time.Now()
		if err := step.do(); err != nil {
			return s, err
		}
		s.Steps = append(s.Steps, Step{Name: step.name, MS: time.Since(begin).Milliseconds()})
	}
	open := s.Deliveries.Pending + s.Deliveries.InFlight + s.Deliveries.Deferred
	s.OK = s.Deliveries.Failed+s.Deliveries.InDoubt+open+s.Articles.Refused+s.Contacts.Refused == 0
	return s, nil
}

// demoSettings lays the sample's files out, to be read and changed, and applies its settings.
func (a *App) demoSettings(ctx context.Context, dir string) error {
	if err := layOut(sample.FS, dir); err != nil {
		return errs.New(errs.Invalid, "the sample files: %w", err)
	}
	file, err := os.Open(filepath.Join(dir, sample.Settings))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = a.Apply(ctx, file, file.Name(), false)
	return err
}

// layOut writes the files of a file system into a folder; those that are there already stay.
func layOut(files fs.FS, dir string) error {
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(dir, filepath.FromSlash(path))
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return errors.Join(err, file.Close())
	})
}

func (a *App) demoArticles(ctx context.Context, dir string, s *Summary) error {
	done, err := a.ImportArticles(ctx, ArticleImport{Paths: []string{filepath.Join(dir, sample.Articles)}})
	s.Articles = Tally{Imported: done.Added + done.Changed, Unchanged: done.Unchanged, Refused: len(done.Refused)}
	return err
}

func (a *App) demoContacts(ctx context.Context, dir string, s *Summary) error {
	file, err := os.Open(filepath.Join(dir, sample.Partners))
	if err != nil {
		return err
	}
	defer file.Close()
	done, err := a.ImportContacts(ctx, file, subscribers.ImportOptions{List: demoList, Consent: sample.Consent})
	s.Contacts = Tally{Imported: done.Imported + done.Changed, Unchanged: done.Unchanged, Refused: done.Refused}
	return err
}

func (a *App) demoFeeds(ctx context.Context, s *Summary) error {
	listed, err := a.Feeds.List(ctx, a.DB)
	for _, f := range listed {
		s.Feeds = append(s.Feeds, FeedSummary{Slug: f.Slug, Items: f.Items(), URLs: a.feedURLs(f.Slug)})
	}
	return err
}

func (a *App) demoDigests(ctx context.Context, s *Summary) error {
	sent, err := a.SendDigest(ctx, SendOptions{List: demoList, Approve: true, Wait: true})
	s.Editions, s.Deliveries = sent.Editions, sent.Deliveries
	return err
}

// Catch starts the built-in mail catcher and makes it the relay. It keeps mail in the data directory until stop is called, which
// must come after everything that sends has ended.
func (a *App) Catch(ctx context.Context) (c *catcher.Catcher, dir string, stop func(), err error) {
	dir = filepath.Join(a.Config.DataDir, "mail")
	if c, err = catcher.New(catcher.Config{Dir: dir, Logger: a.Log, Clock: a.Clock}); err != nil {
		return nil, "", nil, err
	}
	ln, err := net.Listen("tcp", a.Config.CatcherListen)
	if err != nil {
		return nil, "", nil, errs.New(errs.Invalid, "the mail catcher cannot listen on %s: %w; set SILKPOST_CATCHER_LISTEN", a.Config.CatcherListen, err)
	}
	address := ln.Addr().(*net.TCPAddr)
	a.relay = &send.Relay{Host: address.IP.String(), Port: address.Port, TLS: send.None}
	catching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- c.Serve(catching, ln) }()
	return c, dir, func() {
		cancel()
		if err := <-done; err != nil {
			a.Log.ErrorContext(ctx, "the mail catcher ended", slog.Any("error", err))
		}
	}, nil
}
