package subscribers_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// standing is how every contact stands on the list partners, and why.
const standing = `
	SELECT concat_ws(' | ', c.email, c.name, s.state,
	       (SELECT string_agg(g.state || ' (' || concat_ws(', ', g.method, g.statement, g.origin) || ')', ' ' ORDER BY g.id)
	        FROM subscribers.consents g WHERE g.subscription_id = s.id),
	       (SELECT string_agg(x.reason || ' from ' || x.origin, ' ' ORDER BY x.reason) FROM subscribers.suppressions x
	        WHERE x.address_key = c.email_key AND x.lifted_at IS NULL),
	       CASE WHEN EXISTS (SELECT FROM subscribers.mailable m WHERE m.subscription_id = s.id) THEN 'mailable' END)
	FROM subscribers.contacts c JOIN subscribers.subscriptions s ON s.contact_id = c.id JOIN subscribers.lists l ON l.id = s.list_id
	WHERE l.slug = 'partners' ORDER BY c.email_key`

const (
	mailchimp = "Email Address,First Name,Last Name,Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF," +
		"DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
	listmonk = "uuid,email,name,attributes,status,created_at,updated_at\n"
)

func TestImportOfAMailchimpAudience(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.options()
	o.Consent, o.Origin = "Asked for by form", "subscribed.csv"
	got := b.mustImport(t, o, mailchimp+"\n"+
		`anna@museum.example,Anna,Rossi,Museo,4,"2024-05-01 10:00:00",203.0.113.9,"2024-05-01 10:05:00",203.0.113.9,45.1,7.6,1,2,Europe/Rome,IT,25,"2025-01-01 00:00:00",1,aa,met in Turin,"""Press"",""VIP"""`+"\n"+
		`left@museum.example,,,,2,"2024-05-01 10:00:00",,,,,,,,,,,,2,bb,,`+"\n")
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 2}, got); diff != "" {
		t.Error(diff)
	}
	o.Origin = "unsubscribed.csv"
	unsubscribed := strings.Replace(mailchimp, "LAST_CHANGED", "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER", 1)
	got = b.mustImport(t, o, unsubscribed+"\n"+
		`left@museum.example,,,,2,,,,,,,,,,,,"2025-02-02 09:00:00",May,17,NORMAL,I moved to Bologna,2,bb,,`+"\n"+
		`gone@museum.example,Gina,Verdi,,2,,,,,,,,,,,,"2025-02-03 09:00:00",May,17,NORMAL,,3,cc,,`+"\n")
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 1, Changed: 1, Ended: 2}, got); diff != "" {
		t.Error(diff)
	}
	o.Origin = "cleaned.csv"
	cleaned := strings.Replace(mailchimp, "LAST_CHANGED", "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID", 1)
	bounced := cleaned + "\n" + `old@museum.example,,,,1,,,,,,,,,,,,"2025-03-03 09:00:00",May,17,4,dd,,` + "\n"
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 1, Suppressed: 1}, b.mustImport(t, o, bounced)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(subscribers.ImportResult{Unchanged: 1, Suppressed: 1}, b.mustImport(t, o, bounced)); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"anna@museum.example | Anna Rossi | active | active (import, Asked for by form; opted in 2024-05-01 10:00:00, confirmed 2024-05-01 10:05:00, subscribed.csv) | mailable",
		"gone@museum.example | Gina Verdi | unsubscribed | unsubscribed (import, unsubscribed according to the file; unsubscribed 2025-02-03 09:00:00, unsubscribed.csv)",
		"left@museum.example |  | unsubscribed | active (import, Asked for by form; opted in 2024-05-01 10:00:00, subscribed.csv) " +
			"unsubscribed (import, unsubscribed according to the file; unsubscribed 2025-02-02 09:00:00, unsubscribed.csv)",
		"old@museum.example |  | pending | pending (import, suppressed; hard bounce 2025-03-03 09:00:00, cleaned.csv) | hard bounce from cleaned.csv",
	}
	if diff := cmp.Diff(want, b.query(t, standing)); diff != "" {
		t.Error(diff)
	}
	about := b.query(t, `SELECT concat_ws(' | ', time_zone, attributes) FROM subscribers.contacts WHERE email = 'anna@museum.example'`)
	if diff := cmp.Diff([]string{`Europe/Rome | {"tags": "\"Press\",\"VIP\"", "notes": "met in Turin"}`}, about); diff != "" {
		t.Error(diff)
	}
	// The old export of subscribers does not bring anybody back, and one of people who left must say of each that they did.
	o.Origin = "subscribed.csv"
	again := mailchimp + "\nleft@museum.example,,,,2,,,,,,,,,,,,,2,bb,,\nold@museum.example,,,,2,,,,,,,,,,,,,2,bb,,\n"
	if diff := cmp.Diff(subscribers.ImportResult{Unchanged: 2, Left: 1, Suppressed: 1}, b.mustImport(t, o, again)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, b.query(t, standing)); diff != "" {
		t.Error(diff)
	}
	_, err := b.importText(t, o, unsubscribed+"\nx@museum.example,,,,2,,,,,,,,,,,,,,,,,3,cc,,\n")
	if err == nil || !strings.Contains(err.Error(), `row 2, UNSUB_TIME "": empty, in a file of people who are no longer subscribed`) {
		t.Error(err)
	}
}

func TestImportOfAListmonkExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.options()
	o.Origin = "subscribers.csv"
	got := b.mustImport(t, o, listmonk+
		`1,anna@museum.example,Anna,"{""city"": ""Turin"", ""n"": 3, ""nested"": {""a"": [1, 2]}, ""none"": null, ""empty"": """"}",enabled,2021-01-01 10:00:00 +0000 UTC,x`+"\n"+
		"2,off@museum.example,Off,{},disabled,,\n"+
		"3,no@museum.example,No,{},blocklisted,,\n")
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 3, Pending: 1, Suppressed: 1}, got); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"anna@museum.example | Anna | active | active (import, Agreed in the partnership contract, subscribers.csv) | mailable",
		"no@museum.example | No | pending | pending (import, suppressed, subscribers.csv) | manual from subscribers.csv",
		"off@museum.example | Off | pending | pending (import, pending according to the file, subscribers.csv)",
	}
	if diff := cmp.Diff(want, b.query(t, standing)); diff != "" {
		t.Error(diff)
	}
	attributes := b.query(t, `SELECT attributes::text FROM subscribers.contacts WHERE email = 'anna@museum.example'`)
	if diff := cmp.Diff([]string{`{"n": "3", "city": "Turin", "nested": "{\"a\": [1, 2]}"}`}, attributes); diff != "" {
		t.Error(diff)
	}
	for row, reason := range map[string]string{
		`4,x@museum.example,X,[1],enabled,,`:              `attributes "[1]": not a JSON object such as {"city": "Rome"}`,
		`4,x@museum.example,X,"{""a"":""\u0000""}",,,`:    `attributes "{\"a\":\"\\u0000\"}": a: a control character (U+0000)`,
		`4,x@museum.example,X,"{""\u0000"":1}",enabled,,`: `the name of "\x00": a control character (U+0000)`,
		`4,x@museum.example,X,{},sleeping,,`:              `status "sleeping": not a status that is known`,
	} {
		if _, err := b.importText(t, o, listmonk+row+"\n"); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", row, err)
		}
	}
}

// Any table can say who has left; in no order of files does it make them mailable again.
func TestImportOfThoseWhoLeft(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]string{
		"unsubscribed": "unsubscribed", "désabonné": "unsubscribed", "已退订": "unsubscribed", "Abgemeldet": "unsubscribed", "ОТПИСАН": "unsubscribed",
		"bounced": "pending hard bounce", "complaint": "pending complaint", "blocked": "pending manual", "pending": "pending", "active": "active", "Lazio": "active",
	} {
		for _, first := range []bool{true, false} {
			b := setup(t)
			left := "email,status\na@example.org," + says + "\n"
			files := []string{left, "email\nA@example.org\n", left}
			if !first {
				files = files[1:]
			}
			for _, file := range files {
				b.mustImport(t, b.options(), file)
			}
			got := b.query(t, `SELECT concat_ws(' ', s.state, x.reason) FROM subscribers.subscriptions s
				JOIN subscribers.contacts c ON c.id = s.contact_id LEFT JOIN subscribers.suppressions x ON x.address_key = c.email_key`)
			expected := want
			if strings.HasPrefix(want, "pending") && (!first || want == "pending") {
				expected = strings.Replace(want, "pending", "active", 1) // consent that is stated is not weakened; suppression keeps mail away
			}
			if len(got) != 1 || got[0] != expected {
				t.Errorf("%q first %v: %q, want %q", says, first, got, expected)
			}
			if mailable := len(b.mailable(t)) == 1; mailable != (expected == "active") {
				t.Errorf("%q first %v: mailable %v", says, first, mailable)
			}
		}
	}
}

// What somebody said here counts more than what a file says that they said elsewhere.
func TestImportDoesNotOverruleThePerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	person := subscribers.Evidence{At: b.now, Method: subscribers.ByConfirmation}
	left := "email,status\na@example.org,unsubscribed\na@example.org,bounced\n"
	b.mustImport(t, b.options(), left)
	id := b.subscriptionOf(t, "partners", "a@example.org")
	if err := subscribers.Confirm(t.Context(), b.db, id, person); err != nil {
		t.Fatal(err)
	}
	want := b.query(t, standing)
	if diff := cmp.Diff(subscribers.ImportResult{Unchanged: 1}, b.mustImport(t, b.options(), left)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, b.query(t, standing)); diff != "" || len(b.mailable(t)) != 1 {
		t.Error(diff)
	}
}

// Rows that say no count, also when they are refused for something else; other rows of the address then do not let them in.
func TestImportHearsARefusedNo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.options()
	o.KeepGoing = true
	b.mustImport(t, o, "email,status,country\na@example.org,,\na@example.org,unsubscribed,Atlantis\nb@example.org,unsubscribed,Atlantis\n")
	want := []string{"a@example.org |  | unsubscribed | unsubscribed (import, unsubscribed according to the file, )"}
	if diff := cmp.Diff(want, b.query(t, standing)); diff != "" {
		t.Error(diff)
	}
}

// Nor does it matter that the row is the only one of somebody who is there: they are heard, and counted.
func TestImportHearsARefusedNoOfWhoIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\nb@example.org\nc@example.org\n")
	o := b.options()
	o.KeepGoing, o.Actor = true, "somebody"
	got := b.mustImport(t, o, "email,status,country\na@example.org,unsubscribed,Atlantis\nb@example.org,complaint,Atlantis\nc@example.org,active,Atlantis\n"+
		"unknown@example.org,unsubscribed,Atlantis\nunknown@example.org,complaint,Atlantis\n")
	got.Refusals = nil
	if diff := cmp.Diff(subscribers.ImportResult{Ended: 1, Suppressed: 1, Refused: 5}, got); diff != "" {
		t.Error(diff)
	}
	if got := b.mailable(t); !slices.Equal(got, []string{"c@example.org"}) {
		t.Errorf("mailable: %q", got)
	}
	log := b.query(t, `SELECT state || ' ' || method || ' ' || statement || ' ' || actor FROM subscribers.consents WHERE state = 'unsubscribed'`)
	if want := []string{"unsubscribed import unsubscribed according to the file somebody"}; !slices.Equal(log, want) {
		t.Errorf("the log: %q", log)
	}
}

// An import ends a pause that an administrator made, also one after which there is something to catch up on.
func TestImportEndsAPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\n")
	e := subscribers.Evidence{At: b.now, Method: subscribers.ByAdministrator, Actor: "1"}
	if err := subscribers.Pause(t.Context(), b.db, b.subscriptionOf(t, "partners", "a@example.org"), nil, true, e); err != nil {
		t.Fatal(err)
	}
	if got := b.mustImport(t, b.options(), "email,status\na@example.org,unsubscribed\n"); got.Ended != 1 {
		t.Errorf("%+v", got)
	}
}

// Who is suppressed, themselves or by their domain, is not made active; the suppression lifted, they still are not.
func TestImportOfSuppressed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, whom := range []string{"a@example.org", "bücher.example"} {
		if _, err := subscribers.Suppress(t.Context(), b.db, whom, subscribers.Manual, "they called", b.now); err != nil {
			t.Fatal(err)
		}
	}
	got := b.mustImport(t, b.options(), "email\nA@Example.org\nb@xn--bcher-kva.example\nc@example.org\n")
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 3, Suppressed: 2}, got); diff != "" {
		t.Error(diff)
	}
	for _, whom := range []string{"a@example.org", "bücher.example"} {
		if err := subscribers.Lift(t.Context(), b.db, whom, "1", b.now); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"c@example.org"}, b.mailable(t)); diff != "" {
		t.Error(diff)
	}
}

// An address that was erased is refused, and nothing keeps it: no table, no error, no file of refused rows.
func TestImportOfErased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const file = "email,name\nanna@museum.example,Anna\nb@museum.example,Bruno\n"
	b.mustImport(t, b.options(), file)
	b.erase(t, "anna@museum.example")
	_, err := b.importText(t, b.options(), strings.ReplaceAll(file, "anna@", "ANNA@"))
	if err == nil || err.Error() != `nothing imported: row 2, email "": its owner was erased; they come back only by subscribing themselves` {
		t.Error(err)
	}
	o, refused := b.options(), &memoryFile{}
	o.KeepGoing, o.Refused = true, refused.open
	var rows []subscribers.ImportedRow
	o.Each = func(r subscribers.ImportedRow) error { rows = append(rows, r); return nil }
	if got := b.mustImport(t, o, file); got.Refused != 1 || got.Unchanged != 1 {
		t.Errorf("%+v", got)
	}
	told, _ := json.Marshal(rows)
	content := strings.Join(b.query(t, `SELECT concat(c::text, x::text) FROM subscribers.contacts c FULL JOIN subscribers.suppressions x ON false`), "\n")
	if all := content + refused.String() + string(told); strings.Contains(strings.ToLower(all), "anna") {
		t.Errorf("still there:\n%s", all)
	}
	if want := "\ufeffemail,name,refused row,refused because\r\n,,2,\"email \"\"\"\": " + "its owner was erased; they come back only by subscribing themselves\"\r\n"; refused.String() != want {
		t.Errorf("%q", refused.String())
	}
	// Nor is a row that has something else wrong, and what that is.
	if got := b.mustImport(t, o, "email,name,country\nAnna@museum.example,Anna,Anna\n"); got.Refused != 1 || strings.Contains(fmt.Sprint(got, rows), "Anna") {
		t.Errorf("%+v, %+v", got, rows)
	}
	if strings.Contains(refused.String(), "Anna") {
		t.Errorf("%q", refused.String())
	}
}

func TestImportOfOrganisations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const file = "email,organisation,organisation_zh-hans,organization (ru),country,Website,organisation_languages,organisation_kind,organisation_notes,organisation_tags\n" +
		"a@example.org,Science Centre,科学中心,Научный центр,it,www.centre.example,it;en,museum,\"Met in\nTurin\",partner;2026\n" +
		"b@example.org,science  CENTRE,,,,,,,,\n" +
		"c@example.org,,,,de,c.example/me,,,,\n"
	if got := b.mustImport(t, b.options(), file); got.Imported != 3 {
		t.Errorf("%+v", got)
	}
	const records = `SELECT concat_ws(' | ', name, names, country, web_site, languages, kind, notes, tags) FROM subscribers.organisations ORDER BY name`
	want := []string{`Science Centre | {"ru": "Научный центр", "zh-Hans": "科学中心"} | IT | https://www.centre.example | {it,en} | museum | Met in Turin | {partner,2026}`}
	if diff := cmp.Diff(want, b.query(t, records)); diff != "" {
		t.Error(diff)
	}
	own := b.query(t, `SELECT attributes::text FROM subscribers.contacts WHERE email = 'c@example.org'`)
	if diff := cmp.Diff([]string{`{"country": "DE", "website": "https://c.example/me"}`}, own); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(subscribers.ImportResult{Unchanged: 3}, b.mustImport(t, b.options(), file)); diff != "" {
		t.Error(diff)
	}
	for header, value := range map[string]string{
		"organisation_fr": "Centre", "country": "FR", "website": "http://fr.example/", "organisation_languages": "fr", "organisation_kind": "centre",
		"organisation_notes": "x", "organisation_tags": "a;b",
	} {
		changed := "email,organisation," + header + "\na@example.org,SCIENCE CENTRE," + value + "\nd@example.org,Academy,\n"
		got := b.mustImport(t, b.options(), changed)
		if got.Changed != 1 {
			t.Errorf("%s: %+v", header, got)
		}
		if got := b.mustImport(t, b.options(), changed); got.Unchanged != 2 {
			t.Errorf("%s again: %+v", header, got)
		}
	}
	want = []string{
		`Academy | {} |  |  | {} |  |  | {}`,
		`Science Centre | {"fr": "Centre", "ru": "Научный центр", "zh-Hans": "科学中心"} | FR | http://fr.example/ | {fr} | centre | x | {a,b}`,
	}
	if diff := cmp.Diff(want, b.query(t, records)); diff != "" {
		t.Error(diff)
	}
	for row, reason := range map[string]string{
		"x@example.org,,,,,,,museum,,":                       "row 2: it speaks of an organisation (kind) but does not name it",
		"x@example.org,,科学,,,,it,,,":                         "row 2: it speaks of an organisation (languages, name zh-Hans) but does not name it",
		"x@example.org,C,,,,javascript:1,,,,":                `row 2, Website "javascript:1": not the address of a web site`,
		"x@example.org,C,,,,ftp://x.example,,,,":             `row 2, Website "ftp://x.example": not the address of a web site`,
		"x@example.org,C,,,,,klingonese,,,":                  `row 2, organisation_languages "klingonese": "klingonese" is not a language tag`,
		"x@example.org,C,A,,,,,,,\ny@example.org,c,B,,,,,,,": `row 3, organisation_zh-hans "B": row 2 says "A" of the same organisation`,
		"x@example.org,C,,,,,,a,,\ny@example.org,c,,,,,,b,,": `row 3, organisation_kind "b": row 2 says "a" of the same organisation`,
	} {
		_, err := b.importText(t, b.options(), file[:strings.IndexByte(file, '\n')+1]+row+"\n")
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", row, err)
		}
	}
}

// What spreadsheets make of values is told, not stored.
// Marks of direction that a mail program put around what was copied go; those that spell a name stay.
func TestImportOfCopiedText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "\u202aemail\u202c,name\n\u202aa@example.org\u202c,\u202eAnna \u2067\u0646\u06cc\u200c\u0644\u06cc\n")
	want := []string{"a@example.org Anna \u0646\u06cc\u200c\u0644\u06cc"}
	if diff := cmp.Diff(want, b.query(t, `SELECT email || ' ' || name FROM subscribers.contacts`)); diff != "" {
		t.Error(diff)
	}
}

func TestImportOfSpoiltValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for cell, reason := range map[string]string{
		"8.61E+12": "the spreadsheet has spoilt this value", "1,0E+05": "the spreadsheet has spoilt this value", "-3E-7": "the spreadsheet has spoilt this value",
		"#NAME?": "the spreadsheet has spoilt", "#N/A": "the spreadsheet has spoilt", "#REF!": "the spreadsheet has spoilt", "########": "the spreadsheet has spoilt",
		"Ren\ufffd": "letters of it are lost",
	} {
		_, err := b.importText(t, b.options(), "email,phone\na@example.org,\""+cell+"\"\n")
		if err == nil || !strings.Contains(err.Error(), "row 2, phone ") || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", cell, err)
		}
	}
	b.mustImport(t, b.options(), "email,a,b,c,d,e\na@example.org,1E,E+05,#1,“smart”,\u00a0\u00a0x\u00a0y\u3000\n")
	got := b.query(t, `SELECT attributes::text FROM subscribers.contacts`)
	if diff := cmp.Diff([]string{`{"a": "1E", "b": "E+05", "c": "#1", "d": "“smart”", "e": "x y"}`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestImportOfGBK(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file, err := simplifiedchinese.GBK.NewEncoder().String("邮箱;姓;名;单位;语言;频率\r\nwang@example.org;王;伟;北京科学中心;zh-Hans、en;每周\r\n")
	if err != nil {
		t.Fatal(err)
	}
	o := b.options()
	var opened subscribers.ImportedFile
	o.Opened = func(f subscribers.ImportedFile) { opened = f }
	b.mustImport(t, o, file)
	got := b.query(t, state)
	if len(got) != 1 || !strings.HasPrefix(got[0], "wang@example.org | 王伟 | {zh-Hans,en} | {zh-Hans,en-Latn} |  | {} | 北京科学中心  | partners active weekly {} 1") {
		t.Errorf("%q", got)
	}
	if opened.Encoding != "gb18030" || opened.Comma != ';' || len(opened.Columns) != 6 || opened.Columns[0] != (subscribers.Column{Header: "邮箱", As: "email"}) {
		t.Errorf("%+v", opened)
	}
	o.Encoding = "latin-9000"
	if _, err := b.importText(t, o, file); errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), `"latin-9000" is no encoding`) {
		t.Error(err)
	}
}

// memoryFile is a file for refused rows.
type memoryFile struct {
	bytes.Buffer
	closed bool
}

func (f *memoryFile) open() (io.WriteCloser, error) { f.Reset(); return f, nil }
func (f *memoryFile) Close() error                  { f.closed = true; return nil }

// Each row is told of in its order, and the refused ones are written so that, mended, they can be imported.
func TestImportTellsOfEachRow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,name,rhythm\nsame@example.org,Same,\nnew@example.org,Old,daily\nleft@example.org,Left,\nbounced@example.org,,\n")
	b.unsubscribe(t, fmt.Sprint(b.subscriptionOf(t, "partners", "left@example.org")))
	if _, err := subscribers.Suppress(t.Context(), b.db, "bounced@example.org", subscribers.HardBounce, "", b.now); err != nil {
		t.Fatal(err)
	}
	const file = "email;name;rhythm;phone;organisation\r\n" +
		"added@example.org;Added;;=\"+39 06\";\r\n" +
		"same@example.org;Same;;;\r\n" +
		"new@example.org;New;weekly;1;Centre\r\n" +
		"\r\n" +
		"left@example.org;Left;;;\r\n" +
		"bounced@example.org;;;;\r\n" +
		"ADDED@example.org;;daily;;Centre\r\n" +
		"broken;\"=cmd()\";hourly;;\r\n" +
		"added@example.org;Other;;;\r\n" +
		"x@example.org;too;;many;cells;here\r\n"
	o, refused := b.options(), &memoryFile{}
	o.KeepGoing, o.Refused, o.DryRun = true, refused.open, true
	var rows []subscribers.ImportedRow
	o.Each = func(r subscribers.ImportedRow) error { rows = append(rows, r); return nil }
	for range 2 { // a dry run tells the same
		rows = nil
		b.mustImport(t, o, file)
		want := []subscribers.ImportedRow{
			{Row: 2, Outcome: "added", Email: "added@example.org", State: subscribers.Active},
			{Row: 3, Outcome: "unchanged", Email: "same@example.org", State: subscribers.Active},
			{Row: 4, Outcome: "changed", Email: "new@example.org", Changes: []string{"name", "organisation", "phone", "rhythm"}, State: subscribers.Active},
			{Row: 6, Outcome: "unchanged", Email: "left@example.org", State: subscribers.Unsubscribed},
			{Row: 7, Outcome: "unchanged", Email: "bounced@example.org", State: subscribers.Active, Suppressed: true},
			{Row: 8, Outcome: "joined", Email: "added@example.org", With: 2},
			{Row: 9, Outcome: "refused", Refusals: []subscribers.Refusal{
				{Row: 9, Field: "email", Value: "broken", Reason: "no @ sign"},
				{Row: 9, Field: "rhythm", Value: "hourly", Reason: "not offered by the list partners; it offers: immediate, daily, weekly, monthly"},
			}},
			{Row: 10, Outcome: "refused", Refusals: []subscribers.Refusal{
				{Row: 10, Field: "name", Value: "Other", Reason: `row 2 says "Added" of the same address`},
			}},
			{Row: 11, Outcome: "refused", Refusals: []subscribers.Refusal{
				{Row: 11, Reason: "6 cells where the header names 5 columns; a text with a comma in it must stand in quotation marks"},
			}},
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Fatal(diff)
		}
		o.DryRun = false
	}
	wantFile := "\ufeffemail;name;rhythm;phone;organisation;refused row;refused because\r\n" +
		"broken;'=cmd();hourly;;;9;\"email \"\"broken\"\": no @ sign; rhythm \"\"hourly\"\": not offered by the list partners; it offers: immediate, daily, weekly, monthly\"\r\n" +
		"added@example.org;Other;;;;10;\"name \"\"Other\"\": row 2 says \"\"Added\"\" of the same address\"\r\n" +
		"x@example.org;too;;many;cells;11;\"6 cells where the header names 5 columns; a text with a comma in it must stand in quotation marks\";here\r\n"
	if diff := cmp.Diff(wantFile, refused.String()); diff != "" || !refused.closed {
		t.Errorf("%s", diff)
	}
	mended := strings.NewReplacer("broken", "mended@example.org", "hourly", "daily", ";Other", ";Added").Replace(refused.String())
	mended = mended[:strings.LastIndex(mended, "x@example.org")]
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 1, Unchanged: 1}, b.mustImport(t, b.options(), mended)); diff != "" {
		t.Error(diff)
	}
	kept := b.query(t, `SELECT name || attributes::text FROM subscribers.contacts WHERE email = 'mended@example.org'`)
	if diff := cmp.Diff([]string{"=cmd(){}"}, kept); diff != "" {
		t.Error(diff)
	}
}

// Without keeping going, nothing is written when rows are refused, but all of them are told; and a file for them that cannot be made keeps the rest out.
func TestImportTellsOfRefusedRowsAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows []int
	o := b.options()
	o.Each = func(r subscribers.ImportedRow) error { rows = append(rows, r.Row); return nil }
	o.Refused = func() (io.WriteCloser, error) { return nil, errs.New(errs.Invalid, "no room") }
	file := "email\n" + strings.Repeat("bad\n", 150) + "a@example.org\n"
	got, err := b.importText(t, o, file)
	if err == nil || got.Refused != 150 || len(got.Refusals) != 100 || len(rows) != 150 || !slices.IsSorted(rows) {
		t.Errorf("%d refused, %d refusals, %d rows, %v", got.Refused, len(got.Refusals), len(rows), err)
	}
	o.KeepGoing = true
	if _, err := b.importText(t, o, file); err == nil || err.Error() != "no room" {
		t.Error(err)
	}
	o.Refused = nil
	o.Each = func(subscribers.ImportedRow) error { return errors.New("no paper") }
	if _, err := b.importText(t, o, file); err == nil || !strings.Contains(err.Error(), "no paper") {
		t.Error(err)
	}
	if got := b.query(t, state); len(got) != 0 {
		t.Errorf("written: %q", got)
	}
}

// Whoever is confined to some lists changes nobody of another one: such a person gets a subscription and stays as they are, as do organisations that are known.
func TestImportWithinOwnLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,name,organisation,country,languages\noffice@centre.example,Front Office,Science Centre,IT,it\nown@centre.example,Own,,,it\n")
	own := subscribers.NewList("own")
	if _, err := subscribers.DeclareList(t.Context(), b.db, own); err != nil {
		t.Fatal(err)
	}
	own, err := subscribers.ListBySlug(t.Context(), b.db, "own")
	if err != nil {
		t.Fatal(err)
	}
	o := b.options()
	o.List, o.Within = "own", []int64{own.ID}
	got := b.mustImport(t, o, "email,name,organisation,country,languages,role\n"+
		"office@centre.example,Taken Over,Other,CH,en,spy\nnew@centre.example,New,Science Centre,CH,en,press\n")
	if got.Imported != 2 || got.Refused != 0 {
		t.Errorf("%+v", got)
	}
	office, err := subscribers.ContactByEmail(t.Context(), b.db, "office@centre.example")
	if err != nil || office.Name != "Front Office" || fmt.Sprint(office.Languages) != "[it]" || len(office.Attributes) != 0 {
		t.Errorf("%+v, %v", office, err)
	}
	if centre, err := subscribers.OrganisationByName(t.Context(), b.db, "Science Centre"); err != nil || centre.Country != "IT" {
		t.Errorf("%+v, %v", centre, err)
	}
	if _, err := subscribers.OrganisationByName(t.Context(), b.db, "Other"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("an organisation of somebody else's: %v", err)
	}
	if fresh, err := subscribers.ContactByEmail(t.Context(), b.db, "new@centre.example"); err != nil || fresh.Name != "New" || fresh.Attributes["role"] != "press" {
		t.Errorf("%+v, %v", fresh, err)
	}
}
