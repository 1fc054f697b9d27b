package admin

import (
	"slices"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/internal/staff"
	"silkpost/templates/adminpage"
)

// staffActs is what somebody must be allowed on some list to be told of a kind; see app.TellStaff.
var staffActs = map[staff.Kind]accounts.Act{
	staff.Approval: accounts.Send, staff.Held: accounts.Send, staff.Source: accounts.Edit, staff.Destination: accounts.Send, staff.Report: accounts.Stop,
}

// mailKinds are the kinds that somebody can be told of.
func mailKinds(who accounts.Actor) (kinds []staff.Kind) {
	for _, kind := range staff.Kinds {
		if who.Account != 0 && who.May(staffActs[kind]) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (s *site) mails(v *visit) (adminpage.Page, error) {
	without, err := staff.Without(v.Context(), s.App.DB)
	if err != nil {
		return nil, err
	}
	var page adminpage.Mails
	for _, kind := range mailKinds(v.actor) {
		page.Kinds = append(page.Kinds, adminpage.MailKind{Kind: string(kind), Wanted: !slices.Contains(without[v.actor.Account], kind)})
	}
	return page, nil
}

func (s *site) chooseMails(v *visit) (adminpage.Page, error) {
	if v.actor.Account == 0 {
		return nil, errs.New(errs.Invalid, "a key has no mails")
	}
	var without []staff.Kind
	for _, kind := range mailKinds(v.actor) {
		if !v.fields().Has(string(kind), "on") {
			without = append(without, kind)
		}
	}
	if err := s.App.WishMails(v.Context(), v.actor.Account, without); err != nil {
		return nil, err
	}
	return v.leave(app.StaffMailsPath, "saved")
}
