// Package destination knows which domains are one destination, because the same people run their servers, and what is known of how these want to
// be treated.
//
// A destination is named after those who run the MX hosts of a domain: by the table of habits, else by the domain under which the preferred host is
// registered. Nothing waits for the answer of a name server: a domain that was not asked for yet is a destination of its own.
package destination

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Of returns the destination that a domain with such MX hosts belongs to, the preferred ones first. Without any, it is one of its own.
func Of(domain string, hosts []string) string {
	if len(hosts) == 0 {
		return domain
	}
	for i := range Habits {
		if Habits[i].runs(hosts[0]) {
			return Habits[i].Destination
		}
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(hosts[0])
	if err != nil {
		return domain
	}
	return registered
}

// Resolver finds out in the background which destinations domains belong to. Its exported fields are set before Run.
type Resolver struct {
	DB       *sqlx.DB
	Clock    clock.Clock
	Log      *slog.Logger
	LookupMX func(ctx context.Context, domain string) ([]*net.MX, error) // net.Resolver's

	mu    sync.Mutex
	noted map[string]time.Time // when each was noted
	wait  chan struct{}        // has one when something was noted
	todo  []string
}

// How long an answer, or that there is none, holds: net.Resolver does not say.
const (
	answerHolds  = 24 * time.Hour
	failureHolds = 10 * time.Minute
)

// Bounds of what the resolver does and remembers.
const (
	atOnce     = 4               // questions
	patience   = 5 * time.Second // with a name server
	noteAgain  = time.Hour       // a domain that was noted is not looked at before
	mostNoted  = 20_000          // domains
	longestRun = 500             // domains at a time
	longest    = 253             // characters of a domain
)

// Note says that mail goes to a domain. It never waits, and may be called before Run and from any goroutine. A nil Resolver does nothing.
func (r *Resolver) Note(domain string) {
	if r == nil || domain == "" || len(domain) > longest || reserved(domain) {
		return
	}
	now := r.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, known := r.noted[domain]; known && now.Sub(at) < noteAgain || len(r.todo) >= mostNoted { // what is too much is noted with a later message
		return
	}
	if r.noted == nil || len(r.noted) >= mostNoted {
		r.noted = map[string]time.Time{}
	}
	r.noted[domain] = now
	r.todo = append(r.todo, domain)
	select {
	case r.waiting() <- struct{}{}:
	default:
	}
}

// waiting returns the channel that tells of something noted. The mutex is to be held.
func (r *Resolver) waiting() chan struct{} {
	if r.wait == nil {
		r.wait = make(chan struct{}, 1)
	}
	return r.wait
}

// reserved reports a name that stands for nobody (RFC 2606, RFC 6761): no name server is asked.
func reserved(domain string) bool {
	for _, name := range []string{"test", "example", "invalid", "localhost", "local", "example.com", "example.net", "example.org"} {
		if domain == name || strings.HasSuffix(domain, "."+name) {
			return true
		}
	}
	return false
}

// Run asks for what was noted until ctx ends.
func (r *Resolver) Run(ctx context.Context) {
	r.mu.Lock()
	wait := r.waiting()
	r.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait:
		}
		for domains := r.next(); len(domains) > 0 && ctx.Err() == nil; domains = r.next() {
			if err := r.resolve(ctx, domains); err != nil && ctx.Err() == nil {
				r.Log.WarnContext(ctx, "which destinations domains belong to could not be written down", slog.Any("error", err))
			}
		}
	}
}

func (r *Resolver) next() (domains []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.todo), longestRun)
	domains, r.todo = r.todo[:n], r.todo[n:]
	return domains
}

// resolve asks for those domains of which nobody knows, or knew it too long ago.
func (r *Resolver) resolve(ctx context.Context, domains []string) (err error) {
	defer errs.Wrap(&err, "destination.resolve")
	now := r.Clock.Now()
	var known []string
	if err := r.DB.SelectContext(ctx, &known, `SELECT name FROM mailer.domains WHERE name = ANY ($1) AND ask_again > $2`, pq.Array(domains), now); err != nil {
		return err
	}
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(atOnce)
	for _, domain := range domains {
		if !slices.Contains(known, domain) {
			asking.Go(func() error { return r.ask(ctx, domain) })
		}
	}
	return asking.Wait()
}

// ask asks for one domain and keeps the answer. When no server answers, what was known stays.
func (r *Resolver) ask(ctx context.Context, domain string) error {
	hosts, err := r.hosts(ctx, domain)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := r.Clock.Now()
	if err != nil {
		return keep(ctx, r.DB, `ON CONFLICT (name) DO UPDATE SET ask_again = excluded.ask_again`, domain, nil, now, now.Add(failureHolds))
	}
	return keep(ctx, r.DB, `ON CONFLICT (name) DO UPDATE SET destination = excluded.destination, hosts = excluded.hosts,
		asked_at = excluded.asked_at, ask_again = excluded.ask_again`, domain, hosts, now, now.Add(answerHolds))
}

func keep(ctx context.Context, h database.Handle, otherwise, domain string, hosts []string, now, again time.Time) error {
	_, err := h.ExecContext(ctx, `
		INSERT INTO mailer.domains (name, destination, hosts, asked_at, ask_again) VALUES ($1, $2, $3, $4, $5) `+otherwise,
		domain, Of(domain, hosts), pq.Array(append([]string{}, hosts...)), now, again)
	return err
}

// mostHosts is how many MX hosts are kept of a domain.
const mostHosts = 10

// hosts returns the MX hosts of a domain, the preferred ones first. A domain without any, or that wants no mail (RFC 7505), has none.
func (r *Resolver) hosts(ctx context.Context, domain string) (hosts []string, err error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return nil, nil //nolint:nilerr // it is no name that anybody could have an answer for
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := r.LookupMX(ctx, ascii+".")
	if none := (*net.DNSError)(nil); errors.As(err, &none) && none.IsNotFound {
		return nil, nil
	}
	if err != nil && len(found) == 0 {
		return nil, err
	}
	slices.SortFunc(found, func(a, b *net.MX) int { return cmp.Or(cmp.Compare(a.Pref, b.Pref), cmp.Compare(a.Host, b.Host)) })
	for _, mx := range found {
		host := strings.ToLower(strings.TrimSuffix(mx.Host, "."))
		if host != "" && len(host) <= longest && len(hosts) < mostHosts {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}
