package main

import (
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

// copyOf copies a database that nobody uses within its server, as a template.
func copyOf(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/" + name + "_copy"
	db, err := database.Open(t.Context(), testkit.FreshURL(t)) // any other one
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.MustExec("DROP DATABASE " + name + "_copy WITH (FORCE)")
		_ = db.Close()
	})
	db.MustExec("CREATE DATABASE " + name + "_copy TEMPLATE " + name)
	return u.String()
}

// The copy of a database says so, serves its pages, and sends nothing until it is adopted.
func TestAdopt(t *testing.T) {
	t.Parallel()
	original := settings{"DATABASE_URL": testkit.FreshURL(t)}
	good(t, original, "migrate")
	if got := good(t, original, "adopt"); !strings.Contains(got, "not held") {
		t.Errorf("there is something to adopt: %s", got)
	}
	listen := freePort(t)
	with := settings{
		"DATABASE_URL": copyOf(t, original["DATABASE_URL"]), "SECRET_KEY": "a-key-of-the-tests-alone", "LISTEN": listen, "PUBLIC_URL": "http://" + listen,
		"SMTP_URL": "smtp://" + catchertest.Start(t, catcher.Config{}).Addr + "?tls=none",
	}
	const why = "another database of the same server"
	if got := good(t, with, "status"); !strings.HasPrefix(got, "HELD: ") || !strings.Contains(got, why) || !strings.Contains(got, "silkpost adopt") {
		t.Errorf("status: %s", got)
	}
	if got := decode[struct{ Held string }](t, good(t, with, "status", "--json")); !strings.Contains(got.Held, why) {
		t.Errorf("as JSON: %+v", got)
	}
	silkpost(t, with, "adopt").told(t, "without a terminal", 1, "nothing was adopted", "--yes")
	silkpost(t, with, "digest", "send", "--list", "partners").told(t, "sending", 1, why, "silkpost adopt")

	server := start(t, with, "serve")
	server.await(t, &server.stderr, "NOTHING IS SENT")
	if status, body := get(t, "http://"+listen+"/readyz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if got := good(t, with, "adopt", "--yes"); !strings.Contains(got, why) || !strings.Contains(got, "Adopted.") {
		t.Errorf("adopt: %s", got)
	}
	if got := good(t, with, "status"); strings.Contains(got, "HELD") {
		t.Errorf("afterwards: %s", got)
	}
	testkit.Eventually(t, patience, "a worker", func() bool {
		return strings.Contains(good(t, with, "status"), "1 worker sending")
	})
	server.signal(t, syscall.SIGTERM)
	if status := server.wait(t); status != exitDone {
		t.Errorf("it ended with %d", status)
	}
	if got := good(t, original, "status"); strings.Contains(got, "HELD") {
		t.Errorf("the original: %s", got)
	}
}
