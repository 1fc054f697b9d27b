// Package fetch is the one HTTP client for foreign addresses. Whatever a web site, a feed or a redirect says, it never
// connects to an internal address, never reads more than its limit and never waits longer than its limit.
//
// The address is judged when it is dialled, after the name was resolved, so that a name which changes its mind between check
// and use gains nothing. No proxy is used, for a proxy would do the dialling out of sight. Each redirect is a request of its own, judged
// like the first.
//
// A client with Manners also does what hosts ask for: robots.txt, one request at a time, a delay between them, Retry-After.
package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"silkpost/internal/errs"
)

const (
	agentName    = "Silkpost"
	maxRedirects = 5
	maxIgnored   = 64 << 10 // bytes of an answer that is read for politeness alone
)

// Client fetches. It is safe for concurrent use; Close it at the end.
type Client struct {
	allow    []string
	maxBytes int64         // of a body, after decompression
	timeout  time.Duration // for a request and its whole answer; waiting for the host's turn does not count
	agent    string        // User-Agent
	manners  *manners      // nil: for hosts that asked for it
	resolver *net.Resolver // nil: the machine's
	public   func(netip.Addr) bool
	http     *http.Client
}

// Request names what to fetch, and what is already there: with ETag or LastModified, as an earlier Result gave them, the
// answer may be that nothing changed.
type Request struct {
	URL          string
	ETag         string
	LastModified string
	MaxBytes     int64 // of the body, after decompression; 0: 10 MB

	// Form makes the request a POST of these values. A redirect makes a GET without them of it, unless it is one that repeats the POST (307, 308).
	Form url.Values

	// ByHand says that a person asked for this very address now. robots.txt is for programs that go by themselves, so it is not looked at.
	ByHand bool

	truncate bool // a longer body is cut, no error
}

// Result is a successful answer.
type Result struct {
	Status       int    // 200 to 299, or 304
	URL          string // after redirects, without user and password
	Moved        string // where permanent redirects led to before any other: the address to ask from now on; "" when it is that asked for
	ETag         string
	LastModified string
	ContentType  string        // as the server wrote it, with its charset if any
	Fresh        time.Duration // for how long the server says that this will not change (Cache-Control, Expires); 0: it does not say
	Body         []byte        // nil when NotModified
}

// ErrTooLarge is within the error of Get when an answer has more bytes than are read.
var ErrTooLarge = errors.New("the answer is larger")

// NotModified reports whether the server said that nothing changed.
func (r *Result) NotModified() bool { return r.Status == http.StatusNotModified }

// New returns a Client that reads up to 10 MB, follows 5 redirects and waits 30 seconds for each answer. allow names the hosts, as they
// stand in URLs, that may be internal. It has no Manners: it is for hosts that asked to be told, such as hubs, and for our own.
func New(allow ...string) *Client {
	c := &Client{allow: allow, maxBytes: 10 << 20, timeout: 30 * time.Second, agent: agentName, public: public}
	c.http = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // see follow
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            c.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 256 << 10,
		},
	}
	return c
}

// Close ends the connections that are kept for reuse.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get fetches an http or https URL, with a POST where there is a form to send. An address that is not one, that lies inside, or that the site's robots.txt closes to us gives an
// error of kind errs.Invalid; answers 404 and 410 give errs.NotFound; everything else that fails gives errs.Unavailable. Each error is
// one line that names the URL, without its password; RetryAfter says how long the server asked to be left alone with it.
//
// Up to 5 redirects are followed. With Manners it waits for the host's turn, as long as ctx lives.
func (c *Client) Get(ctx context.Context, r Request) (*Result, error) {
	target, err := c.parse(r.URL)
	if err != nil {
		return nil, err
	}
	res, err := c.follow(ctx, target, r)
	if err != nil {
		return nil, c.explain(ctx, target, err)
	}
	return res, nil
}

// follow asks, and asks again wherever it is sent.
func (c *Client) follow(ctx context.Context, target *url.URL, r Request) (*Result, error) {
	moved, permanent := "", true
	for redirects := 0; ; redirects++ {
		answer, err := c.visit(ctx, target, r)
		if err != nil {
			return nil, err
		}
		if answer.next == nil {
			answer.Moved = moved
			return &answer.Result, nil
		}
		if redirects == maxRedirects {
			return nil, errs.New(errs.Unavailable, "more than %d redirects", maxRedirects)
		}
		if err := c.check(answer.next); err != nil {
			return nil, errs.New(errs.KindOf(err), "it redirects: %w", err)
		}
		target = answer.next
		if !repeats(answer.Status) {
			r.Form = nil
		}
		if permanent = permanent && (answer.Status == http.StatusMovedPermanently || answer.Status == http.StatusPermanentRedirect); permanent {
			moved = bare(target)
		}
	}
}

// answer is a Result, or where to go on.
type answer struct {
	Result
	next *url.URL // nil: here it is
}

// visit asks one server once, in its turn.
func (c *Client) visit(ctx context.Context, target *url.URL, r Request) (answer, error) {
	turn, err := c.manners.take(ctx, target)
	if err != nil {
		return answer{}, err
	}
	defer turn.end(ctx)
	if c.manners != nil && !r.ByHand {
		if err := c.mayFetch(ctx, turn, target); err != nil {
			return answer{}, err
		}
	}
	got, err := c.get(ctx, target, r)
	turn.rest(RetryAfter(err))
	return got, err
}

// Post sends a form to an http or https URL; what a 2xx answer says is left aside. Errors are those of Get, but another 4xx answer,
// with which the server refuses just this form, gives errs.Invalid too; 408, 425 and 429 ask to come again and are no refusal. It
// goes without Manners: who takes forms wants them.
//
// A redirect is followed when it repeats the POST: 307 and 308. What 301, 302 and 303 make of a form is a GET (RFC 9110, section
// 15.4), which would tell the server nothing and yet be answered with 200: they are failures.
func (c *Client) Post(ctx context.Context, address string, form url.Values) error {
	target, err := c.parse(address)
	if err != nil {
		return err
	}
	if err := c.followPost(ctx, target, form); err != nil {
		return c.explain(ctx, target, err)
	}
	return nil
}

func (c *Client) followPost(ctx context.Context, target *url.URL, form url.Values) error {
	for range maxRedirects + 1 {
		next, err := c.post(ctx, target, form)
		if err != nil || next == nil {
			return err
		}
		if err := c.check(next); err != nil {
			return errs.New(errs.KindOf(err), "it redirects: %w", err)
		}
		target = next
	}
	return errs.New(errs.Unavailable, "more than %d redirects", maxRedirects)
}

// Check returns the error with which Get would refuse an address that is no web address or names an internal host, either by its
// IP address or as localhost. It looks up no names.
func (c *Client) Check(address string) error {
	_, err := c.parse(address)
	return err
}

// ask sends a request within the time for it and hands the answer over to be read.
func (c *Client) ask(ctx context.Context, req *http.Request, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return read(resp)
}

// newRequest makes a GET, or a POST of a form.
func newRequest(ctx context.Context, target *url.URL, form url.Values) (*http.Request, error) {
	if form == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

func (c *Client) get(ctx context.Context, target *url.URL, r Request) (got answer, err error) {
	req, err := newRequest(ctx, target, r.Form)
	if err != nil {
		return got, err
	}
	if r.ETag != "" {
		req.Header.Set("If-None-Match", r.ETag)
	}
	if r.LastModified != "" {
		req.Header.Set("If-Modified-Since", r.LastModified)
	}
	err = c.ask(ctx, req, func(resp *http.Response) error {
		got, err = c.read(resp, r)
		return err
	})
	return got, err
}

// post returns where the server sends the form on to; nil when it took it.
func (c *Client) post(ctx context.Context, target *url.URL, form url.Values) (next *url.URL, err error) {
	if form == nil {
		form = url.Values{}
	}
	req, err := newRequest(ctx, target, form)
	if err != nil {
		return nil, err
	}
	err = c.ask(ctx, req, func(resp *http.Response) error {
		_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored) // read to its end, the connection can be used again
		if repeats(resp.StatusCode) {
			next, err = redirect(resp)
			return err
		}
		if resp.StatusCode >= 300 && resp.StatusCode < 400 {
			return errs.New(errs.Unavailable, "it redirects forms with %s: use the address that it leads to", status(resp))
		}
		return failure(resp)
	})
	return next, err
}

func (c *Client) read(resp *http.Response, r Request) (got answer, err error) {
	got.Result = Result{
		Status:       resp.StatusCode,
		URL:          bare(resp.Request.URL),
		ETag:         resp.Header.Get("ETag"),
		LastModified: resp.Header.Get("Last-Modified"),
		ContentType:  resp.Header.Get("Content-Type"),
		Fresh:        fresh(resp.Header),
	}
	if got.NotModified() {
		return got, nil
	}
	if redirects(resp.StatusCode) {
		_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored)
		got.next, err = redirect(resp)
		return got, err
	}
	if err := failure(resp); err != nil {
		_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored)
		return got, err
	}
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		// gzip, which is asked for, is undone already and its header gone
		return got, errs.New(errs.Unavailable, "the answer is encoded as %.20q, which was not asked for", coding)
	}
	limit := cmp.Or(r.MaxBytes, c.maxBytes)
	if got.Body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1)); err != nil {
		return got, err
	}
	if int64(len(got.Body)) > limit && r.truncate {
		got.Body = got.Body[:limit]
	}
	if int64(len(got.Body)) > limit {
		return got, errs.New(errs.Unavailable, "%w than %d bytes, or has no end", ErrTooLarge, limit)
	}
	return got, nil
}

// redirects reports a status that sends a GET elsewhere.
func redirects(code int) bool {
	return slices.Contains([]int{
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	}, code)
}

// repeats reports a status that sends a POST elsewhere as it is.
func repeats(code int) bool {
	return code == http.StatusTemporaryRedirect || code == http.StatusPermanentRedirect
}

// redirect returns where an answer sends to. The fragment stays behind: no server is asked for it.
func redirect(resp *http.Response) (*url.URL, error) {
	next, err := resp.Location()
	if err != nil {
		return nil, errs.New(errs.Unavailable, "it redirects with %s to no address", status(resp))
	}
	next.Fragment, next.RawFragment = "", ""
	return next, nil
}

// bare returns an address without user and password.
func bare(u *url.URL) string {
	without := *u
	without.User = nil
	return without.String()
}

// failure returns what is wrong with an answer; nil when its status is 2xx.
func failure(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return errs.New(errs.NotFound, "there is nothing at this address (%s)", status(resp))
	case resp.Request.Method == http.MethodPost && refuses(code):
		return errs.New(errs.Invalid, "the server refuses this with %s", status(resp))
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		if wait := retryAfter(resp.Header); wait > 0 {
			wish := strings.Replace(strings.Replace(wait.String(), "m0s", "m", 1), "h0m", "h", 1)
			return patience{errs.New(errs.Unavailable, "the server answered %s and asks to be left alone for %s", status(resp), wish), wait}
		}
	}
	return errs.New(errs.Unavailable, "the server answered %s", status(resp))
}

// refuses reports a status that says no, and not only for now.
func refuses(code int) bool {
	later := []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}
	return code >= 400 && code < 500 && !slices.Contains(later, code)
}

// status returns code and name of an answer. The server's own words are left aside: they are foreign.
func status(resp *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
}

func (c *Client) parse(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, errs.New(errs.Invalid, "%q is not a web address", address)
	}
	return u, c.check(u)
}

func (c *Client) check(u *url.URL) error {
	host := u.Hostname()
	if (u.Scheme != "http" && u.Scheme != "https") || host == "" {
		return errs.New(errs.Invalid, "%q is not a web address: it needs http:// or https:// and a host", u.Redacted())
	}
	if internal(host) && !c.allowed(host) {
		return errs.New(errs.Invalid, "%s lies on an internal address; only what is on the public Internet is fetched, and hosts that the setting allow_internal_hosts names", u.Redacted())
	}
	return nil
}

// allowed reports whether somebody vouched for a host.
func (c *Client) allowed(host string) bool {
	return slices.ContainsFunc(c.allow, func(name string) bool { return strings.EqualFold(name, host) })
}

// dial connects. A host that is allowed by name may be anywhere; any other is judged by the address that is really dialled.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Resolver: c.resolver}
	if !c.allowed(host) {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return c.checkAddress(host, address) }
	}
	return dialer.DialContext(ctx, network, address)
}

func (c *Client) checkAddress(host, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !c.public(to.Addr()) {
		return errs.New(errs.Invalid, "the host %s lies on the internal address %s; only what is on the public Internet is fetched, and hosts that the setting allow_internal_hosts names", host, to.Addr())
	}
	return nil
}

// explain puts what went wrong on the way into plain words. ctx is the caller's own: when that ended, so did the question.
func (c *Client) explain(ctx context.Context, target *url.URL, err error) error {
	var dns *net.DNSError
	var plain *errs.Error
	var cert *tls.CertificateVerificationError
	fails := func(says string, args ...any) error {
		return errs.New(errs.Unavailable, "%s: "+says, append([]any{target.Redacted()}, args...)...)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &plain):
		return patience{errs.New(plain.Kind, "%s: %w", target.Redacted(), plain), RetryAfter(err)}
	case errors.Is(err, context.DeadlineExceeded):
		return fails("no complete answer within %s", c.timeout)
	case errors.As(err, &dns):
		return fails("the host name %s cannot be resolved; look at its spelling, and whether this machine can look up names", dns.Name)
	case errors.As(err, &cert):
		return fails("its certificate is not valid: %w", cert.Err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fails("the server does not speak TLS there; it may be at http://")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fails("connection refused: no server listens there; look at host and port, or try again later")
	case errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH):
		return fails("no way leads from this machine to the host; look at the address, and at this machine's network")
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fails("the server broke off before its answer was complete; try again later")
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // it repeats the address
	}
	return fails("%w", err)
}
