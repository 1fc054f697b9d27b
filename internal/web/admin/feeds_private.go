package admin

import (
	"context"
	"slices"
	"strconv"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) privateFeeds(v *visit) (adminpage.Page, error) {
	return s.privateFeedsPage(v, adminpage.PrivateFeeds{Fields: adminpage.Fields{"organisation": {v.query("organisation")}, "list": {v.query("list")}}})
}

// ownLists returns the lists that the visitor may do something with.
func (s *site) ownLists(v *visit, act accounts.Act) (own []subscribers.List, err error) {
	all, err := subscribers.Lists(v.Context(), s.App.DB)
	for _, list := range all {
		if v.may(act, list.ID) {
			own = append(own, list)
		}
	}
	return own, err
}

// privateFeedsPage fills in what is there: feeds of the visitor's lists, the latest first.
func (s *site) privateFeedsPage(v *visit, page adminpage.PrivateFeeds) (adminpage.PrivateFeeds, error) {
	own, err := s.ownLists(v, accounts.ReadPeople)
	if err != nil {
		return page, err
	}
	page.Lists = s.listOptions(v, own, page.Fields.Get("list"))
	names := map[string]string{}
	for _, list := range page.Lists {
		names[list.Value] = list.Name
	}
	all, err := s.App.PrivateFeeds(v.Context())
	if err != nil {
		return page, err
	}
	before, _ := strconv.ParseInt(v.query("before"), 10, 64)
	for _, f := range slices.Backward(all) {
		switch {
		case names[f.List] == "" || before > 0 && f.ID >= before:
		case len(page.Rows) == rows:
			page.Pager.NextURL = address("/admin/private-feeds", "before", strconv.FormatInt(page.Rows[rows-1].ID, 10))
		default:
			page.Rows = append(page.Rows, adminpage.PrivateFeedRow{ID: f.ID, Organisation: f.Organisation, List: f.List, ListName: names[f.List], CreatedAt: f.CreatedAt, RevokedAt: f.RevokedAt})
		}
	}
	if before > 0 {
		page.Pager.FirstURL = "/admin/private-feeds"
	}
	return page, nil
}

// privateFeedMake makes a feed and shows its addresses, this once.
func (s *site) privateFeedMake(v *visit) (adminpage.Page, error) {
	form := v.fields()
	own, err := s.ownLists(v, accounts.People)
	if err != nil {
		return nil, err
	}
	page := adminpage.PrivateFeeds{Fields: form}
	again := func(field, says string) (adminpage.Page, error) {
		page.Mistakes = adminpage.Mistakes{field: says}
		if page, err = s.privateFeedsPage(v, page); err != nil {
			return nil, err
		}
		return v.again(page)
	}
	at := slices.IndexFunc(own, func(list subscribers.List) bool { return list.Slug == form.Get("list") })
	if at < 0 {
		return again("list", errs.New(errs.NotFound, "there is no list %q of yours", form.Get("list")).Error())
	}
	made, urls, err := s.App.MakePrivateFeed(v.Context(), form.Get("organisation"), form.Get("list"))
	if err != nil && told(err) {
		return again("organisation", err.Error())
	}
	if err != nil {
		return nil, err
	}
	page.Fields = nil
	page.Made = &adminpage.MadeFeed{Organisation: made.Organisation, ListName: own[at].NameIn(s.words(v)), RSS: urls.RSS, Atom: urls.Atom, JSON: urls.JSON}
	return s.privateFeedsPage(v, page)
}

// privateFeedLists returns the list of the private feed in the address.
func (s *site) privateFeedLists(ctx context.Context, v *visit) ([]int64, error) {
	all, err := s.App.Feeds.Privates(ctx, s.App.DB)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if strconv.FormatInt(f.ID, 10) == v.PathValue("id") {
			return []int64{f.ListID}, nil
		}
	}
	return nil, errs.New(errs.NotFound, "there is no such private feed")
}

func (s *site) privateFeedRevoke(v *visit) (adminpage.Page, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err == nil {
		_, err = s.App.RevokePrivateFeed(v.Context(), id)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/private-feeds", "feed_revoked")
}
