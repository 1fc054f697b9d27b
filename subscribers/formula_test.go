package subscribers

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHarmless(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"":                    "",
		"Anna":                "Anna",
		"=1+1":                "'=1+1",
		`=HYPERLINK("x")`:     `'=HYPERLINK("x")`,
		"+39 000":             "'+39 000",
		"-1":                  "'-1",
		"@SUM(A1)":            "'@SUM(A1)",
		"\t=1":                "'\t=1",
		"\r=1":                "'\r=1",
		"'s-Hertogenbosch":    "'s-Hertogenbosch",
		"'=1":                 "''=1",
		"''=1":                "'''=1",
		"'":                   "'",
		"a=1":                 "a=1",
		" =1":                 " =1",
		"anna+x@example.org":  "anna+x@example.org",
		"+anna@example.org":   "'+anna@example.org",
		"'anna'@example.org":  "'anna'@example.org",
		"'-anna'@example.org": "''-anna'@example.org",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("harmless(%q) = %q, want %q", cell, got, want)
		}
		if got := plain(want); got != cell {
			t.Errorf("plain(%q) = %q, want %q", want, got, cell)
		}
	}
}

// No cell is taken for a formula, and each comes back as it was.
func TestHarmlessComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`'{0,3}[=+@\t\r a-]{0,3}`)).Draw(t, "cell")
		safe := harmless(cell)
		if safe != "" && strings.Contains("=+-@\t\r", safe[:1]) {
			t.Fatalf("%q is a formula", safe)
		}
		if back := plain(safe); back != cell {
			t.Fatalf("%q came back as %q", cell, back)
		}
	})
}
