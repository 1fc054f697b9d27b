package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/errs"
)

// cost is what it takes to hash a password (RFC 9106). It stands in each hash, so that it can be raised: who signs in next gets a new one.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// present is what OWASP asks for with this much memory, twice over.
var present = cost{memory: 46 << 10, passes: 2, threads: 1}

const (
	saltBytes = 16
	sumBytes  = 32
)

// Passwords are as long as this, in characters.
const (
	ShortestPassword = 12
	longestPassword  = 200
	fewestDifferent  = 5
)

// CheckPassword says what is wrong with a password that somebody chose.
func CheckPassword(password, email string) error {
	length := utf8.RuneCountInString(password)
	different := map[rune]bool{}
	for _, r := range password {
		different[r] = true
	}
	mailbox, _, _ := strings.Cut(email, "@")
	without := strings.ReplaceAll(strings.ToLower(password), strings.ToLower(mailbox), "")
	switch {
	case length < ShortestPassword:
		return errs.New(errs.Invalid, "the password has %d characters: it needs %d or more; a few words that only you put together are good", length, ShortestPassword)
	case length > longestPassword:
		return errs.New(errs.Invalid, "the password has %d characters: %d are enough", length, longestPassword)
	case len(different) < fewestDifferent:
		return errs.New(errs.Invalid, "the password has only %d different characters: it is guessed at once", len(different))
	case strings.EqualFold(password, email) || mailbox != "" && len(without) < fewestDifferent:
		return errs.New(errs.Invalid, "the password is your address: it is guessed at once")
	}
	return nil
}

// turns let only so many hash at a time, and only so many wait: each takes the memory that it costs.
type turns struct {
	once  sync.Once
	going chan struct{}
	queue chan struct{}
}

const (
	hashAtOnce   = 2
	hashersWait  = 64
	busyWithSign = "too many are signing in at this moment: try again in a minute"
)

// take waits for a turn and returns what ends it.
func (t *turns) take(ctx context.Context) (end func(), err error) {
	t.once.Do(func() { t.going, t.queue = make(chan struct{}, hashAtOnce), make(chan struct{}, hashersWait) })
	select {
	case t.queue <- struct{}{}:
		defer func() { <-t.queue }()
	default:
		return nil, errs.New(errs.Unavailable, busyWithSign)
	}
	select {
	case t.going <- struct{}{}:
		return func() { <-t.going }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// hash returns a password's hash in the PHC form, which has its parameters in it.
func (s *Store) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	sum, err := s.sum(ctx, password, salt, present)
	if err != nil {
		return "", err
	}
	return phc(present, salt, sum), nil
}

func (s *Store) sum(ctx context.Context, password string, salt []byte, c cost) ([]byte, error) {
	end, err := s.hashing.take(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.passes, c.memory, c.threads, sumBytes), nil
}

// nobodys is what the passwords of accounts are compared with that are not there, or have none: it takes the same time and never matches.
var nobodys = phc(present, make([]byte, saltBytes), make([]byte, sumBytes))

// matches reports whether a password has a hash, and whether that was made at less than the present cost. A hash of "" is nobody's.
func (s *Store) matches(ctx context.Context, password, hash string) (ok, weak bool, err error) {
	known := hash != ""
	if !known {
		hash = nobodys
	}
	c, salt, want, err := parsePHC(hash)
	if err != nil {
		return false, false, err
	}
	if utf8.RuneCountInString(password) > longestPassword {
		password = "" // nobody has that
	}
	sum, err := s.sum(ctx, password, salt, c)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(sum, want) == 1 && known && password != "", c != present, nil
}

func phc(c cost, salt, sum []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads, text(salt), text(sum))
}

func parsePHC(hash string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	bad := errs.New(errs.Internal, "a stored password is no hash of argon2id")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); err != nil || c.passes == 0 || c.threads == 0 {
		return c, nil, nil, bad
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, bad
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) != sumBytes {
		return c, nil, nil, bad
	}
	return c, salt, sum, nil
}
