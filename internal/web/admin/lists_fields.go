package admin

import (
	"slices"

	"silkpost/feeds"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// listFields are all that can be said of a list, in the order of its form: what one has to say comes first, the rest has defaults.
var listFields = []formField[subscribers.List]{
	{section: "basics", name: "slug", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.Slug) }},
	{section: "basics", name: "name", kind: adminpage.WordsField, of: func(l *subscribers.List) binding { return bindWords(&l.Name) }},
	{section: "basics", name: "sender_name", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.Sender.Name) }},
	{section: "basics", name: "sender_address", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.Sender.Address) }},
	{section: "basics", name: "postal_address", kind: adminpage.TextField, of: func(l *subscribers.List) binding { return bindText(&l.PostalAddress) }},
	{section: "basics", name: "select_sources", kind: adminpage.ChoicesField, of: func(l *subscribers.List) binding { return bindSet(&l.Selection.Sources) }},
	{section: "basics", name: "select_sections", kind: adminpage.OpenField, of: func(l *subscribers.List) binding { return bindSet(&l.Selection.Sections) }},
	{section: "basics", name: "select_tags", kind: adminpage.OpenField, of: func(l *subscribers.List) binding { return bindSet(&l.Selection.Tags) }},
	{section: "basics", name: "select_languages", kind: adminpage.OpenField, of: func(l *subscribers.List) binding { return bindSet(&l.Selection.Languages) }},

	{section: "rhythms", name: "rhythms", kind: adminpage.ChoicesField, words: subscribers.Rhythms, of: func(l *subscribers.List) binding { return bindSet(&l.Rhythms) }},
	{section: "rhythms", name: "default_rhythm", kind: adminpage.ChoiceField, words: subscribers.Rhythms, of: func(l *subscribers.List) binding { return bindText(&l.DefaultRhythm) }},
	{section: "rhythms", name: "time_zone", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.TimeZone) }},
	{section: "rhythms", name: "editorial_hour", kind: adminpage.HourField, of: func(l *subscribers.List) binding { return bindText(&l.EditorialHour) }},
	{section: "rhythms", name: "delivery_hour", kind: adminpage.HourField, of: func(l *subscribers.List) binding { return bindText(&l.DeliveryHour) }},

	{section: "calendar", name: "daily_on", kind: adminpage.ChoicesField, words: subscribers.Weekdays, of: func(l *subscribers.List) binding { return bindSet(&l.DailyOn) }},
	{section: "calendar", name: "daily_at", kind: adminpage.HourField, of: func(l *subscribers.List) binding { return bindText(&l.DailyAt) }},
	{section: "calendar", name: "weekly_on", kind: adminpage.ChoiceField, words: subscribers.Weekdays, of: func(l *subscribers.List) binding { return bindText(&l.WeeklyOn) }},
	{section: "calendar", name: "weekly_at", kind: adminpage.HourField, of: func(l *subscribers.List) binding { return bindText(&l.WeeklyAt) }},
	{section: "calendar", name: "monthly_on", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.MonthlyOn) }},
	{section: "calendar", name: "monthly_at", kind: adminpage.HourField, of: func(l *subscribers.List) binding { return bindText(&l.MonthlyAt) }},
	{section: "calendar", name: "not_on", kind: adminpage.LinesField, of: func(l *subscribers.List) binding { return bindSet(&l.NotOn) }},

	{section: "amount", name: "min_articles", kind: adminpage.NumberField, of: func(l *subscribers.List) binding { return bindNumber(&l.MinArticles) }},
	{section: "amount", name: "max_articles", kind: adminpage.NumberField, of: func(l *subscribers.List) binding { return bindNumber(&l.MaxArticles) }},
	{section: "amount", name: "rest", kind: adminpage.ChoiceField, words: []string{subscribers.RestWaits, subscribers.RestMore}, of: func(l *subscribers.List) binding { return bindText(&l.Rest) }},
	{section: "amount", name: "leave_out", kind: adminpage.ChoicesField, of: func(l *subscribers.List) binding { return bindSet(&l.LeaveOut) }},

	{section: "approval", name: "approval", kind: adminpage.CheckField, of: func(l *subscribers.List) binding { return bindFlag(&l.Approval) }},
	{section: "approval", name: "approval_within", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindLength(&l.ApprovalWithin) }},
	{
		section: "approval", name: "unapproved", kind: adminpage.ChoiceField,
		words: []string{subscribers.UnapprovedHold, subscribers.UnapprovedSend, subscribers.UnapprovedCancel},
		of:    func(l *subscribers.List) binding { return bindText(&l.Unapproved) },
	},

	{section: "languages", name: "fallback_language", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.FallbackLanguage) }},
	{section: "languages", name: "about", kind: adminpage.TextsField, of: func(l *subscribers.List) binding { return bindWords(&l.Description) }},

	{section: "people", name: "public", kind: adminpage.CheckField, of: func(l *subscribers.List) binding { return bindFlag(&l.Public) }},
	{section: "people", name: "opt_in", kind: adminpage.ChoiceField, words: []string{"double", "single"}, of: func(l *subscribers.List) binding { return bindText(&l.OptIn) }},
	{
		section: "people", name: "welcome", kind: adminpage.ChoiceField,
		words: []string{subscribers.WelcomeOff, subscribers.WelcomeOn, subscribers.WelcomeLastEdition},
		of:    func(l *subscribers.List) binding { return bindText(&l.Welcome) },
	},
	{section: "people", name: "archive", kind: adminpage.CheckField, of: func(l *subscribers.List) binding { return bindFlag(&l.Archive) }},
	{section: "people", name: "sender_reply_to", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindText(&l.Sender.ReplyTo) }},

	{section: "sending", name: "theme", kind: adminpage.ChoiceField, words: []string{""}, of: func(l *subscribers.List) binding { return bindText(&l.Theme) }},
	{section: "sending", name: "immediate_after", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindLength(&l.ImmediateAfter) }},
	{section: "sending", name: "late_after", kind: adminpage.LineField, of: func(l *subscribers.List) binding { return bindLength(&l.LateAfter) }},
	{
		section: "sending", name: "in_doubt", kind: adminpage.ChoiceField, words: []string{subscribers.InDoubtAgain, subscribers.InDoubtLeave},
		of: func(l *subscribers.List) binding { return bindText(&l.InDoubt) },
	},
}

// mostOffered is how many sections, tags or languages are offered.
const mostOffered = 40

// listOffers are what a list's form offers of what there is, together with what the list has already.
func (s *site) listOffers(v *visit, list *subscribers.List) (offers map[string][]string, err error) {
	offers = map[string][]string{"time_zone": subscribers.TimeZones(), "fallback_language": s.App.Templates.Tags()}
	for name, of := range map[string]struct {
		kind feeds.Kind
		has  []string
	}{
		"select_sections":  {feeds.OfSection, list.Selection.Sections},
		"select_tags":      {feeds.OfTag, list.Selection.Tags},
		"select_languages": {feeds.OfLanguage, list.Selection.Languages},
	} {
		there, err := s.App.Feeds.Values(v.Context(), s.App.DB, of.kind, mostOffered)
		if err != nil {
			return nil, err
		}
		offers[name] = together(there, of.has)
	}
	sources, err := s.App.SourceList(v.Context())
	if err != nil {
		return nil, err
	}
	for i := range sources {
		offers["select_sources"] = append(offers["select_sources"], sources[i].Slug)
	}
	offers["select_sources"] = together(offers["select_sources"], list.Selection.Sources)
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	if err != nil {
		return nil, err
	}
	for i := range lists {
		if lists[i].Slug != list.Slug {
			offers["leave_out"] = append(offers["leave_out"], lists[i].Slug)
		}
	}
	themes, err := compose.Themes(v.Context(), s.App.DB)
	for i := range themes {
		offers["theme"] = append(offers["theme"], themes[i].Slug)
	}
	offers["theme"] = together(offers["theme"], filled([]string{list.Theme}))
	return offers, err
}

// together returns what is in either, each once.
func together(there, has []string) []string {
	all := slices.Concat(there, has)
	slices.Sort(all)
	return slices.Compact(all)
}
