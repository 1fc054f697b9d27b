package app

import (
	"context"

	"github.com/google/uuid"

	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
)

// ShownVariant is a variant of an edition as somebody would get it.
type ShownVariant struct {
	Subject string
	Sender  string // the address that it is from
	Text    string
	HTML    string // foreign: to be shown in a frame of its own
	Bytes   int    // of the HTML as it is sent: see compose.Budget
}

// sampleAddress stands where a mail has its recipient's address.
const sampleAddress = "reader@example.org"

// ShowVariant returns a variant of an edition as somebody would get it, but with links of its own that lead nowhere. Nothing is stored. One that the edition
// does not have, or has no more, is errs.NotFound.
func (a *App) ShowVariant(ctx context.Context, id uuid.UUID, variant int64) (v ShownVariant, err error) {
	there, err := edition.HasVariant(ctx, a.DB, id, variant)
	if err != nil {
		return v, err
	}
	if !there {
		return v, errs.New(errs.NotFound, "edition %s has no variant %d: it was laid out again", id, variant)
	}
	message, from, err := a.Composer.Draft(ctx, a.DB, variant)
	if err != nil {
		return v, err
	}
	v.Sender = from
	if v.Text, v.HTML, err = message.Parts(compose.Recipient{
		Address: sampleAddress, Date: a.Clock.Now(), MessageID: compose.MessageID(id, 0, 0, from), PreferencesURL: a.Composer.PublicURL + "/preferences/preview",
		UnsubscribeURL: a.Composer.PublicURL + "/unsubscribe/preview", ViewURL: a.Composer.PublicURL + "/view/preview",
	}); err != nil {
		return v, err
	}
	v.Bytes = compose.SentSize(v.HTML)
	v.Subject, err = message.Subject()
	return v, err
}
