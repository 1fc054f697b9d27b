package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// edited is the edition that a command is about.
type edited struct {
	ID editionID `arg:"" help:"Id of the edition."`
}

type editionShowCmd struct {
	edited
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *editionShowCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		d, err := a.ShowEdition(ctx, c.ID.UUID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, d)
		}
		return showEdition(e, d)
	})
}

func showEdition(e *env, d app.DeskEdition) error {
	fmt.Fprintf(e.stdout, "%s\n%s\n", editionLine(d.Edition, d.Deliveries), countsLine(d.Deliveries))
	for _, line := range []struct {
		is   bool
		says string
	}{
		{d.Paused, "It is paused: silkpost edition resume " + d.ID.String() + " lets it go on."},
		{d.Audience != "", "It is for an audience: " + d.Audience},
		{d.Corrects != nil, fmt.Sprintf("It corrects edition %s.", d.Corrects)},
	} {
		if line.is {
			fmt.Fprintln(e.stdout, line.says)
		}
	}
	if d.ApproveBy != nil {
		fmt.Fprintf(e.stdout, "It must be approved by %s.\n", minute(*d.ApproveBy))
	}
	for _, part := range [][][]string{itemRows(d.Items), tongueRows(d.Tongues), logRows(d.Log)} {
		if len(part) < 2 {
			continue
		}
		fmt.Fprintln(e.stdout)
		if err := table(e.stdout, part...); err != nil {
			return err
		}
	}
	return nil
}

func itemRows(items []app.DeskItem) [][]string {
	rows := [][]string{{"article", "recipients", "languages", "arranged", "title"}}
	for _, item := range items {
		var arranged []string
		if item.Added {
			arranged = append(arranged, "added")
		}
		if item.Place != nil {
			arranged = append(arranged, "place "+strconv.Itoa(*item.Place))
		}
		if item.Dropped != "" {
			arranged = append(arranged, "dropped ("+item.Dropped+")")
		}
		rows = append(rows, []string{
			item.Slug, thousands(item.Recipients), strings.Join(item.Languages, " "), strings.Join(arranged, ", "), item.Title,
		})
	}
	return rows
}

func tongueRows(tongues []edition.Tongue) [][]string {
	rows := [][]string{{"language", "recipients", "articles", "not yet translated", "subject", "introduction"}}
	for _, t := range tongues {
		rows = append(rows, []string{
			t.Language, thousands(t.Recipients), strconv.Itoa(t.Articles), strconv.Itoa(t.Untranslated), t.Subject, firstLine(t.Introduction),
		})
	}
	return rows
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func logRows(log []edition.Entry) [][]string {
	rows := [][]string{{"when", "who", "what"}}
	for _, entry := range log {
		rows = append(rows, []string{minute(entry.At), entry.Actor, entry.What})
	}
	return rows
}

// chosen says which articles are meant.
type chosen struct {
	Articles []string `arg:"" help:"Slugs, GUIDs or addresses of articles." name:"article"`
}

type editionAddCmd struct {
	edited
	chosen
	LeaveOut   bool `help:"Of an edition made by hand: who was given all of it already gets nothing." xor:"rest"`
	WordsAlone bool `help:"Of an edition made by hand: who was given all of it already gets its words alone." xor:"rest"`
}

func (c *editionAddCmd) Run(e *env) error {
	rest := edition.AskFirst
	switch {
	case c.LeaveOut:
		rest = edition.LeaveOut
	case c.WordsAlone:
		rest = edition.WordsAlone
	}
	return arrange(e, c.ID, c.Articles, func(d *edition.Desk) arrangement {
		return func(ctx context.Context, id uuid.UUID, which ...articles.Article) error {
			return d.Add(ctx, id, rest, which...)
		}
	})
}

type editionPinCmd struct {
	edited
	chosen
}

func (c *editionPinCmd) Run(e *env) error {
	return arrange(e, c.ID, c.Articles, func(d *edition.Desk) arrangement { return d.Pin })
}

type editionOrderCmd struct {
	edited
	Articles []string `arg:"" optional:"" help:"Slugs, GUIDs or addresses of articles; left out: all by date." name:"article"`
}

func (c *editionOrderCmd) Run(e *env) error {
	return arrange(e, c.ID, c.Articles, func(d *edition.Desk) arrangement { return d.Order })
}

type editionDropCmd struct {
	edited
	chosen
	Never bool `help:"For ever: they count as given. Else they are due again in the next edition."`
}

func (c *editionDropCmd) Run(e *env) error {
	return arrange(e, c.ID, c.Articles, func(d *edition.Desk) arrangement {
		return func(ctx context.Context, id uuid.UUID, which ...articles.Article) error {
			return d.Drop(ctx, id, c.Never, which...)
		}
	})
}

// arrangement is one of the things that the desk does with articles of an edition.
type arrangement = func(ctx context.Context, id uuid.UUID, which ...articles.Article) error

func arrange(e *env, id editionID, refs []string, which func(*edition.Desk) arrangement) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if err := a.Arrange(ctx, id.UUID, refs, which(a.Desk(edition.CommandLine))); err != nil {
			return err
		}
		d, err := a.ShowEdition(ctx, id.UUID)
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, editionLine(d.Edition, d.Deliveries))
		return table(e.stdout, itemRows(d.Items)...)
	})
}

// texts are an editor's words, as flags.
type texts struct {
	Subject      *string `help:"Subject; empty: the usual one." placeholder:"TEXT"`
	Preheader    *string `help:"What an inbox shows behind the subject; empty: the usual." placeholder:"TEXT"`
	Introduction string  `help:"File with the introduction, in Markdown; an empty file takes it away." placeholder:"FILE.md"`
}

// read reads the file, if there is one.
func (t texts) read() (edition.Texts, error) {
	read := edition.Texts{Subject: t.Subject, Preheader: t.Preheader}
	if t.Introduction == "" {
		return read, nil
	}
	content, err := os.ReadFile(t.Introduction)
	if err != nil {
		return read, errs.New(errs.Invalid, "the introduction: %w", err)
	}
	words := string(content)
	read.Introduction = &words
	return read, nil
}

type editionTextCmd struct {
	edited
	Language string `help:"Language of the digests that it is for." required:"" placeholder:"TAG"`
	texts
}

func (c *editionTextCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		words, err := c.read()
		if err != nil {
			return err
		}
		if words == (edition.Texts{}) {
			return errs.New(errs.Invalid, "nothing to set: give --subject, --preheader or --introduction")
		}
		if err := a.WriteEdition(ctx, edition.CommandLine, c.ID.UUID, c.Language, words); err != nil {
			return err
		}
		d, err := a.ShowEdition(ctx, c.ID.UUID)
		if err != nil {
			return err
		}
		return table(e.stdout, tongueRows(d.Tongues)...)
	})
}

type editionPreviewCmd struct {
	edited
	Out        string `help:"Folder for the files." required:"" placeholder:"DIR"`
	CheckLinks bool   `help:"Fetch every link and say which are broken."`
}

func (c *editionPreviewCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		written, err := a.PreviewEdition(ctx, c.ID.UUID, c.Out, c.CheckLinks)
		if err != nil {
			return err
		}
		return listPreviews(e, c.Out, written)
	})
}

// listPreviews says what was written.
func listPreviews(e *env, dir string, written []app.Preview) error {
	fmt.Fprintf(e.stdout, "%s written to %s.\n", counted(len(written), "variant"), dir)
	for _, p := range written {
		fmt.Fprintf(e.stdout, "%s.html .txt .eml  %s, %s bytes of HTML\n", p.Name, counted(p.Recipients, "recipient"), thousands(p.Bytes))
		for _, broken := range p.Broken {
			fmt.Fprintln(e.stdout, "  broken: "+broken)
		}
	}
	return nil
}

type editionTestCmd struct {
	edited
	To       string `help:"Address to send to; it need not be on the list." required:"" placeholder:"ADDR"`
	Language string `help:"Language of the digest; left out: each that there is." placeholder:"TAG"`
}

func (c *editionTestCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		answers, err := a.TestEdition(ctx, c.ID.UUID, c.To, c.Language)
		if err != nil {
			return err
		}
		for _, tag := range slices.Sorted(maps.Keys(answers)) {
			answer := answers[tag]
			if answer.Outcome() != reply.Sent {
				return errs.New(errs.Unavailable, "the test mail in %s was not accepted (%s, %d): %s", tag, answer.Phase, answer.Code, answer.Text)
			}
			fmt.Fprintf(e.stdout, "A test mail in %s to %s was accepted: %d %s\n", tag, c.To, answer.Code, answer.Text)
		}
		return nil
	})
}

type editionApproveCmd struct{ edited }

func (c *editionApproveCmd) Run(e *env) error {
	return c.change(e, func(ctx context.Context, d *edition.Desk) error { return d.Approve(ctx, c.ID.UUID) })
}

type editionReleaseCmd struct{ edited }

func (c *editionReleaseCmd) Run(e *env) error {
	return c.change(e, func(ctx context.Context, d *edition.Desk) error { return d.Release(ctx, c.ID.UUID) })
}

type editionHoldCmd struct {
	edited
	Reason string `help:"Why, for whoever looks at it." default:"held by hand: release it to send it" placeholder:"TEXT"`
}

func (c *editionHoldCmd) Run(e *env) error {
	return c.change(e, func(ctx context.Context, d *edition.Desk) error { return d.Hold(ctx, c.ID.UUID, c.Reason) })
}

type editionCancelCmd struct {
	edited
	Reason string `help:"Why, for whoever looks at it." default:"cancelled by hand" placeholder:"TEXT"`
}

func (c *editionCancelCmd) Run(e *env) error {
	return c.change(e, func(ctx context.Context, d *edition.Desk) error { return d.Cancel(ctx, c.ID.UUID, c.Reason) })
}

type editionPauseCmd struct{ edited }

func (c *editionPauseCmd) Run(e *env) error {
	return c.change(e, func(ctx context.Context, d *edition.Desk) error { return d.Pause(ctx, c.ID.UUID) })
}

type editionResumeCmd struct{ edited }

func (c *editionResumeCmd) Run(e *env) error {
	return c.change(e, func(ctx context.Context, d *edition.Desk) error { return d.Resume(ctx, c.ID.UUID) })
}

type editionResendCmd struct {
	edited
	To string `help:"Address of the contact." required:"" placeholder:"EMAIL"`
}

func (c *editionResendCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if err := a.Resend(ctx, edition.CommandLine, c.ID.UUID, c.To); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "It goes to %s once more, as a new message, as soon as a worker runs.\n", c.To)
		return err
	})
}

// change changes an edition's state and says what it is then.
func (c *edited) change(e *env, do func(context.Context, *edition.Desk) error) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if err := do(ctx, a.Desk(edition.CommandLine)); err != nil {
			return err
		}
		status, err := a.EditionStatus(ctx, c.ID.UUID)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s\n%s\n", editionLine(status.Edition, status.Deliveries), countsLine(status.Deliveries))
		return nil
	})
}

type editionMakeCmd struct {
	List     string   `help:"Slug of the list." required:"" placeholder:"SLUG"`
	Article  []string `help:"Slug, GUID or address of an article; again for each, in the order in which they are shown." placeholder:"REF" sep:"none"`
	Audience people   `help:"For those of the list alone whom a filter finds, such as: country = IT and language = it." placeholder:"FILTER"`
	AtOnce   bool     `help:"Not at each contact's hour."`
	Approve  bool     `help:"Let it go without review."`

	Repeat     bool `help:"Also for those who were given the articles before." xor:"rest"`
	WordsAlone bool `help:"The words alone for those who were given the articles before." xor:"rest"`
	texts
}

// people is an audience behind a flag.
type people struct{ subscribers.Audience }

func (c *editionMakeCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		words, err := c.read()
		if err != nil {
			return err
		}
		made, err := a.MakeEdition(ctx, edition.CommandLine, app.MakeOptions{
			List: c.List, Articles: c.Article, Texts: words, Audience: c.Audience.Audience, Repeat: c.Repeat, WordsAlone: c.WordsAlone, AtOnce: c.AtOnce, Approve: c.Approve,
		})
		if err != nil {
			return err
		}
		return sayMade(e, made)
	})
}

type editionCorrectCmd struct {
	edited
	Article []string `help:"Slug, GUID or address of an article that was wrong: to those alone whose digest had it; again for each." placeholder:"REF" sep:"none"`
	Approve bool     `help:"Let it go without review."`
	texts
}

func (c *editionCorrectCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		words, err := c.read()
		if err != nil {
			return err
		}
		if words.Subject == nil || words.Introduction == nil {
			return errs.New(errs.Invalid, "a correction needs a --subject and an --introduction")
		}
		made, err := a.CorrectEdition(ctx, edition.CommandLine, c.ID.UUID, c.Article, words, c.Approve)
		if err != nil {
			return err
		}
		return sayMade(e, made)
	})
}

// sayMade says what was made and what comes next.
func sayMade(e *env, made *edition.Edition) error {
	fmt.Fprintf(e.stdout, "%s  %s\n", made.ID, editionLine(*made, ledger.Counts{}))
	if made.State == edition.Review {
		fmt.Fprintf(e.stdout, "silkpost edition text %s --language TAG adds its words in another language; silkpost edition approve %s lets it go.\n", made.ID, made.ID)
	}
	return nil
}

type pauseCmd struct{ paused }

func (c *pauseCmd) Run(e *env) error { return c.set(e, true) }

type resumeCmd struct{ paused }

func (c *resumeCmd) Run(e *env) error { return c.set(e, false) }

// paused says what is paused.
type paused struct {
	List        string `help:"Slug of a list." placeholder:"SLUG" xor:"what" required:""`
	All         bool   `help:"Every list." xor:"what" required:""`
	Destination string `help:"Domain of readers' addresses, or all that the same servers take: google.com." placeholder:"DOMAIN" xor:"what" required:""`
}

func (c *paused) set(e *env, pause bool) error {
	if c.Destination != "" {
		return c.setDestination(e, pause)
	}
	return e.open(func(ctx context.Context, a *app.App) error {
		changed, err := a.PauseLists(ctx, edition.CommandLine, c.List, pause)
		if err != nil {
			return err
		}
		what := "list " + c.List
		if c.All {
			what = "every list"
		}
		switch {
		case !changed && pause:
			fmt.Fprintf(e.stdout, "It was paused before: %s. Nothing was changed.\n", what)
		case !changed:
			fmt.Fprintf(e.stdout, "It was not paused: %s. Nothing was changed.\n", what)
		case pause && c.All:
			fmt.Fprintln(e.stdout, "Nothing more is sent of any list, from now on. What a server has in its hands is finished. silkpost resume --all goes on.")
		case pause:
			fmt.Fprintf(e.stdout, "Nothing more is sent of %s, from now on. What a server has in its hands is finished. silkpost resume goes on.\n", what)
		default:
			fmt.Fprintf(e.stdout, "Sending goes on: %s.\n", what)
		}
		return nil
	})
}

func (c *paused) setDestination(e *env, pause bool) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if !pause {
			if err := a.ResumeDestination(ctx, c.Destination); err != nil {
				return err
			}
			_, err := fmt.Fprintf(e.stdout, "Sending goes on: to %s.\n", c.Destination)
			return err
		}
		p, err := a.PauseDestination(ctx, c.Destination)
		switch {
		case err != nil:
			return errs.New(errs.KindOf(err), "--destination: %w", err)
		case !p.News:
			fmt.Fprintf(e.stdout, "It was paused before: %s. Nothing was changed.\n", p.Name)
		default:
			fmt.Fprintf(e.stdout, "Nothing more is sent to %s, from now on. What a server has in its hands is finished. silkpost resume goes on.\n", p.Name)
		}
		if !p.Used {
			fmt.Fprintf(e.stdout, "Nobody has an address at %s so far.\n", p.Name)
		}
		if p.Of != p.Name {
			fmt.Fprintf(e.stdout, "Its mail is taken by the servers of %s, as that of other domains: this pauses %s alone.\n", p.Of, p.Name)
		}
		return nil
	})
}
