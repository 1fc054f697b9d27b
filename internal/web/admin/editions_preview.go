package admin

import (
	"errors"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/mailer/reply"
	"silkpost/templates/adminpage"
)

// framePolicy is that of a mail in a frame: nothing is loaded from anywhere. withPictures lets pictures come from where articles have them.
const (
	frameBase    = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
	framePolicy  = frameBase + "; img-src data:"
	withPictures = frameBase + "; img-src 'self' https: http: data:"
)

// previewEdition shows a variant as a phone, a desktop, a dark phone and a reader of plain text show it.
func (s *site) previewEdition(v *visit) (adminpage.Page, error) {
	page, err := s.preview(v, number(v.query("variant")))
	return page, err
}

// preview shows a variant, 0: the one that most people get.
func (s *site) preview(v *visit, variant int64) (page adminpage.EditionPreview, err error) {
	id, err := editionID(v)
	if err != nil {
		return page, err
	}
	p, err := s.App.EditionPage(v.Context(), id)
	if err != nil {
		return page, err
	}
	page = adminpage.EditionPreview{Row: s.editionRow(v, p.Of, p.BoardEdition), Pictures: v.query("pictures") == "on", To: v.actor.Email}
	for _, sample := range p.Samples {
		page.Variants = append(page.Variants, variantShown(sample))
	}
	if len(page.Variants) == 0 {
		return page, nil
	}
	at := slices.IndexFunc(page.Variants, func(one adminpage.EditionVariant) bool { return one.ID == variant })
	if at < 0 && variant != 0 { // one that few people get
		rare, err := edition.SampleOf(v.Context(), s.App.DB, id, variant)
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return page, err
		}
		if err == nil {
			at = len(page.Variants)
			page.Variants = append(page.Variants, variantShown(rare))
		}
	}
	page.Shown = page.Variants[max(at, 0)]
	shown, err := s.App.ShowVariant(v.Context(), id, page.Shown.ID)
	page.Subject, page.From, page.Size = shown.Subject, shown.Sender, shown.Bytes
	return page, err
}

// variantFrame is what stands in one of the frames: light, dark or text.
func (s *site) variantFrame(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	shown, err := s.App.ShowVariant(v.Context(), id, number(v.PathValue("variant")))
	if err != nil {
		return nil, err
	}
	switch v.PathValue("view") {
	case "light":
		return s.framed(v, inScheme(shown.HTML, false))
	case "dark":
		return s.framed(v, inScheme(shown.HTML, true))
	case "text":
		return s.framed(v, plainText(shown))
	}
	return nil, errs.New(errs.NotFound, "no such view")
}

// framed answers with a mail for a frame.
func (s *site) framed(v *visit, mail string) (adminpage.Page, error) {
	policy := framePolicy
	if v.query("pictures") == "on" {
		policy = withPictures
	}
	v.w.Header().Set("Content-Security-Policy", policy)
	v.w.Header().Set("Referrer-Policy", "no-referrer")
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = v.w.Write([]byte(mail)) // a visitor who went away is no fault
	return nil, nil
}

// plainText is a mail's text part as a page of its own.
func plainText(shown app.ShownVariant) string {
	return `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><title></title>` +
		`<style>body{margin:12px;background:#fff;color:#1c1b19}pre{margin:0;font:12px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap}</style>` +
		`<pre>` + html.EscapeString(shown.Text) + `</pre>`
}

var (
	styleSheet = regexp.MustCompile(`(?is)<style[^>]*>.*?</style>`)
	darkQuery  = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*dark\s*\)`)
	lightQuery = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*light\s*\)`)
)

// inScheme returns a mail as a program in light or dark mode shows it, whatever mode the browser is in: what its style sheets ask about that is answered.
func inScheme(mail string, dark bool) string {
	always, never := "(min-width:0)", "(max-width:0)"
	if !dark {
		always, never = never, always
	}
	return styleSheet.ReplaceAllStringFunc(mail, func(sheet string) string {
		return lightQuery.ReplaceAllString(darkQuery.ReplaceAllString(sheet, always), never)
	})
}

// testEdition sends what most people get to an address, and shows what the relay said.
func (s *site) testEdition(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	page, err := s.preview(v, number(v.fields().Get("variant")))
	if err != nil {
		return nil, err
	}
	page.To = strings.TrimSpace(v.fields().Get("to"))
	answers, err := s.App.TestEdition(v.Context(), id, page.To, v.fields().Get("language"))
	for _, tag := range slices.Sorted(maps.Keys(answers)) {
		a := answers[tag]
		page.Answers = append(page.Answers, adminpage.EditionAnswer{Language: tag, Taken: err == nil && a.Outcome() == reply.Sent, Code: a.Code, Reply: a.Text})
	}
	if err != nil {
		if errs.KindOf(err) == errs.Internal && !refusedByNet(err) {
			return nil, err
		}
		page.Answers = nil
		page.Mistakes = adminpage.Mistakes{"to": err.Error()}
		return v.again(page)
	}
	return page, nil
}

// refusedByNet reports an error of a connection: the relay is away, or does not answer.
func refusedByNet(err error) bool {
	network := interface{ Timeout() bool }(nil)
	return errors.As(err, &network)
}

// askWords shows the form for the words above the articles in one language.
func (s *site) askWords(v *visit) (adminpage.Page, error) {
	page, err := s.wordsForm(v)
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (s *site) wordsForm(v *visit) (page adminpage.EditionText, err error) {
	id, err := editionID(v)
	if err != nil {
		return page, err
	}
	p, err := s.App.EditionPage(v.Context(), id)
	if err != nil {
		return page, err
	}
	at := slices.IndexFunc(p.Tongues, func(t edition.Tongue) bool { return t.Language == v.PathValue("language") })
	if at < 0 {
		return page, errs.New(errs.NotFound, "edition %s is not in %q", id, v.PathValue("language"))
	}
	tongue := p.Tongues[at]
	page = adminpage.EditionText{
		Row: s.editionRow(v, p.Of, p.BoardEdition), Tongue: adminpage.EditionTongue{Language: tongue.Language, Recipients: tongue.Recipients},
		Fields: adminpage.Fields{"subject": {tongue.Subject}, "preheader": {tongue.Preheader}, "introduction": {tongue.Introduction}},
	}
	if len(p.Log) > 0 {
		page.Seen = p.Log[len(p.Log)-1].ID
	}
	for _, sample := range slices.Backward(p.Samples) {
		if sample.Language == tongue.Language {
			page.Variant = sample.Variant
		}
	}
	return page, nil
}

// writeWords saves them and lays the edition out again.
func (s *site) writeWords(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	language := v.PathValue("language")
	if err = s.unwritten(v, id, language); err == nil {
		err = s.App.WriteEdition(v.Context(), v.actor.Name, id, language, textsOf(v.fields()))
	}
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.Conflict) {
		page, failed := s.wordsForm(v)
		if failed != nil {
			return nil, failed
		}
		page.Fields, page.Mistakes = v.fields(), adminpage.Mistakes{fieldOf(err): err.Error()}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	if v.fields().Get("then") == "preview" {
		return v.leave(editionsPath+"/"+id.String()+"/words/"+language, "edition_words")
	}
	return v.leave(editionsPath+"/"+id.String()+"#words", "edition_words")
}

// unwritten fails when somebody else wrote the same words since the visitor's form was shown.
func (s *site) unwritten(v *visit, id uuid.UUID, language string) error {
	if !v.PostForm.Has("seen") {
		return nil
	}
	seen := number(v.PostFormValue("seen"))
	log, err := edition.Log(v.Context(), s.App.DB, id)
	for _, entry := range log {
		if key, about := deed(entry.What); entry.ID > seen && entry.Actor != v.actor.Name && key == "text" && about == language {
			return errs.New(errs.Conflict, "somebody else wrote these words since you opened the form: saving again puts yours in the place of theirs")
		}
	}
	return err
}

// textsOf are an editor's words in a form. Browsers send line ends as CRLF.
func textsOf(f adminpage.Fields) (t edition.Texts) {
	subject, preheader := strings.TrimSpace(f.Get("subject")), strings.TrimSpace(f.Get("preheader"))
	introduction := strings.TrimSpace(strings.ReplaceAll(f.Get("introduction"), "\r\n", "\n"))
	return edition.Texts{Subject: &subject, Preheader: &preheader, Introduction: &introduction}
}

// fieldOf returns the field that a mistake in an editor's words is about, "" when it is about all.
func fieldOf(err error) string {
	for _, field := range []string{"subject", "preheader", "introduction", "audience", "article"} {
		if strings.HasPrefix(err.Error(), "the "+field) || strings.HasPrefix(err.Error(), field) {
			return field
		}
	}
	return ""
}

// deliveries shows who got an edition, with what servers said.
func (s *site) deliveries(v *visit) (adminpage.Page, error) { return s.deliveriesPage(v) }

func (s *site) deliveriesPage(v *visit) (page adminpage.EditionDeliveries, err error) {
	id, err := editionID(v)
	if err != nil {
		return page, err
	}
	e, list, err := s.App.EditionProgress(v.Context(), id)
	if err != nil {
		return page, err
	}
	page = adminpage.EditionDeliveries{Row: s.editionRow(v, list, e), Find: strings.TrimSpace(v.query("q")), State: v.query("state"), States: deliveryStates}
	search := app.DeliverySearch{Text: page.Find, State: page.State, After: number(v.query("after")), Within: v.actor.Lists}
	part, err := s.App.FindDeliveries(v.Context(), id, search)
	switch errs.KindOf(err) {
	case errs.Gone:
		page.Gone = true
		return page, nil
	case errs.Invalid:
		page.Mistakes = adminpage.Mistakes{"q": err.Error()}
		return page, nil
	}
	if err != nil {
		return page, err
	}
	page.Pager = deliveriesPager(v, search.After, part.Next)
	for _, d := range part.Found {
		page.Found = append(page.Found, deliveryShown(e, d))
	}
	return page, nil
}

// deliveryStates are those to choose from.
var deliveryStates = []string{"pending", "in_flight", "deferred", "sent", "failed", "in_doubt", "suppressed", "cancelled"}

func deliveriesPager(v *visit, after, next int64) (p adminpage.Pager) {
	at := *v.URL
	query := at.Query()
	query.Del("after")
	query.Del("done")
	if after != 0 {
		at.RawQuery = query.Encode()
		p.FirstURL = at.RequestURI()
	}
	if next != 0 {
		query.Set("after", itoa(next))
		at.RawQuery = query.Encode()
		p.NextURL = at.RequestURI()
	}
	return p
}

func deliveryShown(e app.BoardEdition, d app.FoundDelivery) adminpage.EditionDelivery {
	shown := adminpage.EditionDelivery{
		Contact: d.ContactID, Email: d.Email, Houses: d.Houses, State: d.State, Language: d.Language, Variant: d.Variant, Articles: len(d.Articles), Due: d.NotBefore,
		Settled: d.SettledAt, Attempts: d.Attempts, Resent: d.Resent, Bounced: d.BouncedAt, Said: d.BounceDiagnostic,
		MayResend: d.Email != "" && slices.Contains([]string{"sent", "failed", "in_doubt"}, d.State) &&
			slices.Contains([]edition.State{edition.Approved, edition.Sending, edition.Sent}, e.State),
	}
	if shown.Bounce = string(d.BounceKind); shown.Bounce == "other" {
		shown.Bounce = "unclear"
	}
	for _, try := range d.Tries {
		shown.Tries = append(shown.Tries, adminpage.EditionTry{At: try.At, Outcome: try.Outcome, Phase: try.Phase, Code: try.Code, Reply: try.Reply})
	}
	return shown
}

// resend lets a message go once more to one contact.
func (s *site) resend(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	err = s.App.Desk(v.actor.Name).Resend(v.Context(), id, number(v.fields().Get("contact")))
	if kind := errs.KindOf(err); err != nil && (kind == errs.Conflict || kind == errs.NotFound || kind == errs.Gone) {
		page, failed := s.deliveriesPage(v)
		if failed != nil {
			return nil, failed
		}
		page.Mistakes = adminpage.Mistakes{"": err.Error()}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(editionsPath+"/"+id.String()+"/deliveries", "edition_resent")
}

// results is an edition's account as a table.
func (s *site) results(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	e, err := s.App.Edition(v.Context(), id)
	if err != nil {
		return nil, err
	}
	download := &csvWriter{w: v.w, control: http.NewResponseController(v.w), name: e.List + "-" + e.LocalDate.Format("2006-01-02") + ".csv"}
	err = s.App.WriteResults(v.Context(), download, id, v.actor.Lists)
	if err != nil && download.begun { // it is too late to say so but by breaking off
		s.log.WarnContext(v.Context(), "a table was broken off", slog.String("edition", id.String()), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
	return nil, err
}
