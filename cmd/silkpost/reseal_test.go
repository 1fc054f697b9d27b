package main

import (
	"testing"

	"silkpost/internal/accounts"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/token"
)

// Second factors are sealed anew with the DKIM keys: then the old secret key can go.
func TestReseal(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	db, err := database.Open(t.Context(), with["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := token.NewKeys(with["SECRET_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	store := accounts.Store{DB: db, Clock: clock.System{}, Keys: keys}
	id, err := store.Create(t.Context(), accounts.Account{Email: "owner@example.org", Roles: []accounts.Role{accounts.Owner}})
	if err == nil {
		err = store.BeginFactor(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	with["SECRET_KEY"] = "a-new-key-of-the-tests a-key-of-the-tests-alone"
	wants(t, "reseal", good(t, with, "reseal"), "0 DKIM keys and 1 second factor sealed anew")
	with["SECRET_KEY"] = "a-new-key-of-the-tests"
	wants(t, "reseal without the old key", good(t, with, "reseal"), "0 DKIM keys and 0 second factors")
	with["SECRET_KEY"] = "yet-another-key-of-tests"
	silkpost(t, with, "reseal").told(t, "reseal with neither", 1, "owner@example.org", "--reset-second-factor")
}
