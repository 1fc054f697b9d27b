package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/subscribers"
)

func TestMain(m *testing.M) {
	if told := os.Getenv(readersEnvironment); told != "" {
		if err := readersMain(told); err != nil {
			log.Fatal(err)
		}
		return
	}
	testkit.Main(m)
}

const secretKey = "a key of the tests alone"

// house is the program with a mail catcher as its relay and an address of its own, not running yet.
type house struct {
	*app.App
	post *catchertest.Server
	web  net.Listener
}

// open makes a house on a new database.
func open(t *testing.T, script ...catcher.Rule) *house {
	t.Helper()
	return openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{Script: script}), app.Options{})
}

// openOn makes a house on a database that others may use too.
func openOn(t *testing.T, databaseURL string, post *catchertest.Server, opt app.Options) *house {
	t.Helper()
	opt.Log = testkit.Log(t)
	a, err := app.Open(t.Context(), settings(databaseURL, post), opt)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{App: a, post: post}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = h.web.Close()
	})
	if h.web, err = a.Listen(); err != nil {
		t.Fatal(err)
	}
	a.Config.PublicURL = a.PublicURL()
	return h
}

func settings(databaseURL string, post *catchertest.Server) config.Config {
	cfg := config.Defaults()
	cfg.DatabaseURL, cfg.Listen, cfg.SecretKey = databaseURL, "127.0.0.1:0", []string{secretKey}
	cfg.SMTPURL = "smtp://" + post.Addr + "?tls=none"
	cfg.SMTPConnections = 3
	return cfg
}

// run runs parts of the program until stop is called, or the test ends.
func (h *house) run(t *testing.T, parts app.Parts) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx, parts) }()
	stopped := false
	stop = func() {
		cancel()
		if stopped {
			return
		}
		stopped = true
		if err := <-ended; err != nil {
			t.Errorf("the program ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// list is the declaration that most tests start from.
const list = `
[[list]]
slug = "partners"
name = { en = "News for our partners", it = "Notizie per i partner", ar = "أخبار لشركائنا", zh-Hans = "合作伙伴通讯" }
sender = { name = "Example Association", address = "news@example.org", reply_to = "office@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
time_zone = "Asia/Shanghai"
immediate_after = "0s"
`

func (h *house) apply(t *testing.T, declaration string) []app.Applied {
	t.Helper()
	applied, err := h.Apply(t.Context(), strings.NewReader(declaration), "silkpost.toml", false)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

// contacts imports rows below the header email,name,languages,rhythm.
func (h *house) contacts(t *testing.T, rows ...string) {
	t.Helper()
	file := strings.NewReader("email,name,languages,rhythm\n" + strings.Join(rows, "\n") + "\n")
	done, err := h.ImportContacts(t.Context(), file, subscribers.ImportOptions{List: "partners", Consent: "They asked for it"})
	if err != nil || done.Refused > 0 {
		t.Fatalf("import of contacts: %+v, %v", done, err)
	}
}

// many are n rows of contacts at one rhythm.
func many(n int, rhythm string) (rows []string) {
	for i := range n {
		rows = append(rows, fmt.Sprintf("reader-%d@partner.example,Reader %d,en,%s", i, i, rhythm))
	}
	return rows
}

// piece is an article in a file of its own.
type piece struct{ id, group, title, language, section, tags, body string }

var (
	relayEn = piece{"relay-en", "relay", "Robots pass the water on", "en", "Events", "robotics", "Forty-one teams met."}
	relayIt = piece{"relay-it", "relay", "I robot si passano l'acqua", "it", "Events", "robotics", "Quarantuno squadre si sono incontrate."}
	relayZh = piece{"relay-zh", "relay", "机器人接力送水", "zh-Hans", "Events", "robotics", "四十一支队伍相聚。"}
	seatsAr = piece{"seats-ar", "seats", "ثلاثون مقعدًا للتبادل", "ar", "News", "exchange", "يفتح البرنامج أبوابه من جديد."}
	seatsEn = piece{"seats-en", "seats", "Thirty seats for exchange", "en", "News", "exchange", "The programme opens again."}
	skyRu   = piece{"sky-ru", "sky", "Ночь звёзд", "ru", "Events", "astronomy", "Телескопы открыты до полуночи."}
)

// write puts pieces into a new folder.
func write(t *testing.T, pieces ...piece) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, p := range pieces {
		content := fmt.Sprintf("---\nid: %s\ntranslation_key: %s\ntitle: %q\nlanguage: %s\nsection: %s\ntags: [%s]\ndate: 2026-05-18T10:00:00+08:00\n---\n\n%s\n",
			p.id, p.group, p.title, p.language, p.section, p.tags, p.body)
		if err := os.WriteFile(filepath.Join(dir, p.id+".md"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (h *house) articles(t *testing.T, pieces ...piece) app.Imported {
	t.Helper()
	done, err := h.ImportArticles(t.Context(), app.ArticleImport{Paths: []string{write(t, pieces...)}})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// send sends what is due now and waits for it.
func (h *house) send(t *testing.T) app.Sent {
	t.Helper()
	sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners", Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// letter is a caught message.
type letter struct {
	*enmime.Envelope
	to  string // of the SMTP envelope
	raw []byte
}

// letters returns what was caught, by recipient. Two messages for one fail the test.
func (h *house) letters(t *testing.T) map[string]letter {
	t.Helper()
	found := map[string]letter{}
	for _, m := range h.post.Messages() {
		_, raw, err := h.post.Open(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil || len(parsed.Errors) > 0 {
			t.Fatalf("message for %v: %v %v", m.To, err, parsed.Errors)
		}
		if _, twice := found[m.To[0]]; twice || len(m.To) != 1 {
			t.Errorf("a message more for %v", m.To)
		}
		found[m.To[0]] = letter{parsed, m.To[0], raw}
	}
	return found
}

func (l letter) address(t *testing.T, field string) mail.Address {
	t.Helper()
	list, err := l.AddressList(field)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s of the message for %s: %v, %v", field, l.to, list, err)
	}
	return *list[0]
}

// link is where List-Unsubscribe leads.
func (l letter) link() string { return strings.Trim(l.GetHeader("List-Unsubscribe"), "<>") }

// subscribersOf returns the addresses of letters, in order.
func recipients[V any](of map[string]V) (addresses []string) {
	for address := range of {
		addresses = append(addresses, address)
	}
	slices.Sort(addresses)
	return addresses
}

// client keeps no connection, which a stopping program would wait for.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// answer is a response that was read whole.
type answer struct {
	*http.Response
	body []byte
}

func ask(t *testing.T, method, url, contentType, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, read}
}

func get(t *testing.T, url string, header ...string) answer {
	t.Helper()
	return ask(t, http.MethodGet, url, "", "", header...)
}

const form = "application/x-www-form-urlencoded"

// oneClick presses a mail program's button (RFC 8058).
func oneClick(t *testing.T, link string) answer {
	t.Helper()
	return ask(t, http.MethodPost, link, form, "List-Unsubscribe=One-Click")
}

// value reads one value from the database.
func value[V any](t *testing.T, h *house, query string, args ...any) (v V) {
	t.Helper()
	if err := h.DB.GetContext(t.Context(), &v, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}
