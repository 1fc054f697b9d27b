package admin

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// accountRoutes are about one's own account.
func (s *site) accountRoutes() []route {
	return []route{
		{pattern: "GET /admin/account", needs: accounts.Own, do: s.showMe},
		{pattern: "POST /admin/account", needs: accounts.Own, do: s.changeMe, form: []string{"language", "zone", "name"}},
		{pattern: "POST /admin/account/password", needs: accounts.Own, do: s.changePassword},
		{pattern: "POST /admin/account/factor", needs: accounts.Own, proved: true, do: s.beginFactor},
		{pattern: "GET /admin/account/factor", needs: accounts.Own, proved: true, do: s.showFactor},
		{pattern: "POST /admin/account/factor/finish", needs: accounts.Own, proved: true, do: s.finishFactor},
		{pattern: "POST /admin/account/factor/remove", needs: accounts.Own, proved: true, do: s.removeFactor},
		{pattern: "POST /admin/account/recovery", needs: accounts.Own, proved: true, do: s.newRecovery},
		{pattern: "POST /admin/account/sessions/end", needs: accounts.Own, do: s.endOthers},
		{pattern: "POST /admin/account/sessions/{id}/end", needs: accounts.Own, do: s.endSession},
	}
}

const mePath = "/admin/account"

func (s *site) showMe(v *visit) (adminpage.Page, error) { return s.me(v, nil, nil) }

// me returns the page of the visitor's account. fields are what they put in, nil for what is stored.
func (s *site) me(v *visit, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	a, err := s.App.Accounts.Get(v.Context(), v.actor.Account)
	if err != nil {
		return nil, err
	}
	if fields == nil {
		fields = adminpage.Fields{"name": {a.Name}, "language": {a.Language}, "zone": {a.Zone}}
	}
	names, err := s.listNames(v)
	if err != nil {
		return nil, err
	}
	page := adminpage.Me{
		Email: a.Email, Fields: fields, Zones: subscribers.TimeZones(), Password: a.Password, Shortest: accounts.ShortestPassword, Factor: a.Factor, Recovery: a.Recovery,
		Roles: words(a.Roles), Lists: names.of(a.Lists), Mistakes: mistakes,
	}
	if a.Zone != "" && !slices.Contains(page.Zones, a.Zone) {
		page.Zones = append([]string{a.Zone}, page.Zones...)
	}
	sessions, err := s.App.Accounts.Sessions(v.Context(), a.ID)
	for _, session := range sessions {
		page.Sessions = append(page.Sessions, adminpage.Session{
			ID: session.ID, Agent: session.Agent, Network: session.Network, MadeAt: session.MadeAt, SeenAt: session.SeenAt,
			Here: strconv.FormatInt(session.ID, 10) == v.actor.Session,
		})
	}
	return page, err
}

func (s *site) changeMe(v *visit) (adminpage.Page, error) {
	language := v.PostFormValue("language")
	if language != "" && !slices.Contains(s.pages.Languages(), language) {
		language = ""
	}
	err := s.App.Accounts.SetProfile(v.Context(), accounts.Account{ID: v.actor.Account, Name: v.PostFormValue("name"), Language: language, Zone: v.PostFormValue("zone")})
	if errs.KindOf(err) == errs.Invalid && err != nil {
		return s.meAgain(v, v.fields(), adminpage.Mistakes{"zone": err.Error()})
	}
	if err != nil {
		return nil, err
	}
	return v.leave(mePath, "saved")
}

func (s *site) meAgain(v *visit, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	page, err := s.me(v, fields, mistakes)
	if err != nil {
		return nil, err
	}
	return v.again(page)
}

func (s *site) changePassword(v *visit) (adminpage.Page, error) {
	if err := s.safe(v); err != nil {
		return nil, err
	}
	old, password := v.PostFormValue("old"), v.PostFormValue("password")
	if password != v.PostFormValue("again") {
		return s.meAgain(v, nil, adminpage.Mistakes{"again": twice})
	}
	t, err := s.App.Accounts.ChangePassword(v.Context(), s.token(v.Request), old, password, s.from(v))
	tooMany := (*accounts.TooManyError)(nil)
	switch {
	case errors.Is(err, accounts.ErrOldPassword):
		return s.meAgain(v, nil, adminpage.Mistakes{"old": err.Error()})
	case errors.As(err, &tooMany):
		page, err := s.me(v, nil, adminpage.Mistakes{"old": err.Error()})
		if err != nil {
			return nil, err
		}
		return v.tooMany(page, tooMany.Wait)
	case errs.KindOf(err) == errs.Invalid && err != nil:
		return s.meAgain(v, nil, adminpage.Mistakes{"password": err.Error()})
	case err != nil:
		return nil, err
	}
	s.keep(v, t)
	return v.leave(mePath, "password")
}

func (s *site) beginFactor(v *visit) (adminpage.Page, error) {
	if err := s.App.Accounts.BeginFactor(v.Context(), v.actor.Account); err != nil {
		return nil, err
	}
	return v.leave(mePath+"/factor", "")
}

func (s *site) showFactor(v *visit) (adminpage.Page, error) {
	page, err := s.factor(v, nil)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		return v.leave(mePath, "")
	}
	return page, err
}

func (s *site) factor(v *visit, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	f, err := s.App.Accounts.NewFactor(v.Context(), v.actor.Account)
	if err != nil {
		return nil, err
	}
	modules, size, err := qrPath(f.URL)
	return adminpage.Factor{Secret: grouped(f.Secret), Modules: modules, Size: size + 2*quietZone, Mistakes: mistakes}, err
}

// quietZone is how many light modules stand around a QR code (ISO/IEC 18004).
const quietZone = 4

// qrPath returns a QR code as the path of an SVG, a square of 1 for each dark module, and how many modules wide it is.
func qrPath(text string) (path string, size int, err error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", 0, err
	}
	var b strings.Builder
	size = code.Bounds().Dx()
	for y := range size {
		for x := range size {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				b.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h1v1h-1z")
			}
		}
	}
	return b.String(), size, nil
}

// grouped returns a secret in groups of four, as it is easier to type.
func grouped(secret string) string {
	var groups []string
	for group := range slices.Chunk([]rune(secret), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, " ")
}

func (s *site) finishFactor(v *visit) (adminpage.Page, error) {
	session, _ := strconv.ParseInt(v.actor.Session, 10, 64) // a session's id is a number
	codes, err := s.App.Accounts.FinishFactor(v.Context(), v.actor.Account, v.PostFormValue("code"), session)
	tooMany := (*accounts.TooManyError)(nil)
	switch {
	case errs.KindOf(err) == errs.NotFound && err != nil:
		return v.leave(mePath, "")
	case errors.As(err, &tooMany), errs.KindOf(err) == errs.Invalid && err != nil:
		page, failed := s.factor(v, adminpage.Mistakes{"code": err.Error()})
		if failed != nil {
			return nil, failed
		}
		if tooMany != nil {
			return v.tooMany(page, tooMany.Wait)
		}
		return v.again(page)
	case err != nil:
		return nil, err
	}
	return adminpage.Recovery{Codes: codes}, nil
}

func (s *site) removeFactor(v *visit) (adminpage.Page, error) {
	if err := s.App.Accounts.RemoveFactor(v.Context(), v.actor.Account); err != nil {
		return nil, err
	}
	return v.leave(mePath, "factor_removed")
}

func (s *site) newRecovery(v *visit) (adminpage.Page, error) {
	codes, err := s.App.Accounts.NewRecovery(v.Context(), v.actor.Account)
	if err != nil {
		return nil, err
	}
	return adminpage.Recovery{Codes: codes}, nil
}

func (s *site) endSession(v *visit) (adminpage.Page, error) {
	id, err := pathID(v)
	if err == nil {
		err = s.App.Accounts.EndSession(v.Context(), v.actor.Account, id)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(mePath, "session_ended")
}

func (s *site) endOthers(v *visit) (adminpage.Page, error) {
	here, err := strconv.ParseInt(v.actor.Session, 10, 64)
	if err == nil {
		err = s.App.Accounts.EndOthers(v.Context(), v.actor.Account, here)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(mePath, "session_ended")
}
