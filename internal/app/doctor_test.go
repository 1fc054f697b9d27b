package app_test

import (
	"net"
	"strings"
	"testing"

	"silkpost/internal/app"
	"silkpost/internal/doctor"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
)

// finding returns the gravest finding of a check.
func finding(t *testing.T, found []doctor.Finding, check string) (worst doctor.Finding) {
	t.Helper()
	for _, f := range found {
		if f.Check == check && (worst.Check == "" || doctor.Worst([]doctor.Finding{worst, f}) != worst.State) {
			worst = f
		}
	}
	if worst.Check == "" {
		t.Fatalf("no finding of %s", check)
	}
	return worst
}

// TestDoctorAsksOurselves examines a program that runs: its web, its listener for bounces and its relay.
func TestDoctorAsksOurselves(t *testing.T) {
	t.Parallel()
	h := openForBounces(t, catcher.Config{Script: []catcher.Rule{{Verb: "MAIL", From: "t+*", Reply: "553 5.7.1 not yours"}}})
	web, err := h.Listen()
	if err != nil {
		t.Fatal(err)
	}
	h.Config.PublicURL = "http://" + h.Config.Listen
	h.apply(t, list)
	h.run(t, app.Parts{Web: web, Worker: true, Bounces: h.bounces})
	testkit.Eventually(t, patience, "a worker sends", func() bool {
		return value[int](t, h.house, `SELECT count(*) FROM mailer.senders`) > 0
	})
	names := testkit.DNS(t, `
		bounce.example.org MX 10 return.example.org
		return.example.org A 127.0.0.1`)
	_, port, _ := net.SplitHostPort(h.bounces.Addr().String())
	found, err := h.Doctor(t.Context(), app.DoctorOptions{DNS: names.Addr, MailPort: port})
	if err != nil {
		t.Fatal(err)
	}
	for check, want := range map[string]doctor.State{
		"database.version": doctor.OK, "database.durable": doctor.Problem, "database.partitions": doctor.Note, "database.held": doctor.OK,
		"workers": doctor.OK, "relay.connect": doctor.OK, "relay.tls": doctor.OK, "relay.sender": doctor.Problem, "sender.set": doctor.OK,
		"return.domain": doctor.OK, "return.reach": doctor.Note, "return.tested": doctor.Warning,
		"unsubscribe.url": doctor.Problem, "unsubscribe.reach": doctor.OK, "unsubscribe.click": doctor.OK,
	} {
		if f := finding(t, found, check); f.State != want && (check != "database.partitions" || f.State != doctor.Problem && f.State != doctor.OK) {
			t.Errorf("%s: %+v, want %s", check, f, want)
		}
	}
	if f := finding(t, found, "relay.sender"); !strings.Contains(f.Says, "553 5.7.1 not yours") {
		t.Errorf("%+v", f)
	}
}
