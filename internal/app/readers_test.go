package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"silkpost/internal/app"
)

// Whoever subscribes by the form, here on another site, gets nothing until they confirm, and then the next digest as they chose it.
func TestFromTheFormToTheDigest(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{})
	h.articles(t, relayEn, relayIt, seatsEn)
	h.run(t, app.Parts{Web: h.web})
	begin := time.Now()
	for _, email := range []string{"anna@museum.example", "bruno@centro.example"} {
		wanted := url.Values{"email": {email}, "language": {"it"}, "rhythm": {"daily"}, "topic": {"robotics"}}
		got := ask(t, http.MethodPost, h.PublicURL()+"/s/partners", form, wanted.Encode(), "Origin", "https://www.example.org")
		if got.StatusCode != http.StatusOK || len(got.Cookies()) > 0 {
			t.Fatalf("the form: %d %s", got.StatusCode, got.body)
		}
	}
	if took := time.Since(begin); took < 2*300*time.Millisecond {
		t.Errorf("two answers came after %s: what was done for them may show", took)
	}
	link := h.Composer.ConfirmURL(value[int64](t, h, `
		SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id WHERE c.email = 'anna@museum.example'`))
	asked := ask(t, http.MethodPost, link, form, pressed(t, string(get(t, link).body))) // the mail that asks is still on its way
	if got := ask(t, http.MethodPost, link, form, pressed(t, string(asked.body))); got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), "You are subscribed") {
		t.Fatalf("the confirmation: %d %s", got.StatusCode, got.body)
	}
	if got, want := h.told(t, "anna@museum.example"), (told{"active", "confirmation", 2}); got != want {
		t.Errorf("the log says %+v, want %+v", got, want)
	}
	if got := value[string](t, h, `SELECT concat_ws(' ', origin, network) FROM subscribers.consents ORDER BY id DESC LIMIT 1`); got != "/confirm/{token} 127.0.0.0/24" {
		t.Errorf("confirmed at %s", got)
	}
	h.articles(t, piece{"new-it", "new", "Un nuovo robot", "it", "Events", "robotics", "Nuota."}, piece{"other-it", "other", "Altro", "it", "News", "budget", "Numeri."})
	h.send(t)
	letters := h.letters(t)
	if got := recipients(letters); !slices.Equal(got, []string{"anna@museum.example"}) {
		t.Fatalf("digests went to %v", got)
	}
	if text := letters["anna@museum.example"].Text; !strings.Contains(text, "Un nuovo robot") || strings.Contains(text, "Altro") || !strings.Contains(text, "Annulla") {
		t.Errorf("the digest:\n%s", text)
	}
}
