package catcher

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
)

// The verbs that are no commands. All others are named as the client sent them, in capitals.
const (
	Connect = "CONNECT" // a connection was made; its answer is the greeting
	Dot     = "DOT"     // a message's final dot
	Notice  = "NOTICE"  // an answer that no verb asked for: idle too long, too many errors, the catcher stops
	Close   = "CLOSE"   // the connection is closed, by either side; the last event of its connection
)

// Event is one SMTP verb with its answer, as the log has it.
type Event struct {
	Time int64  `json:"t_us"` // when the verb had come in, µs since 1970, UTC
	Conn int    `json:"conn"` // the connection's number, from 1, in the order they were made
	Verb string `json:"verb"`

	From      string `json:"from,omitempty"`       // of MAIL; from then on, of the message in hand
	To        string `json:"to,omitempty"`         // of RCPT; with DATA and DOT the accepted ones, joined by ", "
	MessageID string `json:"message_id,omitempty"` // with DOT: the Message-ID field, with its angle brackets
	Date      string `json:"date,omitempty"`       // with DOT: the Date field
	Kept      string `json:"kept,omitempty"`       // with DOT: the id of the message, if it was kept

	Code   int    `json:"code,omitempty"`   // of the answer; 0: there was none
	Reply  string `json:"reply,omitempty"`  // the answer without its line ends; lines are joined by "\n"
	Action string `json:"action,omitempty"` // what the script did: reply, cut, stall, slow; joined by "+"
}

// answered returns e with the reply that went out, as it was on the wire.
func (e Event) answered(reply string) Event {
	lines := strings.Split(strings.TrimSuffix(reply, "\r\n"), "\r\n")
	if len(lines[0]) >= 3 {
		e.Code, _ = strconv.Atoi(lines[0][:3])
	}
	e.Reply = strings.Join(lines, "\n")
	return e
}

// record writes an event to the log and tells OnEvent. A log that cannot be written is told to the Logger; mail goes on.
func (c *Catcher) record(e Event) {
	if c.cfg.Log != nil {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(e)
		if err == nil {
			c.logging.Lock()
			_, err = c.cfg.Log.Write(line.Bytes())
			c.logging.Unlock()
		}
		if err != nil {
			c.cfg.Logger.Error("mail catcher: the log cannot be written", slog.Any("error", err))
		}
	}
	if c.cfg.OnEvent != nil {
		c.cfg.OnEvent(e)
	}
}
