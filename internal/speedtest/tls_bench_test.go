package speedtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"silkpost/internal/testkit"
)

// BenchmarkTLS writes messages over a connection as it is and over TLS 1.3, and tells what both ends need for one: what TLS costs is the difference. A
// handshake is paid once for a connection.
func BenchmarkTLS(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchPipe(b, nil) })
	b.Run("tls", func(b *testing.B) { benchPipe(b, selfSigned(b)) })
	b.Run("handshake", func(b *testing.B) {
		config := selfSigned(b)
		before := testkit.ProcessorTime(b)
		for b.Loop() {
			client, server := pipe(b, config)
			_ = client.Close()
			_ = server.Close()
		}
		b.ReportMetric(float64((testkit.ProcessorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	})
}

func benchPipe(b *testing.B, config *tls.Config) {
	b.Helper()
	client, server := pipe(b, config)
	defer func() { _ = client.Close() }()
	read := make(chan struct{})
	go func() {
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, server, make([]byte, 64<<10))
		close(read)
	}()
	message := make([]byte, messageBytes)
	before := testkit.ProcessorTime(b)
	for b.Loop() {
		if _, err := client.Write(message); err != nil {
			b.Fatal(err)
		}
	}
	_ = client.Close()
	<-read
	b.ReportMetric(float64((testkit.ProcessorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// pipe returns the two ends of a connection over loopback, with TLS if there is a config.
func pipe(b *testing.B, config *tls.Config) (client, server net.Conn) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer func() { _ = ln.Close() }()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := ln.Accept()
		if err == nil && config != nil {
			secured := tls.Server(conn, config)
			err = secured.HandshakeContext(b.Context())
			conn = secured
		}
		if err != nil {
			b.Error(err)
		}
		accepted <- conn
	}()
	client, err = net.Dial("tcp", ln.Addr().String())
	must(b, err)
	if config != nil {
		roots := x509.NewCertPool()
		roots.AddCert(config.Certificates[0].Leaf)
		secured := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "mx.example.org", MinVersion: tls.VersionTLS13})
		must(b, secured.HandshakeContext(b.Context()))
		client = secured
	}
	return client, <-accepted
}

func selfSigned(b *testing.B) *tls.Config {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(b, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mx.example.org"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(b, err)
	leaf, err := x509.ParseCertificate(der)
	must(b, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}, MinVersion: tls.VersionTLS13}
}
