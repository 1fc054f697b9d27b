package adminpage

var settingsSamples = []Page{
	Settings{},
	Settings{
		Senders:  []SenderLine{{Slug: "partners", Name: hostile, Sender: hostile, Address: "news@example.org"}, {Slug: "empty", Name: "Empty"}},
		Relays:   []RelayLine{{Setting: "SILKPOST_SMTP_URL", Address: "mail.example.org:587", TLS: "starttls", User: hostile, Password: true}, {Setting: "SILKPOST_SMTP_FALLBACK_URL", Address: "b:25", TLS: "none"}},
		Mistakes: Mistakes{"to": hostile}, Trial: &RelayTrial{From: "a@example.org", To: hostile, Outcome: "failed", Phase: "rcpt", Code: 550, Reply: hostile, TLS: "TLS 1.3", LoggedIn: true},
	},
	Settings{
		Senders: []SenderLine{{Slug: "partners", Name: "Partners", Address: "news@example.org"}}, Relays: []RelayLine{{TLS: "implicit"}, {TLS: "opportunistic"}},
		Trial: &RelayTrial{Outcome: "sent", Phase: "dot", Code: 250, Reply: "queued", Signed: true},
	},
	Settings{Trial: &RelayTrial{Outcome: "deferred", Phase: "mail"}},
	Settings{Trial: &RelayTrial{Outcome: "in_doubt", Phase: "data"}},
	Settings{Trial: &RelayTrial{Outcome: "deferred", Phase: "connect"}},
	Settings{Trial: &RelayTrial{Outcome: "failed", Phase: "compose"}},
	SettingsDomains{},
	SettingsDomains{
		At: sampleTime,
		Domains: []DomainFindings{
			{Domain: "example.org", Well: 3, Findings: []Finding{
				{Check: "spf.record", State: "problem", Says: hostile, Means: hostile, Do: hostile, Publish: []string{`example.org. 3600 IN TXT "v=spf1 ` + hostile}},
				{Check: "a", State: "warning"},
				{Check: "a", State: "note"},
			}},
			{Well: 1},
		},
		Keys: []KeyLine{
			{Domain: "example.org", Selector: "s1", Algorithm: "rsa", State: "active", UsedAt: &sampleTime, Record: "v=DKIM1; p=AAAA", Failure: hostile},
			{Domain: "example.org", Selector: "s2", Algorithm: "ed25519", State: "made"},
			{Domain: "example.org", Selector: "s0", Algorithm: "rsa", State: "retired", UsedAt: &sampleTime, RetiredAt: &sampleTime},
		},
		Fields: Fields{"domain": {hostile}, "algorithm": {"ed25519"}}, Mistakes: Mistakes{"domain": hostile}, Checked: &Finding{State: "ok", Says: "well"}, Outdated: true,
	},
	SettingsBounces{},
	SettingsBounces{Domain: "b.example.org", Listen: ":25", TLS: true, TestedAt: &sampleTime, ReadAt: &sampleTime, Failure: hostile, Inbox: 3, Told: "came"},
	SettingsBounces{Domain: "b.example.org", Mailbox: true, Told: "refused", Detail: hostile},
	SettingsBounces{Domain: "b.example.org", Listen: ":25", Told: "not_yet"},
	SettingsBounces{Domain: "b.example.org"},
	SettingsLimits{},
	SettingsLimits{Limits: []LimitLine{
		{Name: "gmail", About: "destination", Which: hostile, Uses: []LimitUse{{"minute", 3, 10}, {"warm-up", 40, 50}}, Waits: []LimitWait{{3, sampleTime, sampleTime}}},
		{Name: "all", About: "all", Uses: []LimitUse{{"second", 0, 1}, {"hour", 1, 2}, {"day", 1, 2}}},
		{Name: "r", About: "relay"},
		{Name: "s", About: "sender"},
	}},
	LimitForm{Sections: limitSections()},
	LimitForm{Name: "gmail", Sections: limitSections(), Mistakes: Mistakes{"name": hostile}},
	SettingsLanguages{Tags: []string{"en", "ar"}, Lists: []ListLanguage{{"partners", hostile, "zh-Hans"}}},
	SettingsProgram{Months: 13, Floor: "2026-01", Settings: []ProgramSetting{{"smtp_url", "SILKPOST_SMTP_URL", hostile}}},
	SettingsProgram{},
}

func limitSections() (sections []Section) {
	for _, name := range []string{"name", "relay", "destination", "sender", "warm_up_from", "warm_up_start", "warm_up_factor", "warm_up_until", "warm_up_days"} {
		sections = append(sections, Section{Area: "settings", Name: "warm_up", Fields: []FormField{{Area: "settings", Name: name, Kind: NumberField, Values: []string{"1"}}}})
	}
	return sections
}
