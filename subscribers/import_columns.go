package subscribers

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/subscribers/sheet"
)

// field is what a column of an imported table can speak of.
type field string

// The fields.
const (
	fieldEmail        field = "email"
	fieldName         field = "name"
	fieldFirstName    field = "first_name"
	fieldMiddleName   field = "middle_name"
	fieldLastName     field = "last_name"
	fieldLanguages    field = "languages"
	fieldTimeZone     field = "time_zone"
	fieldDeliveryHour field = "delivery_hour"
	fieldRhythm       field = "rhythm"
	fieldTopics       field = "topics"
	fieldStatus       field = "status"
	fieldStates       field = "subscriptions"
	fieldUnsubscribed field = "unsubscribed"
	fieldBounced      field = "bounced"
	fieldOptedIn      field = "opted_in"
	fieldConfirmed    field = "confirmed"
	fieldAttributes   field = "attributes"
	fieldOrganisation field = "organisation"
	fieldCountry      field = "country"
	fieldWebSite      field = "web_site"
	fieldOrgLanguages field = "organisation_languages"
	fieldOrgKind      field = "organisation_kind"
	fieldOrgNotes     field = "organisation_notes"
	fieldOrgTags      field = "organisation_tags"
	fieldOrgName      field = "organisation_" // and a language: what the organisation is called in it
	fieldAttribute    field = "attribute:"    // and a name: whatever else is said
	fieldNothing      field = "-"
)

// fieldWords are the names by which the columns of a field are known, parted by "|".
type fieldWords struct {
	field field
	words string
}

// columnWords hold the names in English, Chinese, French, German, Italian, Spanish and Russian, in small letters and without the marks between
// words: see columnKey. What languages share stands where it comes first.
var columnWords = []fieldWords{
	{fieldEmail, "email|e mail|mail|email address|e mail address|mail address|" +
		"邮箱|电子邮件|电子邮箱|邮件|邮箱地址|邮件地址|电子邮件地址|电邮|电子信箱|" +
		"courriel|adresse email|adresse e mail|adresse mail|adresse électronique|adresse de courriel|mél|" +
		"emailadresse|mailadresse|e mail adresse|email adresse|" +
		"indirizzo email|indirizzo e mail|posta elettronica|indirizzo di posta elettronica|" +
		"correo|correo electrónico|dirección de correo|dirección de correo electrónico|dirección de email|" +
		"эл почта|электронная почта|почта|адрес эл почты|адрес электронной почты|email адрес|e mail адрес|имейл"},
	{fieldName, "name|full name|contact name|contact person|" +
		"姓名|名字|联系人|联系人姓名|" +
		"nom|nom complet|nom et prénom|prénom et nom|nom du contact|personne de contact|" +
		"vollständiger name|vor und nachname|ansprechpartner|ansprechpartnerin|kontaktperson|" +
		"nome|nome completo|nome e cognome|cognome e nome|nominativo|referente|" +
		"nombre|nombre completo|nombre y apellidos|persona de contacto|" +
		"имя|полное имя|имя и фамилия|фамилия и имя|фио|ф и о|контактное лицо"},
	{fieldFirstName, "first name|firstname|given name|forename|名|prénom|vorname|nome di battesimo|nombre de pila"},
	{fieldMiddleName, "middle name|deuxième prénom|zweiter vorname|secondo nome|segundo nombre|отчество"},
	{fieldLastName, "last name|lastname|surname|family name|姓|姓氏|nom de famille|nachname|familienname|zuname|cognome|apellido|apellidos|фамилия"},
	{fieldLanguages, "languages|language|lang|preferred language|preferred languages|语言|语种|langue|langues|sprache|sprachen|" +
		"lingua|lingue|idioma|idiomas|lengua|lenguas|язык|языки"},
	{fieldTimeZone, "time zone|timezone|时区|fuseau horaire|zeitzone|fuso orario|zona horaria|huso horario|часовой пояс"},
	{fieldDeliveryHour, "delivery hour|hour|发送时间|heure|heure d'envoi|uhrzeit|versandzeit|ora|ora di invio|hora|hora de envio|час|час отправки|время отправки"},
	{fieldRhythm, "rhythm|frequency|频率|发送频率|fréquence|rythme|rhythmus|häufigkeit|turnus|frequenza|ritmo|cadenza|frecuencia|частота|периодичность"},
	{fieldTopics, "topics|topic|interests|主题|栏目|thèmes|rubriques|sujets|themen|rubriken|temi|argomenti|rubriche|temas|темы|рубрики"},
	{fieldStatus, "status|subscription status|email status|状态|订阅状态|statut|stato|estado|статус"},
	{fieldStates, stateColumn + "|" + statesColumn}, // of our own exports
	{fieldUnsubscribed, "unsubscribed|unsubscribed at|unsubscribed on|unsub time|unsubscribe date|opted out|opt out|opt out time|optout|退订|退订时间|" +
		"désabonné|désinscrit|date de désabonnement|date de désinscription|abgemeldet|abgemeldet am|abmeldung|" +
		"disiscritto|data di disiscrizione|de baja|fecha de baja|отписан|дата отписки"},
	{fieldBounced, "bounced|bounced at|hard bounce|hard bounced|clean time|退信|退信时间"},
	{fieldOptedIn, "opted in|opted in at|opt in|opt in time|opt in date|optin time|consent date|date of consent|同意时间|同意日期|订阅时间|" +
		"date de consentement|date du consentement|einwilligung|einwilligung am|datum der einwilligung|" +
		"data del consenso|fecha de consentimiento|fecha del consentimiento|дата согласия"},
	{fieldConfirmed, "confirmed|confirmed at|confirm time|confirmation date|确认时间|confirmé le|bestätigt am|data di conferma|fecha de confirmación|дата подтверждения"},
	{fieldOrganisation, "organisation|organization|organisation name|organization name|company|company name|institution|partner|partner organisation|" +
		"单位|机构|组织|公司|单位名称|机构名称|组织名称|公司名称|合作单位|合作伙伴|" +
		"organisme|entreprise|société|établissement|partenaire|firma|unternehmen|einrichtung|" +
		"organizzazione|ente|azienda|società|istituzione|organización|empresa|institución|entidad|" +
		"организация|название организации|компания|учреждение|партнёр"},
	{fieldCountry, "country|country code|国家|国别|国家代码|国家地区|pays|code pays|land|ländercode|paese|nazione|codice paese|país|código de país|страна|код страны"},
	{fieldWebSite, "web site|website|homepage|home page|网站|网址|主页|官网|site web|site internet|webseite|internetseite|" +
		"sito|sito web|sito internet|sitio web|página web|сайт|веб сайт"},
	{fieldOrgLanguages, "organisation languages|organisation language|organization languages|organization language|机构语言|langues de l'organisme|" +
		"sprachen der einrichtung|lingue dell'organizzazione|idiomas de la organización|языки организации"},
	{fieldOrgKind, "organisation kind|organisation type|organization kind|organization type|kind of organisation|type of organisation|type of organization|" +
		"机构类型|单位类型|type d'organisme|art der einrichtung|tipo di organizzazione|tipo di ente|tipo de organización|тип организации"},
	{fieldOrgNotes, "organisation notes|organization notes|机构备注|notes sur l'organisme|notizen zur einrichtung|note sull'organizzazione|" +
		"notas de la organización|заметки об организации"},
	{fieldOrgTags, "organisation tags|organization tags|机构标签|étiquettes de l'organisme|schlagwörter der einrichtung|etichette dell'organizzazione|" +
		"etiquetas de la organización|метки организации"},
	{fieldNothing, "refused row|refused because"}, // of the file that refused rows are written to
}

// halfNames are columns that hold a whole name when they are alone, and beside one half of a name the other half: Nom beside Prénom, Name
// beside Vorname, Nome beside Cognome.
var halfNames = []string{"name", "名字", "nom", "nome", "nombre", "имя"}

// program is another program whose exports are known by their columns.
type program struct {
	name  string
	marks string // columns that no other file has together
	// What its columns are, where they are not known by their names alone, "field: words". What it guessed (where somebody was, how much they
	// read) is left out.
	columns []string
}

var programs = []program{
	{
		name: "Mailchimp", marks: "member rating|optin time|euid",
		columns: []string{
			"opted_in:optin time", "confirmed:confirm time", "time_zone:timezone", "unsubscribed:unsub time", "bounced:clean time",
			"-:member rating|optin ip|confirm ip|latitude|longitude|gmtoff|dstoff|cc|region|last changed|leid|euid|unsub campaign title|" +
				"unsub campaign id|unsub reason|unsub reason other|clean campaign title|clean campaign id",
		},
	},
	{
		name: "listmonk", marks: "uuid|email|name|attributes|status",
		columns: []string{"attributes:attributes", "status:status", "-:uuid|created at|updated at"},
	},
}

// column is what a column of the file is taken for.
type column struct {
	header string // as the file writes it
	field  field
	name   string // of an attribute, or what a status that is none is kept under; the language of an organisation's name
	sure   bool   // somebody said so, or a program wrote it: what does not fit in it is refused
}

// place is where the column's cells go: fields that differ in it do not get in each other's way.
func (c column) place() string {
	if c.field == fieldAttribute || c.field == fieldOrgName {
		return string(c.field) + c.name
	}
	return string(c.field)
}

// knownColumns gives the field for each of columnWords.
var knownColumns = func() map[string]field {
	known := map[string]field{}
	for _, column := range columnWords {
		for word := range strings.SplitSeq(column.words, "|") {
			known[columnKey(word)] = column.field
		}
	}
	return known
}()

// columnKey is what makes two names of columns one: letters without marks and case, words parted by single spaces.
func columnKey(header string) string {
	bare := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), norm.NFC)
	text, _, err := transform.String(bare, header)
	if err != nil {
		text = header
	}
	return tidy(strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_./:()*#|", r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(text, "’", "'")))
}

// ColumnMap says what columns are that are not known by their names, or not for what they are.
type ColumnMap []MappedColumn

// MappedColumn is a column and its meaning: the name of a field, organisation_ and a language, attribute: and a name, or "-" to leave it out.
type MappedColumn struct{ Column, As string }

// ParseColumnMap reads "Their column=email,Another=-". Commas and equals signs may stand in the names of columns.
func ParseColumnMap(text string) (m ColumnMap, err error) {
	before := ""
	for piece := range strings.SplitSeq(text, ",") {
		piece = before + piece
		at := strings.LastIndexByte(piece, '=')
		if at < 0 {
			before = piece + ","
			continue
		}
		before = ""
		mapped := MappedColumn{tidy(piece[:at]), tidy(piece[at+1:])}
		if _, err := mapped.column(); err != nil {
			return nil, err
		}
		m = append(m, mapped)
	}
	if before != "" || len(m) == 0 {
		return nil, errs.New(errs.Invalid, `%q does not say what a column is, such as "Their column=email" or "Their column=-"`, text)
	}
	return m, nil
}

// column reads the meaning.
func (m MappedColumn) column() (column, error) {
	c := column{header: m.Column, field: field(m.As), sure: true}
	if name, ok := strings.CutPrefix(m.As, string(fieldAttribute)); ok && tidy(name) != "" {
		c.field, c.name = fieldAttribute, tidy(name)
		return c, checkText(c.name, maxName)
	}
	known := c.field == fieldAttributes || slices.ContainsFunc(columnWords, func(one fieldWords) bool { return one.field == c.field })
	if tag, ok := strings.CutPrefix(m.As, string(fieldOrgName)); ok && !known {
		if tag, err := language.Parse(tag); err == nil {
			c.field, c.name = fieldOrgName, tag
			return c, nil
		}
	}
	if !known {
		return c, errs.New(errs.Invalid, `a column cannot be %q; it can be %s, organisation_zh-Hans (or another language), attribute:phone `+
			`(or another name), or - to be left out`, m.As, strings.Join(fieldNames(), ", "))
	}
	return c, nil
}

func fieldNames() (names []string) {
	for _, one := range columnWords {
		if one.field != fieldNothing {
			names = append(names, string(one.field))
		}
	}
	return names
}

func (m ColumnMap) knows(header string) bool {
	return slices.ContainsFunc(m, func(one MappedColumn) bool { return columnKey(one.Column) == columnKey(header) })
}

// isKnownColumn reports whether a column is known by its name.
func isKnownColumn(header string) bool {
	_, known := knownColumns[columnKey(header)]
	return known
}

// findColumns decides what the columns of a file are: what was said of them, else what the program that wrote it means by them, else what
// their names say. The rest are attributes.
func findColumns(s *sheet.Sheet, said ColumnMap) (columns []column, by string, err error) {
	if err := checkHeaders(s); err != nil {
		return nil, "", err
	}
	if err := said.check(s.Columns); err != nil {
		return nil, "", err
	}
	from := programOf(s.Columns)
	for _, header := range s.Columns {
		columns = append(columns, findColumn(header, said, from))
	}
	completeNames(columns)
	if err := checkPlaces(s.Header, columns); err != nil {
		return nil, "", err
	}
	if from != nil {
		by = from.name
	}
	return columns, by, nil
}

func findColumn(header string, said ColumnMap, from *program) column {
	key := columnKey(header)
	for _, one := range said {
		if columnKey(one.Column) == key {
			c, _ := one.column() // was read before
			c.header = header
			return c
		}
	}
	if from != nil {
		if found, ok := from.field(key); ok {
			return column{header: header, field: found, sure: true}
		}
	}
	if found, ok := knownColumns[key]; ok {
		return column{header: header, field: found, name: strings.ToLower(header)}
	}
	if tag := namedLanguage(key); tag != "" {
		return column{header: header, field: fieldOrgName, name: tag}
	}
	return column{header: header, field: fieldAttribute, name: strings.ToLower(header)}
}

// namedLanguage returns the language of "organisation zh hans". Organisation ID is taken for a number, not for Indonesian.
func namedLanguage(key string) string {
	for _, word := range []string{"organisation ", "organization "} {
		if rest, ok := strings.CutPrefix(key, word); ok && rest != "id" && rest != "no" {
			if tag, err := language.Parse(strings.ReplaceAll(rest, " ", "-")); err == nil {
				return tag
			}
		}
	}
	return ""
}

// programOf returns the program that wrote a file with these columns, nil when none is known.
func programOf(headers []string) *program {
	keys := make([]string, len(headers))
	for i, header := range headers {
		keys[i] = columnKey(header)
	}
	for i := range programs {
		marks := strings.Split(programs[i].marks, "|")
		if !slices.ContainsFunc(marks, func(mark string) bool { return !slices.Contains(keys, mark) }) {
			return &programs[i]
		}
	}
	return nil
}

func (p *program) field(key string) (field, bool) {
	for _, line := range p.columns {
		found, words, _ := strings.Cut(line, ":")
		if slices.Contains(strings.Split(words, "|"), key) {
			return field(found), true
		}
	}
	return "", false
}

// completeNames takes a column that can be a whole name or half of one for the half that is missing.
func completeNames(columns []column) {
	at := func(f field) int { return slices.IndexFunc(columns, func(c column) bool { return c.field == f }) }
	name, first, last := at(fieldName), at(fieldFirstName), at(fieldLastName)
	switch {
	case name < 0 || columns[name].sure || (first < 0) == (last < 0) || !slices.Contains(halfNames, columnKey(columns[name].header)):
	case first < 0:
		columns[name].field = fieldFirstName
	default:
		columns[name].field = fieldLastName
	}
}

func checkHeaders(s *sheet.Sheet) error {
	for i, header := range s.Columns {
		if err := checkText(header, maxName); err != nil {
			return errs.New(errs.Invalid, "row %d, column %d: the name has %w", s.Header, i+1, err)
		}
		same := func(other string) bool { return strings.EqualFold(other, header) }
		if header != "" && slices.ContainsFunc(s.Columns[:i], same) {
			return errs.New(errs.Invalid, "row %d: the column %q is there twice", s.Header, strings.ToLower(header))
		}
	}
	return nil
}

// check refuses what is said of columns that are not there, and what is said twice.
func (m ColumnMap) check(headers []string) error {
	for i, one := range m {
		if m[:i].knows(one.Column) {
			return errs.New(errs.Invalid, "--map says twice what the column %q is", one.Column)
		}
		if !slices.ContainsFunc(headers, ColumnMap{one}.knows) {
			return errs.New(errs.Invalid, "--map: the file has no column %q; the columns are: %s", one.Column, strings.Join(headers, ", "))
		}
	}
	return nil
}

// checkPlaces refuses two columns for one thing, and none for the address.
func checkPlaces(row int, columns []column) error {
	for i, c := range columns {
		for _, before := range columns[:i] {
			if c.place() == before.place() && c.field != fieldNothing && c.header != "" {
				return errs.New(errs.Invalid, `row %d: the columns %q and %q both say the %s; leave one out, such as with --map "%s=-"`,
					row, before.header, c.header, strings.TrimPrefix(c.place(), string(fieldAttribute)), c.header)
			}
		}
	}
	if !slices.ContainsFunc(columns, func(c column) bool { return c.field == fieldEmail }) {
		headers := make([]string, len(columns))
		for i, c := range columns {
			headers[i] = c.header
		}
		return errs.New(errs.Invalid, `row %d names no column "email"; the columns are: %s; if it has another name, say so with --map "NAME=email"`,
			row, strings.Join(headers, ", "))
	}
	return nil
}

// Column tells what a column of a file was taken for.
type Column struct {
	Header string `json:"header"`
	As     string `json:"as"`
}

// String returns it in words: Firma is organisation.
func (c Column) String() string { return fmt.Sprintf("%s is %s", c.Header, c.As) }

func (c column) told() Column {
	as := string(c.field)
	switch c.field {
	case fieldAttribute, fieldOrgName:
		as += c.name
	case fieldNothing:
		as = "left out"
	}
	return Column{Header: c.header, As: as}
}
