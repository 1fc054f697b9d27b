package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"silkpost/internal/errs"
	"silkpost/templates/adminpage"
)

const (
	// beat is how often something is sent when there is nothing to say, so that nothing on the way takes the connection for dead.
	beat = 15 * time.Second
	// longest is how long a stream goes on: a browser that asks again is asked again who it is.
	longest = 5 * time.Minute
	// slowest is how long a browser may take to read one event.
	slowest = 10 * time.Second
	// streamsEach is how many streams one session may have open: a browser has six connections to a host over HTTP/1.1.
	streamsEach = 4
)

// streams counts the open streams of each session.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// enter takes one of a session's streams, and reports whether there was one left.
func (s *streams) enter(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]int{}
	}
	if s.open[session] >= streamsEach {
		return false
	}
	s.open[session]++
	return true
}

func (s *streams) leave(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[session]--; s.open[session] <= 0 {
		delete(s.open, session)
	}
}

// stream answers with server-sent events (the HTML standard, section 9.2) until f returns, the browser goes away, the program stops or five minutes
// have passed; f's context ends with the latter three. send sends one event; data becomes JSON, and a string takes the place of what is in the page's elements with data-live of the
// event's name (see admin.js and liven). When f returns nil the browser is told that this was the end; otherwise it asks again after some seconds.
// What f returns once the stream has begun is for the log alone.
func (s *site) stream(v *visit, f func(ctx context.Context, send func(event string, data any) error) error) (adminpage.Page, error) {
	session := v.actor.Session + " " + v.actor.Name
	if !s.streams.enter(session) {
		return nil, errs.New(errs.Unavailable, "too many pages are followed at once: close some")
	}
	defer s.streams.leave(session)
	v.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	v.w.Header().Set("X-Accel-Buffering", "no") // for proxies that would keep events back
	ctx, cancel := context.WithCancel(v.Context())
	defer cancel()
	events := &eventWriter{w: v.w, control: http.NewResponseController(v.w)}
	if err := events.write("retry: 3000\n\n"); err != nil {
		return nil, nil // who asked went away
	}
	go s.keepOpen(ctx, cancel, events)
	err := f(ctx, events.send)
	cancel()
	switch {
	case err == nil:
		_ = events.send("end", nil)
	case v.Context().Err() == nil && !errors.Is(err, context.Canceled) && !errors.Is(err, errGone):
		s.log.WarnContext(v.Context(), "a stream ended early", slog.String("pattern", v.Pattern), slog.Any("error", err))
	}
	events.close()
	return nil, nil
}

// keepOpen sends something now and then until ctx ends, and ends it when the browser is gone or the program stops.
func (s *site) keepOpen(ctx context.Context, cancel func(), events *eventWriter) {
	defer cancel()
	pause := time.NewTicker(beat)
	defer pause.Stop()
	enough := time.NewTimer(longest)
	defer enough.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.App.Stopping():
			return
		case <-enough.C:
			return
		case <-pause.C:
			if events.write(": still here\n\n") != nil {
				return
			}
		}
	}
}

// errGone says that who followed a stream does not read it any more.
var errGone = errors.New("the browser went away")

// eventWriter writes events one after the other, whoever sends them.
type eventWriter struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	closed  bool
}

func (e *eventWriter) send(event string, data any) error {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	if err := encoder.Encode(data); err != nil {
		return err
	}
	return e.write(fmt.Sprintf("event: %s\ndata: %s\n\n", event, bytes.TrimSpace(content.Bytes())))
}

// write writes a finished event at once. The server's own limit for a whole answer does not hold; this one event has its own.
func (e *eventWriter) write(event string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errGone
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(slowest)) // where it is not supported there is none
	if _, err := e.w.Write([]byte(event)); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// close waits for what is being written; nothing is written afterwards.
func (e *eventWriter) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}

// liven returns what a template that the page's file defines makes of a page, to be sent as the data of an event with send.
func (s *site) liven(v *visit, page adminpage.Page, part string) (string, error) {
	var b bytes.Buffer
	err := s.pages.WritePart(&b, s.frame(v, page), part)
	return b.String(), err
}
