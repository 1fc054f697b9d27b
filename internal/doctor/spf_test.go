package doctor

import (
	"net/netip"
	"strings"
	"testing"

	"silkpost/internal/dns"
	"silkpost/internal/testkit"
)

func TestSPF(t *testing.T) {
	t.Parallel()
	names := testkit.DNS(t, `
		plain.example TXT v=spf1 ip4:192.0.2.0/28 ip6:2001:db8:1::/48 -all
		soft.example TXT V=SPF1 IP4:192.0.2.1 ~ALL
		hosts.example TXT v=spf1 a a:host.example/24 mx//64 mx:other.example -all
		hosts.example A 192.0.2.5
		hosts.example MX 10 mail.hosts.example
		mail.hosts.example AAAA 2001:db8:2::1
		host.example A 198.51.100.77
		other.example MX 10 host2.example
		other.example MX 20 gone.example
		host2.example A 203.0.113.2
		includes.example TXT v=spf1 include:plain.example ?include:soft.example -all
		redirects.example TXT v=spf1 redirect=plain.example
		both.example TXT v=spf1 -all redirect=plain.example
		macros.example TXT v=spf1 exists:%{i}.list.example include:%{d}.example a:%{h} -all
		extras.example TXT v=spf1 exp=why.example ptr -all
		none.example TXT hello
		deep.example TXT v=spf1 include:deep1.example -all
		deep1.example TXT v=spf1 include:deep2.example -all
		deep2.example TXT v=spf1 a:host.example -all`)
	for _, tt := range []struct {
		domain, address string
		want            byte
		lookUps, void   int
		unclear         bool
	}{
		{"plain.example", "192.0.2.15", '+', 0, 0, false},
		{"plain.example", "192.0.2.16", '-', 0, 0, false},
		{"plain.example", "::ffff:192.0.2.1", '+', 0, 0, false},
		{"plain.example", "2001:db8:1:2::3", '+', 0, 0, false},
		{"plain.example", "2001:db8:2::", '-', 0, 0, false},
		{"soft.example", "192.0.2.1", '+', 0, 0, false},
		{"soft.example", "192.0.2.2", '~', 0, 0, false},
		{"hosts.example", "192.0.2.5", '+', 4, 1, false}, // gone.example is void
		{"hosts.example", "192.0.2.6", '-', 4, 1, false},
		{"hosts.example", "198.51.100.1", '+', 4, 1, false},
		{"hosts.example", "2001:db8:2::ffff", '+', 4, 1, false},
		{"hosts.example", "203.0.113.2", '+', 4, 1, false},
		{"includes.example", "192.0.2.1", '+', 2, 0, false},
		{"includes.example", "192.0.2.200", '-', 2, 0, false},
		{"redirects.example", "192.0.2.1", '+', 1, 0, false},
		{"redirects.example", "192.0.2.99", '-', 1, 0, false},
		{"both.example", "192.0.2.1", '-', 0, 0, false}, // all ends it
		{"macros.example", "192.0.2.1", '-', 3, 0, true},
		{"extras.example", "192.0.2.1", '-', 1, 0, true},
		{"deep.example", "198.51.100.77", '+', 3, 0, false},
		{"none.example", "192.0.2.1", 0, 0, 0, false},
	} {
		r := &reading{dns: dns.New(names.Addr)}
		p := r.readSPF(t.Context(), tt.domain, 0)
		var got byte
		unclear := false
		if p != nil {
			got, _ = p.result(netip.MustParseAddr(tt.address))
			unclear = p.unclear()
		}
		if got != tt.want || r.lookUps != tt.lookUps || len(r.void) != tt.void || unclear != tt.unclear || r.failure != nil {
			t.Errorf("%s of %s: %q with %d look-ups, void %v, unclear %v (%v); want %q, %d, %d, %v",
				tt.address, tt.domain, got, r.lookUps, r.void, unclear, r.failure, tt.want, tt.lookUps, tt.void, tt.unclear)
		}
	}
}

// A record that leads in a circle is read several times; each mistake in it is told once.
func TestSPFTellsAMistakeOnce(t *testing.T) {
	t.Parallel()
	names := testkit.DNS(t, `
		circle.example TXT v=spf1 include:other.example -all
		circle.example TXT v=spf1 +all
		other.example TXT v=spf1 include:circle.example -all`)
	r := &reading{dns: dns.New(names.Addr)}
	r.readSPF(t.Context(), "circle.example", 0)
	told := strings.Join(r.wrong, "; ")
	if strings.Count(told, "circle.example has 2 SPF records") != 1 || !strings.Contains(told, "in a circle") {
		t.Errorf("it tells %s", told)
	}
}

// FuzzSPF reads what anybody may publish. It must come to an end, and to no more questions than it allows itself.
func FuzzSPF(f *testing.F) {
	for _, record := range []string{"v=spf1 -all", "v=spf1 +a/24//64 mx:x/99 ip4:1.2.3.4/33 ip6:: all:1 redirect=", "v=spf1 include: a: - + =", "v=spf1 include:x.example redirect=x.example"} {
		f.Add(record)
	}
	names := testkit.DNS(f, "")
	f.Fuzz(func(t *testing.T, record string) {
		record = strings.Join(strings.Fields(strings.ToValidUTF8(record, "")), " ")
		if len(record) > 2000 {
			return
		}
		names.Set(t, "x.example TXT v=spf1 "+strings.TrimPrefix(record, "v=spf1"))
		r := &reading{dns: dns.New(names.Addr)}
		if p := r.readSPF(t.Context(), "x.example", 0); p != nil {
			p.result(netip.MustParseAddr("192.0.2.1"))
			p.unclear()
		}
	})
}
