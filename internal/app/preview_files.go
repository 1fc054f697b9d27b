package app

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// Preview is a variant that was written to files.
type Preview struct {
	Name       string   `json:"name"` // of its files, without .html, .txt and .eml
	Language   string   `json:"language"`
	Recipients int      `json:"recipients"`
	Subject    string   `json:"subject"`
	Bytes      int      `json:"bytes"`   // of the HTML as it is sent: see compose.Budget
	Message    int      `json:"message"` // bytes of the whole message
	Broken     []string `json:"broken"`  // addresses that could not be fetched, and why; only if asked for
	links      []string // addresses that it leads to
}

// indexFile lists what a preview wrote.
const indexFile = "index.txt"

// PreviewEdition writes, of each language that an edition is in, what most people get, and every variant that more than one in a hundred get, to
// a folder, as one of them would get it: .html, .txt and .eml, with a list of all in index.txt. Nothing is fetched unless links are to be
// checked.
func (a *App) PreviewEdition(ctx context.Context, id uuid.UUID, dir string, checkLinks bool) (written []Preview, err error) {
	e, err := edition.ByID(ctx, a.DB, id)
	if err != nil {
		return nil, err
	}
	err = a.snapshot(ctx, func(h database.Handle) error {
		written, err = a.writePreviews(ctx, h, id, e.Rhythm, dir)
		return err
	})
	if err == nil {
		err = a.indexPreviews(ctx, dir, written, checkLinks)
	}
	return written, err
}

func (a *App) writePreviews(ctx context.Context, h database.Handle, id uuid.UUID, rhythm, dir string) (written []Preview, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, errs.New(errs.Invalid, "the folder for the preview: %w", err)
	}
	samples, err := edition.Samples(ctx, h, id)
	if err != nil {
		return nil, err
	}
	for i, sample := range samples {
		message, from, err := a.Composer.Draft(ctx, h, sample.Variant)
		if err != nil {
			return nil, err
		}
		p := Preview{Name: fmt.Sprintf("%s-%s-%d", rhythm, sample.Language, i+1), Language: sample.Language, Recipients: sample.Recipients}
		messageID := compose.MessageID(id, sample.ContactID, 0, from)
		if err := a.writePreview(filepath.Join(dir, p.Name), &p, message, messageID, sample.Email); err != nil {
			return nil, err
		}
		written = append(written, p)
	}
	return written, nil
}

// writePreview writes a message as somebody would get it, but with links of its own that lead nowhere.
func (a *App) writePreview(path string, p *Preview, message *compose.Message, messageID, address string) error {
	to := compose.Recipient{
		Address: address, Date: a.Clock.Now(), MessageID: messageID, PreferencesURL: a.Composer.PublicURL + "/preferences/preview",
		UnsubscribeURL: a.Composer.PublicURL + "/unsubscribe/preview", ViewURL: a.Composer.PublicURL + "/view/preview",
	}
	text, html, err := message.Parts(to)
	if err != nil {
		return err
	}
	if p.Subject, err = message.Subject(); err != nil {
		return err
	}
	raw := message.For(to)
	p.Bytes, p.Message = compose.SentSize(html), len(raw)
	p.links = linksOf(html, to.PreferencesURL, to.UnsubscribeURL, to.ViewURL)
	for ending, content := range map[string][]byte{".html": []byte(html), ".txt": []byte(text), ".eml": raw} {
		if err := os.WriteFile(path+ending, content, 0o644); err != nil {
			return errs.New(errs.Invalid, "the preview: %w", err)
		}
	}
	return nil
}

// linksOf returns the web addresses that a page leads to or shows, but for some, in their order, each once.
func linksOf(page string, but ...string) (links []string) {
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		for _, attribute := range z.Token().Attr {
			address := attribute.Val
			if (attribute.Key == "href" || attribute.Key == "src") && strings.HasPrefix(address, "http") && !slices.Contains(links, address) &&
				!slices.Contains(but, address) {
				links = append(links, address)
			}
		}
	}
	return links
}

// indexPreviews lists what was written, and what of its links leads nowhere if that is asked for.
func (a *App) indexPreviews(ctx context.Context, dir string, written []Preview, checkLinks bool) error {
	if checkLinks {
		if err := a.checkLinks(ctx, written); err != nil {
			return err
		}
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "files\tlanguage\trecipients\tHTML bytes\tmessage bytes\tbroken links\tsubject")
	for _, p := range written {
		broken := "not checked"
		if checkLinks {
			broken = fmt.Sprint(len(p.Broken))
		}
		fmt.Fprintf(t, "%s.*\t%s\t%d\t%d\t%d\t%s\t%s\n", p.Name, p.Language, p.Recipients, p.Bytes, p.Message, broken, p.Subject)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range written {
		for _, broken := range p.Broken {
			fmt.Fprintf(&b, "\n%s: %s", p.Name, broken)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, indexFile), []byte(b.String()), 0o644); err != nil {
		return errs.New(errs.Invalid, "the preview: %w", err)
	}
	return nil
}

// checkLinks fetches each address once.
func (a *App) checkLinks(ctx context.Context, written []Preview) error {
	known := map[string]string{}
	own, err := url.Parse(a.Composer.PublicURL)
	if err != nil {
		return err
	}
	ours := fetch.New(own.Hostname()) // which may lie inside
	defer ours.Close()
	for i := range written {
		for _, link := range written[i].links {
			why, seen := known[link]
			if !seen {
				client := a.poller.Fetch
				if strings.HasPrefix(link, a.Composer.PublicURL+"/") {
					client = ours
				}
				if _, err := client.Get(ctx, fetch.Request{URL: link, ByHand: true}); err != nil {
					why = err.Error()
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				known[link] = why
			}
			if why != "" {
				written[i].Broken = append(written[i].Broken, why)
			}
		}
	}
	return nil
}

// TestEdition sends to an address, which need not be on the list, what most people get of an edition in one language, "" in each that it is in.
// Nothing of it is recorded. It returns the answers by language.
func (a *App) TestEdition(ctx context.Context, id uuid.UUID, address, tag string) (answers map[string]reply.Reply, err error) {
	to, err := subscribers.Envelope(address)
	if err != nil {
		return nil, err
	}
	if err := a.maySend(ctx); err != nil {
		return nil, err
	}
	if _, err := edition.ByID(ctx, a.DB, id); err != nil {
		return nil, err
	}
	samples, err := edition.Samples(ctx, a.DB, id)
	if err != nil {
		return nil, err
	}
	answers = map[string]reply.Reply{}
	for _, sample := range samples {
		if _, sent := answers[sample.Language]; sent || tag != "" && tag != sample.Language {
			continue
		}
		if answers[sample.Language], err = a.sendTest(ctx, id, sample, to); err != nil {
			return answers, err
		}
	}
	if len(answers) == 0 {
		return nil, errs.New(errs.NotFound, "edition %s has no digest %s: silkpost edition show lists its languages", id, strings.TrimSpace("to send "+tag))
	}
	return answers, nil
}

func (a *App) sendTest(ctx context.Context, id uuid.UUID, sample edition.Sample, to string) (answer reply.Reply, err error) {
	message, from, err := a.Composer.Draft(ctx, a.DB, sample.Variant)
	if err != nil {
		return answer, err
	}
	now := a.Clock.Now()
	raw, err := a.Composer.Signed(from, message.For(compose.Recipient{
		Address: to, Date: now, MessageID: testMessageID(id, sample.Language, from, now),
		PreferencesURL: a.Composer.PublicURL + "/preferences/test", UnsubscribeURL: a.Composer.PublicURL + "/unsubscribe/test",
		ViewURL: a.Composer.PublicURL + "/view/test",
	}))
	if err != nil {
		return answer, err
	}
	return a.mail(ctx, send.NewParcel(from, to, raw), nil)
}

// testMessageID is one that no delivery has, and another one each time.
func testMessageID(edition uuid.UUID, lang, from string, now time.Time) string {
	return compose.MessageID(uuid.NewSHA1(edition, []byte(now.Format(time.RFC3339Nano)+lang)), 0, 0, from)
}
