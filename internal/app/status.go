package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/installation"
	"silkpost/mailer/bounce"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/notice"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// Status is how things stand: the newest editions, each with its deliveries, all deliveries there are, how many workers send, how
// the sources' polls and telling the hubs go, and the notices.
type Status struct {
	Editions   []EditionStatus `json:"editions"`
	Deliveries ledger.Counts   `json:"deliveries"`
	Workers    int             `json:"workers"`
	Sources    []SourceStatus  `json:"sources"`
	Outrun     []string        `json:"outrun_edits"` // slugs of articles whose source gives something else since an editor wrote over it
	Hubs       []feeds.Hub     `json:"hubs"`
	Unreached  []string        `json:"unreached_organisations"` // names of those of which nobody can be reached
	Notices    NoticeStatus    `json:"notices"`
	Held       string          `json:"held"` // why nothing is sent until the database is adopted; "": it is not held
	Bounces    BounceStatus    `json:"bounces"`
	Paused     []PausedStatus  `json:"paused_destinations"`
	Stopped    []StoppedStatus `json:"paused_lists"`
	Limits     []LimitStatus   `json:"limits"`
	Floor      FloorStatus     `json:"floor"`
	Locked     []LockedKey     `json:"locked_dkim_keys"`   // nothing is sent from their domains
	Database   string          `json:"database,omitempty"` // URL of the private Postgres, which holds no secret; "": another one is used
}

// FloorStatus says which deliveries are not kept any more but for their counts.
type FloorStatus struct {
	Month *string    `json:"kept_from"`      // the first month of which deliveries are kept, as 2026-01; null: all are
	Rose  *time.Time `json:"rose_at"`        // when older ones were last dropped
	Until *time.Time `json:"articles_until"` // articles that came by then are never planned again
}

func floorStatus(ctx context.Context, h database.Handle) (s FloorStatus, err error) {
	floor, err := ledger.FloorOf(ctx, h)
	if err != nil || floor.Arrived == nil {
		return s, err
	}
	month := floor.Month().Format("2006-01")
	return FloorStatus{Month: &month, Rose: floor.RoseAt, Until: floor.Arrived}, nil
}

// BounceStatus is what came back within thirty days, how it comes back, and what waits for a person.
type BounceStatus struct {
	ledger.BounceCounts
	Inbox   int             `json:"inbox"`   // mails that were not understood: see silkpost inbox list
	Channel *bounce.Channel `json:"channel"` // null: bounces do not come to us
}

// PausedStatus is a destination that does not want our mail for now, and what it said.
type PausedStatus struct {
	Destination string    `json:"destination"`
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"` // zero: until somebody resumes it
	ByHand      bool      `json:"by_hand"`
	Kind        string    `json:"kind"` // blocked, not authenticated, throttled; "" when it was paused by hand alone
	Code        int       `json:"code"`
	Reply       string    `json:"reply"`
}

// StoppedStatus is a list of which nothing is sent until somebody resumes it.
type StoppedStatus struct {
	List  string    `json:"list"` // slug; "": every list
	Since time.Time `json:"since"`
}

// stoppedStatus returns what is paused by hand, everything first.
func (a *App) stoppedStatus(ctx context.Context, h database.Handle) (shown []StoppedStatus, err error) {
	all, err := edition.Pauses(ctx, h)
	if err != nil || len(all) == 0 {
		return []StoppedStatus{}, err
	}
	slugs, err := listSlugs(ctx, h)
	for _, p := range all {
		shown = append(shown, StoppedStatus{List: slugs[p.ListID], Since: p.At})
	}
	return shown, err
}

// LimitStatus is a declared limit with how far it is used, for each relay, destination or sender that it is about, and what waits under it.
type LimitStatus struct {
	limit.Use
	Waiting []ledger.Line `json:"waiting"`
}

func (a *App) limitStatus(ctx context.Context, h database.Handle) (shown []LimitStatus, err error) {
	uses, err := limit.Uses(ctx, h, a.Clock.Now())
	if err != nil || len(uses) == 0 {
		return []LimitStatus{}, err
	}
	lines, err := ledger.Lines(ctx, h, a.Clock.Now())
	for _, u := range uses {
		s := LimitStatus{Use: u, Waiting: []ledger.Line{}}
		for _, l := range lines {
			if l.Limit == u.Name && l.About == u.About {
				s.Waiting = append(s.Waiting, l)
			}
		}
		shown = append(shown, s)
	}
	return shown, err
}

// bouncesOf is for how long bounces are counted.
const bouncesOf = 30 * 24 * time.Hour

func (a *App) bounceStatus(ctx context.Context, h database.Handle) (s BounceStatus, err error) {
	if s.BounceCounts, err = ledger.CountBounces(ctx, h, a.Clock.Now().Add(-bouncesOf)); err != nil {
		return s, err
	}
	if s.Inbox, err = bounce.Waiting(ctx, h); err != nil || a.Config.BounceDomain == "" {
		return s, err
	}
	channel, err := bounce.ChannelOf(ctx, h, a.Config.BounceDomain)
	s.Channel = &channel
	return s, err
}

func (a *App) pausedStatus(ctx context.Context, h database.Handle) ([]PausedStatus, error) {
	all, err := ledger.Paused(ctx, h, a.Clock.Now())
	shown := make([]PausedStatus, len(all))
	for i, d := range all {
		shown[i] = PausedStatus{Destination: d.Name, Since: d.PausedAt, Until: d.PausedUntil, ByHand: d.ByHand, Kind: d.Kind, Code: d.Code, Reply: d.Reply}
		if d.ByHand {
			shown[i].Until = time.Time{}
		}
	}
	return shown, err
}

// SourceStatus is a source with how its polls went.
type SourceStatus struct {
	Slug       string     `json:"slug"`
	Kind       string     `json:"kind"`
	URL        string     `json:"url"`
	PolledAt   *time.Time `json:"polled_at"`    // the last poll that went well; nil: none did yet
	NextPollAt *time.Time `json:"next_poll_at"` // nil: never polled by itself
	Failures   int        `json:"failures"`     // polls in a row that failed
	Failure    string     `json:"failure"`      // why the last one did; "" when it went well
	MovedURL   string     `json:"moved_url"`    // where the server says that it is from now on; "": where it is declared
	PausedAt   *time.Time `json:"paused_at"`    // it is not polled by itself since; nil: it is
	articles.Health
	Warnings []string `json:"warnings"` // what a person should look at, in plain words
}

// NoticeStatus counts the notices (mails that confirm, welcome and tell of a changed address) by state and has those in trouble.
type NoticeStatus struct {
	ledger.Counts
	Bounced  int             `json:"bounced"`  // within thirty days
	Troubled []NoticeTrouble `json:"troubled"` // the latest
}

// NoticeTrouble is a notice that was not sent yet, or at all.
type NoticeTrouble struct {
	Kind         notice.Kind  `json:"kind"`
	Subscription int64        `json:"subscription"`
	State        notice.State `json:"state"`
	Attempts     int          `json:"attempts"`
	At           *time.Time   `json:"at"`   // of the last attempt
	Code         int          `json:"code"` // of the last reply; 0: none came
	Reply        string       `json:"reply"`
}

// troubledNotices is how many notices in trouble a status shows.
const troubledNotices = 10

// EditionStatus is an edition with its deliveries by state.
type EditionStatus struct {
	edition.Edition
	Deliveries ledger.Counts `json:"deliveries"`
	Stopped    bool          `json:"stopped"` // it should go out, and is paused, or its list is, or everything
}

// statusEditions is how many editions a status shows.
const statusEditions = 50

// Status reads all of it in one snapshot, so that the numbers agree.
func (a *App) Status(ctx context.Context) (s Status, err error) {
	if a.local != nil {
		s.Database = a.local.URL()
	}
	err = a.snapshot(ctx, func(h database.Handle) error {
		editions, err := edition.Latest(ctx, h, statusEditions)
		if err != nil {
			return err
		}
		if s.Editions, err = a.withDeliveries(ctx, h, editions); err != nil {
			return err
		}
		if s.Deliveries, err = ledger.Count(ctx, h); err != nil {
			return err
		}
		if s.Workers, err = ledger.Senders(ctx, h, a.Clock.Now()); err != nil {
			return err
		}
		if s.Sources, err = a.sourceStatus(ctx, h); err != nil {
			return err
		}
		if s.Outrun, err = a.Articles.OutrunEdits(ctx, h); err != nil {
			return err
		}
		if s.Hubs, err = a.Feeds.HubStates(ctx, h); err != nil {
			return err
		}
		s.Unreached, err = subscribers.Unreachable(ctx, h)
		if err != nil {
			return err
		}
		if s.Notices, err = a.noticeStatus(ctx, h); err != nil {
			return err
		}
		standing, err := installation.Of(ctx, h)
		if err != nil {
			return err
		}
		s.Held = standing.Held
		if s.Bounces, err = a.bounceStatus(ctx, h); err != nil {
			return err
		}
		if s.Paused, err = a.pausedStatus(ctx, h); err != nil {
			return err
		}
		if s.Stopped, err = a.stoppedStatus(ctx, h); err != nil {
			return err
		}
		if s.Limits, err = a.limitStatus(ctx, h); err != nil {
			return err
		}
		if s.Floor, err = floorStatus(ctx, h); err != nil {
			return err
		}
		s.Locked, err = a.lockedKeys(ctx, h)
		return err
	})
	return s, err
}

func (a *App) noticeStatus(ctx context.Context, h database.Handle) (s NoticeStatus, err error) {
	if s.Counts, err = notice.Count(ctx, h); err != nil {
		return s, err
	}
	if s.Bounced, err = notice.Bounced(ctx, h, a.Clock.Now().Add(-bouncesOf)); err != nil {
		return s, err
	}
	troubled, err := notice.Troubled(ctx, h, troubledNotices)
	s.Troubled = make([]NoticeTrouble, len(troubled))
	for i, n := range troubled {
		s.Troubled[i] = NoticeTrouble{
			Kind: n.Kind, Subscription: n.SubscriptionID, State: n.State, Attempts: n.Attempts, At: n.SettledAt, Code: n.Code, Reply: n.Reply,
		}
	}
	return s, err
}

func (a *App) sourceStatus(ctx context.Context, h database.Handle) ([]SourceStatus, error) {
	all, err := a.Articles.Sources(ctx, h)
	if err != nil {
		return nil, err
	}
	now := a.Clock.Now()
	healths, err := a.Articles.Healths(ctx, h, now)
	shown := make([]SourceStatus, len(all))
	for i := range all {
		s, health := &all[i], healths[all[i].ID]
		shown[i] = SourceStatus{
			Slug: s.Slug, Kind: s.Kind, URL: cmp.Or(s.URL, s.Settings.Path), PolledAt: s.PolledAt, NextPollAt: s.NextPollAt, Failures: s.Failures,
			Failure: s.Failure, Health: health, Warnings: append([]string{}, health.Warnings(s, now)...),
			MovedURL: s.MovedURL, PausedAt: s.PausedAt,
		}
	}
	return shown, err
}

// snapshot runs fn in a transaction that sees the database as it is at one moment.
func (a *App) snapshot(ctx context.Context, fn func(h database.Handle) error) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (a *App) withDeliveries(ctx context.Context, h database.Handle, editions []edition.Edition) ([]EditionStatus, error) {
	ids := make([]uuid.UUID, len(editions))
	for i, e := range editions {
		ids[i] = e.ID
	}
	counts, err := ledger.CountEach(ctx, h, ids...)
	if err != nil {
		return nil, err
	}
	slugs, err := listSlugs(ctx, h)
	if err != nil {
		return nil, err
	}
	paused, err := edition.PausedLists(ctx, h)
	if err != nil {
		return nil, err
	}
	shown := make([]EditionStatus, len(editions))
	for i, e := range editions {
		e.List = slugs[e.ListID]
		goes := e.State == edition.Approved || e.State == edition.Sending
		stopped := e.Paused || slices.Contains(paused, 0) || slices.Contains(paused, e.ListID)
		shown[i] = EditionStatus{Edition: e, Deliveries: counts[e.ID], Stopped: goes && stopped}
	}
	return shown, nil
}

func listSlugs(ctx context.Context, h database.Handle) (map[int64]string, error) {
	lists, err := subscribers.Lists(ctx, h)
	slugs := make(map[int64]string, len(lists))
	for _, list := range lists {
		slugs[list.ID] = list.Slug
	}
	return slugs, err
}

// Edition returns an edition, or an error of kind errs.NotFound.
func (a *App) Edition(ctx context.Context, id uuid.UUID) (e edition.Edition, err error) {
	if e, err = edition.ByID(ctx, a.DB, id); err != nil {
		return e, err
	}
	slugs, err := listSlugs(ctx, a.DB)
	e.List = slugs[e.ListID]
	return e, err
}

// EditionStatus returns an edition with its deliveries by state, or an error of kind errs.NotFound.
func (a *App) EditionStatus(ctx context.Context, id uuid.UUID) (s EditionStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		e, err := edition.ByID(ctx, h, id)
		if err != nil {
			return err
		}
		shown, err := a.withDeliveries(ctx, h, []edition.Edition{e})
		if err == nil {
			s = shown[0]
		}
		return err
	})
	return s, err
}

// Delivery is a line of an edition's account.
type Delivery struct {
	Address   string   `json:"address"`
	State     string   `json:"state"`
	MessageID string   `json:"message_id"` // "" until its message was made
	Language  string   `json:"language"`
	Articles  []string `json:"articles"` // GUIDs in the digest's order
	Attempts  int      `json:"attempts"`
	Code      int      `json:"code"` // of the last reply; 0: none came
	Reply     string   `json:"reply"`
	QueueID   string   `json:"queue_id,omitempty"` // what the server that took it calls it, if it said so

	NotBefore time.Time  `json:"not_before"` // its hour
	SettledAt *time.Time `json:"settled_at"` // when its last outcome was known; null: there is none yet

	BouncedAt        *time.Time        `json:"bounced_at"` // null: nothing was reported of it
	BounceKind       ledger.BounceKind `json:"bounce_kind,omitempty"`
	BounceStatus     string            `json:"bounce_status,omitempty"` // enhanced status code (RFC 3463)
	BounceDiagnostic string            `json:"bounce_diagnostic,omitempty"`
}

// Tallies returns what is kept for ever of an edition whose deliveries were dropped; none when they are kept.
func (a *App) Tallies(ctx context.Context, id uuid.UUID) ([]ledger.Tally, error) {
	if _, err := a.Edition(ctx, id); err != nil {
		return nil, err
	}
	return ledger.Tallies(ctx, a.DB, id)
}

// Deliveries returns an edition's account; an error of kind errs.NotFound when there is no such edition, errs.Gone when its deliveries were dropped.
func (a *App) Deliveries(ctx context.Context, id uuid.UUID) (lines []Delivery, err error) {
	if _, err := a.Edition(ctx, id); err != nil {
		return nil, err
	}
	floor, err := ledger.FloorOf(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	if floor.Below(id) {
		return nil, errs.New(errs.Gone, "the deliveries of edition %s are not kept any more, only their counts: silkpost deliveries without --json shows them", id)
	}
	entries, err := ledger.Entries(ctx, a.DB, id)
	if err != nil {
		return nil, err
	}
	guids, err := a.GUIDs(ctx, entries)
	if err != nil {
		return nil, err
	}
	lines = make([]Delivery, len(entries))
	for i, e := range entries {
		lines[i] = Delivery{
			Address: e.Email, State: e.State, Language: e.Language, Articles: guids[i], Attempts: e.Attempts, Code: e.Code, Reply: e.Reply,
			NotBefore: e.NotBefore, SettledAt: e.SettledAt, BouncedAt: e.BouncedAt, BounceKind: e.BounceKind, BounceStatus: e.BounceStatus, BounceDiagnostic: e.BounceDiagnostic,
		}
		if e.State == string(reply.Sent) {
			lines[i].QueueID = reply.Reply{Phase: reply.Dot, Code: e.Code, Text: e.Reply}.QueueID()
		}
		if e.Sender != "" {
			lines[i].MessageID = compose.MessageID(id, e.ContactID, e.Resent, e.Sender)
		}
	}
	return lines, nil
}

// GUIDs returns, for each entry, the GUIDs of its articles in their order.
func (a *App) GUIDs(ctx context.Context, entries []ledger.Entry) ([][]string, error) {
	known := map[int64]string{}
	for _, e := range entries {
		for _, id := range e.Articles {
			known[id] = ""
		}
	}
	found, err := a.Articles.ByIDs(ctx, a.DB, slices.Collect(maps.Keys(known)))
	if err != nil {
		return nil, err
	}
	for _, article := range found {
		known[article.ID] = article.GUID
	}
	guids := make([][]string, len(entries))
	for i, e := range entries {
		guids[i] = make([]string, len(e.Articles))
		for j, id := range e.Articles {
			guids[i][j] = known[id]
		}
	}
	return guids, nil
}
