// Package fetch is the one HTTP client for foreign addresses. Whatever a web site, a feed or a redirect says, it never
// connects to an internal address, never reads more than its limit and never waits longer than its limit.
//
// The address is judged when it is dialled, after the name was resolved, so that a name which changes its mind between check
// and use gains nothing. No proxy is used, for a proxy would do the dialling out of sight.
package fetch

import (
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
	userAgent    = "Silkpost"
	maxRedirects = 5
	maxIgnored   = 64 << 10 // bytes of an answer that is read for politeness alone
)

// Client fetches. It is safe for concurrent use; Close it at the end.
type Client struct {
	allow    []string
	maxBytes int64         // of a body, after decompression
	timeout  time.Duration // for the whole exchange
	http     *http.Client
}

// Request names what to fetch, and what is already there: with ETag or LastModified, as an earlier Result gave them, the
// answer may be that nothing changed.
type Request struct {
	URL          string
	ETag         string
	LastModified string
}

// Result is a successful answer.
type Result struct {
	Status       int    // 200 to 299, or 304
	URL          string // after redirects, without user and password
	ETag         string
	LastModified string
	ContentType  string // as the server wrote it, with its charset if any
	Body         []byte // nil when NotModified
}

// NotModified reports whether the server said that nothing changed.
func (r *Result) NotModified() bool { return r.Status == http.StatusNotModified }

// New returns a Client that reads up to 10 MB, follows 5 redirects and waits 30 seconds. allow names the hosts, as they stand in
// URLs, that may be internal.
func New(allow ...string) *Client {
	c := &Client{allow: allow, maxBytes: 10 << 20, timeout: 30 * time.Second}
	c.http = &http.Client{
		CheckRedirect: c.checkRedirect,
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            c.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 256 << 10,
		},
	}
	return c
}

// Close ends the connections that are kept for reuse.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get fetches an http or https URL. An address that is not one, or that lies inside, gives an error of kind errs.Invalid;
// answers 404 and 410 give errs.NotFound; everything else that fails gives errs.Unavailable. Each error is one line that
// names the URL, without its password.
func (c *Client) Get(ctx context.Context, r Request) (res *Result, err error) {
	err = c.exchange(ctx, r.URL, func(ctx context.Context, target *url.URL) error {
		res, err = c.get(ctx, target, r)
		return err
	})
	return res, err
}

// Post sends a form to an http or https URL; what a 2xx answer says is left aside. Errors are those of Get, but another 4xx answer,
// with which the server refuses just this form, gives errs.Invalid too; 408, 425 and 429 ask to come again and are no refusal.
//
// A redirect is followed when it repeats the POST: 307 and 308. What 301, 302 and 303 make of a form is a GET (RFC 9110, section
// 15.4), which would tell the server nothing and yet be answered with 200: they are failures.
func (c *Client) Post(ctx context.Context, address string, form url.Values) error {
	return c.exchange(ctx, address, func(ctx context.Context, target *url.URL) error {
		return c.post(ctx, target, form)
	})
}

// exchange runs what asks a server, within the limits, and puts its failure into plain words.
func (c *Client) exchange(ctx context.Context, address string, ask func(ctx context.Context, target *url.URL) error) error {
	target, err := c.parse(address)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err = ask(limited, target)
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) || err != nil && errs.KindOf(err) == errs.Internal {
		err = c.explain(ctx, target, err)
	}
	return err
}

// Check returns the error with which Get would refuse an address that is no web address or names an internal host, either by its
// IP address or as localhost. It looks up no names.
func (c *Client) Check(address string) error {
	_, err := c.parse(address)
	return err
}

func (c *Client) get(ctx context.Context, target *url.URL, r Request) (*Result, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	if r.ETag != "" {
		req.Header.Set("If-None-Match", r.ETag)
	}
	if r.LastModified != "" {
		req.Header.Set("If-Modified-Since", r.LastModified)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return c.read(target, resp)
}

func (c *Client) post(ctx context.Context, target *url.URL, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored) // read to its end, the connection can be used again
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return errs.New(errs.Unavailable, "%s: it redirects forms with %s: use the address that it leads to", target.Redacted(), status(resp))
	}
	return failure(target, resp)
}

func (c *Client) read(target *url.URL, resp *http.Response) (*Result, error) {
	final := *resp.Request.URL
	final.User = nil
	res := &Result{
		Status:       resp.StatusCode,
		URL:          final.String(),
		ETag:         resp.Header.Get("ETag"),
		LastModified: resp.Header.Get("Last-Modified"),
		ContentType:  resp.Header.Get("Content-Type"),
	}
	if res.NotModified() {
		return res, nil
	}
	if err := failure(target, resp); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > c.maxBytes {
		return nil, errs.New(errs.Unavailable, "%s: the answer is larger than %d bytes", target.Redacted(), c.maxBytes)
	}
	res.Body = body
	return res, nil
}

// failure returns what is wrong with an answer; nil when its status is 2xx.
func failure(target *url.URL, resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return errs.New(errs.NotFound, "%s: there is nothing at this address (%s)", target.Redacted(), status(resp))
	case resp.Request.Method == http.MethodPost && refuses(code):
		return errs.New(errs.Invalid, "%s: the server refuses this with %s", target.Redacted(), status(resp))
	}
	return errs.New(errs.Unavailable, "%s: the server answered %s", target.Redacted(), status(resp))
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
		return errs.New(errs.Invalid, "%s lies on an internal address; only what is on the public Internet is fetched", u.Redacted())
	}
	return nil
}

// allowed reports whether somebody vouched for a host.
func (c *Client) allowed(host string) bool {
	return slices.ContainsFunc(c.allow, func(name string) bool { return strings.EqualFold(name, host) })
}

func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errs.New(errs.Unavailable, "more than %d redirects", maxRedirects)
	}
	if via[0].Method != req.Method {
		return http.ErrUseLastResponse // see Post
	}
	if err := c.check(req.URL); err != nil {
		return errs.New(errs.KindOf(err), "it redirects: %w", err)
	}
	return nil
}

// dial connects. A host that is allowed by name may be anywhere; any other is judged by the address that is really dialled.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !c.allowed(host) {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkAddress(host, address) }
	}
	return dialer.DialContext(ctx, network, address)
}

func checkAddress(host, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !public(to.Addr()) {
		return errs.New(errs.Invalid, "the host %s lies on the internal address %s; only what is on the public Internet is fetched",
			host, to.Addr())
	}
	return nil
}

// explain puts what went wrong on the way into plain words. ctx is the caller's own: when that ended, so did the question.
func (c *Client) explain(ctx context.Context, target *url.URL, err error) error {
	var dns *net.DNSError
	var plain *errs.Error
	var cert *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &plain):
		return errs.New(plain.Kind, "%s: %w", target.Redacted(), plain)
	case errors.Is(err, context.DeadlineExceeded):
		return errs.New(errs.Unavailable, "%s: no complete answer within %s", target.Redacted(), c.timeout)
	case errors.As(err, &dns):
		return errs.New(errs.Unavailable, "%s: the host name cannot be resolved", target.Redacted())
	case errors.As(err, &cert):
		return errs.New(errs.Unavailable, "%s: its certificate is not valid: %w", target.Redacted(), cert.Err)
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // it repeats the address
	}
	return errs.New(errs.Unavailable, "%s: %w", target.Redacted(), err)
}
