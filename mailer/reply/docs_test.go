package reply

import (
	"fmt"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

const docsHead = `# What servers' answers mean

This page is written by a test from the table in ` + "`mailer/reply`" + ` (` + "`go test ./mailer/reply -update`" + `), so it is what the program does.

An answer is judged by the phase in which it came, its basic code, its enhanced code (RFC 3463) and its words, in lower case and without the
addresses that it quotes. The first rule that fits wins. A failure to connect, and an answer that never came, are nobody's fault. What no rule
knows is deferred when it begins with 4; when it begins with 5 this one message has failed, and nothing counts against its address. What an answer to
MAIL says of an address, it says of ours: one that begins with 5 then pauses the route.

The same table reads bounces, which tell what a further server said; there the phase is *bounce*.

## Kinds

*Whom* says what an answer concerns. What concerns a destination pauses it for everybody who sends: see ` + "`silkpost status`" + `. What concerns the
relay pauses the route. *Counts* is what a delivery that fails, or bounces, with this kind counts against its address: *hard* suppresses it at once,
*soft* when it happened several times over weeks (` + "[design.md](design.md)" + `).

| kind | the delivery is | whom | counts | what it is |
|---|---|---|---|---|
`

// TestDocs keeps the operators' page the same as the table.
func TestDocs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(docsHead)
	for _, kind := range kinds {
		m := meanings[kind]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", kind, strings.ReplaceAll(string(m.outcome), "_", " "), m.whom, m.score, m.says)
	}
	b.WriteString("\n## Rules\n\nA column that is empty is any. `x.2.2` is both 4.2.2 and 5.2.2, and the basic codes 4 and 5 are all of that class.\n\n" +
		"| phase | code | enhanced | words | kind | who says so | such as |\n|---|---|---|---|---|---|---|\n")
	for i := range Rules {
		r := &Rules[i]
		code := ""
		if r.Code != 0 {
			code = fmt.Sprint(r.Code)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Phase, code, r.Enhanced, cell(r.Words), r.Kind, r.Says, cell(r.Example))
	}
	testkit.Golden(t, "../../docs/replies.md", []byte(b.String()))
	if len(kinds) != len(meanings) {
		t.Errorf("%d kinds are shown, there are %d", len(kinds), len(meanings))
	}
}

var kinds = []Kind{
	Accepted, Unanswered, Unmade, Unreachable, Lost, Later, NoAddress, Closed, Full, Blocked, Unproven, Throttled, RelayRefuses, RelayBusy, Crowded,
	Unsupported, Refused, Doubted,
}

// cell is code in a cell of a table.
func cell(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}
