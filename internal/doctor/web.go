package doctor

import (
	"context"
	"strings"
	"time"
)

func unsubscribeURL(_ context.Context, p *Patient) []Finding {
	switch {
	case p.PublicURL == "":
		return []Finding{problem("no public URL is set").means("no link to unsubscribe can be made, so nothing is sent").
			do("set SILKPOST_PUBLIC_URL, such as https://news.example.org")}
	case !strings.HasPrefix(p.PublicURL, "https://"):
		return []Finding{problem("the public URL %s is not https", p.PublicURL).means("mail programs show no button to unsubscribe (RFC 8058), and Gmail and Yahoo want one").
			do("put a proxy with a certificate before silkpost, and set SILKPOST_PUBLIC_URL to its https address")}
	}
	return []Finding{ok("%s is https", p.PublicURL)}
}

func unsubscribeReach(_ context.Context, p *Patient) (found []Finding) {
	switch {
	case p.PublicURL == "":
		return nil // told by unsubscribe.url
	case p.Web.Failure != "":
		found = append(found, problem("%s does not answer: %s", p.PublicURL, p.Web.Failure).
			means("readers cannot unsubscribe; if others reach it and only this machine does not, all is well").do("open it from elsewhere; see that serve, its proxy and the DNS name work"))
	case p.Web.Other:
		found = append(found, problem("what answers at %s is not this installation", p.PublicURL).means("readers who unsubscribe are not heard here").
			do("let the address lead to this silkpost serve, with the same database and secret key"))
	default:
		found = append(found, ok("%s answers, and is this installation", p.PublicURL))
	}
	if left := p.Web.Expires.Sub(p.Now); !p.Web.Expires.IsZero() && left < soon {
		found = append(found, warning("the certificate of %s ends at %s", p.PublicURL, p.Web.Expires.UTC().Format(time.DateOnly)).
			means("then no link in any mail works").do("renew it"))
	}
	return found
}

func unsubscribeClick(_ context.Context, p *Patient) []Finding {
	switch {
	case p.PublicURL == "" || p.Web.Failure != "" || p.Web.Other:
		return nil
	case p.Web.OneClick != "":
		return []Finding{problem("a POST below %s/unsubscribe/ does not get through: %s", p.PublicURL, p.Web.OneClick).
			means("mail programs cannot unsubscribe by themselves (RFC 8058)").do("let the proxy pass POST on there, without a login, a cookie or a puzzle")}
	}
	return []Finding{ok("a mail program's click to unsubscribe gets through")}
}
