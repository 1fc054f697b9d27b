package doctor

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// domainOf returns the domain of an address, in lower case.
func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// organisational returns the domain that was registered, of which a name is a part: the one that DMARC compares (RFC 7489, 3.2). A name that is none is
// its own.
func organisational(domain string) string {
	if of, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return of
	}
	return domain
}

func parseAddress(host string) (netip.Addr, error) { return netip.ParseAddr(strings.Trim(host, "[]")) }

// tags reads "a=b; c=d", as the records of DKIM and DMARC have it. Names are in lower case; values are as they stand, without blanks at their ends.
func tags(record string) map[string]string {
	found := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		name, value, is := strings.Cut(part, "=")
		if is {
			found[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return found
}

// repeatedTag returns the first tag that a record has more than once, "" when each is there once: only a tag's first appearance, or none of the record, would count.
func repeatedTag(record string) string {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(record, ";") {
		name, _, is := strings.Cut(part, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); is && seen[name] {
			return name
		}
		seen[name] = true
	}
	return ""
}
