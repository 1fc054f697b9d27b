package compose

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"silkpost/mailer/send"
	"silkpost/templates"
)

// plainTemplates shows a digest's articles and the recipient's slots anywhere that is asked for.
type plainTemplates struct{ before, after string }

func (plainTemplates) Language([]string, string) string { return "en" }

func (p plainTemplates) Digest(d templates.Digest) (templates.Mail, error) {
	return templates.Mail{
		Subject: "News",
		HTML:    "<p>" + p.before + d.Address + "</p>" + p.after + "<a href=\"" + d.UnsubscribeURL + "\">x</a><a href=\"" + d.PreferencesURL + "\">y</a>",
		Text:    p.before + d.Address + p.after + "\n" + d.PreferencesURL + "\n" + d.UnsubscribeURL + "\n",
	}, nil
}

func letter() Letter {
	return Letter{
		EditionID: uuid.MustParse("0190a000-0000-7000-8000-000000000001"),
		Masthead:  Masthead{ListSlug: "partners", SenderName: "Académie", SenderAddress: "news@example.org", ReplyTo: "office@example.org"},
	}
}

func recipient() Recipient {
	return Recipient{
		Name: "Büro, International \"Office\"", Address: "o'brien+x@example.net", MessageID: "<abc@example.org>",
		Date:           time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
		PreferencesURL: "https://news.example.org/preferences/" + strings.Repeat("_-bA", 30) + "?a&b",
		UnsubscribeURL: "https://news.example.org/unsubscribe/" + strings.Repeat("Ab-_", 30),
	}
}

// parts decodes a message and checks what every mail server may demand of it.
func parts(t interface{ Fatalf(string, ...any) }, raw []byte) (header mail.Header, text, html string) {
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if bytes.Contains(line, []byte("=?")) && len(line) > 76 {
			t.Fatalf("a header line with encoded words of %d characters: %s", len(line), line)
		}
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("a line that SMTP does not take: %q", line)
		}
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, raw)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	r := multipart.NewReader(msg.Body, params["boundary"])
	for i := range 2 {
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		encoded, _ := io.ReadAll(part)
		for line := range bytes.SplitSeq(encoded, []byte("\r\n")) {
			if len(line) > 76 {
				t.Fatalf("a quoted-printable line of %d characters: %q", len(line), line)
			}
		}
		decoded, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(encoded)))
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		if i == 0 {
			text = string(decoded)
		} else {
			html = string(decoded)
		}
	}
	return msg.Header, text, html
}

func TestForPutsTheRecipientIn(t *testing.T) {
	t.Parallel()
	stored, err := Render(plainTemplates{"Dear ", ", "}, letter())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	r := recipient()
	raw := m.For(r)
	header, text, html := parts(t, raw)
	to, err := mail.ParseAddress(header.Get("To"))
	if err != nil || to.Name != r.Name || to.Address != r.Address {
		t.Errorf("To: %q gives %v, %v", header.Get("To"), to, err)
	}
	for name, want := range map[string]string{
		"Message-Id": r.MessageID, "Date": "Sun, 22 Nov 2026 08:00:00 +0000", "List-Id": "<partners.example.org>",
		"List-Unsubscribe": "<" + r.UnsubscribeURL + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Precedence": "bulk", "Feedback-Id": "0190a000000070008000000000000001:partners:digest:silkpost",
		"Reply-To": "<office@example.org>", "From": "=?utf-8?q?Acad=C3=A9mie?= <news@example.org>",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if want := "Dear o'brien+x@example.net, \r\n" + r.PreferencesURL + "\r\n" + r.UnsubscribeURL + "\r\n"; strings.ReplaceAll(text, "\r\n", "\n") != strings.ReplaceAll(want, "\r\n", "\n") {
		t.Errorf("text: got %q, want %q", text, want)
	}
	if !strings.Contains(html, "Dear o&#39;brien+x@example.net</p>") || !strings.Contains(html, `href="`+r.UnsubscribeURL+`"`) ||
		!strings.Contains(html, `href="`+strings.ReplaceAll(r.PreferencesURL, "&", "&amp;")+`"`) {
		t.Errorf("html: %q", html)
	}
	again, _ := Render(plainTemplates{"Dear ", ", "}, letter())
	if !bytes.Equal(stored, again) || !bytes.Equal(raw, m.For(r)) {
		t.Error("the same letter and recipient gave other bytes")
	}
}

// What an older program has rendered and stored has no place for the link to the preferences.
func TestVariantsOfOlderPrograms(t *testing.T) {
	t.Parallel()
	stored, err := os.ReadFile("testdata/variant-without-preferences")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	raw, r := m.For(recipient()), recipient()
	_, text, html := parts(t, raw)
	if bytes.Contains(raw, append([]byte("\r\nTo: "), stored[:nonceBytes]...)) || strings.Contains(text+html, string(stored[:nonceBytes])) {
		t.Errorf("a placeholder is left in\n%s", raw)
	}
	if !strings.Contains(text, "] "+r.UnsubscribeURL) || strings.Count(html, r.UnsubscribeURL) != 2 || strings.Contains(text+html, "preferences/") {
		t.Errorf("the links are not what they were in\n%s\n%s", text, html)
	}
}

// The longest names and addresses that a contact may have keep to the limits of RFC 5322, 2.1.1.
func TestLongNamesAreFolded(t *testing.T) {
	t.Parallel()
	stored, err := Render(plainTemplates{"", ""}, letter())
	if err != nil {
		t.Fatal(err)
	}
	m, _ := Parse(stored)
	r := recipient()
	for _, name := range []string{strings.Repeat("国际合作部 ", 33), strings.Repeat("Büro ", 40), strings.Repeat("Office \"x\" ", 18), strings.Repeat("a", 200)} {
		r.Name = strings.TrimSpace(name)
		header, _, _ := parts(t, m.For(r))
		to, err := mail.ParseAddress(header.Get("To"))
		if err != nil || to.Name != r.Name {
			t.Errorf("%q came as %v, %v", r.Name, to, err)
		}
	}
}

// A name is the customer's to choose.
func TestSenderNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "6\" Telescope", `back\`, "Музей \"Звезда\"", "a, b <c@example.org>", "Ünïted"} {
		l := letter()
		l.SenderName = name
		stored, err := Render(plainTemplates{"", ""}, l)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		m, _ := Parse(stored)
		header, _, _ := parts(t, m.For(recipient()))
		from, err := mail.ParseAddress(header.Get("From"))
		if err != nil || from.Name != name || from.Address != "news@example.org" {
			t.Errorf("%q came as %v, %v", name, from, err)
		}
	}
}

func TestQuotedLocalPartsAreQuotedOnce(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		`"two words"@example.org`: `"x" <"two words"@example.org>`, `plain+tag@example.org`: `"x" <plain+tag@example.org>`,
		`"a\"b"@example.org`: `"x" <"a\"b"@example.org>`,
	} {
		if got := mailbox("x", address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestDatesStandInTheListsZone(t *testing.T) {
	t.Parallel()
	shanghai, santiago := zone(t, "Asia/Shanghai"), zone(t, "America/Santiago")
	for _, tt := range []struct {
		at   time.Time
		zone *time.Location
		want string
	}{
		{time.Date(2026, 5, 17, 23, 0, 0, 0, time.UTC), shanghai, "2026-05-18"},
		{time.Date(2026, 5, 18, 0, 0, 0, 0, time.UTC), santiago, "2026-05-18"}, // a date without an hour
		{time.Date(2026, 5, 18, 1, 0, 0, 0, time.UTC), santiago, "2026-05-17"},
	} {
		if got := onWall(tt.at, tt.zone).Format(time.DateOnly); got != tt.want {
			t.Errorf("%v in %v: %s, not %s", tt.at, tt.zone, got, tt.want)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	where, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// Whatever stands around the slots and in them, the message decodes to just that.
func TestSpliceHoldsForAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("ab =.\t<é汉ع\u00a0😀")), 0, 120, -1)
		set := plainTemplates{word.Draw(t, "before"), word.Draw(t, "after")}
		r := recipient()
		r.Address = rapid.StringMatching(`[a-z&'=._é]{1,40}@example\.org`).Draw(t, "address")
		r.UnsubscribeURL = "https://example.org/" + rapid.StringMatching(`[A-Za-z0-9_-]{0,200}`).Draw(t, "token")
		stored, err := Render(set, letter())
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(stored)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := parts(t, m.For(r))
		want := set.before + r.Address + set.after + "\n" + r.PreferencesURL + "\n" + r.UnsubscribeURL + "\n"
		if got := strings.ReplaceAll(text, "\r\n", "\n"); got != want {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	})
}

// What is put together ready for the wire is what is made and stuffed afterwards, wherever dots stand.
func TestTheWireIsTheMessageStuffed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dots := rapid.StringMatching(`[.a\n]{0,100}`)
		r := recipient()
		r.Name = rapid.SampledFrom([]string{"", "Ann", ".", "Büro"}).Draw(t, "name")
		r.Address = rapid.StringMatching(`[.aé=]{1,90}@example\.org`).Draw(t, "address")
		r.UnsubscribeURL = rapid.StringMatching(`[.a=&]{0,200}`).Draw(t, "link")
		stored, err := Render(plainTemplates{dots.Draw(t, "before"), dots.Draw(t, "after")}, letter())
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(stored)
		if err != nil {
			t.Fatal(err)
		}
		want := send.NewParcel("", "", m.For(r))
		wire, eightBit := m.AppendWire([]byte("begun: "), r)
		if got := strings.TrimPrefix(string(wire), "begun: "); got != string(want.Wire) {
			t.Fatalf("got  %q\nwant %q", got, want.Wire)
		}
		if eightBit != want.EightBit {
			t.Fatalf("beyond ASCII: %v, not %v", eightBit, want.EightBit)
		}
	})
}

// An article cannot carry a placeholder: the nonce is a hash over the article itself.
func TestNoArticleCanNameASlot(t *testing.T) {
	t.Parallel()
	stored, err := Render(plainTemplates{"", ""}, letter())
	if err != nil {
		t.Fatal(err)
	}
	evil := letter()
	evil.Digest.Articles = []templates.DigestArticle{{Title: string(stored[:nonceBytes]) + "V"}}
	again, err := Render(plainTemplates{evil.Digest.Articles[0].Title, ""}, evil)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := Parse(again)
	if n := bytes.Count(m.For(recipient()), []byte("unsubscribe/")); n != 3 {
		t.Errorf("the unsubscribe link stands in %d places, not 3", n)
	}
}
