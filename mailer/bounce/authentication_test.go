package bounce

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/authres"
)

// shown writes verdicts on one line.
func shown(by string, verdicts []Verdict) string {
	all := []string{by}
	for _, v := range verdicts {
		var properties []string
		for name, value := range v.Properties {
			properties = append(properties, name+"="+value)
		}
		sort.Strings(properties)
		all = append(all, strings.Join(strings.Fields(v.Method+"="+v.Result+" "+strings.Join(properties, " ")+" "+v.Reason), " "))
	}
	return strings.Join(all, "; ")
}

func TestParseAuthentication(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"nothing", "", ""},
		{"none", "mx.example.net; none", "mx.example.net"},
		{
			"as Gmail writes it", "mx.google.com; dkim=pass header.i=@example.org header.s=s1 header.b=abcdefgh; spf=pass (google.com: domain of b+x@bounce.example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=\"b+x@bounce.example.org\"; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org",
			"mx.google.com; dkim=pass header.b=abcdefgh header.i=@example.org header.s=s1; spf=pass smtp.mailfrom=b+x@bounce.example.org; dmarc=pass header.from=example.org",
		},
		{
			"as Microsoft writes it", "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass (signature was verified) header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass reason=100",
			"; spf=pass smtp.mailfrom=example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org; compauth=pass 100",
		},
		{"comments in comments, and versions", "mx.example.net 1 (a (b) ; c=d); DKIM/1 = Fail (x;y) reason=\"bad signature\" header.d=example.org", "mx.example.net; dkim=fail header.d=example.org bad signature"},
		{"unbalanced", "mx.example.net; spf=pass (never ends; dkim=pass", "mx.example.net; spf=pass"},
		{"quoted parentheses", `mx.example.net; auth=pass smtp.auth="a(b"; spf=none`, "mx.example.net; auth=pass smtp.auth=a(b; spf=none"},
	} {
		if got := shown(ParseAuthentication(tt.value)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// FuzzParseAuthentication reads what anybody may send. What another implementation reads without comments and quotation marks, ours reads alike.
func FuzzParseAuthentication(f *testing.F) {
	for _, value := range []string{
		"example.org; none", "example.com; spf=pass smtp.mailfrom=example.net", "a; dkim=fail reason=bad header.d=x; dmarc=pass", "((((", `";\";`, "a;b=c;=;d=;e", "=0",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		by, verdicts := ParseAuthentication(value)
		if strings.ContainsAny(by, " \t\r\n") {
			t.Errorf("who says it: %q", by)
		}
		theirBy, theirs, err := authres.Parse(value)
		if err != nil || !plainValue(value) || len(theirs) != len(verdicts) {
			return
		}
		if by != theirBy {
			t.Errorf("%q says it, or %q", by, theirBy)
		}
		for i, result := range theirs {
			if spf, is := result.(*authres.SPFResult); is && (verdicts[i].Method != "spf" || verdicts[i].Result != strings.ToLower(string(spf.Value))) {
				t.Errorf("%q: %v, or %+v", value, fmt.Sprint(spf), verdicts[i])
			}
		}
	})
}

// plainValue reports values in which both implementations have to see the same.
func plainValue(value string) bool {
	for _, r := range value {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.=; ", r) {
			return false
		}
	}
	first, _, _ := strings.Cut(value, ";")
	return !strings.Contains(first, "=") && !strings.Contains(value, "==") && !strings.Contains(value, "= ") && !strings.Contains(value, " =")
}

const resultA, resultB = "mx.google.com; dkim=pass header.d=example.org; spf=pass; dmarc=pass", "mx.google.com; arc=none"

// TestTrials takes a test mail back in each way in which it can come.
func TestTrials(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	all := mails(t, "x")
	for _, tt := range []struct {
		name    string
		message func(address string) string
		how     How
		said    string
	}{
		{"itself, through a server that looked at it", func(a string) string {
			return "Authentication-Results: " + strings.ReplaceAll(resultA, "; ", ";\r\n\t") + "\r\nAuthentication-Results: " + resultB +
				"\r\nReceived: from x\r\nAuthentication-Results: evil.example; dkim=fail\r\nMessage-ID: <" + a + ">\r\nSubject: x\r\n\r\nText\r\n"
		}, Arrived, resultA + "\n" + resultB},
		{"itself, by the straight way", func(a string) string { return "Message-ID: <" + a + ">\r\nSubject: x\r\n\r\nText\r\n" }, Arrived, ""},
		{"forwarded as an attachment", func(a string) string {
			return "Authentication-Results: ours.example; dkim=pass header.d=of-the-answer.example\r\nMessage-ID: <answer@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
				"--b\r\n\r\nHere it is.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nAuthentication-Results: " + resultA + "\r\nMessage-ID: <" + a + ">\r\n\r\nText\r\n--b--\r\n"
		}, Answered, resultA},
		{"another message attached", func(string) string {
			return "Message-ID: <answer@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nAuthentication-Results: " + resultA +
				"\r\nMessage-ID: <other@x>\r\n\r\nText\r\n--b--\r\n"
		}, Answered, ""},
		{"quoted in the answer of a machine", func(string) string {
			return "Auto-Submitted: auto-replied\r\nSubject: Re: x\r\n\r\nThis is what came:\r\n\r\n> Received: from x\r\n> Authentication-Results: mx.google.com;\r\n>   dkim=pass header.d=example.org;\r\n" +
				">   spf=pass; dmarc=pass\r\n> Subject: x\r\n"
		}, Answered, resultA},
		{"a word of thanks", func(string) string { return "Subject: Re: x\r\n\r\nIt came, thank you.\r\n" }, Answered, ""},
		{"a bounce", func(string) string { return string(all["dsn-postfix-unknown"]) }, Bounced, "5.1.1 <reader@example.net>: Recipient address rejected: User unknown in virtual mailbox table"},
	} {
		trial, err := BeginTrial(o.ctx, o.DB, noon)
		o.must(err)
		address := ours.Trial(trial.ID)
		for range 2 {
			o.take([]string{address}, []byte(tt.message(address)))
		}
		got, err := TrialByID(o.ctx, o.DB, trial.ID)
		o.must(err)
		if got.How != tt.how || got.Said != tt.said || got.CameAt == nil {
			t.Errorf("%s: %+v, want %s %q", tt.name, got, tt.how, tt.said)
		}
	}
	o.same("inbox", o.inbox(), []string(nil))

	// An answer that says more than an earlier one counts, not the other way round; a warning that it is late is none.
	trial, err := BeginTrial(o.ctx, o.DB, noon)
	o.must(err)
	to := []string{ours.Trial(trial.ID)}
	o.take(to, all["dsn-delayed"])
	o.take(to, []byte("Subject: Re: x\r\n\r\nThank you.\r\n"))
	o.take(to, []byte("Subject: Re: x\r\n\r\nAuthentication-Results: a.example; spf=fail\r\n"))
	o.take(to, []byte("Subject: Re: x\r\n\r\nAuthentication-Results: a.example; spf=pass\r\n"))
	if got, err := TrialByID(o.ctx, o.DB, trial.ID); err != nil || got.Said != "a.example; spf=fail" {
		t.Errorf("%+v, %v", got, err)
	}
}
