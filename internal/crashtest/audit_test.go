//go:build crash

package crashtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// row is a delivery as the ledger has it.
type row struct {
	Email    string         `db:"email"`
	State    string         `db:"state"`
	Attempts int            `db:"attempts"` // how many the row says
	Last     int            `db:"last"`     // the number of the last of them
	Outcomes pq.StringArray `db:"outcomes"` // of the attempts
	Replies  pq.StringArray `db:"replies"`  // of the attempts that sent
}

// rows reads the ledger.
func rows(t *testing.T, db *sqlx.DB) (all []row) {
	t.Helper()
	must(t, db.Select(&all, `
		SELECT a.email, d.state, d.attempts, coalesce(max(t.number), 0) AS last,
		       coalesce(array_agg(t.outcome) FILTER (WHERE t.outcome IS NOT NULL), '{}') AS outcomes,
		       coalesce(array_agg(t.reply) FILTER (WHERE t.outcome = 'sent'), '{}') AS replies
		FROM mailer.deliveries d
		JOIN subscribers.addresses a ON a.contact_id = d.contact_id
		LEFT JOIN mailer.attempts t ON t.edition_id = d.edition_id AND t.contact_id = d.contact_id
		GROUP BY a.email, d.edition_id, d.contact_id, d.state, d.attempts`))
	return all
}

// findings are what an audit found.
type findings struct {
	lost    int      // sent in the ledger's eyes, never accepted
	doubled int      // copies beyond each reader's first
	wrong   []string // what must not be, the first of them
}

// report fails the test with what is wrong.
func report(t *testing.T, found findings) findings {
	t.Helper()
	for _, wrong := range found.wrong {
		t.Error(wrong)
	}
	return found
}

func (f *findings) add(format string, args ...any) {
	if len(f.wrong) < 20 {
		f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
	}
}

// audit holds each row of the ledger against what the server accepted. Who has a row that says sent has the message, nobody else has one; all
// copies of a message have one Message-ID and Date; each attempt that sent is an acceptance that the server knows, by its words. And of the messages
// that went over one connection only the last can have been sent again, for the next final dot waits until the outcome of the one before is
// committed; unless the connection's worker stood still just then.
func audit(rows []row, copies []received, stands []standstill) (found findings) {
	of := map[string][]received{}
	for _, c := range copies {
		of[c.to] = append(of[c.to], c)
	}
	for _, r := range rows {
		got := of[r.Email]
		delete(of, r.Email)
		found.row(r, got)
	}
	for to, got := range of {
		found.add("%s has no row, and got %d messages", to, len(got))
	}
	found.connections(copies, stands)
	return found
}

// row looks at one delivery and the copies that were accepted of it.
func (f *findings) row(r row, got []received) {
	if r.State == "sent" && len(got) == 0 {
		f.lost++
		f.add("%s got nothing, and the ledger says sent", r.Email)
	}
	if r.State != "sent" && len(got) > 0 {
		f.add("%s got %d messages, and the ledger says %s", r.Email, len(got), r.State)
	}
	if r.Attempts != r.Last {
		f.add("%s: the row counts %d attempts, the last one is number %d", r.Email, r.Attempts, r.Last)
	}
	if sent := slices.Contains(r.Outcomes, "sent"); sent != (r.State == "sent") {
		f.add("%s: the row says %s, its attempts came to %v", r.Email, r.State, r.Outcomes)
	}
	f.doubled += max(0, len(got)-1)
	var replies []string
	for _, c := range got {
		if c.messageID != got[0].messageID || c.date != got[0].date || c.messageID == "" || c.date == "" {
			f.add("%s got %s of %s and %s of %s", r.Email, got[0].messageID, got[0].date, c.messageID, c.date)
		}
		replies = append(replies, strings.TrimPrefix(c.reply, "250 "))
	}
	for _, reply := range r.Replies {
		i := slices.Index(replies, reply)
		if i < 0 {
			f.add("%s: an attempt has %q, which the server did not say to one of %d copies", r.Email, reply, len(got))
			continue
		}
		replies = slices.Delete(replies, i, i+1)
	}
}

// connections looks at what went over each connection.
func (f *findings) connections(copies []received, stands []standstill) {
	last := map[string]time.Time{} // when each reader's last copy came
	for _, c := range copies {
		if c.at.After(last[c.to]) {
			last[c.to] = c.at
		}
	}
	before := map[connection]received{}
	for _, next := range copies {
		c, follows := before[next.line]
		before[next.line] = next
		if follows && c.at.Before(last[c.to]) && !stood(stands, c.at, next.at) {
			f.add("%s was sent again although another message had followed over its connection: its outcome was not committed first", c.to)
		}
	}
}

// stood reports whether a standstill ended between two moments.
func stood(stands []standstill, from, to time.Time) bool {
	return slices.ContainsFunc(stands, func(s standstill) bool { return s.to.After(from) && s.from.Before(to) })
}

// TestAudit sees that an audit finds what is wrong, and nothing else.
func TestAudit(t *testing.T) {
	t.Parallel()
	moment := func(s int) time.Time { return time.Unix(int64(s), 0) }
	copyTo := func(to string, line, s int) received {
		return received{connection{1, line}, moment(s), to, "<" + to + ">", "today", fmt.Sprintf("250 2.0.0 counted as %d", s)}
	}
	sent := func(email string, replies ...int) row {
		r := row{Email: email, State: "sent", Attempts: 1, Last: 1, Outcomes: []string{"sent"}}
		for _, n := range replies {
			r.Replies = append(r.Replies, fmt.Sprintf("2.0.0 counted as %d", n))
		}
		return r
	}
	other := copyTo("a", 2, 2)
	other.messageID = "<other>"
	later := copyTo("a", 2, 2)
	later.date = "tomorrow"
	twoAttempts, pending := sent("a", 1), sent("a")
	twoAttempts.Last, pending.State = 2, "pending"
	pending.Outcomes = nil
	for _, tt := range []struct {
		name    string
		rows    []row
		copies  []received
		stands  []standstill
		doubled int
		wrong   string
	}{
		{"all well", []row{sent("a", 1), sent("b", 2)}, []received{copyTo("a", 1, 1), copyTo("b", 1, 2)}, nil, 0, ""},
		{"doubled, the last of its connection", []row{sent("a", 3), sent("b", 1)}, []received{copyTo("b", 1, 1), copyTo("a", 1, 2), copyTo("a", 2, 3)}, nil, 1, ""},
		{"doubled, not the last", []row{sent("a", 3), sent("b", 2)}, []received{copyTo("a", 1, 1), copyTo("b", 1, 2), copyTo("a", 2, 3)}, nil, 1, "committed first"},
		{
			"doubled, and its worker stood still",
			[]row{sent("a", 4), sent("b", 5)},
			[]received{copyTo("a", 1, 1), copyTo("a", 2, 4), copyTo("b", 1, 5)},
			[]standstill{{moment(2), moment(4)}},
			1, "",
		},
		{"lost", []row{sent("a")}, nil, nil, 0, "got nothing"},
		{"not written down", []row{pending}, []received{copyTo("a", 1, 1)}, nil, 0, "ledger says pending"},
		{"nobody's", nil, []received{copyTo("a", 1, 1)}, nil, 0, "no row"},
		{"two messages", []row{sent("a", 2)}, []received{copyTo("a", 1, 1), other}, nil, 1, "<other>"},
		{"two dates", []row{sent("a", 2)}, []received{copyTo("a", 1, 1), later}, nil, 1, "tomorrow"},
		{"an attempt too many", []row{twoAttempts}, []received{copyTo("a", 1, 1)}, nil, 0, "counts 1 attempts"},
		{"a reply never given", []row{sent("a", 7)}, []received{copyTo("a", 1, 1)}, nil, 0, "did not say"},
		{"one acceptance, twice sent", []row{sent("a", 1, 1)}, []received{copyTo("a", 1, 1)}, nil, 0, "did not say"},
	} {
		found := audit(tt.rows, tt.copies, tt.stands)
		if said := strings.Join(found.wrong, "\n"); (said == "") != (tt.wrong == "") || !strings.Contains(said, tt.wrong) || found.doubled != tt.doubled {
			t.Errorf("%s: doubled %d, %q", tt.name, found.doubled, said)
		}
	}
}
