package catcher

import (
	"net"
	"strings"
	"time"
)

// Write takes an answer of go-smtp's, which comes line by line; with its last line it is sent, or what the script says instead.
func (c *conn) Write(p []byte) (int, error) {
	if c.closed {
		return 0, net.ErrClosed
	}
	c.reply = append(c.reply, p...)
	reply := string(c.reply)
	if !complete(reply) {
		return len(p), nil
	}
	c.reply = c.reply[:0]
	switch c.phase {
	case hidden:
		c.phase = commands
		return len(p), nil
	case body:
		c.dotArrived()
		c.phase = commands
	}
	c.answer(c.offer(reply))
	return len(p), nil
}

// complete says whether a reply has its last line, the one with a space behind the code.
func complete(reply string) bool {
	if !strings.HasSuffix(reply, "\n") {
		return false
	}
	last := reply[strings.LastIndexByte(reply[:len(reply)-1], '\n')+1:]
	return len(last) > 3 && last[3] == ' '
}

// offer puts into the answer to EHLO what the catcher can do. go-smtp always offers CHUNKING, and knows nothing of our TLS.
func (c *conn) offer(reply string) string {
	if c.event.Verb != "EHLO" {
		return reply
	}
	instead := ""
	if c.offersTLS() {
		instead = "250-STARTTLS\r\n"
	}
	reply = strings.Replace(reply, "250-CHUNKING\r\n", instead, 1)
	for _, extension := range c.catcher.cfg.Without {
		reply = strings.Replace(reply, "250-"+extension+"\r\n", "", 1)
	}
	return reply
}

// answer ends the verb in hand with a reply, or as the script says. A client that cannot be written to is closed.
func (c *conn) answer(reply string) {
	event, rule := c.event, c.rule
	c.event, c.rule = Event{}, Rule{}
	if event.Verb == "" {
		event = Event{Time: c.catcher.cfg.Clock.Now().UnixMicro(), Conn: c.number, Verb: Notice}
	}
	switch {
	case rule.refuses(), rule.Reply != "" && strings.HasPrefix(reply, "2"):
		reply = rule.onWire()
	case rule.cuts():
		reply = ""
	}
	event = event.answered(reply)
	event.Action = rule.action()
	c.catcher.record(event)

	c.pause(rule.Stall)
	if err := c.send(reply, rule.Slow); err != nil || rule.cuts() {
		_ = c.Close()
		return
	}
	c.expect(event.Code, rule)
}

// expect sets what comes next, after an answer with a code that asks for more.
func (c *conn) expect(code int, rule Rule) {
	switch {
	case code == 354 && rule.Cut == CutBody:
		c.phase = cutBody
	case code == 354:
		c.phase = body
	case code == 334:
		c.phase = credential
	}
}

// send writes a reply at once, or byte by byte with a pause before each but the first.
func (c *conn) send(reply string, slow time.Duration) error {
	if slow == 0 {
		return c.write([]byte(reply))
	}
	for i := range len(reply) {
		if i > 0 {
			c.pause(slow)
		}
		if err := c.write([]byte{reply[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if err := c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := c.out.Write(p)
	return err
}

// pause waits for d, or until the catcher stops.
func (c *conn) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.quit:
	}
}
