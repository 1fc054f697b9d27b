package subscribers

import "net/netip"

// How much of an address the log of consents keeps: enough to tell a house or a provider, not a person.
const (
	networkBits4 = 24
	networkBits6 = 48
)

// Network cuts a client's address to its /24 or, of IPv6, its /48. It returns "" for no address.
func Network(client netip.Addr) string {
	client = client.Unmap()
	if !client.IsValid() {
		return ""
	}
	bits := networkBits6
	if client.Is4() {
		bits = networkBits4
	}
	prefix, _ := client.Prefix(bits) // there are so many bits
	return prefix.String()
}
