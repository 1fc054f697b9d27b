// Package token makes and reads the signed tokens that stand in links: a purpose and an id, protected by HMAC-SHA-256.
// They carry no secret and no date, so a link in an old mail works for as long as its key is kept.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"silkpost/internal/errs"
)

// macBytes is how much of the HMAC a token carries: 128 bits.
const macBytes = 16

// Keys is a ring of secret keys: the first signs, all verify.
type Keys [][]byte

// NewKeys returns a ring of the given secrets. Each must be at least 16 bytes long.
func NewKeys(secrets ...string) (Keys, error) {
	if len(secrets) == 0 {
		return nil, errs.New(errs.Invalid, "no secret key is set")
	}
	keys := make(Keys, 0, len(secrets))
	for _, s := range secrets {
		if len(s) < 16 {
			return nil, errs.New(errs.Invalid, "a secret key needs at least 16 characters, this one has %d", len(s))
		}
		keys = append(keys, []byte(s))
	}
	return keys, nil
}

// Sign returns the URL-safe token for id under purpose. It is the same each time.
func (k Keys) Sign(purpose string, id int64) string {
	body := binary.AppendVarint(nil, id)
	return base64.RawURLEncoding.EncodeToString(append(mac(k[0], purpose, body), body...))
}

// Open returns the id that a token was signed for. A token that was made for another purpose, changed, or signed with a key
// that is no longer in the ring gives an error of kind errs.NotFound.
func (k Keys) Open(purpose, token string) (int64, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= macBytes || strings.ContainsAny(token, "\r\n") { // line breaks the decoder passes over
		return 0, errBad
	}
	sum, body := raw[:macBytes], raw[macBytes:]
	for _, key := range k {
		if !hmac.Equal(sum, mac(key, purpose, body)) {
			continue
		}
		if id, n := binary.Varint(body); n == len(body) {
			return id, nil
		}
	}
	return 0, errBad
}

var errBad = errs.New(errs.NotFound, "this link is not one of ours, or it was cut short")

func mac(key []byte, purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)[:macBytes]
}
