// Package compose makes the bytes that are sent. What a variant's recipients share is rendered once to a finished MIME message;
// what is a recipient's own (address, links, Message-ID, Date) is put into its slots, encoded for where it stands. The same
// variant and recipient always give the same bytes.
package compose

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"silkpost/internal/errs"
	"silkpost/templates"
)

// Letter is what the recipients of a variant share.
type Letter struct {
	EditionID     uuid.UUID
	ListSlug      string
	SenderName    string
	SenderAddress string           // its domain as A-labels
	ReplyTo       string           // likewise; "" for none
	Digest        templates.Digest // Address and UnsubscribeURL are filled in here
}

// renderer is what compose needs of the templates.
type renderer interface {
	Digest(templates.Digest) (templates.Mail, error)
}

// Render returns a letter's message in the form in which it is stored; Parse reads it.
func Render(set renderer, l Letter) (stored []byte, err error) {
	defer errs.Wrap(&err, "compose.Render(edition %s)", l.EditionID)
	content, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	nonce := newNonce(content)
	l.Digest.Address, l.Digest.UnsubscribeURL = placeholder(nonce, addressHTML), placeholder(nonce, linkHTML)
	shown, err := set.Digest(l.Digest)
	if err != nil {
		return nil, err
	}
	asText := strings.NewReplacer(
		placeholder(nonce, addressHTML), placeholder(nonce, address),
		placeholder(nonce, linkHTML), placeholder(nonce, link))
	shown.Text = asText.Replace(shown.Text)

	msg, err := message(l, shown, nonce)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", nonce)
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Parse reads what Render returned.
func Parse(stored []byte) (*Message, error) { return parse(stored) }

// message builds the MIME message: everything that go-mail would make up by itself (Date, Message-ID, boundary) is fixed.
// The list headers are those of RFC 2369, RFC 2919 and RFC 8058; Feedback-ID is Gmail's.
func message(l Letter, shown templates.Mail, nonce string) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP),
		gomail.WithBoundary("silkpost-"+nonce))
	msg.FromMailAddress(&mail.Address{Name: l.SenderName, Address: l.SenderAddress})
	if l.ReplyTo != "" {
		if err := msg.ReplyTo(l.ReplyTo); err != nil {
			return nil, errs.New(errs.Invalid, "list %s: reply address %q: %w", l.ListSlug, l.ReplyTo, err)
		}
	}
	domain := Domain(l.SenderAddress)
	msg.Subject(shown.Subject)
	for _, header := range []struct{ name, value string }{
		{"To", placeholder(nonce, to)},
		{"Date", placeholder(nonce, date)},
		{"Message-ID", placeholder(nonce, messageID)},
		{"List-Id", fmt.Sprintf("<%s.%s>", l.ListSlug, domain)},
		{"List-Unsubscribe", placeholder(nonce, unsubscribe)},
		{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
		{"Precedence", "bulk"},
		{"Auto-Submitted", "auto-generated"},
		{"Content-Language", l.Digest.Language},
		{"Feedback-ID", fmt.Sprintf("%s:%s:digest:silkpost", shortID(l.EditionID), l.ListSlug)},
	} {
		msg.SetGenHeader(gomail.Header(header.name), header.value)
	}
	msg.SetBodyString(gomail.TypeTextPlain, shown.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, shown.HTML)
	return msg, nil
}

// Domain returns the domain of an address.
func Domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// MessageID returns the Message-ID of an edition's message to a contact, in the sender's domain. It is the same at each attempt
// and tells nothing about the contact.
func MessageID(edition uuid.UUID, contact int64, senderAddress string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", edition, contact))
	local := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
	return fmt.Sprintf("<%s@%s>", local, Domain(senderAddress))
}

// shortID is an edition id without its dashes: Feedback-ID fields are kept simple.
func shortID(id uuid.UUID) string { return strings.ReplaceAll(id.String(), "-", "") }
