package app_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// patience is how long anything may take that gives no signal.
const patience = 20 * time.Second

// An import while a worker runs is all it takes.
func TestImmediateEditionGoesOutByItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, "desk@museum.example,Desk,en,immediate", "later@museum.example,Later,en,weekly")
	h.run(t, app.Parts{Web: h.web, Worker: true})

	h.articles(t, relayEn)
	h.post.WaitMessages(t, 1)
	h.articles(t, seatsEn)
	h.post.WaitMessages(t, 2)
	testkit.Eventually(t, patience, "both editions are sent", func() bool {
		return value[int](t, h, `SELECT count(*) FROM mailer.editions WHERE state = 'sent' AND rhythm = 'immediate'`) == 2
	})
	for _, m := range h.post.Messages() {
		if m.To[0] != "desk@museum.example" {
			t.Errorf("mail to %v, who wants it weekly", m.To)
		}
	}
}

// An alert that waits for others is sent when its time has come, although nothing else happens then.
func TestImmediateEditionWaitsForOthers(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, strings.Replace(list, `immediate_after = "0s"`, `immediate_after = "1s"`, 1))
	h.contacts(t, "desk@museum.example,Desk,en,immediate")
	h.run(t, app.Parts{Worker: true})
	h.articles(t, relayEn)
	h.post.WaitMessages(t, 1)
	if wait := value[float64](t, h, `SELECT extract(epoch FROM cut_off - created_at) FROM mailer.editions`); wait > 0 {
		t.Errorf("it was planned %f s before its time", wait)
	}
}

// Web and worker need not be one process, nor the import a third.
func TestWebAndWorkerApart(t *testing.T) {
	t.Parallel()
	url, post := testkit.FreshURL(t), catchertest.Start(t, catcher.Config{})
	front := openOn(t, url, post, app.Options{})
	back := openOn(t, url, post, app.Options{})
	back.Config.PublicURL = front.PublicURL()
	back.Composer.PublicURL = front.PublicURL()
	front.apply(t, list)
	front.contacts(t, many(5, "immediate")...)
	front.run(t, app.Parts{Web: front.web})
	back.run(t, app.Parts{Worker: true})

	front.articles(t, relayEn)
	post.WaitMessages(t, 5)
	for address, l := range front.letters(t) {
		if got := oneClick(t, l.link()); got.StatusCode != http.StatusOK {
			t.Errorf("the web does not know the worker's link for %s: %d", address, got.StatusCode)
		}
	}
	if n := value[int](t, front, `SELECT count(*) FROM subscribers.mailable`); n != 0 {
		t.Errorf("%d of 5 are still mailable", n)
	}
}

// Sending asked for beside a worker is the worker's to do.
func TestSendBesideAWorker(t *testing.T) {
	t.Parallel()
	url, post := testkit.FreshURL(t), catchertest.Start(t, catcher.Config{})
	worker, command := openOn(t, url, post, app.Options{}), openOn(t, url, post, app.Options{})
	command.Config.PublicURL = "" // a command beside serve need not be set up to send
	command.apply(t, list)
	command.contacts(t, many(3, "weekly")...)
	command.articles(t, relayEn)
	worker.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "the worker is there", func() bool {
		status, err := command.Status(t.Context())
		return err == nil && status.Workers == 1
	})
	if sent := command.send(t); sent.Deliveries.Sent != 3 {
		t.Errorf("sent %+v", sent.Deliveries)
	}
}

// A signal in the middle of sending: what is in hand is finished, the rest is given back, and whoever comes next sends it.
func TestStoppingFinishesAndGivesBack(t *testing.T) {
	t.Parallel()
	const people = 40
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var once sync.Once
	post := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == catcher.Dot && e.Conn == 1 {
			once.Do(cancel) // as the answer to a final dot goes out
		}
	}})
	url := testkit.FreshURL(t)
	h := openOn(t, url, post, app.Options{})
	h.apply(t, list+"rhythms = [\"weekly\"]\n")
	h.contacts(t, many(people, "weekly")...)
	h.articles(t, relayEn)
	sent, err := h.SendDigest(ctx, app.SendOptions{List: "partners", Wait: true})
	if err == nil {
		t.Error("sending was stopped, but tells of no error")
	}
	d := sent.Deliveries
	if caught := post.Counts().Messages; d.Sent != caught || d.Sent == 0 || d.Sent == people {
		t.Errorf("%d are sent, %d were caught of %d", d.Sent, caught, people)
	}
	if d.InFlight != 0 || d.Pending != people-d.Sent || d.Recipients != people {
		t.Errorf("left behind: %+v", d)
	}

	next := openOn(t, url, post, app.Options{})
	stop := next.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "the rest is sent", func() bool {
		e, err := next.EditionStatus(t.Context(), sent.Editions[0].ID)
		return err == nil && e.State == "sent" && e.Deliveries.Sent == people
	})
	stop()
	if got := len(next.letters(t)); got != people {
		t.Errorf("%d people got the digest, want %d", got, people)
	}
}

// At no moment do the states not add up.
func TestStatusAddsUpWhileSending(t *testing.T) {
	t.Parallel()
	const people = 60
	h := open(t, catcher.Rule{Verb: "RCPT", To: "reader-7@*", Reply: "550 5.1.1 No such user"},
		catcher.Rule{Verb: "RCPT", To: "reader-8@*", Reply: "451 4.3.0 Later", Times: 1},
		catcher.Rule{Verb: catcher.Dot, Stall: 20 * time.Millisecond})
	h.apply(t, list)
	h.contacts(t, many(people, "weekly")...)
	h.articles(t, relayEn, seatsEn)
	done := make(chan app.Sent, 1)
	go func() {
		sent, _ := h.SendDigest(t.Context(), app.SendOptions{List: "partners"})
		done <- sent
	}()
	looks, between := 0, 0
	for over := false; !over; looks++ {
		status, err := h.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := status.Deliveries
		if sum := d.Pending + d.InFlight + d.Deferred + d.Sent + d.Failed + d.Suppressed + d.Cancelled + d.InDoubt; sum != d.Recipients {
			t.Fatalf("%+v add up to %d", d, sum)
		}
		if len(status.Editions) > 0 && (status.Editions[0].Deliveries != d || status.Editions[0].Recipients != d.Recipients) {
			t.Fatalf("edition %+v, all deliveries %+v", status.Editions[0], d)
		}
		if d.Sent > 0 && d.Sent < people-2 {
			between++
		}
		select {
		case sent := <-done:
			over = true
			if d := sent.Deliveries; d.Sent != people-2 || d.Failed != 1 || d.Deferred != 1 {
				t.Errorf("sent %+v", d)
			}
		default:
		}
	}
	if between == 0 {
		t.Errorf("of %d looks none fell into the sending", looks)
	}
	lines, err := h.Deliveries(t.Context(), value[app.EditionStatus](t, h, `SELECT id FROM mailer.editions`).ID)
	if err != nil || len(lines) != people {
		t.Fatalf("%d deliveries, %v", len(lines), err)
	}
	for _, d := range lines {
		if strings.HasPrefix(d.Address, "reader-7@") && (d.State != "failed" || d.Code != 550 || d.Reply != "5.1.1 No such user" || d.Attempts != 1) {
			t.Errorf("the account of a refused one: %+v", d)
		}
		if d.State == "sent" && (d.Code != 250 || len(d.Articles) != 2 || !strings.HasSuffix(d.MessageID, "@example.org>")) {
			t.Errorf("the account of a sent one: %+v", d)
		}
	}
}

// A scheduled digest waits for its cut-off and then for each reader's hour.
func TestScheduledEditionGoesOutAtTheReadersHour(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	clock := testkit.NewClock(monday)
	post := catchertest.Start(t, catcher.Config{})
	h := openOn(t, testkit.FreshURL(t), post, app.Options{Clock: clock})
	h.apply(t, list+"rhythms = [\"weekly\"]\neditorial_hour = \"17:00\"\ndelivery_hour = \"08:00\"\n") // 17:00 in Shanghai is 09:00 UTC
	h.contacts(t, "tokyo@agency.example,Tokyo,en,weekly", "london@museum.example,London,en,weekly")
	if _, err := h.DB.Exec(`UPDATE subscribers.contacts SET time_zone = CASE name WHEN 'Tokyo' THEN 'Asia/Tokyo' ELSE 'Europe/London' END`); err != nil {
		t.Fatal(err)
	}
	plan := func(at time.Time) int {
		clock.Set(at)
		n, _, err := h.PlanDue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := plan(monday); n != 0 {
		t.Fatalf("the first sight of a list planned %d editions", n)
	}
	h.articles(t, relayEn)
	if n := plan(monday.Add(9*time.Hour - time.Second)); n != 0 {
		t.Errorf("%d editions before the cut-off", n)
	}
	if n := plan(monday.Add(9 * time.Hour)); n != 1 {
		t.Errorf("%d editions at the cut-off, want 1", n)
	}
	if n := plan(monday.Add(9*time.Hour + time.Minute)); n != 0 {
		t.Errorf("%d editions after the cut-off", n)
	}

	stop := h.run(t, app.Parts{Worker: true})
	clock.Set(monday.Add(23 * time.Hour)) // Tuesday 08:00 in Tokyo, midnight in London
	post.WaitMessages(t, 1)
	stop()
	if got := recipients(h.letters(t)); !slices.Equal(got, []string{"tokyo@agency.example"}) {
		t.Errorf("at eight in Tokyo mail went to %v", got)
	}
	if date, _ := h.letters(t)["tokyo@agency.example"].Date(); !date.Equal(monday.Add(23 * time.Hour)) {
		t.Errorf("its date is %v", date)
	}
	clock.Set(monday.Add(31 * time.Hour)) // 08:00 in London, which has summer time
	h.run(t, app.Parts{Worker: true})
	post.WaitMessages(t, 2)
}

// A source that is new here is not new to its readers: what its first poll finds is archive, what comes later is mailed.
func TestPolledSource(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.publish("first", "The first item")
	clock := testkit.NewClock(time.Now())
	post := catchertest.Start(t, catcher.Config{})
	h := openOn(t, testkit.FreshURL(t), post, app.Options{Clock: clock, Allow: []string{"127.0.0.1"}})
	h.apply(t, list+fmt.Sprintf("[[source]]\nslug = \"site\"\nkind = \"feed\"\nurl = %q\nsection = \"News\"\nlanguage = \"en\"\nevery = \"15m\"\n", site.url))
	h.contacts(t, "desk@museum.example,Desk,en,immediate")
	h.run(t, app.Parts{Web: h.web, Worker: true})

	testkit.Eventually(t, patience, "the first poll's article is in the feed", func() bool {
		return strings.Contains(string(get(t, h.PublicURL()+"/feeds/section-news.rss").body), "The first item")
	})
	site.publish("second", "The second item")
	clock.Advance(time.Hour)
	testkit.Eventually(t, patience, "the site is asked again", func() bool {
		h.queue(t, jobs.PollDue{}) // none is queued as long as the first poll's job has not ended
		return site.asked() > 1
	})
	post.WaitMessages(t, 1)
	testkit.Eventually(t, patience, "the edition is sent", func() bool {
		return value[int](t, h, `SELECT count(*) FROM mailer.editions WHERE state = 'sent'`) == 1
	})
	l := h.letters(t)["desk@museum.example"]
	if d := l.digest(t); !slices.Equal(d.titles, []string{"The second item"}) {
		t.Errorf("mailed: %v", d.titles)
	}

	site.close()
	clock.Advance(time.Hour)
	h.queue(t, jobs.PollDue{})
	var shown app.SourceStatus
	testkit.Eventually(t, patience, "the failure stands with the source", func() bool {
		status, err := h.Status(t.Context())
		if err != nil || len(status.Sources) != 1 {
			t.Fatalf("status %+v, %v", status, err)
		}
		shown = status.Sources[0]
		return shown.Failure != ""
	})
	if shown.Slug != "site" || shown.Failures != 1 || shown.PolledAt == nil || shown.NextPollAt == nil || !shown.NextPollAt.After(*shown.PolledAt) {
		t.Errorf("the status of the source: %+v", shown)
	}
	if n := value[int](t, h, `SELECT count(*) FROM articles.articles`); n != 2 {
		t.Errorf("%d articles after a poll that failed, want the 2 of before", n)
	}
}

// queue asks the worker for a job.
func (h *house) queue(t *testing.T, job interface{ Kind() string }) {
	t.Helper()
	queue, err := jobs.NewInserter(h.DB)
	if err != nil {
		t.Fatal(err)
	}
	if err := queue.Insert(t.Context(), h.DB, job); err != nil {
		t.Fatal(err)
	}
}

// site is a web site with a feed.
type site struct {
	url string

	mu     sync.Mutex
	items  string
	asks   int
	broken bool
}

func newSite(t *testing.T) *site {
	s := &site{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/feed.xml" {
			http.NotFound(w, r)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asks++
		if s.broken {
			http.Error(w, "under repair", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/rss+xml")
		fmt.Fprintf(w, `<?xml version="1.0"?><rss version="2.0"><channel><title>Site</title><link>http://site.example/</link>%s</channel></rss>`, s.items)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/feed.xml"
	return s
}

func (s *site) publish(key, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items += fmt.Sprintf(`<item><guid isPermaLink="false">%s</guid><title>%s</title><link>%s/%s</link><description>Some words in English about %s.</description></item>`,
		key, title, strings.TrimSuffix(s.url, "/feed.xml"), key, key)
}

func (s *site) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
}

func (s *site) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asks
}

// What a worker lacks is told before anything is listened to, and nothing stays behind.
func TestWorkerThatCannotBegin(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SILKPOST_SMTP_URL", "SILKPOST_SECRET_KEY"} {
		cfg := settings(testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}))
		if name == "SILKPOST_SMTP_URL" {
			cfg.SMTPURL = ""
		} else {
			cfg.SecretKey = nil
		}
		a, err := app.Open(t.Context(), cfg, app.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ln, err := a.Listen()
		if err != nil {
			t.Fatal(err)
		}
		err = a.Run(t.Context(), app.Parts{Web: ln, Worker: true})
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			_ = conn.Close()
			t.Errorf("without %s the web listens on", name)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// Being told to stop before anything has begun is no failure either.
func TestStoppingWhileBeginning(t *testing.T) {
	t.Parallel()
	h := open(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Run(ended, app.Parts{Web: h.web, Worker: true}); err != nil {
		t.Errorf("it ended with: %v", err)
	}
}
