package installation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"regexp"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// Path is where an installation answers, below its public URL; Query names the challenge in it.
const (
	Path  = "/.well-known/silkpost"
	Query = "challenge"
)

// proofPurpose is that of the token by which an answer proves that it comes from the same database.
const proofPurpose = "installation"

// challengeLife is for how long a challenge can be answered.
const challengeLife = 10 * time.Minute

// Answer is what an installation says at Path.
type Answer struct {
	Installation uuid.UUID `json:"installation"`
	Proof        string    `json:"proof"` // "": the challenge is none of its database's
}

// Challenge writes a word down that nobody can guess, for Reply to read.
func Challenge(ctx context.Context, h database.Handle, now time.Time) (nonce string, err error) {
	defer errs.Wrap(&err, "installation.Challenge")
	nonce = rand.Text()
	_, err = h.ExecContext(ctx, `
		WITH old AS (DELETE FROM installation.challenges WHERE made_at < $3)
		INSERT INTO installation.challenges (nonce, made_at) VALUES ($1, $2)`, nonce, now, now.Add(-challengeLife))
	return nonce, err
}

// nonceForm is how challenges are written: what Postgres takes for text, whoever asks.
var nonceForm = regexp.MustCompile(`^[A-Z2-7]{20,40}$`)

// Reply answers a challenge, with a proof if it was made in this very database. It changes nothing.
func Reply(ctx context.Context, h database.Handle, keys token.Keys, nonce string) (a Answer, err error) {
	defer errs.Wrap(&err, "installation.Reply")
	s, err := Of(ctx, h)
	if err != nil {
		return a, err
	}
	var known bool
	if !nonceForm.MatchString(nonce) {
		nonce = ""
	}
	if err := h.GetContext(ctx, &known, `SELECT EXISTS (SELECT FROM installation.challenges WHERE nonce = $1)`, nonce); err != nil {
		return a, err
	}
	a.Installation = s.ID
	if known && keys != nil {
		a.Proof = keys.SignWith(proofPurpose, 0, nonce)
	}
	return a, nil
}

// ParseAnswer reads what somebody answered at Path. What no installation says is errs.Invalid.
func ParseAnswer(body []byte) (a Answer, err error) {
	if err := json.Unmarshal(body, &a); err != nil || a.Installation == uuid.Nil {
		return a, errs.New(errs.Invalid, "the answer is not that of an installation")
	}
	return a, nil
}

// Proves reports whether an answer comes from the database that the challenge was made in. Without our key nobody can make it so.
func (a Answer) Proves(keys token.Keys, nonce string) bool {
	id, words, err := keys.OpenWith(proofPurpose, a.Proof)
	return err == nil && id == 0 && words == nonce
}
