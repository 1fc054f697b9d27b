package subscribers_test

import (
	"net/netip"
	"testing"

	"silkpost/subscribers"
)

func TestNetwork(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]string{
		"192.0.2.129":               "192.0.2.0/24",
		"::ffff:192.0.2.129":        "192.0.2.0/24",
		"2001:db8:1:2:3:4:5:6":      "2001:db8:1::/48",
		"fe80::1%eth0":              "fe80::/48",
		"127.0.0.1":                 "127.0.0.0/24",
		"255.255.255.255":           "255.255.255.0/24",
		"2001:db8:ffff:ffff::1%lo0": "2001:db8:ffff::/48",
	} {
		if got := subscribers.Network(netip.MustParseAddr(client)); got != want {
			t.Errorf("%s: %q, want %q", client, got, want)
		}
	}
	if got := subscribers.Network(netip.Addr{}); got != "" {
		t.Errorf("nobody: %q", got)
	}
}
