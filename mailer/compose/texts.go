package compose

import (
	"context"

	"silkpost/internal/database"
)

// write puts an editor's own words for an edition into a letter. An edition that was made by hand is about them, so that digests in other
// languages show those in fallback, the list's own.
func (l *Letter) write(ctx context.Context, h database.Handle, fallback string) error {
	var t struct {
		Subject      string `db:"subject"`
		Preheader    string `db:"preheader"`
		Introduction string `db:"introduction"`
		IntroducedIn string `db:"introduced_in"`
	}
	err := h.GetContext(ctx, &t, `
		SELECT coalesce(nullif(own.subject, ''), other.subject, '') AS subject,
		       coalesce(nullif(own.preheader, ''), other.preheader, '') AS preheader,
		       coalesce(nullif(own.introduction, ''), other.introduction, '') AS introduction,
		       CASE WHEN coalesce(own.introduction, '') = '' AND other.introduction <> '' THEN other.language ELSE '' END AS introduced_in
		FROM mailer.editions e
		LEFT JOIN mailer.texts own ON own.edition_id = e.id AND own.language = $2
		LEFT JOIN mailer.texts other ON other.edition_id = e.id AND other.language = $3 AND e.rhythm = 'once'
		WHERE e.id = $1`, l.EditionID, l.Digest.Language, fallback)
	l.Digest.Subject, l.Digest.Preheader, l.Digest.Introduction, l.Digest.IntroducedIn = t.Subject, t.Preheader, t.Introduction, t.IntroducedIn
	return err
}
