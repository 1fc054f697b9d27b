package fetch

import (
	"net/netip"
	"strings"
)

// forbidden holds every block that is not an ordinary host on the public Internet: the IANA special-purpose registries
// (RFC 6890 and its successors), the ways of writing an IPv4 address inside an IPv6 one, and one cloud's service address.
var forbidden = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; one cloud's metadata
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's platform services, inside every virtual machine
	"169.254.0.0/16",   // link-local; most clouds' metadata
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarking
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, broadcast
	"2001::/23",        // protocol assignments; Teredo
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4
	"3fff::/20",        // documentation
)

// globalIPv6 is what is given out to hosts. Loopback, unique local, link-local, multicast, mapped, NAT64 and all the rest lie
// outside.
var globalIPv6 = netip.MustParsePrefix("2000::/3")

// public reports whether addr may be connected to when nobody vouched for its host.
func public(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	if addr.Is6() && !globalIPv6.Contains(addr) {
		return false
	}
	for _, block := range forbidden {
		if block.Contains(addr) {
			return false
		}
	}
	return true
}

// internal reports whether a host lies inside by its very name, without looking it up.
func internal(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return !public(addr)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost") // RFC 6761
}

func prefixes(blocks ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(blocks))
	for i, block := range blocks {
		parsed[i] = netip.MustParsePrefix(block)
	}
	return parsed
}
