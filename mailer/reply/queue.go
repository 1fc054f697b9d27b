package reply

import "regexp"

// queueIDs match what servers call the message that they took, in the words of Postfix and its kin, Exim, Sendmail, Microsoft's and Google's.
var queueIDs = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\bqueued as ([0-9A-Za-z._-]{4,64})`),
	regexp.MustCompile(`(?i)\bid=([0-9A-Za-z._-]{4,64})`),
	regexp.MustCompile(`(?i)(?:^|\s)([0-9A-Za-z._-]{6,64}) message accepted for delivery`),
	regexp.MustCompile(`(?i)\bInternalId=([0-9]{4,64})`),
	regexp.MustCompile(`^(?:2\.0\.0 )?OK\s+[0-9]{9,11} ([0-9A-Za-z._-]{6,64}) - gsmtp`),
}

// QueueID returns what the server calls the message that it took, "" when it does not say. It holds no address, so a log may have it.
func (r Reply) QueueID() string {
	if r.Phase != Dot || r.Code/100 != 2 {
		return ""
	}
	for _, id := range queueIDs {
		found := id.FindStringSubmatchIndex(r.Text)
		// What goes on with an @ is an address or a Message-ID.
		if found != nil && (found[3] == len(r.Text) || r.Text[found[3]] != '@') {
			return r.Text[found[2]:found[3]]
		}
	}
	return ""
}
