package templates

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"text/template/parse"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	xlanguage "golang.org/x/text/language"
)

// use is how the templates and the code use a message.
type use struct {
	arguments map[string]bool
	plural    bool
}

// Every message is used, every use has its message, and in each language a message shows what it is given and nothing else.
func TestMessagesMatchTheirUses(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	uses := usesInCode(t)
	for _, tree := range trees(set.voices[reference]) {
		usesInTree(t, tree, uses)
	}
	for _, key := range slices.Concat(monthKeys, weekdayKeys) {
		uses[key] = &use{}
	}
	for _, tag := range set.tags {
		counts := countsOfForms(t, tag)
		messages := set.voices[tag].words.messages
		for key := range messages {
			if uses[key] == nil {
				t.Errorf("%s: message %s is never used", tag, key)
			}
		}
		for key, u := range uses {
			if m := messages[key]; m == nil {
				t.Errorf("%s: message %s is missing", tag, key)
			} else {
				checkMessage(t, tag, m, u)
				checkForms(t, tag, m, u, counts)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`{{([^}]*)}}`)

// forms returns the plural forms that a message has, by their names.
func forms(m *i18n.Message) map[string]string {
	all := map[string]string{"zero": m.Zero, "one": m.One, "two": m.Two, "few": m.Few, "many": m.Many, "other": m.Other}
	maps.DeleteFunc(all, func(_, form string) bool { return form == "" })
	return all
}

func checkMessage(t *testing.T, tag string, m *i18n.Message, u *use) {
	t.Helper()
	shown := map[string]bool{}
	for _, form := range forms(m) {
		for _, match := range placeholder.FindAllStringSubmatch(form, -1) {
			name := strings.TrimPrefix(match[1], ".")
			if !u.arguments[name] {
				t.Errorf("%s: message %s shows %s, which it is not given", tag, m.ID, match[0])
			}
			shown[name] = true
		}
		if strings.ContainsAny(placeholder.ReplaceAllString(form, ""), "{}") {
			t.Errorf("%s: message %s has half a placeholder: %s", tag, m.ID, form)
		}
	}
	for name := range u.arguments {
		if !shown[name] {
			t.Errorf("%s: message %s does not show %s", tag, m.ID, name)
		}
	}
}

// checkForms demands exactly the forms that whole numbers take in the language. A form may leave its number out, or write it as a word, when
// it stands for one number alone: in Russian the form one is also that of 21.
func checkForms(t *testing.T, tag string, m *i18n.Message, u *use, counts map[string][]int) {
	t.Helper()
	given := forms(m)
	needed := slices.Sorted(maps.Keys(counts))
	if !u.plural {
		needed = []string{"other"}
	}
	if got := slices.Sorted(maps.Keys(given)); !slices.Equal(got, needed) {
		t.Errorf("%s: message %s has the forms %v, and needs %v", tag, m.ID, got, needed)
	}
	for name, form := range given {
		for argument := range u.arguments {
			left := argument == "Count" && len(counts[name]) == 1
			if !left && !strings.Contains(form, "{{."+argument+"}}") {
				t.Errorf("%s: message %s.%s does not show %s", tag, m.ID, name, argument)
			}
		}
	}
}

// someCounts are enough to meet every form that whole numbers take.
var someCounts = append(seq(0, 1000), 1_000_000, 1_000_001, 2_000_000)

// countsOfForms returns the forms that whole numbers take in a language (CLDR's plural rules), each with those of someCounts that take it.
func countsOfForms(t *testing.T, tag string) map[string][]int {
	t.Helper()
	bundle := i18n.NewBundle(xlanguage.Make(tag))
	probe := &i18n.Message{ID: "probe", Zero: "zero", One: "one", Two: "two", Few: "few", Many: "many", Other: "other"}
	if err := bundle.AddMessages(xlanguage.Make(tag), probe); err != nil {
		t.Fatalf("%s: %v", tag, err)
	}
	localizer := i18n.NewLocalizer(bundle, tag)
	all := map[string][]int{}
	for _, count := range someCounts {
		form, err := localizer.Localize(&i18n.LocalizeConfig{MessageID: "probe", PluralCount: count})
		if err != nil {
			t.Fatalf("%s: %v", tag, err)
		}
		all[form] = append(all[form], count)
	}
	return all
}

// usesInCode finds the calls of words.message and words.plain with a key written out. What plain reads is given the placeholders that the
// language of reference shows.
func usesInCode(t *testing.T) map[string]*use {
	t.Helper()
	call := regexp.MustCompile(`\.message\("([^"]+)"(.*)\)`)
	name := regexp.MustCompile(`"([A-Z][A-Za-z]*)"`)
	plain := regexp.MustCompile(`\.plain\("([^"]+)"\)`)
	model := mustSet(t, files).voices[reference].words
	uses := map[string]*use{}
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range call.FindAllSubmatch(source, -1) {
			u := &use{arguments: map[string]bool{}}
			for _, argument := range name.FindAllSubmatch(match[2], -1) {
				u.arguments[string(argument[1])] = true
			}
			uses[string(match[1])] = u
		}
		for _, match := range plain.FindAllSubmatch(source, -1) {
			key := string(match[1])
			uses[key] = &use{arguments: map[string]bool{}}
			for _, shown := range placeholder.FindAllStringSubmatch(model.plain(key), -1) {
				uses[key].arguments[strings.TrimPrefix(shown[1], ".")] = true
			}
		}
	}
	return uses
}

// usesInTree finds the calls of t and n.
func usesInTree(t *testing.T, tree *parse.Tree, uses map[string]*use) {
	t.Helper()
	walk(reflect.ValueOf(tree.Root), func(node any) {
		command, ok := node.(*parse.CommandNode)
		if !ok {
			return
		}
		called, ok := command.Args[0].(*parse.IdentifierNode)
		if !ok || called.Ident != "t" && called.Ident != "n" {
			return
		}
		key, ok := command.Args[1].(*parse.StringNode)
		if !ok {
			t.Errorf("%s: %s: the message is not written out", tree.Name, command)
			return
		}
		u := &use{arguments: map[string]bool{}, plural: called.Ident == "n"}
		pairs := command.Args[2:]
		if u.plural {
			u.arguments["Count"] = true
			pairs = command.Args[3:]
		}
		for i := 0; i < len(pairs); i += 2 {
			u.arguments[pairs[i].(*parse.StringNode).Text] = true
		}
		if before := uses[key.Text]; before != nil && !reflect.DeepEqual(before, u) {
			t.Errorf("%s: message %s is used in two ways", tree.Name, key.Text)
		}
		uses[key.Text] = u
	})
}

// Every field that a template names is one of its struct's, or of a struct inside that, even where no test's data leads.
func TestTemplatesNameFieldsThatThereAre(t *testing.T) {
	t.Parallel()
	v := mustSet(t, files).voices[reference]
	types := map[string]reflect.Type{}
	for _, p := range []Page{
		FeedsPage{},
		FeedPage{},
		ArticlePage{},
		SubscribePage{},
		SubscribedPage{},
		ConfirmPage{},
		ChangePage{},
		UnsubscribePage{},
		PreferencesPage{},
		AgainPage{},
		LinksPage{},
		DroppedPage{},
		ArchivePage{},
		EditionPage{},
		ErrorPage{},
		CatcherList{},
		CatcherMessage{},
	} {
		types[p.template()] = reflect.TypeOf(p)
	}
	if len(types) != len(pageNames) {
		t.Fatalf("%d pages for %d files", len(types), len(pageNames))
	}
	for name, page := range v.pages {
		for _, template := range page.Templates() {
			checkFields(t, template.Tree, types[name])
		}
	}
	for mail, in := range map[*template.Template]reflect.Type{
		v.digest: reflect.TypeFor[digestView](), v.notice: reflect.TypeFor[noticeView](),
	} {
		for _, template := range mail.Templates() {
			checkFields(t, template.Tree, in)
		}
	}
	for _, template := range v.digestText.Templates() {
		checkFields(t, template.Tree, reflect.TypeFor[digestView]())
	}
	checkFields(t, v.noticeText.Tree, reflect.TypeFor[noticeView]())
}

func checkFields(t *testing.T, tree *parse.Tree, in reflect.Type) {
	t.Helper()
	known := map[string]bool{}
	namesIn(in, known)
	walk(reflect.ValueOf(tree.Root), func(node any) {
		var named []string
		switch n := node.(type) {
		case *parse.FieldNode:
			named = n.Ident
		case *parse.VariableNode:
			named = n.Ident[1:]
		}
		for _, name := range named {
			if !known[name] {
				t.Errorf("%s: %s has no field %s", tree.Name, in, name)
			}
		}
	})
}

func namesIn(in reflect.Type, known map[string]bool) {
	switch in.Kind() {
	case reflect.Slice:
		namesIn(in.Elem(), known)
	case reflect.Pointer:
		if in.Elem().PkgPath() == reflect.TypeFor[Digest]().PkgPath() { // not the tree of an introduction
			namesIn(in.Elem(), known)
		}
	case reflect.Struct:
		for i := range reflect.PointerTo(in).NumMethod() {
			known[reflect.PointerTo(in).Method(i).Name] = true
		}
		for i := range in.NumField() {
			known[in.Field(i).Name] = true
			namesIn(in.Field(i).Type, known)
		}
	}
}

// walk calls visit with every node below v.
func walk(v reflect.Value, visit func(node any)) {
	switch v.Kind() {
	case reflect.Interface:
		walk(v.Elem(), visit)
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*parse.Tree]() {
			return
		}
		visit(v.Interface())
		walk(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), visit)
			}
		}
	}
}

// trees returns every parsed template of a voice that has not been executed yet.
func trees(v *voice) []*parse.Tree {
	all := []*parse.Tree{v.noticeText.Tree}
	for _, t := range v.digestText.Templates() {
		all = append(all, t.Tree)
	}
	for _, page := range append(slices.Collect(maps.Values(v.pages)), v.digest, v.notice) {
		for _, t := range page.Templates() {
			all = append(all, t.Tree)
		}
	}
	return all
}

// Any count gives a sentence in every language, with nothing left of a placeholder, and with the number where the form is not that of one
// number alone.
func TestPluralForms(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for _, tag := range set.tags {
		w := set.voices[tag].words
		for key, m := range set.voices[reference].words.messages {
			if m.One == "" {
				continue
			}
			for _, count := range someCounts {
				said, err := w.plural(key, count)
				if err != nil {
					t.Fatalf("%s: %s for %d: %v", tag, key, count, err)
				}
				number := w.number(float64(count), 0)
				if strings.ContainsAny(said, "{}<>") || said == "" || count > 2 && !strings.Contains(said, number) {
					t.Fatalf("%s: %s for %d says %q", tag, key, count, said)
				}
			}
		}
	}
}

// What the languages that come with the program say of some counts. One that is added needs no line here.
func TestPluralFormsOfLanguages(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for tag, want := range map[string]string{
		"en":      "0 articles; 1 article; 2 articles; 3 articles; 11 articles; 100 articles; 3,204 articles; 1,000,000 articles",
		"it":      "0 articoli; 1 articolo; 2 articoli; 3 articoli; 11 articoli; 100 articoli; 3.204 articoli; 1.000.000 di articoli",
		"zh-Hans": "0 篇文章; 1 篇文章; 2 篇文章; 3 篇文章; 11 篇文章; 100 篇文章; 3,204 篇文章; 1,000,000 篇文章",
		"ar":      "لا مقالات; مقال واحد; مقالان; 3 مقالات; 11 مقالًا; 100 مقال; 3,204 مقالات; 1,000,000 مقال",
	} {
		var got []string
		for _, count := range []int{0, 1, 2, 3, 11, 100, 3204, 1_000_000} {
			words, err := set.voices[tag].words.plural("digest.count", count)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, words)
		}
		if got := strings.Join(got, "; "); got != want {
			t.Errorf("%s: %s\nwant %s", tag, got, want)
		}
	}
}

func seq(from, to int) []int {
	var all []int
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}

// What is wrong with the files stops the program at its start.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"an undeclared page": {
			func(f fstest.MapFS) { f["html/extra.html"] = &fstest.MapFile{} },
			"html/extra.html: no struct is declared for this file",
		},
		"an undeclared text": {
			func(f fstest.MapFS) { f["text/extra.txt"] = &fstest.MapFile{} },
			"text/extra.txt: no struct is declared for this file",
		},
		"a page that is gone": {
			func(f fstest.MapFS) { delete(f, "html/feeds.html") },
			"feeds.html",
		},
		"a shared part that is gone": {
			func(f fstest.MapFS) { delete(f, "html/feed-parts.html") },
			"feed-parts.html",
		},
		"a message that is missing": {
			func(f fstest.MapFS) { replace(f, "catalogues/it.toml", "read_on =", "read_no =") },
			"catalogues/it.toml: message digest.read_on is missing",
		},
		"a message too many": {
			func(f fstest.MapFS) { replace(f, "catalogues/it.toml", "read_on =", "spare = \"\"\nread_on =") },
			"catalogues/it.toml: message digest.spare is not one of en",
		},
		"a file name that is no language": {
			func(f fstest.MapFS) { f["catalogues/words.toml"] = f["catalogues/en.toml"] },
			`catalogues/words.toml: "words" is not a language tag`,
		},
		"a language whose plural forms nobody knows": {
			func(f fstest.MapFS) { f["catalogues/tlh.toml"] = f["catalogues/en.toml"] },
			"catalogues/tlh.toml: no plural rule",
		},
		"digits that are not ten": {
			func(f fstest.MapFS) { replace(f, "catalogues/it.toml", `"0123456789"`, `"012345678"`) },
			"catalogues/it.toml: number.digits has 9 digits, not ten",
		},
		"years that are no number": {
			func(f fstest.MapFS) { replace(f, "catalogues/it.toml", `years_added = "0"`, `years_added = "many"`) },
			`catalogues/it.toml: date.years_added is not a number: `,
		},
		"broken TOML": {
			func(f fstest.MapFS) { f["catalogues/it.toml"] = &fstest.MapFile{Data: []byte("[digest")} },
			"catalogues/it.toml",
		},
		"no English": {
			func(f fstest.MapFS) { delete(f, "catalogues/en.toml") },
			"catalogues/en.toml is missing",
		},
		"a stylesheet that is gone": {
			func(f fstest.MapFS) { delete(f, "static/silkpost.css") },
			"", // found when a page is rendered
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := copyOf(t, files)
			c.change(changed)
			set, err := newSet(changed)
			if c.want == "" {
				err = set.Page(&strings.Builder{}, "en", ErrorPage{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestALanguageIsAFile(t *testing.T) {
	t.Parallel()
	more := copyOf(t, files)
	more["catalogues/pl.toml"] = more["catalogues/en.toml"]
	for old, with := range map[string]string{
		`name = "English"`: `name = "polski"`, `"0123456789"`: `"٠١٢٣٤٥٦٧٨٩"`, `november = "November"`: `november = "listopada"`,
		`years_added = "0"`: `years_added = "-1000"`, `first_day = "1"`: `first_day = "1."`,
	} {
		replace(more, "catalogues/pl.toml", old, with)
	}
	set := mustSet(t, more)
	if got := set.Language([]string{"pl-PL"}, "en"); got != "pl" {
		t.Errorf("a Polish reader gets %q", got)
	}
	for date, want := range map[time.Time]string{
		someDay:                  "Biuletyn, ٢٤ listopada ١٠٢٦",
		someDay.AddDate(0, 0, 7): "Biuletyn, 1. December ١٠٢٦",
	} {
		mail, err := set.Digest(Digest{Language: "pl", ListName: "Biuletyn", Date: date})
		if err != nil {
			t.Fatal(err)
		}
		if mail.Subject != want {
			t.Errorf("subject %q, want %q", mail.Subject, want)
		}
	}
	var page strings.Builder
	if err := set.Page(&page, "en", SubscribePage{}); err != nil || !strings.Contains(page.String(), `hreflang="pl">polski</a>`) {
		t.Errorf("the page does not lead to the language: %v", err)
	}
}

// A reader gets their own language in their own script, or the fallback: never what only looks related.
func TestLanguage(t *testing.T) {
	t.Parallel()
	few := copyOf(t, files)
	for file := range few {
		if strings.HasPrefix(file, "catalogues/") && !slices.Contains([]string{"ar", "en", "it", "zh-Hans"}, tagOf(file)) {
			delete(few, file)
		}
	}
	for _, c := range []struct {
		set      *Set
		wanted   string
		fallback string
		want     string
	}{
		{mustSet(t, few), "it", "en", "it"},
		{mustSet(t, few), "it-CH", "en", "it"},
		{mustSet(t, few), "uk it", "en", "it"},
		{mustSet(t, few), "zh", "en", "zh-Hans"},
		{mustSet(t, few), "zh-CN", "en", "zh-Hans"},
		{mustSet(t, few), "zh-Hant", "it", "it"}, // another script
		{mustSet(t, few), "zh-TW", "en", "en"},
		{mustSet(t, few), "uk", "zh-Hans", "zh-Hans"},
		{mustSet(t, few), "ur", "", "en"}, // no relative either
		{mustSet(t, few), "", "tlh", "en"},
		{mustSet(t, few), "ar-EG", "en", "ar"},
	} {
		if got := c.set.Language(strings.Fields(c.wanted), c.fallback); got != c.want {
			t.Errorf("Language(%q, %q) = %q, want %q", c.wanted, c.fallback, got, c.want)
		}
	}
}

func copyOf(t *testing.T, fsys fs.FS) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, path)
		all[path] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func replace(f fstest.MapFS, path, old, with string) {
	f[path] = &fstest.MapFile{Data: []byte(strings.Replace(string(f[path].Data), old, with, 1))}
}

func mustSet(t testing.TB, fsys fs.FS) *Set {
	t.Helper()
	set, err := newSet(fsys)
	if err != nil {
		t.Fatal(fmt.Errorf("the embedded files: %w", err))
	}
	return set
}
