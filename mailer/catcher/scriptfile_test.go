package catcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/mailer/catcher"
)

const written = `
# Full mailboxes, and a relay that goes away.
[[rule]]
verb = "rcpt"
to = "*@full.example"
reply = "452 4.2.2 Mailbox full"
times = 1

[[rule]]
verb = "DOT"
cut = "after"
stall = "1.5s"
slow = "10ms"
from = "news@*"
connection = 2
message = 3
skip = 4
probability = 0.5
seed = 5
`

func TestParseScript(t *testing.T) {
	t.Parallel()
	got, err := catcher.ParseScript(strings.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	want := catcher.Script{
		{Verb: "RCPT", To: "*@full.example", Reply: "452 4.2.2 Mailbox full", Times: 1},
		{
			Verb: "DOT", Cut: catcher.CutAfter, Stall: 1500 * time.Millisecond, Slow: 10 * time.Millisecond, From: "news@*",
			Connection: 2, Message: 3, Skip: 4, Probability: 0.5, Seed: 5,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := catcher.ParseScript(strings.NewReader("")); err != nil || len(got) != 0 {
		t.Errorf("an empty script: %v, %v", got, err)
	}
}

func TestParseScriptSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[[rule]]\nverb = \"DOT\"\ncut = \"after\"\ncolour = 1\n": `script: line 4: the key "rule.colour" is not known`,
		"[[rules]]\n":                              `script: line 1: the key "rules" is not known`,
		"[[rule]]\nverb = \n":                      "script: line 2: ",
		"[[rule]]\nverb = 1\n":                     "script: line 2: rule.verb: it cannot be of the kind integer",
		"[[rule]]\nstall = \"soon\"\n":             `script: rule 1 (line 1): stall: "soon" is not a duration`,
		"[[rule]]\nstall = 5\n":                    "script: line 2: rule.stall: ",
		"[[rule]]\ntimes = 99999999999999999999\n": "script: line 2: rule.times: ",
		"[[rule]]\nverb = \"DOT\"\ncut = \"after\"\n\n[[rule]]\nverb=\"HELP\"": `script: rule 2 (line 5): verb "HELP" is not known`,
		"[[rule]]\nverb = \"DOT\"\nprobability = 0\ncut=\"after\"":             "script: rule 1 (line 1): probability is 0",
		"[[rule]]\nverb = \"DOT\"\nprobability = nan\ncut=\"after\"":           "script: rule 1 (line 1): probability is not",
	} {
		_, err := catcher.ParseScript(strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: kind %v", text, errs.KindOf(err))
		}
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add(written)
	f.Add("[[rule]]\nverb = \"EHLO\"\nreply = \"250-x\"\n")
	f.Add("rule = [{verb='DOT', cut='before'}]")
	f.Fuzz(func(t *testing.T, text string) {
		script, err := catcher.ParseScript(strings.NewReader(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		if _, err := catcher.New(catcher.Config{Script: script}); err != nil {
			t.Errorf("parsed, then refused: %v", err)
		}
	})
}
