package reply

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		phase Phase
		code  int
		text  string
		want  Outcome
	}{
		{Connect, 0, "connection refused", Deferred},
		{Connect, 554, "5.7.1 go away", Deferred},
		{Connect, 421, "busy", Deferred},
		{Mail, 0, "connection reset", Deferred},
		{Mail, 451, "4.3.0 later", Deferred},
		{Mail, 550, "5.7.1 sender refused", Deferred},
		{Mail, 553, "5.1.8 no such sender", Deferred},
		{Mail, 554, "who knows why", Failed},
		{Mail, 530, "5.7.0 authenticate first", Deferred},
		{Rcpt, 0, "timeout", Deferred},
		{Rcpt, 450, "greylisted", Deferred},
		{Rcpt, 550, "5.1.1 no such user", Failed},
		{Rcpt, 599, "what is this", Failed},
		{Rcpt, 552, "5.2.2 mailbox full", Deferred},
		{Rcpt, 552, "full", Deferred},
		{Rcpt, 550, "5.7.1 you may not write to them", Failed},
		{Dot, 552, "5.3.4 too large", Failed},
		{Data, 354, "an answer that is not one", Deferred},
		{Data, 554, "no", Failed},
		{Dot, 250, "2.0.0 queued as 17", Sent},
		{Dot, 451, "4.3.0 disk", Deferred},
		{Dot, 554, "5.6.0 spam", Failed},
		{Dot, 0, "connection lost", InDoubt},
		{Rcpt, 250, "2.1.5 fine, but the dot never went", Deferred},
	}
	for _, tt := range tests {
		r := Reply{Phase: tt.phase, Code: tt.code, Text: tt.text}
		if got := r.Outcome(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", r, got, tt.want)
		}
	}
}

func TestEnhanced(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"5.1.1 no": "5.1.1", "5.1": "", "no 5.1.1": "", "2.0.0": "2.0.0", "9.1.1 x": ""} {
		if got := (Reply{Text: text}).Enhanced(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\r\nb\x00\xff")
	f.Add(strings.Repeat("界", 400))
	f.Fuzz(func(t *testing.T, s string) {
		got := OneLine(s)
		if len(got) > 500 || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00\t") {
			t.Errorf("%q gave %q", s, got)
		}
	})
}
