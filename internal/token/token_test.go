package token_test

import (
	"encoding/base64"
	"math"
	"strings"
	"sync"
	"testing"

	"silkpost/internal/errs"
	"silkpost/internal/token"
)

const (
	oldSecret = "the first secret key"
	newSecret = "the second secret key"
)

func keys(t testing.TB, secrets ...string) token.Keys {
	t.Helper()
	ring, err := token.NewKeys(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	ring := keys(t, newSecret)
	seen := map[string]int64{}
	for _, id := range []int64{0, 1, -1, 63, 64, 127, 128, 1 << 40, math.MaxInt64, math.MinInt64} {
		made := ring.Sign("unsubscribe", id)
		if got, err := ring.Open("unsubscribe", made); err != nil || got != id {
			t.Errorf("id %d comes back as %d, %v", id, got, err)
		}
		if again := ring.Sign("unsubscribe", id); again != made {
			t.Errorf("id %d gives %s and then %s", id, made, again)
		}
		if other, taken := seen[made]; taken {
			t.Errorf("ids %d and %d give the same token", other, id)
		}
		seen[made] = id
		if strings.Trim(made, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s cannot stand in a URL as it is", made)
		}
	}
}

// Words are bound to the id and the purpose like the id itself, and a token with words is none without.
func TestWordsAreBound(t *testing.T) {
	t.Parallel()
	ring := keys(t, newSecret, oldSecret)
	for _, words := range []string{"", "a", "anna@museum.example\nü@bücher.example", strings.Repeat("w", 600), "\x00\xff"} {
		for _, signer := range []token.Keys{ring, ring[1:]} {
			made := signer.SignWith("change", 7, words)
			if id, got, err := ring.OpenWith("change", made); err != nil || id != 7 || got != words {
				t.Errorf("%q comes back as %d %q, %v", words, id, got, err)
			}
			if id, err := ring.Open("change", made); (words == "") != (err == nil) || words != "" && id != 0 {
				t.Errorf("%q, opened without words: %d, %v", words, id, err)
			}
			if _, _, err := ring.OpenWith("confirm", made); errs.KindOf(err) != errs.NotFound {
				t.Errorf("%q opens for another purpose", words)
			}
		}
	}
	if ring.SignWith("change", 7, "") != ring.Sign("change", 7) {
		t.Error("no words are another token than none")
	}
	// One id's last byte is never another id's word.
	if ring.SignWith("change", 1, "\x02") == ring.SignWith("change", 129, "") || ring.SignWith("change", 64, "") == ring.SignWith("change", 0, "\x01") {
		t.Error("id and words run together")
	}
}

func TestPurposeIsBound(t *testing.T) {
	t.Parallel()
	ring := keys(t, newSecret)
	made := ring.Sign("unsubscribe", 7)
	for _, purpose := range []string{"", "confirm", "unsubscrib", "unsubscribe ", "Unsubscribe", "unsubscribe\x00"} {
		refuse(t, ring, purpose, made, "a token for unsubscribe")
	}
}

func TestChangedTokensAreRefused(t *testing.T) {
	t.Parallel()
	ring := keys(t, newSecret)
	made := ring.Sign("unsubscribe", 1234567)
	raw, err := base64.RawURLEncoding.DecodeString(made)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		changed := append([]byte(nil), raw...)
		changed[bit/8] ^= 1 << (bit % 8)
		refuse(t, ring, "unsubscribe", base64.RawURLEncoding.EncodeToString(changed), "a flipped bit")
	}
	for length := range made {
		refuse(t, ring, "unsubscribe", made[:length], "cut short")
	}
	for name, changed := range map[string]string{
		"longer":           made + "A",
		"padded":           made + "==",
		"a space":          " " + made,
		"twice":            made + made,
		"not base64":       strings.Repeat("%", len(made)),
		"the preview link": "preview",
		"NUL and UTF-8":    "\x00\xff",
	} {
		refuse(t, ring, "unsubscribe", changed, name)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	before, during, after := keys(t, oldSecret), keys(t, newSecret, oldSecret), keys(t, newSecret)
	old := before.Sign("unsubscribe", 42)
	if got, err := during.Open("unsubscribe", old); err != nil || got != 42 {
		t.Errorf("a link of the old key gives %d, %v while that key is kept", got, err)
	}
	if during.Sign("unsubscribe", 42) != after.Sign("unsubscribe", 42) {
		t.Error("the first key does not sign")
	}
	refuse(t, after, "unsubscribe", old, "a key that is gone")
	refuse(t, before, "unsubscribe", during.Sign("unsubscribe", 42), "a key that is not there yet")
	refuse(t, nil, "unsubscribe", old, "no key at all")
}

func TestNewKeysRefusesWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]string{
		"none": nil, "short": {"fifteen letters"}, "a short one among good ones": {newSecret, "short"}, "empty": {""},
	} {
		if ring, err := token.NewKeys(secrets...); errs.KindOf(err) != errs.Invalid || ring != nil {
			t.Errorf("%s: %v, %v", name, ring, err)
		}
	}
	if _, err := token.NewKeys("short"); err == nil || strings.Contains(err.Error(), `"short"`) {
		t.Errorf("the error %v should not show the secret", err)
	}
}

// refuse wants the answer that tells nothing about why.
func refuse(t *testing.T, ring token.Keys, purpose, given, why string) {
	t.Helper()
	if id, err := ring.Open(purpose, given); errs.KindOf(err) != errs.NotFound || id != 0 {
		t.Errorf("%s: Open(%q, %q) = %d, %v", why, purpose, given, id, err)
	}
}

// What opens was signed: nothing but the token of its id does. Line breaks, which base64 passes over, are what mail programs put
// into long links.
func FuzzOpen(f *testing.F) {
	ring := keys(f, newSecret, oldSecret)
	f.Add(ring.Sign("unsubscribe", 1))
	f.Add(ring[1:].Sign("unsubscribe", -1))
	f.Add(ring.Sign("confirm", 1))
	f.Add("preview")
	f.Add("")
	f.Fuzz(func(t *testing.T, given string) {
		id, err := ring.Open("unsubscribe", given)
		if err != nil {
			if errs.KindOf(err) != errs.NotFound || id != 0 {
				t.Errorf("Open(%q) = %d, %v", given, id, err)
			}
			return
		}
		given = strings.NewReplacer("\r", "", "\n", "").Replace(given)
		if given != ring.Sign("unsubscribe", id) && given != ring[1:].Sign("unsubscribe", id) {
			t.Errorf("%q opens as %d, but is not its token", given, id)
		}
	})
}

// What one goroutine signs does not get into what another does.
func TestManySignAtOnce(t *testing.T) {
	t.Parallel()
	ring := keys(t, newSecret)
	var all sync.WaitGroup
	for id := range int64(8) {
		want := keys(t, newSecret).Sign("view", id)
		all.Go(func() {
			for range 200 {
				if got := ring.Sign("view", id); got != want {
					t.Errorf("id %d gives %s, not %s", id, got, want)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkSign(b *testing.B) {
	ring := keys(b, newSecret)
	b.ReportAllocs()
	for b.Loop() {
		ring.Sign("unsubscribe", 123456)
	}
}
