package main

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/web/admin"
	"silkpost/internal/web/api"
)

type serveCmd struct {
	webFlags
	Web    bool `help:"Serve pages and feeds." default:"true" negatable:""`
	Worker bool `help:"Plan, poll and send." default:"true" negatable:""`
}

// Validate refuses what makes no sense, before anything is opened.
func (c *serveCmd) Validate() error {
	if !c.Web && !c.Worker {
		return errors.New("nothing to do: leave out --web=false or --worker=false")
	}
	return nil
}

func (c *serveCmd) Run(e *env) error {
	cfg, err := e.settings(c.Listen)
	if err != nil {
		return err
	}
	switch {
	case cfg.PublicURL == "":
		return errs.New(errs.Invalid, "no public URL is set: set SILKPOST_PUBLIC_URL, such as https://news.example.org")
	case c.Worker && cfg.SMTPURL == "":
		return errs.New(errs.Invalid, "no SMTP relay is set: set SILKPOST_SMTP_URL, such as smtp://user:password@mail.example.org:587")
	}
	return e.with(cfg, app.Options{Owner: true, AskPublicURL: true, LookupMX: net.DefaultResolver.LookupMX}, func(ctx context.Context, a *app.App) error {
		parts := app.Parts{Worker: c.Worker}
		if c.Worker && cfg.BounceListen != "" {
			if parts.Bounces, err = a.ListenForBounces(); err != nil {
				return err
			}
		}
		if cfg.DebugListen != "" {
			if parts.Debug, err = a.ListenForDebug(); err != nil {
				return err
			}
		}
		if c.Web {
			if parts.Web, err = a.Listen(); err != nil {
				return err
			}
			if parts.Admin, err = admin.New(admin.Config{App: a}); err != nil {
				return errors.Join(err, parts.Web.Close())
			}
			if parts.API, err = api.New(api.Config{App: a}); err != nil {
				return errors.Join(err, parts.Web.Close())
			}
		}
		if err := a.WarnAboutLists(ctx); err != nil {
			return err
		}
		a.Log.InfoContext(ctx, "silkpost is running", slog.String("listen", a.Config.Listen), slog.String("public_url", a.PublicURL()), slog.Any("web", c.Web), slog.Any("worker", c.Worker))
		return a.Run(ctx, parts)
	})
}
