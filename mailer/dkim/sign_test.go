package dkim

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pair is a key with its record, which another implementation reads.
type pair struct {
	Key
	private crypto.Signer
}

func newPair(t testing.TB, a Algorithm, domain, selector string) pair {
	t.Helper()
	private, public, err := generate(a)
	if err != nil {
		t.Fatal(err)
	}
	return pair{Key{Domain: domain, Selector: selector, Algorithm: a, Public: public}, private}
}

func (p pair) signer() signer { return signer{p.Domain, p.Selector, p.private} }

// verify has another implementation check the signatures of a message, by the records of the given keys.
func verify(t testing.TB, message []byte, keys ...pair) (found []*msgauth.Verification) {
	t.Helper()
	found, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		for _, k := range keys {
			if name == k.Name() {
				return []string{k.Record()}, nil
			}
		}
		return nil, fmt.Errorf("no record of %s", name)
	}})
	if err != nil {
		t.Fatalf("%v in\n%s", err, message)
	}
	return found
}

func signedWith(t testing.TB, message []byte, keys ...pair) []byte {
	t.Helper()
	var signers []signer
	for _, k := range keys {
		signers = append(signers, k.signer())
	}
	// Signatures expire by the true clock, which is the verifier's.
	header, err := sign(signers, message, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return append(header, message...)
}

const letter = "Subject: Thirty seats\r\nFrom: Example Association <news@example.org>\r\nTo: =?utf-8?q?Mar=C3=ADa?=\r\n <maria@partner.example>\r\n" +
	"Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n" +
	"List-Id: News <partners.example.org>\r\nList-Unsubscribe: <https://news.example.org/unsubscribe/abc>,\r\n <mailto:u+abc@bounce.example.org>\r\n" +
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n\r\nGood day.\r\n\r\nThe programme  opens again. \r\n\r\n"

// two are a key of each algorithm, made once: making one for RSA takes its time.
func two(t testing.TB) (pair, pair) {
	return newPair(t, RSA, "example.org", "s1"), newPair(t, Ed25519, "example.org", "s2")
}

func TestAnotherImplementationVerifies(t *testing.T) {
	t.Parallel()
	rsaKey, edKey := two(t)
	for _, keys := range [][]pair{{rsaKey}, {edKey}, {rsaKey, edKey}} {
		message := signedWith(t, []byte(letter), keys...)
		found := verify(t, message, rsaKey, edKey)
		if len(found) != len(keys) {
			t.Fatalf("%d signatures, want %d", len(found), len(keys))
		}
		for _, v := range found {
			if v.Err != nil || v.Domain != "example.org" {
				t.Errorf("%+v in\n%s", v, message)
			}
			for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"} {
				if !slices.Contains(v.HeaderKeys, name) {
					t.Errorf("%s is not signed", name)
				}
			}
		}
		for line := range strings.SplitSeq(string(message[:len(message)-len(letter)]), "\r\n") {
			if len(line) > 78 {
				t.Errorf("a line of the signature has %d characters: %s", len(line), line)
			}
		}
	}
}

func TestWhatIsChangedIsSeen(t *testing.T) {
	t.Parallel()
	_, key := two(t)
	message := string(signedWith(t, []byte(letter), key))
	for name, changed := range map[string]string{
		"a word of the body":     strings.Replace(message, "programme", "program", 1),
		"the subject":            strings.Replace(message, "Thirty", "Forty", 1),
		"a second From":          strings.Replace(message, "\r\nFrom:", "\r\nFrom: <x@evil.example>\r\nFrom:", 1),
		"a second From above":    "From: <x@evil.example>\r\n" + message,
		"a second Subject":       "Subject: Win\r\n" + message,
		"a Reply-To":             "Reply-To: <x@evil.example>\r\n" + message,
		"a second Content-Type":  "Content-Type: text/html\r\n" + message,
		"the unsubscribe link":   strings.Replace(message, "/unsubscribe/abc", "/unsubscribe/abd", 1),
		"the one-click field":    strings.Replace(message, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", "", 1),
		"more text behind":       message + "Read this, too.\r\n",
		"the signature's expiry": strings.Replace(message, "; x=1", "; x=2", 1),
	} {
		if changed == message {
			t.Fatalf("%s: nothing was changed", name)
		}
		if found := verify(t, []byte(changed), key); len(found) != 1 || found[0].Err == nil {
			t.Errorf("%s: the signature holds", name)
		}
	}
	for name, changed := range map[string]string{
		"nothing":                message,
		"a trace field":          "Received: from a by b; Sun, 22 Nov 2026 12:00:01 +0000\r\n" + message,
		"unfolding":              strings.NewReplacer("q?=\r\n <maria", "q?= <maria", ",\r\n <mailto", ", <mailto").Replace(message),
		"other folding":          strings.Replace(message, "Subject: Thirty seats", "Subject:\r\n\tThirty\r\n  seats", 1),
		"the case of a name":     strings.Replace(message, "\r\nFrom:", "\r\nFROM:", 1),
		"blanks in the body":     strings.Replace(message, "programme  opens again. \r\n", "programme \topens again.\r\n", 1),
		"empty lines at the end": message + "\r\n\r\n",
		"a list that passes on":  "List-Id: Staff <staff.partner.example>\r\n" + message,
	} {
		if found := verify(t, []byte(changed), key); len(found) != 1 || found[0].Err != nil {
			t.Errorf("%s breaks the signature: %+v", name, found)
		}
	}
}

// TestAnyMessageVerifies signs what looks like messages at random, with the blanks and line breaks that canonical forms are about.
func TestAnyMessageVerifies(t *testing.T) {
	t.Parallel()
	_, key := two(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab :;=.,\t<>@-é中")))
		var b strings.Builder
		names := rapid.SliceOf(rapid.SampledFrom(append([]string{"X-Other", "Received", "subject", "TO"}, signed[1:]...))).Draw(t, "names")
		b.WriteString("From: <news@example.org>\r\n")
		for _, name := range names {
			fmt.Fprintf(&b, "%s:%s", name, text.Draw(t, "value"))
			if more := text.Draw(t, "more"); rapid.Bool().Draw(t, "folded") && strings.TrimSpace(more) != "" {
				b.WriteString("\r\n " + more)
			}
			b.WriteString("\r\n")
		}
		b.WriteString("\r\n")
		for _, line := range rapid.SliceOf(text).Draw(t, "body") {
			b.WriteString(line + "\r\n")
		}
		b.WriteString(text.Draw(t, "end"))
		header, err := sign([]signer{key.signer()}, []byte(b.String()), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		message := append(header, b.String()...)
		found, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{LookupTXT: func(string) ([]string, error) {
			return []string{key.Record()}, nil
		}})
		if err != nil || len(found) != 1 || found[0].Err != nil {
			t.Fatalf("%v, %+v in\n%q", err, found, message)
		}
	})
}

// TestKnownVector is the message and the Ed25519 key of RFC 8463, appendix A, with the body hash that it gives.
func TestKnownVector(t *testing.T) {
	t.Parallel()
	const body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
	var canonical bytes.Buffer
	canonicalBody(canonical.Write, []byte(body))
	if want := strings.ReplaceAll(body, ".  Are", ". Are"); canonical.String() != want {
		t.Errorf("the canonical body is %q, want %q", canonical.String(), want)
	}
	header, err := sign([]signer{newPair(t, Ed25519, "football.example.com", "brisbane").signer()},
		[]byte("From: Joe SixPack <joe@football.example.com>\r\n\r\n"+body), noon)
	if want := "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;"; err != nil || !bytes.Contains(header, []byte(want)) {
		t.Errorf("%v, no %s in\n%s", err, want, header)
	}
}

func TestWithoutOneFromNothingIsSigned(t *testing.T) {
	t.Parallel()
	key := newPair(t, Ed25519, "example.org", "s")
	for _, message := range []string{"To: <a@example.org>\r\n\r\nText\r\n", "From: <a@example.org>\r\nFrom: <b@example.org>\r\n\r\nText\r\n"} {
		if header, err := sign([]signer{key.signer()}, []byte(message), noon); err == nil {
			t.Errorf("%q was signed: %s", message, header)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	rsaKey, edKey := two(t)
	if record := edKey.Record(); record != "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(edKey.Public) || len(edKey.Public) != 32 {
		t.Error(record)
	}
	zone := rsaKey.Zone()
	if !strings.HasPrefix(zone, `s1._domainkey.example.org. 3600 IN TXT ( "v=DKIM1; k=rsa; p=MII`) {
		t.Error(zone)
	}
	texts := strings.Split(zone, `"`)
	if joined := texts[1] + texts[3]; joined != rsaKey.Record() || len(texts[1]) != 255 {
		t.Errorf("%q does not give the record when joined", zone)
	}
}

// body is what a digest of 12 KB looks like: quoted-printable with soft line breaks.
func digest(size int) []byte {
	line := strings.Repeat("<td style=3D\"color:#333\">The programme opens again </td>", 2)[:75] + "=\r\n"
	head, _, _ := strings.Cut(letter, "\r\n\r\n")
	return []byte(head + "\r\n\r\n" + strings.Repeat(line, size/len(line)) + "\r\n")
}

// BenchmarkSign signs 12 KB: by RSA, by Ed25519, by both, and what all of that is without the signature itself. The library is for comparison.
func BenchmarkSign(b *testing.B) {
	rsaKey, edKey := two(b)
	message := digest(12 << 10)
	indented := bytes.ReplaceAll(message, []byte("=\r\n"), []byte("  \r\n"))
	for _, of := range []struct {
		name    string
		message []byte
		signers []signer
	}{
		{"rsa", message, []signer{rsaKey.signer()}},
		{"ed25519", message, []signer{edKey.signer()}},
		{"both", message, []signer{rsaKey.signer(), edKey.signer()}},
		{"none", message, nil},
		{"none, blanks to be taken out", indented, nil},
	} {
		b.Run(of.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sign(of.signers, of.message, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, key := range map[string]pair{"library rsa": rsaKey, "library ed25519": edKey} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out bytes.Buffer
				if err := msgauth.Sign(&out, bytes.NewReader(message), &msgauth.SignOptions{
					Domain: key.Domain, Selector: key.Selector, Signer: key.private, HeaderKeys: signed,
					HeaderCanonicalization: msgauth.CanonicalizationRelaxed, BodyCanonicalization: msgauth.CanonicalizationRelaxed,
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
