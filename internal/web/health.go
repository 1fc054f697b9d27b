package web

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"silkpost/internal/installation"
)

// healthz says that the process answers.
func (s *site) healthz(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// installation proves to who asks from the same database that it is that which answers here.
func (s *site) installation(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex")
	answer, err := installation.Reply(r.Context(), s.DB, s.Keys, r.URL.Query().Get(installation.Query))
	if err != nil {
		s.Log.WarnContext(r.Context(), "nobody can be told which database this is", slog.Any("error", err))
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a client that went away is no fault
}

// readyz says whether requests can be served: whether the database answers.
func (s *site) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.DB.PingContext(ctx); err != nil {
		s.Log.WarnContext(ctx, "not ready", slog.Any("error", err))
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}
