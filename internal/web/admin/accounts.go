package admin

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) accountsRoutes() []route {
	return slices.Concat(s.accountRoutes(), s.keyRoutes(), []route{
		{pattern: "GET /admin/accounts", needs: accounts.Administer, do: s.listAccounts},
		{pattern: "GET /admin/accounts/new", needs: accounts.Administer, proved: true, do: s.askInvitation},
		{pattern: "POST /admin/accounts", needs: accounts.Administer, proved: true, do: s.invite},
		{pattern: "GET /admin/accounts/{id}", needs: accounts.Administer, do: s.showAccount},
		{pattern: "POST /admin/accounts/{id}", needs: accounts.Administer, proved: true, do: s.changeAccount},
		{pattern: "POST /admin/accounts/{id}/link", needs: accounts.Administer, proved: true, do: s.linkAccount},
		{pattern: "POST /admin/accounts/{id}/factor", needs: accounts.Administer, proved: true, do: s.resetFactor},
		{pattern: "POST /admin/accounts/{id}/disable", needs: accounts.Administer, proved: true, do: s.disableAccount},
		{pattern: "POST /admin/accounts/{id}/enable", needs: accounts.Administer, proved: true, do: s.enableAccount},
		{pattern: "GET /admin/log", needs: accounts.Administer, do: s.showLog},
	})
}

const accountsPath = "/admin/accounts"

// pathID returns the number that an address has in it.
func pathID(v *visit) (int64, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errs.New(errs.NotFound, "%q is no number", v.PathValue("id"))
	}
	return id, nil
}

// listNames are the names of lists by id.
type listNames map[int64]string

// listNames returns what the lists are called for the visitor.
func (s *site) listNames(v *visit) (listNames, error) {
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	names := listNames{}
	for _, list := range lists {
		names[list.ID] = cmp.Or(list.NameIn(s.language(v)), list.Slug)
	}
	return names, err
}

// language returns the language of the visitor's pages.
func (s *site) language(v *visit) string {
	if v.actor.Language != "" {
		return v.actor.Language
	}
	return s.pages.Language(accepted(v.Request)...)
}

// of returns the names of some lists; nil for nil, which is all of them.
func (n listNames) of(ids []int64) (names []string) {
	for _, id := range ids {
		names = append(names, cmp.Or(n[id], "#"+strconv.FormatInt(id, 10)))
	}
	return names
}

// choices returns the lists to be ticked, by name.
func (n listNames) choices() (all []adminpage.Choice) {
	for id, name := range n {
		all = append(all, adminpage.Choice{Value: strconv.FormatInt(id, 10), Label: name})
	}
	slices.SortFunc(all, func(a, b adminpage.Choice) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
	})
	return all
}

// words returns values of a kind of string as strings.
func words[S ~string](values []S) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = string(value)
	}
	return all
}

// scope returns the roles and lists that were ticked.
func scope(v *visit) (roles []accounts.Role, lists []int64, err error) {
	for _, role := range v.PostForm["role"] {
		roles = append(roles, accounts.Role(role))
	}
	for _, list := range v.PostForm["list"] {
		id, err := strconv.ParseInt(list, 10, 64)
		if err != nil {
			return nil, nil, errs.New(errs.Invalid, "list %q is no list", list)
		}
		lists = append(lists, id)
	}
	return roles, lists, nil
}

func (s *site) listAccounts(v *visit) (adminpage.Page, error) {
	all, err := s.App.Accounts.All(v.Context())
	if err != nil {
		return nil, err
	}
	names, err := s.listNames(v)
	if err != nil {
		return nil, err
	}
	mails, err := s.App.InvitationStates(v.Context())
	page := adminpage.Accounts{}
	for _, a := range all {
		page.Accounts = append(page.Accounts, accountRow(v, a, names, mails[a.ID]))
	}
	return page, err
}

func accountRow(v *visit, a accounts.Account, names listNames, mail string) adminpage.AccountRow {
	return adminpage.AccountRow{
		ID: a.ID, Email: a.Email, Name: a.Name, Roles: words(a.Roles), Lists: names.of(a.Lists), State: string(a.State), Factor: a.Factor, SignedInAt: a.SignedInAt,
		Mail: mail, Me: a.ID == v.actor.Account,
	}
}

func (s *site) askInvitation(v *visit) (adminpage.Page, error) {
	return s.invitation(v, adminpage.Fields{"language": {s.language(v)}, "role": {string(accounts.Reader)}}, nil)
}

func (s *site) invitation(v *visit, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	names, err := s.listNames(v)
	return adminpage.AccountForm{Fields: fields, Roles: words(accounts.Roles), Lists: names.choices(), Mistakes: mistakes}, err
}

func (s *site) invite(v *visit) (adminpage.Page, error) {
	roles, lists, err := scope(v)
	var id int64
	if err == nil {
		id, err = s.App.Invite(v.Context(), accounts.Account{
			Email: v.PostFormValue("email"), Name: v.PostFormValue("name"), Language: v.PostFormValue("language"), Roles: roles, Lists: lists,
		})
	}
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.Conflict || kind == errs.Unavailable) {
		page, failed := s.invitation(v, v.fields(), adminpage.Mistakes{"": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(accountsPath+"/"+strconv.FormatInt(id, 10), "invited")
}

func (s *site) showAccount(v *visit) (adminpage.Page, error) {
	id, err := pathID(v)
	if err != nil {
		return nil, err
	}
	return s.account(v, id, nil, nil)
}

// account returns the page of an account. fields are what somebody put in, nil for what is stored.
func (s *site) account(v *visit, id int64, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	a, err := s.App.Accounts.Get(v.Context(), id)
	if err != nil {
		return nil, err
	}
	names, err := s.listNames(v)
	if err != nil {
		return nil, err
	}
	if fields == nil {
		fields = adminpage.Fields{"role": words(a.Roles)}
		for _, list := range a.Lists {
			fields["list"] = append(fields["list"], strconv.FormatInt(list, 10))
		}
	}
	mails, err := s.App.InvitationStates(v.Context())
	if err != nil {
		return nil, err
	}
	working, err := s.App.Accounts.KeysOf(v.Context(), id)
	row := accountRow(v, a, names, mails[id])
	return adminpage.AccountForm{Account: &row, Keys: working, Fields: fields, Roles: words(accounts.Roles), Lists: names.choices(), Mistakes: mistakes}, err
}

func (s *site) changeAccount(v *visit) (adminpage.Page, error) {
	id, err := pathID(v)
	if err != nil {
		return nil, err
	}
	roles, lists, err := scope(v)
	if err == nil {
		err = s.App.Accounts.SetScope(v.Context(), id, roles, lists)
	}
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.Conflict) {
		return s.accountAgain(v, id, v.fields(), err)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(accountsPath+"/"+strconv.FormatInt(id, 10), "saved")
}

func (s *site) accountAgain(v *visit, id int64, fields adminpage.Fields, why error) (adminpage.Page, error) {
	page, err := s.account(v, id, fields, adminpage.Mistakes{"": why.Error()})
	if err != nil {
		return nil, err
	}
	return v.again(page)
}

func (s *site) linkAccount(v *visit) (adminpage.Page, error) {
	return s.steer(v, s.App.SendLink, "link_sent")
}

func (s *site) resetFactor(v *visit) (adminpage.Page, error) {
	return s.steer(v, s.App.Accounts.ResetFactor, "factor_reset")
}

func (s *site) disableAccount(v *visit) (adminpage.Page, error) {
	return s.steer(v, s.App.Accounts.Disable, "account_disabled")
}

func (s *site) enableAccount(v *visit) (adminpage.Page, error) {
	return s.steer(v, s.App.Accounts.Enable, "account_enabled")
}

// steer does something to the account at the address and leads back to it.
func (s *site) steer(v *visit, do func(context.Context, int64) error, done string) (adminpage.Page, error) {
	id, err := pathID(v)
	if err != nil {
		return nil, err
	}
	err = do(v.Context(), id)
	if kind := errs.KindOf(err); err != nil && (kind == errs.Conflict || kind == errs.Unavailable) {
		return s.accountAgain(v, id, nil, err)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(accountsPath+"/"+strconv.FormatInt(id, 10), done)
}
