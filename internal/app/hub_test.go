package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/feeds"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/edition"
)

// hub is a WebSub hub that fetches what it is told of, at once, as hubs do.
type hub struct {
	url string

	mu     sync.Mutex
	down   bool
	asked  int
	topics []string          // in the order in which it was told of them
	copies map[string]answer // what it fetched last, by topic
}

func newHub(t *testing.T) *hub {
	h := &hub{copies: map[string]answer{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.asked++
		topic := r.PostFormValue("hub.url")
		switch {
		case h.down:
			http.Error(w, "under repair", http.StatusServiceUnavailable)
			return
		case r.Method != http.MethodPost || r.PostFormValue("hub.mode") != "publish" || r.PostFormValue("hub.topic") != topic:
			http.Error(w, "a publisher says hub.mode=publish and where", http.StatusBadRequest)
			return
		}
		h.topics = append(h.topics, topic)
		h.copies[topic] = fetch(t, topic)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL + "/"
	return h
}

// fetch gets a document in the hub's own goroutine.
func fetch(t *testing.T, url string) (a answer) {
	response, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return answer{Response: &http.Response{}}
	}
	defer response.Body.Close()
	a.Response = response
	if a.body, err = io.ReadAll(response.Body); err != nil {
		t.Error(err)
	}
	return a
}

func (h *hub) setDown(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down, h.asked = down, 0
}

// heard returns what the hub was told since it was last asked, in the order of addresses, and what it fetched of each topic.
func (h *hub) heard() (topics []string, copies map[string]answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	topics, h.topics = h.topics, nil
	slices.Sort(topics)
	return topics, h.copies
}

func (h *hub) declaration() string { return "[[hub]]\nurl = \"" + h.url + "\"\n" }

// topics are the documents of feeds, in the order of addresses.
func (h *house) topics(slugs ...string) (all []string) {
	for _, slug := range slugs {
		for _, format := range feeds.Formats() {
			all = append(all, feeds.URL(h.PublicURL(), slug, format))
		}
	}
	slices.Sort(all)
	return all
}

// knows waits until a hub knows everything.
func (h *house) knows(t *testing.T, hub *hub) {
	t.Helper()
	testkit.Eventually(t, patience, "the hub knows everything", func() bool {
		state := h.hubState(t, hub)
		return state.Waiting == 0 && state.ToldAt != nil
	})
}

func (h *house) hubState(t *testing.T, hub *hub) feeds.Hub {
	t.Helper()
	status, err := h.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range status.Hubs {
		if state.URL == hub.url {
			return state
		}
	}
	t.Fatalf("no hub %s in %+v", hub.url, status.Hubs)
	return feeds.Hub{}
}

func openForHubs(t *testing.T, databaseURL string) *house {
	t.Helper()
	return openOn(t, databaseURL, catchertest.Start(t, catcher.Config{}), app.Options{Allow: []string{"127.0.0.1"}})
}

// What is published is at the hub a moment later, as the web serves it, and nothing else is.
func TestHubIsToldAndFetches(t *testing.T) {
	t.Parallel()
	hub, url := newHub(t), testkit.FreshURL(t)
	front, back := openForHubs(t, url), openForHubs(t, url)
	back.Config.PublicURL = front.PublicURL()
	front.articles(t, seatsEn)
	front.apply(t, hub.declaration())
	if _, _, err := front.Feeds.MakePrivate(t.Context(), front.DB, 1, 1, front.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	front.run(t, app.Parts{Web: front.web})
	back.run(t, app.Parts{Worker: true})
	front.knows(t, hub)
	all := front.topics("all", "lang-en", "section-news", "source-files", "tag-exchange")
	if topics, _ := hub.heard(); cmp.Diff(all, topics) != "" {
		t.Errorf("a new hub was told (-want +got):\n%s", cmp.Diff(all, topics))
	}

	front.articles(t, relayEn)
	front.knows(t, hub)
	topics, copies := hub.heard()
	want := front.topics("all", "lang-en", "section-events", "source-files", "tag-robotics")
	if diff := cmp.Diff(want, topics); diff != "" {
		t.Errorf("the hub was told (-want +got):\n%s", diff)
	}
	for _, topic := range want {
		got := copies[topic]
		if got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), relayEn.title) {
			t.Errorf("%s answered the hub %d:\n%s", topic, got.StatusCode, got.body)
		}
		if link := `<` + hub.url + `>; rel="hub", <` + topic + `>; rel="self"`; got.Header.Get("Link") != link {
			t.Errorf("%s links %s, want %s", topic, got.Header.Get("Link"), link)
		}
	}

	front.articles(t, relayEn) // again
	front.apply(t, hub.declaration()+"[[feed]]\nslug = \"robots\"\nselect = { tags = [\"robotics\"] }\n")
	front.knows(t, hub)
	if topics, _ := hub.heard(); cmp.Diff(front.topics("robots"), topics) != "" {
		t.Errorf("after a new feed it was told (-want +got):\n%s", cmp.Diff(front.topics("robots"), topics))
	}
}

// A hub that fails is told later, by whoever works then.
func TestHubThatWasDown(t *testing.T) {
	t.Parallel()
	hub, url := newHub(t), testkit.FreshURL(t)
	front, back := openForHubs(t, url), openForHubs(t, url)
	back.Config.PublicURL = front.PublicURL()
	front.apply(t, hub.declaration())
	front.run(t, app.Parts{Web: front.web})
	stop := back.run(t, app.Parts{Worker: true})
	front.knows(t, hub)
	hub.heard()

	fails := func(p piece) {
		t.Helper()
		hub.setDown(true)
		front.articles(t, p)
		testkit.Eventually(t, patience, "the failure stands with the hub", func() bool {
			state := front.hubState(t, hub)
			return state.Failures > 0 && strings.HasSuffix(state.Failure, "the server answered 503 Service Unavailable") && state.Waiting == 5
		})
	}
	has := func(p piece, slugs ...string) {
		t.Helper()
		hub.setDown(false)
		front.knows(t, hub)
		topics, copies := hub.heard()
		if diff := cmp.Diff(front.topics(slugs...), topics); diff != "" {
			t.Errorf("the hub was told (-want +got):\n%s", diff)
		}
		for _, topic := range topics {
			if !strings.Contains(string(copies[topic].body), p.title) {
				t.Errorf("%s has no %q:\n%s", topic, p.title, copies[topic].body)
			}
		}
		if state := front.hubState(t, hub); state.Failures > 0 || state.Failure != "" {
			t.Errorf("the hub is %+v", state)
		}
	}
	fails(relayEn)
	has(relayEn, "all", "lang-en", "section-events", "source-files", "tag-robotics")

	fails(seatsEn)
	stop()
	if _, err := front.DB.Exec(`UPDATE river.river_job SET scheduled_at = created_at WHERE kind = 'tell_hub' AND state = 'retryable'`); err != nil {
		t.Fatal(err) // however often it was tried by now
	}
	again := openForHubs(t, url)
	again.Config.PublicURL = front.PublicURL()
	again.run(t, app.Parts{Worker: true})
	has(seatsEn, "all", "lang-en", "section-news", "source-files", "tag-exchange")
}

// Of two hubs one does not answer at all. The other one does not wait for it.
func TestTwoHubs(t *testing.T) {
	t.Parallel()
	good := newHub(t)
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(silent.Close)
	h := openForHubs(t, testkit.FreshURL(t))
	h.apply(t, good.declaration()+"[[hub]]\nurl = \""+silent.URL+"\"\n")
	h.run(t, app.Parts{Web: h.web, Worker: true})
	t.Cleanup(func() { close(release) }) // before the program is stopped
	for _, p := range []piece{relayEn, seatsEn, relayIt} {
		h.articles(t, p)
		h.knows(t, good)
	}
	if state := h.hubState(t, &hub{url: silent.URL + "/"}); state.Waiting == 0 {
		t.Errorf("the silent hub is %+v", state)
	}
}

// A change is one job for each hub, whatever it is of; nothing that was only tried or refused is; without hubs there are none.
func TestJobsForHubs(t *testing.T) {
	t.Parallel()
	h := open(t)
	jobs := func(want int, after string) {
		t.Helper()
		if got := value[int](t, h, `SELECT count(*) FROM river.river_job WHERE kind = 'tell_hub'`); got != want {
			t.Errorf("%d jobs after %s, want %d", got, after, want)
		}
	}
	const two = "[[feed]]\nslug = \"one\"\n[[feed]]\nslug = \"two\"\n"
	const hubs = "[[hub]]\nurl = \"https://hub.example.org/\"\n[[hub]]\nurl = \"https://other.example.org/\"\n"
	h.apply(t, two)
	h.articles(t, relayEn)
	jobs(0, "changes without a hub")
	h.apply(t, hubs)
	jobs(2, "two hubs came")
	h.apply(t, hubs+two+list)
	jobs(2, "nothing of feeds changed")
	h.apply(t, strings.ReplaceAll(two, "slug", "limit = 3\nslug"))
	jobs(4, "two feeds changed")
	h.articles(t, seatsEn, relayIt)
	jobs(6, "two articles came")
	h.articles(t, seatsEn, relayIt)
	jobs(6, "they came again")
	if _, err := h.ImportArticles(t.Context(), app.ArticleImport{Paths: []string{write(t, skyRu)}, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Apply(t.Context(), strings.NewReader("[[feed]]\nslug = \"three\"\n"), "silkpost.toml", true); err != nil {
		t.Fatal(err)
	}
	jobs(6, "dry runs")
	h.apply(t, "[[feed]]\nslug = \"first\"\nold_slugs = [\"one\"]\n")
	jobs(8, "a new name")
	if _, err := h.RenameFeed(t.Context(), "first", "second"); err != nil {
		t.Fatal(err)
	}
	jobs(10, "another one by the verb")
	if _, err := h.RemoveFeed(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	jobs(12, "a feed went")
	withdraw := func(ctx context.Context, ref string) (articles.Article, database.Change, error) {
		return h.WithdrawArticle(ctx, edition.CommandLine, ref)
	}
	for _, set := range []func(context.Context, string) (articles.Article, database.Change, error){withdraw, withdraw, h.RestoreArticle} {
		if _, _, err := set(t.Context(), "thirty-seats-for-exchange"); err != nil {
			t.Fatal(err)
		}
	}
	jobs(16, "an article went and returned")
	h.apply(t, "[[hub]]\nurl = \"https://other.example.org/\"\nremove = true\n")
	jobs(17, "a hub went")
}

func TestApplyHubs(t *testing.T) {
	t.Parallel()
	h := open(t)
	const there = "[[hub]]\nurl = \"https://hub.example.org\"\n"
	for i, step := range []struct {
		declaration, want string
		dryRun            bool
	}{
		{there, "added", true},
		{there, "added", false},
		{there, "unchanged", false},
		{there + "remove = false\n", "unchanged", false},
		{there + "remove = true\n", "removed", true},
		{there + "remove = true\n", "removed", false},
		{there + "remove = true\n", "unchanged", false},
		{there, "added", false},
	} {
		applied, err := h.Apply(t.Context(), strings.NewReader(step.declaration), "silkpost.toml", step.dryRun)
		want := []app.Applied{{Kind: "hub", Slug: "https://hub.example.org", Change: step.want}}
		if err != nil || cmp.Diff(want, applied) != "" {
			t.Errorf("step %d: %v, %v (-want +got):\n%s", i, applied, err, cmp.Diff(want, applied))
		}
	}
}
