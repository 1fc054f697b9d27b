package destination

import "strings"

// Habit is what is known of a destination. What it does not publish is left empty: nothing here is guessed.
type Habit struct {
	Destination string   // the name that its domains are rolled up to
	Who         string   // for people
	MX          []string // its MX hosts are these or end with a dot and these

	Connections   string   // how many at once
	PerConnection string   // how many messages over one
	Rate          string   // how many messages in what time
	Asks          string   // what it asks of those who send much
	Answers       []string // what it says to those who do not keep to that
	Sources       []string // where that stands
}

// Habits are those of destinations where partners are. They say what to expect, not what to do: mail goes over a relay, which keeps its own
// connections to them.
var Habits = []Habit{
	{
		Destination: "google.com", Who: "Gmail and Google Workspace", MX: []string{"google.com", "googlemail.com"},
		Asks: "From 5,000 messages a day to personal accounts on, and once for all: SPF, DKIM and an aligned DMARC record; TLS; unsubscribing with one click " +
			"(RFC 8058) from subscribed mail; complaints below 0.3 %. Mail of all subdomains is counted together.",
		Answers: []string{
			"421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address",
			"550 5.7.26 This mail has been blocked because the sender is unauthenticated",
		},
		Sources: []string{"https://support.google.com/a/answer/81126", "https://support.google.com/a/answer/14229414"},
	},
	{
		Destination: "yahoodns.net", Who: "Yahoo, AOL and those whom they serve", MX: []string{"yahoodns.net"},
		Connections: "not published; with respect for others", PerConnection: "20; then it is closed without a code, and may be opened again at once",
		Asks: "SPF or DKIM of all, both and DMARC of those who send much; unsubscribing with one click; few complaints.",
		Answers: []string{
			"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
			"550 5.7.9 This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM.",
		},
		Sources: []string{
			"https://help.yahoo.com/kb/SLN3433.html", "https://maildata.jp/blog/blog-2024-03-12.html", "https://smtpfieldmanual.com/provider/yahoo/421/4.7.0",
		},
	},
	{
		Destination: "outlook.com", Who: "Outlook.com, Hotmail, Live, MSN", MX: []string{"olc.protection.outlook.com"},
		Connections: "500 without prior arrangement (as its postmaster page said in 2023); fewer from addresses it does not know",
		Rate:        "by reputation; numbers are not published",
		Asks:        "SPF, DKIM and DMARC of those who send more than 5,000 messages a day; valid reverse DNS; no further attempts after a 5yz.",
		Answers: []string{
			"451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections. (S3115)",
			"550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level",
		},
		Sources: []string{
			"https://sendersupport.olc.protection.outlook.com/pm/policies.aspx", "https://www.spamresource.com/2025/07/microsoft-says-too-many-connections.html",
		},
	},
	{
		Destination: "protection.outlook.com", Who: "Microsoft 365", MX: []string{"mail.protection.outlook.com", "mx.microsoft"},
		Rate:    "by reputation; numbers are not published",
		Asks:    "What the organisation behind it has set; in the main what Outlook.com asks.",
		Answers: []string{"451 4.7.500 Server busy. Please try again later from [192.0.2.1]"},
		Sources: []string{"https://www.mail-archive.com/postfix-users@postfix.org/msg87906.html"},
	},
	{
		Destination: "qq.com", Who: "QQ Mail, Foxmail and Tencent's business mail", MX: []string{"qq.com"},
		Rate: "by address, by domain and by sender, for a minute, an hour and a day each; the numbers are secret. Who exceeds one is refused for minutes, hours, " +
			"the rest of the day",
		Asks: "Consent, SPF, DKIM, DMARC, reverse DNS, a link to unsubscribe and a mailto: in List-Unsubscribe, which is what it uses; registration at its " +
			"postmaster site, which tells of complaints.",
		Answers: []string{
			"550 Ip frequency limited", "550 Domain frequency limited", "550 Sender frequency limited", "550 Connection frequency limited",
			"550 DMARC check failed", "550 Suspected spam sender",
		},
		Sources: []string{
			"https://knowledge.validity.com/hc/en-us/articles/220562127-Tencent-QQMail-overview", "https://smtp.codes/qq",
			"http://qiao.yimirj.com/article/detail/2261",
		},
	},
	{
		Destination: "netease.com", Who: "163, 126, yeah.net and NetEase's business mail", MX: []string{"netease.com"},
		Connections: "limited; the number is not published", PerConnection: "limited; the number is not published",
		Rate: "by address, and by sender within 15 minutes; the numbers are not published",
		Asks: "Permitted mail alone, to addresses that exist, from a domain that exists.",
		Answers: []string{
			"421 HL:ICC", "421 HL:IFC", "421 HL:REP", "450 MI:DMC", "451 MI:SFQ", "451 DT:SPM ,please try again", "554 DT:SPM", "550 MI:SPF",
		},
		Sources: []string{"https://biecuoliao.com/pa/MBRrwEM.html", "https://www.51yue.net/news/thread/20200123/14841169.html"},
	},
	{
		Destination: "mail.ru", Who: "Mail.ru, bk.ru, list.ru, inbox.ru and those whom they serve", MX: []string{"mail.ru"},
		Asks: "Consent that was confirmed by mail, DKIM, a way to unsubscribe in every mail that takes one click, few complaints and few unknown addresses; " +
			"registration at its postmaster site.",
		Answers: []string{"421 4.7.0 IP frequency limit exceeded"},
		Sources: []string{
			"https://help.mail.ru/enpostmaster/mailing_rules", "https://help.mail.ru/enmail-help/rules/general",
			"https://check.live-direct-marketing.online/blog/email-throttling-mailru-yandex-cis-quotas",
		},
	},
	{
		Destination: "yandex.ru", Who: "Yandex Mail and Yandex 360", MX: []string{"yandex.ru", "yandex.net"},
		Asks: "Its requirements for honest mailing lists. A server that sends spam alone is refused for 24 hours.",
		Answers: []string{
			"554 5.7.1 Message rejected under suspicion of SPAM", "451 4.7.1 too many connections from your host",
		},
		Sources: []string{
			"https://yandex.com/support/mail/web/letter/create/send-many-letters.html",
			"https://yandex.com/support/mail/bounces/yandex/message-rejected-under-suspicion-of-spam.html",
			"https://check.live-direct-marketing.online/blog/email-throttling-mailru-yandex-cis-quotas",
		},
	},
	{
		Destination: "seznam.cz", Who: "Seznam, email.cz, post.cz and those whom they serve", MX: []string{"seznam.cz"},
		Asks: "Consent given to the sender itself, SPF, DKIM, DMARC, its feedback loop, a link to unsubscribe, no address on a public block list; a message below " +
			"1 MB, or it is not shown whole.",
		Sources: []string{
			"https://o-seznam.cz/napoveda/email/pro-odesilatele-hromadnych-zprav/dalsi-tipy-a-doporuceni",
			"https://napoveda.seznam.cz/cz/email/informace-pro-odesilatele/",
		},
	},
	{Destination: "ukr.net", Who: "ukr.net", MX: []string{"ukr.net"}},
	{
		Destination: "gmx.net", Who: "GMX, web.de, mail.com", MX: []string{"gmx.net", "web.de", "gmx.com", "mail.com"},
		Rate: "few messages from addresses that it does not know, more as it gets to know them; the numbers are not published",
		Asks: "Consent, by double opt-in; an aligned DKIM signature, without exception; an imprint; what M3AAWG and the Certified Senders Alliance say.",
		Answers: []string{
			"421 web.de (mxweb113) Nemesis ESMTP Service not available Service unavailable Reject due to policy restrictions Please try again later. " +
				"Too many messages have been received in a short period of time.",
		},
		Sources: []string{
			"https://postmaster.gmx.net/en/best-practices", "https://www.xqueue.de/update-der-deliverability-policy-von-1und1/",
			"https://www.suped.com/learn/email-deliverability/how-to-resolve-smtp-421-errors-with-webde-and-gmxnet-due-to-rate-limiting",
		},
	},
	{
		Destination: "naver.com", Who: "Naver", MX: []string{"naver.com"},
		Asks: "SPF, reverse DNS and, since July 2024, DKIM; DMARC of those who send much.",
		Answers: []string{
			"421 4.3.2 Your IP(192.0.2.1) is filtered and this connection will be closed", "421 4.3.1 You send too many messages",
		},
		Sources: []string{
			"https://policy.naver.com/rules/spamcheck.html", "https://blog.thundermail.co.kr/422", "https://puffinknight.tistory.com/102",
		},
	},
	{
		Destination: "yahoo.co.jp", Who: "Yahoo! JAPAN, which is not Yahoo", MX: []string{"yahoo.co.jp"},
		Asks:    "Mail that was asked for, of the kind and as often as it was asked for, to addresses that were confirmed.",
		Sources: []string{"https://www.yahoo-help.jp/app/answers/detail/p/565/a_id/47636"},
	},
}

// HabitOf returns what is known of a destination, nil for nothing.
func HabitOf(destination string) *Habit {
	for i := range Habits {
		if Habits[i].Destination == destination {
			return &Habits[i]
		}
	}
	return nil
}

// runs reports whether an MX host is one of those that have the habit.
func (h *Habit) runs(host string) bool {
	for _, mx := range h.MX {
		if host == mx || strings.HasSuffix(host, "."+mx) {
			return true
		}
	}
	return false
}
