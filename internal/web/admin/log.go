package admin

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/templates/adminpage"
)

// logPage is how many lines of the log are shown at once.
const logPage = 50

func (s *site) showLog(v *visit) (adminpage.Page, error) {
	filter := accounts.Filter{Actor: clean(v.query("who")), Thing: clean(v.query("thing")), ID: clean(v.query("id")), Limit: logPage + 1, From: placeOf(v.query("after"))}
	if day, err := time.ParseInLocation(time.DateOnly, v.query("day"), v.actor.Location()); err == nil {
		filter.Before = day.AddDate(0, 0, 1)
	}
	entries, err := s.App.Accounts.Log(v.Context(), filter)
	if err != nil {
		return nil, err
	}
	names, err := s.actorNames(v)
	if err != nil {
		return nil, err
	}
	actors, things, err := s.App.Accounts.Logged(v.Context())
	page := adminpage.Log{Fields: adminpage.Fields(v.URL.Query()), Things: things}
	for _, actor := range actors {
		page.Actors = append(page.Actors, adminpage.Choice{Value: actor, Label: names[actor]})
	}
	slices.SortFunc(page.Actors, func(a, b adminpage.Choice) int {
		return cmp.Compare(cmp.Or(a.Label, a.Value), cmp.Or(b.Label, b.Value))
	})
	if len(entries) > logPage {
		entries = entries[:logPage]
		last := entries[logPage-1]
		page.Pager.NextURL = logURL(v, strconv.FormatInt(last.At.UnixMicro(), 10)+"."+strconv.FormatInt(last.Seq, 10))
	}
	if filter.From != nil {
		page.Pager.FirstURL = logURL(v, "")
	}
	for _, e := range entries {
		page.Entries = append(page.Entries, adminpage.LogEntry{At: e.At, Actor: e.Actor, Who: names[e.Actor], Thing: e.Thing, ID: e.ID, What: e.What, Changes: changes(e.Before, e.After)})
	}
	return page, err
}

// clean returns what Postgres takes as text.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(s), "\x00", ""), "")
}

// logURL returns the address of the same search from another line on.
func logURL(v *visit, after string) string {
	query := url.Values{}
	for _, name := range []string{"who", "thing", "id", "day"} {
		if value := v.query(name); value != "" {
			query.Set(name, value)
		}
	}
	if after != "" {
		query.Set("after", after)
	}
	return (&url.URL{Path: "/admin/log", RawQuery: query.Encode()}).String()
}

// placeOf reads what logURL wrote; nil is the beginning.
func placeOf(after string) *accounts.Place {
	micro, number, _ := strings.Cut(after, ".")
	at, err := strconv.ParseInt(micro, 10, 64)
	if err != nil || at < 0 || at > 1<<53 {
		return nil
	}
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil
	}
	return &accounts.Place{At: time.UnixMicro(at).UTC(), Seq: seq}
}

// actorNames returns what actors are called by now, by what the log calls them.
func (s *site) actorNames(v *visit) (map[string]string, error) {
	names := map[string]string{app.CommandLine: ""}
	all, err := s.App.Accounts.All(v.Context())
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		names[accounts.Name(a.ID)] = a.Email
	}
	keys, err := s.App.Accounts.APIKeys(v.Context())
	for _, k := range keys {
		names["key "+strconv.FormatInt(k.ID, 10)] = k.Name
	}
	return names, err
}

// changes puts what columns were beside what they became.
func changes(before, after json.RawMessage) (all []adminpage.LogChange) {
	var was, became map[string]json.RawMessage
	_ = json.Unmarshal(before, &was) // the database keeps nothing but objects there
	_ = json.Unmarshal(after, &became)
	columns := map[string]json.RawMessage{}
	maps.Copy(columns, was)
	maps.Copy(columns, became)
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		all = append(all, adminpage.LogChange{Column: column, Before: string(was[column]), After: string(became[column])})
	}
	return all
}
