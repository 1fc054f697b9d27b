package api_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The examples of docs/api.md do what they say, in their order.
func TestTheExamplesOfTheDocumentationRun(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	text, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) < 8 {
		t.Fatalf("only %d examples were found", len(examples))
	}
	h := open(t)
	for _, example := range examples {
		script := strings.ReplaceAll(example[1], "curl -sS ", "curl -sS --fail-with-body ")
		run := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		run.Env = append(os.Environ(), "SILKPOST="+h.url, "SILKPOST_KEY=sp_all", "no_proxy=127.0.0.1")
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s%s\n(%v)", example[1], out, err)
		}
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM articles.articles WHERE external_key = '4711' AND withdrawn_at IS NOT NULL`: 1,
		`SELECT count(*) FROM articles.waiting`:                                                           2,
		`SELECT count(*) FROM subscribers.consents WHERE origin = 'members register'`:                     1,
		`SELECT item_limit FROM feeds.feeds WHERE slug = 'robotics'`:                                      20,
	} {
		var got int
		if err := h.DB.Get(&got, query); err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", query, got, want, err)
		}
	}
}
