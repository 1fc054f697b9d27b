package destination_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/destination"
	"silkpost/mailer/reply"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		domain string
		hosts  []string
		want   string
	}{
		{"gmail.com", []string{"gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"}, "google.com"},
		{"museum.example", []string{"aspmx.l.google.com"}, "google.com"},
		{"museum.example", []string{"smtp.google.com"}, "google.com"},
		{"hotmail.com", []string{"hotmail-com.olc.protection.outlook.com"}, "outlook.com"},
		{"uni.example", []string{"uni-example.mail.protection.outlook.com"}, "protection.outlook.com"},
		{"uni.example", []string{"uni-example.a-v1.mx.microsoft"}, "protection.outlook.com"},
		{"yahoo.com", []string{"mta5.am0.yahoodns.net"}, "yahoodns.net"},
		{"yahoo.co.jp", []string{"mx1.mail.yahoo.co.jp"}, "yahoo.co.jp"},
		{"foxmail.com", []string{"mx1.qq.com"}, "qq.com"},
		{"126.com", []string{"126mx00.mxmail.netease.com"}, "netease.com"},
		{"bk.ru", []string{"mxs.mail.ru"}, "mail.ru"},
		{"ya.ru", []string{"mx.yandex.ru"}, "yandex.ru"},
		{"post.cz", []string{"mx1.seznam.cz"}, "seznam.cz"},
		{"ukr.net", []string{"mxs.ukr.net"}, "ukr.net"},
		{"web.de", []string{"mx-ha02.web.de"}, "gmx.net"},
		{"gmx.at", []string{"mx00.emig.gmx.net"}, "gmx.net"},
		{"naver.com", []string{"mx1.naver.com"}, "naver.com"},
		{"a.uni.example", []string{"mx2.provider.co.uk", "mx.google.com"}, "provider.co.uk"},
		{"uni.example", nil, "uni.example"},
		{"uni.example", []string{"localhost"}, "uni.example"},
		{"evil.example", []string{"google.com.evil.net"}, "evil.net"},
		{"evil.example", []string{"notgoogle.com"}, "notgoogle.com"},
	} {
		if got := destination.Of(tt.domain, tt.hosts); got != tt.want {
			t.Errorf("%s at %v: %s, want %s", tt.domain, tt.hosts, got, tt.want)
		}
	}
}

// What is noted is asked for once a day, in the background; a name server that fails does not undo what is known; names that stand for nobody
// are not asked for.
func TestResolver(t *testing.T) {
	t.Parallel()
	db, hands := testkit.DB(t), testkit.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	var asked atomic.Int32
	var away atomic.Bool
	r := &destination.Resolver{DB: db, Clock: hands, Log: testkit.Log(t), LookupMX: func(_ context.Context, domain string) ([]*net.MX, error) {
		asked.Add(1)
		switch {
		case away.Load():
			return nil, errors.New("no name server answers")
		case domain == "uni.fi.":
			return []*net.MX{{Host: "backup.uni.fi.", Pref: 20}, {Host: "ASPMX.L.Google.com.", Pref: 10}}, nil
		case domain == "nomail.fi.":
			return []*net.MX{{Host: ".", Pref: 0}}, nil
		case domain == "xn--bcher-kva.de.":
			return []*net.MX{{Host: "mx.strato.de.", Pref: 1}}, nil
		}
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	defer func() { stop(); <-ended }()
	note := func() {
		for _, domain := range []string{"uni.fi", "bücher.de", "gone.fi", "nomail.fi", "reader.example", "example.org", "a.test", ""} {
			r.Note(domain)
			r.Note(domain)
		}
	}
	known := func() (lines []string) {
		if err := db.SelectContext(t.Context(), &lines, `SELECT name || ' ' || destination || ' ' || array_to_string(hosts, ' ') FROM mailer.domains ORDER BY 1`); err != nil {
			t.Fatal(err)
		}
		return lines
	}
	want := []string{"bücher.de strato.de mx.strato.de", "gone.fi gone.fi ", "nomail.fi nomail.fi ", "uni.fi google.com aspmx.l.google.com backup.uni.fi"}
	note()
	testkit.Eventually(t, 10*time.Second, "all are known", func() bool { return slices.Equal(known(), want) })
	if n := asked.Load(); n != 4 {
		t.Errorf("%d questions for 4 domains", n)
	}
	away.Store(true)
	hands.Advance(25 * time.Hour)
	note()
	testkit.Eventually(t, 10*time.Second, "all are asked for again", func() bool { return asked.Load() == 8 })
	testkit.Eventually(t, 10*time.Second, "the failure is noted", func() bool {
		var again int
		if err := db.GetContext(t.Context(), &again, `SELECT count(*) FROM mailer.domains WHERE ask_again > $1 AND ask_again < $2`, hands.Now(), hands.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		return again == 4
	})
	if got := known(); !slices.Equal(got, want) {
		t.Errorf("after a failure: %q", got)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE mailer.domains SET ask_again = $1`, hands.Now().Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	(*destination.Resolver)(nil).Note("uni.fi")
}

const docsHead = `# How destinations want to be treated

This page is written by a test from the table in ` + "`mailer/destination`" + ` (` + "`go test ./mailer/destination -update`" + `), which is also what tells domains of one
destination: a domain whose preferred MX host is, or ends in, one of those named here belongs to it; any other, to those under whose
registered domain its preferred MX host is. ` + "`silkpost pause --destination`" + ` and ` + "`[[limit]] destination`" + ` take these names, or a single domain.

**What applies to us.** Silkpost gives all mail to a relay, and the relay has its own connections to these servers. So none of the numbers below is kept by
Silkpost by itself: connections, and messages over one, are the relay's to keep; how much goes in what time can be kept by either, here by a
` + "`[[limit]]`" + ` ([limits.md](limits.md)). What Silkpost does by itself: it lets a destination pause that blocks or throttles us, whether the relay says so at
once or later by a bounce; it signs, offers to unsubscribe with one click, and stops mailing who complains
([deliverability.md](deliverability.md)).

*Not published* means that no number was found that the destination itself states. *Answers* and *page* are its own: a stored copy of the page
says so, for the large providers one of 2025 or 2026. *Seen* and *from others* are what others say: not confirmed against the provider's own page.
`

// TestDocs keeps the operators' page the same as the table, and the table agree with what is made of answers.
func TestDocs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(docsHead)
	for i := range destination.Habits {
		h := &destination.Habits[i]
		fmt.Fprintf(&b, "\n## %s (`%s`)\n\n", h.Who, h.Destination)
		switch {
		case len(h.Pages)+len(h.Others) == 0:
			b.WriteString("Nothing was found that it or others say.\n\n")
		case len(h.Pages) == 0:
			b.WriteString("No page of its own was found: nothing here is confirmed.\n\n")
		}
		b.WriteString("| | |\n|---|---|\n")
		or := func(s string) string {
			if s == "" {
				return "not published"
			}
			return s
		}
		for _, row := range [][2]string{
			{"MX hosts", "`" + strings.Join(h.MX, "`, `") + "`"},
			{"connections at once", or(h.Connections)},
			{"messages over one", or(h.PerConnection)},
			{"rate", or(h.Rate)},
			{"asks", or(h.Asks)},
		} {
			fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
		}
		for _, row := range []struct {
			name    string
			answers []string
		}{{"answers", h.Answers}, {"seen", h.Seen}} {
			for _, answer := range row.answers {
				fmt.Fprintf(&b, "| %s | `%s`: %s |\n", row.name, answer, kindOf(t, h, answer))
			}
		}
		for _, page := range h.Pages {
			fmt.Fprintf(&b, "| page | <%s> |\n", page)
		}
		for _, page := range h.Others {
			fmt.Fprintf(&b, "| from others | <%s> |\n", page)
		}
		checkPages(t, h)
	}
	testkit.Golden(t, "../../docs/destinations.md", []byte(b.String()))
}

// kindOf returns what is made of an answer, which may not count against the reader.
func kindOf(t *testing.T, h *destination.Habit, answer string) reply.Kind {
	t.Helper()
	code, text, _ := strings.Cut(answer, " ")
	number, err := strconv.Atoi(code)
	kind := reply.Reply{Phase: reply.Dot, Code: number, Text: text}.Kind()
	if err != nil || kind.Score() != reply.None {
		t.Errorf("%s: %q is taken for %s, which counts against the reader", h.Destination, answer, kind)
	}
	return kind
}

// checkPages complains about answers without a page that could hold them, and of a page that is named twice.
func checkPages(t *testing.T, h *destination.Habit) {
	t.Helper()
	if len(h.Answers) > 0 && len(h.Pages) == 0 || len(h.Seen) > 0 && len(h.Others) == 0 {
		t.Errorf("%s: there are answers that no page is named for", h.Destination)
	}
	all := slices.Concat(h.Pages, h.Others)
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("%s: a page is named twice", h.Destination)
	}
}
