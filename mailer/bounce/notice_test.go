package bounce

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
	"silkpost/mailer/notice"
	"silkpost/mailer/reply"
)

// notice makes a notice to a contact that was sent, and returns its id.
func (o *office) notice(kind notice.Kind, contact int64) uuid.UUID {
	o.t.Helper()
	id := uuid.New()
	o.exec(`INSERT INTO mailer.notices (id, kind, contact_id, subscription_id, standing, activation, state, open, made_at, attempts, settled_at, code, edition_id)
		VALUES ($1::uuid, $2::text, $3, $3, 'pending', 0, 'sent', false, $4, 1, $4, 250, CASE WHEN $2::text = 'last edition' THEN $1::uuid END)`, id, kind, contact, noon)
	return id
}

func (o *office) bouncedNotices() []string {
	o.t.Helper()
	return o.rows(`SELECT concat_ws(' ', contact_id, bounce_kind, nullif(bounce_status, '')) FROM mailer.notices WHERE bounced_at IS NOT NULL ORDER BY 1`)
}

// A confirmation that bounces marks itself and suppresses the address that it went to, and touches nobody else.
func TestANoticeComesBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 4)
	all := mails(t, "x")
	confirmation, full, complaint, change := o.notice(notice.Confirmation, 1), o.notice(notice.Welcome, 2), o.notice(notice.Welcome, 3), o.notice(notice.NewAddress, 4)
	path := func(id uuid.UUID, contact int64) []string { return []string{ours.NoticePath(id, address(contact))} }
	if local, _, _ := strings.Cut(path(confirmation, 1)[0], "@"); len(local) > 64 || !strings.HasPrefix(local, "n+") {
		t.Errorf("%s is too long for a local part", local)
	}
	for range 2 {
		o.take([]string{strings.ToUpper(path(confirmation, 1)[0])}, all["dsn-postfix-unknown"])
	}
	o.take(path(full, 2), all["dsn-postfix-full"])
	o.take(path(complaint, 3), all["arf-abuse"])
	o.take([]string{ours.NoticePath(change, "new@example.net")}, all["dsn-postfix-unknown"]) // it went to an address that is not the contact's
	o.same("bounced", o.bouncedNotices(), []string{"1 hard 5.1.1", "2 soft 5.2.2", "3 complaint", "4 hard 5.1.1"})
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: hard bounce", "reader03@example.net: complaint"})
	o.same("origin", o.rows(`SELECT origin FROM subscribers.suppressions WHERE reason = 'hard bounce'`), []string{"notice " + confirmation.String()})
	o.same("inbox", o.inbox(), []string(nil))
	if n, err := notice.Bounced(o.ctx, o.DB, noon); n != 4 || err != nil {
		t.Errorf("%d bounced, %v", n, err)
	}

	// A return path in the text of a bounce that came elsewhere serves as well; one of a delivery is none of a notice, and what is unknown is kept.
	later := o.notice(notice.Known, 2)
	o.take([]string{"news@example.org"}, mails(t, path(later, 2)[0])["qmail"])
	o.take([]string{ours.NoticePath(uuid.New(), address(2))}, all["dsn-postfix-unknown"])
	o.same("inbox", o.inbox(), []string{"it is about a notice that is not in the account"})
	o.same("bounced by the text", o.rows(`SELECT bounce_kind FROM mailer.notices WHERE id = $1`, later), []string{"hard"})

	// Whoever is erased is named by nothing that a server said.
	o.must(database.Transact(o.ctx, o.DB, func(tx *sqlx.Tx) error { return notice.Forget(o.ctx, tx, 1) }))
	o.same("what was said", o.rows(`SELECT bounce_diagnostic FROM mailer.notices WHERE contact_id = 1`), []string{"5.1.1"})
}

func TestANoticeIsRefusedOnTheSpot(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 3)
	score := func(contact int64, text string) {
		id := o.notice(notice.Confirmation, contact)
		o.must(database.Transact(o.ctx, o.DB, func(tx *sqlx.Tx) error {
			return ScoreNotice(o.ctx, tx, id, address(contact), reply.Reply{Phase: reply.Rcpt, Code: 550, Text: text}, noon)
		}))
	}
	score(1, "5.1.1 no such user")
	score(2, "5.7.1 not you")
	score(3, "5.2.2 full")
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: hard bounce"})
	o.same("bounced", o.bouncedNotices(), []string{"1 hard 5.1.1", "3 soft 5.2.2"})
	gone := notice.Bounce{ID: uuid.New(), At: noon, Kind: ledger.HardBounce}
	if _, _, err := gone.Note(o.ctx, o.DB); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a bounce of nothing: %v", err)
	}
}

// issue writes a certificate for 127.0.0.1 and its key into files, and returns what vouches for it.
func issue(t *testing.T, dir, name string) (root *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	root = x509.NewCertPool()
	root.AddCert(parsed)
	return root
}

// bring sends a mail to a server; with a root over TLS, without in the clear.
func bring(t *testing.T, server string, root *x509.CertPool, to string, message []byte) error {
	t.Helper()
	c, err := smtp.Dial(server)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if offered, _ := c.Extension("STARTTLS"); !offered {
		t.Fatal("no STARTTLS is offered")
	}
	if root != nil {
		if err := c.StartTLS(&tls.Config{RootCAs: root, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if err := c.Mail(""); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	return w.Close()
}

func TestListenerOffersTLS(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := LoadCertificate(cert, key, testkit.Log(t)); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), cert) {
		t.Errorf("files that are not there: %v", err)
	}
	root := issue(t, dir, "first")
	certificate, err := LoadCertificate(cert, key, o.Log)
	o.must(err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	o.must(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&Listener{Desk: o.Desk, TLS: certificate.Config()}).Serve(ctx, ln) }()
	defer func() {
		stop()
		o.must(<-ended)
	}()
	edition, message := o.edition(noon.Add(-time.Hour)), mails(t, "x")["dsn-postfix-unknown"]
	o.must(bring(t, ln.Addr().String(), root, back(edition, 1)[0], message))
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: hard bounce"})
	// Without TLS it takes mail as well: a bounce in the clear is better than none.
	o.must(bring(t, ln.Addr().String(), nil, back(edition, 2)[0], mails(t, "x")["dsn-postfix-full"]))
	o.same("bounced", len(o.bounced()), 2)

	// What somebody renews is used for the next connection; while it is broken, the one before.
	o.must(os.WriteFile(cert, []byte("half a file"), 0o600))
	if err := os.Chtimes(cert, noon, noon); err != nil {
		t.Fatal(err)
	}
	o.must(bring(t, ln.Addr().String(), root, back(edition, 1)[0], message))
	renewed := issue(t, dir, "second")
	if err := os.Chtimes(cert, noon.Add(time.Hour), noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	o.must(bring(t, ln.Addr().String(), renewed, back(edition, 1)[0], message))
	if err := bring(t, ln.Addr().String(), root, back(edition, 1)[0], message); err == nil {
		t.Error("the old certificate is still used")
	}
}
