package destination

import "strings"

// Habit is what is known of a destination. What it does not publish is left empty: nothing here is guessed. What only others say of it is kept
// apart (Seen, Others), or says so in its words; of a habit without pages of its own all is such.
type Habit struct {
	Destination string   // the name that its domains are rolled up to
	Who         string   // for people
	MX          []string // its MX hosts are these or end with a dot and these

	Connections   string   // how many at once
	PerConnection string   // how many messages over one
	Rate          string   // how many messages in what time
	Asks          string   // what it asks of those who send much
	Answers       []string // what its own pages say that it answers to those who do not keep to that
	Seen          []string // what others say that it answered them; not confirmed by a page of its own
	Pages         []string // its own pages, where that stands
	Others        []string // pages of others
}

// Habits are those of destinations where partners are. They say what to expect, not what to do: mail goes over a relay, which keeps its own
// connections to them.
var Habits = []Habit{
	{
		Destination: "google.com", Who: "Gmail and Google Workspace", MX: []string{"google.com", "googlemail.com"},
		Asks: "From 5,000 messages a day to personal accounts on, and once for all: SPF, DKIM and an aligned DMARC record; TLS; forward and reverse DNS that " +
			"agree; unsubscribing with one click (RFC 8058) from subscribed mail; complaints below 0.3 %, better below 0.1 %. Mail of all subdomains is counted " +
			"together. Google says that mail to Workspace accounts is not held to this.",
		Answers: []string{
			"421 4.7.28 Gmail has detected an unusual rate of email originating from your IP address 192.0.2.1.",
			"421 4.7.26 This email has been rate limited because it is unauthenticated.",
			"550 5.7.26 This email has been blocked because the sender is unauthenticated.",
		},
		Pages: []string{
			"https://support.google.com/a/answer/81126", "https://support.google.com/a/answer/14229414", "https://support.google.com/a/answer/3726730",
		},
	},
	{
		Destination: "yahoodns.net", Who: "Yahoo, AOL and those whom they serve", MX: []string{"yahoodns.net"},
		Connections:   "not published; with respect for others",
		PerConnection: "limited, 20 by an older page; then it is closed without a code, and may be opened again at once",
		Asks: "SPF or DKIM of all, both and DMARC of those who send much; forward and reverse DNS; List-Unsubscribe, best with one click (RFC 8058), that is " +
			"heeded within two days; complaints below 0.3 %.",
		Seen: []string{
			"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
			"550 5.7.9 This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM.",
		},
		Pages: []string{
			"https://senders.yahooinc.com/best-practices/", "https://senders.yahooinc.com/smtp-error-codes/", "https://help.yahoo.com/kb/SLN3433.html",
		},
		Others: []string{"https://smtpfieldmanual.com/provider/yahoo/421/4.7.0", "https://maildata.jp/blog/blog-2024-03-12.html"},
	},
	{
		Destination: "outlook.com", Who: "Outlook.com, Hotmail, Live, MSN", MX: []string{"olc.protection.outlook.com"},
		Connections: "500 without prior arrangement; fewer, by reputation",
		Rate:        "by reputation; numbers are not published",
		Asks:        "SPF, DKIM and DMARC of those who send more than 5,000 messages a day; valid reverse DNS; no further attempts after a 5yz.",
		Answers: []string{
			"421 RP-001", "421 RP-002", "421 RP-003",
			"550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level",
		},
		Seen: []string{"451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections. (S3115)"},
		Pages: []string{
			"https://postmaster.live.com/pm/policies.aspx", "https://postmaster.live.com/pm/troubleshooting.aspx",
			"https://support.microsoft.com/en-au/topic/fix-ndr-error-550-5-7-515-in-outlook-com-34cfe8f8-6fbf-457e-9e8b-9e4dbaf4e0ef",
		},
		Others: []string{"https://www.spamresource.com/2025/07/microsoft-says-too-many-connections.html"},
	},
	{
		Destination: "protection.outlook.com", Who: "Microsoft 365", MX: []string{"mail.protection.outlook.com", "mx.microsoft"},
		Rate: "by what an address sent before: one that suddenly sends much more is put off with 451 4.7.500 to 4.7.699 until it has a history; numbers are " +
			"not published",
		Seen: []string{"451 4.7.500 Server busy. Please try again later from [192.0.2.1]"},
		Pages: []string{
			"https://support.office.com/en-ie/article/fix-email-delivery-issues-for-error-code-451-4-7-500-699-asxxx-in-office-365-" +
				"51356082-9fef-4639-a18a-fc7c5beae0c8",
		},
		Others: []string{"https://smtpfieldmanual.com/spamfilter/exchangeonline"},
	},
	{
		Destination: "qq.com", Who: "QQ Mail, Foxmail and Tencent's business mail", MX: []string{"qq.com"},
		Rate: "by address, by domain and by sender, for a minute, an hour and a day each; the numbers are secret. Who exceeds one is refused for minutes, hours, " +
			"the rest of the day",
		Asks: "Consent, SPF, DKIM, DMARC, reverse DNS, a link to unsubscribe and a mailto: in List-Unsubscribe, which is what it uses; registration at its " +
			"postmaster site, which tells of complaints.",
		Seen: []string{
			"550 Ip frequency limited", "550 Domain frequency limited", "550 Sender frequency limited", "550 Connection frequency limited",
			"550 DMARC check failed", "550 Suspected spam sender",
		},
		Others: []string{
			"https://knowledge.validity.com/hc/en-us/articles/220562127-Tencent-QQMail-overview", "https://smtp.codes/qq",
			"http://qiao.yimirj.com/article/detail/2261",
			"https://www.computersolutions.cn/blog/qq-mail-550-ip-frequency-limited-errors-and-how-to-solve-them/",
		},
	},
	{
		Destination: "netease.com", Who: "163, 126, yeah.net and NetEase's business mail", MX: []string{"netease.com"},
		Connections: "limited, others say; the number is not published", PerConnection: "limited, others say; the number is not published",
		Rate: "by address, and by sender within 15 minutes, others say; the numbers are not published",
		Asks: "Permitted mail alone, to addresses that exist, from a domain that exists.",
		Seen: []string{
			"421 HL:ICC", "421 HL:IFC", "421 HL:REP", "450 MI:DMC", "451 MI:SFQ", "451 DT:SPM ,please try again", "554 DT:SPM", "550 MI:SPF",
		},
		Pages: []string{"http://help.163.com/10/0809/17/6DLM06KO00754III.html"},
		Others: []string{
			"https://biecuoliao.com/pa/MBRrwEM.html", "https://github.com/zabbix-book/zabbix_mail_with_graph/issues/1",
			"https://www.youqiyi.net/article278/detail266.html",
		},
	},
	{
		Destination: "mail.ru", Who: "Mail.ru, bk.ru, list.ru, inbox.ru and those whom they serve", MX: []string{"mail.ru"},
		Asks: "Consent that was confirmed by mail, DKIM, a way to unsubscribe in every mail that takes one click, few complaints and few unknown addresses; " +
			"registration at its postmaster site.",
		Seen:   []string{"421 4.7.0 IP frequency limit exceeded"},
		Pages:  []string{"https://help.mail.ru/enpostmaster/mailing_rules", "https://help.mail.ru/enmail-help/rules/general"},
		Others: []string{"https://check.live-direct-marketing.online/blog/email-throttling-mailru-yandex-cis-quotas"},
	},
	{
		Destination: "yandex.ru", Who: "Yandex Mail and Yandex 360", MX: []string{"yandex.ru", "yandex.net"},
		Asks: "Its requirements for honest mailing lists. Who sends nothing but spam is refused for 24 hours.",
		Seen: []string{
			"554 5.7.1 Message rejected under suspicion of SPAM", "451 4.7.1 too many connections from your host",
		},
		Pages: []string{
			"https://yandex.com/support/mail/web/letter/create/send-many-letters.html",
			"https://yandex.com/support/mail/bounces/yandex/message-rejected-under-suspicion-of-spam.html",
		},
		Others: []string{
			"https://github.com/chatmail/provider-db/issues/205",
			"https://check.live-direct-marketing.online/blog/email-throttling-mailru-yandex-cis-quotas",
		},
	},
	{
		Destination: "seznam.cz", Who: "Seznam, email.cz, post.cz and those whom they serve", MX: []string{"seznam.cz"},
		Asks: "Consent given to the sender itself, SPF, DKIM, DMARC, its feedback loop, a link to unsubscribe, no address on a public block list; a message below " +
			"1 MB, or it is not shown whole.",
		Pages: []string{
			"https://o-seznam.cz/napoveda/email/pro-odesilatele-hromadnych-zprav/dalsi-tipy-a-doporuceni",
			"https://napoveda.seznam.cz/cz/email/informace-pro-odesilatele/",
		},
	},
	{Destination: "ukr.net", Who: "ukr.net", MX: []string{"ukr.net"}},
	{
		Destination: "gmx.net", Who: "GMX, web.de, mail.com", MX: []string{"gmx.net", "web.de", "gmx.com", "mail.com"},
		Rate: "who sends too much in a short time is refused for some hours; others say: few messages from addresses that it does not know, more as it gets to " +
			"know them; the numbers are not published",
		Asks: "Consent, by double opt-in; an aligned DKIM signature, without exception; an imprint; what M3AAWG and the Certified Senders Alliance say.",
		Seen: []string{
			"421 web.de (mxweb113) Nemesis ESMTP Service not available Service unavailable Reject due to policy restrictions Please try again later. " +
				"Too many messages have been received in a short period of time.",
		},
		Pages: []string{"https://postmaster.gmx.net/en/best-practices", "https://postmaster.web.de/de/fehlermeldungen"},
		Others: []string{
			"https://www.xqueue.de/update-der-deliverability-policy-von-1und1/",
			"https://www.suped.com/learn/email-deliverability/how-to-resolve-smtp-421-errors-with-webde-and-gmxnet-due-to-rate-limiting",
		},
	},
	{
		Destination: "naver.com", Who: "Naver", MX: []string{"naver.com"},
		Asks: "SPF, reverse DNS and, since July 2024, DKIM; DMARC of those who send much.",
		Seen: []string{
			"421 4.3.2 Your IP(192.0.2.1) is filtered and this connection will be closed", "421 4.3.1 You send too many messages",
		},
		Others: []string{"https://blog.thundermail.co.kr/422", "https://puffinknight.tistory.com/102"},
	},
	{
		Destination: "yahoo.co.jp", Who: "Yahoo! JAPAN, which is not Yahoo", MX: []string{"yahoo.co.jp"},
		Rate: "much mail from one sender, or much that is alike, may be delayed or refused, for a time or for good, unless it knows the sender for one who does " +
			"not send spam; the numbers are not published",
		Asks: "Mail that was asked for, of the kind and as often as it was asked for, to addresses that were confirmed.",
		Pages: []string{
			"https://mail.yahoo.co.jp/info/guidelines/about.html", "https://www.yahoo-help.jp/app/answers/detail/p/565/a_id/47636",
		},
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
