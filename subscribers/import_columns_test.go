package subscribers

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/subscribers/sheet"
)

// columnsOf returns what the columns of a header are taken for.
func columnsOf(t *testing.T, header string, said ColumnMap) (found []string, program string, err error) {
	t.Helper()
	s, err := sheet.Open(strings.NewReader(header+"\n"), sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	columns, program, err := findColumns(s, said)
	for _, c := range columns {
		found = append(found, c.told().As)
	}
	return found, program, err
}

func TestFindColumns(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header string
		want   string
	}{
		"English":                  {"E-Mail Address,First Name,Last Name,Organization,Country Code,Preferred languages,Time-Zone", "email,first_name,last_name,organisation,country,languages,time_zone"},
		"Chinese":                  {"电子邮箱,姓名,单位,国家,语言,时区,频率,网站", "email,name,organisation,country,languages,time_zone,rhythm,web_site"},
		"French":                   {"Adresse électronique,Nom,Prénom,Établissement,Pays,Langue,Fuseau horaire,Fréquence", "email,last_name,first_name,organisation,country,languages,time_zone,rhythm"},
		"German":                   {"E-Mail-Adresse,Name,Vorname,Einrichtung,Land,Sprache,Zeitzone,Häufigkeit,Themen", "email,last_name,first_name,organisation,country,languages,time_zone,rhythm,topics"},
		"Italian":                  {"Indirizzo e-mail,Nome,Cognome,Ente,Paese,Lingua,Fuso orario,Frequenza", "email,first_name,last_name,organisation,country,languages,time_zone,rhythm"},
		"Spanish":                  {"Correo electrónico,Nombre,Apellidos,Institución,País,Idioma,Zona horaria,Frecuencia", "email,first_name,last_name,organisation,country,languages,time_zone,rhythm"},
		"Russian":                  {"Эл. почта,Имя,Отчество,Фамилия,Учреждение,Страна,Язык,Часовой пояс,Сайт", "email,first_name,middle_name,last_name,organisation,country,languages,time_zone,web_site"},
		"no marks":                 {"CORREO ELECTRONICO,Prenom,nom de famille", "email,first_name,last_name"},
		"a whole name alone":       {"email,Nom", "email,name"},
		"a whole name and halves":  {"email,Name,First name,Last name", "email,name,first_name,last_name"},
		"a name and its last half": {"email,nome,cognome", "email,first_name,last_name"},
		"names of organisations":   {"email,organisation,organisation_zh-Hans,Organization (fr),organisation_id", "email,organisation,organisation_zh-Hans,organisation_fr,attribute:organisation_id"},
		"organisations' own":       {"email,organisation kind,机构类型x,Organisation Tags", "email,organisation_kind,attribute:机构类型x,organisation_tags"},
		"attributes":               {"email,Kind,Phone  Number", "email,attribute:kind,attribute:phone number"},
		"refused rows":             {"email,refused row,refused because", "email,left out,left out"},
		"an export":                {"email,subscription", "email,subscriptions"},
		"status":                   {"email,State,Stato,Unsubscribed", "email,attribute:state,status,unsubscribed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, program, err := columnsOf(t, tt.header, nil)
			if err != nil || program != "" {
				t.Fatal(program, err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ",")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProgramsAreKnownByTheirColumns(t *testing.T) {
	t.Parallel()
	const tail = ",LEID,EUID,NOTES,TAGS"
	const head = "Email Address,First Name,Last Name,Address,Phone Number,Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP," +
		"LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION"
	const want = "email,first_name,last_name,attribute:address,attribute:phone number,attribute:birthday,left out,opted_in,left out,confirmed,left out," +
		"left out,left out,left out,left out,time_zone,left out,left out"
	const wantTail = ",left out,left out,attribute:notes,attribute:tags"
	for name, tt := range map[string]struct{ header, program, want string }{
		"subscribed":   {head + ",LAST_CHANGED" + tail, "Mailchimp", want + ",left out" + wantTail},
		"unsubscribed": {head + ",UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER" + tail, "Mailchimp", want + ",unsubscribed,left out,left out,left out,left out" + wantTail},
		"cleaned":      {head + ",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID" + tail, "Mailchimp", want + ",bounced,left out,left out" + wantTail},
		"listmonk":     {"uuid,email,name,attributes,status,created_at,updated_at", "listmonk", "left out,email,name,attributes,status,left out,left out"},
		"neither":      {"uuid,email,name,status,timezone,cc", "", "attribute:uuid,email,name,status,time_zone,attribute:cc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, program, err := columnsOf(t, tt.header, nil)
			if err != nil || program != tt.program {
				t.Fatal(program, err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ",")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestColumnMap(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ header, said, want string }{
		"said":               {"Adresse,Nom,Kind", "adresse=email", "email,name,attribute:kind"},
		"left out":           {"email,Notes", "notes=-", "email,left out"},
		"against the name":   {"email,E-Mail,Country", "E-Mail=attribute:second address,Country=organisation_kind", "email,attribute:second address,organisation_kind"},
		"commas and equals":  {"\"City, Country\",a=b,email", "City, Country=country,a=b=name", "country,name,email"},
		"whole, not half":    {"email,Name,Vorname", "Name=name,Vorname=-", "email,name,left out"},
		"against a program":  {"uuid,email,name,attributes,status", "status=attribute:status,uuid=attribute:uuid", "attribute:uuid,email,name,attributes,attribute:status"},
		"a language":         {"email,organisation,中文名称", "中文名称=organisation_zh-hans", "email,organisation,organisation_zh-Hans"},
		"explicitly a known": {"email,Frequenz", "Frequenz=rhythm", "email,rhythm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := ParseColumnMap(tt.said)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := columnsOf(t, tt.header, said)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ",")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestColumnsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ header, said, want string }{
		"no address":      {"name,phone", "", `row 1 names no column "email"; the columns are: name, phone; if it has another name, say so with --map "NAME=email"`},
		"twice":           {"email,Name,name", "", `row 1: the column "name" is there twice`},
		"two for one":     {"E-Mail,Mail", "", `row 1: the columns "E-Mail" and "Mail" both say the email; leave one out, such as with --map "Mail=-"`},
		"two statuses":    {"email,status,stato", "", `row 1: the columns "status" and "stato" both say the status;`},
		"two attributes":  {"email,a,b", "a=attribute:x,b=attribute:x", `row 1: the columns "a" and "b" both say the x;`},
		"two languages":   {"email,organisation_zh,organisation zh", "", `row 1: the columns "organisation_zh" and "organisation zh" both say the organisation_zh;`},
		"mapped to known": {"email,x", "x=email", `row 1: the columns "email" and "x" both say the email;`},
		"no such column":  {"email", "x=name", `--map: the file has no column "x"; the columns are: email`},
		"said twice":      {"email,x", "x=name,X=-", `--map says twice what the column "X" is`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said ColumnMap
			if tt.said != "" {
				var err error
				if said, err = ParseColumnMap(tt.said); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := columnsOf(t, tt.header, said)
			if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	for text, want := range map[string]string{
		"":                 `"" does not say what a column is`,
		"x":                `"x" does not say what a column is`,
		"x=email,y":        `"x=email,y" does not say what a column is`,
		"x=emial":          `a column cannot be "emial"; it can be email, name,`,
		"x=attribute:":     `a column cannot be "attribute:"`,
		"x=organisation_!": `a column cannot be "organisation_!"`,
		"x=organisation_":  `a column cannot be "organisation_"`,
	} {
		if _, err := ParseColumnMap(text); errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Each word means one thing, and is found as it is written.
func TestWordsMeanOneThing(t *testing.T) {
	t.Parallel()
	meaning := map[string]string{}
	claim := func(word, what string) {
		if before := meaning[columnKey(word)]; before != "" && before != what {
			t.Errorf("%q means %s and %s", word, before, what)
		}
		if columnKey(columnKey(word)) != columnKey(word) || columnKey(word) == "" {
			t.Errorf("%q is known as %q", word, columnKey(word))
		}
		meaning[columnKey(word)] = what
	}
	for _, column := range columnWords {
		for word := range strings.SplitSeq(column.words, "|") {
			claim(word, string(column.field))
		}
	}
	clear(meaning)
	for says, words := range standingWords {
		for word := range strings.SplitSeq(words, "|") {
			claim(word, string(says))
		}
	}
	clear(meaning)
	for rhythm, words := range rhythmWords {
		for word := range strings.SplitSeq(words, "|") {
			claim(word, rhythm)
		}
	}
	clear(meaning)
	for _, word := range yesWords {
		claim(word, "yes")
	}
	for _, word := range noWords {
		claim(word, "no")
	}
}

func TestJoinName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ first, middle, last, languages, want string }{
		{"Anna", "", "Rossi", "it", "Anna Rossi"},
		{"", "", "Rossi", "", "Rossi"},
		{"Anna", "", "", "", "Anna"},
		{"", "", "", "", ""},
		{"Анна", "Петровна", "Иванова", "ru", "Анна Петровна Иванова"},
		{"伟", "", "王", "", "王伟"},
		{"민준", "", "김", "ko", "김민준"},
		{"さくら", "", "田中", "ja", "田中さくら"},
		{"Wei", "", "王", "zh", "Wei 王"},
		{"Wei", "", "Wang", "zh", "Wei Wang"},
		{"János", "", "Nagy", "hu;en", "Nagy János"},
		{"János", "", "Nagy", "en;hu", "János Nagy"},
		{"Anna", "", "Anna Rossi", "", "Anna Rossi"},
		{"Anna", "", "Rossi Anna", "", "Rossi Anna"},
		{"Martin", "", "Martin", "", "Martin Martin"},
	} {
		if got := joinName(tt.first, tt.middle, tt.last, strings.Split(tt.languages, ";")); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// docs/import.md tells of every field and every word.
func TestTheDocumentTellsOfEveryWord(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[[2]string]bool{} // the first cell and the last of each row of its tables
	for line := range strings.Lines(string(content)) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) > 1 {
			told[[2]string{strings.Trim(cells[0], "| `"), strings.TrimSuffix(cells[len(cells)-1], " |")}] = true
		}
	}
	check := func(name, words string) {
		if want := strings.ReplaceAll(words, "|", ", "); !told[[2]string{name, want}] {
			t.Errorf("the document does not tell that %s is known as %s", name, want)
		}
	}
	for _, column := range columnWords {
		if column.field != fieldNothing {
			check(string(column.field), column.words)
		}
	}
	for says, words := range standingWords {
		check(string(says), words)
	}
	for rhythm, words := range rhythmWords {
		check(rhythm, words)
	}
}
