package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/seal"
)

// sealing is what the secrets of second factors are sealed for.
const sealing = "silkpost: second factors of accounts"

// What codes are like (RFC 6238), as every app for them takes it.
const (
	codeEvery     = 30 * time.Second
	codeDigits    = otp.DigitsSix
	recoveryCodes = 10
	recoveryRunes = 16
)

// Factor is a second factor that waits for its first code.
type Factor struct {
	Secret string // in base32, to be typed
	URL    string // otpauth:, for a QR code
}

// BeginFactor makes a secret for codes; the account needs none before FinishFactor has seen one of it.
func (s *Store) BeginFactor(ctx context.Context, account int64) error {
	raw := make([]byte, 20) // RFC 4226, 4: as long as the hash
	_, _ = rand.Read(raw)   // never fails
	sealed, err := seal.Seal(s.Keys, sealing, Name(account), raw)
	if err != nil {
		return err
	}
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		return s.set(ctx, tx, account, `totp_new = $2`, sealed)
	})
}

// NewFactor returns the secret that waits for its first code; errs.NotFound when none does.
func (s *Store) NewFactor(ctx context.Context, account int64) (Factor, error) {
	row, err := byRow(ctx, s.DB, `a.id = $1`, account)
	if err != nil {
		return Factor{}, err
	}
	if row.TOTPNew == nil {
		return Factor{}, errs.New(errs.NotFound, "no second factor is being set up")
	}
	secret, err := s.openFactor(&row, row.TOTPNew)
	if err != nil {
		return Factor{}, err
	}
	query := url.Values{"secret": {secret}, "issuer": {"Silkpost"}}
	return Factor{secret, "otpauth://totp/" + url.PathEscape("Silkpost:"+row.Email) + "?" + query.Encode()}, nil
}

func (s *Store) openFactor(row *accountRow, sealed []byte) (secret string, err error) {
	raw, _, err := seal.Open(s.Keys, sealing, Name(row.ID), sealed)
	return strings.ToUpper(writing.EncodeToString(raw)), err
}

// FinishFactor makes the second factor needed from now on, if code is one of it, and returns the recovery codes, which are not to be had again. Every other
// session than the one given ends.
func (s *Store) FinishFactor(ctx context.Context, account int64, code string, but int64) (recovery []string, err error) {
	if err := s.take(ctx, perCode, Name(account)); err != nil {
		return nil, err
	}
	recovery, hashes := newRecovery()
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		row, err := byRow(ctx, tx, `a.id = $1 FOR UPDATE OF a`, account)
		if err != nil {
			return err
		}
		if row.TOTPNew == nil {
			return errs.New(errs.NotFound, "no second factor is being set up")
		}
		secret, err := s.openFactor(&row, row.TOTPNew)
		if err != nil {
			return err
		}
		step := stepOf(secret, code, s.Clock.Now())
		if step == 0 {
			return errs.New(errs.Invalid, "that is not the code of this moment: see whether the clock of your device is right")
		}
		if err := s.set(ctx, tx, account, `totp = totp_new, totp_new = NULL, totp_step = $2, recovery = $3`, step, pq.ByteaArray(hashes)); err != nil {
			return err
		}
		if err := clearAttempts(ctx, tx, perCode, Name(account)); err != nil {
			return err
		}
		return endSessions(ctx, tx, account, but)
	})
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

// sealedFactor is the secret of a second factor as it is stored.
type sealedFactor struct {
	Account int64  `db:"id"`
	Email   string `db:"email"`
	Sealed  []byte `db:"sealed"`
}

// sealedFactors returns the secrets of second factors: of those that are set up (column totp), or that wait for their first code (totp_new).
func sealedFactors(ctx context.Context, h database.Handle, column string) (all []sealedFactor, err error) {
	err = h.SelectContext(ctx, &all, `SELECT id, email, `+column+` AS sealed FROM accounts.accounts WHERE `+column+` IS NOT NULL ORDER BY id`)
	return all, err
}

// Outdated returns how many second factors are not sealed with the first of the secret keys.
func (s *Store) Outdated(ctx context.Context) (n int, err error) {
	all, err := sealedFactors(ctx, s.DB, "totp")
	for _, f := range all {
		if _, which, err := seal.Open(s.Keys, sealing, Name(f.Account), f.Sealed); err != nil || which != 0 {
			n++
		}
	}
	return n, err
}

// Reseal seals the secrets of second factors with the first of the secret keys, in h's transaction, and returns how many had another one. One that none of
// them opens is an error.
func (s *Store) Reseal(ctx context.Context, h database.Handle) (changed int, err error) {
	for _, column := range []string{"totp", "totp_new"} {
		all, err := sealedFactors(ctx, h, column)
		if err != nil {
			return 0, err
		}
		for _, f := range all {
			sealed, err := seal.Again(s.Keys, sealing, Name(f.Account), f.Sealed)
			if err != nil {
				return 0, errs.New(errs.KindOf(err), "second factor of %s: %w; or take it away: silkpost admin link %s --reset-second-factor", f.Email, err, f.Email)
			}
			if sealed == nil {
				continue
			}
			if _, err := h.ExecContext(ctx, `UPDATE accounts.accounts SET `+column+` = $2 WHERE id = $1 AND `+column+` = $3`, f.Account, sealed, f.Sealed); err != nil {
				return 0, err
			}
			changed++
		}
	}
	return changed, nil
}

// RemoveFactor takes one's own second factor away, or one that is being set up.
func (s *Store) RemoveFactor(ctx context.Context, account int64) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		return s.set(ctx, tx, account, `totp = NULL, totp_new = NULL, recovery = '{}'`)
	})
}

// NewRecovery replaces the recovery codes and returns the new ones, which are not to be had again. errs.Conflict when there is no second factor.
func (s *Store) NewRecovery(ctx context.Context, account int64) (recovery []string, err error) {
	recovery, hashes := newRecovery()
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		row, err := byRow(ctx, tx, `a.id = $1 FOR UPDATE OF a`, account)
		if err != nil {
			return err
		}
		if row.TOTP == nil {
			return errs.New(errs.Conflict, "there is no second factor to stand in for")
		}
		return s.set(ctx, tx, account, `recovery = $2`, pq.ByteaArray(hashes))
	})
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

func newRecovery() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		raw := newSecret()[:recoveryRunes]
		hashes = append(hashes, hashOf(raw))
		codes = append(codes, raw[:4]+"-"+raw[4:8]+"-"+raw[8:12]+"-"+raw[12:])
	}
	return codes, hashes
}

// bare returns a code as it is compared: people copy it with the space and the hyphens that it is shown with.
func bare(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\t", "").Replace(code))
}

// stepOf returns the time step that a code is of: the present one or a neighbour, since clocks differ; 0: of none of these.
func stepOf(secret, code string, now time.Time) (found int64) {
	code = bare(code)
	present := now.Unix() / int64(codeEvery/time.Second)
	for step := present - 1; step <= present+1; step++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found
}

// EnterCode finishes a sign-in whose session waits for a code: one of the second factor, or a recovery code; each works once. The session gets a new token.
func (s *Store) EnterCode(ctx context.Context, token, code string, from Visit) (t Ticket, err error) {
	row, err := s.session(ctx, s.DB, token, true)
	if err != nil {
		return t, err
	}
	if err := s.take(ctx, perCode, Name(row.ID)); err != nil {
		return t, err
	}
	from.Session = token
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		now, err := byRow(ctx, tx, `a.id = $1 FOR UPDATE OF a`, row.ID)
		if err != nil {
			return err
		}
		if _, err := s.session(ctx, tx, token, true); err != nil {
			return err // it has ended meanwhile
		}
		by, err := s.useCode(ctx, tx, &now, code)
		if err != nil {
			return err
		}
		if err := clearAttempts(ctx, tx, perCode, Name(row.ID)); err != nil {
			return err
		}
		t, err = s.admit(ctx, tx, now, false, by, from)
		return err
	})
	if errors.Is(err, errWrongCode) {
		if err := s.refused(ctx, perCode, Name(row.ID), row.ID, from); !errors.Is(err, ErrWrong) {
			return t, err
		}
	}
	return t, err
}

var errWrongCode = errs.New(errs.Invalid, "that code is not right, or it was used: wait for the next one")

// useCode uses a code up and says which kind it was.
func (s *Store) useCode(ctx context.Context, tx *sqlx.Tx, row *accountRow, code string) (by string, err error) {
	if code = bare(code); len(code) == recoveryRunes {
		done, err := tx.ExecContext(ctx, `UPDATE accounts.accounts SET recovery = array_remove(recovery, $2) WHERE id = $1 AND $2 = ANY (recovery)`, row.ID, hashOf(code))
		if err != nil {
			return "", err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return "", wrongUnless(err)
		}
		return "recovery_code", nil
	}
	if row.TOTP == nil {
		return "", errWrongCode
	}
	secret, err := s.openFactor(row, row.TOTP)
	if err != nil {
		return "", err
	}
	step := stepOf(secret, code, s.Clock.Now())
	if step <= row.TOTPStep { // also one that was used
		return "", errWrongCode
	}
	return "code", s.set(ctx, tx, row.ID, `totp_step = $2`, step)
}

func wrongUnless(err error) error {
	if err != nil {
		return err
	}
	return errWrongCode
}
