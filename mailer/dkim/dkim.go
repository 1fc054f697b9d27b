// Package dkim signs what goes out (RFC 6376, RFC 8463) and keeps the keys that it signs with.
//
// Its rules, in words. A domain has a key for each algorithm that signs, and any number that wait to be used or were retired; a message gets a signature of
// each key that signs. A message is signed for the domain of its From, or for the nearest parent of it that has keys, which DMARC takes for aligned unless
// it was told to be strict (RFC 7489, 3.1.1). A domain without keys is not signed for: its relay may. But what is to be signed never goes out unsigned: when a key cannot
// be opened the message is not sent, and is tried again later.
//
// A private key is in the database sealed, with a key that is derived from the secret key of the program, so a dump of the database signs nothing.
package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/errs"
)

// Algorithm is how a key signs.
type Algorithm string

// The algorithms. All receivers know the first; the second is faster and its record is short, but some do not know it yet: it is for use beside the first.
const (
	RSA     Algorithm = "rsa"     // RSA-SHA256 with 2048 bits
	Ed25519 Algorithm = "ed25519" // Ed25519-SHA256 (RFC 8463)
)

// life is for how long a signature counts: longer than any mail is under way, and no longer, so that nobody can send an old one again to others for ever.
const life = 14 * 24 * time.Hour

// signed are the header fields that are signed, as often as they are there.
var signed = []string{
	"From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
}

// oversigned are those of them that are signed once more, which says that there are no others: a second one that somebody adds breaks the signature (RFC 6376,
// 8.15). The fields of lists are none of them, because a partner's own mailing list that passes a digest on adds its own.
var oversigned = signed[:10]

// signer is a key at work.
type signer struct {
	domain, selector string
	key              crypto.Signer
}

// sign returns the DKIM-Signature fields of a message with CRLF line ends, one of each signer, each ending in CRLF.
func sign(signers []signer, message []byte, at time.Time) ([]byte, error) {
	head, body := split(message)
	names, canonical, err := pick(fieldsOf(head))
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	canonicalBody(sum.Write, body)
	bodyHash := base64.StdEncoding.EncodeToString(sum.Sum(nil))
	var fields []byte
	for _, s := range signers {
		field := s.field(names, bodyHash, at)
		sum.Reset()
		sum.Write(canonical)
		sum.Write(canonicalField(nil, field))
		value, err := s.sign(sum.Sum(nil))
		if err != nil {
			return nil, errs.New(errs.Internal, "sign for %s with %s: %w", s.domain, s.selector, err)
		}
		fields = append(folded(append(fields, field...), value), "\r\n"...)
	}
	return fields, nil
}

// sign returns the signature of a hash.
func (s signer) sign(hash []byte) ([]byte, error) {
	if s.algorithm() == Ed25519 {
		return s.key.Sign(nil, hash, crypto.Hash(0)) // the hash is the message (RFC 8463, 3)
	}
	return s.key.Sign(nil, hash, crypto.SHA256)
}

func (s signer) algorithm() Algorithm {
	if _, ok := s.key.(ed25519.PrivateKey); ok {
		return Ed25519
	}
	return RSA
}

// field returns the DKIM-Signature field up to its signature.
func (s signer) field(names, bodyHash string, at time.Time) []byte {
	return []byte("DKIM-Signature: v=1; a=" + string(s.algorithm()) + "-sha256; c=relaxed/relaxed;\r\n" +
		" d=" + s.domain + ";\r\n s=" + s.selector + ";\r\n" +
		" t=" + strconv.FormatInt(at.Unix(), 10) + "; x=" + strconv.FormatInt(at.Add(life).Unix(), 10) + ";\r\n" +
		" h=" + names + ";\r\n bh=" + bodyHash + ";\r\n b=")
}

// lineLength is how long the lines of a signature are.
const lineLength = 72

// folded appends a value in base64, over as many lines as it takes.
func folded(b, value []byte) []byte {
	text := base64.StdEncoding.EncodeToString(value)
	for line := lineLength - len(" b="); len(text) > line; line = lineLength {
		b = append(append(b, text[:line]...), "\r\n "...)
		text = text[line:]
	}
	return append(b, text...)
}

// split parts a message at the empty line behind its header. The header keeps the line break of its last field.
func split(message []byte) (head, body []byte) {
	if at := bytes.Index(message, []byte("\r\n\r\n")); at >= 0 {
		return message[:at+2], message[at+4:]
	}
	return message, nil
}

// fieldsOf returns the fields of a header, each with the lines that go on with it.
func fieldsOf(head []byte) (fields [][]byte) {
	for len(head) > 0 {
		end := 0
		for {
			line := bytes.Index(head[end:], []byte("\r\n"))
			if line < 0 {
				end = len(head)
				break
			}
			end += line + 2
			if end >= len(head) || head[end] != ' ' && head[end] != '\t' {
				break
			}
		}
		fields = append(fields, head[:end])
		head = head[end:]
	}
	return fields
}

// pick returns what h= says and the canonical fields in that order. Of fields with one name the last one comes first (RFC 6376, 5.4.2).
func pick(fields [][]byte) (names string, canonical []byte, err error) {
	var h []string
	from := 0
	for i, name := range signed {
		for at := len(fields) - 1; at >= 0; at-- {
			if !isNamed(fields[at], name) {
				continue
			}
			canonical = append(canonicalField(canonical, fields[at]), "\r\n"...)
			h = append(h, name)
			if i == 0 {
				from++
			}
		}
		if i < len(oversigned) {
			h = append(h, name)
		}
	}
	if from != 1 {
		return "", nil, errs.New(errs.Internal, "a message to be signed has %d From fields, it needs one", from)
	}
	return foldedNames(h), canonical, nil
}

func isNamed(field []byte, name string) bool {
	return len(field) > len(name) && field[len(name)] == ':' && strings.EqualFold(string(field[:len(name)]), name)
}

// foldedNames returns the names parted by colons, over as many lines as it takes.
func foldedNames(names []string) string {
	var b strings.Builder
	line := len(" h=")
	for i, name := range names {
		if i > 0 {
			b.WriteByte(':')
			if line++; line+len(name) >= lineLength {
				b.WriteString("\r\n  ")
				line = 2
			}
		}
		b.WriteString(name)
		line += len(name)
	}
	return b.String()
}

// canonicalField appends a field in the relaxed form (RFC 6376, 3.4.2), without a line break at its end.
func canonicalField(b, field []byte) []byte {
	colon := bytes.IndexByte(field, ':')
	if colon < 0 {
		colon = len(field)
	}
	b = append(append(b, bytes.ToLower(bytes.TrimRight(field[:colon], " \t"))...), ':')
	begun, space := false, false
	for _, c := range field[min(colon+1, len(field)):] {
		switch c {
		case ' ', '\t', '\r', '\n':
			space = true
			continue
		}
		if space && begun {
			b = append(b, ' ')
		}
		b, begun, space = append(b, c), true, false
	}
	return b
}

// canonicalBody writes a body in the relaxed form (RFC 6376, 3.4.4) to a function that cannot fail.
func canonicalBody(write func([]byte) (int, error), body []byte) {
	body = withoutEmptyLines(body)
	if len(body) == 0 {
		return
	}
	if isRelaxed(body) { // as quoted-printable mostly is
		_, _ = write(body)
	} else {
		_, _ = write(relaxed(body))
	}
	if !bytes.HasSuffix(body, []byte("\r\n")) {
		_, _ = write([]byte("\r\n"))
	}
}

// withoutEmptyLines drops the lines at the end of a body that hold nothing, or nothing but blanks.
func withoutEmptyLines(body []byte) []byte {
	for {
		rest := bytes.TrimRight(body, " \t")
		if len(rest) == 0 {
			return nil
		}
		inner, ended := bytes.CutSuffix(rest, []byte("\r\n"))
		if !ended {
			return body
		}
		trimmed := bytes.TrimRight(inner, " \t")
		switch {
		case len(trimmed) == 0:
			return nil
		case bytes.HasSuffix(trimmed, []byte("\r\n")):
			body = trimmed
		default:
			return rest
		}
	}
}

// isRelaxed reports that a body is in the relaxed form already, but for its end.
func isRelaxed(body []byte) bool {
	return bytes.IndexByte(body, '\t') < 0 && !bytes.Contains(body, []byte("  ")) && !bytes.Contains(body, []byte(" \r\n")) &&
		body[len(body)-1] != ' '
}

// relaxed puts one blank where there are several or a tab, and none at the end of a line.
func relaxed(body []byte) []byte {
	b := make([]byte, 0, len(body))
	space := false
	for i, c := range body {
		switch {
		case c == ' ' || c == '\t':
			space = true
			continue
		case space && (c != '\r' || i+1 >= len(body) || body[i+1] != '\n'):
			b = append(b, ' ')
		}
		b, space = append(b, c), false
	}
	return b
}
