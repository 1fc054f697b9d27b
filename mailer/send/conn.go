package send

import (
	"bytes"
	"net"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"silkpost/mailer/reply"
)

// The times to wait for an answer (RFC 5321, 4.5.3.2).
const (
	commandTimeout = 5 * time.Minute
	dotTimeout     = 10 * time.Minute
)

// conn is one kept SMTP connection. It belongs to one goroutine; only close may be called from others.
type conn struct {
	client *smtp.Client
	net    net.Conn
}

// deliver sends a parcel and returns the answer that decided. mayFinish is asked right before the message is sent, when the server
// could still be left without it.
func (c *conn) deliver(p Parcel, mayFinish func() bool) reply.Reply {
	mail, missing := c.mailCommand(p)
	if missing != "" {
		return reply.Reply{Phase: reply.Compose, Text: missing}
	}
	if r := c.command(reply.Mail, mail); r.Code/100 != 2 {
		return r
	}
	if r := c.command(reply.Rcpt, "RCPT TO:<"+p.To+">"); r.Code/100 != 2 {
		return c.reset(r)
	}
	if r := c.command(reply.Data, "DATA"); r.Code != 354 {
		return c.reset(r)
	}
	if !mayFinish() {
		c.close()
		return reply.Reply{Phase: reply.Data, Text: "the lease ran out before the message was sent"}
	}
	return c.finish(p.Message)
}

// mailCommand returns MAIL FROM with the extensions that the message needs, or what the server lacks of them. Domains are A-labels and bodies
// quoted-printable, so that only a local part beyond ASCII needs any, and the header in which it stands.
func (c *conn) mailCommand(p Parcel) (command, missing string) {
	parts := []string{"MAIL FROM:<" + p.From + ">"}
	for _, need := range []struct {
		needed             bool
		extension, missing string
		param              string
	}{
		{!isASCII(p.From) || !isASCII(p.To), "SMTPUTF8", reply.NoSMTPUTF8, "SMTPUTF8"},
		{!isASCII(p.Message), "8BITMIME", reply.No8BITMIME, "BODY=8BITMIME"},
	} {
		if !need.needed {
			continue
		}
		if offered, _ := c.client.Extension(need.extension); !offered {
			return "", need.missing
		}
		parts = append(parts, need.param)
	}
	return strings.Join(parts, " "), ""
}

// command sends a command and reads its answer. A failure to write or read is a reply without a code.
func (c *conn) command(phase reply.Phase, line string) reply.Reply {
	if strings.ContainsAny(line, "\r\n") {
		return reply.Reply{Phase: reply.Compose, Text: "an address holds a line break"}
	}
	_ = c.net.SetDeadline(time.Now().Add(commandTimeout)) // a connection that is gone shows at the write
	if err := c.client.Text.PrintfLine("%s", line); err != nil {
		return lost(phase, err)
	}
	return c.answer(phase)
}

// answer reads one answer, whatever its code.
func (c *conn) answer(phase reply.Phase) reply.Reply {
	code, text, err := c.client.Text.ReadResponse(0)
	if err != nil {
		return lost(phase, err)
	}
	return reply.Reply{Phase: phase, Code: code, Text: reply.OneLine(text)}
}

// finish sends the message and its final dot in one write and waits for the verdict.
func (c *conn) finish(message []byte) reply.Reply {
	_ = c.net.SetDeadline(time.Now().Add(dotTimeout))
	w := c.client.Text.W
	_, _ = w.Write(stuff(message)) // a bufio.Writer keeps its error for Flush
	if err := w.Flush(); err != nil {
		return lost(reply.Dot, err)
	}
	return c.answer(reply.Dot)
}

// lost is the reply that never came.
func lost(phase reply.Phase, err error) reply.Reply {
	return reply.Reply{Phase: phase, Text: reply.OneLine("connection lost: " + err.Error())}
}

// reset ends a transaction that was refused half-way, so that the connection can be used again. If that fails, the connection
// is closed: the next message finds out.
func (c *conn) reset(r reply.Reply) reply.Reply {
	if !r.Closed() && c.command(reply.Mail, "RSET").Code/100 != 2 {
		c.close()
	}
	return r
}

// quit ends the session politely, without waiting for long.
func (c *conn) quit() {
	_ = c.net.SetDeadline(time.Now().Add(time.Second))
	if c.client.Text.PrintfLine("QUIT") == nil {
		_ = c.answer(reply.Connect)
	}
	c.close()
}

// close drops the connection. Whoever waits for an answer on it gets an error.
func (c *conn) close() {
	if c.net != nil {
		_ = c.net.Close()
	}
}

// stuff doubles dots at line starts and appends the final dot (RFC 5321, 4.5.2).
func stuff(message []byte) []byte {
	stuffed := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(stuffed, []byte(".")) {
		stuffed = append([]byte("."), stuffed...)
	}
	if !bytes.HasSuffix(stuffed, []byte("\r\n")) {
		stuffed = append(stuffed, "\r\n"...)
	}
	return append(stuffed, ".\r\n"...)
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
