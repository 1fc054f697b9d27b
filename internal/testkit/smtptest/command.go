package smtptest

import (
	"context"
	"crypto/tls"
	"strings"
	"time"
)

// command answers a command and reports whether the session goes on.
func (c *session) command(line string) bool {
	verb, arg, _ := strings.Cut(line, " ")
	step := Step(strings.ToUpper(verb))
	if ahead := c.in.Buffered(); ahead > 0 && (!c.server.cfg.Pipelining || step == Data || step == EHLO || step == StartTLS || step == Quit) {
		c.server.fault(c.number, "%d bytes follow %s, whose answer it has not", ahead, step)
	}
	if !c.greeted && (step == Mail || step == Rcpt || step == Data) {
		c.server.fault(c.number, "%s before EHLO", step)
	}
	switch step {
	case EHLO, "HELO":
		act, on := c.answer(EHLO, line, c.offers())
		c.greeted = c.greeted || act.says('2')
		return on
	case StartTLS:
		return c.startTLS(line)
	case Auth, "*": // which ends an AUTH (RFC 4954, 4); some say it also when that has ended by itself
		good := "235 2.7.0 welcome"
		if step != Auth {
			good = "501 5.7.0 as you like"
		}
		_, on := c.answer(step, line, good)
		return on
	case Mail:
		return c.mail(line, arg)
	case Rcpt:
		return c.rcpt(line, arg)
	case Data:
		return c.data(line)
	case Rset:
		_, on := c.answer(Rset, line, "250 2.0.0 forgotten")
		c.forget() // whatever was said: what follows was written before that was known
		return on
	case Noop:
		_, on := c.answer(Noop, line, "250 2.0.0 well")
		return on
	case Quit:
		_, on := c.answer(Quit, line, "221 2.0.0 goodbye")
		return on && c.end(Close)
	}
	c.server.fault(c.number, "no command: %q", line)
	_, err := c.conn.Write([]byte("500 5.5.1 what?\r\n"))
	return err == nil
}

func (c *session) offers() string {
	lines := []string{"mx.example.org"}
	if c.server.cfg.Pipelining {
		lines = append(lines, "PIPELINING")
	}
	if c.server.cfg.TLS != nil && !c.secure {
		lines = append(lines, "STARTTLS")
	}
	if c.server.cfg.Auth {
		lines = append(lines, "AUTH PLAIN")
	}
	lines = append(lines, c.server.cfg.Offers...)
	for i := range lines[:len(lines)-1] {
		lines[i] = "250-" + lines[i]
	}
	lines[len(lines)-1] = "250 " + lines[len(lines)-1]
	return strings.Join(lines, "\n")
}

func (c *session) startTLS(line string) bool {
	act, on := c.answer(StartTLS, line, "220 2.0.0 go ahead")
	if !on || !act.says('2') {
		return on
	}
	secured := tls.Server(c.tap, c.server.cfg.TLS)
	if secured.HandshakeContext(context.Background()) != nil {
		return false
	}
	c.use(secured)
	c.secure, c.greeted = true, false // RFC 3207, 4.2
	return true
}

func (c *session) mail(line, arg string) bool {
	if c.begun {
		c.server.fault(c.number, "MAIL within a transaction")
	}
	c.forget()
	c.messages++
	act, on := c.answer(Mail, line, "250 2.1.0 sender noted")
	if act.says('2') {
		c.begun, c.from = true, path(arg)
	}
	return on
}

func (c *session) rcpt(line, arg string) bool {
	c.to = path(arg)
	if !c.begun {
		_, on := c.answer(Rcpt, line, "503 5.5.1 MAIL first")
		return on
	}
	act, on := c.answer(Rcpt, line, "250 2.1.5 recipient noted")
	c.taken = c.taken || act.says('2')
	return on
}

// data reads a message up to its final dot.
func (c *session) data(line string) bool {
	good := "354 go ahead"
	if !c.taken {
		good = "503 5.5.1 RCPT first"
	}
	act, on := c.answer(Data, line, good)
	if !on || !act.says('3') || !strings.Contains(act.Reply, "354") {
		return on
	}
	if _, err := c.in.Peek(1); err != nil {
		return false
	}
	if _, on := c.answer(Body, "", ""); !on {
		return false
	}
	text, at, err := c.text()
	if err != nil {
		return false
	}
	return c.dot(text, at)
}

// text reads lines up to the final dot, undoes the stuffing (RFC 5321, 4.5.2), and says when the dot came.
func (c *session) text() (string, time.Time, error) {
	var text strings.Builder
	for {
		line, err := c.readLine()
		if err != nil {
			return "", time.Time{}, err
		}
		if line == "." {
			return text.String(), c.tap.at, nil
		}
		text.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
	}
}

// dot keeps a message, or not.
func (c *session) dot(text string, at time.Time) bool {
	act := c.decide(Dot, "", "250 2.0.0 taken")
	if act.Keep || act.says('2') { // before its answer, as any server has it before it says so
		c.server.keep(Message{Conn: c.number, From: c.from, To: c.to, Data: text, At: at})
	}
	c.forget()
	return c.perform(Dot, act)
}

func (c *session) forget() { c.from, c.to, c.begun, c.taken = "", "", false, false }

// path returns the address in FROM:<a@example.org> SIZE=1.
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
