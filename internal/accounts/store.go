package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/clock"
	"silkpost/internal/token"
)

// Store keeps accounts, their sessions, links and keys in the database. Its methods may be called by any number of goroutines; those that
// change something open their own transactions.
type Store struct {
	DB    *sqlx.DB
	Clock clock.Clock
	Keys  token.Keys // seals the secrets of second factors and signs what browsers are known by; nil: neither is to be had

	hashing turns
}

// secretBytes is how much chance is in each secret that is made here.
const secretBytes = 32

var writing = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newSecret returns what nobody can guess, in letters and digits.
func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return writing.EncodeToString(b)
}

// hashOf returns what is stored of a secret that was made by chance: it is too long to be tried out, so a plain hash is enough.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// oneLine returns text fit for a table: without line breaks and other control characters, and not too long.
func oneLine(s string, longest int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s), "")), " ")
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest])
	}
	return s
}
