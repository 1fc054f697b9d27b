package accounts

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What docs/accounts.md says of roles is what they may do.
func TestTheTableOfRolesIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/accounts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- roles -->\n")
	table, _, found := strings.Cut(table, "<!-- /roles -->")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if !found || len(lines) != 2+len(Acts) {
		t.Fatalf("%d lines for %d acts", len(lines), len(Acts))
	}
	if want := "| | " + strings.Join(roleNames(Roles), " | ") + " |"; lines[0] != want {
		t.Errorf("%s, want %s", lines[0], want)
	}
	for i, act := range Acts {
		said := []string{}
		for _, role := range Roles {
			said = append(said, map[bool]string{true: "yes"}[slices.Contains(mayDo[role], act)])
		}
		if want := " | " + strings.Join(said, " | ") + " |"; !strings.HasSuffix(lines[2+i], want) {
			t.Errorf("%s: %s, want it to end with %s", act, lines[2+i], want)
		}
	}
}
