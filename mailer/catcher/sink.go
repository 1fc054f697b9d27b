package catcher

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// Sink is a mail server for measuring how fast others send: it takes every command and every message at once, counts the messages and forgets
// them. Answers to commands that came together go out together (RFC 2920).
type Sink struct {
	messages atomic.Int64
	bytes    atomic.Int64
}

// Messages returns how many messages have come, and their bytes as they were on the wire.
func (s *Sink) Messages() (n, bytes int64) { return s.messages.Load(), s.bytes.Load() }

// Serve takes mail from ln, which it closes, until ctx ends; then it cuts the connections.
func (s *Sink) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var open sync.WaitGroup
	for {
		c, err := ln.Accept()
		if err != nil {
			stopped := ctx.Err() != nil
			cancel()
			open.Wait()
			if stopped {
				return nil
			}
			return err
		}
		open.Go(func() {
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			s.take(c)
			_ = c.Close()
		})
	}
}

// sinkBuffer holds a message of the usual size.
const sinkBuffer = 64 << 10

// take speaks with a client until it goes.
func (s *Sink) take(c net.Conn) {
	in, out := bufio.NewReaderSize(c, sinkBuffer), bufio.NewWriter(c)
	_, _ = out.WriteString("220 localhost ESMTP\r\n")
	for {
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		verb := string(bytes.ToUpper(line[:min(4, len(line))]))
		_, _ = out.WriteString(sinkAnswer(verb))
		switch verb {
		case "DATA":
			if out.Flush() != nil || !s.body(in) {
				return
			}
			_, _ = out.WriteString("250 2.0.0 counted\r\n")
		case "QUIT":
			_ = out.Flush()
			return
		}
	}
}

func sinkAnswer(verb string) string {
	switch verb {
	case "EHLO":
		return "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
	case "HELO":
		return "250 localhost\r\n"
	case "DATA":
		return "354 go on\r\n"
	case "QUIT":
		return "221 2.0.0 bye\r\n"
	default:
		return "250 2.0.0 ok\r\n"
	}
}

// body reads up to the final dot.
func (s *Sink) body(in *bufio.Reader) bool {
	end := []byte("\r\n.\r\n")
	if first, _ := in.Peek(3); bytes.Equal(first, end[2:]) { // an empty one
		_, err := in.Discard(len(first))
		return err == nil
	}
	kept := 0 // bytes at the front that were looked at, and could begin the end
	for {
		if _, err := in.Peek(kept + 1); err != nil {
			return false
		}
		part, _ := in.Peek(in.Buffered())
		if at := bytes.Index(part, end); at >= 0 {
			_, _ = in.Discard(at + len(end))
			s.bytes.Add(int64(at + len(end)))
			s.messages.Add(1)
			return true
		}
		kept = min(len(part), len(end)-1)
		_, _ = in.Discard(len(part) - kept)
		s.bytes.Add(int64(len(part) - kept))
	}
}
