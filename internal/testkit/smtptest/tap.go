package smtptest

import (
	"net"
	"time"
)

// tap reads a connection as fast as bytes come and notes when, so that a session which takes its time does not make what follows seem late.
type tap struct {
	net.Conn
	chunks chan chunk // closed when the client has gone
	done   chan struct{}
	rest   []byte
	at     time.Time // when what Read returned last had come
}

type chunk struct {
	bytes []byte
	at    time.Time
}

func newTap(c net.Conn) *tap {
	return &tap{Conn: c, chunks: make(chan chunk, 64), done: make(chan struct{})}
}

// pump reads until the connection ends.
func (t *tap) pump() {
	defer close(t.chunks)
	for {
		buffer := make([]byte, 1<<16)
		n, err := t.Conn.Read(buffer)
		if n > 0 {
			select {
			case t.chunks <- chunk{buffer[:n], time.Now()}:
			case <-t.done:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Read is net.Conn's.
func (t *tap) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		next, more := <-t.chunks
		if !more {
			return 0, net.ErrClosed
		}
		t.rest, t.at = next.bytes, next.at
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}
