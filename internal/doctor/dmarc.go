package doctor

import (
	"context"
	"slices"
	"strings"

	"silkpost/internal/dns"
	"silkpost/mailer/dkim"
)

// dmarc is a DMARC record (RFC 7489, 6.3).
type dmarc struct {
	domain     string // that publishes it
	record     string
	policy     string // for the domain that was asked about
	strictSPF  bool
	strictDKIM bool
	reports    bool
}

// readDMARC reads the record for a domain: its own, or else that of the organisation's domain. nil: there is none, or it is wrong, which is said.
func readDMARC(ctx context.Context, r *dns.Resolver, domain string) (d *dmarc, wrong string, err error) {
	for _, of := range []string{domain, organisational(domain)} {
		texts, err := r.TXT(ctx, "_dmarc."+of)
		if err != nil {
			return nil, "", err
		}
		texts = slices.DeleteFunc(texts, func(s string) bool { return !strings.HasPrefix(strings.ReplaceAll(s, " ", ""), "v=DMARC1") })
		if len(texts) > 1 {
			return nil, "there are several records at _dmarc." + of + ", so none of them counts", nil
		}
		if len(texts) == 1 {
			d, wrong := parseDMARC(texts[0], of, domain)
			return d, wrong, nil
		}
	}
	return nil, "", nil
}

func parseDMARC(record, of, domain string) (*dmarc, string) {
	found := tags(record)
	if twice := repeatedTag(record); twice != "" {
		return nil, "the record at _dmarc." + of + " says " + twice + "= twice, so receivers may take the whole record for broken"
	}
	d := &dmarc{
		domain: of, record: record, policy: strings.ToLower(found["p"]), strictSPF: strings.EqualFold(found["aspf"], "s"),
		strictDKIM: strings.EqualFold(found["adkim"], "s"), reports: found["rua"] != "",
	}
	if sub := strings.ToLower(found["sp"]); sub != "" && of != domain {
		d.policy = sub
	}
	if !slices.Contains([]string{"none", "quarantine", "reject"}, d.policy) {
		return nil, "the record at _dmarc." + of + " has no policy p=none, quarantine or reject"
	}
	return d, ""
}

// aligned reports whether DMARC takes one domain for standing for another.
func aligned(a, b string, strict bool) bool {
	return a == b || !strict && organisational(a) == organisational(b)
}

func dmarcRecord(ctx context.Context, p *Patient) (found []Finding) {
	for _, domain := range p.senderDomains() {
		add := about(domain, &found)
		d, wrong, err := readDMARC(ctx, p.DNS, domain)
		const refused = "Gmail, Yahoo and Microsoft refuse bulk mail from a domain without DMARC"
		name, proposal := "_dmarc."+organisational(domain), "v=DMARC1; p=none; rua=mailto:postmaster@"+organisational(domain)
		switch {
		case err != nil:
			add(unknown(err))
		case wrong != "":
			add(problem("%s: %s", domain, wrong).means(refused).do("publish one, such as this").publish(name, proposal))
		case d == nil:
			add(problem("%s has no DMARC record", domain).means(refused).
				do("publish one; p=none changes nothing but that you get reports, at an address that should be read").publish(name, proposal))
		case !d.reports:
			add(note("%s: %s", domain, d.record).means("without rua= you do not learn who sends in your name, nor what of it fails").
				do("add rua=mailto: and an address that is read"))
		default:
			add(ok("%s: %s", domain, d.record))
		}
	}
	return found
}

func dmarcAlignment(ctx context.Context, p *Patient) (found []Finding) {
	keys := make([]dkim.Key, len(p.Keys))
	for i, l := range p.Keys {
		keys[i] = l.Key
	}
	for _, domain := range p.senderDomains() {
		add := about(domain, &found)
		d, _, err := readDMARC(ctx, p.DNS, domain)
		if err != nil {
			continue // told by dmarc.record
		}
		if d == nil {
			d = &dmarc{policy: "none"}
		}
		envelope, signing := domain, dkim.SigningDomain(keys, "@"+domain)
		if p.ReturnDomain != "" {
			envelope = p.ReturnDomain
		}
		add(alignment(domain, envelope, signing, d))
	}
	return found
}

// alignment says who vouches for a domain that readers see.
func alignment(domain, envelope, signing string, d *dmarc) Finding {
	bySPF, byDKIM := aligned(envelope, domain, d.strictSPF), signing != "" && aligned(signing, domain, d.strictDKIM)
	switch {
	case bySPF && byDKIM:
		return ok("%s: both SPF (%s) and DKIM (%s) vouch for it", domain, envelope, signing)
	case byDKIM:
		return note("%s: DKIM (%s) vouches for it, SPF (%s) does not", domain, signing, envelope).
			means("that is enough for DMARC; Gmail wants both SPF and DKIM to pass, but only one to be for this domain").
			do("to have both, let bounce_domain be a subdomain of %s", organisational(domain))
	case bySPF:
		return warning("%s: SPF (%s) vouches for it, DKIM of ours does not", domain, envelope).
			means("mail that somebody forwards fails DMARC, unless the relay signs for this domain").do("silkpost dkim create %s", domain)
	}
	f := problem("%s: neither SPF (%s) nor DKIM of ours vouches for it", domain, envelope).
		means("unless the relay signs for it, DMARC fails, and by p=%s receivers %s", d.policy, consequence(d.policy)).
		do("silkpost dkim create %s; or let bounce_domain be a subdomain of %s", domain, organisational(domain))
	if signing != "" {
		f = f.do("the record says adkim=s: silkpost dkim create %s makes a key for the very domain", domain)
	}
	return f
}

func consequence(policy string) string {
	return map[string]string{"reject": "refuse it", "quarantine": "put it with the spam"}[policy] +
		map[bool]string{true: "may do with it what they like"}[policy == "none"]
}
