package dns_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"silkpost/internal/dns"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestResolver(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 80) // more than a packet holds: it is asked for again by TCP
	names := testkit.DNS(t, `
		example.org TXT v=spf1 -all
		example.org TXT something else
		long.example.org TXT `+long+`
		example.org MX 20 second.example.org
		example.org MX 10 First.example.org
		silent.example.org MX 0 .
		first.example.org A 192.0.2.1
		first.example.org AAAA 2001:db8::1
		alias.example.org CNAME first.example.org
		broken.example.org SERVFAIL`)
	r := dns.New(names.Addr)
	ctx := t.Context()
	for _, tt := range []struct {
		what string
		ask  func() (any, error)
		want string
	}{
		{"two texts", func() (any, error) { return r.TXT(ctx, "example.org") }, "[v=spf1 -all something else]"},
		{"a text of several parts", func() (any, error) { return r.TXT(ctx, "long.example.org") }, "[" + long + "]"},
		{"no such name", func() (any, error) { return r.TXT(ctx, "nowhere.example.org") }, "[]"},
		{"no such record", func() (any, error) { return r.MX(ctx, "first.example.org") }, "[]"},
		{"mail servers in their order", func() (any, error) { return r.MX(ctx, "example.org") }, "[{first.example.org 10} {second.example.org 20}]"},
		{"a domain that takes no mail", func() (any, error) { return r.MX(ctx, "silent.example.org") }, "[{ 0}]"},
		{"addresses", func() (any, error) { return r.Addresses(ctx, "first.example.org.") }, "[192.0.2.1 2001:db8::1]"},
		{"an alias", func() (any, error) { return r.Addresses(ctx, "alias.example.org") }, "[192.0.2.1 2001:db8::1]"},
		{"an address itself", func() (any, error) { return r.Addresses(ctx, "::ffff:192.0.2.7") }, "[192.0.2.7]"},
	} {
		if got, err := tt.ask(); err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v (%v), want %s", tt.what, got, err, tt.want)
		}
	}
	if got, err := r.TXT(ctx, "broken.example.org"); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "broken.example.org") || !strings.Contains(err.Error(), names.Addr) {
		t.Errorf("a broken name: %v, %v", got, err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if _, err := r.TXT(ended, "example.org"); err == nil {
		t.Error("an answer after the end")
	}
}
