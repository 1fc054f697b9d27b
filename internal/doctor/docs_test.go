package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

const page = "../../docs/deliverability.md"

// TestPageNamesWhatIsThere checks that each rule of the providers names a place in the code or a check that meets it, and that all it names are there.
func TestPageNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(content), "## The rules\n")
	rules, _, _ = strings.Cut(rules, "\n## ")
	file, check, link := regexp.MustCompile("`([a-z]+/[a-z0-9_/.]+)`"), regexp.MustCompile(`\*([a-z]+(?:\.[a-z]+)?)\*`), regexp.MustCompile(`\]\(([a-z]+\.md)\)`)
	counted := 0
	for line := range strings.Lines(rules) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(strings.TrimSpace(cells[1]), "rule") || strings.HasPrefix(cells[1], "---") {
			continue
		}
		counted++
		met := 0
		for _, found := range file.FindAllStringSubmatch(cells[3], -1) {
			if met++; !exists(filepath.Join("../..", found[1])) {
				t.Errorf("%s: there is no %s", strings.TrimSpace(cells[1]), found[1])
			}
		}
		for _, found := range link.FindAllStringSubmatch(cells[3], -1) {
			if met++; !exists(filepath.Join("../../docs", found[1])) {
				t.Errorf("%s: there is no %s", strings.TrimSpace(cells[1]), found[1])
			}
		}
		for _, found := range check.FindAllStringSubmatch(cells[3], -1) {
			if met++; !slices.Contains(Checks(), found[1]) {
				t.Errorf("%s: there is no check %s", strings.TrimSpace(cells[1]), found[1])
			}
		}
		if met == 0 && !strings.Contains(cells[3], "nothing is forwarded") && !strings.Contains(cells[3], "silkpost ") {
			t.Errorf("%s: nothing meets it", strings.TrimSpace(cells[1]))
		}
	}
	if counted < 20 {
		t.Errorf("%d rules were found: does the page still have its table?", counted)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestPageListsTheChecks keeps the page's list the same as the checks. What stands above it is written by hand.
func TestPageListsTheChecks(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| check | looks at |\n|---|---|\n"
	above, _, found := strings.Cut(string(content), head)
	if !found {
		t.Fatalf("%s has lost the head of its list", page)
	}
	var b strings.Builder
	b.WriteString(above + head)
	for _, name := range Checks() {
		fmt.Fprintf(&b, "| *%s* | %s |\n", name, Looks(name))
	}
	b.WriteString("\nThose that begin with *sent* are of `silkpost doctor --send-to`.\n")
	testkit.Golden(t, page, []byte(b.String()))
}
