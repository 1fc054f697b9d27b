package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/web/admin"
	"silkpost/internal/web/api"
	"silkpost/mailer/catcher"
)

type demoCmd struct {
	webFlags
	Once bool `help:"Run the main job once, print a summary as JSON, and exit."`
}

// mailPath is where the demo shows what its mail catcher caught.
const mailPath = "/mail"

func (c *demoCmd) Run(e *env) error {
	cfg, err := e.settings(c.Listen)
	if err != nil {
		return err
	}
	cfg.LogLevel = cmp.Or(cfg.LogLevel, "warn") // leave the screen to the addresses
	begin := time.Now()
	return e.with(cfg, app.Options{Owner: true}, func(ctx context.Context, a *app.App) error {
		opening := time.Since(begin)
		if c.Once {
			return c.once(ctx, e, a, opening)
		}
		return c.stay(ctx, e, a, opening)
	})
}

// once runs the main job and says what it came to.
func (c *demoCmd) once(ctx context.Context, e *env, a *app.App, opening time.Duration) error {
	a.Config.PublicURL = a.PublicURL()
	dir, _, stop, err := c.catch(ctx, a)
	if err != nil {
		return err
	}
	defer stop()
	summary, err := a.Demo(ctx, opening)
	if err != nil {
		return err
	}
	summary.MailDir = dir
	if err := printJSON(e.stdout, summary); err != nil {
		return err
	}
	if !summary.OK {
		return errors.New("the demo did not go well: see the counts above")
	}
	return nil
}

// catch starts the mail catcher, unless a relay was set.
func (c *demoCmd) catch(ctx context.Context, a *app.App) (dir string, caught *catcher.Catcher, stop func(), err error) {
	if a.Config.SMTPURL != "" {
		return "", nil, func() {}, nil
	}
	caught, dir, stop, err = a.Catch(ctx)
	return dir, caught, stop, err
}

// stay runs the main job, then the web and the worker until it is told to stop.
func (c *demoCmd) stay(ctx context.Context, e *env, a *app.App, opening time.Duration) error {
	listener, err := c.listen(a)
	if err != nil {
		return err
	}
	dir, caught, stop, err := c.catch(ctx, a)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stop()
	summary, err := a.Demo(ctx, opening)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	parts := app.Parts{Web: listener, Worker: true}
	if parts.Admin, err = admin.New(admin.Config{App: a, Plain: true}); err != nil {
		return errors.Join(err, listener.Close())
	}
	if parts.API, err = api.New(api.Config{App: a}); err != nil {
		return errors.Join(err, listener.Close())
	}
	if caught != nil {
		parts.Extra = caught.Handler(a.Templates, mailPath)
	}
	link, err := a.DemoLink(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	running := make(chan error, 1)
	go func() { running <- a.Run(ctx, parts) }()
	c.tell(e, a, summary, dir, caught, link)
	return <-running
}

// listen opens the address that was set. The usual one may be taken; then any other will do for a demo.
func (c *demoCmd) listen(a *app.App) (net.Listener, error) {
	listener, err := a.Listen()
	if err != nil && a.Config.Listen == config.Defaults().Listen {
		a.Config.Listen = "127.0.0.1:0"
		listener, err = a.Listen()
	}
	if err == nil {
		a.Config.PublicURL = a.PublicURL()
	}
	return listener, err
}

// whatHappened says in a line what the main job came to.
func whatHappened(s app.Summary) string {
	if s.Articles.Imported+s.Contacts.Imported+s.Deliveries.Recipients == 0 {
		return fmt.Sprintf("%s and %s are here from before; there was nothing new to send.",
			counted(s.Articles.Unchanged, "article"), counted(s.Contacts.Unchanged, "contact"))
	}
	return fmt.Sprintf("%s and %s imported; %s sent.", counted(s.Articles.Imported, "article"),
		counted(s.Contacts.Imported, "contact"), counted(s.Deliveries.Sent, "digest"))
}

// tell prints where to look.
func (c *demoCmd) tell(e *env, a *app.App, s app.Summary, dir string, caught *catcher.Catcher, link string) {
	fmt.Fprintln(e.stdout, whatHappened(s))
	fmt.Fprintln(e.stdout)
	rows := [][]string{{"Feeds", a.PublicURL() + "/feeds/"}}
	if caught != nil {
		rows = append(rows, []string{"Digests", a.PublicURL() + mailPath + "/"})
		if mails := caught.Messages(); len(mails) > 0 {
			rows = append(rows, []string{"The newest", a.PublicURL() + mailPath + "/" + mails[len(mails)-1].ID})
		}
		rows = append(rows, []string{"Mail as files", dir})
	}
	rows = append(rows, []string{"Sample files", a.Config.DataDir + "/sample"}, []string{"Sign in, once", link})
	_ = table(e.stdout, rows...)
	fmt.Fprintln(e.stdout, "\nRunning. Ctrl-C stops it.")
}
