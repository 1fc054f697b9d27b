package app_test

import (
	"strings"
	"testing"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/testkit"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
)

// Words in the list's own language stand in for those that are not there, and say which language they are in.
func TestWordsInTheListsOwnLanguage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"fallback_language = \"pt-BR\"\n")
	h.contacts(t, "leitura@example.org,Leitura,pt,weekly", "muharrir@example.org,,ar,weekly")
	subject, introduction := "Novidades", "# Olá\n\nCaros parceiros"
	e, err := h.MakeEdition(t.Context(), "7", app.MakeOptions{
		List: "partners", Texts: edition.Texts{Subject: &subject, Introduction: &introduction}, AtOnce: true, Approve: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	waitUntilSent(t, h, e.ID)
	const box = `<div lang="pt" dir="ltr" align="left">`
	for to, want := range map[string]struct {
		box       bool
		languages string
	}{"leitura@example.org": {false, "pt"}, "muharrir@example.org": {true, "ar, pt"}} {
		got := h.letters(t)[to]
		if got.GetHeader("Subject") != subject || !strings.Contains(got.Text, "Caros parceiros") || got.GetHeader("Content-Language") != want.languages {
			t.Errorf("%s gets %q in %q:\n%s", to, got.GetHeader("Subject"), got.GetHeader("Content-Language"), got.Text)
		}
		before, _, _ := strings.Cut(got.HTML, "Caros parceiros")
		if strings.Contains(before, box) != want.box {
			t.Errorf("%s: the introduction in\n%s", to, before[max(0, len(before)-900):])
		}
	}
}

// What an editor did with an edition is in the mails; a correction goes to those who got it.
func TestWhatTheDeskDoesIsInTheMails(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"approval = true\n")
	h.contacts(t, "editor@example.org,Editor,en,weekly", "redazione@example.org,Redazione,it,weekly", "muharrir@example.org,,ar,weekly")
	h.articles(t, relayEn, seatsEn)
	ctx, desk := t.Context(), h.Desk(edition.CommandLine)
	sent, err := h.SendDigest(ctx, app.SendOptions{List: "partners"})
	if err != nil || sent.Editions[0].State != edition.Review {
		t.Fatalf("%+v, %v", sent, err)
	}
	id := sent.Editions[0].ID
	subject, introduction := "We moved", "Dear *friends*"
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	must("write", h.WriteEdition(ctx, "7", id, "en", edition.Texts{Subject: &subject, Introduction: &introduction}))
	_, _, err = h.TranslateArticle(ctx, "7", "robots-pass-the-water-on", articles.Translation{Language: "it", Title: "I robot", Summary: "Quarantuno squadre."})
	must("translate", err)
	must("pin", h.Arrange(ctx, id, []string{"robots-pass-the-water-on"}, desk.Pin))
	_, _, err = h.WithdrawArticle(ctx, "7", "thirty-seats-for-exchange")
	must("withdraw", err)
	h.run(t, app.Parts{Worker: true})
	must("approve", desk.Approve(ctx, id))
	testkit.Eventually(t, patience, "three mails", func() bool { return len(h.post.Messages()) == 3 })
	letters := h.letters(t)
	for _, want := range []struct{ to, subject, title, words string }{
		{"editor@example.org", subject, "Robots pass the water on", "Dear *friends*"},
		{"redazione@example.org", "Notizie per i partner: I robot", "Quarantuno squadre.", ""},
		{"muharrir@example.org", "أخبار لشركائنا: \u2068Robots pass the water on\u2069", "Robots pass the water on", ""},
	} {
		got := letters[want.to]
		if got.GetHeader("Subject") != want.subject || !strings.Contains(got.Text, want.title) || strings.Contains(got.Text, "Thirty seats") {
			t.Errorf("%s gets %q:\n%s", want.to, got.GetHeader("Subject"), got.Text)
		}
		if strings.Contains(got.Text, "friends") != (want.words != "") {
			t.Errorf("%s: the introduction:\n%s", want.to, got.Text)
		}
	}
	testkit.Eventually(t, patience, "the edition is sent", func() bool {
		e, err := h.Edition(ctx, id)
		return err == nil && e.State == edition.Sent
	})
	h.contacts(t, "late@example.org,Late,en,weekly") // did not get it
	must("unsubscribe", subscribers.Unsubscribe(ctx, h.DB, value[int64](t, h, `SELECT s.id FROM subscribers.subscriptions s
		JOIN subscribers.contacts c ON c.id = s.contact_id WHERE c.email = 'redazione@example.org'`), subscribers.Evidence{Method: "one-click", At: h.Clock.Now()}))
	wrong := "It was thirty-one."
	notice, err := h.CorrectEdition(ctx, "7", id, nil, edition.Texts{Subject: &subject, Introduction: &wrong}, true)
	must("correct", err)
	if notice.Recipients != 2 {
		t.Errorf("the correction goes to %d", notice.Recipients)
	}
	testkit.Eventually(t, patience, "two corrections", func() bool { return len(h.post.Messages()) == 5 })
	for _, m := range h.post.Messages()[3:] {
		if m.To[0] == "late@example.org" || m.To[0] == "redazione@example.org" {
			t.Errorf("the correction goes to %v", m.To)
		}
	}
}

// The words of an announcement stand in for those in other languages also where the list's fallback is more exact than the product's languages.
func TestAnAnnouncementIsReadByEverybody(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"fallback_language = \"en-GB\"\n")
	h.contacts(t, "editor@example.org,Editor,en,weekly", "redazione@example.org,Redazione,it,weekly")
	words := "The office is closed."
	if _, err := h.MakeEdition(t.Context(), "7", app.MakeOptions{
		List: "partners", Texts: edition.Texts{Introduction: &words}, AtOnce: true, Approve: true,
	}); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "two mails", func() bool { return len(h.post.Messages()) == 2 })
	for to, letter := range h.letters(t) {
		if !strings.Contains(letter.Text, words) {
			t.Errorf("%s gets:\n%s", to, letter.Text)
		}
	}
}
