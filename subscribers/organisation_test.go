package subscribers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// partners is a list that selects something, with contacts of five organisations.
func partners(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	list := subscribers.NewList("partners")
	list.Name = database.StringMap{"en": "News", "it": "Notizie"}
	list.FallbackLanguage = "fr"
	list.Selection = articles.Selection{Sections: []string{"News"}, Languages: []string{"en", "it"}}
	if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
		t.Fatal(err)
	}
	b.mustImport(t, b.options(), `email,organisation,languages,topics
first@faro.example,Il Faro,it;en,robotics
second@faro.example,Il Faro,de,museums;robotics
all@elbe.example,Elbmuseum,de,
one@elbe.example,Elbmuseum,it,museums
bare@tide.example,Tide,,
gone@reka.example,Reka,sr,museums
stays@reka.example,Reka,sr-Latn,Events
left@lagon.example,Lagon,fr;en,Events
`)
	pending := b.options()
	pending.Consent = ""
	b.mustImport(t, pending, "email,organisation,languages,topics\nasked@tide.example,Tide,th,museums\n")
	return b
}

func (b *bundle) organisation(t *testing.T, name string) subscribers.Organisation {
	t.Helper()
	o, err := subscribers.OrganisationByName(t.Context(), b.db, name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOrganisationDigest(t *testing.T) {
	t.Parallel()
	b := partners(t)
	for _, address := range []string{"gone@reka.example", "left@lagon.example"} {
		b.unsubscribe(t, b.query(t, `SELECT subscription_id::text FROM subscribers.mailable WHERE email = $1`, address)[0])
	}
	list, err := subscribers.ListBySlug(t.Context(), b.db, "partners")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]subscribers.Digest{
		// The topics of all, in the languages of the one who has subscribed for longest.
		"Il Faro": {Languages: []string{"it", "en", "fr"}, Topics: []string{"robotics", "museums"}},
		// One wants all.
		"Elbmuseum": {Languages: []string{"de", "fr"}},
		// One named no language; the other has not agreed yet.
		"Tide": {Languages: []string{"fr"}},
		// Who has unsubscribed has no say.
		"Reka": {Languages: []string{"sr-Latn", "fr"}, Topics: []string{"Events"}},
		// Nobody is subscribed any more.
		"Lagon": {Languages: []string{"fr"}},
	} {
		want.Title = database.StringMap{"en": "News · " + name, "it": "Notizie · " + name}
		want.Selection = list.Selection
		got, err := subscribers.OrganisationDigest(t.Context(), b.db, b.organisation(t, name).ID, list.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Subscribing to another list says nothing of this one, and an organisation or a list that there is not is told.
func TestOrganisationDigestIsOfOneList(t *testing.T) {
	t.Parallel()
	b := partners(t)
	if _, err := subscribers.DeclareList(t.Context(), b.db, fullList()); err != nil {
		t.Fatal(err)
	}
	events, err := subscribers.ListBySlug(t.Context(), b.db, "events")
	if err != nil {
		t.Fatal(err)
	}
	faro := b.organisation(t, "Il Faro").ID
	got, err := subscribers.OrganisationDigest(t.Context(), b.db, faro, events.ID)
	if err != nil || len(got.Topics) > 0 || !cmp.Equal(got.Languages, []string{events.FallbackLanguage}) {
		t.Errorf("without a subscription: %+v, %v", got, err)
	}
	for _, ids := range [][2]int64{{faro, 999}, {999, events.ID}} {
		if _, err := subscribers.OrganisationDigest(t.Context(), b.db, ids[0], ids[1]); errs.KindOf(err) != errs.NotFound {
			t.Errorf("organisation and list %v: %v", ids, err)
		}
	}
}

func TestOrganisations(t *testing.T) {
	t.Parallel()
	b := partners(t)
	all, err := subscribers.Organisations(t.Context(), b.db)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	if want := []string{"Elbmuseum", "Il Faro", "Lagon", "Reka", "Tide"}; !cmp.Equal(want, names) {
		t.Errorf("organisations %v, want %v", names, want)
	}
	for _, name := range []string{"Il Faro", " il  FARO "} {
		if got := b.organisation(t, name); got.ID != all[1].ID {
			t.Errorf("%q is %+v", name, got)
		}
	}
	for _, name := range []string{"", "Il", "Il Farо", "a\x00", "\xff"} { // one with a Cyrillic letter
		if _, err := subscribers.OrganisationByName(t.Context(), b.db, name); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}
