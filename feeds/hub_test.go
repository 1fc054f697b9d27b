package feeds_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

const hubAddress = "https://hub.example.org/"

// hub adds a hub, or with remove takes it away.
func (b *bundle) hub(t testing.TB, address string, remove bool) (change database.Change) {
	t.Helper()
	err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) (err error) {
		if remove {
			change, err = b.feeds.RemoveHub(t.Context(), tx, address, day(20))
		} else {
			change, err = b.feeds.AddHub(t.Context(), tx, address, day(20))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func TestAddAndRemoveHub(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, step := range []struct {
		address string
		remove  bool
		want    database.Change
	}{
		{hubAddress, true, database.Unchanged},
		{hubAddress, false, database.Added},
		{hubAddress, false, database.Unchanged},
		{" HTTPS://Hub.Example.org#top ", false, database.Unchanged}, // the same, written otherwise
		{"https://other.example.org/hub?for=a b&x=\">", false, database.Added},
		{hubAddress, true, database.Removed},
		{hubAddress, true, database.Unchanged},
		{hubAddress, false, database.Added},
	} {
		before := b.find(t, "all")
		if got := b.hub(t, step.address, step.remove); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
		after := b.find(t, "all")
		if renewed := after.Version > before.Version && after.ChangedAt.After(before.ChangedAt); renewed != (step.want != database.Unchanged) {
			t.Errorf("step %d: a feed went from version %d of %v to %d of %v", i, before.Version, before.ChangedAt, after.Version, after.ChangedAt)
		}
	}
	hubs, err := b.feeds.Hubs(t.Context(), b.db)
	if want := hubAddress + " https://other.example.org/hub?for=a%20b&x=%22%3E"; err != nil || strings.Join(hubs, " ") != want {
		t.Errorf("the hubs are %q, %v, want %s", hubs, err, want)
	}
}

func TestAddHubRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.feeds.CheckURL = func(address string) error {
		if strings.Contains(address, "inside") {
			return errs.New(errs.Invalid, "%s lies inside", address)
		}
		return nil
	}
	for address, says := range map[string]string{
		"":                                  "not a web address",
		"hub":                               "not a web address",
		"https://":                          "not a web address",
		"https://%zz/":                      "not a web address",
		"https://inside.example.org/":       "https://inside.example.org/ lies inside",
		"https://user:secret@example.org/":  "user or password",
		"https://hübe.example.org/":         "ASCII",
		"https://hub.example.org:port/path": "not a web address",
	} {
		_, err := b.feeds.AddHub(t.Context(), b.db, address, day(1))
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", address, err, says)
		}
	}
	if hubs, err := b.feeds.Hubs(t.Context(), b.db); err != nil || len(hubs) > 0 {
		t.Errorf("hubs %q, %v", hubs, err)
	}
}

// A hub that comes or goes changes every subscription document, also those that were kept ready; archives and private feeds link to none.
func TestDocumentsLinkToHubs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.feeds.Digest = func(context.Context, database.Handle, int64, int64) (feeds.Digest, error) {
		return feeds.Digest{Languages: []string{"en"}}, nil
	}
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"}, articles.Draft{ExternalKey: "2", Language: "en"})
	if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: "one", Limit: 1}, day(2)); err != nil {
		t.Fatal(err)
	}
	_, token, err := b.feeds.MakePrivate(t.Context(), b.db, 1, 1, day(2))
	if err != nil {
		t.Fatal(err)
	}
	archive := strings.Split(strings.SplitAfter(body(t, b.serve(t)(http.MethodGet, "/feeds/one.json")), `"next_url":"`+publicURL)[1], `"`)[0]
	request := b.serve(t)
	linked := func(path string) (header, document bool) {
		t.Helper()
		resp := request(http.MethodGet, path)
		text := body(t, resp)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, text)
		}
		return strings.Contains(resp.Header.Get("Link"), `<`+hubAddress+`>; rel="hub"`), strings.Contains(text, hubAddress)
	}
	for _, there := range []bool{false, true, false} {
		if there {
			b.hub(t, hubAddress, false)
		} else {
			b.hub(t, hubAddress, true)
		}
		for _, path := range []string{"/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json", "/feeds/one.rss", "/feeds/lang-en.json"} {
			if header, document := linked(path); header != there || document != there {
				t.Errorf("with a hub: %v; %s names it in its header: %v, in the document: %v", there, path, header, document)
			}
		}
		for _, path := range []string{archive, "/feeds/p/" + token + ".rss", "/feeds/p/" + token + ".json"} {
			if header, document := linked(path); header || document {
				t.Errorf("%s names a hub in its header: %v, in the document: %v", path, header, document)
			}
		}
	}
}
