// Command silkpost is the whole of Silkpost in one binary: it watches what an association publishes, serves it as feeds and sends
// it as digests. See README.md for its commands and settings.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // time zones are the same on every machine

	"github.com/alecthomas/kong"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/database"
)

// The exit statuses.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitTimedOut = 3
)

// errTimedOut ends a command whose --timeout has passed.
var errTimedOut = errors.New("timed out")

// cli is every command with its flags. Secrets are never flags: other users of the machine see them.
type cli struct {
	Config    string `help:"Settings file (TOML)." placeholder:"FILE" env:"SILKPOST_CONFIG" type:"path"`
	DataDir   string `help:"Where the private database and the demo's mail are kept." placeholder:"DIR"`
	PublicURL string `help:"Where readers reach this program." placeholder:"URL" name:"public-url"`
	LogFormat string `help:"text or json." placeholder:"FORMAT"`
	LogLevel  string `help:"debug, info, warn or error." placeholder:"LEVEL"`

	Demo       demoCmd       `cmd:"" help:"Run the whole product on sample data, with a mail catcher."`
	Serve      serveCmd      `cmd:"" help:"Run the web and the worker."`
	Apply      applyCmd      `cmd:"" help:"Declare sources, feeds, lists, themes, organisations, limits and hubs from a TOML file."`
	Import     importCmd     `cmd:"" help:"Import articles or contacts."`
	Source     sourceCmd     `cmd:"" help:"Find out what articles can be had from, and poll now."`
	Digest     digestCmd     `cmd:"" help:"Plan, preview, test or send digests."`
	Edition    editionCmd    `cmd:"" help:"The desk: what was and will be sent."`
	Deliveries deliveriesCmd `cmd:"" help:"The account of an edition: who got what, and what came of it."`
	Pause      pauseCmd      `cmd:"" help:"Stop sending, for a list, to a destination, or for all."`
	Resume     resumeCmd     `cmd:"" help:"Go on sending."`
	Feed       feedCmd       `cmd:"" help:"List, print, check, rename and remove feeds; make private ones."`
	Article    articleCmd    `cmd:"" help:"Withdraw, edit, mark and link articles; what they were; what waits."`
	Contact    contactCmd    `cmd:"" help:"What is held of a contact; forgetting one."`
	Inbox      inboxCmd      `cmd:"" help:"Mail that came back: bounces that are not understood, answers of people."`
	DKIM       dkimCmd       `cmd:"" name:"dkim" help:"The keys that mail is signed with."`
	Reseal     resealCmd     `cmd:"" help:"Seal DKIM keys and second factors with the first secret key, before another one is taken out of the list."`
	Suppress   suppressCmd   `cmd:"" help:"Who must not be mailed."`
	Export     exportCmd     `cmd:"" help:"Write contacts, the log of consents or suppressions to standard output."`

	Organisation organisationCmd `cmd:"" help:"The partner organisations as wholes."`
	Audience     audienceCmd     `cmd:"" help:"Count and list people by what is known of them."`

	Admin    adminCmd    `cmd:"" help:"The accounts of those who work with the pages."`
	Catch    catchCmd    `cmd:"" help:"Run the mail catcher alone."`
	Status   statusCmd   `cmd:"" help:"How things stand."`
	Doctor   doctorCmd   `cmd:"" help:"Look for what keeps mail from arriving, and say what to do about it."`
	Adopt    adoptCmd    `cmd:"" help:"Let a database send that was restored, copied or promoted."`
	Settings settingsCmd `cmd:"" name:"config" help:"Print the settings, with secrets hidden."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database's schema up to date."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs one command and returns its exit status. A failure is one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("silkpost"), kong.Writers(stdout, stderr),
		kong.Description("Turns what an association publishes into feeds and email digests for its partners."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"files_source": app.FilesSource})
	if err != nil {
		return complain(stderr, err, exitFailed)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return complain(stderr, fmt.Errorf("%w; see %s --help", err, asked(err)), exitUsage)
	}
	e := &env{ctx: ctx, stdout: stdout, stderr: stderr, logged: &groupedLines{out: stderr}, cli: &c}
	err = command.Run(e)
	_ = e.logged.Flush() // there is nowhere to tell it
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errTimedOut):
		return complain(stderr, err, exitTimedOut)
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))):
		return complain(stderr, errors.New("interrupted"), exitFailed)
	}
	return complain(stderr, err, exitFailed)
}

// asked returns the command that was meant, as far as that was understood.
func asked(err error) string {
	parsed := (*kong.ParseError)(nil)
	if !errors.As(err, &parsed) || parsed.Context.Selected() == nil {
		return "silkpost"
	}
	return parsed.Context.Selected().FullPath()
}

func complain(stderr io.Writer, err error, status int) int {
	fmt.Fprintln(stderr, "silkpost:", strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " "))
	return status
}

// env is what a command runs in.
type env struct {
	ctx            context.Context //nolint:containedctx // one value per process, handed to one command
	stdout, stderr io.Writer
	logged         *groupedLines // what the log writes, on its way to stderr
	cli            *cli
}

// webFlags are those of commands that listen.
type webFlags struct {
	Listen string `help:"Address of the web." placeholder:"ADDR"`
}

// settings reads the settings, with the flags that were given on top; listen is one of them. What of the environment looks like a
// setting and is none is logged.
func (e *env) settings(listen string) (config.Config, error) {
	flags := map[string]any{}
	for name, value := range map[string]string{
		"data_dir": e.cli.DataDir, "listen": listen, "public_url": e.cli.PublicURL, "log_format": e.cli.LogFormat,
		"log_level": e.cli.LogLevel,
	} {
		if value != "" {
			flags[name] = value
		}
	}
	cfg, err := config.Load(e.cli.Config, os.Environ(), flags)
	if unknown := config.Unknown(os.Environ()); err == nil && len(unknown) > 0 {
		e.log(cfg).WarnContext(e.ctx, "the environment has names that are no settings", slog.String("unknown", strings.Join(unknown, ", ")),
			slog.String("settings", "SILKPOST_"+strings.ToUpper(strings.Join(config.Names(), ", SILKPOST_"))))
	}
	return cfg, err
}

// open opens the program for a command that works beside others and does its work within it.
func (e *env) open(work func(ctx context.Context, a *app.App) error) error {
	cfg, err := e.settings("")
	if err != nil {
		return err
	}
	cfg.LogLevel = cmp.Or(cfg.LogLevel, "warn") // a command answers on stdout; its log is for what is wrong
	return e.with(cfg, app.Options{}, func(ctx context.Context, a *app.App) error {
		return work(database.As(ctx, app.CommandLine, a.Clock.Now()), a)
	})
}

// with opens the program, does the work and closes the program again, whatever happened.
func (e *env) with(cfg config.Config, opt app.Options, work func(ctx context.Context, a *app.App) error) error {
	opt.Log = e.log(cfg)
	a, err := app.Open(e.ctx, cfg, opt)
	if err != nil {
		return err
	}
	err = work(e.ctx, a)
	return errors.Join(err, a.Close(context.WithoutCancel(e.ctx)))
}

// log returns the process's log, on stderr.
func (e *env) log(cfg config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cmp.Or(cfg.LogLevel, "info"))) // checked when the settings were read
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(e.logged, options))
	}
	return slog.New(slog.NewTextHandler(e.logged, options))
}
