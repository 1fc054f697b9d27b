package compose

import (
	"mime/quotedprintable"
	"sort"
	"strings"

	"silkpost/templates"
)

// Budget is how many bytes the HTML part of a digest may have as it is sent, in quoted-printable. Gmail cuts a mail off at about 102 kB and hides the
// rest, the link to unsubscribe with it. Accounts differ on whether it counts what is sent or what that decodes to; the first is never less, and of
// Chinese or Arabic three times as much, so it is the one to keep within.
const Budget = 90_000

// slotBytes is what a recipient's words may add to a placeholder: a link with a token, or an address.
const slotBytes = 200

// fit renders a digest within the Budget. What there is no room for, from the last article upwards, is shown as title and link. A digest whose titles alone
// are too long stays too long: its links to unsubscribe are on top, too.
func fit(set renderer, d templates.Digest, nonce string) (shown templates.Mail, err error) {
	render := func(brief int) (templates.Mail, error) {
		shorter := d
		shorter.Articles = append([]templates.DigestArticle(nil), d.Articles...)
		for i := len(shorter.Articles) - brief; i < len(shorter.Articles); i++ {
			shorter.Articles[i].Brief = true
		}
		return set.Digest(shorter)
	}
	if shown, err = render(0); err != nil || encodedSize(shown.HTML, nonce) <= Budget || len(d.Articles) == 0 {
		return shown, err
	}
	brief := 1 + sort.Search(len(d.Articles)-1, func(i int) bool {
		tried, failed := render(i + 1)
		if failed != nil {
			err = failed
		}
		return encodedSize(tried.HTML, nonce) <= Budget
	})
	if err != nil {
		return shown, err
	}
	return render(brief)
}

// encodedSize returns how many bytes an HTML part has when it is sent.
func encodedSize(html, nonce string) int {
	return SentSize(html) + strings.Count(html, nonce)*slotBytes
}

// SentSize returns how many bytes HTML has in quoted-printable: what a Budget is for.
func SentSize(html string) int {
	var n counter
	w := quotedprintable.NewWriter(&n)
	_, _ = w.Write([]byte(html)) // a counter does not fail
	_ = w.Close()
	return int(n)
}

// counter counts what is written.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
