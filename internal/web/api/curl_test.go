package api_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"silkpost/internal/calls"
)

// fenced is an example of the documentation: what to run or to declare, or what the one before it was answered. "…" stands for anything.
var fenced = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

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
	if loose := regexp.MustCompile(`(?m)^    \S.*$`).FindString(fenced.ReplaceAllString(string(text), "")); loose != "" {
		t.Errorf("an example says not what it is, so nothing checks it: %s", loose)
	}
	examples := fenced.FindAllStringSubmatch(string(text), -1)
	if len(examples) < 15 {
		t.Fatalf("only %d examples were found", len(examples))
	}
	h := openLimited(t, calls.Limit{})
	var answer string
	for i, example := range examples {
		switch kind, content := example[1], example[2]; kind {
		case "sh":
			refused := i+1 < len(examples) && strings.Contains(examples[i+1][2], `"status":4`)
			answer = h.shell(content, refused)
		case "toml":
			h.declare(content)
		default:
			if !saysWhat(content).MatchString(answer) {
				t.Errorf("%s\nis documented, and this was answered:\n%s", content, answer)
			}
		}
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM articles.articles WHERE external_key = '4711' AND withdrawn_at IS NOT NULL`: 1,
		`SELECT count(*) FROM articles.waiting`:                                                           2,
		`SELECT count(*) FROM subscribers.consents WHERE origin = 'members register'`:                     1,
		`SELECT item_limit FROM feeds.feeds WHERE slug = 'robotics'`:                                      20,
		`SELECT count(*) FROM feeds.private`:                                                              1,
	} {
		var got int
		if err := h.DB.Get(&got, query); err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", query, got, want, err)
		}
	}
}

// shell runs an example and returns what it printed. Calls must go well, unless they are to be refused.
func (h *house) shell(script string, refused bool) string {
	h.t.Helper()
	if !refused {
		script = strings.ReplaceAll(script, "curl -sS ", "curl -sS --fail-with-body ")
	}
	run := exec.CommandContext(h.t.Context(), "bash", "-euo", "pipefail", "-c", script)
	run.Env = append(os.Environ(), "SILKPOST="+h.url, "SILKPOST_KEY=sp_all", "no_proxy=127.0.0.1")
	out, err := run.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s%s\n(%v)", script, out, err)
	}
	return string(out)
}

// saysWhat matches what was answered as an example has it, wherever its lines are broken. Names of headers have no case.
func saysWhat(example string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(strings.TrimSpace(example))
	return regexp.MustCompile(`(?is)^\s*` + strings.ReplaceAll(regexp.MustCompile(`\n *`).ReplaceAllString(pattern, `\s*`), "…", ".*?") + `\s*$`)
}
