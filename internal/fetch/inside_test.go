package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"silkpost/internal/errs"
)

// names is a name server that answers from a table. A name with several answers gives each in its turn and then the last: it changes its
// mind, as rebinding does. An answer of several addresses gives all of them at once.
type names struct {
	mu      sync.Mutex
	answers map[string][]string // by name; addresses parted by blanks
	asked   map[string]int
}

// resolver returns a resolver that asks the table alone.
func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		packet := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if reply := n.reply(packet[:size]); reply != nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *names) reply(packet []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	for _, address := range n.lookUp(strings.TrimSuffix(q.Name.String(), "."), q.Type) {
		head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		if address.Is4() {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: address.As4()}})
		} else {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	reply, _ := m.Pack()
	return reply
}

func (n *names) lookUp(name string, kind dnsmessage.Type) (found []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.answers[strings.ToLower(name)]
	if len(answers) == 0 {
		return nil
	}
	key := fmt.Sprint(name, kind)
	for _, s := range strings.Fields(answers[min(n.asked[key], len(answers)-1)]) {
		if a := netip.MustParseAddr(s); a.Is4() == (kind == dnsmessage.TypeA) {
			found = append(found, a)
		}
	}
	n.asked[key]++
	return found
}

// watched is a listener on every loopback address there is, on one port, that counts who connects.
type watched struct {
	port      string
	connected atomic.Int32
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{}
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, w.port, _ = net.SplitHostPort(first.Addr().String())
	listeners := []net.Listener{first}
	for _, other := range []string{"127.0.0.2", "127.1.2.3", "::1"} {
		if ln, err := net.Listen("tcp", net.JoinHostPort(other, w.port)); err == nil { // not every machine has IPv6
			listeners = append(listeners, ln)
		}
	}
	var running sync.WaitGroup
	for _, ln := range listeners {
		running.Go(func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				w.connected.Add(1)
				_ = conn.Close()
			}
		})
	}
	t.Cleanup(func() {
		for _, ln := range listeners {
			_ = ln.Close()
		}
		running.Wait()
	})
	return w
}

// insideHosts are ways of writing an internal address where a host stands.
var insideHosts = []string{
	// this host and its network
	"127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "localhost", "LOCALHOST", "LocalHost.", "feeds.localhost",
	"10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.254",
	// written otherwise: decimal, octal, hexadecimal, short, with dots behind, in other digits
	"2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "0", "0x0", "127.000.000.001",
	"１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1", "ｌｏｃａｌｈｏｓｔ", "%6c%6f%63%61%6c%68%6f%73%74", "127%2e0.0.1", "loc\u00adalhost",
	// link-local, metadata, carriers, special purpose
	"169.254.169.254", "169.254.170.2", "168.63.129.16", "100.64.0.1", "100.100.100.200", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1",
	"198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	// IPv6
	"[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:0:127.0.0.1]",
	"[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::10.0.0.1]", "[64:ff9b:1:fffe::c0a8:1]", "[2002:7f00:1::1]", "[2002:a00:1::]",
	"[2001::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[2001:2::1]", "[2001:10::1]", "[2001:20::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]",
	"[100::1]", "[fc00::1]", "[fd00:ec2::254]", "[fdff::1]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[ff02::1]", "[ff0e::1]",
	"[::1%25lo]", "[fe80::1%25eth0]", "[fe80::1%251]", "[2606:4700::1111%25lo]",
	// something in front of it
	"www.example.org@127.0.0.1", "www.example.org%40127.0.0.1", "www.example.org:80@127.0.0.1", "user:secret@[::1]",
	// names
	"inside.example.org", "inside.example.org.", "INSIDE.example.org", "six.example.org", "mapped.example.org", "nat64.example.org", "metadata.example.org",
	"both.example.org", "rebinding.example.org",
}

func insideNames() *names {
	return &names{asked: map[string]int{}, answers: map[string][]string{
		"inside.example.org": {"127.0.0.1"}, "six.example.org": {"::1"}, "mapped.example.org": {"::ffff:127.0.0.1"}, "nat64.example.org": {"64:ff9b::7f00:1"},
		"metadata.example.org":  {"169.254.169.254 fd00:ec2::254"},
		"both.example.org":      {"127.0.0.1 10.0.0.1 ::1"},
		"rebinding.example.org": {"", "127.0.0.1", "::1 127.0.0.1"},
	}}
}

// guarded is a client to which nobody vouched for any of the hosts above.
func guarded(t *testing.T) *Client {
	t.Helper()
	c := New("front.example.org")
	c.resolver = insideNames().resolver(t)
	t.Cleanup(c.Close)
	return c
}

func TestNothingInsideIsReached(t *testing.T) {
	t.Parallel()
	w := watch(t)
	c := guarded(t)
	for _, host := range insideHosts {
		for _, address := range []string{"http://" + host + ":" + w.port + "/feed", "https://" + host + ":" + w.port + "/"} {
			for range 3 { // a name may change its mind
				_, got := c.Get(t.Context(), Request{URL: address})
				posted := c.Post(t.Context(), address, url.Values{})
				for _, err := range []error{got, posted} {
					if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "refused") ||
						strings.Contains(err.Error(), "unreachable") {
						t.Errorf("%s: %v", address, err)
					}
				}
			}
		}
	}
	if n := w.connected.Load(); n > 0 {
		t.Errorf("%d connections", n)
	}
}

// Addresses of hosts that are written in other ways, in whole addresses.
func TestNothingInsideIsReachedByOddAddresses(t *testing.T) {
	t.Parallel()
	w := watch(t)
	c := guarded(t)
	for _, address := range []string{
		"http:///127.0.0.1:PORT/", "http:127.0.0.1:PORT", "//127.0.0.1:PORT/", "http://127.0.0.1:PORT#@www.example.org/", "http://127.0.0.1:PORT?@www.example.org/",
		`http://www.example.org\@127.0.0.1:PORT/`, `http://127.0.0.1:PORT\@www.example.org/`, "http://www.example.org#@127.0.0.1:PORT/../",
		"HTTP://127.0.0.1:PORT/", " http://127.0.0.1:PORT/ ", "http://127.0.0.1:PORT\t/", "ht\ntp://127.0.0.1:PORT/", "file:///etc/passwd", "ftp://127.0.0.1:PORT/",
		"gopher://127.0.0.1:PORT/_x", "jar:http://127.0.0.1:PORT!/", "unix:///run/postgresql", "data:text/html,x", "http://[::1]:PORT:80/", "http://[::1/",
		"http://127.0.0.1:PORT:PORT/", "http://127.0.0.1 :PORT/", "http://[127.0.0.1]:PORT/", "http://@127.0.0.1:PORT/", "http://:@127.0.0.1:PORT/",
	} {
		address = strings.ReplaceAll(address, "PORT", w.port)
		if _, err := c.Get(t.Context(), Request{URL: address}); err == nil {
			t.Errorf("%q was fetched", address)
		}
	}
	if n := w.connected.Load(); n > 0 {
		t.Errorf("%d connections", n)
	}
}

// A site that may be asked sends us inside, at once, by a chain, and with each status that redirects.
func TestNothingInsideIsReachedByRedirect(t *testing.T) {
	t.Parallel()
	w := watch(t)
	var target atomic.Value
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		code := map[string]int{"/301": 301, "/302": 302, "/303": 303, "/307": 307, "/308": 308}[r.URL.Path]
		if code == 0 { // a chain
			rw.Header().Set("Location", "/302")
			code = 307
		} else {
			rw.Header().Set("Location", target.Load().(string))
		}
		rw.WriteHeader(code)
	}))
	t.Cleanup(front.Close)
	_, port, _ := net.SplitHostPort(front.Listener.Addr().String())
	c := guarded(t)
	table := insideNames()
	table.answers["front.example.org"] = []string{"127.0.0.1"}
	c.resolver = table.resolver(t)
	for _, host := range insideHosts {
		for _, location := range []string{"http://" + host + ":" + w.port + "/", "//" + host + ":" + w.port + "/"} {
			target.Store(location)
			for _, path := range []string{"/301", "/302", "/303", "/307", "/308", "/chain"} {
				if _, err := c.Get(t.Context(), Request{URL: "http://front.example.org:" + port + path}); err == nil || errs.KindOf(err) == errs.Internal {
					t.Errorf("%s to %s: %v", path, location, err)
				}
			}
			for _, path := range []string{"/307", "/308"} {
				if err := c.Post(t.Context(), "http://front.example.org:"+port+path, url.Values{}); err == nil {
					t.Errorf("POST %s to %s was taken", path, location)
				}
			}
		}
	}
	if n := w.connected.Load(); n > 0 {
		t.Errorf("%d connections", n)
	}
}

// A name that may be inside opens neither its neighbours nor its own address.
func TestVouchingIsForANameAlone(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	table := &names{asked: map[string]int{}, answers: map[string][]string{"front.example.org": {"127.0.0.1"}, "back.example.org": {"127.0.0.1"}}}
	c := New("Front.example.org")
	c.resolver = table.resolver(t)
	t.Cleanup(c.Close)
	for host, want := range map[string]errs.Kind{
		"front.example.org": errs.NotFound, "FRONT.example.org": errs.NotFound, "back.example.org": errs.Invalid, "127.0.0.1": errs.Invalid,
		"front.example.org.": errs.Invalid, "x.front.example.org": errs.Unavailable, // that does not resolve
	} {
		if _, err := c.Get(t.Context(), Request{URL: "http://" + host + ":" + port + "/"}); errs.KindOf(err) != want {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// A name that has public addresses and internal ones leads to the public ones alone. What is dialled is judged, not what was looked up
// before: a second look finds another address.
func TestDialledAddressIsJudged(t *testing.T) {
	t.Parallel()
	w := watch(t)
	cases := []struct {
		host    string
		address string
		want    bool
	}{
		{"a.example.org", "93.184.215.14:80", true},
		{"a.example.org", "[2606:4700::1111]:443", true},
		{"a.example.org", "127.0.0.1:80", false},
		{"a.example.org", "[::ffff:93.184.215.14]:80", false},
		{"a.example.org", "[fe80::1%1]:80", false},
		{"a.example.org", "/run/socket", false},
		{"a.example.org", "", false},
	}
	client := guarded(t)
	for _, c := range cases {
		if err := client.checkAddress(c.host, c.address); (err == nil) != c.want {
			t.Errorf("%s at %s: %v", c.host, c.address, err)
		}
	}
	conn, err := client.dial(t.Context(), "tcp", "both.example.org:"+w.port)
	if err == nil {
		_ = conn.Close()
		t.Error("it was dialled")
	}
	if n := w.connected.Load(); n > 0 {
		t.Errorf("%d connections", n)
	}
}

// A name is looked up when it is dialled, each time, and what it says then is judged: one that was outside and is inside now is refused,
// also when it redirects to itself meanwhile. 127.0.0.2 plays the part of an address outside.
func TestRebindingGainsNothing(t *testing.T) {
	t.Parallel()
	w := watch(t)
	outside, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this machine has one loopback address only")
	}
	_, port, _ := net.SplitHostPort(outside.Addr().String())
	asked := 0
	srv := &httptest.Server{Listener: outside, Config: &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked++
		rw.Header().Set("Connection", "close") // the next request looks the name up again
		if r.URL.Path == "/again" {
			http.Redirect(rw, r, "http://turns.example.org:"+w.port+"/", http.StatusFound)
		}
	})}}
	srv.Start()
	t.Cleanup(srv.Close)
	for path, want := range map[string]int{"/": 1, "/again": 1} {
		c := New()
		c.public = func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.2") }
		table := &names{asked: map[string]int{}, answers: map[string][]string{"turns.example.org": {"127.0.0.2", "127.0.0.1"}}}
		c.resolver = table.resolver(t)
		asked = 0
		_, first := c.Get(t.Context(), Request{URL: "http://turns.example.org:" + port + path})
		_, second := c.Get(t.Context(), Request{URL: "http://turns.example.org:" + w.port + "/"})
		c.Close()
		if (first == nil) != (path == "/") || errs.KindOf(second) != errs.Invalid || asked != want {
			t.Errorf("%s: asked %d times; %v; %v", path, asked, first, second)
		}
	}
	if n := w.connected.Load(); n > 0 {
		t.Errorf("%d connections", n)
	}
}
