package accounts

import (
	"strings"
	"testing"
	"time"

	"silkpost/internal/errs"
)

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	b := open(t)
	maker := b.account("owner@example.org", Owner)
	end := noon.Add(time.Hour)
	secret, id, err := b.MakeKey(t.Context(), Key{Name: "the web site", MadeBy: maker, Roles: []Role{Reader, Manager}, Lists: []int64{7}, EndsAt: &end})
	if err != nil || !strings.HasPrefix(secret, KeyPrefix) || len(secret) < 50 {
		t.Fatalf("%q %v", secret, err)
	}
	who, err := b.KeyActor(t.Context(), secret)
	if err != nil || who.Key != id || who.Account != 0 || who.Name != "key 1" || !who.MayOn(People, 7) || who.MayOn(People, 8) || who.May(Administer) {
		t.Errorf("%+v %v", who, err)
	}
	all, err := b.APIKeys(t.Context())
	if err != nil || len(all) != 1 || !all[0].Works || all[0].UsedAt == nil || all[0].Hint != secret[len(secret)-4:] || all[0].Maker != "owner@example.org" {
		t.Errorf("%+v %v", all, err)
	}
	works := func(secret string) bool {
		_, err := b.KeyActor(t.Context(), secret)
		if err != nil && errs.KindOf(err) != errs.NotFound {
			t.Fatal(err)
		}
		return err == nil
	}
	if works(secret+"a") || works(strings.TrimPrefix(secret, KeyPrefix)) || works("") || works(KeyPrefix) {
		t.Error("another key works")
	}
	b.clock.Advance(time.Hour)
	if works(secret) {
		t.Error("it works beyond its end")
	}
	forGood, id, err := b.MakeKey(t.Context(), Key{Name: "another", Roles: []Role{Reader}})
	if err != nil || !works(forGood) {
		t.Fatal(err)
	}
	if err := b.RevokeKey(t.Context(), id); err != nil || works(forGood) {
		t.Errorf("it works after it was revoked; %v", err)
	}
	for _, k := range []Key{{Roles: []Role{Reader}}, {Name: "x"}, {Name: "x", Roles: []Role{"king"}}, {Name: "x", Roles: []Role{Manager}}, {Name: "x", Roles: []Role{Reader}, EndsAt: &end}} {
		if _, _, err := b.MakeKey(t.Context(), k); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", k, err)
		}
	}
}
