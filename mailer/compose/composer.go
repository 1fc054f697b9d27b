package compose

import (
	"cmp"
	"context"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/sync/singleflight"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/token"
	"silkpost/mailer/ledger"
	"silkpost/mailer/send"
	"silkpost/subscribers"
	"silkpost/templates"
)

// Composer makes the messages of deliveries. It may be used by any number of goroutines. Its exported fields are set before use.
type Composer struct {
	DB        *sqlx.DB
	Templates speaker
	Articles  *articles.Store
	Keys      token.Keys
	PublicURL string
	// ReturnPath is the envelope sender of a delivery to an address; nil: whom the message is from.
	ReturnPath func(edition uuid.UUID, contact int64, address string) string
	// UnsubscribeMail is the mailto link that ends a subscription, "" when mail does not come back to us for now; nil: it never does.
	UnsubscribeMail func(subscription int64) string
	// Sign returns the header fields, each ending in CRLF, that are put before a message from an address; nil: none are. The message has CRLF line ends and
	// is not dot-stuffed. It is called from many goroutines. With an error the message is not sent.
	Sign func(from string, message []byte) (header []byte, err error)
	// Signs says before whether Sign will return any for an address; nil: it may. What is not signed is composed faster.
	Signs func(from string) bool

	mu     sync.Mutex
	ready  map[int64]*variant
	render singleflight.Group
}

// variant is a parsed variant with the address that it is sent from.
type variant struct {
	message *Message
	from    string
}

// keptVariants is how many parsed variants are kept: deliveries are claimed in the order of their variants, so few are in use.
const keptVariants = 64

// Compose makes the message of a delivery, in the buffer if it is large enough. A variant that is not rendered yet is rendered and stored first, so that
// every worker sends the same.
func (c *Composer) Compose(ctx context.Context, d *ledger.Delivery, buffer []byte) (p send.Parcel, err error) {
	v, err := c.variant(ctx, d.VariantID)
	if err != nil {
		return p, err
	}
	if p.To, err = subscribers.Envelope(d.Email); err != nil {
		return p, err
	}
	p.From, p.Sender = v.from, v.from
	if c.ReturnPath != nil {
		p.From = c.ReturnPath(d.EditionID, d.ContactID, d.Email)
	}
	r := Recipient{
		Name: d.Name, Address: p.To, Date: d.NotBefore, MessageID: MessageID(d.EditionID, d.ContactID, d.Resent, v.from),
		PreferencesURL: c.PreferencesURL(d.SubscriptionID), UnsubscribeURL: c.UnsubscribeURL(d.SubscriptionID),
		ViewURL:         c.ViewURL(d.EditionID, d.ContactID),
		UnsubscribeMail: c.UnsubscribeMailto(d.SubscriptionID),
	}
	if c.Sign != nil && (c.Signs == nil || c.Signs(v.from)) {
		signed, err := c.Signed(v.from, v.message.appendFor(buffer[:0], r))
		sender := p.Sender
		p = send.NewParcel(p.From, p.To, signed)
		p.Sender = sender
		return p, err
	}
	p.Wire, p.EightBit = v.message.AppendWire(buffer[:0], r)
	return p, nil
}

// Signed returns a message from an address with its signatures before it, if it is to have any.
func (c *Composer) Signed(from string, message []byte) ([]byte, error) {
	if c.Sign == nil {
		return message, nil
	}
	header, err := c.Sign(from, message)
	if err != nil {
		return nil, err
	}
	return append(header, message...), nil
}

// variant returns a variant from memory, from the database, or by rendering it.
func (c *Composer) variant(ctx context.Context, id int64) (*variant, error) {
	c.mu.Lock()
	v := c.ready[id]
	c.mu.Unlock()
	if v != nil {
		return v, nil
	}
	made, err, _ := c.render.Do(strconv.FormatInt(id, 10), func() (any, error) {
		v, err := c.load(ctx, id)
		if err == nil {
			c.keep(id, v)
		}
		return v, err
	})
	if err != nil {
		return nil, err
	}
	return made.(*variant), nil
}

func (c *Composer) keep(id int64, v *variant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ready) >= keptVariants || c.ready == nil {
		c.ready = make(map[int64]*variant, keptVariants)
	}
	c.ready[id] = v
}

// rendered is what is stored of a rendered variant.
type rendered struct {
	Message []byte `db:"message"`
	Sender  string `db:"sender"`
}

// load reads a variant, rendering it if nobody has.
func (c *Composer) load(ctx context.Context, id int64) (*variant, error) {
	r, err := stored(ctx, c.DB, id)
	if err == nil && r.Message == nil {
		r, err = c.renderAndStore(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	message, err := Parse(r.Message)
	return &variant{message: message, from: r.Sender}, err
}

// stored reads what is stored of a variant; Message is nil when it was not rendered yet.
func stored(ctx context.Context, h database.Handle, id int64) (r rendered, err error) {
	err = h.GetContext(ctx, &r, `SELECT message, coalesce(sender, '') AS sender FROM mailer.variants WHERE id = $1`, id)
	return r, err
}

// Draft returns the message of a variant and the address that it is sent from: what is stored of it, else what would be rendered now. Nothing is
// stored.
func (c *Composer) Draft(ctx context.Context, h database.Handle, variantID int64) (message *Message, from string, err error) {
	defer errs.Wrap(&err, "compose.Draft(variant %d)", variantID)
	r, err := stored(ctx, h, variantID)
	if err == nil && r.Message == nil {
		r, err = c.renderNow(ctx, h, variantID)
	}
	if err != nil {
		return nil, "", err
	}
	message, err = Parse(r.Message)
	return message, r.Sender, err
}

// renderNow renders a variant as everything is at the moment.
func (c *Composer) renderNow(ctx context.Context, h database.Handle, id int64) (r rendered, err error) {
	letter, err := c.Letter(ctx, h, id)
	if err != nil {
		return r, err
	}
	r.Sender = letter.SenderAddress
	r.Message, err = Render(c.Templates, letter)
	return r, err
}

// renderAndStore returns what is stored afterwards: of two that rendered at once, the first one's.
func (c *Composer) renderAndStore(ctx context.Context, id int64) (rendered, error) {
	r, err := c.renderNow(ctx, c.DB, id)
	if err != nil {
		return r, err
	}
	err = c.DB.GetContext(ctx, &r, `
		UPDATE mailer.variants SET message = coalesce(message, $2), sender = coalesce(sender, $3) WHERE id = $1
		RETURNING message, sender`, id, r.Message, r.Sender)
	return r, err
}

// Letter returns what the recipients of a variant share.
func (c *Composer) Letter(ctx context.Context, h database.Handle, variantID int64) (l Letter, err error) {
	defer errs.Wrap(&err, "compose.Letter(variant %d)", variantID)
	var v struct {
		EditionID uuid.UUID     `db:"edition_id"`
		ListID    int64         `db:"list_id"`
		LocalDate time.Time     `db:"local_date"`
		Language  string        `db:"language"`
		Articles  pq.Int64Array `db:"articles"`
		More      pq.Int64Array `db:"more"`
		Fallbacks pq.Int64Array `db:"fallbacks"`
	}
	if err := h.GetContext(ctx, &v, `
		SELECT v.edition_id, e.list_id, e.local_date, v.language, v.articles, v.more, v.fallbacks
		FROM mailer.variants v JOIN mailer.editions e ON e.id = v.edition_id WHERE v.id = $1`, variantID); err != nil {
		return Letter{}, err
	}
	list, err := subscribers.ListByID(ctx, h, v.ListID)
	if err != nil {
		return Letter{}, err
	}
	found, err := c.Articles.ByIDs(ctx, h, v.Articles)
	if err != nil {
		return Letter{}, err
	}
	if l, err = c.LetterOf(list, v.LocalDate, v.Language, found, v.Fallbacks); err != nil {
		return l, err
	}
	if found, err = c.Articles.ByIDs(ctx, h, v.More); err != nil {
		return l, err
	}
	more, err := c.LetterOf(list, v.LocalDate, v.Language, found, v.Fallbacks)
	if err != nil {
		return l, err
	}
	l.Digest.More = more.Digest.Articles
	if err := c.Dress(ctx, h, list, &l); err != nil {
		return l, err
	}
	l.EditionID, l.HasPage = v.EditionID, true
	return l, l.write(ctx, h, c.Templates.Language([]string{list.FallbackLanguage}, list.FallbackLanguage))
}

// LetterOf returns a letter of a list with the given articles in the given order; words is the language of the product's words.
// Articles whose ids are among fallbacks are marked as being in none of the reader's languages.
func (c *Composer) LetterOf(list subscribers.List, date time.Time, words string, shown []articles.Article, fallbacks []int64) (l Letter, err error) {
	l = Letter{Digest: templates.Digest{
		Language: words, ListName: list.NameIn(words), Date: date, SenderName: list.Sender.Name, PostalAddress: list.PostalAddress,
		ReplyAddress: cmp.Or(list.Sender.ReplyTo, list.Sender.Address),
	}}
	if l.Masthead, err = MastheadOf(list, words); err != nil {
		return l, err
	}
	zone, err := time.LoadLocation(list.TimeZone)
	if err != nil {
		return l, errs.New(errs.Invalid, "list %s: there is no time zone %q", list.Slug, list.TimeZone)
	}
	for i := range shown {
		a := &shown[i]
		l.Digest.Articles = append(l.Digest.Articles, templates.DigestArticle{
			Title: a.Title, URL: a.Link(c.PublicURL), Section: a.Section, Summary: a.Summary, Language: a.Language,
			Fallback: slices.Contains(fallbacks, a.ID), ImageURL: mailImage(a.ImageURL), ImageAlt: a.ImageAlt, Published: onWall(a.PublishedAt, zone),
		})
	}
	return l, nil
}

// mailImage returns the address of an image that mail clients show; "" for one whose name says that they do not.
func mailImage(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".webp", ".svg", ".svgz", ".avif", ".heic", ".jxl", ".tif", ".tiff":
		return ""
	}
	return address
}

// onWall returns a time as the list's zone shows it. A source that gives a date alone means that date everywhere.
func onWall(at time.Time, zone *time.Location) time.Time {
	if at = at.UTC(); at.Equal(at.Truncate(24 * time.Hour)) {
		return at
	}
	return at.In(zone)
}
