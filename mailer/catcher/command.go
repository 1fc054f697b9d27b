package catcher

import "strings"

// unknown is the verb of a line that has none, or one too long to be looked at.
const unknown = "?"

const maxVerbBytes = 20

// parseCommand reads what the log and the script need of a command line; whether it is a good one only go-smtp decides.
func parseCommand(line string) Event {
	verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	e := Event{Verb: strings.ToUpper(verb)}
	switch e.Verb {
	case "":
		e.Verb = unknown
	case "MAIL":
		e.From = pathOf(arg)
	case "RCPT":
		e.To = pathOf(arg)
	default:
		e.Verb = e.Verb[:min(len(e.Verb), maxVerbBytes)]
	}
	return e
}

// pathOf returns the address in an argument such as "FROM:<news@example.org> SIZE=100".
func pathOf(arg string) string {
	_, path, _ := strings.Cut(arg, ":")
	path = strings.TrimSpace(path)
	if inside, ok := strings.CutPrefix(path, "<"); ok {
		path, _, _ = strings.Cut(inside, ">")
		return path
	}
	path, _, _ = strings.Cut(path, " ")
	return path
}
