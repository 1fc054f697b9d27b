// Package seal encrypts what the program must be able to read again and nobody else, such as private keys, with keys that are derived from the
// program's secret keys.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"

	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// Seal encrypts a secret (AES-256-GCM, RFC 5116) with the first of the program's keys, for a purpose and the row it stands in: for another purpose, or in
// another row, it cannot be opened. errs.Unavailable when there is no key.
func Seal(keys token.Keys, purpose, row string, secret []byte) ([]byte, error) {
	if len(keys) == 0 {
		return nil, errNoSecret
	}
	box, err := boxOf(keys[0].Secret(), purpose)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return box.Seal(nonce, nonce, secret, []byte(row)), nil
}

// Open returns what was sealed, and which of the keys it took: 0 is the first. errs.Unavailable when none does.
func Open(keys token.Keys, purpose, row string, sealed []byte) (secret []byte, which int, err error) {
	if len(keys) == 0 {
		return nil, 0, errNoSecret
	}
	for i, key := range keys {
		box, err := boxOf(key.Secret(), purpose)
		if err != nil {
			return nil, 0, err
		}
		if len(sealed) <= box.NonceSize() {
			break
		}
		if secret, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(row)); err == nil {
			return secret, i, nil
		}
	}
	return nil, 0, errWrongSecret
}

// Again seals anew, with the first of the keys, what was sealed with another one. It returns nil for what the first opens already. errs.Unavailable when none
// does.
func Again(keys token.Keys, purpose, row string, sealed []byte) ([]byte, error) {
	secret, which, err := Open(keys, purpose, row, sealed)
	if err != nil || which == 0 {
		return nil, err
	}
	return Seal(keys, purpose, row, secret)
}

// boxOf derives a key (RFC 5869) that is no good for anything but its purpose.
func boxOf(secret []byte, purpose string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

var (
	errNoSecret    = errs.New(errs.Unavailable, "there is no secret key to open it with: set SILKPOST_SECRET_KEY")
	errWrongSecret = errs.New(errs.Unavailable, "none of the secret keys opens it: list the one it was made with in SILKPOST_SECRET_KEY as well")
)
