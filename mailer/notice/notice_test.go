package notice_test

import (
	"fmt"
	"testing"
	"time"

	"silkpost/mailer/notice"
	"silkpost/subscribers"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	const (
		pending, active, paused, gone = subscribers.Pending, subscribers.Active, subscribers.Paused, subscribers.Unsubscribed
		goes, no, stale               = notice.Sent, notice.Suppressed, notice.Cancelled
	)
	bounced, complained, manual := subscribers.HardBounce, subscribers.Complaint, subscribers.Manual
	for _, tt := range []struct {
		kind     notice.Kind
		standing subscribers.State // when it was asked for
		state    subscribers.State // now
		against  []subscribers.Reason
		want     notice.State
	}{
		{notice.Confirmation, pending, pending, nil, goes},
		{notice.Confirmation, pending, active, nil, stale},
		{notice.Confirmation, pending, gone, nil, stale},
		{notice.Confirmation, gone, gone, nil, goes}, // only they can begin anew
		{notice.Confirmation, gone, active, nil, stale},
		{notice.Confirmation, pending, pending, []subscribers.Reason{bounced, complained}, goes},
		{notice.Confirmation, active, active, []subscribers.Reason{bounced}, goes}, // confirming lifts it
		{notice.Confirmation, active, active, nil, stale},                          // it was lifted
		{notice.Confirmation, pending, pending, []subscribers.Reason{bounced, manual}, no},
		{notice.Known, active, active, nil, goes},
		{notice.Known, paused, active, nil, goes},
		{notice.Known, active, gone, nil, stale},
		{notice.Known, active, active, []subscribers.Reason{complained}, no},
		{notice.Known, active, active, []subscribers.Reason{manual}, no},
		{notice.Welcome, active, active, nil, goes},
		{notice.Welcome, active, gone, nil, stale},
		{notice.Welcome, active, paused, nil, stale},
		{notice.Welcome, active, active, []subscribers.Reason{bounced}, no},
		{notice.LastEdition, active, active, nil, goes},
		{notice.LastEdition, active, gone, nil, stale},
		{notice.LastEdition, active, active, []subscribers.Reason{manual}, no},
		{notice.NewAddress, active, active, []subscribers.Reason{complained}, goes},
		{notice.NewAddress, active, active, []subscribers.Reason{manual}, no},
		{notice.OldAddress, active, gone, nil, goes},
		{notice.OldAddress, active, active, []subscribers.Reason{bounced}, no},
	} {
		sub := subscribers.Subscription{State: tt.state, Contact: subscribers.Contact{Email: "old@example.org"}}
		n := notice.Notice{Kind: tt.kind, Standing: tt.standing, OldAddress: "old@example.org", NewAddress: "new@example.org"}
		name := fmt.Sprintf("%s of one %s, who is %s with %v", tt.kind, tt.standing, tt.state, tt.against)
		if got, why := n.Verdict(&sub, tt.against); got != tt.want || (why == "") != (got == goes) {
			t.Errorf("%s: %s (%s), want %s", name, got, why, tt.want)
		}
		erased := time.Now()
		sub.Contact = subscribers.Contact{ErasedAt: &erased}
		if got, _ := n.Verdict(&sub, nil); got != no || n.To(&sub.Contact) != "" {
			t.Errorf("%s: %s although they were erased", name, got)
		}
	}
}

func TestTo(t *testing.T) {
	t.Parallel()
	contact := subscribers.Contact{Email: "now@example.org"}
	for kind, want := range map[notice.Kind]string{
		notice.Confirmation: "now@example.org", notice.Welcome: "now@example.org", notice.NewAddress: "new@example.org", notice.OldAddress: "old@example.org",
	} {
		n := notice.Notice{Kind: kind, OldAddress: "old@example.org", NewAddress: "new@example.org"}
		if got := n.To(&contact); got != want {
			t.Errorf("%s goes to %s, want %s", kind, got, want)
		}
	}
	for _, kind := range []notice.Kind{notice.NewAddress, notice.OldAddress} {
		n := notice.Notice{Kind: kind, OldAddress: "old@example.org", NewAddress: "new@example.org"}
		if got, _ := n.Verdict(&subscribers.Subscription{Contact: contact}, nil); got != notice.Cancelled {
			t.Errorf("%s of a change from an address that the contact no longer has: %s", kind, got)
		}
	}
}
