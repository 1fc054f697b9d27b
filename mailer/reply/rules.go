package reply

import "regexp"

// Rule says what an answer means. What it leaves out is any.
type Rule struct {
	Phase    Phase
	Code     int    // basic code, or 4 or 5 for all of that class
	Enhanced string // "5.1.1"; "x.2.2" is both 4.2.2 and 5.2.2
	Words    string // a regular expression over the text in lower case, without the addresses that it quotes
	Kind     Kind
	Says     string // for operators: who says so, and what it is
	Example  string // an answer that the rule is for, as "550 5.1.1 no such user"; each is tested

	words *regexp.Regexp
}

// rule returns the first rule that fits, nil when none does.
func (r Reply) rule() *Rule {
	class, enhanced, words := r.class(), r.Enhanced(), ""
	if class != 4 && class != 5 {
		return nil
	}
	for i := range Rules {
		rule := &Rules[i]
		switch {
		case rule.Phase != "" && rule.Phase != r.Phase,
			rule.Code != 0 && rule.Code != r.Code && rule.Code != class,
			!fitsEnhanced(rule.Enhanced, enhanced):
			continue
		case rule.words == nil:
			return rule
		}
		if words == "" {
			words = r.words()
		}
		if rule.words.MatchString(words) {
			return rule
		}
	}
	return nil
}

func fitsEnhanced(rule, enhanced string) bool {
	if rule == "" || rule == enhanced {
		return true
	}
	return rule[0] == 'x' && len(enhanced) > 1 && enhanced[0] != '2' && rule[1:] == enhanced[1:]
}

func init() {
	for i := range Rules {
		if Rules[i].Words != "" {
			Rules[i].words = regexp.MustCompile(Rules[i].Words)
		}
	}
}

// Rules is the table. Its order is that of doubt: first what is about the connection and our relay, then what spares the address, and what
// counts against an address last. docs/replies.md shows it.
var Rules = []Rule{
	// The connection.
	{
		Words: `too many (messages|mails|emails|transactions) (\w+ )?(per|in|on|for|during|over) (\w+ )?(connection|session)|(maximum|max) (message|mail)s? (count )?(per|for|in) (this )?(connection|session)|too many messages? (in|for) this|mi:dmc|message (count|limit) (per|for this) (connection|session)`,
		Kind:  Crowded, Says: "Amazon SES, Exim, NetEase (MI:DMC), Yahoo: so many messages over one connection and no more",
		Example: "421 4.7.0 Too many messages for this session",
	},
	// Our relay.
	{Code: 530, Kind: RelayRefuses, Says: "RFC 4954: log in, or begin TLS, first", Example: "530 5.7.0 Must issue a STARTTLS command first"},
	{Code: 534, Kind: RelayRefuses, Says: "RFC 4954: another way of logging in is asked for", Example: "534 5.7.9 Please log in with your web browser"},
	{Code: 535, Kind: RelayRefuses, Says: "RFC 4954: user name or password are not accepted", Example: "535 5.7.8 Authentication credentials invalid"},
	{Code: 538, Kind: RelayRefuses, Says: "RFC 4954: logging in needs TLS", Example: "538 5.7.11 Encryption required"},
	{Phase: Mail, Enhanced: "5.1.7", Kind: RelayRefuses, Says: "RFC 3463: our own address is malformed", Example: "553 5.1.7 bad sender"},
	{Phase: Mail, Enhanced: "5.1.8", Kind: RelayRefuses, Says: "RFC 3463: our own address does not exist", Example: "553 5.1.8 no such sender"},
	{Phase: Mail, Enhanced: "5.7.1", Kind: RelayRefuses, Says: "RFC 3463: our own address is not ours to use", Example: "550 5.7.1 sender refused"},
	{Phase: Mail, Enhanced: "5.7.0", Kind: RelayRefuses, Says: "RFC 3463: the relay's rules are against us", Example: "550 5.7.0 not allowed"},
	{Phase: Mail, Enhanced: "5.7.60", Kind: RelayRefuses, Says: "Microsoft 365: this account may not send as our address", Example: "550 5.7.60 SMTP; Client does not have permissions to send as this sender"},
	{
		Phase: Mail, Code: 5, Words: `sender (address )?(is )?(rejected|refused|denied|invalid|not (allowed|verified|owned|authori[sz]ed))|mail from (invalid|must equal)|not (owned by|allowed to send)|(not|isn't) verified|denies the sender|(domain of )?sender (address|domain) .*(resolve|exist)|blocked|suspended|quota`,
		Kind: RelayRefuses, Says: "relays of all kinds: our own address or account is not accepted", Example: "553 Sender address rejected: not owned by user news",
	},
	{
		Phase: Rcpt, Code: 5, Words: `relay(ing)? (access )?(denied|not (permitted|allowed)|prohibited|is denied)|(unable|not (permitted|allowed)|denied|refus\w+|denies) (to )?relay|not (owned by|logged in as) user|not in my list of (allowed|rcpthosts)`,
		Kind: RelayRefuses, Says: "Postfix, Exim, qmail, Exchange: we may not send to others here without logging in", Example: "554 5.7.1 <reader@example.net>: Relay access denied",
	},
	{Code: 454, Kind: RelayBusy, Says: "Amazon SES: sending rate or daily quota used up; others: logging in or TLS is not possible now", Example: "454 Throttling failure: Maximum sending rate exceeded"},
	{
		Phase: Mail, Code: 4, Words: `too (many|much|fast)|\brate\b|limit|quota|throttl`,
		Kind: RelayBusy, Says: "the relay slows us down before it knows the recipient", Example: "450 4.7.1 Error: too much mail from 192.0.2.1",
	},
	// What the message needs.
	{Enhanced: "x.6.7", Kind: Unsupported, Says: "RFC 6531: addresses beyond ASCII are not accepted", Example: "550 5.6.7 Non-ASCII addresses not permitted"},
	{Enhanced: "x.6.9", Kind: Unsupported, Says: "RFC 6531: a header beyond ASCII is needed and not accepted", Example: "554 5.6.9 UTF-8 header message cannot be transferred"},
	{Enhanced: "5.6.3", Kind: Unsupported, Says: "RFC 3463: a conversion is needed and not offered", Example: "554 5.6.3 conversion required but not supported"},
	// The destination, that is us in its eyes: authentication.
	{Enhanced: "5.7.515", Kind: Unproven, Says: "Microsoft (outlook.com, hotmail.com): our domain does not have the required SPF, DKIM and DMARC", Example: "550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level"},
	{Enhanced: "x.7.26", Kind: Unproven, Says: "Gmail, RFC 7372: neither SPF nor DKIM passed, or DMARC failed", Example: "550 5.7.26 This mail has been blocked because the sender is unauthenticated"},
	{Enhanced: "x.7.27", Kind: Unproven, Says: "Gmail: SPF did not pass", Example: "421 4.7.27 SPF authentication did not pass"},
	{Enhanced: "x.7.29", Kind: Unproven, Says: "Gmail: no TLS", Example: "550 5.7.29 Messages not sent over a TLS connection"},
	{Enhanced: "x.7.30", Kind: Unproven, Says: "Gmail: DKIM did not pass", Example: "550 5.7.30 DKIM authentication did not pass"},
	{Enhanced: "x.7.32", Kind: Unproven, Says: "Gmail: the From address is not aligned with SPF or DKIM", Example: "421 4.7.32 From: header is not aligned"},
	{Enhanced: "x.7.20", Kind: Unproven, Says: "RFC 7372: no valid DKIM signature", Example: "550 5.7.20 No passing DKIM signature found"},
	{Enhanced: "x.7.23", Kind: Unproven, Says: "RFC 7372: SPF failed", Example: "550 5.7.23 The message was rejected because of Sender Policy Framework violation"},
	{Enhanced: "x.7.24", Kind: Unproven, Says: "RFC 7372, Gmail: our SPF record is wrong", Example: "550 5.7.24 The SPF record of the sending domain has one or more suspicious entries"},
	{Enhanced: "x.7.25", Kind: Unproven, Says: "RFC 7372, Gmail: our server has no reverse DNS name", Example: "550 5.7.25 The IP address sending this message does not have a PTR record"},
	{Enhanced: "x.1.8", Kind: Unproven, Says: "RFC 3463: our own domain does not resolve there", Example: "451 4.1.8 Domain of sender address news@example.org does not resolve"},
	{
		Words: `sender (address )?(is )?(rejected|refused|denied|not (allowed|verified|accepted))|sender verify failed|callout|domain of sender|sender domain`,
		Kind:  Unproven, Says: "Postfix, Exim and others: our own address is not believed", Example: "550 Sender verify failed",
	},
	{Enhanced: "5.7.9", Phase: Dot, Kind: Unproven, Says: "Yahoo: DMARC failed", Example: "554 5.7.9 Message not accepted for policy reasons"},
	{
		Words: `\b(spf|dkim|dmarc)\b.{0,60}(fail|did not pass|reject|invalid|policy|violation|not (allowed|authori[sz]ed|permitted)|missing)|(fail|reject|blocked|due to|violat)\w*.{0,40}\b(spf|dkim|dmarc)\b|is not allowed to send mail from|unauthenticated (email|mail|sender)|mi:spf|authentication (level|checks)|(reverse dns|reverse hostname|ptr record|bad dns ptr|rdns)`,
		Kind:  Unproven, Says: "GMX and web.de, Mail.ru, Naver, QQ, Seznam, Yandex and others, in words of their own", Example: "550 DMARC check failed",
	},
	// The destination, that is us in its eyes: rate. Some say 5yz to that.
	{Enhanced: "x.7.28", Kind: Throttled, Says: "Gmail: an unusual rate of mail from our server or domain", Example: "421 4.7.28 Our system has detected an unusual rate of mail originating from your IP address"},
	{Enhanced: "4.7.500", Kind: Throttled, Says: "Microsoft 365: our server suddenly sends more than it used to", Example: "451 4.7.500 Server busy. Please try again later from [192.0.2.1]"},
	{Enhanced: "4.7.650", Kind: Throttled, Says: "Microsoft: our server's reputation limits its rate", Example: "451 4.7.650 The mail server has been temporarily rate limited due to IP reputation"},
	{Enhanced: "4.7.651", Kind: Throttled, Says: "Microsoft: likewise", Example: "451 4.7.651 The mail server has been temporarily rate limited"},
	{Enhanced: "4.7.652", Kind: Throttled, Says: "Microsoft: too many connections at once", Example: "451 4.7.652 The mail server has exceeded the maximum number of connections"},
	{
		Enhanced: "x.2.1", Words: `receiving e?mail (too quickly|at a rate)`,
		Kind: Later, Says: "Gmail: this reader gets too much at once, from whomever", Example: "450 4.2.1 The user you are trying to contact is receiving mail too quickly",
	},
	{
		Words: `mailbox unavailable or access denied`,
		Kind:  Later, Says: "QQ: this reader gets too much at once, from whomever", Example: "550 Mailbox unavailable or access denied",
	},
	{
		Words: `\[?ts[s]?0\d\]?|(rate|frequency) ?limit(ed)?|limit(ed)? (rate|frequency)|frequency (is )?limited|rate limit reached|too many (connections|emails|e-mails|messages|mails|recipients|concurrent|sessions)|sen[dt] too many|too (much|fast)|too frequent|throttl|unexpected volume|unusual (rate|traffic)|temporarily (deferred|limited)|hl:(icc|ifc)|mi:(sfq|stc)|\brp-00[123]\b|exceed\w* (the )?(rate|sending|connection|hourly|daily)|发送频率|频率`,
		Kind:  Throttled, Says: "Yahoo (TSS04), Outlook.com (RP-001 to RP-003), NetEase (HL:ICC, HL:IFC, MI:SFQ), QQ, Naver, GMX and web.de, Mail.ru, Yahoo! JAPAN: more than they take from us for now", Example: "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
	},
	// The destination, that is us in its eyes: reputation.
	{
		Words: `sender is (black|block)listed|user'?s reject list|rejected by (the )?recipients?|recipient does(n't| not) want`,
		Kind:  Refused, Says: "QQ and others: the reader's own filter is against us", Example: "550 Mail is rejected by recipients",
	},
	{Enhanced: "5.7.606", Kind: Blocked, Says: "Microsoft 365: our server is banned", Example: "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"},
	{Enhanced: "5.7.511", Kind: Blocked, Says: "Microsoft 365: our server is banned", Example: "550 5.7.511 Access denied, banned sender [192.0.2.1]"},
	{Enhanced: "5.7.350", Kind: Blocked, Says: "Microsoft 365: taken for spam on its way out", Example: "550 5.7.350 Remote server returned message detected as spam"},
	{
		Words: `\(?s(3140|3150|3114|775)\)?|(block|black|deny) ?list|(black|block)ed using|\b(dnsbl|rbl|dnsrbl|sbl|xbl|pbl)\b|spamhaus|spamcop|barracuda|\[?bl2[0-9]\]?|\b(ip|host|server|network|client|sender|domain|address)\b.{0,60}\b(is |was |has been |temporarily )*(blocked|banned|filtered|listed)\b|banned send|black ip|ip<?>? (is )?(rejected|hangup|blocked)|(poor|low|bad) .{0,20}reputation|reputation|suspicious due to|likely (suspicious|unsolicited)|unsolicited (mail|e-?mail|messages) originating|unusual rate of unsolicited|connections will not be accepted|permanently deferred|no smtp service|suspected spam sender|hl:(rep|mep|itb)|dt:rbl|your access was denied|reject due to policy (violation|restrictions)`,
		Kind:  Blocked, Says: "Gmail, Microsoft (S3140, S3150), Yahoo (BL21, TSS09), NetEase (HL:REP, DT:RBL), QQ, Mail.ru, Yandex, Seznam, ukr.net, GMX and web.de, Naver: our server or domain is on a list, or has a bad name", Example: "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list (S3150)",
	},
	// The message: what reads as spam is this message, not its reader.
	{
		Words: `\bspam\b|content (denied|rejected?|filter)|dt:spm|virus|message (looks|contains)|policy reasons|attachment`,
		Code:  5, Kind: Refused, Says: "NetEase (DT:SPM), QQ, Mail.ru, Yandex and others: what this message says or holds is not accepted", Example: "554 DT:SPM 163 mx1",
	},
	{Enhanced: "5.3.4", Kind: Refused, Says: "RFC 3463: the message is too large", Example: "552 5.3.4 Message size exceeds fixed limit"},
	{Enhanced: "5.2.3", Kind: Refused, Says: "RFC 3463: the message is too large for this reader", Example: "552 5.2.3 Message length exceeds administrative limit"},
	{
		Code: 5, Words: `(message|mail|letter) (size )?(is )?(too (large|big|long)|exceeds?)|size limit of|exceeded mailsize|oversize`,
		Kind: Refused, Says: "the same in words: not to be mistaken for a full mailbox, whose code it shares", Example: "552 Message size exceeds fixed maximum message size",
	},
	// The address: for a while.
	{Enhanced: "x.2.2", Kind: Full, Says: "RFC 3463: the mailbox is full, even where the basic code is 550 or 552", Example: "552 5.2.2 mailbox full"},
	{Enhanced: "x.3.1", Code: 4, Kind: Later, Says: "RFC 3463: the server's disk is full", Example: "452 4.3.1 Insufficient system storage"},
	{
		Words: `(mail)?box .{0,20}(is |was )?(full|over ?quota|exceed)|(over|out of|exceed\w*|insufficient) .{0,20}(quota|storage|disk space|mailbox (space|size)|allocation)|quota (is )?(exceeded|full|limit)|inbox is full|mailbox size (limit )?exceeded|storage (limit|allocation)|account is full|not enough (space|storage)|收件人空间不足|空间不足|邮箱(已|容量)?满|容量满|переполнен|schránka .{0,20}plná|容量.{0,10}(超|一杯)|꽉|용량`,
		Kind:  Full, Says: "the same in words: QQ, NetEase, Mail.ru, Yandex, Seznam, Naver and others", Example: "554 delivery error: the recipient's mailbox is full",
	},
	{Phase: Rcpt, Code: 552, Kind: Full, Says: "RFC 5321, 4.5.3.1.10: to RCPT, 552 is a full mailbox", Example: "552 full"},
	{Phase: Rcpt, Code: 452, Kind: Later, Says: "RFC 5321: too little room for now", Example: "452 later"},
	{
		Code: 5, Words: `(account|user|mailbox|recipient|address|mbox) .{0,40}(disabled|suspended|inactive|deactivated|locked|discontinued|frozen|hangup|closed|expired)|(inactive|disabled|suspended|locked) (account|user|mailbox|mbox|recipient)|user is locked|policy rejection on the target address|recipient address rejected: access denied|no longer (active|in use)|未开通|帐号.{0,6}(停用|冻结)`,
		Kind: Closed, Says: "Mail.ru, Microsoft 365 (5.4.1), NetEase, Naver, Yandex, Yahoo and others: there was somebody, and may be again", Example: "550 5.1.1 Suspended user",
	},
	{Enhanced: "5.2.1", Kind: Closed, Says: "RFC 3463: the mailbox takes no messages", Example: "550 5.2.1 not accepting messages"},
	// The address: for good. Only this suppresses at once.
	{Code: 5, Enhanced: "5.1.1", Kind: NoAddress, Says: "RFC 3463: no such mailbox", Example: "550 5.1.1 no such user"},
	{Code: 5, Enhanced: "5.1.2", Kind: NoAddress, Says: "RFC 3463: no such domain", Example: "550 5.1.2 Host unknown"},
	{Code: 5, Enhanced: "5.1.3", Kind: NoAddress, Says: "RFC 3463: no address of theirs can look like this", Example: "501 5.1.3 Bad recipient address syntax"},
	{Code: 5, Enhanced: "5.1.6", Kind: NoAddress, Says: "RFC 3463: the mailbox has moved, nobody says where to", Example: "551 5.1.6 Recipient has moved"},
	{Code: 5, Enhanced: "5.1.10", Kind: NoAddress, Says: "RFC 7505: the domain takes no mail at all; Microsoft 365: no such recipient", Example: "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"},
	{Code: 556, Kind: NoAddress, Says: "RFC 7504: the domain takes no mail at all", Example: "556 the domain does not accept mail"},
	{
		Code: 5, Words: `(user|account|mailbox|recipient|address|addressee|alias|mail ?box|person) .{0,30}(unknown|not found|not exist|does(n't| not) exist|doesn't have|not known|unavailable)|(no such|unknown|invalid|non-?existent|nonexistent) .{0,12}(user|account|mailbox|recipient|address|local ?part|person)|no mailbox (here|by|found)|doesn'?t have a \S+ account|(user|account|mailbox) unavailable|host (or domain name )?not found|domain (name )?not found|not a valid (user|mailbox|recipient|address)|unrouteable address|(该|此)?用户不存在|收件人(邮箱)?(地址)?不存在|邮箱(地址)?不存在|не существует|нет такого|neexistuje|存在しない|見つかりません|존재하지`,
		Kind: NoAddress, Says: "the same in words, where there is no enhanced code or one that says nothing: QQ, NetEase, Mail.ru, Yandex (5.7.1 No such user!), GMX and web.de, Seznam, ukr.net, Yahoo, Yahoo! JAPAN", Example: "550 5.7.1 No such user!",
	},
}
