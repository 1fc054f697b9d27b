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
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates"
)

// Masthead is which list a mail is of and whom it is from.
type Masthead struct {
	ListSlug      string
	ListName      string // in the language of the mail
	SenderName    string
	SenderAddress string // its domain as A-labels
	ReplyTo       string // likewise; "" for none
}

// MastheadOf returns a list's masthead for mails in a language. An address that is none is an error of kind errs.Invalid.
func MastheadOf(list subscribers.List, words string) (m Masthead, err error) {
	m = Masthead{ListSlug: list.Slug, ListName: list.NameIn(words), SenderName: list.Sender.Name}
	if m.SenderAddress, err = subscribers.Envelope(list.Sender.Address); err != nil {
		return m, errs.New(errs.Invalid, "list %s, sender: %w", list.Slug, err)
	}
	if list.Sender.ReplyTo != "" {
		if m.ReplyTo, err = subscribers.Envelope(list.Sender.ReplyTo); err != nil {
			return m, errs.New(errs.Invalid, "list %s, reply_to: %w", list.Slug, err)
		}
	}
	return m, nil
}

// Letter is what the recipients of a variant share.
type Letter struct {
	Masthead
	EditionID uuid.UUID
	Digest    templates.Digest // Address and the recipient's links are filled in here
	HasPage   bool             // each recipient has a page of it: see Composer.ViewURL
}

// renderer is what compose needs of the templates.
type renderer interface {
	Digest(templates.Digest) (templates.Mail, error)
	Language(wanted []string, fallback string) string
}

// speaker also knows which languages there are words in.
type speaker interface {
	renderer
	Language(wanted []string, fallback string) string
}

// Render returns a letter's message in the form in which it is stored; Parse reads it.
func Render(set renderer, l Letter) (stored []byte, err error) {
	defer errs.Wrap(&err, "compose.Render(edition %s)", l.EditionID)
	content, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	nonce := newNonce(content)
	l.Digest.Address = placeholder(nonce, addressHTML)
	l.Digest.PreferencesURL, l.Digest.UnsubscribeURL = placeholder(nonce, preferencesHTML), placeholder(nonce, linkHTML)
	if l.HasPage {
		l.Digest.ViewURL = placeholder(nonce, viewHTML)
	}
	shown, err := fit(set, l.Digest, nonce)
	if err != nil {
		return nil, err
	}
	asText := strings.NewReplacer(
		placeholder(nonce, addressHTML), placeholder(nonce, address),
		placeholder(nonce, preferencesHTML), placeholder(nonce, preferences),
		placeholder(nonce, linkHTML), placeholder(nonce, link),
		placeholder(nonce, viewHTML), placeholder(nonce, view))
	shown.Text = asText.Replace(shown.Text)
	return store(l.Masthead, languages(&l.Digest), shown, nonce, append(l.listHeaders(nonce),
		header{"Precedence", "bulk"},
		header{"Feedback-ID", fmt.Sprintf("%s:%s:digest:silkpost", shortID(l.EditionID), l.ListSlug)}))
}

// Parse reads what Render returned.
func Parse(stored []byte) (*Message, error) { return parse(stored) }

// store builds a message in the form in which it is stored.
func store(from Masthead, lang string, shown templates.Mail, nonce string, more []header) ([]byte, error) {
	msg, err := message(from, lang, shown, nonce, more)
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

type header struct{ name, value string }

// listHeaders are those by which mail programs sort a list's mail and unsubscribe (RFC 2369, RFC 2919 and RFC 8058).
func (m Masthead) listHeaders(nonce string) []header {
	return []header{
		{"List-Id", phrase(m.ListName) + fmt.Sprintf("<%s.%s>", m.ListSlug, Domain(m.SenderAddress))},
		{"List-Unsubscribe", placeholder(nonce, unsubscribe)},
		{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
	}
}

// message builds the MIME message: everything that go-mail would make up by itself (Date, Message-ID, boundary) is fixed. No person
// wrote it and it answers no mail, which Auto-Submitted says (RFC 3834, 5); Feedback-ID is Gmail's.
func message(from Masthead, lang string, shown templates.Mail, nonce string, more []header) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP),
		gomail.WithBoundary("silkpost-"+nonce))
	msg.FromMailAddress(&mail.Address{Name: plain(from.SenderName), Address: from.SenderAddress})
	if from.ReplyTo != "" {
		if err := msg.ReplyTo(from.ReplyTo); err != nil {
			return nil, errs.New(errs.Invalid, "list %s: reply address %q: %w", from.ListSlug, from.ReplyTo, err)
		}
	}
	msg.Subject(shown.Subject)
	for _, h := range append([]header{
		{"To", placeholder(nonce, to)},
		{"Date", placeholder(nonce, date)},
		{"Message-ID", placeholder(nonce, messageID)},
		{"Auto-Submitted", "auto-generated"},
		{"Content-Language", lang},
	}, more...) {
		msg.SetGenHeader(gomail.Header(h.name), h.value)
	}
	msg.SetBodyString(gomail.TypeTextPlain, shown.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, shown.HTML)
	return msg, nil
}

// languages are what Content-Language says (RFC 3282): the language of the product's words, then those of the introduction and of the
// articles as they come.
func languages(d *templates.Digest) string {
	all := []string{d.Language}
	add := func(tag string) {
		if tag != "" && !slices.Contains(all, tag) {
			all = append(all, tag)
		}
	}
	add(d.IntroducedIn)
	for _, a := range slices.Concat(d.Articles, d.More) {
		add(a.Language)
	}
	return strings.Join(all, ", ")
}

// phrase returns a name as it stands before something in angle brackets (RFC 2919, RFC 5322), with a space, "" for no name.
func phrase(name string) string {
	if name = plain(name); name == "" {
		return ""
	}
	mailbox := (&mail.Address{Name: name, Address: "a@example.org"}).String()
	return strings.TrimSuffix(mailbox, "<a@example.org>")
}

// plain drops from a name what would turn round the direction of what is shown behind it (Unicode Annex 9).
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, name)
}

// Domain returns the domain of an address.
func Domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// MessageID returns the Message-ID of an edition's message to a contact, in the sender's domain. It is the same at each attempt, another one each
// time a person has it sent again, and tells nothing about the contact.
func MessageID(edition uuid.UUID, contact int64, resent int, senderAddress string) string {
	what := edition.String() + "/" + strconv.FormatInt(contact, 10)
	if resent > 0 {
		what += "/" + strconv.Itoa(resent)
	}
	return messageIDOf(what, senderAddress)
}

func messageIDOf(what, senderAddress string) string {
	sum := sha256.Sum256([]byte(what))
	return "<" + lowerBase32.EncodeToString(sum[:16]) + "@" + Domain(senderAddress) + ">"
}

// lowerBase32 is base32 (RFC 4648, 6) in lower case and without padding.
var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// shortID is an edition id without its dashes: Feedback-ID fields are kept simple.
func shortID(id uuid.UUID) string { return strings.ReplaceAll(id.String(), "-", "") }
