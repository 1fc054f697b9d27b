package bounce

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// crowd is a listener on which each host has a few connections at once and no more, so that one that holds its own open without a word does not keep all
// others out. One that is too many is told to come again (421, RFC 5321, 3.8) and closed. Of IPv6 a network of 64 bits counts as a host.
type crowd struct {
	net.Listener
	most int // connections of a host

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newCrowd(ln net.Listener, most int) *crowd {
	return &crowd{Listener: ln, most: most, open: map[netip.Prefix]int{}}
}

// refusalTimeout is for how long a host may refuse to hear that it is refused: everybody else waits.
const refusalTimeout = 100 * time.Millisecond

// Accept is net.Listener's.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := hostOf(conn.RemoteAddr())
		if c.enter(host) {
			return &guest{Conn: conn, leave: sync.OnceFunc(func() { c.leave(host) })}, nil
		}
		_ = conn.SetWriteDeadline(time.Now().Add(refusalTimeout))
		_, _ = conn.Write([]byte("421 4.7.0 Too many connections from you, please try again\r\n"))
		_ = conn.Close()
	}
}

// enter reports whether a host may have one connection more, which it then has.
func (c *crowd) enter(host netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[host] >= c.most {
		return false
	}
	c.open[host]++
	return true
}

func (c *crowd) leave(host netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[host]--; c.open[host] == 0 {
		delete(c.open, host)
	}
}

// hostOf is the host that an address is of; all whose address cannot be read are one.
func hostOf(address net.Addr) netip.Prefix {
	at, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := at.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// guest is a connection that makes room for another one when it is closed.
type guest struct {
	net.Conn
	leave func()
}

// Close is net.Conn's.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}
