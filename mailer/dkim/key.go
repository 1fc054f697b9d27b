package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"silkpost/internal/errs"
)

// State is whether a key signs.
type State string

// The states.
const (
	Made    State = "made" // waits until its record is published
	Active  State = "active"
	Retired State = "retired" // its record has to stay for a while, for mail that is under way
)

// Key is a key as it is stored, without what is secret of it.
type Key struct {
	Domain    string     `db:"domain" json:"domain"` // as A-labels
	Selector  string     `db:"selector" json:"selector"`
	Algorithm Algorithm  `db:"algorithm" json:"algorithm"`
	State     State      `db:"state" json:"state"`
	Public    []byte     `db:"public" json:"-"` // as p= has it
	MadeAt    time.Time  `db:"made_at" json:"made_at"`
	UsedAt    *time.Time `db:"used_at" json:"used_at"`       // since when it signs, or did; null: never
	RetiredAt *time.Time `db:"retired_at" json:"retired_at"` // null: it was not
}

// Name is where the key's record is published.
func (k *Key) Name() string { return k.Selector + "._domainkey." + k.Domain }

// Record is the TXT record to publish (RFC 6376, 3.6.1), as one text.
func (k *Key) Record() string {
	return "v=DKIM1; k=" + string(k.Algorithm) + "; p=" + base64.StdEncoding.EncodeToString(k.Public)
}

// Zone is the record as a line of a zone file: texts there have 255 bytes at most (RFC 1035, 3.3).
func (k *Key) Zone() string { return ZoneTXT(k.Name(), k.Record()) }

// ZoneTXT is a TXT record as a line of a zone file.
func ZoneTXT(name, value string) string {
	const longest = 255
	var texts []string
	for ; len(value) > longest; value = value[longest:] {
		texts = append(texts, fmt.Sprintf("%q", value[:longest]))
	}
	texts = append(texts, fmt.Sprintf("%q", value))
	all := strings.Join(texts, " ")
	if len(texts) > 1 {
		all = "( " + all + " )"
	}
	return name + ". 3600 IN TXT " + all
}

// row is what a sealed key is bound to.
func (k *Key) row() string { return k.Selector + "/" + k.Domain }

// rsaBits is what all receivers take and still is safe (RFC 8301, 3.2).
const rsaBits = 2048

// generate makes a private key, and its public one as records have it.
func generate(a Algorithm) (private crypto.Signer, public []byte, err error) {
	switch a {
	case RSA:
		key, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return nil, nil, err
		}
		public, err = x509.MarshalPKIXPublicKey(key.Public())
		return key, public, err
	case Ed25519:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		return private, public, err // as it is (RFC 8463, 4.2)
	}
	return nil, nil, errs.New(errs.Invalid, "algorithm %q: it is rsa or ed25519", a)
}

// selectorForm is what a selector may be (RFC 6376, 3.1): names of hosts.
var selectorForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,3}$`)

// check says what is wrong with a key that is to be made.
func (k *Key) check() error {
	if !selectorForm.MatchString(k.Selector) {
		return errs.New(errs.Invalid, "selector %q: it is made of lower-case letters, digits and hyphens, such as %s", k.Selector, selectorFor(k.Algorithm, k.MadeAt))
	}
	if suffix, _ := publicsuffix.PublicSuffix(k.Domain); suffix == k.Domain {
		return errs.New(errs.Invalid, "domain %s: nobody sends mail from a domain like this; it should be one of your own", k.Domain)
	}
	if len(k.Name()) > 253 {
		return errs.New(errs.Invalid, "%s is too long for a name in the DNS: choose a shorter selector", k.Name())
	}
	return nil
}

// selectorFor returns a selector that says when a key was made: rotating goes by its date.
func selectorFor(a Algorithm, at time.Time) string { return at.Format("200601") + "-" + string(a) }
