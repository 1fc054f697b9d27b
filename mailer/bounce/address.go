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

// The purposes of the tokens in our addresses. The id of the first is a contact's, its words are the edition's id; the words of the second are the notice's
// id; the id of the third is a subscription's, that of the fourth a time, that of the fifth a trial's.
const (
	bouncePurpose      = "bounce"
	noticePurpose      = "bounce of a notice"
	unsubscribePurpose = "unsubscribe by mail"
	probePurpose       = "probe"
	trialPurpose       = "trial"
)

// Addresses are ours at the domain where mail comes back. Its tokens are in base32, because some servers lower the letters of an address.
type Addresses struct {
	Domain string // as A-labels
	Keys   token.Keys
}

// prefixes say what an address is for.
var prefixes = map[string]string{"b": bouncePurpose, "n": noticePurpose, "u": unsubscribePurpose, "t": probePurpose, "d": trialPurpose}

// ReturnPath returns the envelope sender of a delivery to a contact's address. It is bound to that address, without showing it.
func (a Addresses) ReturnPath(edition uuid.UUID, contact int64, address string) string {
	return a.address("b", contact, string(append(edition[:], checkOf(address))))
}

// NoticePath returns the envelope sender of a notice to an address. It is bound to that address, without showing it.
func (a Addresses) NoticePath(notice uuid.UUID, address string) string {
	check := noticeCheck(address)
	return a.address("n", anyID, string(append(notice[:], check[:]...)))
}

// anyID is the id of tokens whose words say all.
const anyID = 1

// noticeCheck tells an address from another one. There is room for more of it than in a delivery's.
func noticeCheck(address string) (check [noticeCheckBytes]byte) {
	copy(check[:], sha256Of([]byte(strings.ToLower(address))))
	return check
}

const noticeCheckBytes = 4

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

// Trial returns an address for a message of our own, to which comes what others make of it.
func (a Addresses) Trial(id int64) string { return a.address("d", id, "") }

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
	Trial        int64
	Notice       uuid.UUID
	noticeCheck  [noticeCheckBytes]byte // of the address that it went to
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
	case purpose == noticePurpose:
		if len(words) != len(uuid.UUID{})+noticeCheckBytes {
			return t, errNotOurs
		}
		copy(t.noticeCheck[:], words[copy(t.Notice[:], words):])
		return t, nil
	case words != "":
		return t, errNotOurs
	case purpose == unsubscribePurpose:
		t.Subscription = id
	case purpose == trialPurpose:
		t.Trial = id
	default:
		t.Probe = id
	}
	return t, nil
}

var errNotOurs = errs.New(errs.NotFound, "this address is none of ours")

// returnPath matches what may be a return path of ours, as far as that is seen without the key.
var returnPath = regexp.MustCompile(`(?i)\b[bnd]\+[a-z2-7]{26,64}@[a-z0-9.-]+`)

// Find returns what the first return path of ours in a text stands for.
func (a Addresses) Find(text []byte) (Target, bool) {
	for _, found := range returnPath.FindAll(text, 20) {
		if t, err := a.Open(strings.TrimRight(string(found), ".-")); err == nil {
			return t, true
		}
	}
	return Target{}, false
}
