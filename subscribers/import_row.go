package subscribers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/subscribers/sheet"
)

// arrival is what one row says, in canonical form. What is empty was not said.
type arrival struct {
	row          int
	email        string
	key          string // of the address, "" when that is refused
	hash         []byte // see addressHash
	name         string
	languages    []string
	languageKeys []string
	timeZone     string
	deliveryHour string
	rhythm       string
	topics       []string
	attributes   database.StringMap
	organisation string
	orgKey       string
	about        database.StringMap // the organisation: by country, web_site, languages, kind, notes, tags; "name zh-Hans" for its names
	says         standing
	evidence     []string // of what it says: when they opted in, when they left
	refusals     []Refusal
}

// rowReader reads rows. It is for one goroutine: what it has read before, it remembers.
type rowReader struct {
	columns   []column
	list      *List
	mac       hash.Hash
	languages map[string]tags
	zones     map[string]error
	keys      map[string]string // of organisations
	words     map[string]string // columnKey of cells
}

// tags are languages with what they are compared by.
type tags struct {
	canonical, keys []string
	err             error
}

func newRowReader(columns []column, list *List, secret []byte) *rowReader {
	return &rowReader{
		columns: columns, list: list, mac: hmac.New(sha256.New, secret),
		languages: map[string]tags{}, zones: map[string]error{}, keys: map[string]string{}, words: map[string]string{},
	}
}

// remembered bounds what a rowReader remembers of each kind.
const remembered = 1000

// remember returns what find says of a cell, which it is asked once.
func remember[T any](known map[string]T, cell string, find func(string) T) T {
	found, ok := known[cell]
	if !ok {
		if len(known) >= remembered {
			clear(known)
		}
		found = find(cell)
		known[cell] = found
	}
	return found
}

// read reads a row and checks it for itself.
func (r *rowReader) read(given sheet.Row) *arrival {
	a := &arrival{row: given.Number}
	if len(given.Cells) != len(r.columns) {
		a.refuse("", "", "%d cells where the header names %d columns; a text with a comma in it must stand in quotation marks",
			len(given.Cells), len(r.columns))
		return a
	}
	said := cells{}
	for i, c := range r.columns {
		if err := r.readCell(a, said, c, given.Cells[i]); err != nil {
			a.refuse(c.label(i), shown(given.Cells[i]), "%v", err)
		}
	}
	if a.name == "" {
		a.name = joinName(said[fieldFirstName], said[fieldMiddleName], said[fieldLastName], a.languages)
	}
	r.placeOrganisation(a, said)
	return a
}

// label is what a column is called when something in it is refused.
func (c column) label(i int) string {
	if c.header == "" {
		return fmt.Sprintf("column %d", i+1)
	}
	return c.header
}

// shown returns a cell as a refusal shows it.
func shown(cell string) string {
	const most = 100
	if cell = tidy(cell); len(cell) > most*4 {
		return string([]rune(cell)[:most])
	}
	return cell
}

// cells are what the parts of a row say that are put together only when the whole row is read.
type cells map[field]string

// readCell checks a cell and puts what it says into its place. The error is the reason alone.
func (r *rowReader) readCell(a *arrival, said cells, c column, cell string) error {
	if c.field == fieldNothing {
		return nil
	}
	cell = tidy(cell)
	switch {
	case c.field == fieldEmail:
		return r.readEmail(a, cell)
	case cell == "":
		return c.checkEmpty()
	}
	if err := checkSpoilt(cell); err != nil {
		return err
	}
	if place := texts[c.field]; place != nil {
		return place(r, a, said, c, cell)
	}
	return fmt.Errorf("the column %s is not read", c.field)
}

// checkEmpty refuses an empty cell in a file of those who left: whether they did is the one thing that must be said.
func (c column) checkEmpty() error {
	if c.sure && (c.field == fieldUnsubscribed || c.field == fieldBounced) {
		return errs.New(errs.Invalid, "empty, in a file of people who are no longer subscribed: import those who are from a file without this column")
	}
	return nil
}

func (r *rowReader) readEmail(a *arrival, cell string) error {
	address, err := ParseAddress(cell)
	if err != nil {
		return err
	}
	a.email, a.key = address.Given, address.Key
	r.mac.Reset()
	r.mac.Write([]byte(a.key))
	a.hash = r.mac.Sum(nil)
	return nil
}

// texts say for each field what its cells must be and where they go. It is filled here because its functions differ in nothing else.
var texts = map[field]func(r *rowReader, a *arrival, said cells, c column, cell string) error{
	fieldName: func(_ *rowReader, a *arrival, _ cells, _ column, cell string) error {
		a.name = cell
		return checkText(cell, maxName)
	},
	fieldFirstName:  keepLine,
	fieldMiddleName: keepLine,
	fieldLastName:   keepLine,
	fieldLanguages: func(r *rowReader, a *arrival, _ cells, _ column, cell string) error {
		found := r.parseLanguages(cell)
		a.languages, a.languageKeys = found.canonical, found.keys
		return found.err
	},
	fieldTimeZone: func(r *rowReader, a *arrival, _ cells, _ column, cell string) error {
		a.timeZone = cell
		return remember(r.zones, cell, checkTimeZone)
	},
	fieldDeliveryHour: func(_ *rowReader, a *arrival, _ cells, _ column, cell string) (err error) {
		a.deliveryHour, err = parseHour(cell)
		return err
	},
	fieldRhythm: func(r *rowReader, a *arrival, _ cells, _ column, cell string) error {
		a.rhythm = rhythms[remember(r.words, cell, columnKey)]
		if !slices.Contains(r.list.Rhythms, a.rhythm) {
			return errs.New(errs.Invalid, "not offered by the list %s; it offers: %s", r.list.Slug, strings.Join(r.list.Rhythms, ", "))
		}
		return nil
	},
	fieldTopics: func(_ *rowReader, a *arrival, _ cells, _ column, cell string) error {
		a.topics = splitCell(cell)
		return checkText(cell, maxText)
	},
	fieldStatus: func(r *rowReader, a *arrival, _ cells, c column, cell string) error {
		return r.readStatus(a, c, cell, cell)
	},
	fieldStates: func(r *rowReader, a *arrival, _ cells, c column, cell string) error {
		for _, entry := range splitCell(cell) {
			slug, word, ofList := strings.Cut(entry, ":")
			switch {
			case !ofList:
				word = entry
			case tidy(slug) != r.list.Slug:
				continue
			}
			if err := r.readStatus(a, c, word, cell); err != nil {
				return err
			}
		}
		return nil
	},
	fieldUnsubscribed: happened(saysUnsubscribed),
	fieldBounced:      happened(saysBounced),
	fieldOptedIn:      when("opted in"),
	fieldConfirmed:    when("confirmed"),
	fieldAttributes: func(_ *rowReader, a *arrival, _ cells, _ column, cell string) error {
		return a.readAttributes(cell)
	},
	fieldAttribute: func(_ *rowReader, a *arrival, _ cells, c column, cell string) error {
		if c.name == "" {
			return errs.New(errs.Invalid, "the header gives this column no name")
		}
		a.attribute(c.name, cell)
		return checkText(cell, maxText)
	},
	fieldOrganisation: func(r *rowReader, a *arrival, _ cells, _ column, cell string) error {
		a.organisation, a.orgKey = cell, remember(r.keys, cell, organisationKey)
		return checkOrganisation(cell, a.orgKey)
	},
	fieldCountry: func(_ *rowReader, _ *arrival, said cells, _ column, cell string) (err error) {
		said[fieldCountry], err = parseCountry(cell)
		return err
	},
	fieldWebSite: func(_ *rowReader, _ *arrival, said cells, _ column, cell string) (err error) {
		said[fieldWebSite], err = parseWebSite(cell)
		return err
	},
	fieldOrgLanguages: func(r *rowReader, _ *arrival, said cells, _ column, cell string) error {
		found := r.parseLanguages(cell)
		said[fieldOrgLanguages] = strings.Join(found.canonical, ";")
		return found.err
	},
	fieldOrgKind:  keepLine,
	fieldOrgNotes: keepText,
	fieldOrgTags: func(_ *rowReader, _ *arrival, said cells, _ column, cell string) error {
		said[fieldOrgTags] = strings.Join(splitCell(cell), ";")
		return checkText(cell, maxText)
	},
	fieldOrgName: func(_ *rowReader, a *arrival, _ cells, c column, cell string) error {
		a.tell("name "+c.name, cell)
		return checkText(cell, maxName)
	},
}

// readStatus reads a word for how somebody stands. Where the column may be about something else, a cell with another word is an attribute.
func (r *rowReader) readStatus(a *arrival, c column, word, cell string) error {
	says, known := standings[remember(r.words, word, columnKey)]
	switch {
	case known:
		a.say(says)
		return nil
	case c.sure:
		return errs.New(errs.Invalid, "not a status that is known: active, pending, unsubscribed, bounced, complained and blocked are")
	}
	a.attribute(c.name, cell)
	return checkText(cell, maxText)
}

func keepLine(_ *rowReader, _ *arrival, said cells, c column, cell string) error {
	said[c.field] = cell
	return checkText(cell, maxName)
}

func keepText(_ *rowReader, _ *arrival, said cells, c column, cell string) error {
	said[c.field] = cell
	return checkText(cell, maxText)
}

// happened reads whether or when somebody left.
func happened(says standing) func(*rowReader, *arrival, cells, column, string) error {
	return func(_ *rowReader, a *arrival, _ cells, _ column, cell string) error {
		at, err := checkHappened(cell)
		if err != nil || at == "" {
			return err
		}
		a.say(says)
		if at != "yes" {
			a.evidence = append(a.evidence, string(says)+" "+at)
		}
		return nil
	}
}

// when reads whether or when somebody agreed. Who did not is mailed only after they do.
func when(what string) func(*rowReader, *arrival, cells, column, string) error {
	return func(_ *rowReader, a *arrival, _ cells, _ column, cell string) error {
		at, err := checkHappened(cell)
		switch {
		case err != nil:
			return err
		case at == "":
			a.say(saysPending)
		case at == "yes":
			a.evidence = append(a.evidence, what)
		default:
			a.evidence = append(a.evidence, what+" "+at)
		}
		return nil
	}
}

// orgFields are the fields of an organisation, and what about calls them. A row that names none keeps the first two as the person's own.
var orgFields = []struct {
	field  field
	key    string
	orSelf bool
}{
	{fieldCountry, "country", true},
	{fieldWebSite, "web_site", true},
	{fieldOrgLanguages, "languages", false},
	{fieldOrgKind, "kind", false},
	{fieldOrgNotes, "notes", false},
	{fieldOrgTags, "tags", false},
}

// placeOrganisation decides whether what can be said of organisations and people is said of the row's organisation.
func (r *rowReader) placeOrganisation(a *arrival, said cells) {
	for _, one := range orgFields {
		value := said[one.field]
		switch {
		case value == "":
		case a.organisation != "":
			a.tell(one.key, value)
		case one.orSelf:
			a.attribute(r.headerOf(one.field), value)
		default:
			a.tell(one.key, value)
		}
	}
	if a.organisation == "" && len(a.about) > 0 {
		a.refuse("", "", "it speaks of an organisation (%s) but does not name it", strings.Join(slices.Sorted(maps.Keys(a.about)), ", "))
	}
}

// headerOf returns the name of a field's column as an attribute.
func (r *rowReader) headerOf(f field) string {
	i := slices.IndexFunc(r.columns, func(c column) bool { return c.field == f })
	return strings.ToLower(r.columns[i].header)
}

func (a *arrival) refuse(field, value, format string, args ...any) {
	a.refusals = append(a.refusals, Refusal{Row: a.row, Field: field, Value: value, Reason: fmt.Sprintf(format, args...)})
}

func (a *arrival) attribute(name, value string) {
	if a.attributes == nil {
		a.attributes = database.StringMap{}
	}
	a.attributes[name] = value
}

func (a *arrival) tell(key, value string) {
	if a.about == nil {
		a.about = database.StringMap{}
	}
	a.about[key] = value
}

// severity orders what rows say of one subscription.
var severity = []standing{saysNothing, saysActive, saysPending, saysUnsubscribed, saysBounced, saysBlocked, saysComplained}

// say keeps the worse of what the row's cells say.
func (a *arrival) say(says standing) {
	if slices.Index(severity, says) > slices.Index(severity, a.says) {
		a.says = says
	}
}

// readAttributes reads a JSON object of attributes. What in it is neither text, number nor truth is kept as JSON.
func (a *arrival) readAttributes(cell string) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(cell), &values); err != nil {
		return errs.New(errs.Invalid, `not a JSON object such as {"city": "Rome"}`)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, text := strings.ToLower(tidy(key)), string(values[key])
		var inside string
		if json.Unmarshal(values[key], &inside) == nil {
			text = tidy(inside)
		}
		if text == "" || text == "null" || name == "" {
			continue
		}
		if err := checkText(name, maxName); err != nil {
			return errs.New(errs.Invalid, "the name of %.50q: %w", name, err)
		}
		if err := checkText(text, maxText); err != nil {
			return errs.New(errs.Invalid, "%s: %w", name, err)
		}
		a.attribute(name, text)
	}
	return nil
}

// parseLanguages returns the languages of a cell, however they are parted.
func (r *rowReader) parseLanguages(cell string) tags {
	return remember(r.languages, cell, func(cell string) tags {
		canonical, err := parseLanguages(strings.FieldsFunc(cell, func(c rune) bool { return strings.ContainsRune(";,/|、，；", c) }))
		return tags{canonical: canonical, keys: language.Keys(canonical), err: err}
	})
}

// maxKey is the longest key in octets; an entry of an index has room for about 2,700.
const maxKey = 2000

// organisationKey is what makes two names one organisation's: NFKC, without regard to case or the width of spaces.
func organisationKey(name string) string {
	return tidy(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name))))
}

func checkOrganisation(cell, key string) error {
	if key == "" || len(key) > maxKey {
		return errs.New(errs.Invalid, "too long or without a letter")
	}
	return checkText(cell, maxName)
}

// parseWebSite returns the address of a web site; people leave out its scheme. The error is the reason alone.
func parseWebSite(cell string) (string, error) {
	address := cell
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.Contains(strings.Trim(u.Hostname(), "."), ".") || u.User != nil {
		return "", errs.New(errs.Invalid, "not the address of a web site such as https://www.example.org/")
	}
	return address, checkText(address, maxText)
}
