package dkim

import (
	"crypto"
	"crypto/x509"

	"silkpost/internal/seal"
	"silkpost/internal/token"
)

// sealing is what private keys are sealed for.
const sealing = "silkpost: private keys of DKIM"

// sealKey encrypts a private key for the row it stands in, with the first secret key: in another row it cannot be opened.
func sealKey(keys token.Keys, row string, private crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return seal.Seal(keys, sealing, row, der)
}

// openKey returns what was sealed, and which of the secret keys it took: 0 is the first.
func openKey(keys token.Keys, row string, sealed []byte) (private crypto.Signer, which int, err error) {
	der, which, err := seal.Open(keys, sealing, row, sealed)
	if err != nil {
		return nil, 0, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, 0, err
	}
	return key.(crypto.Signer), which, nil // all that was sealed are
}
