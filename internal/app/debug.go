package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"runtime/debug"
	"time"

	"silkpost/feeds"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/metrics"
	"silkpost/mailer/ledger"
	"silkpost/mailer/notice"
)

// ListenForDebug opens the address where operators look.
func (a *App) ListenForDebug() (net.Listener, error) {
	ln, err := net.Listen("tcp", a.Config.DebugListen)
	if err != nil {
		return nil, errs.New(errs.Invalid, "cannot listen on %s: %w; choose another address with SILKPOST_DEBUG_LISTEN", a.Config.DebugListen, err)
	}
	return ln, nil
}

// serveDebug serves metrics, profiles and the debug page until ctx ends. Nothing of it is for readers: the address must not be open to them.
func (a *App) serveDebug(ctx context.Context, ln net.Listener) error {
	server := &http.Server{Handler: a.debugHandler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (a *App) debugHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /{$}", a.debugPage)
	return mux
}

// debugPage says what runs here and what else there is to see, as plain text.
func (a *App) debugPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprint(w, "Silkpost, for operators\n\n/metrics                numbers for Prometheus\n/debug/pprof/           profiles of this process\n"+
		"/debug/pprof/goroutine?debug=1\n/debug/pprof/profile?seconds=10\n\n")
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(w, "version    %s %s\n", info.Main.Version, info.GoVersion)
	}
	fmt.Fprintf(w, "goroutines %d\nprocessors %d\n\nSettings\n\n%s", runtime.NumGoroutine(), runtime.GOMAXPROCS(0), a.Config)
}

// watch lets the metrics ask what the database knows.
func (a *App) watch() { a.metrics.Watch(a.DB.DB, a.Clock.Now, a.account) }

// account reads the account for the metrics, in one snapshot.
func (a *App) account(ctx context.Context) (found metrics.Account, err error) {
	now := a.Clock.Now()
	err = a.snapshot(ctx, func(h database.Handle) error {
		deliveries, err := ledger.Count(ctx, h)
		if err != nil {
			return err
		}
		notices, err := notice.Count(ctx, h)
		if err != nil {
			return err
		}
		found.Deliveries, found.Notices = deliveries.States(), notices.States()
		if found.OldestDue, err = ledger.OldestDue(ctx, h, now); err != nil {
			return err
		}
		if found.Senders, err = ledger.Senders(ctx, h, now); err != nil {
			return err
		}
		paused, err := ledger.Paused(ctx, h, now)
		found.PausedDestinations = len(paused)
		if err != nil {
			return err
		}
		jobs, err := a.queue.Depths(ctx, h, now)
		for _, j := range jobs {
			found.Jobs = append(found.Jobs, metrics.Jobs{Queue: j.Queue, State: j.State, Count: j.Count, Oldest: j.Oldest})
		}
		return err
	})
	return found, err
}

// cacheOf is how the metrics see the cache of feeds.
func cacheOf(handler *feeds.Handler) func() metrics.Cache {
	return func() metrics.Cache { c := handler.Cache(); return metrics.Cache(c) }
}
