package admin

import (
	"cmp"
	"strconv"

	"silkpost/internal/errs"
	"silkpost/mailer/limit"
	"silkpost/templates/adminpage"
)

func (s *site) limits(v *visit) (adminpage.Page, error) {
	all, err := s.App.LimitStatuses(v.Context())
	page := adminpage.SettingsLimits{}
	for i := range all {
		l := &all[i]
		line := adminpage.LimitLine{Name: l.Name, About: "all", From: l.WarmUp.From}
		for about, which := range map[string]string{"relay": l.Relay, "destination": l.Destination, "sender": l.Sender} {
			if which != "" {
				line.About, line.Which = about, cmp.Or(l.About, which)
			}
		}
		for _, period := range []string{"second", "minute", "hour", "day", "warm-up"} {
			if most, limited := l.Most[period]; limited {
				line.Uses = append(line.Uses, adminpage.LimitUse{Period: period, Taken: l.Taken[period], Most: most})
			}
		}
		for _, w := range l.Waiting {
			line.Waits = append(line.Waits, adminpage.LimitWait{N: w.Waiting, Next: w.Next, Last: w.Last})
		}
		page.Limits = append(page.Limits, line)
	}
	return page, err
}

// limitFields are all that can be said of a limit.
var limitFields = []formField[limit.Limit]{
	{section: "limit", name: "name", kind: adminpage.LineField, of: func(l *limit.Limit) binding { return bindText(&l.Name) }},
	{section: "limit", name: "relay", kind: adminpage.LineField, of: func(l *limit.Limit) binding { return bindText(&l.Relay) }},
	{section: "limit", name: "destination", kind: adminpage.LineField, of: func(l *limit.Limit) binding { return bindText(&l.Destination) }},
	{section: "limit", name: "sender", kind: adminpage.LineField, of: func(l *limit.Limit) binding { return bindText(&l.Sender) }},
	{section: "limit", name: "per_second", kind: adminpage.NumberField, noHelp: true, of: func(l *limit.Limit) binding { return bindNumber(&l.PerSecond) }},
	{section: "limit", name: "per_minute", kind: adminpage.NumberField, noHelp: true, of: func(l *limit.Limit) binding { return bindNumber(&l.PerMinute) }},
	{section: "limit", name: "per_hour", kind: adminpage.NumberField, noHelp: true, of: func(l *limit.Limit) binding { return bindNumber(&l.PerHour) }},
	{section: "limit", name: "per_day", kind: adminpage.NumberField, noHelp: true, of: func(l *limit.Limit) binding { return bindNumber(&l.PerDay) }},

	{section: "warm_up", name: "warm_up_from", kind: adminpage.LineField, of: func(l *limit.Limit) binding { return bindText(&l.WarmUp.From) }},
	{section: "warm_up", name: "warm_up_start", kind: adminpage.NumberField, of: func(l *limit.Limit) binding { return bindNumber(&l.WarmUp.Start) }},
	{section: "warm_up", name: "warm_up_factor", kind: adminpage.NumberField, of: func(l *limit.Limit) binding { return bindFactor(&l.WarmUp.Factor) }},
	{section: "warm_up", name: "warm_up_until", kind: adminpage.NumberField, of: func(l *limit.Limit) binding { return bindNumber(&l.WarmUp.Until) }},
	{section: "warm_up", name: "warm_up_days", kind: adminpage.LinesField, of: func(l *limit.Limit) binding { return bindNumbers(&l.WarmUp.Days) }},
}

func bindFactor(at *float64) binding {
	return binding{
		get: func() []string { return []string{strconv.FormatFloat(*at, 'f', -1, 64)} },
		set: func(values []string) (err error) {
			*at = 0
			if len(values) > 0 {
				if *at, err = strconv.ParseFloat(values[0], 64); err != nil {
					return errs.New(errs.Invalid, "%q is no number such as 1.5", values[0])
				}
			}
			return nil
		},
	}
}

func bindNumbers(at *[]int) binding {
	return binding{
		get: func() (written []string) {
			for _, n := range *at {
				written = append(written, strconv.Itoa(n))
			}
			return written
		},
		set: func(values []string) error {
			*at = nil
			for _, value := range values {
				n, err := strconv.Atoi(value)
				if err != nil {
					return errNumber(value)
				}
				*at = append(*at, n)
			}
			return nil
		},
	}
}

func (s *site) newLimit(v *visit) (adminpage.Page, error) {
	return limitForm(v, &limit.Limit{}, nil, true), nil
}

func (s *site) makeLimit(v *visit) (adminpage.Page, error) {
	return s.saveLimit(v, &limit.Limit{}, true)
}

func (s *site) editLimit(v *visit) (adminpage.Page, error) {
	l, err := limit.Named(v.Context(), s.App.DB, v.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return limitForm(v, &l, nil, false), nil
}

func (s *site) changeLimit(v *visit) (adminpage.Page, error) {
	l, err := limit.Named(v.Context(), s.App.DB, v.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return s.saveLimit(v, &l, false)
}

func (s *site) saveLimit(v *visit, l *limit.Limit, anew bool) (adminpage.Page, error) {
	name := l.Name
	mistakes := readForm(limitFields, l, v.PostForm)
	if !anew {
		l.Name = name
	} else if reserved(l.Name) {
		mistakes["name"] = errReserved(l.Name).Error()
	}
	if len(mistakes) == 0 {
		err := s.App.SaveLimit(v.Context(), *l, anew)
		if err == nil {
			return v.leave("/admin/settings/limits", "saved")
		}
		for _, m := range errs.All[*limit.Mistake](err) {
			key := m.Key
			if key == "warm_up" {
				key = "warm_up_from"
			}
			mistakes.Add(key, m.Says)
		}
		if len(mistakes) == 0 {
			return nil, err
		}
	}
	return v.again(limitForm(v, l, mistakes, anew))
}

func limitForm(v *visit, l *limit.Limit, mistakes adminpage.Mistakes, anew bool) adminpage.LimitForm {
	page, fields := adminpage.LimitForm{Mistakes: mistakes}, limitFields
	if !anew {
		page.Name, fields = l.Name, fields[1:]
	}
	page.Sections = sectionsOf("settings", fields, l, v, mistakes, nil)
	return page
}

func (s *site) removeLimit(v *visit) (adminpage.Page, error) {
	if err := s.App.RemoveLimit(v.Context(), v.PathValue("name")); err != nil {
		return nil, err
	}
	return v.leave("/admin/settings/limits", "removed")
}
