package compose

import (
	"strings"

	"silkpost/internal/token"
	"silkpost/subscribers"
)

// The purposes of the tokens in the links of our mails. Their id is a subscription's, so a token stands for one contact on one
// list; that of ChangePurpose is a contact's, with words: see ChangeToken.
const (
	UnsubscribePurpose = "unsubscribe"
	ConfirmPurpose     = "confirm"
	PreferencesPurpose = "preferences"
	ChangePurpose      = "change address"
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

// ChangeURL returns the link by which the owner of a new address confirms that a contact's mail shall go there.
func (c *Composer) ChangeURL(contact *subscribers.Contact, newAddress string) string {
	return c.PublicURL + "/confirm/" + ChangeToken(c.Keys, contact, newAddress)
}

// ChangeToken returns the token of a change of address. It holds the contact and the new address, so nothing is stored until that one's
// owner says so; and it is bound to the address that the contact has now without showing it: see Change.Holds.
func ChangeToken(keys token.Keys, contact *subscribers.Contact, newAddress string) string {
	return keys.SignWith(ChangePurpose, contact.ID, newAddress+"\n"+keys.Sign(fromPurpose(contact.EmailKey), contact.ID))
}

// Change is what a ChangeToken says.
type Change struct {
	Contact    int64
	NewAddress string
	from       string
}

// OpenChange reads a ChangeToken. Its errors are those of token.Keys.Open.
func OpenChange(keys token.Keys, made string) (Change, error) {
	id, words, err := keys.OpenWith(ChangePurpose, made)
	if err != nil {
		return Change{}, err
	}
	address, from, _ := strings.Cut(words, "\n")
	return Change{Contact: id, NewAddress: address, from: from}, nil
}

// Holds reports whether the contact still has the address that the change was asked for with.
func (c Change) Holds(keys token.Keys, contact *subscribers.Contact) bool {
	id, err := keys.Open(fromPurpose(contact.EmailKey), c.from)
	return err == nil && id == contact.ID && id == c.Contact
}

func fromPurpose(emailKey string) string { return ChangePurpose + " from " + emailKey }
