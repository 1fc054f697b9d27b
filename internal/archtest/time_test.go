package archtest

import (
	"regexp"
	"slices"
	"testing"
)

// sqlClock matches what asks Postgres for the time.
var sqlClock = regexp.MustCompile(`(?i)\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)|` +
	`\b(current_timestamp|current_date|current_time|localtimestamp)\b|[\s(]localtime\b|'(now|today|yesterday|tomorrow)'`)

// sqlTime are the files whose statements may ask Postgres for the time, each with the reason.
var sqlTime = map[string]string{"internal/database/health.go": "it compares the server's clock with ours"}

func TestSQLIsHandedTheTime(t *testing.T) {
	t.Parallel()
	for _, f := range product(goFiles(t)) {
		if sqlTime[f.path] != "" {
			continue
		}
		for words, line := range f.words() {
			if found := sqlClock.FindString(words); found != "" {
				t.Errorf("%s:%d: %s: time is a parameter in SQL too", f.path, line, found)
			}
		}
	}
	for _, path := range paths(t, ".sql") {
		if found := sqlClock.FindString(withoutComments(readFile(t, path))); found != "" {
			t.Errorf("%s: %s: a default that asks for the time hides whose time it is", path, found)
		}
	}
	for _, planted := range []string{"SET at = now()", "DEFAULT CURRENT_TIMESTAMP", "> clock_timestamp( )", "at < 'today'", "current_date - 1"} {
		if !sqlClock.MatchString(planted) {
			t.Errorf("%q is not found", planted)
		}
	}
}

// ownTime are the files that may ask the machine for the time, each with the reason.
var ownTime = map[string]string{
	"internal/clock/clock.go":           "it is the clock",
	"internal/database/local_share.go":  "how long to wait for another process",
	"internal/database/local_orphan.go": "how long to wait for an earlier server to end",
	"internal/database/local_server.go": "how long to wait for Postgres to start and stop",
	"internal/app/demo.go":              "how long each step of the demo took, for its summary",
	"internal/web/page.go":              "how long a request took, for the log",
	"cmd/silkpost/demo.go":              "how long opening took, for the summary",
	"cmd/silkpost/progress.go":          "how fast an import is, for whoever watches",
	"internal/web/admin/csv.go":         "deadlines of a connection",
	"internal/web/admin/stream.go":      "deadlines of a connection",
	"mailer/bounce/crowd.go":            "deadlines of a connection",
	"mailer/catcher/answer.go":          "deadlines of a connection",
	"mailer/catcher/conn.go":            "deadlines of a connection",
	"mailer/send/conn.go":               "deadlines of a connection",
}

func TestTimeComesFromTheClock(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, f := range product(goFiles(t)) {
		for selector, line := range f.selectors("time") {
			if !slices.Contains([]string{"Now", "Since", "Until"}, selector) {
				continue
			}
			used[f.path] = true
			if ownTime[f.path] == "" {
				t.Errorf("%s:%d: time.%s: time is handed in, or its rules cannot be tested to the second", f.path, line, selector)
			}
		}
	}
	for path := range ownTime {
		if !used[path] {
			t.Errorf("%s no longer asks for the time: take it off the list", path)
		}
	}
}
