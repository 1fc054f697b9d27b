package doctor

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"silkpost/internal/dns"
	"silkpost/mailer/dkim"
)

// Ages of keys at which something should be done.
const (
	oldKey   = 400 * 24 * time.Hour // a year, and time to get round to it
	leftOver = 30 * 24 * time.Hour  // since a key was retired
	underWay = 14 * 24 * time.Hour  // for which a retired key's record is still needed
)

func dkimKeys(_ context.Context, p *Patient) (found []Finding) {
	keys := make([]dkim.Key, len(p.Keys))
	for i, l := range p.Keys {
		add := about(l.Domain, &found)
		keys[i] = l.Key
		switch {
		case l.State == dkim.Active && l.Failure != "":
			add(problem("key %s of %s cannot be opened: %s", l.Selector, l.Domain, l.Failure).means("nothing is sent from %s, rather than unsigned", l.Domain).
				do("list the secret key that it was made with in SILKPOST_SECRET_KEY as well; if that is lost, silkpost dkim create %s makes another one", l.Domain))
		case l.State == dkim.Active && l.UsedAt != nil && p.Now.Sub(*l.UsedAt) > oldKey:
			add(note("key %s of %s has signed since %s", l.Selector, l.Domain, l.UsedAt.UTC().Format(time.DateOnly)).
				means("good practice is a new one each year").do("silkpost dkim create %s --algorithm %s, publish its record, silkpost dkim use", l.Domain, l.Algorithm))
		case l.State == dkim.Retired && l.RetiredAt != nil && p.Now.Sub(*l.RetiredAt) > leftOver:
			add(note("key %s of %s was retired at %s", l.Selector, l.Domain, l.RetiredAt.UTC().Format(time.DateOnly)).
				do("take its record %s out of the DNS, and run silkpost dkim remove %s %s", l.Name(), l.Domain, l.Selector))
		}
	}
	for _, domain := range p.senderDomains() {
		add := about(domain, &found)
		of := dkim.SigningDomain(keys, "@"+domain)
		algorithms := activeAlgorithms(keys, of)
		switch {
		case of == "":
			add(warning("mail from %s is not signed here", domain).
				means("unless the relay signs it, for this domain and with List-Unsubscribe covered, Gmail, Yahoo and Microsoft refuse it in bulk").
				do("silkpost doctor --send-to shows whether the relay does; if not, silkpost dkim create %s", domain))
		case !slices.Contains(algorithms, dkim.RSA):
			add(warning("mail from %s is signed with Ed25519 alone", domain).means("many receivers cannot verify that: to them it is not signed").
				do("add a key that all know: silkpost dkim create %s --algorithm rsa", of))
		default:
			add(ok("mail from %s is signed for %s", domain, of))
		}
	}
	return found
}

func activeAlgorithms(keys []dkim.Key, domain string) (algorithms []dkim.Algorithm) {
	for _, k := range keys {
		if k.State == dkim.Active && k.Domain == domain {
			algorithms = append(algorithms, k.Algorithm)
		}
	}
	return algorithms
}

func dkimRecord(ctx context.Context, p *Patient) (found []Finding) {
	for _, l := range p.Keys {
		add := about(l.Domain, &found)
		retired := l.State == dkim.Retired && l.RetiredAt != nil && p.Now.Sub(*l.RetiredAt) < underWay
		if l.State == dkim.Active || l.State == dkim.Made || retired {
			add(KeyRecord(ctx, p.DNS, l.Key))
		}
	}
	return found
}

// KeyRecord looks whether a key's record is published as it should be. What is wrong is a Problem where the key signs, or did until lately.
func KeyRecord(ctx context.Context, r *dns.Resolver, k dkim.Key) Finding {
	f := keyRecord(ctx, r, k)
	f.Check = "dkim.record"
	if f.State == Problem && k.State == dkim.Made {
		f.State = Note
		f.Means = "the key does not sign yet"
	}
	return f
}

func keyRecord(ctx context.Context, r *dns.Resolver, k dkim.Key) Finding {
	texts, err := r.TXT(ctx, k.Name())
	if err != nil {
		return unknown(err)
	}
	const broken = "receivers take what is signed with it for not signed, or for forged"
	wrong := ""
	switch {
	case len(texts) == 0:
		wrong = "there is no record at " + k.Name()
	case len(texts) > 1:
		wrong = "there are several records at " + k.Name() + ": there may be one"
	default:
		wrong = wrongWith(texts[0], &k)
	}
	if wrong != "" {
		return problem("key %s of %s: %s", k.Selector, k.Domain, wrong).means(broken).do("publish this record, and nothing else at its name").publish(k.Name(), k.Record())
	}
	if flags := strings.Split(tags(texts[0])["t"], ":"); slices.Contains(flags, "y") {
		return warning("key %s of %s: its record says t=y, that it is for trying out", k.Selector, k.Domain).means("receivers treat what is signed with it like unsigned mail").
			do("take it out when all is well").publish(k.Name(), k.Record())
	}
	return ok("key %s of %s: its record is published", k.Selector, k.Domain)
}

// wrongWith says what is wrong with a key's record, "" for nothing.
func wrongWith(record string, k *dkim.Key) string {
	found := tags(record)
	kind := strings.ToLower(found["k"])
	if kind == "" {
		kind = string(dkim.RSA)
	}
	public := strings.Join(strings.Fields(found["p"]), "")
	decoded, err := base64.StdEncoding.DecodeString(public)
	version, versioned := found["v"]
	switch {
	case versioned && version != "DKIM1":
		return "its record does not begin with v=DKIM1"
	case kind != string(k.Algorithm):
		return "its record says k=" + kind + ", and it is " + string(k.Algorithm)
	case public == "":
		return "its p= is empty, which says that it was revoked"
	case err != nil:
		return "its p= cannot be read: something was lost when it was pasted"
	case found["s"] != "" && !strings.Contains(found["s"], "*") && !strings.Contains(found["s"], "email"):
		return "its record is not for email (s=" + found["s"] + ")"
	case string(decoded) != string(k.Public):
		return "its record has another key"
	}
	return ""
}
