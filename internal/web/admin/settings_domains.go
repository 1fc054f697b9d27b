package admin

import (
	"cmp"
	"slices"

	"silkpost/internal/app"
	"silkpost/internal/doctor"
	"silkpost/internal/errs"
	"silkpost/mailer/dkim"
	"silkpost/templates/adminpage"
)

func (s *site) domains(v *visit) (adminpage.Page, error) {
	return s.domainsPage(v, adminpage.SettingsDomains{})
}

func (s *site) domainsPage(v *visit, page adminpage.SettingsDomains) (adminpage.Page, error) {
	examined, err := s.App.Examination(v.Context())
	if err != nil {
		return nil, err
	}
	page.At, page.Domains = examined.At, byDomain(examined.Findings)
	factors, err := s.App.Accounts.Outdated(v.Context())
	if err != nil {
		return nil, err
	}
	page.Outdated = factors > 0
	keys, err := s.App.Keys(v.Context())
	for i := range keys {
		k := &keys[i]
		page.Keys = append(page.Keys, adminpage.KeyLine{
			Domain: k.Domain, Selector: k.Selector, Algorithm: string(k.Algorithm), State: string(k.State), MadeAt: k.MadeAt, UsedAt: k.UsedAt, RetiredAt: k.RetiredAt,
			RecordName: k.Name(), Record: k.Record(), Zone: k.Zone(), Failure: k.Failure,
		})
		page.Outdated = page.Outdated || k.Failure == "" && k.Secret > 0
	}
	return page, err
}

// gravity orders findings, the gravest first.
var gravity = map[doctor.State]int{doctor.Problem: 0, doctor.Warning: 1, doctor.Note: 2}

// byDomain parts what was found by domain, what is of none last.
func byDomain(findings []doctor.Finding) (all []adminpage.DomainFindings) {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b doctor.Finding) int {
		if a.Domain != b.Domain && (a.Domain == "" || b.Domain == "") {
			return cmp.Compare(b.Domain, a.Domain)
		}
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(gravity[a.State], gravity[b.State]))
	})
	for _, f := range findings {
		if len(all) == 0 || all[len(all)-1].Domain != f.Domain {
			all = append(all, adminpage.DomainFindings{Domain: f.Domain})
		}
		of := &all[len(all)-1]
		if f.State == doctor.OK {
			of.Well++
			continue
		}
		of.Findings = append(of.Findings, shownFinding(f))
	}
	return all
}

func shownFinding(f doctor.Finding) adminpage.Finding {
	return adminpage.Finding{Check: f.Check, State: string(f.State), Says: f.Says, Means: f.Means, Do: f.Do, Publish: f.Publish}
}

func (s *site) examine(v *visit) (adminpage.Page, error) {
	if err := s.App.Examine(v.Context(), app.DoctorOptions{}, patience); err != nil {
		return nil, err
	}
	return v.leave("/admin/settings/domains", "examined")
}

func (s *site) makeSigningKey(v *visit) (adminpage.Page, error) {
	_, err := s.App.MakeKey(v.Context(), v.PostFormValue("domain"), "", dkim.Algorithm(v.PostFormValue("algorithm")))
	kind := errs.KindOf(err)
	switch {
	case err == nil:
		return v.leave("/admin/settings/domains", "key_made")
	case kind == errs.Invalid || kind == errs.Conflict:
		page, err := s.domainsPage(v, adminpage.SettingsDomains{Fields: v.fields(), Mistakes: adminpage.Mistakes{"domain": err.Error()}})
		if err != nil {
			return nil, err
		}
		return v.again(page)
	}
	return nil, err
}

// keyIn returns the key that a form names.
func (s *site) keyIn(v *visit) (dkim.Key, error) {
	return s.App.Key(v.Context(), v.PostFormValue("domain"), v.PostFormValue("selector"))
}

func (s *site) checkKey(v *visit) (adminpage.Page, error) {
	key, err := s.keyIn(v)
	if err != nil {
		return nil, err
	}
	finding := shownFinding(s.App.CheckKey(v.Context(), "", key))
	return s.domainsPage(v, adminpage.SettingsDomains{Checked: &finding})
}

// useKey lets a key sign whose record is published as it should be: mail that is signed with another is worse off than mail that is not signed at all.
func (s *site) useKey(v *visit) (adminpage.Page, error) {
	key, err := s.keyIn(v)
	if err != nil {
		return nil, err
	}
	if finding := s.App.CheckKey(v.Context(), "", key); finding.State != doctor.OK {
		shown := shownFinding(finding)
		page, err := s.domainsPage(v, adminpage.SettingsDomains{Checked: &shown})
		if err != nil {
			return nil, err
		}
		return v.again(page)
	}
	if _, err := s.App.UseKey(v.Context(), key); err != nil {
		return nil, err
	}
	return v.leave("/admin/settings/domains", "key_used")
}

func (s *site) retireKey(v *visit) (adminpage.Page, error) {
	key, err := s.keyIn(v)
	if err == nil {
		err = s.App.RetireKey(v.Context(), key)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/settings/domains", "key_retired")
}

func (s *site) removeKey(v *visit) (adminpage.Page, error) {
	key, err := s.keyIn(v)
	if err == nil {
		err = s.App.RemoveKey(v.Context(), key)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/settings/domains", "removed")
}

func (s *site) resealKeys(v *visit) (adminpage.Page, error) {
	if _, _, err := s.App.Reseal(v.Context()); err != nil {
		return nil, err
	}
	return v.leave("/admin/settings/domains", "saved")
}
