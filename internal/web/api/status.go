package api

import (
	"context"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/installation"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
)

// Status is how things stand, for monitors.
type Status struct {
	Held     string         `json:"held" doc:"Why nothing is sent until the database is adopted; empty: it is not held."`
	Workers  int            `json:"workers" doc:"Processes that send."`
	Editions EditionsStatus `json:"editions" doc:"Of the key's own lists, where it is confined to some."`
	Sources  []SourceStatus `json:"sources" doc:"Those whose last poll failed."`
	Paused   []PausedStatus `json:"paused_destinations" doc:"Those that do not want our mail for now."`
}

// EditionsStatus are the editions that are not finished, by what they wait for.
type EditionsStatus struct {
	Review   int `json:"review"`
	Approved int `json:"approved"`
	Sending  int `json:"sending"`
	Held     int `json:"held"`
}

// SourceStatus is a source that could not be polled.
type SourceStatus struct {
	Slug     string `json:"slug"`
	Failures int    `json:"failures" doc:"In a row."`
	Failure  string `json:"failure" doc:"Why the last one was."`
}

// PausedStatus is a destination that does not want our mail for now.
type PausedStatus struct {
	Destination string    `json:"destination"`
	Since       time.Time `json:"since"`
	Kind        string    `json:"kind"`
	Reply       string    `json:"reply"`
}

func (s *site) statusOperations() []operation {
	return []operation{{
		id: "get-status", on: "GET /status", needs: accounts.Read, group: "status", title: "See how things stand", register: does(s, s.status),
	}}
}

func (s *site) status(ctx context.Context, _ *struct{}) (*Record[Status], error) {
	db, now := s.App.DB, s.App.Clock.Now()
	out := Status{Sources: []SourceStatus{}, Paused: []PausedStatus{}}
	standing, err := installation.Of(ctx, db)
	if err != nil {
		return nil, err
	}
	out.Held = standing.Held
	if out.Workers, err = ledger.Senders(ctx, db, now); err != nil {
		return nil, err
	}
	counts, err := edition.CountOpen(ctx, db, actorOf(ctx).Lists)
	if err != nil {
		return nil, err
	}
	out.Editions = EditionsStatus{
		Review: counts[edition.Review], Approved: counts[edition.Approved], Sending: counts[edition.Sending], Held: counts[edition.Held],
	}
	sources, err := s.App.Articles.Sources(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		if source.Failures > 0 {
			out.Sources = append(out.Sources, SourceStatus{source.Slug, source.Failures, source.Failure})
		}
	}
	paused, err := ledger.Paused(ctx, db, now)
	for _, d := range paused {
		out.Paused = append(out.Paused, PausedStatus{d.Name, d.PausedAt.UTC(), d.Kind, d.Reply})
	}
	if err != nil {
		return nil, err
	}
	return record(out)
}
