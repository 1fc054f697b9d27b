package send

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"silkpost/internal/testkit/smtptest"
)

// selfSigned is a certificate for 127.0.0.1, and what vouches for it.
func selfSigned(t *testing.T, until time.Time) (server, roots *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: until.AddDate(0, 0, -90), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func relayAt(t *testing.T, address string, way TLS) Relay {
	t.Helper()
	at, err := url.Parse("smtp://" + address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	return Relay{Host: at.Hostname(), Port: port, TLS: way}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	until := time.Now().AddDate(0, 0, 30).Truncate(time.Second)
	server, roots := selfSigned(t, until)
	s := smtptest.Start(t, smtptest.Config{
		TLS: server, Auth: true, Pipelining: true, Offers: []string{"SIZE 5000000", "8BITMIME", "LIMITS MAILMAX=100 RCPTMAX=20"},
		Do: func(m smtptest.Moment) smtptest.Act {
			if m.Step == smtptest.Mail && strings.Contains(m.Line, "other@") {
				return smtptest.Act{Reply: "553 5.7.1 not\t yours"}
			}
			return smtptest.Act{}
		},
	})
	relay := relayAt(t, s.Addr, StartTLS)
	relay.User, relay.Password, relay.Roots = "us", "secret", roots
	f, err := Probe(t.Context(), relay, "client.example.org", "news@example.org", "other@example.com", "b+x@bounce.example.org")
	if err != nil {
		t.Fatal(err)
	}
	if !f.Secure || f.Version != "TLS 1.3" || !f.Expires.Equal(until) || f.Size != 5_000_000 || !f.LoggedIn || strings.Join(f.Auth, " ") != "PLAIN" ||
		f.Extensions["LIMITS"] != "MAILMAX=100 RCPTMAX=20" {
		t.Errorf("%+v", f)
	}
	for name, want := range map[string]bool{"PIPELINING": true, "8BITMIME": true, "SMTPUTF8": false} {
		if _, offered := f.Extensions[name]; offered != want {
			t.Errorf("%s is offered: %v", name, offered)
		}
	}
	if len(f.Refused) != 1 || f.Refused["other@example.com"] != "553 5.7.1 not yours" {
		t.Errorf("refused: %v", f.Refused)
	}
	s.Await(t, "QUIT", func(m smtptest.Moment) bool { return m.Step == smtptest.Quit })
	if messages, faults := s.Messages(), s.Faults(); len(messages) != 0 || len(faults) != 0 {
		t.Errorf("messages %v, faults %v", messages, faults)
	}

	relay.Roots = nil // nobody vouches for it
	if _, err := Probe(t.Context(), relay, ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Probe(ended, relayAt(t, s.Addr, None), ""); err == nil {
		t.Error("a probe after the end")
	}
}

func TestProbeInTheClear(t *testing.T) {
	t.Parallel()
	s := smtptest.Start(t, smtptest.Config{})
	f, err := Probe(t.Context(), relayAt(t, s.Addr, None), "", "news@example.org")
	if err != nil || f.Secure || f.LoggedIn || f.Size != 0 || len(f.Extensions) != 0 || len(f.Refused) != 0 {
		t.Errorf("%+v, %v", f, err)
	}
}
