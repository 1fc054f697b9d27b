package articles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/database"
)

// namespace is the UUIDv5 namespace of derived article ids. Changing it would make every article new to every reader.
var namespace = uuid.MustParse("5b1f7f0a-52a3-5c0e-9a3c-6d0d1f3f7c11")

const slugLimit = 80

// derivedGUID returns the permanent id of an article whose source gives none, as a urn:uuid. attempt is 0 but when that id is
// already somebody else's.
func derivedGUID(source, externalKey string, attempt int) string {
	name := source + "\x00" + externalKey
	if attempt > 0 {
		name += "\x00" + strconv.Itoa(attempt)
	}
	return "urn:uuid:" + uuid.NewSHA1(namespace, []byte(name)).String()
}

// chooseGUID returns the upstream's own id, or a derived one when there is none or another article has it.
func chooseGUID(ctx context.Context, h database.Handle, source string, r row) (string, error) {
	return firstFree(ctx, h, `SELECT NOT EXISTS (SELECT FROM articles.articles WHERE guid = $1)`, func(attempt int) string {
		if r.GUID == "" {
			return derivedGUID(source, r.ExternalKey, attempt)
		}
		if attempt == 0 {
			return r.GUID
		}
		return derivedGUID(source, r.ExternalKey, attempt-1)
	})
}

// chooseSlug returns the name of the article's own page: its title in ASCII, or its language and a short hash when the title
// has too little of that. A name that is taken gets the hash as well.
func chooseSlug(ctx context.Context, h database.Handle, source string, r row) (string, error) {
	sum := sha256.Sum256([]byte(source + "\x00" + r.ExternalKey))
	hash := hex.EncodeToString(sum[:])
	base := titleSlug(r.Title)
	if base == "" {
		base = strings.ToLower(r.Language) + "-" + hash[:8]
	}
	return firstFree(ctx, h, `SELECT NOT EXISTS (SELECT FROM articles.articles WHERE slug = $1)`, func(attempt int) string {
		if attempt == 0 {
			return base
		}
		return base + "-" + hash[:min(6*attempt, len(hash))] + strings.Repeat("-x", max(0, attempt-10))
	})
}

// firstFree returns the first name that query calls free. Save's lock keeps it free until the row is there.
func firstFree(ctx context.Context, h database.Handle, query string, name func(attempt int) string) (string, error) {
	for attempt := 0; ; attempt++ {
		candidate := name(attempt)
		var free bool
		if err := h.GetContext(ctx, &free, query, candidate); err != nil || free {
			return candidate, err
		}
	}
}

// titleSlug returns a title in lower-case ASCII with dashes, accents taken off; "" when more than a third of its letters would
// be lost or less than three characters were left.
func titleSlug(title string) string {
	var b strings.Builder
	total, lost := 0, 0
	for _, r := range norm.NFKD.String(title) {
		ascii := spelled[r]
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			ascii = string(unicode.ToLower(r))
		case ascii == "" && unicode.IsLetter(r):
			lost++
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
			continue
		}
		if unicode.IsLetter(r) {
			total++
		}
		if ascii == "" {
			ascii = " "
		}
		b.WriteString(ascii)
	}
	slug := strings.Join(strings.Fields(b.String()), "-")
	if len(slug) < 3 || lost*3 > total {
		return ""
	}
	return shortSlug(slug)
}

// spelled are letters that do not come apart into an ASCII letter and an accent.
var spelled = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o", 'ł': "l", 'Ł': "l", 'đ': "d", 'Đ': "d",
	'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ı': "i", 'ħ': "h", 'Ħ': "h", 'ŧ': "t", 'Ŧ': "t", 'ŋ': "ng", 'Ŋ': "ng",
}

func shortSlug(slug string) string {
	if len(slug) <= slugLimit {
		return slug
	}
	slug = slug[:slugLimit]
	if end := strings.LastIndexByte(slug, '-'); end > slugLimit/2 {
		slug = slug[:end]
	}
	return strings.Trim(slug, "-")
}

// contentHash tells whether a source still gives the same. It is over what the source gave, before cleaning, so that a later
// and better cleaning does not make every old article look edited. A new date of editing alone is no edit: there are feeds
// that stamp every item anew at each request.
func contentHash(d Draft) ([]byte, error) {
	d.Published, d.Updated, d.NotBefore, d.Unfinished = date(d.Published), time.Time{}, time.Time{}, false
	text, err := json.Marshal(d)
	sum := sha256.Sum256(text)
	return sum[:], err
}
