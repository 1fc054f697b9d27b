// Package token makes and reads the signed tokens that stand in links: a purpose and an id, and for some purposes a few words,
// protected by HMAC-SHA-256. They carry no secret and no date, so a link in an old mail works for as long as its key is kept.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strings"
	"sync"

	"silkpost/internal/errs"
)

// macBytes is how much of the HMAC a token carries: 128 bits.
const macBytes = 16

// Keys is a ring of secret keys: the first signs, all verify. It may be used by any number of goroutines.
type Keys []*Key

// Key is a secret with hashes that have taken it in already, for that takes half of the time.
type Key struct {
	secret []byte
	hashes sync.Pool
}

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
		keys = append(keys, &Key{secret: []byte(s)})
	}
	return keys, nil
}

// Sign returns the URL-safe token for id under purpose. It is the same each time.
func (k Keys) Sign(purpose string, id int64) string { return k.SignWith(purpose, id, "") }

// SignWith returns the URL-safe token for id and words under purpose. Anybody can read both in it. It is the same each time.
func (k Keys) SignWith(purpose string, id int64, words string) string {
	body := append(binary.AppendVarint(nil, id), words...)
	return base64.RawURLEncoding.EncodeToString(append(k[0].mac(purpose, body), body...))
}

// Open returns the id that a token was signed for. A token that was made for another purpose or with words, changed, or signed
// with a key that is no longer in the ring gives an error of kind errs.NotFound.
func (k Keys) Open(purpose, token string) (int64, error) {
	id, words, err := k.OpenWith(purpose, token)
	if err != nil || words != "" {
		return 0, errBad
	}
	return id, nil
}

// OpenWith returns the id and the words that a token was signed for, "" when it was signed without. Its errors are those of Open.
func (k Keys) OpenWith(purpose, token string) (id int64, words string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= macBytes || strings.ContainsAny(token, "\r\n") { // line breaks the decoder passes over
		return 0, "", errBad
	}
	sum, body := raw[:macBytes], raw[macBytes:]
	for _, key := range k {
		if !hmac.Equal(sum, key.mac(purpose, body)) {
			continue
		}
		if id, n := binary.Varint(body); n > 0 {
			return id, string(body[n:]), nil
		}
	}
	return 0, "", errBad
}

var errBad = errs.New(errs.NotFound, "this link is not one of ours, or it was cut short")

// Secret returns the secret itself, to derive other keys from.
func (k *Key) Secret() []byte { return k.secret }

func (k *Key) mac(purpose string, body []byte) []byte {
	h, ready := k.hashes.Get().(hash.Hash)
	if ready {
		h.Reset()
	} else {
		h = hmac.New(sha256.New, k.secret)
	}
	defer k.hashes.Put(h)
	text := make([]byte, 0, max(len(purpose)+1+len(body), sha256.Size)) // room for the sum
	text = append(append(append(text, purpose...), 0), body...)
	h.Write(text)
	return h.Sum(text[:0])[:macBytes]
}
