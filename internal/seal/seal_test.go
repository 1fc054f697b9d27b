package seal_test

import (
	"slices"
	"testing"

	"silkpost/internal/errs"
	"silkpost/internal/seal"
	"silkpost/internal/token"
)

func TestSealed(t *testing.T) {
	t.Parallel()
	first, firstErr := token.NewKeys("the first secret key")
	second, secondErr := token.NewKeys("another secret key")
	if firstErr != nil || secondErr != nil {
		t.Fatal(firstErr, secondErr)
	}
	sealed, err := seal.Seal(first, "a purpose", "row 1", []byte("what is secret"))
	if err != nil {
		t.Fatal(err)
	}
	if got, which, err := seal.Open(slices.Concat(second, first), "a purpose", "row 1", sealed); err != nil || which != 1 || string(got) != "what is secret" {
		t.Errorf("%q %d %v", got, which, err)
	}
	changed := slices.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for _, tt := range []struct {
		keys         token.Keys
		purpose, row string
		sealed       []byte
	}{
		{second, "a purpose", "row 1", sealed},
		{first, "another purpose", "row 1", sealed},
		{first, "a purpose", "row 2", sealed},
		{first, "a purpose", "row 1", changed},
		{first, "a purpose", "row 1", sealed[:5]},
		{nil, "a purpose", "row 1", sealed},
	} {
		if got, _, err := seal.Open(tt.keys, tt.purpose, tt.row, tt.sealed); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("%s %s: %q %v", tt.purpose, tt.row, got, err)
		}
	}
	again, _ := seal.Seal(first, "a purpose", "row 1", []byte("what is secret"))
	if slices.Equal(again, sealed) {
		t.Error("the same nonce was used twice")
	}
}
