package reply

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// parse reads an example: "550 5.1.1 no such user".
func parse(phase Phase, answer string) Reply {
	r := Reply{Phase: phase, Text: answer[4:]}
	for _, digit := range answer[:3] {
		r.Code = 10*r.Code + int(digit-'0')
	}
	return r
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		phase   Phase
		answer  string // "000 …": none came
		kind    Kind
		outcome Outcome
	}{
		{Compose, "000 the template is broken", Unmade, Deferred},
		{Compose, "000 " + NoSMTPUTF8, Unsupported, Failed},
		{Compose, "000 " + No8BITMIME, Unsupported, Failed},
		{Connect, "000 connection refused", Unreachable, Deferred},
		{Connect, "554 5.7.1 go away", Unreachable, Deferred},
		{Connect, "421 busy", Unreachable, Deferred},
		{Mail, "000 connection reset", Lost, Deferred},
		{Mail, "421 4.4.2 idle for too long", Later, Deferred},
		{Mail, "451 4.3.0 later", Later, Deferred},
		{Mail, "450 4.7.1 Error: too much mail from 192.0.2.1", RelayBusy, Deferred},
		{Mail, "550 5.7.1 sender refused", RelayRefuses, Deferred},
		{Mail, "553 5.1.8 no such sender", RelayRefuses, Deferred},
		{Mail, "554 who knows why", Refused, Failed},
		{Mail, "550 5.1.1 no such user", RelayRefuses, Deferred}, // our address
		{Mail, "452 4.2.2 mailbox full", Later, Deferred},
		{Mail, "552 insufficient storage", RelayRefuses, Deferred},
		{Mail, "552 5.3.4 too large", Refused, Failed},
		{Mail, "530 5.7.0 authenticate first", RelayRefuses, Deferred},
		{Mail, "553 5.6.7 not in ASCII", Unsupported, Failed},
		{Rcpt, "000 timeout", Lost, Deferred},
		{Rcpt, "450 4.2.0 greylisted", Later, Deferred},
		{Rcpt, "450 4.1.1 user unknown for now", Later, Deferred},
		{Rcpt, "454 Throttling failure: Daily message quota exceeded", RelayBusy, Deferred},
		{Rcpt, "550 5.1.1 no such user", NoAddress, Failed},
		{Rcpt, "599 what is this", Refused, Failed},
		{Rcpt, "550 no", Refused, Failed},
		{Rcpt, "552 5.2.2 mailbox full", Full, Deferred},
		{Rcpt, "552 full", Full, Deferred},
		{Rcpt, "552 message size exceeds the limit", Refused, Failed},
		{Rcpt, "550 5.7.1 you may not write to them", Refused, Failed},
		{Rcpt, "550 5.1.1 <reader@example.net>: sender is blacklisted", Refused, Failed}, // by the reader
		{Rcpt, "450 4.7.1 Sender address rejected: Domain not found", Unproven, Deferred},
		{Rcpt, "550 5.4.1 Recipient address rejected: Access denied", Closed, Failed},
		{Dot, "552 5.3.4 too large", Refused, Failed},
		{Dot, "552 5.2.2 over quota", Full, Deferred},
		{Dot, "550 Mailbox unavailable", NoAddress, Failed},
		{Dot, "550 Mailbox unavailable or access denied", Later, Deferred},
		{Dot, "550 5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail", Blocked, Deferred},
		{Dot, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Blocked, Deferred},
		{Dot, "550 5.2.1 The user you are trying to contact is receiving email at a rate that prevents additional messages", Later, Deferred},
		{Dot, "550 5.7.24 The SPF record of the sending domain has one or more suspicious entries.", Unproven, Deferred},
		{Dot, "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS77712344)", Throttled, Deferred},
		{Mail, "421 RP-001 Unfortunately, some messages from 192.0.2.1 weren't sent. Please try again.", Throttled, Deferred},
		{Dot, "550 MI:NHD", Refused, Failed}, // an empty HELO
		{Data, "354 an answer that is not one", Later, Deferred},
		{Data, "554 no", Refused, Failed},
		{Dot, "250 2.0.0 queued as 17", Accepted, Sent},
		{Dot, "251 and forwarded", Accepted, Sent},
		{Dot, "451 4.3.0 disk", Later, Deferred},
		{Dot, "554 5.6.0 spam", Refused, Failed},
		{Dot, "000 connection lost", Unanswered, InDoubt},
		{Rcpt, "250 2.1.5 fine, but the dot never went", Later, Deferred},
		{Bounce, "000 5.1.1", NoAddress, Failed},
		{Bounce, "000 4.4.7 expired", Later, Deferred},
		{Bounce, "000 no code at all", Later, Deferred},
		{Bounce, "550 5.7.1 Relay access denied", Refused, Failed}, // not by our relay
	} {
		r := parse(tt.phase, tt.answer)
		if kind := r.Kind(); kind != tt.kind || r.Outcome() != tt.outcome {
			t.Errorf("%s %s: %s, %s; want %s, %s", tt.phase, tt.answer, kind, r.Outcome(), tt.kind, tt.outcome)
		}
	}
}

// Each rule is what its own example is judged by: none hides another.
func TestEachRule(t *testing.T) {
	t.Parallel()
	for i := range Rules {
		rule := &Rules[i]
		phase := rule.Phase
		if phase == "" {
			phase = Dot
		}
		kind, found := parse(phase, rule.Example).Judge()
		if found != rule || kind != rule.Kind {
			t.Errorf("rule %d (%s), %s %s: judged %s by %+v", i, rule.Kind, phase, rule.Example, kind, found)
		}
		if rule.Says == "" || meanings[rule.Kind].says == "" {
			t.Errorf("rule %d says nothing", i)
		}
	}
}

// What the recipients' servers say of us touches no address, and only what is listed as being about the address suppresses.
func TestOnlyAddressesScore(t *testing.T) {
	t.Parallel()
	for kind, m := range meanings {
		if m.whom != Address && m.score != None {
			t.Errorf("%s scores %s", kind, m.score)
		}
		if m.whom == Destination && m.outcome != Deferred {
			t.Errorf("%s fails the message", kind)
		}
	}
	for _, r := range []Reply{{Rcpt, 550, "5.7.1 no"}, {Dot, 554, "5.0.0 no"}, {Mail, 550, "5.1.0 no"}, {Rcpt, 599, ""}, {Dot, 571, "??"}} {
		if kind := r.Kind(); kind.Score() != None {
			t.Errorf("%+v: %s scores %s", r, kind, kind.Score())
		}
	}
	for _, rule := range Rules { // an answer to MAIL cannot be about a recipient
		if kind := parse(Mail, rule.Example).Kind(); kind.Score() != None {
			t.Errorf("MAIL %s: %s scores %s", rule.Example, kind, kind.Score())
		}
	}
}

func TestAboutUs(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{
		"connect 421 closed": true, "mail 554 who knows": true, "mail 451 later": false, "rcpt 550 5.1.1 no such user": false,
		"rcpt 554 5.7.1 Relay access denied": true, "dot 454 Throttling failure": true, "dot 550 5.7.515 denied": false, "dot 250 ok": false,
	} {
		phase, said, _ := strings.Cut(answer, " ")
		if got := parse(Phase(phase), said).AboutUs(); got != want {
			t.Errorf("%s: %v", answer, got)
		}
	}
}

func TestEnhanced(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5.1.1 no": "5.1.1", "5.1": "", "no 5.1.1": "", "2.0.0": "2.0.0", "9.1.1 x": "", "#5.1.0 no": "5.1.0", "(#5.1.1) no": "5.1.1", "5.1.1000": "",
	} {
		if got := (Reply{Text: text}).Enhanced(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Whatever an address is called, an answer that quotes it means the same.
func TestQuotedAddressesDecideNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom(Rules).Draw(t, "rule")
		name := rapid.SampledFrom([]string{"mailbox.full", "no.such.user", "spam", "blocked", "spf-fail", "quota.exceeded", "user.unknown", "x"}).Draw(t, "name")
		phase := rapid.SampledFrom([]Phase{Mail, Rcpt, Data, Dot, Bounce}).Draw(t, "phase")
		r := parse(phase, rule.Example)
		want := r.Kind()
		r.Text += rapid.SampledFrom([]string{" <%@example.net>", " %@spamhaus.example", ": <%@rbl.example>..."}).Draw(t, "form")
		r.Text = strings.ReplaceAll(r.Text, "%", name)
		if got := r.Kind(); got != want {
			t.Fatalf("%s %d %s: %s, without the address %s", r.Phase, r.Code, r.Text, got, want)
		}
	})
}

func FuzzJudge(f *testing.F) {
	for i := range Rules {
		f.Add(Rules[i].Example)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		for _, phase := range []Phase{Compose, Connect, Mail, Rcpt, Data, Dot, Bounce} {
			for _, code := range []int{0, 250, 421, 450, 550, 552} {
				r := Reply{Phase: phase, Code: code, Text: OneLine(answer)}
				kind := r.Kind()
				if meanings[kind].outcome == "" {
					t.Errorf("%+v: no kind", r)
				}
				if kind.Outcome() == Sent && (phase != Dot || code != 250) {
					t.Errorf("%+v is taken for sent", r)
				}
			}
		}
	})
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\r\nb\x00\xff\u009b31m")
	f.Add(strings.Repeat("界", 400))
	f.Fuzz(func(t *testing.T, s string) {
		got := OneLine(s)
		if len(got) > 500 || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q gave %q", s, got)
		}
	})
}
