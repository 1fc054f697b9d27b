package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"silkpost/mailer/bounce"
)

// Trial is a test mail of which something was heard.
type Trial struct {
	bounce.Trial
	Sender   string // the address that it is from
	Envelope string // the domain of its return path
}

// trialChecks are the names of what Hear finds.
var trialChecks = []check{
	{name: "sent.arrival", looks: "whether a test mail arrived, and somebody said what they make of it"},
	{name: "sent.spf", looks: "what the receiving server says of SPF"},
	{name: "sent.dkim", looks: "what it says of DKIM"},
	{name: "sent.dmarc", looks: "what it says of DMARC"},
}

// Hear returns what the server that took a test mail makes of it.
func Hear(t Trial) (found []Finding) {
	add := func(check string, f Finding) {
		f.Check = check
		found = append(found, f)
	}
	switch {
	case t.How == bounce.Bounced:
		add("sent.arrival", problem("the test mail from %s came back: %s", t.Sender, t.Said).means("digests do, too").
			do("read what the server says: it is often about reputation, or about what else is found here"))
		return found
	case t.Said == "" && t.How == bounce.Arrived:
		add("sent.arrival", note("the test mail from %s arrived, and no server on its way said what it makes of it", t.Sender).
			means("where mail to the bounce domain comes straight to silkpost nobody looks at it").
			do("send one to a mailbox elsewhere: silkpost doctor --send-to somebody@example.com"))
		return found
	case t.Said == "":
		add("sent.arrival", warning("somebody answered the test mail from %s, and nothing in the answer says what their server makes of it", t.Sender).
			do("try again, and forward the mail as an attachment, or answer with its full header"))
		return found
	}
	var by string
	var verdicts []bounce.Verdict
	for field := range strings.SplitSeq(t.Said, "\n") {
		who, said := bounce.ParseAuthentication(field)
		if by == "" {
			by = who
		}
		verdicts = append(verdicts, said...)
	}
	if by == "" {
		by = "the receiving server"
	}
	add("sent.arrival", ok("%s took the test mail from %s", by, t.Sender))
	for _, method := range []string{"spf", "dkim", "dmarc"} {
		add("sent."+method, t.heard(method, by, verdicts))
	}
	return found
}

// remedies say what to do when a way to authenticate fails.
var remedies = map[string]struct{ means, do string }{
	"spf": {"the server that brought the mail there is not named by the SPF record of %[2]s", "add it, or what those who run the relay say, to that record; silkpost doctor shows the record"},
	"dkim": {
		"the signature is missing, broken on the way, or its record is not found",
		"see that silkpost doctor finds the keys' records, and that no server on the way changes mail, as those do that add footers",
	},
	"dmarc": {"neither SPF nor DKIM vouch for %[1]s", "let DKIM sign for that domain: silkpost dkim create %[1]s"},
}

// heard is the finding for a way to authenticate. Of several signatures the best counts, as for receivers.
func (t Trial) heard(method, by string, verdicts []bounce.Verdict) Finding {
	domain := domainOf(t.Sender)
	ofMethod := slices.DeleteFunc(slices.Clone(verdicts), func(v bounce.Verdict) bool { return v.Method != method })
	var said []string
	for _, v := range ofMethod {
		said = append(said, describe(v))
	}
	words := fmt.Sprintf("%s says of the mail from %s: %s", by, t.Sender, strings.Join(said, ", "))
	passed := slices.ContainsFunc(ofMethod, func(v bounce.Verdict) bool { return v.Result == "pass" || v.Result == "bestguesspass" })
	remedy := remedies[method]
	switch {
	case passed:
		return Finding{State: OK, Says: words}
	case len(ofMethod) == 0:
		return warning("%s says nothing of %s", by, strings.ToUpper(method)).means("it does not look, or another server of theirs does")
	case slices.ContainsFunc(ofMethod, func(v bounce.Verdict) bool { return v.Result == "temperror" }):
		return warning("%s", words).means("it could not find that out for now").do("try again")
	case method == "dmarc" && slices.ContainsFunc(ofMethod, func(v bounce.Verdict) bool { return v.Result == "none" }):
		return problem("%s", words).means("%s has no DMARC record that it knows of", domain).do("publish one: silkpost doctor says which")
	}
	return problem("%s", words).means("%s", fill(remedy.means, domain, t.Envelope)).do("%s", fill(remedy.do, domain, t.Envelope))
}

// fill puts the domains into a remedy, where it wants them.
func fill(text, domain, envelope string) string {
	return strings.NewReplacer("%[1]s", domain, "%[2]s", envelope).Replace(text)
}

// describe says what a verdict is, and about which domain.
func describe(v bounce.Verdict) string {
	text := v.Method + "=" + v.Result
	if about := cmp.Or(v.Properties["smtp.mailfrom"], v.Properties["header.d"], v.Properties["header.i"], v.Properties["header.from"]); about != "" {
		text += " (" + domainOf(about) + ")"
	}
	if v.Reason != "" {
		text += ", " + v.Reason
	}
	return text
}
