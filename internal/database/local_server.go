package database

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"silkpost/internal/errs"
)

const (
	uncleanWait   = 10 * time.Second // for what a killed server left behind to go away
	restartPause  = time.Second      // between failing restarts
	fastStop      = 30 * time.Second // for connections to end, before they are cut
	immediateStop = 10 * time.Second
	logLimit      = 10 << 20 // bytes of Postgres' log before it is set aside
)

// server is the running Postgres of a cluster. A goroutine of its own starts it again when it dies.
type server struct {
	cluster  cluster
	settings []string
	log      *slog.Logger
	url      string

	cancel context.CancelFunc // ends the watch
	ended  chan struct{}      // closed when the watch has ended
	last   *process           // to be read after ended
}

func startServer(ctx context.Context, c cluster, settings []string, log *slog.Logger) (*server, error) {
	s := &server{cluster: c, settings: settings, log: log, ended: make(chan struct{})}
	p, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	s.url = c.url(databaseName)
	watchCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	go s.watch(watchCtx, p)
	return s, nil
}

// watch starts the server again whenever it dies, until ctx is over.
func (s *server) watch(ctx context.Context, p *process) {
	defer close(s.ended)
	for {
		s.last = p
		select {
		case <-ctx.Done():
			return
		case <-p.exited:
		}
		s.log.WarnContext(ctx, "the database server died; starting it again", slog.Any("error", p.err))
		if p = s.restart(ctx); p == nil {
			return
		}
	}
}

// restart tries until it succeeds; it returns nil when ctx is over.
func (s *server) restart(ctx context.Context) *process {
	for {
		p, err := s.start(ctx)
		if err == nil {
			return p
		}
		if ctx.Err() != nil {
			return nil
		}
		s.log.ErrorContext(ctx, "the database server does not start", slog.Any("error", err))
		select {
		case <-time.After(restartPause):
		case <-ctx.Done():
			return nil
		}
	}
}

// start runs the server and waits until it takes work. After a crash it tries for a while: a killed server's children are ended, but may need a
// moment, and Postgres rightly refuses to start beside them.
func (s *server) start(ctx context.Context) (*process, error) {
	unclean, err := s.cluster.endOrphan(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.cluster.makeSocketDir(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(uncleanWait)
	for {
		if unclean {
			if n := s.cluster.endLeftovers(); n > 0 {
				s.log.InfoContext(ctx, "ended what a killed database server left behind", slog.Int("processes", n))
			}
		}
		p, err := s.try(ctx)
		if err == nil || !unclean || time.Now().After(deadline) || ctx.Err() != nil {
			return p, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

func (s *server) try(ctx context.Context) (*process, error) {
	logFile, err := s.cluster.openLog()
	if err != nil {
		return nil, err
	}
	defer func() { _ = logFile.Close() }()
	begin, err := logFile.Seek(0, 2)
	if err != nil {
		return nil, fmt.Errorf("read the database's log: %w", err)
	}
	cmd := s.cluster.account.command(s.cluster.dir, s.cluster.bin.postgres(), s.arguments()...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	p, err := launch(cmd)
	if err != nil {
		return nil, errs.New(errs.Unavailable, "cannot start PostgreSQL: %w", err)
	}
	for !s.cluster.ready(ctx) {
		select {
		case <-p.exited:
			return nil, s.cluster.failure(begin, p.err)
		default:
		}
		if err := pause(ctx); err != nil {
			p.signal(syscall.SIGINT)
			<-p.exited
			return nil, err
		}
	}
	return p, nil
}

// arguments keep the server off the network and in UTC. Durability is Postgres' default: all of it.
func (s *server) arguments() []string {
	settings := append([]string{
		"listen_addresses=",
		"unix_socket_directories=" + s.cluster.socketDir(),
		"unix_socket_permissions=0700",
		"port=5432",
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off",
	}, s.settings...)
	args := []string{"-D", s.cluster.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// stop ends the server: first politely, then, when connections do not end in time, at once. Even that loses nothing that was
// committed.
func (s *server) stop() error {
	s.cancel()
	<-s.ended
	defer s.cluster.removeSocketDir()
	if s.last.end(syscall.SIGINT, fastStop) {
		return nil
	}
	if !s.last.end(syscall.SIGQUIT, immediateStop) {
		s.last.signal(syscall.SIGKILL)
		<-s.last.exited
	}
	return fmt.Errorf("the database server did not stop within %s and had to be ended at once", fastStop)
}

// openLog opens Postgres' log for appending. A long one is set aside, in place of the one before.
func (c cluster) openLog() (*os.File, error) {
	if info, err := os.Lstat(c.logFile()); err == nil && info.Size() > logLimit {
		_ = os.Rename(c.logFile(), c.logFile()+".1")
	}
	// Not through a link: the directory is the server's account's, which may be less than we are.
	file, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_RDWR|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, errs.New(errs.Invalid, "cannot write the database's log: %w", err)
	}
	return file, nil
}

// failure words why the server did not start, from what it logged after begin.
func (c cluster) failure(begin int64, err error) error {
	text, readErr := os.ReadFile(c.logFile())
	if readErr != nil || int64(len(text)) < begin {
		begin, text = 0, nil
	}
	return errs.New(errs.Unavailable, "PostgreSQL did not start: %s (more in %s)", lastLine(text[begin:], fmt.Sprint(err)), c.logFile())
}
