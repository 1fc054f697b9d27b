//go:build browser

package browsertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/internal/testkit"
	"silkpost/internal/web/admin"
	"silkpost/mailer/catcher"
)

// program is Silkpost as silkpost demo runs it: sample data, digests sent to the mail catcher, web and worker running.
type program struct {
	*app.App
	catcher *catcher.Catcher
	url     string
}

// now is what the program's clock shows: pictures must not change from day to day.
var now = time.Date(2026, 6, 2, 0, 5, 0, 0, time.UTC)

// start runs the program with its sample data until the test ends.
func start(t *testing.T) *program {
	t.Helper()
	return run(t, app.Options{Clock: testkit.NewClock(now)}, func(p *program) {
		summary, err := p.Demo(t.Context(), 0)
		if err != nil || !summary.OK {
			t.Fatalf("the demo did not go well: %v, %+v", err, summary)
		}
	})
}

// run runs the program until the test ends. What it begins with is put there before its web and its worker start; it may read from the hosts
// inside, although their addresses are internal.
func run(t *testing.T, o app.Options, begin func(*program), inside ...string) *program {
	t.Helper()
	cfg := config.Defaults()
	cfg.DatabaseURL, cfg.DataDir, cfg.Listen = testkit.FreshURL(t), t.TempDir(), "127.0.0.1:0"
	cfg.SecretKey = []string{"a key for the browser test"}
	cfg.SMTPConnections = 1 // mail comes in the same order each time
	cfg.InternalHosts = inside
	p := &program{}
	var err error
	o.Log = testkit.Log(t)
	if p.App, err = app.Open(t.Context(), cfg, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, p.Close(context.Background())) })
	listener, err := p.Listen()
	if err != nil {
		t.Fatal(err)
	}
	p.Config.PublicURL = p.PublicURL()
	p.url = p.PublicURL()
	caught, _, stop, err := p.Catch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	p.catcher = caught
	begin(p)
	parts := app.Parts{Web: listener, Worker: true, Extra: caught.Handler(p.Templates, "/mail")}
	if parts.Admin, err = admin.New(admin.Config{App: p.App, Plain: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, parts) }()
	t.Cleanup(func() { cancel(); closed(t, <-ended) })
	return p
}

func closed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("the program did not end well: %v", err)
	}
}

// mailTo returns the address of the page that shows the message to somebody.
func (p *program) mailTo(t *testing.T, address string) string {
	t.Helper()
	for _, m := range p.catcher.Messages() {
		if slices.Contains(m.To, address) {
			return p.url + "/mail/" + m.ID
		}
	}
	t.Fatalf("no message to %s", address)
	return ""
}

// subscribed returns how many subscriptions get mail.
func (p *program) subscribed(t *testing.T) (n int) {
	t.Helper()
	if err := p.DB.GetContext(t.Context(), &n, `SELECT count(*) FROM subscribers.mailable`); err != nil {
		t.Fatal(err)
	}
	return n
}
