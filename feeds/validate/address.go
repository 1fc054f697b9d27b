package validate

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// kind says what an address may be.
type kind int

const (
	webAddress   kind = iota // http or https, whole, ASCII
	wholeAddress             // any scheme, whole, ASCII
	wholeIRI                 // any scheme, whole, in any script (RFC 3987)
	reference                // as an IRI, and may be relative
)

var (
	uuidURN = regexp.MustCompile(`(?i)^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	urn     = regexp.MustCompile(`(?i)^urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:.+$`)                   // RFC 8141, 2
	tagURI  = regexp.MustCompile(`(?i)^tag:[a-z0-9][^,:/]*,[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?:`) // RFC 4151, 2.1
)

// addressFault says what is wrong with an address.
func addressFault(address string, k kind) fault {
	if f := characterFault(address); f != (fault{}) {
		return f
	}
	u, err := url.Parse(address)
	if err != nil {
		return wrong("is not an address: mend it")
	}
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "" && k != reference:
		return wrong("is relative: write the whole address, beginning with https://")
	case k == webAddress && scheme != "http" && scheme != "https":
		return wrong("is not an address on the web: write one that begins with https://")
	case (scheme == "http" || scheme == "https") && u.Hostname() == "":
		return wrong("names no host: write the whole address")
	case scheme == "urn" && !urn.MatchString(address):
		return wrong("is not a URN: write urn:, the name of its namespace (two letters or more), a colon and the rest (RFC 8141)")
	case strings.HasPrefix(strings.ToLower(address), "urn:uuid:") && !uuidURN.MatchString(address):
		return wrong("is not a UUID: write 32 hexadecimal digits in the groups 8-4-4-4-12 (RFC 9562)")
	case scheme == "tag" && !tagURI.MatchString(address):
		return wrong("is not a tag: write tag:, a domain, a comma, a date, a colon and the rest (RFC 4151)")
	}
	if k != wholeIRI && k != reference && !isASCII(address) {
		return unwise("has characters beyond ASCII: percent-encode them, the host as punycode")
	}
	return fault{}
}

// characterFault says which characters of an address cannot be in one (RFC 3986, section 2; RFC 3987, section 2.2).
func characterFault(address string) fault {
	switch {
	case address == "":
		return wrong("is empty: write the address")
	case strings.TrimSpace(address) != address:
		return wrong("has blanks around it: leave them out")
	}
	_, rest, _ := strings.Cut(address, "//")
	authority := len(address) - len(rest)
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	authority += len(rest) // up to here brackets may enclose an IPv6 address
	fragments := 0
	for i, c := range address {
		switch {
		case c <= ' ' || c == 0x7F || strings.ContainsRune(`"<>\^{|}`+"`", c) || (c == '[' || c == ']') && i > authority:
			return wrong("holds %q, which an address cannot: write it as %%%02X", string(c), c)
		case c == '%' && !escape.MatchString(address[i:]):
			return wrong("holds a %% without two hexadecimal digits after it: write a %% itself as %%25")
		case c == '#':
			if fragments++; fragments > 1 {
				return wrong("holds a second #: write it as %%23")
			}
		case c >= 0x80 && c < 0xA0 || c >= 0xFFF0 && c <= 0xFFFF || c >= 0xE000 && c <= 0xF8FF:
			return wrong("holds U+%04X, which an address cannot: percent-encode it", c)
		}
	}
	return fault{}
}

var escape = regexp.MustCompile(`^%[0-9A-Fa-f]{2}`)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
