package adminpage

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// room is a package whose English sentences come onto the pages.
type room struct {
	dir     string
	without []string       // files of which no page shows anything: what they say is for the command line, for files of declarations, or for readers
	calls   map[string]int // functions, by name, beside those of everySpeaker: which of their arguments is a sentence
	returns []string       // functions that return sentences
	causes  bool           // what errors.New and fmt.Errorf make is shown, too
}

// namesOfSentences are the variables and fields that hold them.
var namesOfSentences = []string{"Says", "About", "Origin", "why", "wrong", "reason", "about"}

// everySpeaker are the functions that make errors: which of their arguments is a format.
var everySpeaker = map[string]int{"errs.New": 1}

// causes are the functions that make the causes of errors, where those are for people, too.
var causes = map[string]int{"errors.New": 0, "fmt.Errorf": 0}

var rooms = []room{
	{dir: "internal/web/admin"},
	{dir: "internal/app", without: []string{
		"adopt.go", "apply.go", "apply_theme.go", "app.go", "bounces.go", "debug.go", "demo.go", "digest.go", "notice_mail.go", "preview_files.go", "push.go", "run.go", "steps.go",
		"status.go", "import.go",
	}},
	{dir: "internal/accounts", without: []string{"key_use.go"}},
	{dir: "internal/articles", without: []string{"file.go", "health.go", "settings_read.go"}, returns: []string{"whatChanged"}},
	{dir: "internal/sources", calls: map[string]int{"problem": 0}, causes: true},
	{dir: "internal/fetch"},
	{dir: "internal/dns"},
	{dir: "internal/media"},
	{dir: "internal/language"},
	{
		dir: "internal/doctor", without: []string{"trial.go"}, calls: map[string]int{"ok": 0, "note": 0, "warning": 0, "problem": 0, "means": 0, "do": 0},
		returns: []string{"wrongWith", "readDMARC", "parseDMARC"},
	},
	{dir: "subscribers", without: []string{"suppression_import.go", "import_write.go"}, calls: map[string]int{"add": 1, "refuse": 2}},
	{dir: "subscribers/sheet"},
	{dir: "feeds", without: []string{"archive.go", "handler.go", "load.go", "document.go"}},
	{dir: "mailer/edition", calls: map[string]int{"refuse": 3, "hold": 1, "cancel": 1, "lacks": 1}, returns: []string{"decide"}},
	{dir: "mailer/ledger"},
	{dir: "mailer/send", without: []string{"relay.go", "conn.go"}, returns: []string{"lacks"}},
	{dir: "mailer/reply", without: []string{"rules.go"}},
	{dir: "internal/installation"},
	{dir: "mailer/limit", calls: map[string]int{"wrong": 1}},
	{dir: "mailer/dkim"},
	{dir: "mailer/compose", without: []string{"view.go"}},
	{dir: "mailer/bounce", without: []string{"address.go", "certificate.go", "mailbox.go"}},
	{
		dir: "templates", without: []string{"catalogue.go", "extend.go", "templates.go", "digest.go", "notice.go", "archive.go", "dates.go", "people.go", "static.go"},
		calls: map[string]int{"wrong": 1, "placedAt": 1},
	},
}

// sentences are what the rooms say: needed are those that a page shows, all are the strings of the code.
type sentences struct{ needed, all map[string]string } // with where they are

func readSentences(t *testing.T) sentences {
	t.Helper()
	s := sentences{map[string]string{}, map[string]string{}}
	for i := range rooms {
		s.read(t, &rooms[i])
	}
	return s
}

func (s *sentences) read(t *testing.T, r *room) {
	t.Helper()
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join("../..", r.dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, error %v", r.dir, len(paths), err)
	}
	var parsed []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	f := folder{constants: constantsOf(parsed)}
	for _, file := range parsed {
		at := filepath.Base(files.Position(file.Package).Filename)
		reached := !slices.Contains(r.without, at)
		where := func(n ast.Node) string {
			return r.dir + "/" + at + ":" + strconv.Itoa(files.Position(n.Pos()).Line)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if text, own := f.fold(e); own {
					s.all[text] = where(n)
				}
			}
			if reached {
				for _, said := range r.says(n) {
					if text, own := f.fold(said); own && speaks(text) {
						s.needed[text] = where(n)
					}
				}
			}
			return true
		})
	}
}

// there reports whether the code has a format: as a string of its own, or in SQL, where a column is put behind it.
func (s *sentences) there(format string) bool {
	if _, ok := s.all[format]; ok {
		return true
	}
	before, _, _ := strings.Cut(format, "%s")
	for text := range s.all {
		if strings.Contains(text, "SELECT '"+before+"'") {
			return true
		}
	}
	return false
}

// says returns the expressions of a node that are sentences.
func (r *room) says(n ast.Node) (said []ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := nameOf(n.Fun)
		if name == "append" && strings.HasSuffix(nameOf(n.Args[0]), ".wrong") {
			return n.Args[1:]
		}
		at, ok := everySpeaker[name]
		if !ok && r.causes {
			at, ok = causes[name]
		}
		if !ok {
			at, ok = r.calls[name[strings.LastIndex(name, ".")+1:]]
		}
		if !ok || at >= len(n.Args) || name == "errs.New" && nameOf(n.Args[0]) == "errs.Internal" {
			return nil
		}
		return n.Args[at : at+1]
	case *ast.KeyValueExpr:
		if slices.Contains(namesOfSentences, nameOf(n.Key)) {
			return []ast.Expr{n.Value}
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if i < len(n.Rhs) && slices.Contains(namesOfSentences, nameOf(to)) {
				said = append(said, n.Rhs[i])
			}
		}
	case *ast.ValueSpec:
		if strings.HasSuffix(n.Names[0].Name, "Reason") {
			return n.Values
		}
	case *ast.FuncDecl:
		if slices.Contains(r.returns, n.Name.Name) {
			ast.Inspect(n, func(inner ast.Node) bool {
				if back, ok := inner.(*ast.ReturnStmt); ok {
					said = append(said, back.Results...)
				}
				return true
			})
		}
	}
	return said
}

// nameOf returns what an expression is called: f, or x.f.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x := nameOf(e.X); x != "" {
			return x + "." + e.Sel.Name
		}
		return "." + e.Sel.Name
	}
	return ""
}

// folder makes formats of expressions.
type folder struct{ constants map[string]ast.Expr }

func constantsOf(files []*ast.File) map[string]ast.Expr {
	found := map[string]ast.Expr{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for i, name := range spec.Names {
					if i < len(spec.Values) {
						found[name.Name] = spec.Values[i]
					}
				}
			}
			return true
		})
	}
	return found
}

// fold returns the text of an expression, with %s for what is not known before the program runs, and whether anything of it is.
func (f folder) fold(e ast.Expr) (text string, own bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.ParenExpr:
		return f.fold(e.X)
	case *ast.Ident:
		if constant, ok := f.constants[e.Name].(*ast.BasicLit); ok {
			return f.fold(constant)
		}
	case *ast.BinaryExpr:
		left, ownLeft := f.fold(e.X)
		right, ownRight := f.fold(e.Y)
		if e.Op == token.ADD {
			return left + right, ownLeft || ownRight
		}
	case *ast.CallExpr:
		if nameOf(e.Fun) == "fmt.Sprintf" {
			return f.fold(e.Args[0])
		}
	}
	return "%s", false
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[0-9]*(?:\.[0-9]+)?([a-zA-Z%])`)

// speaks reports whether a format has words of its own.
func speaks(format string) bool {
	return regexp.MustCompile(`[a-zA-Z]{2}`).MatchString(verb.ReplaceAllString(format, ""))
}

// saidIn reads the table [said] of a language's catalogue.
func saidIn(t *testing.T, tag string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("catalogues/" + tag + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Said map[string]string `toml:"said"`
	}
	if err := toml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c.Said
}

// Whatever an administrator's form can be told is said in every language; English says some of it in other words than the command line. Every sentence has the values
// of the English one, each once, and none is of what the program does not say any more.
func TestWhatTheProgramSaysIsSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	s := readSentences(t)
	if len(s.needed) < 400 {
		t.Fatalf("only %d sentences were found: does the program still make its errors with errs.New?", len(s.needed))
	}
	for _, tag := range newSet(t).Languages() {
		said := saidIn(t, tag)
		for _, format := range slices.Sorted(maps.Keys(s.needed)) {
			if _, ok := said[format]; !ok && tag != "en" {
				t.Errorf("%s: %s is not said: %q", tag, s.needed[format], format)
			}
		}
		for _, format := range slices.Sorted(maps.Keys(said)) {
			if !s.there(format) {
				t.Errorf("%s: nothing says %q any more", tag, format)
			}
			if want, got := valuesOf(format), valuesOf(said[format]); !slices.Equal(want, got) {
				t.Errorf("%s: %q has the values %v, and %q %v", tag, format, want, said[format], got)
			}
		}
	}
}

// valuesOf returns the verbs of a format in the order of their values: %[2]s is that of the second. A %w is text like %s and %v.
func valuesOf(format string) (verbs []string) {
	next := 0
	for _, v := range verb.FindAllStringSubmatch(format, -1) {
		if v[2] == "%" {
			continue
		}
		if v[1] != "" {
			next, _ = strconv.Atoi(v[1])
			next--
		}
		for len(verbs) <= next {
			verbs = append(verbs, "")
		}
		kind := v[2]
		if kind == "w" || kind == "v" {
			kind = "s"
		}
		verbs[next] += kind // twice is not once
		next++
	}
	return verbs
}
