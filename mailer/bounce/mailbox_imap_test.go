//go:build imap

package bounce

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/client"

	"silkpost/internal/testkit"
)

const password = "p@a/s s%"

// dovecot is an IMAP server of the test's own.
type dovecot struct {
	plain, secure string // addresses
	roots         *tls.Config
	home          string
}

// startDovecot runs Debian's Dovecot on free ports until the test ends.
func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		if program = "/usr/sbin/dovecot"; !exists(program) {
			t.Fatal("no dovecot: script/setup dovecot installs it")
		}
	}
	dir, err := os.MkdirTemp("", "silkpost-imap-") // its sockets need a short path
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	me, err := user.Current()
	must(t, err)
	owner := me
	if me.Uid == "0" { // Dovecot does little as root
		owner, err = user.Lookup("nobody")
		must(t, err)
	}
	d := &dovecot{home: filepath.Join(dir, "home"), plain: freeAddress(t), secure: freeAddress(t)}
	d.roots = certificate(t, dir)
	must(t, os.MkdirAll(d.home, 0o700))
	config := filepath.Join(dir, "dovecot.conf")
	passwords := filepath.Join(dir, "passwd")
	must(t, os.WriteFile(passwords, []byte(fmt.Sprintf("bounces:{PLAIN}%s:%s:%s::%s\n", password, owner.Uid, owner.Gid, d.home)), 0o644))
	must(t, os.WriteFile(config, []byte(d.config(dir, passwords, owner)), 0o644))
	server := exec.Command(program, "-F", "-c", config)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if owner != me {
		must(t, exec.Command("chown", "-R", owner.Uid+":"+owner.Gid, dir).Run())
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		server.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	must(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
		if t.Failed() {
			told, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("%s%s", log.String(), told)
		}
	})
	testkit.Eventually(t, 20*time.Second, "dovecot answers", func() bool {
		c, err := net.Dial("tcp", d.plain)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return d
}

func (d *dovecot) config(dir, passwords string, owner *user.User) string {
	group := owner.Gid
	if g, err := user.LookupGroupId(owner.Gid); err == nil {
		group = g.Name
	}
	host, port, _ := net.SplitHostPort(d.plain)
	_, securePort, _ := net.SplitHostPort(d.secure)
	return fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = %[2]s
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:~/Maildir
first_valid_uid = 0
first_valid_gid = 0
default_internal_user = %[6]s
default_login_user = %[6]s
default_internal_group = %[7]s
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[3]s
  }
  inet_listener imaps {
    port = %[4]s
    ssl = yes
  }
}
service stats {
  chroot =
}
passdb {
  driver = passwd-file
  args = scheme=plain username_format=%%u %[5]s
}
userdb {
  driver = passwd-file
  args = username_format=%%u %[5]s
}
`, dir, host, port, securePort, passwords, owner.Username, group)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// certificate makes one for 127.0.0.1 and returns a configuration that trusts it.
func certificate(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{RootCAs: pool}
}

// deliver puts messages into the mailbox.
func (d *dovecot) deliver(t *testing.T, messages ...[]byte) {
	t.Helper()
	c, err := client.Dial(d.plain)
	must(t, err)
	defer func() { _ = c.Logout() }()
	must(t, c.Login("bounces", password))
	for _, message := range messages {
		must(t, c.Append("INBOX", nil, time.Now(), bytes.NewBuffer(message)))
	}
}

func (d *dovecot) mailbox(secure bool) Mailbox {
	m := Mailbox{Host: d.plain, User: "bounces", Password: password, Folder: "INBOX", Plain: true, Roots: d.roots}
	if secure {
		m.Host, m.TLS, m.Plain = d.secure, true, false
	}
	return m
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	server := startDovecot(t)
	o := newOffice(t, 9)
	edition := o.edition(noon.Add(-time.Hour))
	bounce := func(contact int64, name string) []byte { return mails(t, back(edition, contact)[0])[name] }

	o.must(o.Read(o.ctx, server.mailbox(false))) // nothing there
	server.deliver(t, bounce(1, "dsn-postfix-unknown"), bounce(2, "away-subject"), bounce(3, "person"), bounce(4, "qq.gbk"))
	o.must(o.Read(o.ctx, server.mailbox(false)))
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: hard bounce", "reader04@example.net: hard bounce"})
	o.same("inbox", len(o.inbox()), 1)

	// What was read is not read again, and the mailbox is as it was.
	o.exec(`DELETE FROM mailer.inbox`)
	o.must(o.Read(o.ctx, server.mailbox(true)))
	o.same("inbox", len(o.inbox()), 0)
	c, err := client.Dial(server.plain)
	o.must(err)
	o.must(c.Login("bounces", password))
	box, err := c.Select("INBOX", true)
	o.must(err)
	if box.Messages != 4 || box.UnseenSeqNum != 1 {
		t.Errorf("%d messages, the first unseen one is %d: something was marked or taken", box.Messages, box.UnseenSeqNum)
	}
	o.must(c.Logout())

	// While the database cannot take it in nothing is lost, and what came before counts once.
	server.deliver(t, bounce(5, "exim"), bounce(6, "dsn-postfix-full"))
	o.exec(`ALTER TABLE mailer.deliveries RENAME TO gone`)
	if err := o.Read(o.ctx, server.mailbox(true)); err == nil {
		t.Error("nothing is wrong with a database that lacks a table")
	}
	o.exec(`ALTER TABLE mailer.gone RENAME TO deliveries`)
	o.must(o.Read(o.ctx, server.mailbox(true)))
	o.same("bounced", len(o.bounced()), 4)

	// A mailbox that was made anew is read from its beginning; all that counts once.
	before := append(o.bounced(), o.suppressed()...)
	o.exec(`UPDATE mailer.channels SET uidvalidity = 1`)
	o.must(o.Read(o.ctx, server.mailbox(true)))
	o.same("after reading all again", append(o.bounced(), o.suppressed()...), before)

	for name, wrong := range map[string]func(*Mailbox){
		"password":    func(m *Mailbox) { m.Password = "no" },
		"folder":      func(m *Mailbox) { m.Folder = "nowhere" },
		"certificate": func(m *Mailbox) { m.Roots = nil },
		"port":        func(m *Mailbox) { m.Host = "127.0.0.1:1" },
	} {
		m := server.mailbox(true)
		wrong(&m)
		if err := o.Read(o.ctx, m); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	starttls := server.mailbox(false)
	starttls.Plain = false
	o.must(o.Read(o.ctx, starttls))
}

func TestWatch(t *testing.T) {
	t.Parallel()
	server := startDovecot(t)
	o := newOffice(t, 2)
	edition := o.edition(noon.Add(-time.Hour))
	m := server.mailbox(true)
	m.Every = 50 * time.Millisecond
	ctx, stop := context.WithCancel(o.ctx)
	ended := make(chan error, 2)
	for range 2 { // several processes
		go func() { ended <- o.Watch(ctx, m) }()
	}
	server.deliver(t, mails(t, back(edition, 1)[0])["exim"], mails(t, back(edition, 2)[0])["person"])
	testkit.Eventually(t, 20*time.Second, "both are taken in", func() bool { return len(o.suppressed()) == 1 && len(o.inbox()) == 1 })
	testkit.Eventually(t, 20*time.Second, "the mailbox is noted as read", func() bool {
		c, err := ChannelOf(t.Context(), o.DB, ours.Domain)
		o.must(err)
		return c.ReadAt != nil && c.Failure == ""
	})
	stop()
	o.must(<-ended)
	o.must(<-ended)
}
