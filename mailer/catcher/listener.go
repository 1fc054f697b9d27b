package catcher

import (
	"crypto/tls"
	"net"
	"sync"
)

// listener makes each connection a conn, and knows those that are open.
type listener struct {
	net.Listener
	catcher *Catcher

	mu    sync.Mutex
	conns map[*conn]bool
}

// Accept is net.Listener's.
func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	_, secure := raw.(*tls.Conn)
	c := newConn(raw, secure, l.catcher, l.forget)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = true
	return c, nil
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

func (l *listener) stopAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.stop()
	}
}
