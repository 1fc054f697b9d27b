package compose_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"silkpost/internal/token"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
)

func ring(t *testing.T, secrets ...string) token.Keys {
	t.Helper()
	keys, err := token.NewKeys(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A link to change an address works while the contact has the address that it was asked for with, also after the secret key was
// changed, and tells the owner of the new address nothing of the old one.
func TestChangeTokens(t *testing.T) {
	t.Parallel()
	before, after := ring(t, "the first secret key"), ring(t, "the second secret key", "the first secret key")
	anna := subscribers.Contact{ID: 7, EmailKey: "anna@museum.example"}
	made := compose.ChangeToken(before, compose.ChangePurpose, &anna, "ü@bücher.example")
	if raw, _ := base64.RawURLEncoding.DecodeString(made); strings.Contains(string(raw), "anna") {
		t.Errorf("%q tells the old address", raw)
	}
	for name, keys := range map[string]token.Keys{"the same key": before, "another key first": after} {
		change, err := compose.OpenChange(keys, made)
		if err != nil || change.Purpose != compose.ChangePurpose || change.Contact != 7 || change.NewAddress != "ü@bücher.example" || !change.Holds(keys, &anna) {
			t.Errorf("%s: %+v, %v", name, change, err)
		}
		for who, contact := range map[string]subscribers.Contact{
			"another address": {ID: 7, EmailKey: "ü@xn--bcher-kva.example"}, "another contact": {ID: 8, EmailKey: "anna@museum.example"}, "erased": {ID: 7},
		} {
			if change.Holds(keys, &contact) {
				t.Errorf("%s: it holds for %s", name, who)
			}
		}
	}
	if release, err := compose.OpenChange(after, compose.ChangeToken(before, compose.ReleasePurpose, &anna, "b@museum.example")); err != nil ||
		release.Purpose != compose.ReleasePurpose || !release.Holds(after, &anna) {
		t.Errorf("the first step: %+v, %v", release, err)
	}
	for _, bad := range []string{"", made[1:], before.Sign(compose.ConfirmPurpose, 7), before.Sign(compose.ChangePurpose, 7)} {
		if change, err := compose.OpenChange(before, bad); err == nil && change.Holds(before, &anna) {
			t.Errorf("%q opens as %+v", bad, change)
		}
	}
}
