package feeds

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// privatePath is where the private feeds are below /feeds/.
const privatePath = "p"

// Digest is what an organisation gets of a list.
type Digest struct {
	Title     database.StringMap
	Selection articles.Selection
	Topics    []string // sections or tags that one of an article's versions must have; none: all
	Languages []string // each article comes in the first of these that it is in
}

// Private is a feed of one organisation: what a list sends it, in its languages. Who knows its token can read it.
type Private struct {
	ID             int64      `db:"id"`
	OrganisationID int64      `db:"organisation_id"`
	ListID         int64      `db:"list_id"`
	CreatedAt      time.Time  `db:"created_at"`
	RevokedAt      *time.Time `db:"revoked_at"` // nil: served
}

// MakePrivate makes a private feed and returns it with its token, which is not kept and cannot be told again.
func (s *Store) MakePrivate(ctx context.Context, h database.Handle, organisation, list int64, now time.Time) (p Private, token string, err error) {
	token = rand.Text()
	err = h.GetContext(ctx, &p, `
		INSERT INTO feeds.private (token_hash, organisation_id, list_id, created_at) VALUES ($1, $2, $3, $4)
		RETURNING `+privateColumns, tokenHash(token), organisation, list, now)
	return p, token, err
}

const privateColumns = `id, organisation_id, list_id, created_at, revoked_at`

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Privates returns the private feeds, revoked ones too, oldest first.
func (s *Store) Privates(ctx context.Context, h database.Handle) (all []Private, err error) {
	err = h.SelectContext(ctx, &all, `SELECT `+privateColumns+` FROM feeds.private ORDER BY id`)
	return all, err
}

// Revoke ends a private feed for ever: from the next request on its address says that it is gone. It returns the feed; the date of a
// feed that was revoked before stays. An unknown one is NotFound.
func (s *Store) Revoke(ctx context.Context, h database.Handle, id int64, now time.Time) (p Private, err error) {
	err = h.GetContext(ctx, &p, `
		UPDATE feeds.private SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING `+privateColumns, id, now)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errs.New(errs.NotFound, "there is no private feed %d: silkpost feed list --private shows those there are", id)
	}
	return p, err
}

// PrivateURL returns the address of a private feed in a format.
func PrivateURL(publicURL, token string, format Format) string {
	return URL(publicURL, PrivatePath(token), format)
}

// PrivatePath returns where a private feed is below /feeds/, without the extension.
func PrivatePath(token string) string { return privatePath + "/" + token }

// loadPrivate renders the private feed of a token. Nothing of it is kept between requests but its items, which it shares with other
// feeds.
func (l loader) loadPrivate(ctx context.Context, db *sqlx.DB, token string, format Format) (doc Document, err error) {
	err = snapshot(ctx, db, func(tx *sqlx.Tx) error {
		frame, positions, err := l.layPrivate(ctx, tx, token)
		if err == nil {
			doc, err = l.render(ctx, tx, &frame, positions, format)
		}
		return err
	})
	return doc, err
}

// PrivateContents returns what the private feed of a token holds. An unknown token is NotFound, a revoked one Gone.
func (s *Store) PrivateContents(ctx context.Context, db *sqlx.DB, token string) (Contents, error) {
	return s.contents(ctx, db, func(h database.Handle) (Frame, []articles.Position, error) { return s.layPrivate(ctx, h, token) })
}

// layPrivate lays out the private feed of a token.
func (s *Store) layPrivate(ctx context.Context, h database.Handle, token string) (frame Frame, _ []articles.Position, err error) {
	var p Private
	err = h.GetContext(ctx, &p, `SELECT `+privateColumns+` FROM feeds.private WHERE token_hash = $1`, tokenHash(token))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return frame, nil, errs.New(errs.NotFound, "there is no private feed at this address")
	case err != nil:
		return frame, nil, err
	case p.RevokedAt != nil:
		return frame, nil, errs.New(errs.Gone, "this private feed was revoked")
	}
	digest, err := s.Digest(ctx, h, p.OrganisationID, p.ListID)
	if err != nil {
		return frame, nil, err
	}
	frame = Frame{Path: PrivatePath(token), Feed: Feed{
		Slug:  fmt.Sprintf("private/%d-%d", p.OrganisationID, p.ListID), // its id is not that of its token, nor of any slug
		Title: digest.Title, Content: Full, Limit: defaultLimit,
	}}
	positions, err := s.Articles.Chosen(ctx, h, digest.Selection, digest.Topics, digest.Languages, defaultLimit)
	if err != nil {
		return frame, nil, err
	}
	var oldest articles.Place // what is older would not be in the document
	if len(positions) == defaultLimit {
		oldest = positions[len(positions)-1].Place()
	}
	gone, err := s.Articles.Withdrawn(ctx, h, digest.Selection, digest.Languages, oldest, defaultLimit)
	return frame, append(positions, gone...), err
}
