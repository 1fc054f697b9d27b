package bounce

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/encoding/simplifiedchinese"

	"silkpost/internal/testkit"
	"silkpost/internal/token"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var keys, _ = token.NewKeys("sixteen characters")

var ours = Addresses{Domain: "bounce.example.org", Keys: keys}

// mails returns the messages of testdata, by name, as they come in when they are about a delivery with a return path. Names with .gbk are in that
// encoding.
func mails(t testing.TB, returnPath string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d messages: %v", len(paths), err)
	}
	found := map[string][]byte{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		raw = bytes.ReplaceAll(raw, []byte("{return-path}"), []byte(returnPath))
		name := strings.TrimSuffix(filepath.Base(path), ".eml")
		if strings.HasSuffix(name, ".gbk") {
			if raw, err = simplifiedchinese.GBK.NewEncoder().Bytes(raw); err != nil {
				t.Fatal(err)
			}
		}
		found[name] = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	}
	return found
}

func TestParse(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	all := mails(t, "b+token@bounce.example.org")
	paths, _ := filepath.Glob("testdata/mail/*.eml")
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".eml")
		r := Parse(all[name])
		fmt.Fprintf(&b, "%s: %s", name, r.Class)
		if r.Class == Failure {
			fmt.Fprintf(&b, ", %s, %s: %d %s", r.Kind(), r.score(), r.Reply.Code, r.Reply.Text)
		}
		if id := r.Original.Get("Message-ID"); id != "" {
			fmt.Fprintf(&b, " [%s]", id)
		}
		b.WriteString("\n")
		if unix := Parse(bytes.ReplaceAll(all[name], []byte("\r\n"), []byte("\n"))); unix.Class != r.Class || unix.Reply != r.Reply {
			t.Errorf("%s: with other line ends it is %s %+v", name, unix.Class, unix.Reply)
		}
	}
	testkit.Golden(t, "testdata/reports.golden", []byte(b.String()))
}

// Bombs and floods are read within bounds.
func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	var deep bytes.Buffer
	for i := range 5000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	wide := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 100_000)
	header := strings.Repeat("X-A: "+strings.Repeat("b", 60)+"\r\n", 200_000)
	folded := "Subject: a\r\n" + strings.Repeat(" b\r\n", 200_000)
	for name, message := range map[string]string{
		"deep": deep.String(), "wide": wide, "header": header, "folded": folded, "line": "From: " + strings.Repeat("a@", 1<<20),
		"paragraphs": "From: mailer-daemon@x\r\n\r\n" + strings.Repeat("550 \r\n\r\n", 100_000),
	} {
		h, body := readHeader([]byte(message)[:min(len(message), maxMessage)])
		for _, f := range h {
			if len(f.Value) > 2*maxValue {
				t.Errorf("%s: a value of %d bytes", name, len(f.Value))
			}
		}
		var w walker
		w.walk(h, body, 0)
		if n := len(lines(w.parts)); len(h) > maxFields || len(w.parts) > maxParts || n > 2*maxLines {
			t.Errorf("%s: %d fields, %d parts, %d lines", name, len(h), len(w.parts), n)
		}
		Parse([]byte(message))
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	edition := uuid.MustParse("019a0000-0000-7000-8000-000000000001")
	path := ours.ReturnPath(edition, 1<<33, "Reader@example.net")
	local, _, _ := strings.Cut(path, "@")
	if len(local) > 64 {
		t.Errorf("%s has %d bytes before the @, 64 may be", path, len(local))
	}
	for _, written := range []string{path, strings.ToUpper(path), "<" + path + ">", " " + path} {
		got, err := ours.Open(written)
		if err != nil || got != (Target{Edition: edition, Contact: 1 << 33, check: checkOf("reader@example.net")}) {
			t.Errorf("%s: %+v, %v", written, got, err)
		}
	}
	if got, err := ours.Open(ours.Unsubscribe(7)); err != nil || got != (Target{Subscription: 7}) {
		t.Errorf("unsubscribe: %+v, %v", got, err)
	}
	if got, err := ours.Open(ours.Probe(9)); err != nil || got != (Target{Probe: 9}) {
		t.Errorf("probe: %+v, %v", got, err)
	}
	made := func(prefix string) string { return prefix + path[1:] }
	for _, wrong := range []string{
		"", "@", "b@bounce.example.org", "b+@bounce.example.org", made("u"), made("t"), made("x"), strings.Replace(path, "@bounce", "@bonce", 1),
		path[:9] + "a" + path[10:], "postmaster@bounce.example.org", strings.Replace(ours.Unsubscribe(7), "u+", "b+", 1),
	} {
		if got, err := ours.Open(wrong); err == nil && wrong != path {
			t.Errorf("%s is taken for %+v", wrong, got)
		}
	}
	if got := ours.UnsubscribeURL(7); got != "mailto:"+ours.Unsubscribe(7)+"?subject=unsubscribe" {
		t.Error(got)
	}
	other, _ := token.NewKeys("another sixteen characters")
	if _, err := (Addresses{Domain: ours.Domain, Keys: other}).Open(path); err == nil {
		t.Error("another installation opens it")
	}
	if got, ok := ours.Find([]byte("x <b+aaaa@bounce.example.org> and <" + path + ">.")); !ok || got.Edition != edition {
		t.Errorf("found %+v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, message := range mails(f, ours.ReturnPath(uuid.Nil, 1, "reader@example.net")) {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		r := Parse(message)
		if r.Class == "" {
			t.Error("no class")
		}
		if r.Class != Failure && r.Reply.Code != 0 {
			t.Errorf("%s has the reply %+v", r.Class, r.Reply)
		}
		for _, text := range []string{r.Reply.Text, r.Subject, r.From} {
			if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("%q", text)
			}
		}
		if len(r.Reply.Text) > 500 {
			t.Errorf("%d bytes", len(r.Reply.Text))
		}
		ours.Find(message)
	})
}
