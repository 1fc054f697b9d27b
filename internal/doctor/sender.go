package doctor

import (
	"context"
	"slices"
	"strings"
)

// freemail are domains whose addresses belong to customers of a provider: only its own servers may send from them, and DMARC says so, or will.
var freemail = strings.Fields(`gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.co.jp yahoo.fr yahoo.de yahoo.it yahoo.es ymail.com rocketmail.com
	aol.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.it live.com msn.com icloud.com me.com mac.com gmx.de gmx.net gmx.at gmx.ch gmx.com
	web.de t-online.de freenet.de mail.ru bk.ru inbox.ru list.ru internet.ru yandex.ru yandex.com ya.ru rambler.ru ukr.net i.ua meta.ua seznam.cz email.cz
	centrum.cz wp.pl o2.pl onet.pl interia.pl libero.it virgilio.it tiscali.it alice.it orange.fr wanadoo.fr free.fr laposte.net sfr.fr qq.com foxmail.com
	163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn aliyun.com naver.com daum.net hanmail.net proton.me protonmail.com
	docomo.ne.jp ezweb.ne.jp softbank.ne.jp rediffmail.com uol.com.br bol.com.br terra.com.br mail.com zoho.com`)

func senderSet(_ context.Context, p *Patient) []Finding {
	if len(p.Senders) == 0 {
		return []Finding{problem("no list has a sender and a postal address").means("nothing is sent").
			do("declare them for a list in a file for silkpost apply: sender and postal_address")}
	}
	var found []Finding
	for _, s := range p.Senders {
		add := about(s.domain(), &found)
		add(ok("%s sends %s", s.Address, strings.Join(s.Lists, ", ")))
	}
	return found
}

func senderFreemail(_ context.Context, p *Patient) (found []Finding) {
	for _, s := range p.Senders {
		add := about(s.domain(), &found)
		if slices.Contains(freemail, s.domain()) {
			add(problem("%s is an address at a free-mail provider", s.Address).
				means("only its own servers may send from there: receivers refuse the digests by its DMARC record, or put them with the spam").
				do("give the list a sender at a domain of your own; the other address may be its reply_to"))
		}
	}
	if len(found) == 0 && len(p.Senders) > 0 {
		found = append(found, ok("no sender is at a free-mail provider"))
	}
	return found
}

func senderReplies(ctx context.Context, p *Patient) (found []Finding) {
	for _, domain := range p.senderDomains() {
		add := about(domain, &found)
		hosts, err := p.DNS.MX(ctx, domain)
		if err != nil {
			add(unknown(err))
			continue
		}
		addresses, err := p.DNS.Addresses(ctx, domain)
		switch {
		case err != nil:
			add(unknown(err))
		case len(hosts) > 0 && hosts[0].Host == "":
			add(problem("%s says that it takes no mail (RFC 7505)", domain).means("some receivers refuse mail from a domain that takes none").
				do("send from a domain that has mail servers"))
		case len(hosts) == 0 && len(addresses) == 0:
			add(problem("%s has no MX record and no address", domain).
				means("receivers refuse mail from a domain that nobody could answer").do("publish an MX record that leads to your mail server"))
		case len(hosts) == 0:
			add(note("%s has no MX record: its mail goes to its own address", domain))
		default:
			add(ok("mail to %s goes to %s", domain, hosts[0].Host))
		}
	}
	return found
}
