package bounce

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// The purposes of the tokens in our addresses. The id of the first is a contact's, its words are the edition's id; that of the second is a
// subscription's; that of the third is a time.
const (
	bouncePurpose      = "bounce"
	unsubscribePurpose = "unsubscribe by mail"
	probePurpose       = "probe"
)

// Addresses are ours at the domain where mail comes back. Its tokens are in base32, because some servers lower the letters of an address.
type Addresses struct {
	Domain string // as A-labels
	Keys   token.Keys
}

// prefixes say what an address is for.
var prefixes = map[string]string{"b": bouncePurpose, "u": unsubscribePurpose, "t": probePurpose}

// ReturnPath returns the envelope sender of a delivery to a contact's address. It is bound to that address, without showing it.
func (a Addresses) ReturnPath(edition uuid.UUID, contact int64, address string) string {
	return a.address("b", contact, string(append(edition[:], checkOf(address))))
}

// checkOf tells an address from another one that the contact may have later. More than a byte would be too long for some contact's local part, which
// has 64 bytes at most.
func checkOf(address string) byte { return sha256Of([]byte(strings.ToLower(address)))[0] }

func sha256Of(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// Unsubscribe returns the address that mail ends a subscription by.
func (a Addresses) Unsubscribe(subscription int64) string { return a.address("u", subscription, "") }

// UnsubscribeURL returns Unsubscribe as a link (RFC 6068). The subject is for people: what counts is the address.
func (a Addresses) UnsubscribeURL(subscription int64) string {
	return "mailto:" + url.PathEscape(a.Unsubscribe(subscription)) + "?subject=unsubscribe"
}

// Probe returns an address for a message of our own, by which we see that mail comes back.
func (a Addresses) Probe(at int64) string { return a.address("t", at, "") }

func (a Addresses) address(prefix string, id int64, words string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(a.Keys.SignWith(prefixes[prefix], id, words)) // it is what Keys makes
	return prefix + "+" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)) + "@" + a.Domain
}

// Target is whom an address of ours stands for: one of them is set.
type Target struct {
	Edition      uuid.UUID // of a delivery,
	Contact      int64     // with its contact
	check        byte      // and of the address that it went to
	Subscription int64
	Probe        int64
}

// Open reads an address of ours. Any other, and one that was changed, is an error of kind errs.NotFound.
func (a Addresses) Open(address string) (t Target, err error) {
	local, domain, _ := strings.Cut(strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>")), "@")
	prefix, made, _ := strings.Cut(local, "+")
	purpose := prefixes[prefix]
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(made))
	if err != nil || purpose == "" || domain != strings.ToLower(a.Domain) {
		return t, errNotOurs
	}
	id, words, err := a.Keys.OpenWith(purpose, base64.RawURLEncoding.EncodeToString(raw))
	switch {
	case err != nil || id <= 0:
		return t, errNotOurs
	case purpose == bouncePurpose:
		if len(words) != len(uuid.UUID{})+1 {
			return t, errNotOurs
		}
		t.Contact, t.check = id, words[len(words)-1]
		copy(t.Edition[:], words)
		return t, nil
	case words != "":
		return t, errNotOurs
	case purpose == unsubscribePurpose:
		t.Subscription = id
	default:
		t.Probe = id
	}
	return t, nil
}

var errNotOurs = errs.New(errs.NotFound, "this address is none of ours")

// returnPath matches what may be a delivery's address, as far as that is seen without the key.
var returnPath = regexp.MustCompile(`(?i)\bb\+[a-z2-7]{50,64}@[a-z0-9.-]+`)

// Find returns the delivery of the first address of ours in a text.
func (a Addresses) Find(text []byte) (Target, bool) {
	for _, found := range returnPath.FindAll(text, 20) {
		if t, err := a.Open(strings.TrimRight(string(found), ".-")); err == nil {
			return t, true
		}
	}
	return Target{}, false
}
