package catcher

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"silkpost/internal/errs"
)

// scriptFile is a script as people write it.
type scriptFile struct {
	Rule []fileRule `toml:"rule"`
}

type fileRule struct {
	Verb        string   `toml:"verb"`
	From        string   `toml:"from"`
	To          string   `toml:"to"`
	Connection  int      `toml:"connection"`
	Message     int      `toml:"message"`
	Probability *float64 `toml:"probability"`
	Seed        uint64   `toml:"seed"`
	Skip        int      `toml:"skip"`
	Times       int      `toml:"times"`
	Reply       string   `toml:"reply"`
	Cut         string   `toml:"cut"`
	Stall       string   `toml:"stall"`
	Slow        string   `toml:"slow"`
}

// ParseScript reads a script: TOML with a [[rule]] for each Rule, whose keys are the Rule's fields in lower case.
//
//	[[rule]]
//	verb = "RCPT"
//	to = "*@full.example"
//	reply = "452 4.2.2 Mailbox full"
//	times = 1
//
// Unknown keys are errors. An error names the line, or the rule by its number and line, and the key; its kind is Invalid.
func ParseScript(r io.Reader) (Script, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, errs.New(errs.Invalid, "script: %w", err)
	}
	var file scriptFile
	if err := toml.NewDecoder(strings.NewReader(string(text))).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, errs.New(errs.Invalid, "script: %s", oneLine(explain(err)))
	}
	lines := linesOfRules(string(text))
	script := Script{}
	for i, written := range file.Rule {
		rule, err := written.rule()
		if err != nil {
			where := fmt.Sprintf("rule %d", i+1)
			if len(lines) == len(file.Rule) {
				where += fmt.Sprintf(" (line %d)", lines[i])
			}
			return nil, errs.New(errs.Invalid, "script: %s: %w", where, err)
		}
		script = append(script, rule)
	}
	return script, nil
}

func (f fileRule) rule() (Rule, error) {
	r := Rule{
		Verb: strings.ToUpper(f.Verb), From: f.From, To: f.To, Connection: f.Connection, Message: f.Message,
		Seed: f.Seed, Skip: f.Skip, Times: f.Times, Reply: f.Reply, Cut: Cut(f.Cut),
	}
	var err error
	if r.Stall, err = duration("stall", f.Stall); err != nil {
		return r, err
	}
	if r.Slow, err = duration("slow", f.Slow); err != nil {
		return r, err
	}
	if f.Probability != nil {
		if r.Probability = *f.Probability; r.Probability == 0 {
			return r, errs.New(errs.Invalid, "probability is 0: the rule would never apply")
		}
	}
	return r, r.check()
}

func duration(key, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errs.New(errs.Invalid, "%s: %q is not a duration; write it like \"500ms\", \"2s\" or \"10m\"", key, text)
	}
	return d, nil
}

// wrongType is how the decoder says it, in Go's words.
var wrongType = regexp.MustCompile(`^cannot decode TOML (\S+) into .*`)

// explain returns what the decoder found wrong, with its place.
func explain(err error) string {
	if strict := (*toml.StrictMissingError)(nil); errors.As(err, &strict) && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		line, _ := first.Position()
		return fmt.Sprintf("line %d: the key %q is not known", line, strings.Join(first.Key(), "."))
	}
	if wrong := (*toml.DecodeError)(nil); errors.As(err, &wrong) {
		line, _ := wrong.Position()
		key := strings.Join(wrong.Key(), ".")
		if key != "" {
			key += ": "
		}
		text := strings.TrimPrefix(wrong.Error(), "toml: ")
		return fmt.Sprintf("line %d: %s%s", line, key, wrongType.ReplaceAllString(text, "it cannot be of the kind $1"))
	}
	return strings.TrimPrefix(err.Error(), "toml: ")
}

// linesOfRules returns the lines on which [[rule]] stands, for a script written that way.
func linesOfRules(text string) []int {
	var lines []int
	for i, line := range strings.Split(text, "\n") {
		compact := strings.ReplaceAll(strings.TrimSpace(line), " ", "")
		if strings.HasPrefix(compact, "[[rule]]") {
			lines = append(lines, i+1)
		}
	}
	return lines
}
