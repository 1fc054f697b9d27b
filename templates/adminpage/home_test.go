package adminpage

import (
	"html/template"
	"strconv"
	"time"

	"silkpost/internal/plot"
)

var homeSamples = []Page{
	Home{Empty: true},
	Home{
		Needs: homeSampleNeeds(),
		Going: []HomeEdition{{URL: "/admin/editions/1", List: "News for our partners", Rhythm: "weekly", Date: homeTime, Recipients: 1204, State: "sending"}},
		Next: []HomeNext{
			{URL: "/admin/lists/partners", List: "News for our partners", Rhythm: "weekly", CutOff: homeTime, Comes: homeTime.Add(20 * time.Hour)},
			{URL: "/admin/lists/partners", List: "News for our partners", Rhythm: "immediate"},
			{URL: "/admin/lists/press", List: "科学节新闻", Rhythm: "monthly", CutOff: homeTime, Comes: homeTime, Approval: true, Paused: true},
		},
		Sent: []HomeEdition{{URL: "/admin/editions/1", List: "News for our partners", Rhythm: "once", Date: homeTime, Recipients: 1, State: "sent", At: homeTime}},
		Plots: []HomePlot{
			samplePlot("sent", 1204), samplePlot("deferred", 31), samplePlot("bounced", 3), samplePlot("unsubscribed", 0),
		},
		Days: []HomeDay{{Date: homeTime, Sent: 1204, Deferred: 3, Bounced: 1, Unsubscribed: 2}},
	},
	Guide{Steps: []GuideStep{
		{Key: "source", Done: true, URL: "/admin/sources/new", Act: "edit"},
		{Key: "articles", Next: true, URL: "/admin/articles", Act: "read"},
		{Key: "list", URL: "/admin/lists/partners", Act: "lists"},
		{Key: "partners", URL: "/admin/import", Also: "/admin/contacts", Act: "people"},
		{Key: "preview", URL: "/admin/editions", Act: "edit"},
		{Key: "approve", URL: "/admin/editions", Act: "send"},
		{Key: "watch", URL: "/admin/editions", Act: "read"},
	}},
	Guide{Done: true},
	Mails{},
	Mails{Kinds: []MailKind{{"approval", true}, {"held", true}, {"source", false}, {"destination", true}, {"report", false}}},
}

// samplePlot is a plot of thirty days, on the busiest of which there is most.
func samplePlot(what string, most int) HomePlot {
	p := HomePlot{What: what, First: homeTime.AddDate(0, 0, -29), Last: homeTime}
	values := make([]int, 30)
	for i := range values {
		values[i] = most * (i * 7 % 13) / 12
		p.Sum += values[i]
	}
	svg, err := plot.Bars(values, strconv.Itoa)
	if err != nil {
		panic(err)
	}
	p.SVG = template.HTML(svg)
	return p
}

var homeTime = time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)

// homeSampleNeeds has one need of each kind.
func homeSampleNeeds() (all []HomeNeed) {
	deadline := homeTime.Add(time.Hour)
	for _, kind := range []string{"approval", "release", "late", "resume"} {
		all = append(all, HomeNeed{Kind: kind, URL: "/admin/editions/1", List: "News for our partners", Rhythm: "weekly", Date: homeTime, Count: 1204, Since: homeTime, Act: "send"})
	}
	all[0].Deadline = &deadline
	all[1].Why = "nobody approved it until 2026-11-24 08:00 UTC: release it to send it, or cancel it"
	return append(all,
		HomeNeed{Kind: "adopt", URL: "/admin/settings", Why: "the database was restored", Act: "administer"},
		HomeNeed{Kind: "relay", URL: "/admin/settings", Act: "administer"},
		HomeNeed{Kind: "sender", URL: "/admin/lists/partners", Name: "News for our partners", Act: "lists"},
		HomeNeed{Kind: "postal", URL: "/admin/lists/press", Name: "Press", Act: "lists"},
		HomeNeed{Kind: "key", URL: "/admin/settings", Name: "example.org", Act: "administer"},
		HomeNeed{Kind: "source", URL: "/admin/sources/site", Name: "site", Count: 7, Since: homeTime, Why: "https://www.example.org/feed.xml: 404 Not Found", Act: "edit"},
		HomeNeed{Kind: "articles", URL: "/admin/sources/site", Name: "site", Count: 120, Since: homeTime, Act: "edit"},
		HomeNeed{Kind: "destination", URL: "/admin/destinations/example.com", Name: "example.com", Since: homeTime, Why: "550 5.7.1 blocked", Act: "send"},
		HomeNeed{Kind: "go", URL: "/admin/destinations/example.net", Name: "example.net", Since: homeTime, Act: "send"},
		HomeNeed{Kind: "inbox", URL: "/admin/settings/bounces", Count: 2, Act: "people"},
		HomeNeed{Kind: "reach", URL: "/admin/organisations", Count: 1, Some: []HomeLink{{"/admin/organisations/1", "Museum of the north"}}, Act: "people"},
	)
}
