package fetch

import (
	"bufio"
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"
)

// robots is what a robots.txt says to one program (RFC 9309). The zero value allows everything.
type robots struct {
	rules []robotsRule
	delay time.Duration // Crawl-delay, which is no part of the RFC; 0: none
}

type robotsRule struct {
	pattern string // normalised; * is any text, $ at its end the end of the path
	allow   bool
}

// maxRobots is how much of a robots.txt is read (RFC 9309, section 2.5, asks for 500 KiB at least).
const maxRobots = 512 << 10

// parseRobots reads a robots.txt for a program of a name. The groups that name it count together, in their absence those for everybody;
// lines that make no sense are passed over.
func parseRobots(body []byte, agent string) robots {
	var ours, others robots
	named, inAgents := false, false // named: a group for us alone was there
	var groupIsOurs, groupIsAll bool
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(body[:min(len(body), maxRobots)], []byte("\ufeff"))))
	lines.Buffer(nil, maxRobots+1)
	for lines.Scan() {
		key, value, ok := robotsLine(lines.Text())
		if !ok {
			continue
		}
		if key == "user-agent" {
			if !inAgents {
				groupIsOurs, groupIsAll = false, false
			}
			inAgents = true
			groupIsAll = groupIsAll || value == "*"
			if strings.EqualFold(productToken(value), agent) {
				groupIsOurs, named = true, true
			}
			continue
		}
		inAgents = false
		if groupIsOurs {
			ours.add(key, value)
		}
		if groupIsAll {
			others.add(key, value)
		}
	}
	if named {
		return ours
	}
	return others
}

// robotsLine takes a line apart; false when it is not about groups: sitemaps, for one, stand anywhere and end none.
func robotsLine(line string) (key, value string, ok bool) {
	line, _, _ = strings.Cut(line, "#")
	key, value, ok = strings.Cut(line, ":")
	key = strings.ToLower(strings.TrimSpace(key))
	return key, strings.TrimSpace(value), ok && slices.Contains([]string{"user-agent", "allow", "disallow", "crawl-delay"}, key)
}

// productToken returns what of a User-agent line names a program: its version, if there is one, does not count.
func productToken(value string) string {
	return value[:len(value)-len(strings.TrimLeftFunc(value, func(r rune) bool {
		return r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}))]
}

func (r *robots) add(key, value string) {
	switch key {
	case "crawl-delay":
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
			r.delay = time.Duration(min(seconds, 1e6) * float64(time.Second))
		}
	case "allow", "disallow":
		if value != "" {
			r.rules = append(r.rules, robotsRule{pattern: normalPath(value), allow: key == "allow"})
		}
	}
}

// allows reports whether a path with its query may be fetched: the longest rule that matches decides, of equally long ones the one that
// allows, and without any the path may.
func (r robots) allows(path string) bool {
	path = normalPath(path)
	allowed, longest := true, -1
	for _, rule := range r.rules {
		if n := len(rule.pattern); (n > longest || n == longest && rule.allow) && matches(rule.pattern, path) {
			allowed, longest = rule.allow, n
		}
	}
	return allowed
}

// matches reports whether a pattern describes the beginning of a path, or all of it when the pattern ends in $.
func matches(pattern, path string) bool {
	pattern, whole := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(path, parts[0])
	if !ok {
		return false
	}
	for i, part := range parts[1:] {
		if whole && i == len(parts)-2 { // the last one: it has to be at the end
			return strings.HasSuffix(rest, part)
		}
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return !whole || rest == ""
}

// normalPath writes a path in the one way in which paths are compared (RFC 9309, section 2.2.2): what is not ASCII is encoded, what is
// encoded without need is not.
func normalPath(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if code, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil {
				i += 2
				c = byte(code)
				if !unreserved(c) {
					writeEncoded(&b, c)
					continue
				}
			}
		}
		if c <= ' ' || c >= 0x7f {
			writeEncoded(&b, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func writeEncoded(b *strings.Builder, c byte) {
	const digits = "0123456789ABCDEF"
	b.Write([]byte{'%', digits[c>>4], digits[c&15]})
}

// unreserved are the characters that mean the same encoded and plain (RFC 3986, section 2.3).
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
