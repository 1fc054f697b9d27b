package bounce

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"silkpost/internal/errs"
)

// Certificate is a certificate in files, which others renew: it is read anew when they change. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	of     [2]time.Time // when the files were changed that it was read from
}

// LoadCertificate reads a certificate with what leads to a root, and its private key, both PEM. Files that cannot be used are errs.Invalid.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	return c, c.read()
}

// Config returns what a server offers TLS with.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// get returns the certificate as it is in the files now; while they are being changed, the one before.
func (c *Certificate) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed() != c.of {
		if err := c.read(); err != nil {
			c.log.LogAttrs(context.WithoutCancel(hello.Context()), slog.LevelError, "the renewed certificate for bounces cannot be read: the one before goes on",
				slog.Any("error", err))
		}
	}
	return c.loaded, nil
}

// read reads the files.
func (c *Certificate) read() error {
	of := c.changed()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return errs.New(errs.Invalid, "certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.loaded, c.of = &pair, of
	return nil
}

// changed returns when the files were changed last; zero for one that is not there.
func (c *Certificate) changed() (at [2]time.Time) {
	for i, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err == nil {
			at[i] = info.ModTime()
		}
	}
	return at
}
