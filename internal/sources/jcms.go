package sources

import (
	"cmp"
	"context"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// Where JCMS sites answer for their listings, newer and older versions.
const (
	jcmsProxy    = "/module/web/jpage/dataproxy.jsp"
	jcmsOldProxy = "/module/jpage/dataproxy.jsp"
)

// jcmsGroup is how many records are asked for at once. Some sites give fewer.
const jcmsGroup = 45

// jcmsUnit is one listing of a site: what its data proxy has to be asked.
type jcmsUnit struct {
	proxy  string     // address of the proxy, without a query
	old    string     // where it may be instead; "" when the page names the proxy
	params url.Values // columnid, unitid, webid, webname and the like
	column string     // number of the column
	total  int        // records in all; 0 when the page does not say
	way    *jcmsWay   // the one that has worked; nil: none was tried
}

// jcmsWay is a way to ask a data proxy. Some know the numbers of records, some pages alone; some answer POST alone, and GET with an error page or
// nothing.
type jcmsWay struct {
	proxy       string
	pages, post bool
}

// method returns the way without what is asked.
func (w jcmsWay) method() jcmsWay { return jcmsWay{proxy: w.proxy, post: w.post} }

// jcmsPlace is where a listing goes on.
type jcmsPlace struct {
	record, page int     // the next ones, from one on
	before       []entry // what came last: a proxy that gives it once more has not understood
}

// listJCMS reads the column that a source names, and the further ones of its settings. The first records may stand in the column page
// itself; all others come from the data proxy.
func listJCMS(ctx context.Context, p *Poller, source articles.Source, first *fetch.Result) (listing, error) {
	r := &jcmsReader{ctx: ctx, Poller: p, zone: reading(source).Zone}
	all, err := r.column(first)
	if err != nil {
		return listing{}, err
	}
	for _, column := range source.Settings.Columns {
		got, err := p.Fetch.Get(ctx, fetch.Request{URL: articles.WebAddress(column, source.URL)})
		if err != nil {
			return listing{}, err
		}
		more, err := r.column(got)
		if err != nil {
			return listing{}, err
		}
		all.entries = append(all.entries, more.entries...)
		all.fixed = false // one of several pages says nothing of the others
	}
	return all, nil
}

// jcmsReader reads listings within one poll.
type jcmsReader struct {
	*Poller
	ctx  context.Context //nolint:containedctx // of the one poll that the reader lives for
	zone *time.Location
}

// column reads a column page and, when its records are not in it, the first ones from the proxy.
func (r *jcmsReader) column(got *fetch.Result) (listing, error) {
	page := decodePage(got.Body, got.ContentType)
	unit, found := findUnit(page, got.URL)
	records := parseRecords(page, got.URL, r.zone)
	if len(records.entries) > 0 {
		l := listing{entries: records.entries, total: cmp.Or(records.total, unit.total), fixed: true}
		if found {
			l.next = r.after(unit, jcmsPlace{record: 1, page: 1}, records)
		}
		return l, nil
	}
	if entries := staticRecords(page, got.URL, r.zone); !found && len(entries) > 0 {
		return listing{entries: entries, fixed: true}, nil
	}
	if !found {
		return listing{}, errs.New(errs.Invalid, "%s: this is no column page of a JCMS site: there are no records in it, and nothing that leads to them", got.URL)
	}
	l, err := r.ask(unit, jcmsPlace{record: 1, page: 1})
	if err == nil && len(l.entries) == 0 {
		err = errs.New(errs.Invalid, "%s: the listing is empty", unit.proxy)
	}
	return l, err
}

// ask gets the records at a place, in the first way that brings any; none when no way does. The listing goes on in the same way.
func (r *jcmsReader) ask(unit jcmsUnit, at jcmsPlace) (listing, error) {
	var failed error
	answered, shut := false, map[jcmsWay]bool{}
	for _, way := range r.ways(unit) {
		if shut[way.method()] {
			continue
		}
		got, err := r.Fetch.Get(r.ctx, unit.request(way, at))
		if err != nil {
			if r.ctx.Err() != nil || fetch.RetryAfter(err) > 0 {
				return listing{}, err
			}
			if failed == nil || errs.KindOf(failed) == errs.NotFound {
				failed = err
			}
			shut[way.method()] = true
			if errs.KindOf(err) == errs.NotFound {
				shut[jcmsWay{proxy: way.proxy, post: !way.post}] = true
			}
			continue
		}
		answered = true
		if found := parseRecords(decodeXML(got.Body, got.ContentType), got.URL, r.zone); len(found.entries) > 0 && !sameEntries(found.entries, at.before) {
			r.jcms.Store(unit.proxy, way)
			unit.way = &way
			return listing{entries: found.entries, total: cmp.Or(found.total, unit.total), next: r.after(unit, at, found)}, nil
		}
	}
	if answered {
		failed = nil
	}
	return listing{}, failed
}

// ways returns how a listing may be asked for, first as it was last time. Who does not know records by their numbers may give the first ones
// nevertheless.
func (r *jcmsReader) ways(unit jcmsUnit) (all []jcmsWay) {
	if way := unit.way; way != nil {
		return slices.Compact([]jcmsWay{*way, {way.proxy, true, way.post}})
	}
	if known, ok := r.jcms.Load(unit.proxy); ok {
		all = append(all, known.(jcmsWay))
	}
	for _, proxy := range []string{unit.proxy, unit.old} {
		for _, post := range []bool{false, true} {
			for _, pages := range []bool{false, true} {
				if way := (jcmsWay{proxy, pages, post}); proxy != "" && !slices.Contains(all, way) {
					all = append(all, way)
				}
			}
		}
	}
	return all
}

// after returns how a listing goes on after records that stood at a place; nil when those were the last.
func (r *jcmsReader) after(unit jcmsUnit, at jcmsPlace, got records) func() (listing, error) {
	at = jcmsPlace{record: at.record + len(got.entries), page: at.page + 1, before: got.entries} // at least: records that lead nowhere may count or not
	if total := cmp.Or(got.total, unit.total); total > 0 && at.record > total {
		return nil
	}
	return func() (listing, error) { return r.ask(unit, at) }
}

// sameEntries reports whether a listing begins as another one did.
func sameEntries(a, b []entry) bool { return len(a) > 0 && len(b) > 0 && a[0].key == b[0].key }

// request asks in a way for the records at a place. What is meant stands in the address of a POST, too: some look there for it.
func (u jcmsUnit) request(way jcmsWay, at jcmsPlace) fetch.Request {
	which := url.Values{
		"startrecord": {strconv.Itoa(at.record)}, "endrecord": {strconv.Itoa(at.record + jcmsGroup - 1)}, "perpage": {strconv.Itoa(jcmsGroup / 3)},
	}
	if way.pages {
		which = url.Values{"page": {strconv.Itoa(at.page)}}
	}
	all := maps.Clone(u.params)
	maps.Copy(all, which)
	if way.post {
		return fetch.Request{URL: way.proxy + "?" + which.Encode(), Form: all}
	}
	return fetch.Request{URL: way.proxy + "?" + all.Encode()}
}

var (
	jcmsColumn    = regexp.MustCompile(`/col/col(\d+)/`)
	proxyLink     = regexp.MustCompile(`(?i)[^"'\s<>()]*/module/(?:web/)?jpage/dataproxy\.jsp(?:\?[^"'\s<>)]*)?`)
	jcmsParam     = regexp.MustCompile(`(?i)["']?\b(columnid|unitid|webid|webname|appid|sourceContentType|permissiontype|path|col)\b["']?\s*[:=]\s*(?:"([^"]*)"|'([^']*)'|([^"'\s,;&}<>]+))`)
	jcmsParams    = regexp.MustCompile(`(?is)\{[^{}]{0,600}?\bcolumnid\b[^{}]{0,600}\}`)
	jcmsTotal     = regexp.MustCompile(`(?i)<totalrecord>\s*(\d+)|\btotalRecord["']?\s*[:=]\s*["']?(\d+)`)
	jcmsContainer = regexp.MustCompile(`\$\(\s*["']#(\d+)["']\s*\)\s*\.jpage`)
)

// findUnit finds out how the data proxy of a column has to be asked: from the link to the next group of records, or from what the script
// on the page is given. Where several listings are on the page, that of the column counts which the page's address names.
func findUnit(page, address string) (jcmsUnit, bool) {
	base, err := url.Parse(address)
	if err != nil {
		return jcmsUnit{}, false
	}
	column := ""
	if at := jcmsColumn.FindStringSubmatch(base.Path); at != nil {
		column = at[1]
	}
	var units []jcmsUnit
	proxy := ""
	for _, link := range proxyLink.FindAllString(page, 20) {
		u, err := base.Parse(html.UnescapeString(link))
		if err != nil || u.Hostname() != base.Hostname() {
			continue
		}
		params := u.Query()
		u.RawQuery, u.Fragment = "", ""
		proxy = cmp.Or(proxy, u.String())
		if params.Get("columnid") != "" || params.Get("unitid") != "" {
			units = append(units, jcmsUnit{proxy: u.String(), params: tidyParams(params)})
		}
	}
	for _, object := range jcmsParams.FindAllString(page, 20) {
		units = append(units, jcmsUnit{proxy: proxy, params: readParams(object)})
	}
	if len(units) == 0 && (proxy != "" || jcmsContainer.MatchString(page)) {
		units = append(units, jcmsUnit{proxy: proxy, params: readParams(page)})
	}
	if len(units) == 0 {
		return jcmsUnit{}, false
	}
	unit := units[0]
	for _, u := range units {
		if u.params.Get("columnid") == column && column != "" {
			unit = u
			break
		}
	}
	return unit.complete(page, column, base), true
}

// complete fills in what a page leaves to be known.
func (u jcmsUnit) complete(page, column string, base *url.URL) jcmsUnit {
	u.column = cmp.Or(u.params.Get("columnid"), column)
	u.params.Set("columnid", u.column)
	if at := jcmsContainer.FindStringSubmatch(page); u.params.Get("unitid") == "" && at != nil {
		u.params.Set("unitid", at[1])
	}
	for key, usual := range map[string]string{"webid": "1", "path": "/", "appid": "1", "col": "1", "permissiontype": "0", "sourceContentType": "1"} {
		if u.params.Get(key) == "" {
			u.params.Set(key, usual)
		}
	}
	if at := jcmsTotal.FindStringSubmatch(page); at != nil {
		u.total = number(cmp.Or(at[1], at[2]))
	}
	if u.proxy == "" {
		newer, older := *base, *base
		newer.Path, newer.RawQuery, older.Path, older.RawQuery = jcmsProxy, "", jcmsOldProxy, ""
		u.proxy, u.old = newer.String(), older.String()
	}
	return u
}

// tidyParams takes the quotes off that some sites put around values, keeps one of each, and leaves out which page it was about.
func tidyParams(params url.Values) url.Values {
	tidy := url.Values{}
	for key, values := range params {
		switch strings.ToLower(key) {
		case "startrecord", "endrecord", "perpage", "page":
		default:
			tidy.Set(key, strings.Trim(values[0], `'"`))
		}
	}
	return tidy
}

// readParams reads what a script is given: {col:1, webid:'1', columnid:29}.
func readParams(object string) url.Values {
	params := url.Values{}
	for _, at := range jcmsParam.FindAllStringSubmatch(object, 60) {
		name := canonicalParam(at[1])
		if params.Get(name) == "" {
			params.Set(name, html.UnescapeString(cmp.Or(at[2], at[3], at[4])))
		}
	}
	return params
}

func canonicalParam(name string) string {
	if strings.EqualFold(name, "sourceContentType") {
		return "sourceContentType"
	}
	return strings.ToLower(name)
}

// isJCMS reports whether a page belongs to a JCMS site, and the addresses of the columns that it leads to, itself before others.
func isJCMS(page *goquery.Document, address string) (columns []string, yes bool) {
	if jcmsColumn.MatchString(address) {
		columns, yes = append(columns, address), true
	}
	seen := map[string]bool{address: true}
	for _, a := range page.Find("a[href]").EachIter() {
		to := articles.WebAddress(a.AttrOr("href", ""), address)
		u, err := url.Parse(to)
		if err != nil || !strings.Contains(address, "//"+u.Host+"/") || !jcmsColumn.MatchString(u.Path) {
			continue
		}
		u.RawQuery, u.Fragment = "", ""
		if to = u.String(); !seen[to] {
			columns = append(columns, to)
		}
		seen[to] = true
	}
	return columns, yes || len(columns) > 0 || madeByJCMS(page)
}
