package bounce

import (
	"regexp"
	"strconv"
	"strings"

	"silkpost/mailer/reply"
)

// Parse reads a message. It never fails: what it does not understand is Unknown. Of a message that is too long it reads the beginning.
func Parse(message []byte) Report {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	h, body := readHeader(message)
	r := Report{Class: Unknown, From: decoded(h.Get("From")), Subject: decoded(h.Get("Subject")), bytes: message}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc"} {
		r.to = append(r.to, addresses(h.all(name))...)
	}
	var w walker
	w.walk(h, body, 0)
	r.Original = original(w.parts)
	for _, read := range []func(*Report, Header, []part) bool{readFeedback, readStatus, readAutomatic, readPlain} {
		if read(&r, h, w.parts) {
			break
		}
	}
	return r
}

var mailbox = regexp.MustCompile(`[^\s<>,;:"()]+@[^\s<>,;:"()]+`)

// addresses returns what looks like one in header fields.
func addresses(values []string) (found []string) {
	for _, value := range values {
		found = append(found, mailbox.FindAllString(value, 20)...)
	}
	return found
}

// original returns the header of our message that came back as a part of its own, or behind a line that says so in the text.
func original(parts []part) Header {
	for _, p := range parts {
		if p.kind == "message/rfc822" || p.kind == "text/rfc822-headers" || p.kind == "message/global" || p.kind == "message/global-headers" {
			if h, _ := readHeader([]byte(p.text)); h.Get("Message-ID") != "" || h.Get("From") != "" {
				return h
			}
		}
	}
	for _, p := range parts {
		if _, copied := splitCopy(p.text); copied != "" {
			if h, _ := readHeader([]byte(copied)); h.Get("Message-ID") != "" {
				return h
			}
		}
	}
	return nil
}

// splitCopy parts a text at the line behind which a copy of our message stands.
func splitCopy(text string) (said, copied string) {
	at := copyBegins.FindStringIndex(text)
	if at == nil {
		return text, ""
	}
	return text[:at[0]], strings.TrimLeft(text[at[1]:], "\r\n \t->")
}

// readFeedback reads a complaint in the Abuse Reporting Format (RFC 5965). Some kinds of feedback are none.
func readFeedback(r *Report, _ Header, parts []part) bool {
	for _, p := range parts {
		if p.kind != "message/feedback-report" {
			continue
		}
		fields, _ := readHeader([]byte(p.text))
		switch strings.ToLower(fields.Get("Feedback-Type")) {
		case "abuse", "fraud", "opt-out", "opt-out-list", "":
			r.Class = Complaint
		case "not-spam":
			r.Class = Delivered
		}
		return true
	}
	return false
}

// readStatus reads a delivery status notification (RFC 3464). Of several recipients the worst counts: we send to one.
func readStatus(r *Report, _ Header, parts []part) bool {
	for _, p := range parts {
		if p.kind != "message/delivery-status" && p.kind != "message/global-delivery-status" {
			continue
		}
		for _, group := range regexp.MustCompile(`\r?\n[ \t]*\r?\n`).Split(p.text, maxParts) {
			fields, _ := readHeader([]byte(strings.TrimLeft(group, "\r\n")))
			r.take(fields)
		}
		if r.Class == Failure && r.Reply.Kind() == reply.Refused && r.Reply.Code == 0 {
			r.improve(parts) // the code alone said little
		}
		return r.Class != Unknown
	}
	return false
}

// take adds what one group of a notification says.
func (r *Report) take(fields Header) {
	action, _, _ := strings.Cut(strings.ToLower(fields.Get("Action")), " ")
	switch action {
	case "failed":
		if r.Class != Failure {
			r.Class, r.Reply = Failure, statusReply(fields)
		}
	case "delayed":
		if r.Class == Unknown || r.Class == Delivered {
			r.Class = Delayed
		}
	case "delivered", "relayed", "expanded":
		if r.Class == Unknown {
			r.Class = Delivered
		}
	}
}

// statusReply makes a reply of a group's diagnostic, or else of its status.
func statusReply(fields Header) reply.Reply {
	status := bareStatus.FindString(fields.Get("Status"))
	_, diagnostic, typed := strings.Cut(fields.Get("Diagnostic-Code"), ";")
	if !typed {
		diagnostic = fields.Get("Diagnostic-Code")
	}
	return withStatus(said(decoded(diagnostic)), status)
}

var bareStatus = regexp.MustCompile(`[245]\.\d{1,3}\.\d{1,3}`)

// withStatus adds an enhanced code to a reply that has none, when it says more than the basic code.
func withStatus(r reply.Reply, status string) reply.Reply {
	if r.Enhanced() == "" && status != "" && !strings.HasSuffix(status, ".0.0") || r.Enhanced() == "" && r.Code == 0 && status != "" {
		r.Text = reply.OneLine(status + " " + r.Text)
	}
	return r
}

// said reads a server's answer out of a line of text: its codes wherever they stand, and all its words behind.
func said(text string) reply.Reply {
	r := reply.Reply{Phase: reply.Bounce}
	if at := answer.FindStringSubmatchIndex(text); at != nil {
		r.Code, _ = strconv.Atoi(text[at[2]:at[3]])
		text = text[at[3]:]
		text = strings.TrimLeft(text, "- ")
		if at[4] >= 0 {
			text = strings.TrimLeft(text, "#(")
		}
	} else if status := bareStatus.FindString(text); status != "" && !strings.HasPrefix(text, status) {
		text = status + " " + text
	}
	r.Text = reply.OneLine(text)
	return r
}

// answer matches a basic code, alone or with an enhanced one.
var answer = regexp.MustCompile(`(?:^|[^\w.@/-])([45]\d\d)(?:[ -]+[#(]*([45]\.\d{1,3}\.\d{1,3})|[^\w.]|$)`)

// improve looks through the words of a report for a better reason than its status.
func (r *Report) improve(parts []part) {
	for _, line := range lines(parts) {
		if better := said(line); better.Code/100 == 5 && better.Kind() != reply.Refused {
			r.Reply = withStatus(better, r.Reply.Enhanced())
			return
		}
	}
}

// lines returns what a message says before its copy of ours, line by line and paragraph by paragraph, since answers are folded.
func lines(parts []part) (all []string) {
	var paragraphs []string
	for _, p := range parts {
		if p.kind != "text/plain" && p.kind != "text/html" {
			continue
		}
		before, _ := splitCopy(p.text)
		for _, paragraph := range regexp.MustCompile(`\n\s*\n`).Split(strings.ReplaceAll(before, "\r", ""), 500) {
			paragraphs = append(paragraphs, strings.Join(strings.Fields(paragraph), " "))
			for _, line := range strings.Split(paragraph, "\n") {
				all = append(all, strings.TrimSpace(line))
			}
		}
	}
	return append(all[:min(len(all), maxLines)], paragraphs[:min(len(paragraphs), maxLines)]...)
}

// readAutomatic knows the answers of machines that are no bounces (RFC 3834). A notification says auto-replied, too: it was read before.
func readAutomatic(r *Report, h Header, _ []part) bool {
	automatic := strings.HasPrefix(strings.ToLower(h.Get("Auto-Submitted")), "auto-replied") ||
		h.Get("X-Autoreply") != "" || h.Get("X-Autorespond") != "" || h.Get("X-AutoReply-From") != "" ||
		strings.EqualFold(h.Get("Precedence"), "auto_reply") || strings.EqualFold(h.Get("X-Precedence"), "auto_reply")
	switch {
	case challengeSubject.MatchString(r.Subject) || h.Get("X-Challenge-Response") != "":
		r.Class = Challenge
	case fromMachine(h):
		return false // what a mailer says is no vacation
	case automatic || awaySubject.MatchString(r.Subject):
		r.Class = Automatic
	}
	return r.Class != Unknown
}

// fromMachine reports a mail by a mail server.
func fromMachine(h Header) bool {
	return h.Get("X-Failed-Recipients") != "" || mailer.MatchString(decoded(h.Get("From"))) ||
		strings.TrimSpace(h.Get("Return-Path")) == "<>" && bounceSubject.MatchString(decoded(h.Get("Subject")))
}

// readPlain reads what servers say in words alone: qmail, Exim, Exchange of old, providers with forms of their own.
func readPlain(r *Report, h Header, parts []part) bool {
	if !fromMachine(h) {
		return false
	}
	all := lines(parts)
	text := strings.ToLower(strings.Join(all, "\n"))
	if lateSubject.MatchString(r.Subject) || stillTrying.MatchString(text) {
		r.Class = Delayed
		return true
	}
	var second *reply.Reply
	for _, line := range all {
		found := said(line)
		coded := found.Code != 0 || found.Enhanced() != ""
		if !coded {
			found.Text = reply.OneLine("5.0.0 " + found.Text) // only what a rule knows in words counts
		}
		switch _, rule := found.Judge(); {
		case rule != nil:
			r.Class, r.Reply = Failure, found
			return true
		case coded && second == nil:
			second = &found
		}
	}
	if second != nil {
		r.Class, r.Reply = Failure, *second
	}
	return r.Class != Unknown
}
