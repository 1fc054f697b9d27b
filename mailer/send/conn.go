package send

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"silkpost/mailer/reply"
)

// conn is one kept SMTP connection. It belongs to one goroutine; only close may be called from others.
//
// A transaction has two steps: MAIL, RCPT and DATA open it, the message with its final dot ends it. Where the server takes commands in groups
// (PIPELINING, RFC 2920), the three go out in one write, and they may go out together with the message of the transaction before. The answers are
// read in the order of what was written: verdict, then opened.
type conn struct {
	client    *smtp.Client
	net       net.Conn
	patience  Patience
	pipelines bool   // the server takes commands in groups
	messages  int    // transactions that were begun
	halfOpen  bool   // the last transaction was refused half-way: RSET comes before the next
	resets    bool   // RSET was written before the last MAIL
	words     []byte // of an answer; for reuse
}

// deliver sends a parcel by itself and returns the answer that decided.
func (c *conn) deliver(p *Parcel) reply.Reply {
	if r := c.open(p); r.Code != goOn {
		return r
	}
	if err := c.write(p.Wire, reply.Dot); err != nil {
		return lost(reply.Dot, err)
	}
	return c.verdict()
}

// goOn is the code of the answer after which the message follows.
const goOn = 354

// open begins a transaction and returns the answer that decided: with goOn the message may follow.
func (c *conn) open(p *Parcel) reply.Reply {
	if missing := c.lacks(p); missing != "" {
		return reply.Reply{Phase: reply.Compose, Text: missing}
	}
	if c.pipelines {
		if err := c.write(c.appendOpening(nil, p), reply.Mail); err != nil {
			return lost(reply.Mail, err)
		}
		return c.opened()
	}
	return c.openStepwise(p)
}

// lacks says what the message needs and the server does not offer, "" for nothing. Domains are A-labels and bodies quoted-printable, so that only
// a local part beyond ASCII needs anything, and the header in which it stands. An address with a line break could not be written at all.
func (c *conn) lacks(p *Parcel) string {
	if strings.ContainsAny(p.From, "\r\n") || strings.ContainsAny(p.To, "\r\n") {
		return "an address holds a line break"
	}
	if !p.internationalised() && !p.EightBit {
		return ""
	}
	if offered, _ := c.client.Extension("SMTPUTF8"); p.internationalised() && !offered {
		return reply.NoSMTPUTF8
	}
	if offered, _ := c.client.Extension("8BITMIME"); p.EightBit && !offered {
		return reply.No8BITMIME
	}
	return ""
}

// appendMail appends the MAIL command.
func appendMail(b []byte, p *Parcel) []byte {
	b = append(append(append(b, "MAIL FROM:<"...), p.From...), '>')
	if p.internationalised() {
		b = append(b, " SMTPUTF8"...)
	}
	if p.EightBit {
		b = append(b, " BODY=8BITMIME"...)
	}
	return append(b, "\r\n"...)
}

func appendRcpt(b []byte, p *Parcel) []byte {
	return append(append(append(b, "RCPT TO:<"...), p.To...), ">\r\n"...)
}

// appendOpening appends the commands that open a transaction; opened reads their answers.
func (c *conn) appendOpening(b []byte, p *Parcel) []byte {
	c.messages++
	if c.resets = c.halfOpen; c.resets {
		b = append(b, "RSET\r\n"...)
	}
	return append(appendRcpt(appendMail(b, p), p), "DATA\r\n"...)
}

// opened reads the answers to what appendOpening wrote and returns the one that decided.
func (c *conn) opened() reply.Reply {
	if c.resets {
		if r := c.answer(reply.Mail); r.Code/100 != 2 {
			return reply.Reply{Phase: reply.Mail, Text: "RSET was refused: " + r.Text}
		}
		c.halfOpen = false
	}
	var mail, rcpt, data reply.Reply
	if mail = c.answer(reply.Mail); ended(mail) {
		return mail
	}
	if rcpt = c.answer(reply.Rcpt); ended(rcpt) {
		return first(mail, rcpt)
	}
	data = c.answer(reply.Data)
	refused := first(mail, rcpt, data)
	switch {
	case refused.Code == goOn: // none was
		return refused
	case data.Code == goOn:
		c.sendNothing(rcpt)
	default:
		c.halfOpen = mail.Code/100 == 2
	}
	return refused
}

// sendNothing ends a transaction that was refused and of which the server wants to have the message nevertheless, as some do (RFC 2920, 3.1): with the
// dot alone. A server that takes the recipient without the sender would deliver that: there the connection ends.
func (c *conn) sendNothing(rcpt reply.Reply) {
	if rcpt.Code/100 == 2 || c.write([]byte(FinalDot), reply.Dot) != nil || c.answer(reply.Dot).Code == 0 {
		c.close()
	}
}

// first returns the first answer that does not let the transaction go on, else the last.
func first(answers ...reply.Reply) reply.Reply {
	for _, r := range answers {
		if r.Code/100 != 2 && r.Code != goOn {
			return r
		}
	}
	return answers[len(answers)-1]
}

// openStepwise begins a transaction with a server that wants each command to wait for the answer to the one before.
func (c *conn) openStepwise(p *Parcel) reply.Reply {
	c.messages++
	if c.halfOpen {
		if r := c.command(reply.Mail, []byte("RSET\r\n")); r.Code/100 != 2 {
			return reply.Reply{Phase: reply.Mail, Text: "RSET was refused: " + r.Text}
		}
		c.halfOpen = false
	}
	if r := c.command(reply.Mail, appendMail(nil, p)); r.Code/100 != 2 {
		return r
	}
	r := c.command(reply.Rcpt, appendRcpt(nil, p))
	if r.Code/100 == 2 {
		r = c.command(reply.Data, []byte("DATA\r\n"))
	}
	c.halfOpen = r.Code != goOn
	return r
}

// command sends one command and reads its answer.
func (c *conn) command(phase reply.Phase, line []byte) reply.Reply {
	if err := c.write(line, phase); err != nil {
		return lost(phase, err)
	}
	return c.answer(phase)
}

// verdict reads the answer to a message.
func (c *conn) verdict() reply.Reply { return c.answer(reply.Dot) }

// write writes all at once. A connection that is gone shows here, or at the answer.
func (c *conn) write(b []byte, phase reply.Phase) error {
	_ = c.net.SetWriteDeadline(time.Now().Add(c.patience.with(phase)))
	w := c.client.Text.W
	_, _ = w.Write(b) // a bufio.Writer keeps its error for Flush
	return w.Flush()
}

// answer reads one answer, whatever its code. A failure to read is a reply without a code.
func (c *conn) answer(phase reply.Phase) reply.Reply {
	if c.client.Text.R.Buffered() == 0 {
		_ = c.net.SetReadDeadline(time.Now().Add(c.patience.with(phase)))
	}
	code, words, err := c.read()
	if err != nil {
		return lost(phase, err)
	}
	r := reply.Reply{Phase: phase, Code: code}
	if phase == reply.Dot || code/100 != 2 && code != goOn { // nobody asks for the words of the others
		r.Text = reply.OneLine(string(words))
	}
	return r
}

var errNoSMTP = errors.New("the server does not speak SMTP")

// mostWords is how much of an answer is kept; the ledger keeps less.
const mostWords = 4 << 10

// read reads one answer with all its lines (RFC 5321, 4.2). The words hold until the next one.
func (c *conn) read() (code int, words []byte, err error) {
	c.words = c.words[:0]
	for {
		line, err := c.readLine()
		if err != nil {
			return 0, nil, err
		}
		if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return 0, nil, errNoSMTP
		}
		code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
		if len(line) > 4 && len(c.words) < mostWords {
			c.words = append(append(c.words, line[4:]...), '\n')
		}
		if len(line) == 3 || line[3] == ' ' {
			return code, c.words, nil
		}
	}
}

// readLine returns a line without its end; of one that is too long, its beginning.
func (c *conn) readLine() (line []byte, err error) {
	in := c.client.Text.R
	line, err = in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = append([]byte(nil), line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
	}
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line, err
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

// lost is the reply that never came.
func lost(phase reply.Phase, err error) reply.Reply {
	return reply.Reply{Phase: phase, Text: reply.OneLine("connection lost: " + err.Error())}
}

// quit ends the session politely, without waiting for long.
func (c *conn) quit() {
	c.patience = Patience{Command: time.Second}
	if c.write([]byte("QUIT\r\n"), reply.Connect) == nil {
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
