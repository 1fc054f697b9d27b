package subscribers

import (
	"context"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// The longest parts of an address, in octets (RFC 5321, 4.5.3.1; RFC 1035, 2.3.4).
const (
	maxLocal  = 64
	maxDomain = 253
)

// Address is an email address that mail can be sent to.
type Address struct {
	Given string // as it was written, without the space around it
	Key   string // NFC, lower-cased local part, A-label domain: two addresses with one key are one person's
}

// domain returns the domain in A-labels.
func (a Address) domain() string { return a.Key[strings.LastIndexByte(a.Key, '@')+1:] }

// ParseAddress reads a bare address by the rules of RFC 5322 and, for addresses beyond ASCII, RFC 6531 and 6532; the domain
// may be given in its own script or as A-labels. It refuses what those rules allow around an address (a name, comments) and
// what no partner has (an IP address, a host without a dot). Dots and +tags are kept. The error, of kind Invalid, is the
// reason alone, fit to follow the address after a colon.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if err := refuseForm(s); err != nil {
		return Address{}, err
	}
	at := strings.LastIndexByte(s, '@')
	local, err := localKey(s[:at])
	if err != nil {
		return Address{}, err
	}
	domain, err := domainKey(s[at+1:])
	if err != nil {
		return Address{}, err
	}
	return Address{Given: s, Key: local + "@" + domain}, nil
}

// refuseForm tells what is no bare address at all.
func refuseForm(s string) error {
	switch {
	case s == "":
		return errs.New(errs.Invalid, "no address")
	case !utf8.ValidString(s):
		return errs.New(errs.Invalid, "not UTF-8 text")
	case strings.HasSuffix(s, ">"):
		return errs.New(errs.Invalid, "give the address alone, without a name and angle brackets")
	case strings.HasSuffix(s, ")"):
		return errs.New(errs.Invalid, "comments in parentheses are not accepted")
	case !strings.Contains(s, "@"):
		return errs.New(errs.Invalid, "no @ sign")
	}
	return nil
}

// localKey checks what stands before the @ and returns the form to compare by.
func localKey(local string) (key string, err error) {
	text := norm.NFC.String(local) // the rules are for what is compared: NFC turns a Greek question mark into a semicolon
	if strings.HasPrefix(text, `"`) {
		if text, err = unquote(text); err != nil {
			return "", err
		}
		key = lower(text)
		if checkAtoms(text) != nil { // quotation marks that are needed belong to the address
			key = `"` + escaper.Replace(key) + `"`
		}
	} else {
		if err := checkAtoms(text); err != nil {
			return "", err
		}
		key = lower(text)
	}
	if len(local) > maxLocal || len(key) > maxLocal {
		return "", errs.New(errs.Invalid, "more than %d octets before the @", maxLocal)
	}
	return key, nil
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func lower(s string) string { return norm.NFC.String(strings.ToLower(s)) }

// unquote returns what a quoted-string holds.
func unquote(quoted string) (string, error) {
	inside, closed := strings.CutSuffix(quoted[1:], `"`)
	var content strings.Builder
	escaped := false
	for _, r := range inside {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == '"':
			return "", errs.New(errs.Invalid, "text after the closing quotation mark")
		case r != ' ' && invisible(r):
			return "", errs.New(errs.Invalid, "an invisible character (%U) before the @", r)
		}
		escaped = false
		content.WriteRune(r)
	}
	if !closed || escaped {
		return "", errs.New(errs.Invalid, "the quotation mark is not closed")
	}
	if content.Len() == 0 {
		return "", errs.New(errs.Invalid, "nothing before the @")
	}
	return content.String(), nil
}

// checkAtoms checks a local part without quotation marks: atoms parted by single dots (dot-atom of RFC 5322).
func checkAtoms(local string) error {
	if local == "" {
		return errs.New(errs.Invalid, "nothing before the @")
	}
	for _, r := range local {
		if err := checkAtomRune(r); err != nil {
			return err
		}
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return errs.New(errs.Invalid, "before the @, dots only stand singly between other characters")
	}
	return nil
}

func checkAtomRune(r rune) error {
	switch {
	case r == ' ':
		return errs.New(errs.Invalid, "a space before the @")
	case r == '@':
		return errs.New(errs.Invalid, "more than one @ sign")
	case r == '(' || r == ')':
		return errs.New(errs.Invalid, "comments in parentheses are not accepted")
	case invisible(r):
		return errs.New(errs.Invalid, "an invisible character (%U) before the @", r)
	case strings.ContainsRune(`<>[]:;\,"`, r):
		return errs.New(errs.Invalid, "%q cannot stand before the @", r)
	}
	return nil
}

// invisible reports what cannot be seen in print and has come along from a copied page more often than it was meant: spaces
// of all kinds, controls, marks of direction, unassigned code points.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsGraphic(r) || r == utf8.RuneError
}

// domains reads names as programs look them up: IDNA 2008 with UTS 46, where "ß" is not "ss".
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true))

// ParseDomain returns a domain of addresses in the form in which domains are compared: lower-case A-labels. What is none is errs.Invalid.
func ParseDomain(name string) (string, error) {
	ascii, err := domainKey(strings.TrimSpace(name))
	if err != nil {
		return "", errs.New(errs.Invalid, "%q is no domain such as example.org: %w", name, err)
	}
	return ascii, nil
}

// AddressAt returns the address of a contact at a domain, as ParseDomain returns it, which the address may write in letters beyond ASCII; "" when nobody has one.
func AddressAt(ctx context.Context, h database.Handle, domain string) (address string, err error) {
	defer errs.Wrap(&err, "subscribers.AddressAt(%s)", domain)
	err = h.GetContext(ctx, &address, `SELECT coalesce((SELECT email FROM subscribers.contacts WHERE domain_key = $1 AND erased_at IS NULL LIMIT 1), '')`, domain)
	return address, err
}

// domainKey checks a domain name and returns its A-labels.
func domainKey(domain string) (string, error) {
	if domain == "" {
		return "", errs.New(errs.Invalid, "nothing after the @")
	}
	if domain[0] == '[' {
		return "", errs.New(errs.Invalid, "an IP address in brackets; only domain names are accepted")
	}
	ascii, err := domains.ToASCII(domain)
	switch {
	case len(ascii) > maxDomain:
		return "", errs.New(errs.Invalid, "more than %d octets after the @", maxDomain)
	case err != nil:
		return "", errs.New(errs.Invalid, "%q is not a domain name (%s)", domain, strings.TrimPrefix(err.Error(), "idna: "))
	case strings.HasSuffix(ascii, "."):
		return "", errs.New(errs.Invalid, "the domain ends with a dot")
	}
	return ascii, checkPublic(ascii)
}

// checkPublic refuses names that no mail server of the internet can have.
func checkPublic(ascii string) error {
	if _, err := netip.ParseAddr(ascii); err == nil {
		return errs.New(errs.Invalid, "an IP address; only domain names are accepted")
	}
	dot := strings.LastIndexByte(ascii, '.')
	if dot < 0 {
		return errs.New(errs.Invalid, "the domain %q has no dot", ascii)
	}
	if strings.Trim(ascii[dot+1:], "0123456789") == "" {
		return errs.New(errs.Invalid, "the domain %q ends in a number", ascii)
	}
	return nil
}

// Envelope returns the form of a stored address that SMTP is given: the local part as it was written, the domain in A-labels,
// which every server takes. Only a local part beyond ASCII still needs a server that offers SMTPUTF8.
func Envelope(address string) (string, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return "", errs.New(errs.Invalid, "address %q: %w", address, err)
	}
	return a.Given[:strings.LastIndexByte(a.Given, '@')] + a.Key[strings.LastIndexByte(a.Key, '@'):], nil
}

// Mask shows an address so that its owner knows it and nobody else learns it: o••••@example.org. A local part of a single
// character is hidden whole.
func Mask(address string) string {
	const hidden = "••••"
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return hidden
	}
	local, domain := address[:at], address[at:]
	if _, size := utf8.DecodeRuneInString(local); size < len(local) {
		return local[:size] + hidden + domain
	}
	return hidden + domain
}
