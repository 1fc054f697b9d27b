package subscribers_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// fullList sets every field to something else than NewList.
func fullList() subscribers.List {
	return subscribers.List{
		Slug: "events",
		Name: database.StringMap{"en": "Events", "zh-Hans": "活动", "ar": "فعاليات"},
		Sender: subscribers.Sender{
			Name: "Example Association", Address: "news@example.org", ReplyTo: "office@example.org",
		},
		PostalAddress: "1 Example Street\n00000 Exampletown",
		Selection: articles.Selection{
			Sections: []string{"Events"}, Tags: []string{"robotics"}, Languages: []string{"en", "zh-Hans"}, Sources: []string{"site"},
		},
		Rhythms: []string{"daily", "monthly"}, DefaultRhythm: "monthly", TimeZone: "Asia/Shanghai", EditorialHour: "16:30",
		DeliveryHour: "07:15", FallbackLanguage: "zh-Hans", Approval: true, Public: false, OptIn: "single", Welcome: "last-edition",
		ApprovalWithin: subscribers.Duration(4 * time.Hour), Unapproved: "cancel",
		Description: database.StringMap{"en": "What is on\nnext month", "it": "Gli appuntamenti"}, Theme: "bulletin", MinArticles: 2, MaxArticles: 12,
		DailyOn: []string{"tuesday", "friday"}, WeeklyOn: "thursday", MonthlyOn: "day 15", DailyAt: "06:00", WeeklyAt: "12:00", MonthlyAt: "13:30",
		NotOn: []string{"sunday", "12-25", "2026-04-06"}, ImmediateAfter: subscribers.Duration(90 * time.Second),
		LateAfter: subscribers.Duration(6 * time.Hour), Rest: "more", LeaveOut: []string{"board", "partners"}, InDoubt: "leave",
	}
}

func TestDeclareList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	declare := func(l subscribers.List, want database.Change) {
		t.Helper()
		if got, err := subscribers.DeclareList(t.Context(), b.db, l); err != nil || got != want {
			t.Fatalf("DeclareList: %q, %v; want %q", got, err, want)
		}
	}
	declare(fullList(), database.Added)
	declare(fullList(), database.Unchanged)
	got, err := subscribers.ListBySlug(t.Context(), b.db, "events")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullList(), got, cmpopts.IgnoreFields(subscribers.List{}, "ID")); diff != "" {
		t.Errorf("the list reads back otherwise (-declared +read):\n%s", diff)
	}
	bare := subscribers.NewList("events")
	declare(bare, database.Changed)
	declare(bare, database.Unchanged)
	if got, err = subscribers.ListBySlug(t.Context(), b.db, "events"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, got, cmpopts.IgnoreFields(subscribers.List{}, "ID"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the bare list reads back otherwise (-declared +read):\n%s", diff)
	}
}

// What is written in another way than it is stored must not be a change each time.
func TestDeclareListInAnyForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	given := fullList()
	given.Name = database.StringMap{"EN": " Events ", "zh-hans": "活动", "ar": "فعاليات"}
	given.Rhythms = []string{"monthly", "daily", "monthly"}
	given.EditorialHour = "16:30:00"
	given.Description = database.StringMap{"EN": "What is on\r\nnext month ", "it": "Gli appuntamenti"}
	given.DeliveryHour = "7:15"
	given.DailyOn = []string{"Friday", " tuesday ", "friday"}
	given.WeeklyOn, given.MonthlyOn, given.DailyAt = "Thursday", "Day  15", "6:00"
	given.NotOn = []string{"2026-04-06", "12-25", "Sunday", "12-25"}
	given.LeaveOut = []string{"partners", "board", "board"}
	given.FallbackLanguage = "zh-hans"
	given.PostalAddress = "1 Example Street\r\n00000 Exampletown\r\n"
	given.Selection.Languages = []string{"en", "zh-hans"}
	for _, want := range []database.Change{database.Added, database.Unchanged} {
		if got, err := subscribers.DeclareList(t.Context(), b.db, given); err != nil || got != want {
			t.Fatalf("DeclareList: %q, %v; want %q", got, err, want)
		}
	}
	got, err := subscribers.ListBySlug(t.Context(), b.db, "events")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullList(), got, cmpopts.IgnoreFields(subscribers.List{}, "ID")); diff != "" {
		t.Errorf("not in canonical form (-want +got):\n%s", diff)
	}
}

func TestDeclareListKeepsChosenRhythms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,rhythm\na@example.org,daily\nb@example.org,daily\nc@example.org,weekly\n")
	list := subscribers.NewList("partners")
	list.Rhythms = []string{"weekly"}
	_, err := subscribers.DeclareList(t.Context(), b.db, list)
	want := `list "partners": rhythms: 2 on the list have chosen daily; keep it among the rhythms`
	if err == nil || err.Error() != want || errs.KindOf(err) != errs.Conflict {
		t.Fatalf("got %v, want %s", err, want)
	}
	for _, id := range b.query(t, `SELECT subscription_id FROM subscribers.mailable WHERE rhythm = 'daily'`) {
		b.unsubscribe(t, id)
	}
	if change, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil || change != database.Changed {
		t.Fatalf("with nobody left on it: %q, %v", change, err)
	}
}

func TestListsOfANewInstallation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	lists, err := subscribers.Lists(t.Context(), b.db)
	if err != nil || len(lists) != 1 {
		t.Fatalf("%v, %v", lists, err)
	}
	want := subscribers.NewList("partners")
	want.Name = database.StringMap{"en": "News for our partners"}
	if diff := cmp.Diff(want, lists[0], cmpopts.IgnoreFields(subscribers.List{}, "ID"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("NewList and the schema differ (-want +got):\n%s", diff)
	}
}

func TestListBySlugNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := subscribers.DeclareList(t.Context(), b.db, fullList()); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"x", "", "no such", "\x00", "a\xff"} {
		_, err := subscribers.ListBySlug(t.Context(), b.db, slug)
		if err == nil || !strings.HasSuffix(err.Error(), `; the lists are: events, partners`) || errs.KindOf(err) != errs.NotFound {
			t.Errorf("ListBySlug(%q): %v", slug, err)
		}
	}
}

func TestValidateNamesEachMistake(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(l *subscribers.List)
		want  string
	}{
		"slug": {func(l *subscribers.List) { l.Slug = "Our News" }, `list "Our News", slug: small letters a to z, digits`},
		"long slug": {
			func(l *subscribers.List) { l.Slug = strings.Repeat("a", 64) },
			"slug: small letters a to z, digits and single hyphens between them, at most 63",
		},
		"language of a name": {func(l *subscribers.List) { l.Name["klingonisch"] = "x" }, `name: "klingonisch" is not a language tag`},
		"name twice":         {func(l *subscribers.List) { l.Name["zh-hans"] = "x" }, "name: zh-Hans is given twice"},
		"empty name":         {func(l *subscribers.List) { l.Name["it"] = " " }, "name in it: empty"},
		"header in a name": {
			func(l *subscribers.List) { l.Name["it"] = "Notizie\r\nBcc: x@example.org" },
			`name in it "Notizie\r\nBcc: x@example.org": a control character (U+000D)`,
		},
		"header in the sender": {
			func(l *subscribers.List) { l.Sender.Name = "A\nBcc: x@example.org" },
			`sender name "A\nBcc: x@example.org": a control character (U+000A)`,
		},
		"sender address": {
			func(l *subscribers.List) { l.Sender.Address = "News <news@example.org>" },
			`sender address "News <news@example.org>": give the address alone`,
		},
		"reply-to":       {func(l *subscribers.List) { l.Sender.ReplyTo = "office" }, `sender reply_to "office": no @ sign`},
		"postal address": {func(l *subscribers.List) { l.PostalAddress = "a\x00b" }, `postal_address "a\x00b": a control character (U+0000)`},
		"rhythm": {
			func(l *subscribers.List) { l.Rhythms = []string{"hourly", "monthly"} },
			`rhythms "hourly": not a rhythm; there are immediate, daily, weekly, monthly`,
		},
		"default rhythm": {
			func(l *subscribers.List) { l.DefaultRhythm = "weekly" },
			`default_rhythm "weekly": not among the rhythms offered (daily, monthly)`,
		},
		"no rhythm":      {func(l *subscribers.List) { l.Rhythms = nil }, `default_rhythm "monthly": not among the rhythms offered ()`},
		"time zone":      {func(l *subscribers.List) { l.TimeZone = "Mars/Olympus" }, `time_zone "Mars/Olympus": not a time zone`},
		"own time zone":  {func(l *subscribers.List) { l.TimeZone = "Local" }, `time_zone "Local": not a time zone`},
		"no time zone":   {func(l *subscribers.List) { l.TimeZone = "" }, `time_zone "": not a time zone`},
		"editorial hour": {func(l *subscribers.List) { l.EditorialHour = "25:00" }, `editorial_hour "25:00": not an hour of the day`},
		"delivery hour":  {func(l *subscribers.List) { l.DeliveryHour = "8" }, `delivery_hour "8": not an hour of the day`},
		"fallback":       {func(l *subscribers.List) { l.FallbackLanguage = "" }, `fallback_language: "" is not a language tag`},
		"opt-in":         {func(l *subscribers.List) { l.OptIn = "triple" }, `opt_in "triple": neither single nor double`},
		"description": {
			func(l *subscribers.List) { l.Description["it"] = "a\x00b" }, `description in it "a\x00b": a control character (U+0000)`,
		},
		"theme":        {func(l *subscribers.List) { l.Theme = "../dark" }, `theme "../dark": small letters`},
		"min_articles": {func(l *subscribers.List) { l.MinArticles = 0 }, `min_articles 0: between 1 and 10000`},
		"max_articles": {func(l *subscribers.List) { l.MaxArticles = 1 }, `max_articles 1: 0 for no limit, or between min_articles`},
		"no day":       {func(l *subscribers.List) { l.DailyOn = nil }, `daily_on: no day: give weekdays such as ["monday", "thursday"]`},
		"a day":        {func(l *subscribers.List) { l.DailyOn = []string{"someday"} }, `daily_on "someday": not a weekday such as monday`},
		"weekly_on":    {func(l *subscribers.List) { l.WeeklyOn = "" }, `weekly_on "": not a weekday such as monday`},
		"monthly_on": {
			func(l *subscribers.List) { l.MonthlyOn = "fifth monday" },
			`monthly_on "fifth monday": not a day of the month such as "first monday", "last friday", "day 15" or "last day"`,
		},
		"a long month": {func(l *subscribers.List) { l.MonthlyOn = "day 32" }, `monthly_on "day 32": not a day of the month`},
		"daily_at":     {func(l *subscribers.List) { l.DailyAt = "noon" }, `daily_at "noon": not an hour of the day`},
		"not_on": {
			func(l *subscribers.List) { l.NotOn = []string{"02-30"} },
			`not_on "02-30": neither a weekday nor a day of each year such as 12-25 nor a date such as 2026-04-06`,
		},
		"never": {func(l *subscribers.List) { l.NotOn = subscribers.Weekdays }, `not_on: all seven weekdays: leave one on which editions may be made`},
		"never daily": {
			func(l *subscribers.List) { l.NotOn = []string{"tuesday", "friday"} }, `not_on: every day of daily_on (tuesday, friday): leave one of them`,
		},
		"too many days":   {func(l *subscribers.List) { l.NotOn = slices.Repeat([]string{"12-25"}, 101) }, `not_on: more than 100 days`},
		"immediate_after": {func(l *subscribers.List) { l.ImmediateAfter = -1 }, `immediate_after "-1ns": whole seconds between 0s and 1h`},
		"late_after":      {func(l *subscribers.List) { l.LateAfter = 0 }, `late_after "0s": whole seconds between 1m and 720h`},
		"rest":            {func(l *subscribers.List) { l.Rest = "drop" }, `rest "drop": none of wait, more`},
		"in_doubt":        {func(l *subscribers.List) { l.InDoubt = "drop" }, `in_doubt "drop": neither again nor leave`},
		"leave_out":       {func(l *subscribers.List) { l.LeaveOut = []string{"Our News"} }, `leave_out "Our News": not the slug of a list`},
		"leave_out itself": {
			func(l *subscribers.List) { l.LeaveOut = []string{"events"} }, `leave_out "events": the list itself: nothing comes twice on one list`,
		},
		"unapproved": {func(l *subscribers.List) { l.Unapproved = "perhaps" }, `unapproved "perhaps": none of hold, send, cancel`},
		"deadline":   {func(l *subscribers.List) { l.ApprovalWithin = -1 }, `approval_within "-1ns"`},
		"welcome":    {func(l *subscribers.List) { l.Welcome = "hello" }, `welcome "hello": none of off, on, last-edition`},
		"selection": {
			func(l *subscribers.List) { l.Selection.Languages = []string{"xx"} },
			`select languages: "xx" is not a language tag`,
		},
		"selected tag": {
			func(l *subscribers.List) { l.Selection.Tags = []string{"a\x00"} },
			`select tags "a\x00": a control character (U+0000)`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := fullList()
			c.spoil(&list)
			err := list.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || errs.KindOf(err) != errs.Invalid {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		t.Parallel()
		list := fullList()
		for name, c := range cases {
			if name != "no rhythm" && name != "long slug" && name != "leave_out itself" {
				c.spoil(&list)
			}
		}
		if lines := strings.Count(list.Validate().Error(), "\n") + 1; lines < 12 {
			t.Errorf("%d lines:\n%v", lines, list.Validate())
		}
	})
}

func TestNameIn(t *testing.T) {
	t.Parallel()
	list := fullList()
	for tag, want := range map[string]string{
		"en": "Events", "en-GB": "Events", "zh-CN": "活动", "zh-Hant": "活动", "it": "活动", "ar-EG": "فعاليات", "": "活动",
	} {
		if got := list.NameIn(tag); got != want {
			t.Errorf("NameIn(%q) = %q, want %q", tag, got, want)
		}
	}
	list.FallbackLanguage = "it"
	if got := list.NameIn("ja"); got != "Events" {
		t.Errorf("without a name in the fallback language: %q", got)
	}
	list.Name = database.StringMap{"th": "ก", "uk": "б"}
	if got := list.NameIn("ru"); got != "ก" {
		t.Errorf("without a name in any wanted language: %q", got)
	}
	list.Name = nil
	if got := list.NameIn("ru"); got != "events" {
		t.Errorf("without names: %q", got)
	}
}

func TestRhythmsInUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,rhythm\na@example.org,monthly\nb@example.org,daily\nc@example.org,monthly\nd@example.org,weekly\n")
	list, err := subscribers.ListBySlug(t.Context(), b.db, "partners")
	if err != nil {
		t.Fatal(err)
	}
	b.unsubscribe(t, strconv.FormatInt(b.subscriptionOf(t, "partners", "d@example.org"), 10))
	got, err := subscribers.RhythmsInUse(t.Context(), b.db, list.ID)
	if want := []string{"daily", "monthly"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
