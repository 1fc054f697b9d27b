package bounce

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// greeting returns what a server says first to whom comes from an address of this machine.
func greeting(t *testing.T, from string, to net.Addr) (net.Conn, string) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	conn, err := dialer.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatalf("from %s: %v", from, err)
	}
	return conn, line
}

// A host that opens connections and says nothing has its share of them, and everybody else is heard.
func TestOneHostDoesNotKeepOthersOut(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	desk := &Desk{Log: slog.New(slog.DiscardHandler)}
	desk.Addresses.Domain = "bounce.example.org"
	go func() { done <- (&Listener{Desk: desk}).Serve(ctx, ln) }()
	t.Cleanup(func() { cancel(); <-done })

	var first net.Conn
	for i := range maxPerHost {
		conn, line := greeting(t, "127.0.0.2", ln.Addr())
		if !strings.HasPrefix(line, "220 ") {
			t.Fatalf("connection %d: %q", i+1, line)
		}
		first = conn
	}
	for range maxConnections { // more than there may be altogether
		if _, line := greeting(t, "127.0.0.2", ln.Addr()); !strings.HasPrefix(line, "421 ") {
			t.Fatalf("one too many is told %q", line)
		}
	}
	if _, line := greeting(t, "127.0.0.3", ln.Addr()); !strings.HasPrefix(line, "220 ") {
		t.Errorf("another host is told %q", line)
	}
	if _, err := first.Write([]byte("QUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, line := greeting(t, "127.0.0.2", ln.Addr()); strings.HasPrefix(line, "220 ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a connection that was ended makes no room for another")
		}
	}
}

func TestHostOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7:25": "192.0.2.7/32", "[::ffff:192.0.2.7]:25": "192.0.2.7/32",
		"[2001:db8::1]:25": "2001:db8::/64", "[2001:db8:0:0:ffff::2]:9": "2001:db8::/64", "[2001:db8:0:1::1]:25": "2001:db8:0:1::/64",
	} {
		if got := hostOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))); got.String() != want {
			t.Errorf("%s is of %s, not %s", address, got, want)
		}
	}
}
