package compose

import (
	"github.com/google/uuid"

	"silkpost/templates"
)

// Notice is a mail to one person alone, about their own subscription or address.
type Notice struct {
	Masthead
	Language string // of the product's words
	Shown    templates.Mail
}

// For returns the notice for its recipient, with CRLF line ends and not dot-stuffed. The same notice and recipient give the same bytes. It has the
// list's headers only when there is an UnsubscribeURL: who is not subscribed gets no mail of the list, and has nothing to unsubscribe from.
func (n Notice) For(r Recipient) ([]byte, error) {
	nonce := newNonce([]byte(n.Shown.Subject + n.Shown.Text + n.Shown.HTML))
	var more []header
	if r.UnsubscribeURL != "" {
		more = n.listHeaders(nonce)
	}
	stored, err := store(n.Masthead, n.Language, n.Shown, nonce, more)
	if err != nil {
		return nil, err
	}
	message, err := parse(stored)
	if err != nil {
		return nil, err
	}
	return message.For(r), nil
}

// NoticeID returns the Message-ID of a notice, in the sender's domain. It is the same at each attempt and tells nothing.
func NoticeID(notice uuid.UUID, senderAddress string) string {
	return messageIDOf("notice/"+notice.String(), senderAddress)
}
