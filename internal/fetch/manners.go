package fetch

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/clock"
	"silkpost/internal/errs"
)

// Manners say how a Client treats hosts that did not ask for it.
type Manners struct {
	Contact string        // where people reach us, in the User-Agent: a web or mail address; "": none
	Delay   time.Duration // between the end of a request to a host and the beginning of the next
	Clock   clock.Clock
	Shared  Turns // with other processes; nil: there are none, or they are not waited for
}

// Turns are the turns at hosts as several processes share them. See articles.Hosts.
type Turns interface {
	Take(ctx context.Context, host string, now, limit time.Time) (holder uuid.UUID, taken bool, until time.Time, held bool, err error)
	Give(ctx context.Context, host string, holder uuid.UUID, free time.Time) error
}

const (
	maxCrawlDelay = 30 * time.Second // a longer Crawl-delay than this would be no way to read news
	shortWait     = 10 * time.Second // a host that asked for longer is not waited for: the request fails
	turnLimit     = 2 * time.Minute  // after which a process that has a turn, and was not heard of, has lost it to the others
	askAgain      = time.Second      // while another process has the turn

	robotsTTL   = 24 * time.Hour      // as long as a robots.txt is believed (RFC 9309, section 2.4)
	robotsLeast = time.Hour           // however short-lived it says it is
	robotsRetry = 10 * time.Minute    // until one that could not be read is asked for again
	robotsGone  = 30 * 24 * time.Hour // after which one that cannot be read counts as none (section 2.3.1.4)

	maxHosts = 10_000 // that are remembered, if they need not be
)

// NewPolite returns a Client as New does, with manners: it fetches nothing that a site's robots.txt closes to it (RFC 9309), sends one
// request at a time to each host with a delay after it, longer where Crawl-delay says so, and leaves hosts alone that asked for it
// with Retry-After. All who use the Client wait for one another, and for
// other processes with which it shares its turns; of the same host they come in turn.
func NewPolite(m Manners, allow ...string) *Client {
	c := New(allow...)
	c.manners = &manners{Manners: m, hosts: map[string]*host{}, sleep: sleep}
	if m.Contact != "" {
		c.agent = agentName + " (+" + m.Contact + ")"
	}
	return c
}

type manners struct {
	Manners
	sleep func(ctx context.Context, d time.Duration) error // for tests to watch

	mu    sync.Mutex
	hosts map[string]*host
}

// host is what is known of a host. What is not under the manners' lock belongs to whoever has the turn.
type host struct {
	name    string
	turn    chan struct{} // holds one
	waiting int           // who has the turn or waits for it; under the lock
	free    time.Time     // when the next request may begin; under the lock
	alone   time.Time     // until when it asked to be left alone; under the lock
	robots  map[string]*robotsEntry
}

// turn is the right to ask a host now. The nil turn is everybody's.
type turn struct {
	m      *manners
	host   *host
	delay  time.Duration
	holder uuid.UUID // among all processes
}

// take waits for the turn at a host. A host that asked to be left alone for longer than a moment gives an error at once.
func (m *manners) take(ctx context.Context, target *url.URL) (*turn, error) {
	if m == nil {
		return nil, nil
	}
	h := m.join(target)
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		m.leave(h)
		return nil, ctx.Err()
	}
	t := &turn{m: m, host: h, delay: m.Delay}
	err := t.wait(ctx)
	if err == nil {
		err = t.takeOfAll(ctx)
	}
	if err != nil {
		<-h.turn
		m.leave(h)
		return nil, err
	}
	return t, nil
}

func (t *turn) wait(ctx context.Context) error {
	now := t.m.Clock.Now()
	t.m.mu.Lock()
	alone, free := t.host.alone.Sub(now), t.host.free.Sub(now)
	t.m.mu.Unlock()
	if alone > shortWait {
		return leftAlone(now, alone)
	}
	if wait := max(alone, free); wait > 0 {
		return t.m.sleep(ctx, wait)
	}
	return ctx.Err()
}

func leftAlone(now time.Time, wait time.Duration) error {
	return patience{errs.New(errs.Unavailable, "the server asked to be left alone until %s", now.Add(wait).UTC().Format("2006-01-02 15:04 UTC")), wait}
}

// takeOfAll waits for the turn among all processes, which is taken for the turn of this one.
func (t *turn) takeOfAll(ctx context.Context) error {
	if t.m.Shared == nil {
		return nil
	}
	for now := t.m.Clock.Now(); ; {
		holder, taken, until, held, err := t.m.Shared.Take(ctx, t.host.name, now, now.Add(turnLimit))
		wait := max(until.Sub(now), 0)
		switch {
		case err != nil:
			return fmt.Errorf("the turn at %s: %w", t.host.name, err)
		case taken:
			t.holder = holder
			return nil
		case held:
			wait = min(wait, askAgain)
		case wait > shortWait:
			return leftAlone(now, wait)
		}
		if err := t.m.sleep(ctx, wait); err != nil {
			return err
		}
		now = later(t.m.Clock.Now(), now.Add(wait)) // what was slept has passed, whatever the clock says
	}
}

// end passes the turn on, to begin after the delay. A turn that cannot be given back to all ends by itself.
func (t *turn) end(ctx context.Context) {
	if t == nil {
		return
	}
	t.m.mu.Lock()
	t.host.free = t.m.Clock.Now().Add(t.delay)
	free := later(t.host.free, t.host.alone)
	t.m.mu.Unlock()
	if t.m.Shared != nil {
		_ = t.m.Shared.Give(context.WithoutCancel(ctx), t.host.name, t.holder, free)
	}
	<-t.host.turn
	t.m.leave(t.host)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rest notes how long the host asked to be left alone.
func (t *turn) rest(d time.Duration) {
	if t == nil || d <= 0 {
		return
	}
	t.m.mu.Lock()
	t.host.alone = t.m.Clock.Now().Add(d)
	t.m.mu.Unlock()
}

func (m *manners) join(target *url.URL) *host {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := hostName(target)
	h := m.hosts[name]
	if h == nil {
		m.forget()
		h = &host{name: name, turn: make(chan struct{}, 1), robots: map[string]*robotsEntry{}}
		m.hosts[name] = h
	}
	h.waiting++
	return h
}

func (m *manners) leave(h *host) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h.waiting--
}

// forget makes room when there are too many hosts, of whom nobody has to know anything now.
func (m *manners) forget() {
	if len(m.hosts) < maxHosts {
		return
	}
	now := m.Clock.Now()
	for name, h := range m.hosts {
		if h.waiting == 0 && now.After(h.free) && now.After(h.alone) {
			delete(m.hosts, name)
		}
	}
}

// Wait returns about how long a request to an address would have to wait for its turn; 0 when it could begin now.
func (c *Client) Wait(address string) time.Duration {
	target, err := url.Parse(strings.TrimSpace(address))
	if err != nil || c.manners == nil {
		return 0
	}
	m := c.manners
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.hosts[hostName(target)]
	if h == nil {
		return 0
	}
	return max(0, h.free.Sub(m.Clock.Now())) + time.Duration(h.waiting)*(m.Delay+time.Second)
}

// hostName returns what counts as one host: a name with the port of its scheme left out, so that http and https share it.
func hostName(u *url.URL) string {
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		name += ":" + port
	}
	return name
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// robotsEntry is a site's robots.txt as it was when it was asked for.
type robotsEntry struct {
	rules   robots
	until   time.Time // when to ask for it again
	failing time.Time // since when it could not be read; zero: it can
	err     error     // why nothing may be fetched now; nil: the rules say what
}

// mayFetch returns why a site's robots.txt closes an address to us, nil when it does not. It asks for the file when it is not known or too old.
func (c *Client) mayFetch(ctx context.Context, t *turn, target *url.URL) error {
	site := url.URL{Scheme: target.Scheme, Host: target.Host, User: target.User}
	entry, now := t.host.robots[site.String()], c.manners.Clock.Now()
	if entry == nil || !now.Before(entry.until) {
		known := entry
		var err error
		if entry, err = c.askRobots(ctx, &site, known, now); err != nil {
			return err
		}
		t.host.robots[site.String()] = entry
	}
	t.delay = max(t.delay, min(entry.rules.delay, maxCrawlDelay))
	if entry.err != nil {
		return entry.err
	}
	path := target.EscapedPath()
	if target.RawQuery != "" {
		path += "?" + target.RawQuery
	}
	if !entry.rules.allows(cmp.Or(path, "/")) {
		return errs.New(errs.Invalid, "the site's robots.txt closes this address to programs; ask whoever runs it to let %s in", agentName)
	}
	return nil
}

// askRobots reads a site's robots.txt. One that is not there allows everything. One that cannot be read closes the site (RFC 9309, section
// 2.3.1.4), unless an older one is known, which then goes on, or it has been so for a month. The error is that of an end of ctx, or of a host
// that cannot be reached at all, which is nothing to remember.
func (c *Client) askRobots(ctx context.Context, site *url.URL, known *robotsEntry, now time.Time) (*robotsEntry, error) {
	file := site.JoinPath("/robots.txt")
	rules, ttl, err := c.getRobots(ctx, file)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		return &robotsEntry{rules: rules, until: now.Add(ttl)}, nil
	case errs.KindOf(err) == errs.Internal || errs.KindOf(err) == errs.Invalid:
		return nil, err // what was to be fetched would fail alike, and its error says so better
	}
	entry := &robotsEntry{until: now.Add(max(robotsRetry, RetryAfter(err))), failing: now}
	if known != nil {
		entry.rules, entry.err = known.rules, known.err
		if !known.failing.IsZero() {
			entry.failing = known.failing
		}
	}
	if known == nil || known.err != nil {
		entry.err = errs.New(errs.Unavailable, "nothing is fetched from a site whose robots.txt cannot be read: %w", c.explain(ctx, file, err))
	}
	if now.Sub(entry.failing) >= robotsGone {
		entry.rules, entry.err = robots{}, nil
	}
	return entry, nil
}

// getRobots fetches a robots.txt, over up to 5 redirects, also to other hosts (RFC 9309, section 2.3.1.2), whose turns it does not wait for:
// two hosts could wait for each other.
func (c *Client) getRobots(ctx context.Context, file *url.URL) (rules robots, ttl time.Duration, err error) {
	for range maxRedirects + 1 {
		var got answer
		got, err = c.get(ctx, file, Request{MaxBytes: maxRobots, truncate: true})
		switch {
		case err == nil && got.next == nil:
			return parseRobots(got.Body, agentName), clamp(max(cmp.Or(got.Fresh, robotsTTL), robotsLeast), robotsTTL), nil
		case err == nil:
			if c.check(got.next) != nil {
				return rules, robotsTTL, nil
			}
			file = got.next
		case got.Status >= 400 && got.Status < 500 && got.Status != http.StatusTooManyRequests:
			return rules, robotsTTL, nil
		default:
			return rules, 0, err
		}
	}
	return rules, robotsTTL, nil // too many redirects: as good as not there
}
