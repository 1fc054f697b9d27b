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
	"silkpost/mailer/send"
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
	stuffed  [][]byte // the same, dot-stuffed where they stand
	slots    []slot
	size     int
	eightBit bool // a literal holds bytes beyond ASCII
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
	const parted = `(?:=\r\n)?`
	words := strings.Split(string(stored[:nonceBytes]), "")
	found := regexp.MustCompile(strings.Join(words, parted)+parted+`([DMTLABPQUVWX])`).FindAllSubmatchIndex(mime, -1)

	m := &Message{size: len(mime)}
	end := 0
	for _, at := range found {
		m.literals = append(m.literals, mime[end:at[0]])
		m.slots = append(m.slots, slot(mime[at[2]]))
		end = at[1]
	}
	m.literals = append(m.literals, mime[end:])
	for i, literal := range m.literals {
		m.stuffed = append(m.stuffed, stuff(literal, i == 0 || m.slots[i-1].inBody()))
		m.eightBit = m.eightBit || !isASCII(literal)
	}
	return m, nil
}

// inBody reports a slot of quoted-printable text: what stands in it begins and ends with a line break.
func (s slot) inBody() bool {
	return s >= address && s <= addressHTML || s >= preferences && s <= preferencesHTML || s >= link && s <= viewHTML
}

// stuff doubles the dots at line starts (RFC 5321, 4.5.2).
func stuff(text []byte, atLineStart bool) []byte {
	stuffed := bytes.ReplaceAll(text, []byte("\r\n."), []byte("\r\n.."))
	if atLineStart && bytes.HasPrefix(text, []byte(".")) {
		stuffed = append([]byte("."), stuffed...)
	}
	return stuffed
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// For returns the message for one recipient, with CRLF line ends and not dot-stuffed. The same recipient gets the same bytes.
func (m *Message) For(r Recipient) []byte {
	return m.appendFor(make([]byte, 0, m.size+len(m.slots)*128), r)
}

func (m *Message) appendFor(b []byte, r Recipient) []byte {
	for i, s := range m.slots {
		b = r.append(append(b, m.literals[i]...), s)
	}
	return append(b, m.literals[len(m.slots)]...)
}

// AppendWire appends the message for one recipient as it is written to a server: what For returns, dot-stuffed, with the final dot. It reports whether
// there are bytes beyond ASCII in it.
func (m *Message) AppendWire(b []byte, r Recipient) (wire []byte, eightBit bool) {
	for i, s := range m.slots {
		b = append(b, m.stuffed[i]...)
		begin := len(b)
		if b = r.append(b, s); bytes.Contains(b[begin:], []byte("\r\n.")) {
			b = append(b[:begin], stuff(b[begin:], false)...)
		}
	}
	b = append(b, m.stuffed[len(m.slots)]...)
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		b = append(b, "\r\n"...)
	}
	return append(b, send.FinalDot...), m.eightBit || !isASCII(r.Address)
}

// append puts a recipient's words into a slot, encoded for where it stands.
func (r Recipient) append(b []byte, s slot) []byte {
	switch s {
	case date:
		return r.Date.UTC().AppendFormat(b, time.RFC1123Z)
	case messageID:
		return append(b, r.MessageID...)
	case to:
		return append(b, fold("To", mailbox(r.Name, r.Address))...)
	case unsubscribe:
		b = append(append(append(b, '<'), r.UnsubscribeURL...), '>')
		if r.UnsubscribeMail != "" { // behind the other, which is better (RFC 2369, 2; RFC 8058, 3.1)
			b = append(append(append(b, ",\r\n <"...), r.UnsubscribeMail...), '>')
		}
		return b
	case address:
		return appendQuoted(b, r.Address)
	case addressHTML:
		return appendQuoted(b, html.EscapeString(r.Address))
	case preferences:
		return appendQuoted(b, r.PreferencesURL)
	case preferencesHTML:
		return appendQuoted(b, html.EscapeString(r.PreferencesURL))
	case link:
		return appendQuoted(b, r.UnsubscribeURL)
	case linkHTML:
		return appendQuoted(b, html.EscapeString(r.UnsubscribeURL))
	case view:
		return appendQuoted(b, r.ViewURL)
	case viewHTML:
		return appendQuoted(b, html.EscapeString(r.ViewURL))
	}
	return b
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

const softBreak = "=\r\n"

// appendQuoted appends words as quoted-printable text (RFC 2045, 6.7) between soft line breaks, so that no line grows too long whatever stands around
// them.
func appendQuoted(b []byte, words string) []byte {
	b = append(b, softBreak...)
	if !plainlyQuoted(words) {
		return append(appendEncoded(b, words), softBreak...)
	}
	const room = 75 // of a line, beside the soft break's =
	for len(words) > room {
		b = append(append(b, words[:room]...), softBreak...)
		words = words[room:]
	}
	return append(append(b, words...), softBreak...)
}

// appendEncoded appends words as quoted-printable text. It is a function of its own because its b escapes to the heap.
func appendEncoded(b []byte, words string) []byte {
	w := quotedprintable.NewWriter((*appender)(&b))
	_, _ = w.Write([]byte(words)) // an appender does not fail
	_ = w.Close()
	return b
}

// plainlyQuoted reports words that stand for themselves in quoted-printable text, as those of links do.
func plainlyQuoted(words string) bool {
	for i := range len(words) {
		if c := words[i]; c <= ' ' || c == '=' || c > '~' {
			return false
		}
	}
	return true
}

// appender is a slice to be written to.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}
