package bounce

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/smtp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// office is a desk with an account: each of its readers has a delivery that was sent.
type office struct {
	*Desk
	t     testing.TB
	ctx   context.Context
	clock *testkit.Clock
}

func newOffice(t testing.TB, readers int) *office {
	t.Helper()
	clock := testkit.NewClock(noon)
	o := &office{t: t, ctx: t.Context(), clock: clock, Desk: &Desk{
		DB: testkit.DB(t), Clock: clock, Log: slog.New(slog.DiscardHandler), Addresses: ours,
		MessageID: func(edition uuid.UUID, contact int64, resent int, sender string) string {
			return fmt.Sprintf("<%s-%d-%d-%s>", edition, contact, resent, sender)
		},
		Subscription: func(link string) (int64, bool) {
			id, err := keys.Open("unsubscribe", link[strings.LastIndexByte(link, '/')+1:])
			return id, err == nil
		},
	}}
	list := subscribers.NewList("partners")
	_, err := subscribers.DeclareList(o.ctx, o.DB, list)
	o.must(err)
	var csv strings.Builder
	csv.WriteString("email\n")
	for i := range readers {
		fmt.Fprintf(&csv, "reader%02d@example.net\n", i+1)
	}
	_, err = subscribers.ImportContacts(o.ctx, o.DB, strings.NewReader(csv.String()), subscribers.ImportOptions{List: "partners", Consent: "agreement", Now: noon})
	o.must(err)
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) exec(query string, args ...any) {
	o.t.Helper()
	_, err := o.DB.ExecContext(o.ctx, query, args...)
	o.must(err)
}

func (o *office) rows(query string, args ...any) (found []string) {
	o.t.Helper()
	o.must(o.DB.SelectContext(o.ctx, &found, query, args...))
	return found
}

func (o *office) same(what string, got, want any) {
	o.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// edition makes an edition whose deliveries to every reader were sent at a time.
func (o *office) edition(at time.Time) uuid.UUID {
	o.t.Helper()
	o.must(ledger.Prepare(o.ctx, o.DB, at))
	id := ledger.NewEditionID(at)
	o.exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at)
		VALUES ($1, 1, 'weekly', '2026-11-22', 'hand', 'sent', $2, $2)`, id, at)
	o.exec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key, message, sender) VALUES ($1, 'en', '{1}', '{1}', '', '', 'news@example.org')`, id)
	o.exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, begun, attempts, settled_at, code)
		SELECT $1, s.contact_id, s.id, (SELECT max(id) FROM mailer.variants), 'sent', $2, true, 1, $2, 250 FROM subscribers.subscriptions s`, id, at)
	return id
}

func address(contact int64) string { return fmt.Sprintf("reader%02d@example.net", contact) }

// back is the envelope of a bounce about a contact's delivery.
func back(edition uuid.UUID, contact int64) []string {
	return []string{ours.ReturnPath(edition, contact, address(contact))}
}

func (o *office) take(to []string, message []byte) {
	o.t.Helper()
	o.must(o.Take(o.ctx, Mail{To: to, Message: message}))
}

func (o *office) suppressed() []string {
	o.t.Helper()
	return o.rows(`SELECT address_key || ': ' || reason FROM subscribers.suppressions WHERE lifted_at IS NULL ORDER BY 1`)
}

func (o *office) bounced() []string {
	o.t.Helper()
	return o.rows(`SELECT format('%s %s %s %s', contact_id, bounce_kind, bounce_status, bounce_diagnostic) FROM mailer.deliveries
		WHERE bounced_at IS NOT NULL ORDER BY edition_id, contact_id`)
}

func (o *office) inbox() []string {
	o.t.Helper()
	return o.rows(`SELECT reason FROM mailer.inbox WHERE done_at IS NULL ORDER BY id`)
}

func TestAHardBounceSuppressesOnceAndItsContactAlone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 3)
	edition := o.edition(noon.Add(-time.Hour))
	message := mails(t, "x")["dsn-postfix-unknown"]
	for range 3 {
		o.take(back(edition, 2), message)
		o.clock.Advance(time.Minute)
	}
	o.same("suppressed", o.suppressed(), []string{"reader02@example.net: hard bounce"})
	o.same("bounced", o.bounced(), []string{"2 hard 5.1.1 5.1.1 <reader@example.net>: Recipient address rejected: User unknown in virtual mailbox table"})
	o.same("when", o.rows(`SELECT to_char(bounced_at AT TIME ZONE 'UTC', 'HH24:MI') FROM mailer.deliveries WHERE bounced_at IS NOT NULL`), []string{"12:00"})
	o.same("origin", o.rows(`SELECT origin FROM subscribers.suppressions`), []string{fmt.Sprintf("delivery %s/2", edition)})
	o.same("inbox", len(o.inbox()), 0)
	counts, err := ledger.CountBounces(o.ctx, o.DB, noon.Add(-time.Hour))
	o.must(err)
	o.same("counts", counts, ledger.BounceCounts{Hard: 1})
	if states := o.rows(`SELECT DISTINCT state FROM mailer.deliveries`); !slices.Equal(states, []string{"sent"}) {
		t.Errorf("states %v: a bounce is an attribute", states)
	}
}

// A graver report takes the place of an earlier one, never the other way round.
func TestGraverReportsCount(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	edition := o.edition(noon.Add(-time.Hour))
	all := mails(t, "x")
	for _, step := range []struct{ mail, want string }{
		{"dsn-blocklist", "1 other"},
		{"dsn-postfix-full", "1 soft"},
		{"dsn-blocklist", "1 soft"},
		{"dsn-postfix-unknown", "1 hard"},
		{"dsn-postfix-full", "1 hard"},
		{"arf-abuse", "1 complaint"},
		{"dsn-postfix-unknown", "1 complaint"},
	} {
		o.take(back(edition, 1), all[step.mail])
		if got := o.bounced(); len(got) != 1 || !strings.HasPrefix(got[0], step.want) {
			t.Errorf("after %s: %v, want %s", step.mail, got, step.want)
		}
	}
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: complaint", "reader01@example.net: hard bounce"})
}

// A mailbox that is full for weeks is given up; one that is full on holiday, or took something meanwhile, is not.
func TestSoftBouncesAddUpAndFade(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	full := mails(t, "x")["dsn-postfix-full"]
	for _, tt := range []struct {
		name  string
		every time.Duration
		fails string // of each edition: x bounced, . arrived
		want  bool
	}{
		{"weekly", 7 * day, "xxxx", true},
		{"three weeks", 7 * day, "xxx", false},
		{"daily, on holiday", day, "xxxxxxxxxxxxx", false},
		{"daily, gone", day, "xxxxxxxxxxxxxxxx", true},
		{"one arrived", 7 * day, "xx.xx.xx", false},
		{"monthly", 30 * day, "xxxxx", true},
		{"yearly", 365 * day, "xxxxx", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, 2)
			for i, one := range tt.fails {
				o.clock.Set(noon.Add(time.Duration(i) * tt.every))
				edition := o.edition(o.clock.Now())
				if one == 'x' {
					o.clock.Advance(time.Hour)
					o.take(back(edition, 1), full)
					o.take(back(edition, 1), full)
				}
			}
			if got := len(o.suppressed()) > 0; got != tt.want {
				t.Errorf("suppressed: %v", o.suppressed())
			}
		})
	}
}

// Each message of the collection, sent to a delivery's address, does to that delivery what is expected, to nobody else anything, and lifts nothing.
func TestTheCollection(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 60)
	edition := o.edition(noon.Add(-time.Hour))
	_, err := subscribers.Suppress(o.ctx, o.DB, "reader59@example.net", subscribers.Manual, "", noon)
	o.must(err)
	var got strings.Builder
	all := mails(t, ours.ReturnPath(edition, 60, address(60))) // what it mentions is another one's
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	for i, name := range names {
		contact := int64(i + 1)
		o.take(back(edition, contact), all[name])
		fmt.Fprintf(&got, "%s:%s%s\n", name,
			strings.Join(append(o.rows(`SELECT ' ' || bounce_kind FROM mailer.deliveries WHERE contact_id = $1 AND bounced_at IS NOT NULL`, contact),
				o.rows(`SELECT ', suppressed' FROM subscribers.suppressions WHERE address_key = $1`, address(contact))...), ""),
			strings.Join(o.rows(`SELECT ' kept: ' || reason FROM mailer.inbox WHERE contact_id = $1`, contact), ""))
	}
	testkit.Golden(t, "testdata/taken.golden", []byte(got.String()))
	o.same("others", o.rows(`SELECT contact_id FROM mailer.deliveries WHERE contact_id > $1 AND bounced_at IS NOT NULL`, len(names)), []string(nil))
	o.same("others' suppressions", o.rows(`SELECT address_key FROM subscribers.suppressions WHERE address_key IN ('reader59@example.net', 'reader60@example.net')`),
		[]string{"reader59@example.net"})
	o.same("subscriptions", o.rows(`SELECT DISTINCT state FROM subscribers.subscriptions`), []string{"active"})
}

// An address in the envelope is not always there: what the message says of it serves, or the return path in it.
func TestRecognition(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 10)
	edition := o.edition(noon.Add(-time.Hour))
	header := func(contact, linkOf int64, messageID string) []byte {
		return []byte(strings.ReplaceAll(fmt.Sprintf(`From: MAILER-DAEMON@mx.example.net
To: news@example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.

<someone@example.net>:
Remote host said: 550 5.1.1 no such user

--- Below this line is a copy of the message.

From: news@example.org
To: Reader <%s>
Message-ID: %s
Feedback-ID: %s:partners:digest:silkpost
List-Unsubscribe: <https://news.example.org/unsubscribe/%s>,
 <mailto:x@example.org>
`, address(contact), messageID, strings.ReplaceAll(edition.String(), "-", ""), keys.Sign("unsubscribe", linkOf)), "\n", "\r\n"))
	}
	id := func(contact int64) string { return o.MessageID(edition, contact, 0, "news@example.org") }
	o.take(nil, bytes.ReplaceAll(mails(t, back(edition, 1)[0])["qmail"], []byte("x"), []byte("x"))) // To
	o.take([]string{"fbl@example.org"}, mails(t, back(edition, 2)[0])["arf-elsewhere"])             // Original-Mail-From
	o.take(nil, header(3, 3, id(3)))                                                                // the header that came back
	o.exec(`UPDATE mailer.deliveries SET resent = 2 WHERE contact_id IN (9, 10)`)
	o.take(nil, header(9, 9, id(9)))                                             // the first of three messages
	o.take(nil, header(10, 10, o.MessageID(edition, 10, 2, "news@example.org"))) // the last
	o.take(nil, header(4, 5, id(4)))                                             // somebody else's link: forged
	o.take(nil, header(6, 6, id(7)))                                             // somebody else's Message-ID
	o.take(nil, header(8, 999, id(8)))                                           // no link of ours
	o.same("bounced", o.rows(`SELECT contact_id || ' ' || bounce_kind FROM mailer.deliveries WHERE bounced_at IS NOT NULL ORDER BY 1`), []string{"1 hard", "10 hard", "2 complaint", "3 hard", "9 hard"})
	o.same("inbox", o.inbox(), slices.Repeat([]string{"it is a bounce, and not known for sure of which message"}, 3))
	o.same("suppressed", len(o.suppressed()), 5)
}

// Whoever has another address by now is not suppressed for the old one.
func TestAnotherAddressByNow(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	edition := o.edition(noon.Add(-time.Hour))
	o.exec(`UPDATE subscribers.contacts SET email = 'new@example.net', email_key = 'new@example.net' WHERE email = 'reader01@example.net'`)
	o.take(back(edition, 1), mails(t, "x")["dsn-postfix-unknown"])
	o.same("suppressed", o.suppressed(), []string(nil))
	o.same("bounced", len(o.bounced()), 1)
}

func TestUnsubscribeByMail(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 3)
	all := mails(t, "x")
	wish := []byte("From: reader02@example.net\r\nSubject: unsubscribe\r\n\r\n")
	for range 2 {
		o.take([]string{ours.Unsubscribe(2)}, wish)
	}
	o.take([]string{ours.Unsubscribe(3)}, all["dsn-postfix-unknown"]) // what machines say is no wish
	o.take([]string{ours.Unsubscribe(3)}, all["away-subject"])
	o.take([]string{ours.Unsubscribe(999)}, wish)
	o.same("subscriptions", o.rows(`SELECT id || ' ' || state FROM subscribers.subscriptions ORDER BY id`), []string{"1 active", "2 unsubscribed", "3 active"})
	o.same("the log", o.rows(`SELECT method || ': ' || statement FROM subscribers.consents WHERE state = 'unsubscribed'`), []string{"mail: a mail to the address in List-Unsubscribe"})
	o.same("inbox", o.inbox(), []string{"it ends a subscription that is not there"})
}

func TestProbe(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	o.take([]string{ours.Probe(noon.Add(-48 * time.Hour).Unix())}, []byte("Subject: old\r\n\r\n"))
	if c, err := ChannelOf(o.ctx, o.DB, ours.Domain); err != nil || c.TestedAt != nil {
		t.Errorf("%+v, %v", c, err)
	}
	o.take([]string{ours.Probe(noon.Add(-time.Minute).Unix())}, []byte("Subject: new\r\n\r\n"))
	if c, err := ChannelOf(o.ctx, o.DB, ours.Domain); err != nil || c.TestedAt == nil || !c.TestedAt.Equal(noon) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestInbox(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	edition := o.edition(noon.Add(-time.Hour))
	person := mails(t, "x")["person"]
	o.take(back(edition, 1), person)
	o.take(back(edition, 1), person)
	o.take(back(edition, 2), append([]byte("From: reader01@example.net\r\nSubject: of another\r\n\r\n"), bytes.Repeat([]byte("x"), 2*keptBytes)...))
	kept, err := Inbox(o.ctx, o.DB, false, 10)
	o.must(err)
	if len(kept) != 2 || kept[1].Subject != "Re: News for our partners" || kept[1].EditionID.UUID != edition || kept[1].ContactID.Int64 != 1 {
		t.Fatalf("%+v", kept)
	}
	one, err := Open(o.ctx, o.DB, kept[1].ID)
	o.must(err)
	if !bytes.Equal(one.Message, person) {
		t.Error("the message is not what came")
	}
	o.must(Done(o.ctx, o.DB, kept[1].ID, noon))
	if n, err := Waiting(o.ctx, o.DB); n != 1 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	if err := Done(o.ctx, o.DB, 999, noon); errs.KindOf(err) != errs.NotFound {
		t.Error(err)
	}
	// Whoever is erased is gone from here, too, also where they are only mentioned.
	o.must(database.Transact(o.ctx, o.DB, func(tx *sqlx.Tx) error { return Forget(o.ctx, tx, 1, "READER01@example.net") }))
	o.same("left", o.rows(`SELECT subject FROM mailer.inbox`), []string(nil))
}

// What fails on the spot counts like what comes back.
func TestScore(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 3)
	edition := o.edition(noon.Add(-time.Hour))
	failed := func(contact int64, text string) ledger.Attempt {
		return ledger.Attempt{
			Delivery: &ledger.Delivery{EditionID: edition, ContactID: contact, Email: address(contact)}, At: noon, Outcome: reply.Failed,
			Reply: reply.Reply{Phase: reply.Rcpt, Code: 550, Text: text},
		}
	}
	o.must(database.Transact(o.ctx, o.DB, func(tx *sqlx.Tx) error {
		return Score(o.ctx, tx, []ledger.Attempt{failed(1, "5.1.1 no such user"), failed(2, "5.7.1 not you"), failed(3, "5.2.2 full")})
	}))
	o.same("bounced", o.bounced(), []string{"1 hard 5.1.1 5.1.1 no such user", "3 soft 5.2.2 5.2.2 full"})
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: hard bounce"})
}

// No text, whatever it says, touches anybody but the contact whose token the envelope has, nor lifts a suppression.
func TestNoTextTouchesOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 4)
	edition := o.edition(noon.Add(-time.Hour))
	_, err := subscribers.Suppress(o.ctx, o.DB, address(1), subscribers.Complaint, "", noon)
	o.must(err)
	pieces := []string{
		"From: MAILER-DAEMON@x.example\r\n", "Subject: failure notice\r\n", "Subject: unsubscribe\r\n", "Subject: subscribe\r\n", "To: " + address(3) + "\r\n",
		"X-Failed-Recipients: " + address(3) + "\r\n", "Delivered-To: " + back(edition, 3)[0] + "\r\n", "To: " + ours.Unsubscribe(3) + "\r\n",
		"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n", "Content-Type: message/delivery-status\r\n\r\n", "Content-Type: message/feedback-report\r\n\r\n",
		"Content-Type: message/rfc822\r\n\r\n", "\r\n--b\r\n", "\r\n--b--\r\n", "\r\n", "Reporting-MTA: dns; x\r\n\r\n", "Final-Recipient: rfc822; " + address(3) + "\r\n",
		"Action: failed\r\nStatus: 5.1.1\r\n", "Diagnostic-Code: smtp; 550 5.1.1 <" + address(3) + "> no such user\r\n", "Feedback-Type: abuse\r\n", "Feedback-Type: not-spam\r\n",
		"Original-Mail-From: <" + back(edition, 3)[0] + ">\r\n", "Return-Path: <" + back(edition, 4)[0] + ">\r\n", "550 5.1.1 " + address(4) + " unknown\r\n",
		"Action: delivered\r\nStatus: 2.0.0\r\n", "--- Below this line is a copy of the message.\r\n\r\n", "\x00\xff\x1b[2J", "'; DROP TABLE mailer.deliveries; --\r\n",
	}
	others := func() []string {
		return append(o.rows(`SELECT contact_id || coalesce(bounce_kind, '') FROM mailer.deliveries WHERE contact_id <> 2 ORDER BY 1`),
			append(o.rows(`SELECT address_key || reason || coalesce(lifted_at::text, '') FROM subscribers.suppressions WHERE address_key <> $1 ORDER BY 1`, address(2)),
				o.rows(`SELECT id || state FROM subscribers.subscriptions WHERE contact_id <> 2 ORDER BY 1`)...)...)
	}
	before := others()
	lifted := func() []string { return o.rows(`SELECT id FROM subscribers.suppressions WHERE lifted_at IS NOT NULL`) }
	rapid.Check(t, func(rt *rapid.T) {
		message := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 20).Draw(rt, "pieces"), ""))
		to := rapid.SampledFrom([][]string{back(edition, 2), {ours.Unsubscribe(2)}}).Draw(rt, "to")
		if err := o.Take(context.Background(), Mail{To: to, Message: message}); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(before, others()); diff != "" {
			rt.Fatalf("others were touched:\n%s", diff)
		}
		if len(lifted()) > 0 {
			rt.Fatal("a suppression was lifted")
		}
	})
}

// listen serves a desk and returns its address.
func listen(t testing.TB, d *Desk) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&Listener{Desk: d}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the listener ended with %v", err)
		}
	})
	return ln.Addr().String()
}

func TestListener(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	edition := o.edition(noon.Add(-time.Hour))
	at := listen(t, o.Desk)
	message := mails(t, "x")["dsn-postfix-unknown"]
	for _, stranger := range []string{"postmaster@bounce.example.org", "news@example.org", "b+aaaa@bounce.example.org"} {
		err := smtp.SendMail(at, nil, "", []string{stranger}, message)
		if err == nil || !strings.HasPrefix(err.Error(), `550 "5.1.1`) {
			t.Errorf("%s: %v", stranger, err)
		}
	}
	o.must(smtp.SendMail(at, nil, "", back(edition, 1), message))
	o.same("suppressed", o.suppressed(), []string{"reader01@example.net: hard bounce"})

	// A large original is let go, and a database that is away asks to come again.
	large := append(slices.Clone(mails(t, "x")["dsn-postfix-full"]), bytes.Repeat([]byte(strings.Repeat("x", 70)+"\r\n"), 50_000)...)
	o.must(smtp.SendMail(at, nil, "", back(edition, 2), large))
	o.same("bounced", len(o.bounced()), 2)
	o.exec(`ALTER TABLE mailer.deliveries RENAME TO gone`)
	if err := smtp.SendMail(at, nil, "", back(edition, 2), message); err == nil || !strings.HasPrefix(err.Error(), `451 "4.3.0`) {
		t.Errorf("without a table: %v", err)
	}
}

// Whoever has one of our addresses cannot fill the inbox with it, nor the log: ten are kept in a day, the others are taken and counted, and one line an hour tells.
func TestOneAddressDoesNotFillTheInbox(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	edition := o.edition(noon.Add(-time.Hour))
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	at := listen(t, o.Desk)
	write := func(n int, contact int64) {
		t.Helper()
		for i := range n {
			o.must(smtp.SendMail(at, nil, "", back(edition, contact), fmt.Appendf(nil, "From: reader@example.net\r\nSubject: mail %d\r\n\r\n%s", i, o.clock.Now())))
		}
	}
	write(30, 1)
	write(1, 2)
	o.same("kept", o.rows(`SELECT contact_id || ': ' || count(*) || ' and ' || sum(more) FROM mailer.inbox GROUP BY contact_id ORDER BY 1`), []string{"1: 10 and 20", "2: 1 and 0"})
	o.same("lines", strings.Count(log.String(), "a mail waits for a person"), 2)
	o.clock.Advance(25 * time.Hour)
	write(2, 1)
	o.same("kept the day after", o.rows(`SELECT contact_id || ': ' || count(*) || ' and ' || sum(more) FROM mailer.inbox GROUP BY contact_id ORDER BY 1`), []string{"1: 12 and 20", "2: 1 and 0"})
	o.same("lines", strings.Count(log.String(), "a mail waits for a person"), 3)
}
