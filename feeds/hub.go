package feeds

import (
	"context"
	"net/url"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Hub is a WebSub hub: a service that subscribers ask to be sent what changes, and that we tell when something did.
type Hub struct {
	URL      string     `db:"url" json:"url"`
	ToldAt   *time.Time `db:"told_at" json:"told_at"`   // when it last was told of everything; nil: it never was
	Waiting  int        `db:"waiting" json:"waiting"`   // feeds in service that were touched since
	Failures int        `db:"failures" json:"failures"` // in a row
	Failure  string     `db:"failure" json:"failure"`   // why the last one was; "" when there was none since
}

// Hubs returns the addresses of the hubs, in the order of their bytes.
func (s *Store) Hubs(ctx context.Context, h database.Handle) (urls []string, err error) {
	err = h.SelectContext(ctx, &urls, `SELECT url FROM feeds.hubs ORDER BY url COLLATE "C"`)
	return urls, err
}

// HubStates returns the hubs with how telling them went, in the order of Hubs.
func (s *Store) HubStates(ctx context.Context, h database.Handle) (all []Hub, err error) {
	defer errs.Wrap(&err, "feeds.HubStates")
	all = []Hub{}
	err = h.SelectContext(ctx, &all, `
		SELECT url, told_at, failures, failure,
		       (SELECT count(*) FROM feeds.feeds f WHERE f.version > hubs.told AND f.removed_at IS NULL) AS waiting
		FROM feeds.hubs ORDER BY url COLLATE "C"`)
	return all, err
}

// Generation returns how often feeds were touched. It rises with every change of what a feed says, and in the order in which changes
// are committed.
func (s *Store) Generation(ctx context.Context, h database.Handle) (number int64, err error) {
	err = h.GetContext(ctx, &number, `SELECT number FROM feeds.generation`)
	return number, err
}

// AddHub makes the documents of all feeds link to a hub, which is to be told of them all. h should be a transaction. An address that
// cannot be one is Invalid.
func (s *Store) AddHub(ctx context.Context, h database.Handle, address string, now time.Time) (database.Change, error) {
	return s.changeHub(ctx, h, `INSERT INTO feeds.hubs (url) VALUES ($1) ON CONFLICT (url) DO NOTHING`, address, database.Added, now)
}

// RemoveHub takes a hub away: documents no longer link to it, and it is told nothing any more. One that is not there is Unchanged. h
// should be a transaction.
func (s *Store) RemoveHub(ctx context.Context, h database.Handle, address string, now time.Time) (database.Change, error) {
	return s.changeHub(ctx, h, `DELETE FROM feeds.hubs WHERE url = $1`, address, database.Removed, now)
}

func (s *Store) changeHub(
	ctx context.Context, h database.Handle, query, address string, change database.Change, now time.Time,
) (_ database.Change, err error) {
	defer errs.Wrap(&err, "hub %q", redacted(address))
	hub, err := s.hubURL(address)
	if err != nil {
		return "", err
	}
	if err := lock(ctx, h); err != nil {
		return "", err
	}
	done, err := h.ExecContext(ctx, query, hub)
	if err != nil {
		return "", err
	}
	if rows, err := done.RowsAffected(); err != nil || rows == 0 {
		return database.Unchanged, err
	}
	_, err = h.ExecContext(ctx, `
		WITH next AS (
			UPDATE feeds.generation SET number = number + 1 RETURNING number, pg_notify($1, '')
		)
		UPDATE feeds.feeds f SET version = next.number, changed_at = `+changedAt+` FROM next`, Channel, now)
	return change, err
}

// redacted returns an address without the password in it.
func redacted(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return address
}

// hubURL returns the one form in which a hub's address is kept and published.
func (s *Store) hubURL(given string) (string, error) {
	if s.CheckURL != nil {
		if err := s.CheckURL(given); err != nil {
			return "", err
		}
	}
	u, err := url.Parse(strings.TrimSpace(given))
	switch {
	case err != nil || u.Host == "":
		return "", errs.New(errs.Invalid, "it is not a web address")
	case u.User != nil:
		return "", errs.New(errs.Invalid, "it holds a user or password, which every document would tell: use an address without")
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
		return "", errs.New(errs.Invalid, "write the host's name in ASCII, as it is looked up (xn--…)")
	}
	u.Host, u.Fragment, u.RawFragment = strings.ToLower(u.Host), "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return address(u.String()), nil
}
