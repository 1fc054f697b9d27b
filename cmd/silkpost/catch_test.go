package main

import (
	"os"
	"strings"
	"testing"

	"silkpost/mailer/catcher"
)

// What the documentation and --help give as examples are scripts.
func TestExamplesOfScripts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/catcher.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "    [[rule]]")
	example, _, _ = strings.Cut("[[rule]]"+example, "\nWhen a rule applies")
	if script, err := catcher.ParseScript(strings.NewReader(example)); err != nil || len(script) != 4 {
		t.Errorf("%d rules, %v:\n%s", len(script), err, example)
	}
	if script, err := catcher.ParseScript(strings.NewReader(exampleScript)); err != nil || len(script) != 1 {
		t.Errorf("%d rules, %v: %s", len(script), err, exampleScript)
	}
	if printed := good(t, nil, "catch", "--help"); !strings.Contains(printed, exampleScript) || !strings.Contains(printed, "docs/catcher.md") {
		t.Errorf("--help shows no example:\n%s", printed)
	}
}
