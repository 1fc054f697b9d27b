package compose

import (
	"strings"

	"silkpost/internal/token"
	"silkpost/subscribers"
)

// The purposes of the tokens in the links of our mails. Their id is a subscription's, so a token stands for one contact on one
// list; those of a change of address and of a view are a contact's, with words: see ReleaseURL, ChangeURL and ViewURL.
const (
	UnsubscribePurpose = "unsubscribe"
	ConfirmPurpose     = "confirm"
	PreferencesPurpose = "preferences"
	ReleasePurpose     = "release address"
	ChangePurpose      = "change address"
	ViewPurpose        = "view" // an edition's digest for a contact: see ViewURL
)

// UnsubscribeURL returns the link that ends a subscription.
func (c *Composer) UnsubscribeURL(subscription int64) string {
	return c.PublicURL + "/unsubscribe/" + c.Keys.Sign(UnsubscribePurpose, subscription)
}

// UnsubscribeMailto returns the mailto link that ends a subscription, "" when there is none.
func (c *Composer) UnsubscribeMailto(subscription int64) string {
	if c.UnsubscribeMail == nil {
		return ""
	}
	return c.UnsubscribeMail(subscription)
}

// ConfirmURL returns the link by which its person confirms a subscription.
func (c *Composer) ConfirmURL(subscription int64) string {
	return c.PublicURL + "/confirm/" + c.Keys.Sign(ConfirmPurpose, subscription)
}

// PreferencesURL returns the link to the preferences of a subscription's contact.
func (c *Composer) PreferencesURL(subscription int64) string {
	return c.PublicURL + "/preferences/" + c.Keys.Sign(PreferencesPurpose, subscription)
}

// ReleaseURL returns the link by which the owner of a contact's present address lets its mail go to a new one: that one is asked then. The
// links in digests are not enough for that, since digests are forwarded.
func (c *Composer) ReleaseURL(contact *subscribers.Contact, newAddress string) string {
	return c.PublicURL + "/confirm/" + ChangeToken(c.Keys, ReleasePurpose, contact, newAddress)
}

// ChangeURL returns the link by which the owner of a new address confirms that a contact's mail shall go there.
func (c *Composer) ChangeURL(contact *subscribers.Contact, newAddress string) string {
	return c.PublicURL + "/confirm/" + ChangeToken(c.Keys, ChangePurpose, contact, newAddress)
}

// ChangeToken returns the token of one of the two steps of a change of address. It holds the contact and the new address, so nothing is
// stored until both owners have said so; and it is bound to the address that the contact has now without showing it: see Change.Holds.
func ChangeToken(keys token.Keys, purpose string, contact *subscribers.Contact, newAddress string) string {
	return keys.SignWith(purpose, contact.ID, newAddress+"\n"+keys.Sign(fromPurpose(contact.EmailKey), contact.ID))
}

// Change is what a ChangeToken says.
type Change struct {
	Purpose    string
	Contact    int64
	NewAddress string
	from       string
}

// OpenChange reads a ChangeToken of either purpose. Its errors are those of token.Keys.Open.
func OpenChange(keys token.Keys, made string) (c Change, err error) {
	for _, c.Purpose = range []string{ReleasePurpose, ChangePurpose} {
		var words string
		if c.Contact, words, err = keys.OpenWith(c.Purpose, made); err == nil {
			c.NewAddress, c.from, _ = strings.Cut(words, "\n")
			return c, nil
		}
	}
	return Change{}, err
}

// Holds reports whether the contact still has the address that the change was asked for with.
func (c Change) Holds(keys token.Keys, contact *subscribers.Contact) bool {
	id, err := keys.Open(fromPurpose(contact.EmailKey), c.from)
	return err == nil && id == contact.ID && id == c.Contact
}

func fromPurpose(emailKey string) string { return ChangePurpose + " from " + emailKey }
