package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jhillyerd/enmime/v2"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/reply"
)

func waitUntilSent(t *testing.T, h *house, id uuid.UUID) {
	t.Helper()
	testkit.Eventually(t, patience, "the edition is sent", func() bool {
		e, err := h.EditionStatus(t.Context(), id)
		return err == nil && e.State == "sent"
	})
}

// rows counts every table of ours.
func (h *house) rows(t *testing.T) map[string]int {
	t.Helper()
	var tables []string
	if err := h.DB.Select(&tables, `
		SELECT schemaname || '.' || tablename FROM pg_tables
		WHERE schemaname IN ('articles', 'feeds', 'subscribers', 'mailer', 'river') AND tablename !~ '_[0-9]{4}_[0-9]{2}$'`); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, table := range tables {
		counts[table] = value[int](t, h, "SELECT count(*) FROM "+table)
	}
	return counts
}

// A plan says what sending would do, and changes nothing.
func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"delivery_hour = \"08:00\"\n")
	h.contacts(t, readers...)
	h.contacts(t, "desk@museum.example,Desk,en,daily")
	h.articles(t, relayEn, relayIt, seatsAr)
	before := h.rows(t)
	at := time.Date(2026, 6, 2, 3, 0, 0, 0, time.UTC) // 11:00 in Shanghai
	for range 2 {
		planned, err := h.PlanDigest(t.Context(), app.PlanOptions{List: "partners", At: at}, nil)
		if err != nil || len(planned) != 2 {
			t.Fatalf("planned %+v, %v", planned, err)
		}
		if planned[0].Rhythm != "daily" || planned[1].Rhythm != "weekly" || len(planned[1].Entries) != len(readers) {
			t.Errorf("planned %+v", planned)
		}
		for _, p := range planned {
			guids, err := h.GUIDs(t.Context(), p.Entries)
			if err != nil {
				t.Fatal(err)
			}
			for i, entry := range p.Entries {
				if !entry.NotBefore.Equal(time.Date(2026, 6, 3, 0, 0, 0, 0, time.UTC)) { // the next 08:00 in Shanghai
					t.Errorf("%s at %v", entry.Email, entry.NotBefore)
				}
				if len(guids[i]) == 0 || slices.Contains(guids[i], "") {
					t.Errorf("%s: articles %v", entry.Email, guids[i])
				}
			}
		}
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("planning changed the number of rows (-before +after):\n%s", diff)
	}
	if sent := h.send(t); sent.Deliveries.Sent != len(readers)+1 {
		t.Errorf("after planning, sending sends %+v", sent.Deliveries)
	}
}

// A plan says that an edition would wait for approval.
func TestPlanOfAListThatNeedsApproval(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"approval = true\n")
	h.contacts(t, readers...)
	h.articles(t, relayEn)
	planned, err := h.PlanDigest(t.Context(), app.PlanOptions{List: "partners"}, nil)
	if err != nil || len(planned) != 1 || planned[0].State != edition.Review {
		t.Errorf("planned %+v, %v", planned, err)
	}
}

// The files of a preview are what one recipient of each variant would get, but for the links.
func TestPreview(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, readers...)
	h.articles(t, relayEn, relayIt, relayZh, seatsAr)
	before := h.rows(t)
	dir := filepath.Join(t.TempDir(), "new", "folder")
	written, err := h.PreviewDigest(t.Context(), app.PlanOptions{List: "partners"}, dir, false)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range written {
		names = append(names, p.Name+".eml")
		if page, err := os.ReadFile(filepath.Join(dir, p.Name+".html")); err != nil || compose.SentSize(string(page)) != p.Bytes || p.Recipients < 1 {
			t.Errorf("%+v: %v", p, err)
		}
	}
	languages := map[string]int{}
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		mail, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil || len(mail.Errors) > 0 {
			t.Fatalf("%s: %v %v", name, err, mail.Errors)
		}
		languages[attributes(t, mail.HTML, "html", "lang")[0]]++
		base := strings.TrimSuffix(filepath.Join(dir, name), ".eml")
		for path, want := range map[string]string{base + ".html": mail.HTML, base + ".txt": mail.Text} {
			got, err := os.ReadFile(path)
			if err != nil || lines(string(got)) != lines(want) {
				t.Errorf("%s is not what the message says (%v):\n%s", path, err, cmp.Diff(lines(want), lines(string(got))))
			}
		}
		if link := h.Composer.PublicURL + "/unsubscribe/preview"; mail.GetHeader("List-Unsubscribe") != "<"+link+">" || !strings.Contains(mail.Text, link) {
			t.Errorf("%s: the link %s would unsubscribe somebody", name, mail.GetHeader("List-Unsubscribe"))
		}
	}
	if diff := cmp.Diff(map[string]int{"it": 1, "ar": 1, "zh-Hans": 1, "en": 1, "uk": 1, "ur": 1}, languages); diff != "" {
		t.Errorf("variants by language (-want +got):\n%s", diff)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3*len(names)+1 {
		t.Errorf("%d files for %d variants, %v", len(files), len(names), err)
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" || len(h.post.Messages()) > 0 {
		t.Errorf("the preview changed something (-before +after):\n%s", diff)
	}
	if _, err := h.PreviewDigest(t.Context(), app.PlanOptions{List: "partners"}, filepath.Join(dir, names[0]), false); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), names[0]) {
		t.Errorf("into a file instead of a folder: %v", err)
	}
}

// Links are checked, our own too, wherever our pages are.
func TestPreviewChecksLinks(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn, seatsEn)
	sent := h.send(t)
	h.run(t, app.Parts{Web: h.web})
	broken := func() []string {
		t.Helper()
		written, err := h.PreviewEdition(t.Context(), sent.Editions[0].ID, t.TempDir(), true)
		if err != nil || len(written) != 1 {
			t.Fatalf("%+v, %v", written, err)
		}
		return written[0].Broken
	}
	if got := broken(); len(got) > 0 {
		t.Errorf("broken: %q", got)
	}
	if _, _, err := h.WithdrawArticle(t.Context(), "7", "thirty-seats-for-exchange"); err != nil {
		t.Fatal(err)
	}
	if got := broken(); len(got) != 1 || !strings.Contains(got[0], "/articles/thirty-seats-for-exchange") || !strings.Contains(got[0], "410") {
		t.Errorf("of a page that is gone: %q", got)
	}
}

// A preview is what is sent: within the budget, in a theme's own template, and of what was rendered already, as it was rendered.
func TestPreviewIsWhatIsSent(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"theme = \"own\"\n[[theme]]\nslug = \"own\"\nhtml_file = \"../../templates/testdata/own.html\"\ntext_file = \"../../templates/testdata/own.txt\"\n")
	h.contacts(t, "anna@museum.example,Anna,ar,weekly")
	var pieces []piece
	for i := range 60 {
		name := fmt.Sprintf("long-%d", i)
		pieces = append(pieces, piece{name, name, "Long " + name, "ar", "News", "", strings.Repeat("يفتح البرنامج أبوابه من جديد. ", 20)})
	}
	h.articles(t, pieces...)
	preview := func(make func(dir string) ([]app.Preview, error)) (shown app.Preview, html, text string) {
		t.Helper()
		dir := t.TempDir()
		written, err := make(dir)
		if err != nil || len(written) != 1 {
			t.Fatalf("%+v, %v", written, err)
		}
		for ending, into := range map[string]*string{".html": &html, ".txt": &text} {
			content, err := os.ReadFile(filepath.Join(dir, written[0].Name+ending))
			if err != nil {
				t.Fatal(err)
			}
			*into = string(content)
		}
		return written[0], html, text
	}
	shown, html, text := preview(func(dir string) ([]app.Preview, error) {
		return h.PreviewDigest(t.Context(), app.PlanOptions{List: "partners"}, dir, false)
	})
	const word = "أبوابه"
	if inText, inHTML := strings.Count(text, word), strings.Count(html, word); shown.Bytes > compose.Budget || len(html) > shown.Bytes || inText != 600 || inHTML >= inText {
		t.Errorf("%d bytes, %d decoded; %d of 600 sentences in text, %d in HTML", shown.Bytes, len(html), inText, inHTML)
	}
	sent := h.send(t)
	got := h.letters(t)["anna@museum.example"]
	own := regexp.MustCompile(`http://[^ "]*/(view|preferences|unsubscribe)/[^ "\n]*`)
	same := func(s string) string { return lines(own.ReplaceAllString(s, "$1")) }
	if diff := cmp.Diff(same(got.HTML), same(html)); diff != "" || got.GetHeader("Subject") != shown.Subject {
		t.Errorf("sent as %q, shown as %q (-sent +shown):\n%s", got.GetHeader("Subject"), shown.Subject, diff)
	}
	if diff := cmp.Diff(same(got.Text), same(text)); diff != "" {
		t.Errorf("text (-sent +shown):\n%s", diff)
	}
	h.apply(t, "[[list]]\nslug = \"partners\"\ntheme = \"\"\nname = { en = \"Another name\" }\n")
	shown, html, _ = preview(func(dir string) ([]app.Preview, error) {
		return h.PreviewEdition(t.Context(), sent.Editions[0].ID, dir, false)
	})
	if same(got.HTML) != same(html) || got.GetHeader("Subject") != shown.Subject {
		t.Errorf("what was sent as %q is shown as %q", got.GetHeader("Subject"), shown.Subject)
	}
}

func lines(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// A test mail shows the newest articles to anybody, and nothing of it is recorded.
func TestTestMail(t *testing.T) {
	t.Parallel()
	h := open(t, catcher.Rule{Verb: "RCPT", To: "nobody@*", Reply: "550 5.1.1 No such user"})
	h.apply(t, list)
	h.articles(t, relayEn, relayIt, seatsAr)
	before := h.rows(t)
	for address, tag := range map[string]string{"editor@example.org": "", "redazione@example.org": "it", "muharrir@example.org": "ar"} {
		if got, err := h.TestDigest(t.Context(), "partners", address, tag); err != nil || got.Outcome() != reply.Sent || got.Code != 250 {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	letters := h.letters(t)
	for address, want := range map[string]digest{
		"editor@example.org":    {"en", "ltr", "News for our partners", []string{relayEn.title}},
		"redazione@example.org": {"it", "ltr", "Notizie per i partner", []string{relayIt.title}},
		"muharrir@example.org":  {"ar", "rtl", "أخبار لشركائنا", []string{seatsAr.title}},
	} {
		if diff := cmp.Diff(want, letters[address].digest(t), cmp.AllowUnexported(digest{})); diff != "" {
			t.Errorf("the test for %s (-want +got):\n%s", address, diff)
		}
	}
	if got, err := h.TestDigest(t.Context(), "partners", "nobody@example.org", ""); err != nil || got.Outcome() != reply.Failed || got.Phase != reply.Rcpt {
		t.Errorf("a refused one: %+v, %v", got, err)
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("a test mail changed the number of rows (-before +after):\n%s", diff)
	}
	for _, tt := range []struct{ list, address, tag, want string }{
		{"nowhere", "editor@example.org", "", `"nowhere"`},
		{"partners", "editor", "", `editor`},
		{"partners", "editor@example.org", "ru", "no article in ru"},
		{"partners", "editor@example.org", "russian", `"russian" is not a language tag`},
	} {
		if _, err := h.TestDigest(t.Context(), tt.list, tt.address, tt.tag); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// What may not be sent is told, and nothing is planned.
func TestSendRefuses(t *testing.T) {
	t.Parallel()
	h := open(t)
	before := h.rows(t)
	send := func(o app.SendOptions) error { _, err := h.SendDigest(t.Context(), o); return err }
	for want, err := range map[string]error{
		`no list "nowhere"; the lists are: partners`: send(app.SendOptions{List: "nowhere"}),
		"no sender address":                          send(app.SendOptions{List: "partners"}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	h.apply(t, strings.Replace(list, "postal_address = \"1 Example Street, 00000 Exampletown\"", "rhythms = [\"daily\", \"weekly\"]", 1))
	h.Config.PublicURL = ""
	noURL := send(app.SendOptions{List: "partners"})
	h.Config.PublicURL = "https://news.example.org"
	for want, err := range map[string]error{
		"SILKPOST_PUBLIC_URL":                          noURL,
		"no postal address":                            send(app.SendOptions{List: "partners"}),
		`no rhythm "monthly": it offers daily, weekly`: send(app.SendOptions{List: "partners", Rhythm: "monthly"}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}
