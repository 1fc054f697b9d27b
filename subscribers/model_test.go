package subscribers_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"silkpost/subscribers"
)

// person is what the model knows of one address on one list.
type person struct {
	state      subscribers.State // "": not on the list
	log        []string          // the states it went through
	saidYes    bool              // the log has a yes of their own
	suppressed map[subscribers.Reason]bool
	ever       map[subscribers.Reason]bool // suppressed for it at some time
	domain     bool                        // its domain is suppressed
	erased     bool
}

func newPerson() *person {
	return &person{suppressed: map[subscribers.Reason]bool{}, ever: map[subscribers.Reason]bool{}}
}

func (p *person) clone() *person {
	c := *p
	c.log, c.suppressed, c.ever = slices.Clone(p.log), maps.Clone(p.suppressed), maps.Clone(p.ever)
	return &c
}

func (p *person) mailable() bool {
	return p.state == subscribers.Active && len(p.suppressed) == 0 && !p.domain && !p.erased
}

func (p *person) String() string {
	return fmt.Sprintf("%s %v %s %v", p.state, p.mailable(), strings.Join(p.log, ">"), slices.Sorted(maps.Keys(p.suppressed)))
}

// becomes changes the state, if it is one of from.
func (p *person) becomes(to subscribers.State, own bool, from ...subscribers.State) {
	if !slices.Contains(from, p.state) {
		return
	}
	p.state, p.log = to, append(p.log, string(to))
	p.saidYes = p.saidYes || own && (to == subscribers.Active || to == subscribers.Paused)
}

// imported is what one import says of the address: the standings that its rows name, and whether it states a consent.
func (p *person) imported(says []string, consent bool) {
	if p.erased {
		return
	}
	no := false
	for _, word := range says {
		no = no || word != "" && word != "active"
		if reason := subscribers.Reason(word); slices.Contains(reasons, reason) && !p.ever[reason] {
			p.suppress(reason)
		}
	}
	gives := subscribers.Pending
	switch {
	case slices.Contains(says, "unsubscribed"):
		gives = subscribers.Unsubscribed
	case !no && len(p.suppressed) == 0 && !p.domain && consent:
		gives = subscribers.Active
	}
	switch {
	case p.state == "":
		p.becomes(gives, false, "")
	case gives == subscribers.Active:
		p.becomes(gives, false, subscribers.Pending)
	case gives == subscribers.Unsubscribed && !p.saidYes:
		p.becomes(gives, false, subscribers.Pending, subscribers.Active, subscribers.Paused)
	}
}

// reasons are those for which an address can be suppressed.
var reasons = []subscribers.Reason{subscribers.HardBounce, subscribers.Complaint, subscribers.Manual}

func (p *person) suppress(reason subscribers.Reason) {
	if !p.erased {
		p.suppressed[reason], p.ever[reason] = true, true
	}
}

func (p *person) unsubscribe() {
	p.becomes(subscribers.Unsubscribed, true, subscribers.Pending, subscribers.Active, subscribers.Paused)
}

// leaveAndComeBack is one press on a page and another to undo it.
func (p *person) leaveAndComeBack() {
	if was := p.state; was != subscribers.Unsubscribed {
		p.unsubscribe()
		p.becomes(was, true, subscribers.Unsubscribed)
	}
}

func (p *person) confirm() {
	if p.erased {
		return
	}
	p.becomes(subscribers.Active, true, subscribers.Pending, subscribers.Unsubscribed, subscribers.Paused)
	delete(p.suppressed, subscribers.HardBounce)
	delete(p.suppressed, subscribers.Complaint)
}

func (p *person) pause() { p.becomes(subscribers.Paused, true, subscribers.Active, subscribers.Paused) }

func (p *person) resume(own bool) { p.becomes(subscribers.Active, own, subscribers.Paused) }

func (p *person) erase() {
	p.becomes(subscribers.Unsubscribed, false, subscribers.Pending, subscribers.Active, subscribers.Paused)
	p.erased = true
	clear(p.suppressed)
}
