package app_test

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// bounceHouse is a house to which mail comes back by SMTP, at a listener that run is given.
type bounceHouse struct {
	*house
	bounces net.Listener
}

func openForBounces(t *testing.T, cfg catcher.Config) *bounceHouse {
	t.Helper()
	post := catchertest.Start(t, cfg)
	with := settings(testkit.FreshURL(t), post)
	with.BounceDomain, with.BounceListen, with.SMTPConnections = "Bounce.Example.org", "127.0.0.1:0", 1
	with.PublicURL = "https://news.example.org"
	a, err := app.Open(t.Context(), with, app.Options{Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h := &bounceHouse{house: &house{App: a, post: post}}
	if h.bounces, err = a.ListenForBounces(); err != nil {
		t.Fatal(err)
	}
	return h
}

// refuse sends a bounce to an address, as a server does that has no such mailbox.
func (h *bounceHouse) refuse(t *testing.T, to string) {
	t.Helper()
	message := "From: MAILER-DAEMON@mx.example\r\nTo: <" + to + ">\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nNo.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; x@museum.example\r\n" +
		"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--b--\r\n"
	if err := smtp.SendMail(h.bounces.Addr().String(), nil, "", []string{to}, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// returnPaths are the envelope senders of what was caught, by recipient.
func (h *bounceHouse) returnPaths() map[string]string {
	found := map[string]string{}
	for _, m := range h.post.Messages() {
		found[m.To[0]] = m.From
	}
	return found
}

// A message goes out with a return path of its own; what comes back to it suppresses that contact, and shows.
func TestABounceComesBack(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{})
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly", "bruno@centro.example,Bruno,en,weekly")
	h.articles(t, relayEn)
	first := h.send(t)
	paths := h.returnPaths()
	if !strings.HasPrefix(paths["anna@museum.example"], "b+") || !strings.HasSuffix(paths["anna@museum.example"], "@bounce.example.org") ||
		paths["anna@museum.example"] == paths["bruno@centro.example"] {
		t.Fatalf("return paths %v", paths)
	}
	h.run(t, app.Parts{Worker: true, Bounces: h.bounces})
	h.refuse(t, strings.ToUpper(paths["anna@museum.example"]))

	lines, err := h.Deliveries(t.Context(), first.Editions[0].ID)
	if err != nil || len(lines) != 2 {
		t.Fatalf("%+v, %v", lines, err)
	}
	for _, d := range lines {
		if bounced := d.Address == "anna@museum.example"; d.State != "sent" || (d.BouncedAt != nil) != bounced ||
			bounced && (d.BounceKind != "hard" || d.BounceStatus != "5.1.1" || d.BounceDiagnostic != "5.1.1 no such user") {
			t.Errorf("%+v", d)
		}
	}
	if origin := value[string](t, h.house, `SELECT reason || ': ' || origin FROM subscribers.suppressions WHERE address_key = 'anna@museum.example'`); origin !=
		fmt.Sprintf("hard bounce: delivery %s/1", first.Editions[0].ID) {
		t.Error(origin)
	}
	status, err := h.Status(t.Context())
	if err != nil || status.Bounces.Hard != 1 || status.Bounces.Channel == nil || status.Bounces.Channel.Name != "bounce.example.org" {
		t.Errorf("%+v, %v", status.Bounces, err)
	}
	h.articles(t, seatsEn)
	if next := h.send(t); next.Editions[0].Recipients != 1 {
		t.Errorf("the next edition has %d recipients", next.Editions[0].Recipients)
	}
	// Erased, nothing of it names her.
	if _, err := h.EraseContact(t.Context(), "anna@museum.example", "a test"); err != nil {
		t.Fatal(err)
	}
	if found := h.mentions(t, "anna"); len(found) > 0 {
		t.Errorf("anna still stands in %v", found)
	}
}

// P5: while mail flows, a bounce that was acknowledged keeps the rest from its address within two seconds.
func TestABounceStopsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{Script: catcher.Script{{Verb: "MAIL", Stall: 50 * time.Millisecond}}})
	h.apply(t, list)
	h.contacts(t, many(80, "weekly")...)
	h.articles(t, relayEn)
	h.send(t)
	paths := h.returnPaths()
	h.run(t, app.Parts{Worker: true, Bounces: h.bounces})
	h.articles(t, seatsEn)
	if _, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"}); err != nil {
		t.Fatal(err)
	}
	h.post.WaitMessages(t, 85) // it has begun
	seen := len(h.post.Events())
	last := value[string](t, h.house, `SELECT a.email FROM mailer.deliveries d JOIN subscribers.addresses a USING (contact_id)
		WHERE d.due_at IS NOT NULL ORDER BY d.state = 'pending' DESC, d.contact_id DESC LIMIT 1`) // a window goes in their order
	_, err := h.DB.ExecContext(t.Context(), `UPDATE mailer.deliveries d SET due_at = due_at + interval '1 ms' FROM subscribers.addresses a
		WHERE a.contact_id = d.contact_id AND a.email = $1 AND d.state = 'pending'`, last) // all others go before
	if err != nil {
		t.Fatal(err)
	}
	h.refuse(t, paths[last])
	acknowledged := time.Now()
	testkit.Eventually(t, patience, "all have their outcome", func() bool {
		return value[int](t, h.house, `SELECT count(*) FROM mailer.deliveries WHERE due_at IS NOT NULL`) == 0
	})
	for _, e := range h.post.Events()[seen:] {
		if late := time.UnixMicro(e.Time).Sub(acknowledged); e.Verb == "RCPT" && e.To == last && late > 2*time.Second {
			t.Errorf("%s after the bounce a message for %s was begun", late, last)
		}
	}
	if states := value[string](t, h.house, `SELECT string_agg(state, ' ' ORDER BY edition_id) FROM mailer.deliveries d
		JOIN subscribers.addresses a USING (contact_id) WHERE a.email = $1`, last); states != "sent suppressed" {
		t.Errorf("the deliveries to %s are: %s", last, states)
	}
}

// A destination that wants more of us is shown; its readers wait, and nobody waits for them.
func TestADestinationThatMissesAuthentication(t *testing.T) {
	t.Parallel()
	h := open(t, catcher.Rule{Verb: "DOT", To: "*@museum.example", Reply: "550 5.7.26 This mail has been blocked because the sender is unauthenticated"})
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly", "bruno@centro.example,Bruno,en,weekly", "carla@museum.example,Carla,en,weekly")
	h.articles(t, relayEn)
	sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"}) // without --wait each is tried once
	if err != nil || sent.Deliveries.Sent != 1 || sent.Deliveries.Deferred != 2 {
		t.Errorf("%+v, %v", sent.Deliveries, err)
	}
	status, err := h.Status(t.Context())
	if err != nil || len(status.Paused) != 1 || status.Paused[0].Destination != "museum.example" || status.Paused[0].Kind != "not authenticated" ||
		status.Paused[0].Until.Sub(status.Paused[0].Since) != time.Hour {
		t.Errorf("%+v, %v", status.Paused, err)
	}
	if n := value[int](t, h, `SELECT count(*) FROM subscribers.suppressions`); n != 0 {
		t.Errorf("%d suppressions", n)
	}
	if err := h.ResumeDestination(t.Context(), "Museum.example"); err != nil {
		t.Error(err)
	}
	if status, err := h.Status(t.Context()); err != nil || len(status.Paused) != 0 {
		t.Errorf("%+v, %v", status.Paused, err)
	}
}

// Who is refused on the spot for not existing is suppressed as well; whoever is refused for anything else is not.
func TestRefusedOnTheSpot(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{Script: catcher.Script{
		{Verb: "RCPT", To: "anna@*", Reply: "550 5.1.1 no such user"}, {Verb: "RCPT", To: "bruno@*", Reply: "550 5.7.1 not you"},
	}})
	defer func() { _ = h.bounces.Close() }()
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly", "bruno@centro.example,Bruno,en,weekly")
	h.articles(t, relayEn)
	h.send(t)
	if who := value[string](t, h.house, `SELECT string_agg(address_key || ' ' || reason, ', ') FROM subscribers.suppressions`); who != "anna@museum.example hard bounce" {
		t.Errorf("suppressed: %s", who)
	}
}

// List-Unsubscribe carries mailto when mail has been seen to come back, not before, and such mail is honoured.
func TestUnsubscribingByMail(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{})
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,weekly", "bruno@centro.example,Bruno,en,weekly")
	h.articles(t, relayEn)
	h.send(t)
	if header := h.letters(t)["anna@museum.example"].GetHeader("List-Unsubscribe"); strings.Contains(header, "mailto:") {
		t.Errorf("before it was tried: %s", header)
	}
	h.run(t, app.Parts{Worker: true, Bounces: h.bounces})

	tried := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { tried <- h.TryBounces(ctx) }()
	h.post.WaitMessages(t, 3)
	for to := range h.returnPaths() { // what the network would do
		if strings.HasPrefix(to, "t+") {
			if err := smtp.SendMail(h.bounces.Addr().String(), nil, "", []string{to}, []byte("Subject: x\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := <-tried; err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, "new messages carry mailto", func() bool { return h.Composer.UnsubscribeMailto(1) != "" })

	link := h.Composer.UnsubscribeMailto(2)
	address, _, _ := strings.Cut(strings.TrimPrefix(link, "mailto:"), "?")
	if err := smtp.SendMail(h.bounces.Addr().String(), nil, "bruno@centro.example", []string{address}, []byte("From: bruno@centro.example\r\nSubject: unsubscribe\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if got, want := h.told(t, "bruno@centro.example"), (told{"unsubscribed", "mail", 2}); got != want {
		t.Errorf("the log says %+v, want %+v", got, want)
	}
	h.articles(t, seatsEn)
	h.send(t)
	var header string
	for _, m := range h.post.Messages() {
		if m.To[0] == "anna@museum.example" {
			_, raw, err := h.post.Open(m.ID)
			if err != nil {
				t.Fatal(err)
			}
			header = string(raw)
		}
	}
	_, header, _ = strings.Cut(header, "List-Unsubscribe: ")
	if want := "<" + h.Composer.UnsubscribeURL(1) + ">,\r\n <" + h.Composer.UnsubscribeMailto(1) + ">\r\n"; !strings.HasPrefix(header, want) {
		t.Errorf("List-Unsubscribe: %.300s, want %s", header, want)
	}
}
