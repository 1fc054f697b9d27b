package templates

import "time"

// Digest is what a digest mail shows. One is made per variant; what differs per recipient (Address, UnsubscribeURL) is given as
// placeholders that the mailer replaces in the finished bytes, so templates print both as they are, wherever they like.
type Digest struct {
	Language       string    // of the product's words; one that Catalogue has
	ListName       string    // in Language
	Date           time.Time // the edition's date, in the list's zone
	Articles       []DigestArticle
	SenderName     string
	PostalAddress  string
	Address        string // whom it is sent to
	UnsubscribeURL string
}

// DigestArticle is one article of a digest.
type DigestArticle struct {
	Title     string
	URL       string // absolute
	Section   string
	Summary   string // plain text
	Language  string // of title and summary
	Fallback  bool   // in none of the reader's languages: said so
	ImageURL  string // "" for none
	ImageAlt  string
	Published time.Time
}

// Mail is a rendered mail.
type Mail struct {
	Subject string
	HTML    string
	Text    string
}
