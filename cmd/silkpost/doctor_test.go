package main

import (
	"net"
	"strings"
	"testing"

	"silkpost/internal/doctor"
	"silkpost/internal/testkit"
)

// TestDoctor examines an installation as somebody has it who has just begun, and again when they have done what the doctor said.
func TestDoctor(t *testing.T) {
	t.Parallel()
	with, post := ready(t, "")
	_, port, _ := net.SplitHostPort(caughtAt(t, post))
	with["BOUNCE_DOMAIN"], with["BOUNCE_LISTEN"], with["PUBLIC_URL"] = "bounce.example.org", "127.0.0.1:0", "http://127.0.0.1:1"
	names := testkit.DNS(t, `
		example.org MX 10 mx.example.org
		bounce.example.org MX 10 return.example.org
		return.example.org A 127.0.0.1`)
	examine := func(more ...string) result {
		t.Helper()
		return silkpost(t, with, append([]string{"doctor", "--dns", names.Addr, "--mail-port", port}, more...)...)
	}
	ill := examine()
	ill.told(t, "doctor", 1, "problems")
	wants(t, "doctor", ill.stdout, "PROBLEM  spf.record: bounce.example.org has no SPF record\n  That means: ", "  Publish: bounce.example.org. 3600 IN TXT \"v=spf1",
		"PROBLEM  dmarc.record: example.org has no DMARC record", "warning  dkim.keys: mail from example.org is not signed here", "To do: ")
	if strings.Contains(ill.stdout, "\nok  ") {
		t.Errorf("what is well is said without --all:\n%s", ill.stdout)
	}

	key := decode[keyShown](t, good(t, with, "dkim", "create", "example.org", "--json"))
	names.Set(t, `
		example.org MX 10 mx.example.org
		bounce.example.org MX 10 return.example.org
		bounce.example.org TXT v=spf1 ip4:192.0.2.0/24 -all
		return.example.org A 127.0.0.1
		_dmarc.example.org TXT v=DMARC1; p=reject; rua=mailto:dmarc@example.org
		`+key.Name+" TXT "+key.Record)
	good(t, with, "dkim", "use", "example.org", key.Selector, "--dns", names.Addr)
	better := decode[diagnosis](t, examine("--json").stdout)
	states := map[string]doctor.State{}
	for _, f := range better.Findings {
		states[f.Check] = max(states[f.Check], f.State) // one finding each here, but for notes beside
		if f.Check == "spf.record" || f.Check == "dkim.record" || f.Check == "dmarc.record" || f.Check == "dmarc.alignment" || f.Check == "dkim.keys" {
			if f.State != doctor.OK {
				t.Errorf("%+v", f)
			}
		}
	}
	for _, name := range doctor.Checks() {
		if states[name] == "" && !strings.HasPrefix(name, "sent.") && name != "unsubscribe.click" { // nobody answers at the public URL
			t.Errorf("%s says nothing", name)
		}
	}
	if better.OK {
		t.Error("nobody answers at the public URL, and all is well")
	}
	wants(t, "doctor --all", examine("--all").stdout, "ok  dkim.record: key "+key.Selector+" of example.org: its record is published\n")
}
