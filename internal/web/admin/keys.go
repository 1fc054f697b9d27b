package admin

import (
	"strconv"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/templates/adminpage"
)

func (s *site) keyRoutes() []route {
	return []route{
		{pattern: "GET /admin/keys", needs: accounts.Administer, do: s.listKeys},
		{pattern: "GET /admin/keys/new", needs: accounts.Administer, proved: true, do: s.askKey},
		{pattern: "POST /admin/keys", needs: accounts.Administer, proved: true, do: s.makeKey},
		{pattern: "POST /admin/keys/{id}/revoke", needs: accounts.Administer, do: s.revokeKey},
	}
}

const keysPath = "/admin/keys"

func (s *site) listKeys(v *visit) (adminpage.Page, error) {
	all, err := s.App.Accounts.APIKeys(v.Context())
	if err != nil {
		return nil, err
	}
	names, err := s.listNames(v)
	page := adminpage.Keys{}
	for _, k := range all {
		page.Keys = append(page.Keys, adminpage.KeyRow{
			ID: k.ID, Name: k.Name, Hint: k.Hint, Maker: k.Maker, Roles: words(k.Roles), Lists: names.of(k.Lists), MadeAt: k.MadeAt, EndsAt: k.EndsAt, UsedAt: k.UsedAt,
			State: s.keyState(k),
		})
	}
	return page, err
}

// keyState says in a word whether a key works.
func (s *site) keyState(k accounts.Key) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.EndsAt != nil && !k.EndsAt.After(s.App.Clock.Now()):
		return "ended"
	case !k.Works:
		return "idle"
	}
	return "works"
}

func (s *site) askKey(v *visit) (adminpage.Page, error) {
	return s.keyForm(v, adminpage.Fields{"days": {"365"}, "role": {string(accounts.Reader)}}, nil)
}

func (s *site) keyForm(v *visit, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	names, err := s.listNames(v)
	return adminpage.KeyForm{Fields: fields, Roles: words(accounts.Roles), Lists: names.choices(), Mistakes: mistakes}, err
}

// longestKey is how many days a key may work for at most, unless it is to work for ever.
const longestKey = 3650

func (s *site) makeKey(v *visit) (adminpage.Page, error) {
	k := accounts.Key{Name: v.PostFormValue("name"), MadeBy: v.actor.Account}
	var err error
	k.Roles, k.Lists, err = scope(v)
	days, wrong := strconv.Atoi(v.PostFormValue("days"))
	if err == nil && (wrong != nil || days < 0 || days > longestKey) {
		err = errs.New(errs.Invalid, "say after how many days the key ends")
	}
	if days > 0 {
		end := s.App.Clock.Now().Add(time.Duration(days) * 24 * time.Hour)
		k.EndsAt = &end
	}
	var secret string
	if err == nil {
		secret, _, err = s.App.Accounts.MakeKey(v.Context(), k)
	}
	if errs.KindOf(err) == errs.Invalid && err != nil {
		page, failed := s.keyForm(v, v.fields(), adminpage.Mistakes{"": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return adminpage.KeyMade{Name: k.Name, Secret: secret}, nil
}

func (s *site) revokeKey(v *visit) (adminpage.Page, error) {
	id, err := pathID(v)
	if err == nil {
		err = s.App.Accounts.RevokeKey(v.Context(), id)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(keysPath, "key_revoked")
}
