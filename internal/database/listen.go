package database

import (
	"context"
	"log/slog"
	"time"

	"github.com/lib/pq"
)

// How a lost connection is made again, and how often a silent one is tried.
const (
	listenAgain   = 200 * time.Millisecond // doubles up to the next
	listenAtMost  = 10 * time.Second
	listenTesting = 30 * time.Second
)

// Listen calls heard whenever somebody notifies channel in the database at rawURL, and whenever a lost connection is there again, since
// then it may have missed something. Calls come one at a time, and notifications that come during one are answered by a single
// one. It returns when ctx ends. The database need not be there: it is tried again and again, and log is told.
func Listen(ctx context.Context, rawURL, channel string, log *slog.Logger, heard func()) error {
	u, err := parseURL(rawURL)
	if err != nil {
		return err
	}
	listener := pq.NewListener(withDefaults(u).String(), listenAgain, listenAtMost, func(event pq.ListenerEventType, err error) {
		if event == pq.ListenerEventDisconnected || event == pq.ListenerEventConnectionAttemptFailed {
			log.WarnContext(ctx, "the database's notifications are lost for now", slog.String("error", reason(err)))
		}
	})
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // Listen waits for a connection, however long
	defer func() {
		stop()
		_ = listener.Close() // stop may have come before
	}()
	if err := listener.Listen(channel); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	ticker := time.NewTicker(listenTesting)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-listener.Notify:
			if !open {
				return nil
			}
			drain(listener.Notify)
			heard()
		case <-ticker.C:
			go func() { _ = listener.Ping() }() // a failure makes it connect again
		}
	}
}

func drain(waiting <-chan *pq.Notification) {
	for {
		select {
		case <-waiting:
		default:
			return
		}
	}
}
