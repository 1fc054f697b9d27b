package doctor

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"silkpost/internal/dns"
	"silkpost/internal/errs"
)

// The limits of RFC 7208, 4.6.4.
const (
	mostLookUps = 10 // questions that a record may cost its reader
	mostVoid    = 2  // of them that may be answered with nothing
	mostHosts   = 10 // of one mx mechanism
	mostDepth   = 10 // of includes that is followed here
)

// policy is an SPF record with all that it leads to.
type policy struct {
	domain   string
	record   string
	terms    []term
	redirect *policy
}

// term is a mechanism.
type term struct {
	text      string
	qualifier byte // + - ~ ?
	networks  []netip.Prefix
	include   *policy
	all       bool
	unclear   bool // it has macros, which depend on the message
}

// reading is what reading a policy came to.
type reading struct {
	dns     *dns.Resolver
	lookUps int
	void    []string // what was asked for and is not there
	wrong   []string // mistakes, for people
	failure error    // the DNS did not answer
}

// mistake notes a mistake once, however often a record that leads in a circle leads there.
func (r *reading) mistake(words string) {
	if !slices.Contains(r.wrong, words) {
		r.wrong = append(r.wrong, words)
	}
}

// readSPF reads the record of a domain, with all that it includes: as much as the longest way through it costs. nil: the domain has none. Several are a
// mistake, which is noted.
func (r *reading) readSPF(ctx context.Context, domain string, depth int) *policy {
	texts, err := r.dns.TXT(ctx, domain)
	if err != nil {
		r.failure = err
		return nil
	}
	var records []string
	for _, text := range texts {
		if first, _, _ := strings.Cut(strings.ToLower(text), " "); first == "v=spf1" {
			records = append(records, text)
		}
	}
	if len(records) > 1 {
		r.mistake(domain + " has " + strconv.Itoa(len(records)) + " SPF records: there may be one")
	}
	if len(records) == 0 {
		return nil
	}
	p := &policy{domain: domain, record: records[0]}
	for _, text := range strings.Fields(records[0])[1:] {
		r.readTerm(ctx, p, text, depth)
	}
	return p
}

// readTerm adds what a term says.
func (r *reading) readTerm(ctx context.Context, p *policy, text string, depth int) {
	if name, value, is := strings.Cut(text, "="); is && !strings.ContainsAny(name, ":/") {
		if strings.EqualFold(name, "redirect") && !hasAll(p.terms) {
			p.redirect = r.follow(ctx, p, text, value, depth)
		}
		return // exp, and what nobody knows
	}
	t := term{text: text, qualifier: '+'}
	if strings.ContainsRune("+-~?", rune(text[0])) {
		t.qualifier, text = text[0], text[1:]
	}
	name, value, _ := strings.Cut(text, ":")
	name, lengths, _ := strings.Cut(name, "/")
	host, more, _ := strings.Cut(value, "/")
	if more != "" {
		lengths = more
	}
	if host == "" {
		host = p.domain
	}
	t.unclear = strings.Contains(host, "%{")
	switch name := strings.ToLower(name); name {
	case "all":
		t.all = true
	case "ip4", "ip6":
		t.networks = r.network(p, t.text, value)
	case "include":
		t.include = r.follow(ctx, p, t.text, value, depth)
	case "a":
		r.lookUps++
		if !t.unclear {
			t.networks = r.hosts(ctx, t.text, lengths, host)
		}
	case "mx":
		r.lookUps++
		if !t.unclear {
			t.networks = r.mailServers(ctx, t.text, lengths, host)
		}
	case "exists", "ptr":
		r.lookUps++
		t.unclear = true
		if name == "ptr" {
			r.mistake(p.domain + ": ptr should not be used (RFC 7208, 5.5)")
		}
	default:
		r.mistake(p.domain + ": nobody knows the mechanism " + t.text)
	}
	p.terms = append(p.terms, t)
}

func hasAll(terms []term) bool { return slices.ContainsFunc(terms, func(t term) bool { return t.all }) }

// follow reads the policy that include or redirect lead to.
func (r *reading) follow(ctx context.Context, p *policy, text, domain string, depth int) *policy {
	r.lookUps++
	switch {
	case domain == "":
		r.mistake(p.domain + ": " + text + " names no domain")
	case strings.Contains(domain, "%{"):
		return nil
	case depth >= mostDepth || r.lookUps > 3*mostLookUps:
		r.mistake(p.domain + ": " + text + " leads too deep, or in a circle")
	default:
		followed := r.readSPF(ctx, strings.ToLower(domain), depth+1)
		if followed == nil && r.failure == nil {
			r.void = append(r.void, text)
			r.mistake(p.domain + ": " + text + " leads to a domain without an SPF record")
		}
		return followed
	}
	return nil
}

// network reads what ip4 and ip6 name.
func (r *reading) network(p *policy, text, value string) []netip.Prefix {
	if address, err := netip.ParseAddr(value); err == nil {
		return []netip.Prefix{netip.PrefixFrom(address, address.BitLen())}
	}
	network, err := netip.ParsePrefix(value)
	if err != nil {
		r.mistake(p.domain + ": " + text + " is no network")
		return nil
	}
	return []netip.Prefix{network}
}

// hosts returns the networks of a host's addresses. lengths is "24", "24//64" or "/64".
func (r *reading) hosts(ctx context.Context, text, lengths string, hosts ...string) (networks []netip.Prefix) {
	four, six, _ := strings.Cut(lengths, "/")
	six = strings.TrimPrefix(six, "/")
	for _, host := range hosts {
		addresses, err := r.dns.Addresses(ctx, host)
		if err != nil {
			r.failure = err
			continue
		}
		if len(addresses) == 0 {
			r.void = append(r.void, text)
		}
		for _, address := range addresses {
			bits, length := address.BitLen(), four
			if address.Is6() {
				length = six
			}
			if n, err := strconv.Atoi(length); err == nil && n >= 0 && n <= bits {
				bits = n
			}
			networks = append(networks, netip.PrefixFrom(address, bits).Masked())
		}
	}
	return networks
}

func (r *reading) mailServers(ctx context.Context, text, lengths, domain string) []netip.Prefix {
	servers, err := r.dns.MX(ctx, domain)
	if err != nil {
		r.failure = err
		return nil
	}
	if len(servers) == 0 {
		r.void = append(r.void, text)
	}
	if len(servers) > mostHosts {
		r.mistake(text + " has more than ten mail servers: the others do not count")
		servers = servers[:mostHosts]
	}
	var hosts []string
	for _, server := range servers {
		hosts = append(hosts, server.Host)
	}
	return r.hosts(ctx, text, lengths, hosts...)
}

// result says what the policy makes of an address: one of + - ~ ?, and by which term. Terms that depend on the message are passed over.
func (p *policy) result(address netip.Addr) (result byte, by string) {
	for _, t := range p.terms {
		matches := t.all || slices.ContainsFunc(t.networks, func(n netip.Prefix) bool { return n.Contains(address.Unmap()) })
		if t.include != nil {
			inner, _ := t.include.result(address)
			matches = inner == '+'
		}
		if matches {
			return t.qualifier, t.text
		}
	}
	if p.redirect != nil {
		return p.redirect.result(address)
	}
	return '?', ""
}

// unclear reports terms that depend on the message.
func (p *policy) unclear() bool {
	return slices.ContainsFunc(p.terms, func(t term) bool { return t.unclear || t.include != nil && t.include.unclear() }) ||
		p.redirect != nil && p.redirect.unclear()
}

// envelopeDomains are those that mail is sent from by its envelope: what SPF is asked about.
func (p *Patient) envelopeDomains() []string {
	if p.ReturnDomain != "" {
		return []string{p.ReturnDomain}
	}
	return p.senderDomains()
}

// senderDomains are those of the addresses that readers see, each once.
func (p *Patient) senderDomains() (domains []string) {
	for _, s := range p.Senders {
		if !slices.Contains(domains, s.domain()) {
			domains = append(domains, s.domain())
		}
	}
	return domains
}

// proposal is an SPF record that would name the relays, for a domain that has none. A relay that is no host of the Internet sends on by another address, which only
// those who run it know: then the record has a place for that, and named is false.
func (p *Patient) proposal() (record string, named bool) {
	terms := []string{"v=spf1"}
	for _, r := range p.Relays {
		if _, err := parseAddress(r.Host); err != nil && !isNear(r.Host) {
			terms = append(terms, "a:"+r.Host)
		}
	}
	if named = len(terms) > 1; !named {
		terms = append(terms, "ip4:ADDRESS")
	}
	return strings.Join(append(terms, "~all"), " "), named
}

func spfRecord(ctx context.Context, p *Patient) (found []Finding) {
	for _, domain := range p.envelopeDomains() {
		add := about(domain, &found)
		r := &reading{dns: p.DNS}
		read := r.readSPF(ctx, domain, 0)
		switch {
		case r.failure != nil:
			add(unknown(r.failure))
		case read == nil:
			record, named := p.proposal()
			f := problem("%s has no SPF record", domain).
				means("receivers cannot tell our mail from forged mail; Gmail, Yahoo and Microsoft refuse bulk mail without it").
				do("publish one that names your relay: those who run it know what to write, often an include")
			if !named {
				f = f.do("publish one with the address from which your relay sends to the Internet in the place of ADDRESS, or with the include that those who run it name")
			}
			add(f.publish(domain, record))
		case len(r.wrong) > 0:
			f := problem("%s: %s", read.record, strings.Join(r.wrong, "; "))
			if !strings.Contains(f.Says, domain) {
				f.Says = domain + ": " + f.Says
			}
			add(f.means("receivers may take the whole record for broken").do("correct the record"))
		case endsOpen(read):
			add(warning("%s allows any server to send: %s", domain, read.record).means("forged mail passes SPF as well as ours, so it counts for nothing").
				do("let the record end with ~all or -all"))
		default:
			add(ok("%s: %s", domain, read.record))
		}
	}
	return found
}

// endsOpen reports a record that lets everybody pass.
func endsOpen(p *policy) bool {
	result, by := p.result(netip.MustParseAddr("192.0.2.1")) // reserved for documents (RFC 5737): nobody sends from there
	return result == '+' && strings.HasSuffix(by, "all")
}

func spfLookups(ctx context.Context, p *Patient) (found []Finding) {
	for _, domain := range p.envelopeDomains() {
		add := about(domain, &found)
		r := &reading{dns: p.DNS}
		if read := r.readSPF(ctx, domain, 0); read == nil || r.failure != nil {
			continue // told by spf.record
		}
		switch {
		case r.lookUps > mostLookUps:
			add(problem("the SPF record of %s costs %d questions to the DNS; %d are allowed", domain, r.lookUps, mostLookUps).
				means("receivers stop there and take it for broken (RFC 7208, 4.6.4)").
				do("take out includes of services that no longer send for you, or send digests from a subdomain with a record of its own"))
		case len(r.void) > mostVoid:
			add(problem("the SPF record of %s asks for %d things that are not there: %s", domain, len(r.void), strings.Join(r.void, ", ")).
				means("receivers stop after %d and take it for broken (RFC 7208, 4.6.4)", mostVoid).do("take them out"))
		case r.lookUps == mostLookUps || len(r.void) > 0:
			f := warning("the SPF record of %s costs %d questions to the DNS of %d allowed", domain, r.lookUps, mostLookUps)
			if len(r.void) > 0 {
				f = warning("the SPF record of %s asks for what is not there: %s", domain, strings.Join(r.void, ", "))
			}
			add(f.means("one more change, here or at somebody whom it includes, and receivers take it for broken").do("take out what is no longer needed"))
		default:
			add(ok("the SPF record of %s costs %d questions to the DNS of %d allowed", domain, r.lookUps, mostLookUps))
		}
	}
	return found
}

func spfRelay(ctx context.Context, p *Patient) (found []Finding) {
	for _, domain := range p.envelopeDomains() {
		add := about(domain, &found)
		r := &reading{dns: p.DNS}
		read := r.readSPF(ctx, domain, 0)
		if read == nil || r.failure != nil {
			continue // told by spf.record
		}
		for _, relay := range p.Relays {
			add(relayInSPF(ctx, p, read, relay))
		}
	}
	return found
}

// relayInSPF says whether a policy names a relay. What can be told is only about the addresses that take mail from us: it may send from others.
func relayInSPF(ctx context.Context, p *Patient, read *policy, relay Relay) Finding {
	addresses, err := p.DNS.Addresses(ctx, relay.Host)
	switch {
	case err != nil && errs.KindOf(err) == errs.Unavailable:
		return unknown(err)
	case isNear(relay.Host) || len(addresses) > 0 && addresses[0].IsPrivate():
		return note("the relay %s is inside: from which addresses its mail leaves is not seen from here", relay.Host).
			do("see what a mail says that you send yourself: silkpost doctor --send-to")
	}
	var missing []string
	for _, address := range addresses {
		if result, _ := read.result(address); result != '+' {
			missing = append(missing, address.String())
		}
	}
	switch {
	case len(missing) == 0 && len(addresses) > 0:
		return ok("the SPF record of %s names the addresses of the relay %s", read.domain, relay.Host)
	case read.unclear():
		return note("whether the SPF record of %s names the relay %s depends on the message", read.domain, relay.Host).
			do("see what a mail says that you send yourself: silkpost doctor --send-to")
	}
	return warning("the SPF record of %s does not name %s, where the relay %s takes our mail", read.domain, strings.Join(missing, ", "), relay.Host).
		means("if it sends from there, too, SPF fails").
		do("ask those who run the relay what to include; silkpost doctor --send-to shows whether it is enough")
}
