package smtptest_test

import (
	"bufio"
	"io"
	"net"
	"net/smtp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"silkpost/internal/testkit/smtptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const letter = "Subject: dots\r\n\r\n.\r\n..two\r\nend\r\n"

// A client of the standard library's finds nothing strange, and its message comes as it was.
func TestAllWell(t *testing.T) {
	t.Parallel()
	s := smtptest.Start(t, smtptest.Config{Pipelining: true, Offers: []string{"8BITMIME"}})
	if err := smtp.SendMail(s.Addr, nil, "a@example.org", []string{"b@example.org"}, []byte(letter)); err != nil {
		t.Fatal(err)
	}
	got := s.Messages()
	if len(got) != 1 || got[0].Data != letter || got[0].From != "a@example.org" || got[0].To != "b@example.org" || got[0].Conn != 1 {
		t.Errorf("%+v", got)
	}
	if faults := s.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
	s.Await(t, "QUIT", func(m smtptest.Moment) bool { return m.Step == smtptest.Quit && m.Message == 1 })
}

// What an act says is what is on the wire.
func TestActs(t *testing.T) {
	t.Parallel()
	const begin = "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n"
	for _, tt := range []struct {
		name string
		step smtptest.Step
		act  smtptest.Act
		say  string
		want string // after the greeting and the answer to EHLO
		kept int
	}{
		{"all well", "", smtptest.Act{}, begin + "x\r\n.\r\nQUIT\r\n", "250 2.1.0 sender noted|250 2.1.5 recipient noted|354 go ahead|250 2.0.0 taken|221 2.0.0 goodbye|", 1},
		{"lines", smtptest.Mail, smtptest.Act{Reply: "250-one\n250 two", Then: smtptest.Close}, begin, "250-one|250 two|", 0},
		{"half a line", smtptest.Mail, smtptest.Act{Part: 2, Then: smtptest.Close}, begin, "25", 0},
		{"refused", smtptest.Mail, smtptest.Act{Reply: "550 no"}, begin + "QUIT\r\n", "550 no|503 5.5.1 MAIL first|503 5.5.1 RCPT first|221 2.0.0 goodbye|", 0},
		{"kept and silent", smtptest.Dot, smtptest.Act{Mute: true, Keep: true, Then: smtptest.Close}, begin + "x\r\n.\r\n", "250 2.1.0 sender noted|250 2.1.5 recipient noted|354 go ahead|", 1},
		{"kept and refused", smtptest.Dot, smtptest.Act{Reply: "451 later", Keep: true, Then: smtptest.Close}, begin + "x\r\n.\r\n", "250 2.1.0 sender noted|250 2.1.5 recipient noted|354 go ahead|451 later|", 1},
		{"cut in the body", smtptest.Body, smtptest.Act{Then: smtptest.Close}, begin + "x\r\n.\r\n", "250 2.1.0 sender noted|250 2.1.5 recipient noted|354 go ahead|", 0},
	} {
		s := smtptest.Start(t, smtptest.Config{Pipelining: true, Do: func(m smtptest.Moment) smtptest.Act {
			if m.Step == tt.step {
				return tt.act
			}
			return smtptest.Act{}
		}})
		if _, got, _ := strings.Cut(converse(t, s, tt.say), "250 PIPELINING|"); got != tt.want {
			t.Errorf("%s (-want +got):\n%s", tt.name, cmp.Diff(tt.want, got))
		}
		if n := len(s.Messages()); n != tt.kept {
			t.Errorf("%s: %d messages kept, not %d", tt.name, n, tt.kept)
		}
	}
}

// converse says everything at once and returns what is heard until the server closes.
func converse(t *testing.T, s *smtptest.Server, say string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(say)); err != nil {
		t.Fatal(err)
	}
	heard, _ := io.ReadAll(bufio.NewReader(c))
	return strings.ReplaceAll(string(heard), "\r\n", "|")
}

// What no client may do is noted.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ say, fault string }{
		{"EHLO c\r\nMAIL FROM:<a@x>\r\nQUIT\r\n", "follow EHLO"},
		{"MAIL FROM:<a@x>\r\nQUIT\r\n", "before EHLO"},
		{"QUIT\n", "CRLF"},
		{"NOOP " + strings.Repeat("x", 1000) + "\r\nQUIT\r\n", "1007 bytes"},
		{"TURN\r\nQUIT\r\n", "no command"},
	} {
		s := smtptest.Start(t, smtptest.Config{})
		converse(t, s, tt.say)
		if faults := strings.Join(s.Faults(), "\n"); !strings.Contains(faults, tt.fault) {
			t.Errorf("%q: %q", tt.say, faults)
		}
	}
}
