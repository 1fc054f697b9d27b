package doctor

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/dns"
	"silkpost/internal/testkit"
	"silkpost/mailer/bounce"
	"silkpost/mailer/dkim"
	"silkpost/mailer/send"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// edKey is a key with a record that is known.
var edKey = dkim.Key{
	Domain: "example.org", Selector: "s1", Algorithm: dkim.Ed25519, State: dkim.Active, Public: []byte("0123456789abcdef0123456789abcdef"),
	UsedAt: at(-time.Hour), MadeAt: noon,
}

var rsaKey = dkim.Key{
	Domain: "example.org", Selector: "s2", Algorithm: dkim.RSA, State: dkim.Active, Public: []byte(strings.Repeat("0123456789abcdef", 18)),
	UsedAt: at(-time.Hour), MadeAt: noon,
}

func at(d time.Duration) *time.Time {
	t := noon.Add(d)
	return &t
}

// zone is where all is well.
var zone = []string{
	"example.org MX 10 mx.example.org",
	"mx.example.org A 192.0.2.10",
	"example.org TXT v=spf1 mx -all",
	"bounce.example.org TXT v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 include:relay.example.net -all",
	"bounce.example.org MX 10 return.example.org",
	"return.example.org A 127.0.0.1",
	"relay.example.net TXT v=spf1 ip4:203.0.113.0/24 ~all",
	"relay.example.net A 203.0.113.25",
	"_dmarc.example.org TXT v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org",
	edKey.Name() + " TXT " + edKey.Record(),
	rsaKey.Name() + " TXT " + rsaKey.Record(),
}

// zoneWith is the zone with lines in place of those that begin with a name and type.
func zoneWith(replaced ...string) string {
	lines := slices.Clone(zone)
	for _, line := range replaced {
		name := strings.Join(strings.Fields(line)[:2], " ") + " "
		lines = append(slices.DeleteFunc(lines, func(s string) bool { return strings.HasPrefix(s, name) && !slices.Contains(replaced, s) }), line)
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return strings.HasSuffix(s, " NONE") }), "\n")
}

// healthy is a patient with whom all is well, as the zone has it.
func healthy(t testing.TB, zone string) *Patient {
	t.Helper()
	host, port, _ := net.SplitHostPort(mailServer(t, "250 STARTTLS", "250 fine"))
	if host != "127.0.0.1" {
		t.Fatal(host)
	}
	return &Patient{
		Now: noon, DNS: dns.New(testkit.DNS(t, zone).Addr), Ready: true, Free: 100 << 30, Workers: 1, Secrets: 1, Largest: 30_000,
		Database: database.Health{Version: 150018, Fsync: true, FullPages: true, Synchronous: "on", Encoding: "UTF8", Connections: 5, Allowed: 97, Size: 1 << 30},
		Relays: []Relay{{
			Setting: "SILKPOST_SMTP_URL", Relay: send.Relay{Host: "relay.example.net", Port: 587, User: "us", TLS: send.StartTLS},
			Facts: send.Facts{
				Secure: true, Version: "TLS 1.3", Expires: noon.AddDate(0, 2, 0), Size: 10 << 20, LoggedIn: true,
				Extensions: map[string]string{"PIPELINING": "", "8BITMIME": "", "SMTPUTF8": "", "ENHANCEDSTATUSCODES": "", "STARTTLS": "", "SIZE": "10485760"},
			},
		}},
		Senders:      []Sender{{Address: "news@example.org", Lists: []string{"partners"}}},
		Keys:         []dkim.Lock{{Key: edKey}, {Key: rsaKey}},
		ReturnDomain: "bounce.example.org", ReturnListens: true, ReturnTLS: true, TestAddress: "t+abc@bounce.example.org", MailPort: port,
		Channel:   bounce.Channel{Name: "bounce.example.org", TestedAt: at(-time.Hour)},
		PublicURL: "https://news.example.org", Web: Web{Expires: noon.AddDate(0, 2, 0)},
	}
}

// mailServer is one that answers RCPT with what it is told, and EHLO.
func mailServer(t testing.TB, ehlo, rcpt string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			answerMail(conn, ehlo, rcpt)
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-ended
	})
	return ln.Addr().String()
}

func answerMail(conn net.Conn, ehlo, rcpt string) {
	defer conn.Close()
	fmt.Fprint(conn, "220 mx ESMTP\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
		case "EHLO":
			fmt.Fprintf(conn, "250-mx\r\n%s\r\n", ehlo)
		case "RCPT":
			fmt.Fprintf(conn, "%s\r\n", rcpt)
		default:
			fmt.Fprint(conn, "250 fine\r\n")
		}
	}
}

func TestAHealthyPatient(t *testing.T) {
	t.Parallel()
	found := Examine(t.Context(), healthy(t, zoneWith()))
	for _, f := range found {
		if f.State != OK && f.Check != "clock" { // the kernel's, where tests run
			t.Errorf("%+v", f)
		}
	}
	var ran []string
	for _, f := range found {
		if !slices.Contains(ran, f.Check) {
			ran = append(ran, f.Check)
		}
	}
	if want := Checks()[:len(checks)]; !slices.Equal(ran, want) {
		t.Errorf("checks that found nothing, not even that all is well:\n%v of\n%v", ran, want)
	}
}

// ill is one thing that is wrong, and what is to be found.
type ill struct {
	name  string
	zone  []string // in place of lines of the zone
	harm  func(p *Patient)
	check string
	state State
	words []string // of the finding, in any of its texts
}

var ills = []ill{
	{"an old Postgres", nil, func(p *Patient) { p.Database.Version = 140005 }, "database.version", Problem, []string{"Postgres 14", "upgrade"}},
	{"another encoding", nil, func(p *Patient) { p.Database.Encoding = "LATIN1" }, "database.version", Problem, []string{"LATIN1", "createdb --encoding=UTF8"}},
	{"no fsync", nil, func(p *Patient) { p.Database.Fsync = false }, "database.durable", Problem, []string{"fsync", "goes out again"}},
	{"lazy commits", nil, func(p *Patient) { p.Database.Synchronous = "off" }, "database.durable", Problem, []string{"synchronous_commit"}},
	{"a full disk", nil, func(p *Patient) { p.Free = 100 << 20 }, "database.space", Problem, []string{"100 MB"}},
	{"a disk that fills", nil, func(p *Patient) { p.Free = 1 << 30 }, "database.space", Warning, []string{"1024 MB"}},
	{"no partitions", nil, func(p *Patient) { p.Ready = false }, "database.partitions", Problem, []string{"no edition can be planned"}},
	{"a forgotten transaction", nil, func(p *Patient) {
		p.Database.Longest, p.Database.LongestOf = 26*time.Hour, "process 17, psql, idle in transaction"
	}, "database.transactions", Warning, []string{"26h0m0s", "process 17"}},
	{"no connections left", nil, func(p *Patient) { p.Database.Connections = 95 }, "database.transactions", Warning, []string{"95 of 97", "max_connections"}},
	{"a copy", nil, func(p *Patient) { p.Held = "it was restored" }, "database.held", Problem, []string{"it was restored", "silkpost adopt"}},
	{"clocks apart", nil, func(p *Patient) { p.Skew = -3 * time.Second }, "clock", Warning, []string{"3s apart"}},
	{"clocks far apart", nil, func(p *Patient) { p.Skew = time.Minute }, "clock", Problem, []string{"1m0s apart", "chrony"}},
	{"no worker", nil, func(p *Patient) { p.Workers = 0 }, "workers", Warning, []string{"silkpost serve"}},
	{"no secret key", nil, func(p *Patient) { p.Secrets = 0 }, "secret.key", Problem, []string{"SILKPOST_SECRET_KEY"}},
	{"a key sealed with the second secret", nil, func(p *Patient) { p.Keys[0].Secret = 1 }, "secret.key", Warning, []string{"secret key 2", "silkpost reseal"}},
	{"second factors sealed with another secret", nil, func(p *Patient) { p.Factors = 2 }, "secret.key", Warning, []string{"2 second factors", "silkpost reseal"}},

	{"no relay", nil, func(p *Patient) { p.Relays = nil }, "relay.connect", Problem, []string{"SILKPOST_SMTP_URL"}},
	{"a relay that is away", nil, func(p *Patient) { p.Relays[0].Failure = "connection refused" }, "relay.connect", Problem, []string{"relay.example.net:587: connection refused", "SILKPOST_SMTP_URL"}},
	{"a relay that would know us", nil, func(p *Patient) { p.Relays[0].Facts.LoggedIn = false; p.Relays[0].Facts.Auth = []string{"PLAIN"} }, "relay.connect", Note, []string{"PLAIN", "own domains alone"}},
	{"mail in the clear", nil, func(p *Patient) { p.Relays[0].Facts.Secure, p.Relays[0].TLS = false, send.None }, "relay.tls", Warning, []string{"in the clear", "?tls=none"}},
	{"a certificate that ends", nil, func(p *Patient) { p.Relays[0].Facts.Expires = noon.AddDate(0, 0, 5) }, "relay.tls", Warning, []string{"2026-11-27"}},
	{"a small relay", nil, func(p *Patient) { p.Relays[0].Facts.Size = 20_000 }, "relay.size", Problem, []string{"20000", "46384", "max_articles"}},
	{"no pipelining", nil, func(p *Patient) { delete(p.Relays[0].Facts.Extensions, "PIPELINING") }, "relay.extensions", Note, []string{"PIPELINING", "round trips"}},
	{"declared limits", nil, func(p *Patient) { p.Relays[0].Facts.Extensions["LIMITS"] = "MAILMAX=100" }, "relay.extensions", Note, []string{"MAILMAX=100"}},
	{"a sender that is not ours", nil, func(p *Patient) {
		p.Relays[0].Facts.Refused = map[string]string{"x@bounce.example.org": "553 5.7.1 not yours"}
	}, "relay.sender", Problem, []string{"553 5.7.1 not yours", "bounce.example.org"}},

	{"no sender", nil, func(p *Patient) { p.Senders = nil }, "sender.set", Problem, []string{"silkpost apply"}},
	{"a free-mail sender", nil, func(p *Patient) { p.Senders[0].Address = "office@GMail.com" }, "sender.freemail", Problem, []string{"office@GMail.com", "domain of your own"}},
	{"a sender's domain that is not there", nil, func(p *Patient) { p.Senders[0].Address = "news@nowhere.example.org" }, "sender.replies", Problem, []string{"no MX record"}},
	{"a sender's domain that takes no mail", []string{"example.org MX 0 ."}, nil, "sender.replies", Problem, []string{"RFC 7505"}},

	{"no SPF", []string{"bounce.example.org TXT other"}, nil, "spf.record", Problem, []string{"no SPF record", `bounce.example.org. 3600 IN TXT "v=spf1 a:relay.example.net ~all"`}},
	{"no SPF, and a relay of the house", []string{"bounce.example.org TXT other"}, func(p *Patient) { p.Relays[0].Host = "127.0.0.1" }, "spf.record", Problem, []string{"in the place of ADDRESS", `"v=spf1 ip4:ADDRESS ~all"`}},
	{"two of SPF", []string{"bounce.example.org TXT v=spf1 -all", "bounce.example.org TXT v=spf1 ~all"}, nil, "spf.record", Problem, []string{"2 SPF records"}},
	{"SPF for all", []string{"bounce.example.org TXT v=spf1 +all"}, nil, "spf.record", Warning, []string{"any server", "-all"}},
	{"SPF that nobody reads", []string{"bounce.example.org TXT v=spf1 ip:192.0.2.1 -all"}, nil, "spf.record", Problem, []string{"ip:192.0.2.1"}},
	{"SPF with a bad network", []string{"bounce.example.org TXT v=spf1 ip4:192.0.2.300 -all"}, nil, "spf.record", Problem, []string{"ip4:192.0.2.300 is no network"}},
	{"an include of nothing", []string{"bounce.example.org TXT v=spf1 include:gone.example.net -all"}, nil, "spf.record", Problem, []string{"include:gone.example.net", "without an SPF record"}},
	{"SPF in a circle", []string{"bounce.example.org TXT v=spf1 include:bounce.example.org -all"}, nil, "spf.record", Problem, []string{"circle"}},
	{"a name server that is broken", []string{"bounce.example.org SERVFAIL x"}, nil, "spf.record", Warning, []string{"could not be found out"}},
	{"too many questions", []string{"bounce.example.org TXT v=spf1 " + strings.Repeat("a:mx.example.org ", 11) + "-all"}, nil, "spf.lookups", Problem, []string{"11 questions", "10 are allowed", "RFC 7208"}},
	{"many questions", []string{"bounce.example.org TXT v=spf1 " + strings.Repeat("a:mx.example.org ", 10) + "-all"}, nil, "spf.lookups", Warning, []string{"10 questions"}},
	{"too many void ones", []string{"bounce.example.org TXT v=spf1 a:x1.example.org a:x2.example.org mx:x3.example.org -all"}, nil, "spf.lookups", Problem, []string{"3 things that are not there"}},
	{"a relay that is not named", []string{"relay.example.net A 192.0.2.99"}, nil, "spf.relay", Warning, []string{"192.0.2.99", "--send-to"}},
	{"a relay inside", nil, func(p *Patient) { p.Relays[0].Host = "10.0.0.5" }, "spf.relay", Note, []string{"inside", "--send-to"}},

	{"a key that cannot be opened", nil, func(p *Patient) { p.Keys[0].Failure = "none opens it" }, "dkim.keys", Problem, []string{"none opens it", "nothing is sent from example.org"}},
	{"no key", nil, func(p *Patient) { p.Keys = nil }, "dkim.keys", Warning, []string{"not signed here", "silkpost dkim create example.org"}},
	{"Ed25519 alone", nil, func(p *Patient) { p.Keys = p.Keys[:1] }, "dkim.keys", Warning, []string{"Ed25519 alone", "--algorithm rsa"}},
	{"an old key", nil, func(p *Patient) { p.Keys[0].UsedAt = at(-500 * 24 * time.Hour) }, "dkim.keys", Note, []string{"s1", "each year"}},
	{"a key that was retired long ago", nil, func(p *Patient) { p.Keys[0].State, p.Keys[0].RetiredAt = dkim.Retired, at(-60*24*time.Hour) }, "dkim.keys", Note, []string{"silkpost dkim remove example.org s1"}},
	{"no record of a key", []string{edKey.Name() + " TXT NONE"}, nil, "dkim.record", Problem, []string{"no record at s1._domainkey.example.org", `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; k=ed25519; p=`}},
	{"another key's record", []string{edKey.Name() + " TXT v=DKIM1; k=ed25519; p=AAAA"}, nil, "dkim.record", Problem, []string{"another key"}},
	{"a record of another algorithm", []string{edKey.Name() + " TXT v=DKIM1; p=AAAA"}, nil, "dkim.record", Problem, []string{"k=rsa"}},
	{"a revoked key", []string{edKey.Name() + " TXT v=DKIM1; k=ed25519; p="}, nil, "dkim.record", Problem, []string{"revoked"}},
	{"a record that was cut", []string{edKey.Name() + " TXT v=DKIM1; k=ed25519; p=AAA"}, nil, "dkim.record", Problem, []string{"lost when it was pasted"}},
	{"a record for trying out", []string{edKey.Name() + " TXT " + edKey.Record() + "; t=y"}, nil, "dkim.record", Warning, []string{"t=y"}},
	{"two records of a key", []string{edKey.Name() + " TXT " + edKey.Record(), edKey.Name() + " TXT other"}, nil, "dkim.record", Problem, []string{"several records"}},
	{"no record of a key that does not sign yet", []string{edKey.Name() + " TXT NONE"}, func(p *Patient) { p.Keys[0].State = dkim.Made }, "dkim.record", Note, []string{"does not sign yet"}},
	{"no record of a key that signed until lately", []string{edKey.Name() + " TXT NONE"}, func(p *Patient) { p.Keys[0].State, p.Keys[0].RetiredAt = dkim.Retired, at(-time.Hour) }, "dkim.record", Problem, []string{"no record"}},

	{"no DMARC", []string{"_dmarc.example.org TXT other"}, nil, "dmarc.record", Problem, []string{"no DMARC record", `_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"`}},
	{"two of DMARC", []string{"_dmarc.example.org TXT v=DMARC1; p=none", "_dmarc.example.org TXT v=DMARC1; p=reject"}, nil, "dmarc.record", Problem, []string{"several records"}},
	{"DMARC without policy", []string{"_dmarc.example.org TXT v=DMARC1; rua=mailto:a@example.org"}, nil, "dmarc.record", Problem, []string{"no policy"}},
	{"DMARC with two policies", []string{"_dmarc.example.org TXT v=DMARC1; p=none; p=reject; rua=mailto:a@example.org"}, nil, "dmarc.record", Problem, []string{"p= twice"}},
	{"DMARC without reports", []string{"_dmarc.example.org TXT v=DMARC1; p=none"}, nil, "dmarc.record", Note, []string{"rua="}},
	{"DKIM alone vouches", nil, func(p *Patient) { p.ReturnDomain = "bounces.relay.example.net" }, "dmarc.alignment", Note, []string{"DKIM (example.org) vouches", "bounce_domain"}},
	{"SPF alone vouches", nil, func(p *Patient) { p.Keys = nil }, "dmarc.alignment", Warning, []string{"SPF (bounce.example.org) vouches", "silkpost dkim create example.org"}},
	{"nobody vouches", nil, func(p *Patient) { p.ReturnDomain, p.Keys = "bounces.relay.example.net", nil }, "dmarc.alignment", Problem, []string{"neither", "p=quarantine", "with the spam", "silkpost dkim create example.org"}},
	{"SPF is strict", []string{"_dmarc.example.org TXT v=DMARC1; p=reject; aspf=s; rua=mailto:a@example.org"}, nil, "dmarc.alignment", Note, []string{"SPF (bounce.example.org) does not"}},
	{"DKIM is strict", []string{"_dmarc.example.org TXT v=DMARC1; p=none; sp=reject; aspf=s; adkim=s"}, func(p *Patient) { p.Senders[0].Address = "news@mail.example.org" }, "dmarc.alignment", Problem, []string{"adkim=s", "p=reject", "silkpost dkim create mail.example.org"}},

	{"no bounce domain", nil, func(p *Patient) { p.ReturnDomain = "" }, "return.domain", Warning, []string{"bounce_domain", "docs/bounces.md"}},
	{"no MX of the return path", nil, func(p *Patient) { p.ReturnDomain = "none.example.org" }, "return.domain", Problem, []string{"no MX record", "none.example.org. 3600 IN MX 10 mail.example.org."}},
	{"an MX without address", []string{"bounce.example.org MX 10 gone.example.org"}, nil, "return.domain", Problem, []string{"gone.example.org, which has no address"}},
	{"a return path that takes no mail", []string{"bounce.example.org MX 0 ."}, nil, "return.domain", Problem, []string{"takes no mail"}},
	{"a return path that is not reached", nil, func(p *Patient) { p.MailPort = "1" }, "return.reach", Warning, []string{"return.example.org", "cannot be reached", "inbox test"}},
	{"a mailbox that cannot be read", nil, func(p *Patient) { p.Channel.Failure = "login failed" }, "return.tested", Problem, []string{"login failed", "bounce_imap_url"}},
	{"a return path that was not tried", nil, func(p *Patient) { p.Channel.TestedAt = nil }, "return.tested", Warning, []string{"silkpost inbox test"}},
	{"a return path that was tried long ago", nil, func(p *Patient) { p.Channel.TestedAt = at(-200 * 24 * time.Hour) }, "return.tested", Note, []string{"now and then"}},

	{"no public URL", nil, func(p *Patient) { p.PublicURL = "" }, "unsubscribe.url", Problem, []string{"SILKPOST_PUBLIC_URL"}},
	{"plain http", nil, func(p *Patient) { p.PublicURL = "http://127.0.0.1:8080" }, "unsubscribe.url", Problem, []string{"not https", "RFC 8058"}},
	{"a web that is away", nil, func(p *Patient) { p.Web.Failure = "no answer" }, "unsubscribe.reach", Problem, []string{"no answer"}},
	{"another installation", nil, func(p *Patient) { p.Web.Other = true }, "unsubscribe.reach", Problem, []string{"not this installation"}},
	{"the web's certificate ends", nil, func(p *Patient) { p.Web.Expires = noon.AddDate(0, 0, 3) }, "unsubscribe.reach", Warning, []string{"2026-11-25"}},
	{"a proxy that keeps POST out", nil, func(p *Patient) { p.Web.OneClick = "403 Forbidden" }, "unsubscribe.click", Problem, []string{"403 Forbidden", "without a login"}},
}

func TestIlls(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tt := range ills {
		seen[tt.check] = true
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := healthy(t, zoneWith(tt.zone...))
			if tt.harm != nil {
				tt.harm(p)
			}
			for _, f := range Examine(t.Context(), p) {
				all := strings.Join(append([]string{f.Says, f.Means, f.Do}, f.Publish...), "\n")
				if f.Check != tt.check || f.State != tt.state {
					continue
				}
				for _, word := range tt.words {
					if !strings.Contains(all, word) {
						t.Errorf("want %q in\n%s", word, all)
					}
				}
				return
			}
			t.Errorf("no finding %s of state %s among %+v", tt.check, tt.state, Examine(t.Context(), p))
		})
	}
	for _, name := range Checks()[:len(checks)] {
		if !seen[name] && name != "return.reach" {
			t.Errorf("%s: nothing was made to go wrong", name)
		}
	}
}

func TestReturnPathIsKnockedAt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ehlo, rcpt string
		state      State
		word       string
	}{
		{"250 STARTTLS", "250 fine", OK, "with TLS"},
		{"250 SIZE", "250 fine", Note, "without TLS"},
		{"250 STARTTLS", "550 5.1.1 who?", Problem, "550 5.1.1 who?"},
		{"250 STARTTLS", "451 later", Problem, "451 later"},
	} {
		p := healthy(t, zoneWith())
		_, p.MailPort, _ = net.SplitHostPort(mailServer(t, tt.ehlo, tt.rcpt))
		found := returnReach(t.Context(), p)
		if len(found) != 1 || found[0].State != tt.state || !strings.Contains(found[0].Says, tt.word) {
			t.Errorf("%+v: %+v", tt, found)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	if got := Worst(nil); got != OK {
		t.Error(got)
	}
	if got := Worst([]Finding{{State: Note}, {State: Problem}, {State: Warning}}); got != Problem {
		t.Error(got)
	}
}

func TestHear(t *testing.T) {
	t.Parallel()
	trial := func(how bounce.How, said string) Trial {
		return Trial{Trial: bounce.Trial{ID: 1, How: how, Said: said, CameAt: at(0)}, Sender: "news@example.org", Envelope: "bounce.example.org"}
	}
	for _, tt := range []struct {
		name string
		of   Trial
		want string // states in the order of the checks
		word string
	}{
		{
			"all is well", trial(bounce.Arrived, "mx.example.net; spf=pass smtp.mailfrom=d+x@bounce.example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"),
			"ok ok ok ok", "spf=pass (bounce.example.org)",
		},
		{"in two fields", trial(bounce.Answered, "mx.example.net; spf=pass; dkim=pass\nmx.example.net; dmarc=pass"), "ok ok ok ok", "mx.example.net took the test mail"},
		{"one of two signatures", trial(bounce.Answered, "mx.example.net; spf=pass; dkim=neutral header.d=example.org; dkim=pass header.d=example.org; dmarc=pass"), "ok ok ok ok", "dkim=neutral"},
		{"SPF fails", trial(bounce.Arrived, "mx.example.net; spf=softfail smtp.mailfrom=bounce.example.org; dkim=pass; dmarc=pass"), "ok problem ok ok", "SPF record of bounce.example.org"},
		{"not signed", trial(bounce.Arrived, "mx.example.net; spf=pass; dkim=none; dmarc=pass"), "ok ok problem ok", "the signature is missing"},
		{"nobody vouches", trial(bounce.Arrived, "mx.example.net; spf=pass; dkim=pass; dmarc=fail (p=REJECT) header.from=example.org"), "ok ok ok problem", "silkpost dkim create example.org"},
		{"no DMARC", trial(bounce.Arrived, "mx.example.net; spf=pass; dkim=pass; dmarc=none header.from=example.org"), "ok ok ok problem", "no DMARC record"},
		{"it could not look", trial(bounce.Arrived, "mx.example.net; spf=temperror; dkim=pass; dmarc=pass"), "ok warning ok ok", "try again"},
		{"it does not look", trial(bounce.Arrived, "mx.example.net; spf=pass; dkim=pass"), "ok ok ok warning", "says nothing of DMARC"},
		{"a bounce", trial(bounce.Bounced, "5.7.26 unauthenticated"), "problem", "5.7.26 unauthenticated"},
		{"straight to us", trial(bounce.Arrived, ""), "note", "--send-to"},
		{"a word of thanks", trial(bounce.Answered, ""), "warning", "as an attachment"},
	} {
		var states, checks []string
		var all strings.Builder
		for _, f := range Hear(tt.of) {
			states, checks = append(states, string(f.State)), append(checks, f.Check)
			fmt.Fprintln(&all, f.Says, f.Means, f.Do)
		}
		if got := strings.Join(states, " "); got != tt.want || !strings.Contains(all.String(), tt.word) || strings.Contains(all.String(), "%") {
			t.Errorf("%s: %s, want %s with %q in\n%s", tt.name, got, tt.want, tt.word, all.String())
		}
		if known := Checks()[len(Checks())-4:]; !slices.Equal(checks, known[:len(checks)]) {
			t.Errorf("%s: checks %v", tt.name, checks)
		}
	}
}
