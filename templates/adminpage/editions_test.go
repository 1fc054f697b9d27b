package adminpage

import (
	"testing"
	"time"
)

var (
	editionsNow = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	editionsDay = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
)

func soon(d time.Duration) *time.Time {
	at := editionsNow.Add(d)
	return &at
}

func sampleRow(state string) EditionRow {
	return EditionRow{
		ID: "019a0000-0000-7000-8000-000000000001", List: "partners", ListName: "News for our partners", Rhythm: "weekly", State: state, Date: editionsDay, Articles: 7,
		Recipients: 3204, Progress: EditionProgress{
			ID: "019a0000-0000-7000-8000-000000000001", At: editionsNow, Known: true, Recipients: 3204, Done: 1204, Sent: 1190, Waiting: 1980, Deferred: 20, Failed: 14,
			Suppressed: 2, Cancelled: 1, PerMinute: 840, Left: 3, Next: soon(-time.Minute), Last: soon(8 * time.Hour),
		},
	}
}

func row(state string, change func(r *EditionRow)) EditionRow {
	r := sampleRow(state)
	change(&r)
	return r
}

var (
	reviewRow = row("review", func(r *EditionRow) { r.ApproveBy, r.Progress.Done, r.Progress.Sent = soon(4*time.Hour), 0, 0 })
	heldRow   = row("held", func(r *EditionRow) {
		r.Reason = "nobody approved it until 2026-11-22 08:00 UTC: release it to send it, or cancel it"
	})
	pausedRow   = row("sending", func(r *EditionRow) { r.Paused = true })
	unknownRow  = row("approved", func(r *EditionRow) { r.Progress.Known, r.Recipients = false, 1_000_000 })
	waitingRow  = row("approved", func(r *EditionRow) { r.Progress.Next, r.Progress.Nobody = soon(time.Hour), true })
	skippedRow  = row("skipped", func(r *EditionRow) { r.Reason, r.Recipients = "nothing new", 0 })
	sentRow     = row("sent", func(r *EditionRow) { r.Progress.Next, r.Progress.Last, r.Progress.Done = nil, nil, 3204 })
	correctsRow = row("sent", func(r *EditionRow) { r.Correction, r.Rhythm = true, "once" })

	sampleItems = []EditionItem{
		{Slug: "robots", Title: "Robots pass the water on", Language: "en", Section: "Events", Languages: []string{"en", "it"}, Published: editionsNow, Recipients: 3204, Placed: true, First: true},
		{Slug: "light", Title: "用激光测风 <b>", Language: "zh-Hans", Languages: []string{"zh-Hans"}, Published: editionsNow, Recipients: 12, Added: true, Urgent: true},
		{Slug: "seats", Title: "ثلاثون مقعدًا للتبادل", Language: "ar", Languages: []string{"ar"}, Published: editionsNow, Recipients: 400, Pinned: true, Last: true},
		{Recipients: 3, Languages: nil},
	}
	sampleDropped = []EditionItem{{Slug: "old", Title: "Thirty seats", Language: "en", Dropped: "later"}, {Slug: "older", Title: "Forty", Language: "en", Dropped: "never"}, {Dropped: "never"}}
	sampleLog     = []EditionEntry{
		{At: editionsNow, Who: EditionWho{Name: "Ada Editor"}, Deed: "added", About: "robots"},
		{At: editionsNow, Who: EditionWho{Key: "command_line"}, Deed: "approved"},
		{At: editionsNow, Who: EditionWho{Key: "schedule"}, About: "something new"},
	}
	samplePauses = []EditionPause{{At: editionsNow, Who: EditionWho{Key: "you"}, May: true}, {List: "partners", ListName: "News for our partners", At: editionsNow, Who: EditionWho{Key: "command_line"}}}
	sampleLists  = []EditionChoice{{"partners", "News for our partners"}, {"staff", "Staff"}}
)

var editionsSamples = []Page{
	Editions{},
	Editions{List: "partners", Lists: sampleLists, State: "sent"},
	Editions{
		Lists: sampleLists, Rhythm: "weekly", Waiting: []EditionRow{reviewRow, heldRow}, Going: []EditionRow{sampleRow("sending"), unknownRow, waitingRow, pausedRow},
		Coming: []EditionComing{
			{List: "partners", ListName: "News for our partners", Rhythm: "daily", CutOff: editionsNow, Comes: editionsNow, Wall: time.UTC, Before: 3204, BeforeID: "1"},
			{List: "staff", ListName: "Staff", Rhythm: "monthly", CutOff: editionsNow, Comes: editionsNow, Wall: time.UTC, Before: -1, Lacks: "list staff has no sender address"},
		},
		More: 4, Past: []EditionRow{sentRow, skippedRow, correctsRow, unknownRow}, Pauses: samplePauses, Pager: Pager{NextURL: "/admin/editions?before=1"}, Query: "list=partners",
	},
	Editions{Older: true, Past: []EditionRow{sentRow}, Pager: Pager{FirstURL: "/admin/editions"}, MayStopAll: true},
	Edition{
		Row: reviewRow, CutOff: editionsNow, Theme: "winter", Audience: "country = IT", Repeats: true, Corrects: "019a", Empty: 12, WaitingFor: 3, Stopped: samplePauses,
		Items: sampleItems, Dropped: sampleDropped, Arrangeable: true, AnyPlaced: true, Find: "robot", Found: sampleItems[:2], Variants: 14,
		Tongues: []EditionTongue{
			{Language: "en", Recipients: 3000, Variants: 12, Articles: 7, Subject: "We moved", Introduction: "Dear *friends*"},
			{Language: "ar", Recipients: 204, Variants: 2, Articles: 7, Untranslated: 5},
		},
		Samples: []EditionVariant{{ID: 1, Language: "en", Recipients: 3000}, {ID: 2, Language: "ar", Recipients: 190}}, Rare: 12, Log: sampleLog, Open: true, HasDeliveries: true,
		Destinations: []EditionDestination{
			{Name: "example.org", Recipients: 3000, Sent: 1000, Waiting: 1990, Deferred: 3, Failed: 7, Bounced: 1, Paused: true, Until: editionsNow, Why: "421 too fast"},
			{Name: "example.net", Recipients: 3, Paused: true},
			{Recipients: 201, Sent: 201},
		},
		Unsent: 2000,
	},
	Edition{Row: heldRow, Arrangeable: true, Find: "nothing", MayRelease: true, MayCorrect: true, Open: true, Mistakes: Mistakes{"": "article \"x\" is not in edition 1: add it first"}},
	Edition{Row: sentRow, MayCorrect: true, Finished: soon(0), Items: sampleItems},
	Edition{Row: pausedRow, Open: true, HasDeliveries: true},
	EditionConfirm{Row: reviewRow, Act: "approve", Unsent: 3204, Seen: 7, Titles: sampleItems[:2], Next: soon(time.Hour)},
	EditionConfirm{Row: reviewRow, Act: "approve", Unsent: 1, Changed: true, Lately: sampleLog, Mistakes: Mistakes{"": "it has changed"}},
	EditionConfirm{Row: sampleRow("approved"), Act: "approve", Changed: true, Wrong: true, Lately: sampleLog[1:]},
	EditionConfirm{Row: heldRow, Act: "release", Unsent: 2},
	EditionConfirm{Row: reviewRow, Act: "hold", Unsent: 2, Reason: "let me see"},
	EditionConfirm{Row: reviewRow, Act: "cancel", Unsent: 1204},
	EditionConfirm{Row: pausedRow, Act: "resume", Unsent: 1204},
	EditionLeaveOut{Row: reviewRow, Article: EditionItem{Slug: "robots", Title: "Robots <i>pass</i>", Language: "en"}, Recipients: 1204, Some: []string{"anna@example.org", "bo@example.org"}},
	EditionLeaveOut{Row: reviewRow, Article: EditionItem{Title: "مرحبا", Language: "ar"}, Recipients: 1},
	EditionText{Row: reviewRow, Tongue: EditionTongue{Language: "ar", Recipients: 1}, Fields: Fields{"subject": {"x"}}, Variant: 4, Mistakes: Mistakes{"subject": "the subject: one line"}},
	EditionPreview{Row: sampleRow("skipped")},
	EditionPreview{
		Row: reviewRow, Variants: []EditionVariant{{ID: 1, Language: "en", Recipients: 3000}, {ID: 2, Language: "ar", Recipients: 190}}, Shown: EditionVariant{ID: 1, Language: "en"},
		Subject: "News for our partners: Robots", From: "news@example.org", Size: 24_000, Pictures: true, To: "owner@example.org",
		Answers: []EditionAnswer{{"en", true, 250, "2.0.0 ok"}, {"it", false, 550, "5.7.1 <no>"}}, Mistakes: Mistakes{"to": "no @ sign"},
	},
	EditionDeliveries{Row: sentRow, Gone: true},
	EditionDeliveries{Row: sentRow},
	EditionDeliveries{Row: sentRow, Find: "x", Pager: Pager{NextURL: "/n"}},
	EditionDeliveries{Row: sentRow, Find: "x", Mistakes: Mistakes{"": "more than 10,000 contacts"}},
	EditionDeliveries{
		Row: sentRow, State: "failed", States: []string{"sent", "failed"}, Pager: Pager{NextURL: "/n", FirstURL: "/f"}, Found: []EditionDelivery{
			{
				Contact: 1, Email: "reader@example.org", Houses: []string{"Museum", "Academy"}, State: "sent", Language: "en", Variant: 1, Articles: 7, Due: editionsNow, Settled: soon(0),
				Attempts: 2, Resent: 1, Bounced: soon(time.Hour), Bounce: "hard", Said: "5.1.1 no such user", MayResend: true,
				Tries: []EditionTry{{editionsNow, "deferred", "rcpt", 450, "4.2.0 <greylisted>"}, {editionsNow, "sent", "dot", 250, "2.0.0 ok"}},
			},
			{Contact: 2, State: "pending", Language: "ar", Due: editionsNow},
			{Contact: 3, Email: "x@example.org", State: "failed", Language: "it"},
			{Contact: 4, Email: "y@example.org", State: "cancelled", Language: "it", Bounced: soon(0), Bounce: "unclear"},
		},
	},
	EditionMake{Lists: sampleLists, Fields: Fields{"list": {"staff"}, "when": {"hours"}}, Articles: sampleItems[:1], Found: sampleItems[1:3], Mistakes: Mistakes{"list": "no", "audience": "no"}},
	EditionMake{Lists: sampleLists, Saved: savedSamples, Fields: Fields{"had": {"words"}}},
	EditionMake{Corrects: sentRow, Articles: sampleItems[:2], Fields: Fields{"article": {"robots"}}},
	EditionPauses{Going: []EditionRow{pausedRow}},
	EditionPauses{Resume: true},
	EditionPauses{List: "partners", ListName: "News for our partners"},
	EditionPauses{List: "partners", ListName: "News for our partners", Resume: true},
}

// What nobody got was not sent.
func TestAnEditionOfWhichNothingArrivedIsNotShownAsSent(t *testing.T) {
	t.Parallel()
	r := EditionRow{State: "sent", Progress: EditionProgress{Known: true, Recipients: 40, Failed: 40}}
	if r.StateWord() != "ended" || r.Kind() != "needs-you" {
		t.Errorf("%s, %s", r.StateWord(), r.Kind())
	}
	if r.Progress.Sent = 1; r.StateWord() != "sent" || r.Kind() != "done" {
		t.Errorf("one was sent: %s, %s", r.StateWord(), r.Kind())
	}
}
