package compose

import (
	"bytes"
	"mime"
	"net/mail"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"silkpost/templates"
)

func notice() Notice {
	return Notice{Masthead: letter().Masthead, Language: "it", Shown: templates.Mail{
		Subject: "Conferma l’iscrizione a «Musei»", Text: "Sei tu?\n\n.\n[1] https://news.example.org/confirm/Ab-_\n", HTML: "<p>Sei tu? è</p>",
	}}
}

func TestNotice(t *testing.T) {
	t.Parallel()
	n, r := notice(), recipient()
	for _, link := range []string{"", r.UnsubscribeURL} {
		r.UnsubscribeURL = link
		raw, err := n.For(r)
		if err != nil {
			t.Fatal(err)
		}
		header, text, html := parts(t, raw)
		subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil || subject != n.Shown.Subject {
			t.Errorf("subject %q, %v", subject, err)
		}
		want := map[string]string{
			"Message-Id": r.MessageID, "Date": "Sun, 22 Nov 2026 08:00:00 +0000", "Auto-Submitted": "auto-generated", "Content-Language": "it",
			"Reply-To": "<office@example.org>", "From": "=?utf-8?q?Acad=C3=A9mie?= <news@example.org>", "Precedence": "",
			"List-Id": "", "List-Unsubscribe": "", "List-Unsubscribe-Post": "",
		}
		if link != "" {
			want["List-Id"], want["List-Unsubscribe"], want["List-Unsubscribe-Post"] = "<partners.example.org>", "<"+link+">", "List-Unsubscribe=One-Click"
		}
		for name, value := range want {
			if got := header.Get(name); got != value {
				t.Errorf("%s: got %q, want %q", name, got, value)
			}
		}
		if to, err := mail.ParseAddress(header.Get("To")); err != nil || to.Name != r.Name || to.Address != r.Address {
			t.Errorf("To: %q gives %v, %v", header.Get("To"), to, err)
		}
		if strings.ReplaceAll(text, "\r\n", "\n") != n.Shown.Text || html != n.Shown.HTML {
			t.Errorf("the parts are %q and %q", text, html)
		}
		if again, _ := n.For(r); !bytes.Equal(raw, again) {
			t.Error("the same notice gave other bytes")
		}
	}
}

// Whatever a notice shows comes as it is and reaches no header.
func TestNoticeHoldsAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("ab =.:\t<é汉ع\u00a0😀")), 0, 120, -1)
		n := notice()
		n.Shown.Subject, n.Shown.Text, n.Shown.HTML = strings.TrimSpace(word.Draw(t, "subject")), word.Draw(t, "text")+"\n", word.Draw(t, "html")+"\n"
		n.Shown.Subject = strings.Join(strings.Fields(n.Shown.Subject), " ")
		raw, err := n.For(recipient())
		if err != nil {
			t.Fatal(err)
		}
		header, text, html := parts(t, raw)
		subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil || subject != n.Shown.Subject {
			t.Fatalf("subject %q, want %q, %v", subject, n.Shown.Subject, err)
		}
		if strings.ReplaceAll(text, "\r\n", "\n") != n.Shown.Text || strings.ReplaceAll(html, "\r\n", "\n") != n.Shown.HTML {
			t.Fatalf("the parts are %q and %q", text, html)
		}
	})
}

func TestNoticeIDs(t *testing.T) {
	t.Parallel()
	one, two := uuid.MustParse("0190a000-0000-7000-8000-000000000001"), uuid.MustParse("0190a000-0000-7000-8000-000000000002")
	id := NoticeID(one, "news@example.org")
	if id != NoticeID(one, "news@example.org") || id == NoticeID(two, "news@example.org") || !strings.HasSuffix(id, "@example.org>") ||
		strings.Contains(id, one.String()) {
		t.Errorf("%s", id)
	}
}
