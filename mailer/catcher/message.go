package catcher

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/html/charset"

	"silkpost/internal/errs"
)

// Message is what a catcher knows of a message without opening its file.
type Message struct {
	ID        string    // the file's name without .eml; ids sort by time
	Time      time.Time // when it was kept: UTC, to the µs, different for each
	From      string    // of the envelope; "" is the null sender
	To        []string  // of the envelope
	Subject   string    // decoded, on one line, at most 300 characters
	MessageID string    // with its angle brackets, as it stands
	Size      int       // of the bytes as they were sent
}

const maxSubject = 300

// prefix returns the lines that go before a message in its file (see the package comment).
func (e envelope) prefix(id string, at time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\n", oneLine(e.from))
	for _, to := range e.to {
		fmt.Fprintf(&b, "Delivered-To: %s\r\n", oneLine(to))
	}
	fmt.Fprintf(&b, "Received: from %s ([%s]) by %s with %s id %s; %s\r\n",
		oneLine(e.helo), e.peer, e.by, e.with, id, at.Format(time.RFC1123Z))
	return b.Bytes()
}

// oneLine has "?" for control characters: they may stand in a quoted local part.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// split takes a file apart into envelope and message.
func split(file []byte) (from string, to []string, message []byte, err error) {
	line, rest := nextLine(file)
	from, found := strings.CutPrefix(line, "Return-Path: <")
	from, ended := strings.CutSuffix(from, ">")
	if !found || !ended {
		return "", nil, nil, errs.New(errs.Invalid, "it does not begin with Return-Path")
	}
	for {
		line, rest = nextLine(rest)
		address, ok := strings.CutPrefix(line, "Delivered-To: ")
		if !ok {
			break
		}
		to = append(to, address)
	}
	if !strings.HasPrefix(line, "Received: ") {
		return "", nil, nil, errs.New(errs.Invalid, "no Received follows Return-Path and Delivered-To")
	}
	return from, to, rest, nil
}

func nextLine(b []byte) (string, []byte) {
	line, rest, _ := bytes.Cut(b, []byte("\n"))
	return strings.TrimSuffix(string(line), "\r"), rest
}

// field is one header field: its value unfolded, not decoded.
type field struct{ name, value string }

// header reads the header of a message as far as it is one; it takes what anybody may send. Of the bytes, only those before the
// first empty line are looked at.
func header(message []byte) []field {
	var fields []field
	for line := range bytes.Lines(message) {
		text := strings.TrimRight(string(line), "\r\n")
		name, value, isField := strings.Cut(text, ":")
		switch {
		case text == "":
			return fields
		case text[0] == ' ' || text[0] == '\t':
			if n := len(fields); n > 0 {
				fields[n-1].value += text
			}
		case isField:
			fields = append(fields, field{strings.TrimSpace(name), value})
		default:
			return fields // a body without an empty line before it
		}
	}
	return fields
}

// find returns the first field of that name, "" if there is none.
func find(fields []field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			return strings.TrimSpace(f.value)
		}
	}
	return ""
}

// decoded returns a value with its encoded words read (RFC 2047); as it stands, when they cannot be.
func decoded(value string) string {
	decoder := mime.WordDecoder{CharsetReader: func(label string, r io.Reader) (io.Reader, error) {
		return charset.NewReaderLabel(label, r)
	}}
	text, err := decoder.DecodeHeader(value)
	if err != nil {
		text = value
	}
	return strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
}

func subject(fields []field) string {
	text := []rune(oneLine(decoded(find(fields, "Subject"))))
	return string(text[:min(len(text), maxSubject)])
}
