package validate

import "slices"

const (
	ruleComplete = "RFC 5005, 2"
	rulePaged    = "RFC 5005, 3"
	ruleArchived = "RFC 5005, 4"
)

// history checks how a feed or channel says that it is one of several documents (RFC 5005, Appendix B for RSS).
func (r *report) history(e *element) {
	archive, complete := r.mark(e, "archive"), r.mark(e, "complete")
	self := ""
	if links := linksOf(e, "self"); len(links) > 0 {
		self = links[0].get("href")
	}
	for _, link := range e.all(nsAtom, "link") {
		relation := rel(link)
		switch {
		case !slices.Contains(history, relation):
		case complete != nil && relation != "current":
			r.err(link, ruleComplete, `<%s rel="%s"> leads to more, though the feed says <%s>: leave one of them out`,
				link.name(), relation, complete.name())
		case archive != nil && relation == "current" && self != "" && link.get("href") == self:
			r.err(link, ruleArchived, `<%s rel="current"> of an archive is its own address: write that of the feed people subscribe to`,
				link.name())
		case relation != "current" && relation != "first" && relation != "last" && self != "" && link.get("href") == self:
			r.err(link, ruleOf(relation), `<%s rel="%s"> is the document's own address, so readers go in circles: write that of the other document`,
				link.name(), relation)
		case relation == "next-archive" && archive == nil:
			r.warn(link, ruleArchived, `<%s rel="next-archive"> stands in a document that does not say it is an archive: add <fh:archive/>`,
				link.name())
		}
	}
	r.onceEach(e)
	if archive != nil && complete == nil && len(linksOf(e, "current")) == 0 {
		r.warn(archive, ruleArchived, `<%s> stands in a document without <atom:link rel="current">: add one with the address of the feed people subscribe to`,
			archive.name())
	}
}

func ruleOf(relation string) string {
	if relation == "prev-archive" || relation == "next-archive" {
		return ruleArchived
	}
	return rulePaged
}

// onceEach sees that a document has one neighbour of each kind.
func (r *report) onceEach(e *element) {
	for _, relation := range history {
		if links := linksOf(e, relation); len(links) > 1 {
			r.err(links[1], ruleOf(relation), `<%s rel="%s"> is there more than once: leave one`, links[1].name(), relation)
		}
	}
}

// mark returns fh:archive or fh:complete, if it is there.
func (r *report) mark(e *element, local string) *element {
	rule := ruleArchived
	if local == "complete" {
		rule = ruleComplete
	}
	found := e.all(nsHistory, local)
	if len(found) == 0 {
		return nil
	}
	if len(found) > 1 {
		r.err(found[1], rule, "<%s> is there more than once: leave one", found[1].name())
	}
	if found[0].trimmed() != "" || len(found[0].children) > 0 {
		r.err(found[0], rule, "<%s> holds something: leave it empty", found[0].name())
	}
	return found[0]
}
