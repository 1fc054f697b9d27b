package main

import (
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

func TestDKIM(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	wants(t, "no keys", good(t, with, "dkim", "list"), "silkpost dkim create DOMAIN")
	made := good(t, with, "dkim", "create", "Example.org", "--selector", "s1")
	wants(t, "dkim create", made, "name   s1._domainkey.example.org\n", "type   TXT\n", "value  v=DKIM1; k=rsa; p=MII", `s1._domainkey.example.org. 3600 IN TXT ( "v=DKIM1; `,
		"silkpost dkim use example.org s1")
	key := decode[keyShown](t, good(t, with, "dkim", "create", "example.org", "--algorithm", "ed25519", "--json"))
	if key.State != "made" || !strings.HasSuffix(key.Name, "-ed25519._domainkey.example.org") || len(key.Record) != len("v=DKIM1; k=ed25519; p=")+44 {
		t.Errorf("%+v", key)
	}
	_, record, _ := strings.Cut(made, "value  ")
	record, _, _ = strings.Cut(record, "\n")
	names := testkit.DNS(t, "")
	early := silkpost(t, with, "dkim", "use", "example.org", "s1", "--dns", names.Addr)
	early.told(t, "use before its record is published", 1, "not published", "--unchecked")
	wants(t, "use before its record is published", early.stdout, "no record at s1._domainkey.example.org", "Publish: s1._domainkey.example.org. 3600 IN TXT")
	names.Set(t, "s1._domainkey.example.org TXT "+record)
	wants(t, "dkim use", good(t, with, "dkim", "use", "example.org", "s1", "--dns", names.Addr), "s1 signs for example.org")
	good(t, with, "dkim", "create", "example.org", "--selector", "s2")
	wants(t, "dkim use of another", good(t, with, "dkim", "use", "example.org", "s2", "--unchecked"), "s2 signs", "s1 of example.org is retired", "two weeks")
	wants(t, "dkim retire", good(t, with, "dkim", "retire", "example.org", "s2"), "s2 of example.org is retired")
	silkpost(t, with, "dkim", "retire", "example.org", "s2").told(t, "retire twice", 1, "s2", "does not sign")
	wants(t, "dkim remove", good(t, with, "dkim", "remove", "example.org", "s2"), "s2._domainkey.example.org can go")
	silkpost(t, with, "dkim", "use", "example.org", "s2").told(t, "use of none", 1, "s2", "dkim list")
	silkpost(t, with, "dkim", "create", "example.org", "--selector", "s1").told(t, "a selector again", 1, "s1", "--selector")
	silkpost(t, with, "dkim", "create", "example").told(t, "no domain", 1, `"example"`, "example.org")
	silkpost(t, with, "dkim", "create", "example.org", "--algorithm", "dsa").told(t, "no algorithm", 2, "dsa")

	with["SECRET_KEY"] = "a-new-key-of-the-tests a-key-of-the-tests-alone"
	wants(t, "dkim list", good(t, with, "dkim", "list", "--records"), "s1 ", "retired", "rsa", "sealed with secret key 2 of the list: silkpost reseal", "v=DKIM1; k=ed25519; p=")
	wants(t, "reseal", good(t, with, "reseal"), "2 DKIM keys and 0 second factors sealed anew")
	wants(t, "dkim reseal, its old name", good(t, with, "dkim", "reseal"), "0 DKIM keys and")
	with["SECRET_KEY"] = "yet-another-key-of-tests"
	wants(t, "dkim list", good(t, with, "dkim", "list"), "cannot be opened", "SILKPOST_SECRET_KEY")
}
