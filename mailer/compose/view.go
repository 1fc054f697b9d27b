package compose

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// ViewURL returns the link to the digest that a contact got of an edition, as a page. It is made to be passed on: whoever has it can read the
// digest and do nothing else. It works for as long as the message is stored and its key is kept.
func (c *Composer) ViewURL(edition uuid.UUID, contact int64) string {
	return c.PublicURL + "/view/" + ViewToken(c.Keys, edition, contact)
}

// ViewToken returns the token of ViewURL.
func ViewToken(keys token.Keys, edition uuid.UUID, contact int64) string {
	return keys.SignWith(ViewPurpose, contact, string(edition[:]))
}

// OpenView reads a ViewToken. Its errors are those of token.Keys.Open.
func OpenView(keys token.Keys, made string) (edition uuid.UUID, contact int64, err error) {
	contact, words, err := keys.OpenWith(ViewPurpose, made)
	if err == nil {
		edition, err = uuid.FromBytes([]byte(words))
	}
	if err != nil {
		return uuid.Nil, 0, errs.New(errs.NotFound, "no link to a digest: %w", err)
	}
	return edition, contact, nil
}

// Viewed is the digest that a contact got of an edition.
type Viewed struct {
	Message        *Message // nil: it is not stored any more
	SubscriptionID int64
	Language       string // of the product's words in it
}

// View finds the digest that a contact got of an edition. One of which the account knows nothing any more, or whose person was erased, is
// errs.Gone.
func View(ctx context.Context, h database.Handle, edition uuid.UUID, contact int64) (v Viewed, err error) {
	var row struct {
		SubscriptionID int64  `db:"subscription_id"`
		Language       string `db:"language"`
		Message        []byte `db:"message"`
	}
	err = h.GetContext(ctx, &row, `
		SELECT d.subscription_id, v.language, v.message FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id
		WHERE d.edition_id = $1 AND d.contact_id = $2 AND NOT d.erased`, edition, contact)
	if errors.Is(err, sql.ErrNoRows) {
		return v, errs.New(errs.Gone, "contact %d got nothing of edition %s that is still known", contact, edition)
	}
	defer errs.Wrap(&err, "compose.View(edition %s, contact %d)", edition, contact)
	if err != nil {
		return v, err
	}
	v = Viewed{SubscriptionID: row.SubscriptionID, Language: row.Language}
	if row.Message != nil {
		v.Message, err = Parse(row.Message)
	}
	return v, err
}

// Subject returns the message's subject, decoded.
func (m *Message) Subject() (subject string, err error) {
	defer errs.Wrap(&err, "the subject of a message")
	msg, err := mail.ReadMessage(bytes.NewReader(m.For(Recipient{})))
	if err != nil {
		return "", err
	}
	return new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
}

// HTML returns the HTML part of the message for one recipient, decoded.
func (m *Message) HTML(r Recipient) (html string, err error) {
	_, html, err = m.Parts(r)
	return html, err
}

// Parts returns both parts of the message for one recipient, decoded: what is shown of the very bytes that are sent.
func (m *Message) Parts(r Recipient) (text, html string, err error) {
	defer errs.Wrap(&err, "the parts of a message")
	msg, err := mail.ReadMessage(bytes.NewReader(m.For(r)))
	if err != nil {
		return "", "", err
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return "", "", err
	}
	reader := multipart.NewReader(msg.Body, params["boundary"])
	for _, into := range []*string{&text, &html} { // in the order in which they are written
		part, err := reader.NextRawPart()
		if err != nil {
			return "", "", err
		}
		decoded, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return "", "", err
		}
		*into = strings.ReplaceAll(string(decoded), "\r\n", "\n")
	}
	return text, html, nil
}
