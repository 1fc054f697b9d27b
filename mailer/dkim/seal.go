package dkim

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"

	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// sealing is what the sealing keys are derived for: they are no good for anything else, and nothing else is for them.
const sealing = "silkpost: private keys of DKIM"

// seal encrypts a private key (AES-256-GCM, RFC 5116) for the row it stands in, with the first secret key: in another row it cannot be opened.
func seal(keys token.Keys, row string, private crypto.Signer) ([]byte, error) {
	if len(keys) == 0 {
		return nil, errNoSecret
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	box, err := boxOf(keys[0].Secret())
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return box.Seal(nonce, nonce, der, []byte(row)), nil
}

// open returns what was sealed, and which of the secret keys it took: 0 is the first.
func open(keys token.Keys, row string, sealed []byte) (private crypto.Signer, which int, err error) {
	if len(keys) == 0 {
		return nil, 0, errNoSecret
	}
	for i, secret := range keys {
		box, err := boxOf(secret.Secret())
		if err != nil {
			return nil, 0, err
		}
		if len(sealed) <= box.NonceSize() {
			break
		}
		der, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(row))
		if err != nil {
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, 0, err
		}
		return key.(crypto.Signer), i, nil // all that was sealed are
	}
	return nil, 0, errWrongSecret
}

func boxOf(secret []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, sealing, 32)
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
