package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/dns"
	"silkpost/internal/doctor"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/installation"
	"silkpost/mailer/bounce"
	"silkpost/mailer/dkim"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// probeTimeout bounds asking a relay, and asking at the public URL.
const probeTimeout = 45 * time.Second

// DoctorOptions say how to examine.
type DoctorOptions struct {
	DNS      string // the server to ask, host or host:port; "": App.NameServer
	MailPort string // where the servers that bounces go to take mail; "": 25

	Patience time.Duration // with the relays, and with what answers at the public URL; 0: 45 seconds
}

// Doctor examines the program and what it stands on, and returns what it found. It changes nothing and sends nothing.
func (a *App) Doctor(ctx context.Context, o DoctorOptions) ([]doctor.Finding, error) {
	p := &doctor.Patient{
		Now: a.Clock.Now(), DNS: dns.New(cmp.Or(o.DNS, a.NameServer)), MailPort: o.MailPort, Free: -1, Secrets: len(a.keys), PublicURL: a.Config.PublicURL,
		ReturnDomain: a.Config.BounceDomain, ReturnListens: a.Config.BounceListen != "", ReturnTLS: a.Config.BounceTLSCert != "",
	}
	patient := cmp.Or(o.Patience, probeTimeout)
	for _, look := range []func(context.Context, *doctor.Patient) error{
		a.lookAtDatabase, a.lookAtMail,
		func(ctx context.Context, p *doctor.Patient) error { return a.lookAtRelays(ctx, p, patient) },
		func(ctx context.Context, p *doctor.Patient) error { return a.lookAtWeb(ctx, p, patient) },
	} {
		if err := look(ctx, p); err != nil {
			return nil, err
		}
	}
	return doctor.Examine(ctx, p), ctx.Err()
}

func (a *App) lookAtDatabase(ctx context.Context, p *doctor.Patient) (err error) {
	before := a.Clock.Now()
	if p.Database, err = database.Examine(ctx, a.DB); err != nil {
		return err
	}
	took := a.Clock.Now().Sub(before)
	p.Skew = p.Database.Now.Sub(before.Add(took / 2))
	if a.local != nil {
		if p.Free, err = a.local.Free(); err != nil {
			p.Free = -1
		}
	}
	today, err := ledger.Prepared(ctx, a.DB, p.Now)
	if err != nil {
		return err
	}
	tomorrow, err := ledger.Prepared(ctx, a.DB, p.Now.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	p.Ready = today && tomorrow
	if p.Held, err = a.Held(ctx); err != nil {
		return err
	}
	p.Workers, err = ledger.Senders(ctx, a.DB, p.Now)
	return err
}

// lookAtMail fills in whom mail is from, what signs it, how large it is and how it comes back.
func (a *App) lookAtMail(ctx context.Context, p *doctor.Patient) (err error) {
	if p.Senders, err = a.senders(ctx); err != nil {
		return err
	}
	if p.Keys, err = dkim.Locks(ctx, a.DB, a.keys); err != nil {
		return err
	}
	if p.Factors, err = a.Accounts.Outdated(ctx); err != nil {
		return err
	}
	if p.Largest, err = a.Composer.Largest(ctx); err != nil {
		return err
	}
	if p.ReturnDomain == "" || a.keys == nil {
		p.ReturnDomain = ""
		return nil
	}
	p.TestAddress = a.addresses().Probe(p.Now.Unix())
	p.Channel, err = bounce.ChannelOf(ctx, a.DB, p.ReturnDomain)
	return err
}

// senders are the addresses that lists are sent from, those of lists that can be sent alone.
func (a *App) senders(ctx context.Context) (senders []doctor.Sender, err error) {
	lists, err := subscribers.Lists(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	for _, list := range lists {
		if edition.MayBeSent(list) != nil {
			continue
		}
		address, err := subscribers.Envelope(list.Sender.Address)
		if err != nil {
			continue // MayBeSent says so
		}
		i := slices.IndexFunc(senders, func(s doctor.Sender) bool { return s.Address == address })
		if i < 0 {
			i, senders = len(senders), append(senders, doctor.Sender{Address: address})
		}
		senders[i].Lists = append(senders[i].Lists, list.Slug)
	}
	return senders, nil
}

func (a *App) lookAtRelays(ctx context.Context, p *doctor.Patient, patience time.Duration) error {
	if a.relay == nil {
		return nil
	}
	var envelopes []string
	if p.ReturnDomain != "" {
		envelopes = append(envelopes, p.TestAddress)
	}
	for _, s := range p.Senders {
		if p.ReturnDomain == "" {
			envelopes = append(envelopes, s.Address)
		}
	}
	probing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, r := range a.relays() {
		facts, err := send.Probe(probing, r.Relay, a.helo(), envelopes...)
		if r.Facts = facts; err != nil {
			r.Failure = reply.OneLine(err.Error())
		}
		p.Relays = append(p.Relays, r)
	}
	return ctx.Err()
}

// relays are the next hops that are set, with their settings.
func (a *App) relays() []doctor.Relay {
	relays := []doctor.Relay{{Setting: "SILKPOST_SMTP_URL", Relay: *a.relay}}
	if a.relay.Fallback != nil {
		relays = append(relays, doctor.Relay{Setting: "SILKPOST_SMTP_FALLBACK_URL", Relay: *a.relay.Fallback})
	}
	return relays
}

// lookAtWeb asks at the public URL for what only this installation can answer, and as a mail program that unsubscribes.
func (a *App) lookAtWeb(ctx context.Context, p *doctor.Patient, patience time.Duration) error {
	address, err := url.Parse(p.PublicURL)
	if err != nil || address.Host == "" || a.keys == nil {
		return nil
	}
	client := fetch.New(address.Hostname())
	defer client.Close()
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nonce, err := installation.Challenge(ctx, a.DB, p.Now)
	if err != nil {
		return err
	}
	query := url.Values{installation.Query: {nonce}}
	got, err := client.Get(waiting, fetch.Request{URL: p.PublicURL + installation.Path + "?" + query.Encode()})
	if err != nil {
		p.Web.Failure = err.Error()
		return ctx.Err()
	}
	answer, err := installation.ParseAnswer(got.Body)
	p.Web.Other = err != nil || !answer.Proves(a.keys, nonce)
	// Whoever answers "no such link" has let the form through.
	err = client.Post(waiting, p.PublicURL+"/unsubscribe/doctor", url.Values{"List-Unsubscribe": {"One-Click"}})
	if err != nil && errs.KindOf(err) != errs.NotFound {
		p.Web.OneClick = err.Error()
	}
	p.Web.Expires = certificateEnd(waiting, address)
	return ctx.Err()
}

// certificateEnd returns when the certificate of an https address ends; zero when that is not to be seen.
func certificateEnd(ctx context.Context, address *url.URL) (end time.Time) {
	if address.Scheme != "https" {
		return end
	}
	conn, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: address.Hostname()}}).
		DialContext(ctx, "tcp", net.JoinHostPort(address.Hostname(), cmp.Or(address.Port(), "443")))
	if err != nil {
		return end
	}
	defer conn.Close()
	if secured, ok := conn.(*tls.Conn); ok {
		if chain := secured.ConnectionState().PeerCertificates; len(chain) > 0 {
			end = chain[0].NotAfter
		}
	}
	return end
}

// CheckKey looks whether a DKIM key's record is published as it should be. server is the DNS server to ask, "" App.NameServer.
func (a *App) CheckKey(ctx context.Context, server string, k dkim.Key) doctor.Finding {
	return doctor.KeyRecord(ctx, dns.New(cmp.Or(server, a.NameServer)), k)
}
