package catcher

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"silkpost/internal/errs"
	"silkpost/templates"
)

// Command is a catcher by itself, as `silkpost catch` runs it.
type Command struct {
	Listen string // host:port for SMTP; without a host it is 127.0.0.1
	Web    string // host:port for the pages, the same way; "": no pages
	Dir    string // where messages are kept; "": they are counted, not kept
	Script string // a file for ParseScript; "": nothing fails

	Quiet bool // all mail is taken at once, counted and forgotten, and nothing is logged: see Sink. Web, Dir and Script are left empty

	Log    io.Writer // gets the log; nil: none
	Logger *slog.Logger

	// Ready is called once mail can be sent, with the addresses listened on; web is nil without Web.
	Ready func(smtp, web net.Addr)
}

// Run catches mail until ctx ends. What is wrong with a setting is told before anything is listened on.
func Run(ctx context.Context, cmd Command) error {
	if cmd.Quiet {
		return cmd.sink(ctx)
	}
	c, err := cmd.catcher()
	if err != nil {
		return err
	}
	set, err := templates.New()
	if err != nil {
		return err
	}
	smtp, err := listen(cmd.Listen, "--listen")
	if err != nil {
		return err
	}
	var pages net.Listener
	if cmd.Web != "" {
		if pages, err = listen(cmd.Web, "--web"); err != nil {
			return errors.Join(err, smtp.Close())
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.Serve(ctx, smtp) })
	if pages != nil {
		group.Go(func() error { return c.servePages(ctx, pages, set) })
	}
	if cmd.Ready != nil {
		cmd.ready(smtp, pages)
	}
	return group.Wait()
}

func (cmd Command) sink(ctx context.Context) error {
	if cmd.Web != "" || cmd.Dir != "" || cmd.Script != "" {
		return errs.New(errs.Invalid, "--quiet goes without --web, --dir and --script: nothing is kept, and nothing fails")
	}
	ln, err := listen(cmd.Listen, "--listen")
	if err != nil {
		return err
	}
	if cmd.Ready != nil {
		cmd.ready(ln, nil)
	}
	var s Sink
	err = s.Serve(ctx, ln)
	messages, bytes := s.Messages()
	cmd.Logger.InfoContext(ctx, "mail was taken", slog.Int64("messages", messages), slog.Int64("bytes", bytes))
	return err
}

func (cmd Command) catcher() (*Catcher, error) {
	cfg := Config{Dir: cmd.Dir, Log: cmd.Log, Logger: cmd.Logger}
	if cmd.Script != "" {
		f, err := os.Open(cmd.Script)
		if err != nil {
			return nil, errs.New(errs.Invalid, "script %s: %w", cmd.Script, cause(err))
		}
		defer f.Close()
		if cfg.Script, err = ParseScript(f); err != nil {
			return nil, errs.New(errs.Invalid, "%s: %w", cmd.Script, err)
		}
	}
	return New(cfg)
}

func (cmd Command) ready(smtp, pages net.Listener) {
	if pages == nil {
		cmd.Ready(smtp.Addr(), nil)
		return
	}
	cmd.Ready(smtp.Addr(), pages.Addr())
}

// listen listens on loopback unless the address names a host.
func listen(addr, flag string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%s %q: write it as host:port, such as 127.0.0.1:2525", flag, addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, errs.New(errs.Unavailable, "%s %s: cannot listen there: %w; choose another address", flag, addr, err)
	}
	return ln, nil
}

// servePages serves the pages at / until ctx ends.
func (c *Catcher) servePages(ctx context.Context, ln net.Listener, set *templates.Set) error {
	mux := http.NewServeMux()
	mux.Handle("GET "+templates.StaticPrefix, set.StaticHandler())
	mux.Handle("/", c.Handler(set, ""))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
