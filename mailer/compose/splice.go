package compose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"silkpost/internal/errs"
)

// slot is a place in a variant's message where a recipient's own words go.
type slot byte

const (
	date            slot = 'D' // header
	messageID       slot = 'M' // header
	to              slot = 'T' // header
	unsubscribe     slot = 'L' // header, List-Unsubscribe
	address         slot = 'A' // body, text
	addressHTML     slot = 'B' // body, HTML
	preferences     slot = 'P' // body, text
	preferencesHTML slot = 'Q' // body, HTML
	link            slot = 'U' // body, text: unsubscribe
	linkHTML        slot = 'V' // body, HTML: unsubscribe
	view            slot = 'W' // body, text
	viewHTML        slot = 'X' // body, HTML
)

// nonceBytes is the length of the hexadecimal nonce that placeholders of one message begin with. It is a hash over all that the
// message shows, so no article can contain it.
const nonceBytes = 32

// newNonce returns the nonce of a message with the given content.
func newNonce(content []byte) string {
	sum := sha256.Sum256(content)
	return strings.ToUpper(hex.EncodeToString(sum[:nonceBytes/2]))
}

// placeholder returns the word that stands for a slot until a recipient's words replace it.
func placeholder(nonce string, s slot) string { return nonce + string(s) }

// Message is a variant's finished MIME message with slots for what is the recipient's own. It is safe for concurrent use.
type Message struct {
	literals [][]byte // one more than slots
	slots    []slot
	size     int
}

// Recipient is what differs from one copy of a message to the next.
type Recipient struct {
	Name           string
	Address        string
	MessageID      string // with angle brackets
	Date           time.Time
	PreferencesURL string
	UnsubscribeURL string
	ViewURL        string // asked for by letters that have pages
	// UnsubscribeMail is a mailto link that does the same, for mail programs that cannot post; "": there is none.
	UnsubscribeMail string
}

// parse finds the slots in a stored message: its nonce, a line break, and the MIME bytes. In quoted-printable text a soft line
// break may part a placeholder. A message that was rendered before there was a slot does without it.
func parse(stored []byte) (*Message, error) {
	if len(stored) <= nonceBytes || stored[nonceBytes] != '\n' {
		return nil, errs.New(errs.Internal, "a stored message has no nonce")
	}
	mime := stored[nonceBytes+1:]
	const softBreak = `(?:=\r\n)?`
	words := strings.Split(string(stored[:nonceBytes]), "")
	found := regexp.MustCompile(strings.Join(words, softBreak)+softBreak+`([DMTLABPQUVWX])`).FindAllSubmatchIndex(mime, -1)

	m := &Message{size: len(mime)}
	end := 0
	for _, at := range found {
		m.literals = append(m.literals, mime[end:at[0]])
		m.slots = append(m.slots, slot(mime[at[2]]))
		end = at[1]
	}
	m.literals = append(m.literals, mime[end:])
	return m, nil
}

// For returns the message for one recipient, with CRLF line ends and not dot-stuffed. The same recipient gets the same bytes.
func (m *Message) For(r Recipient) []byte {
	var b bytes.Buffer
	b.Grow(m.size + len(m.slots)*128)
	for i, s := range m.slots {
		b.Write(m.literals[i])
		r.write(&b, s)
	}
	b.Write(m.literals[len(m.slots)])
	return b.Bytes()
}

// write puts a recipient's words into a slot, encoded for where it stands.
func (r Recipient) write(b *bytes.Buffer, s slot) {
	switch s {
	case date:
		b.WriteString(r.Date.UTC().Format(time.RFC1123Z))
	case messageID:
		b.WriteString(r.MessageID)
	case to:
		b.WriteString(fold("To", mailbox(r.Name, r.Address)))
	case unsubscribe:
		b.WriteString("<" + r.UnsubscribeURL + ">")
		if r.UnsubscribeMail != "" { // behind the other, which is better (RFC 2369, 2; RFC 8058, 3.1)
			b.WriteString(",\r\n <" + r.UnsubscribeMail + ">")
		}
	case address:
		quote(b, r.Address)
	case addressHTML:
		quote(b, html.EscapeString(r.Address))
	case preferences:
		quote(b, r.PreferencesURL)
	case preferencesHTML:
		quote(b, html.EscapeString(r.PreferencesURL))
	case link:
		quote(b, r.UnsubscribeURL)
	case linkHTML:
		quote(b, html.EscapeString(r.UnsubscribeURL))
	case view:
		quote(b, r.ViewURL)
	case viewHTML:
		quote(b, html.EscapeString(r.ViewURL))
	}
}

// mailbox returns a name and an address as a header has them. An address is stored as it was written, so a local part in quotes has
// them already.
func mailbox(name, address string) string {
	if written, err := mail.ParseAddress(address); err == nil {
		address = written.Address
	}
	return (&mail.Address{Name: plain(name), Address: address}).String()
}

// fold puts each encoded word of a header value on a line of its own, the first one too when there is no room for it behind the header's name: such
// lines have up to 76 characters (RFC 2047, 2).
func fold(name, value string) string {
	folded := strings.ReplaceAll(value, "?= ", "?=\r\n ")
	if first, _, encoded := strings.Cut(folded, "?=\r\n"); encoded && len(name)+len(": ")+len(first)+len("?=") > 76 {
		return "\r\n " + folded
	}
	return folded
}

// quote writes words into quoted-printable text (RFC 2045, 6.7) between soft line breaks, so that no line grows too long
// whatever stands around them.
func quote(b *bytes.Buffer, words string) {
	const softBreak = "=\r\n"
	b.WriteString(softBreak)
	w := quotedprintable.NewWriter(b)
	_, _ = w.Write([]byte(words)) // a bytes.Buffer does not fail
	_ = w.Close()
	b.WriteString(softBreak)
}
