package templates

import (
	"errors"
	"fmt"
	"html/template"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"silkpost/internal/errs"
)

// CheckTheme returns nil, or an error of kind errs.Invalid, a ThemeMistake for each template, that says what is wrong with a theme's own templates, where (line and column) and what
// to do: one that does not parse, names what there is not, does what a template may not, yields broken HTML, or leaves out what no digest may be
// without. It renders digests of every shape in every language. The rest of a theme is Theme.Canonical's.
func (s *Set) CheckTheme(t Theme) error {
	c := &themeCheck{slug: t.Slug}
	for _, part := range []struct {
		kind, source string
	}{{"html", t.HTML}, {"text", t.Text}} {
		if part.source == "" {
			continue
		}
		if err := s.checkOwn(part.kind, part.source, t); err != nil {
			m := &ThemeMistake{Theme: t.Slug, Key: part.kind, Says: located(err, part.source)}
			_, _ = fmt.Sscanf(m.Says, "line %d, column %d", &m.Line, &m.Column) // not every mistake has a place
			c.found = append(c.found, m)
		}
	}
	return c.err()
}

func (s *Set) checkOwn(kind, source string, t Theme) error {
	if len(source) > maxTemplate {
		return errs.New(errs.Invalid, "it is longer than %d kB: shorten it", maxTemplate/1024)
	}
	if !utf8.ValidString(source) || strings.ContainsRune(source, 0) {
		return errs.New(errs.Invalid, "it is not in UTF-8: save it as that")
	}
	if err := checkTree(source); err != nil {
		return err
	}
	for _, sample := range s.samples(t) {
		err := s.trial(kind, source, sample)
		if lack := (*missing)(nil); errors.As(err, &lack) {
			err = &place{at: wanted(source, lack.field), begun: -1, error: err}
		}
		if err != nil {
			return fmt.Errorf("%w (in a digest %s)", err, sample.shape)
		}
	}
	return nil
}

// wanted returns where a field is to be written: where it stands, so that it can be moved to where it is always shown, else at the end.
func wanted(source, field string) int {
	if at := strings.Index(source, "."+field); at >= 0 {
		return at
	}
	if at := strings.LastIndex(strings.ToLower(source), "</body"); at >= 0 {
		return at
	}
	return len(strings.TrimRight(source, "\n"))
}

// trial renders one sample as the mailer would.
func (s *Set) trial(kind, source string, sample sample) error {
	w := s.voices[sample.Language].words
	view, err := w.digest(sample.Digest)
	if err != nil {
		return err
	}
	if kind == "text" {
		_, err = w.ownText(view, source)
		return err
	}
	_, err = w.ownHTML(view, source)
	if at := (*place)(nil); errors.As(err, &at) { // about a tag: once more, to learn which
		_, err = w.ownHTML(view, marked(source))
	}
	return err
}

// located says in one line where an error is.
func located(err error, source string) string {
	said := err.Error()
	if p := (*place)(nil); errors.As(err, &p) {
		if p.begun >= 0 {
			said = strings.Replace(said, p.Error(), p.Error()+fmt.Sprintf(" (it is opened in %s)", lineColumn(source, p.begun)), 1)
		}
		if p.at >= 0 {
			return lineColumn(source, p.at) + ": " + said
		}
		return said
	}
	if found := byEngine.FindStringSubmatch(said); found != nil {
		at := "line " + found[1]
		if found[2] != "" {
			column, _ := strconv.Atoi(found[2])
			at += ", column " + strconv.Itoa(column+1)
		} else if number, err := strconv.Atoi(found[1]); err == nil {
			at += ", column " + strconv.Itoa(failing(source, number))
		}
		if found[3] == "unexpected EOF" {
			return at + ": an {{end}} is missing: write one for each {{range}}, {{if}} and {{with}}"
		}
		return at + ": " + plainer.ReplaceAllString(found[3], "")
	}
	return said
}

// byEngine is how the template engine says where: with a column counted from 0, or without.
var (
	byEngine = regexp.MustCompile(`^(?:html/)?template: ?(?:html|text):(\d+)(?::(\d+))?: (.*)`)
	plainer  = regexp.MustCompile(`^executing "[^"]*" at `)
)

func lineColumn(source string, at int) string {
	before := source[:min(at, len(source))]
	return fmt.Sprintf("line %d, column %d", strings.Count(before, "\n")+1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])+1)
}

// failing returns the column of the first action of a line that the source cannot be parsed with.
func failing(source string, number int) int {
	all := strings.SplitAfter(source, "\n")
	if number < 1 || number > len(all) {
		return 1
	}
	before, l := strings.Join(all[:number-1], ""), all[number-1]
	column := 1
	for i := 0; ; {
		at := strings.Index(l[i:], "{{")
		if at < 0 {
			return column
		}
		i += at
		column = utf8.RuneCountInString(l[:i]) + 1
		end := strings.Index(l[i:], "}}")
		if end < 0 {
			return column
		}
		end += i + 2
		if _, _, err := parsed(before + l[:end]); err != nil && !strings.Contains(err.Error(), "EOF") {
			return column
		}
		i = end
	}
}

// parsed parses a template without asking whether its functions exist: that is checkTree's, which knows where they stand.
func parsed(source string) (*parse.Tree, map[string]*parse.Tree, error) {
	all := map[string]*parse.Tree{}
	tree := parse.New("html")
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(source, "", "", all)
	return tree, all, err
}

// marked writes into each tag where in the source it stands, for placeOf to read.
func marked(source string) string {
	tree, _, err := parsed(source)
	if err != nil {
		return source
	}
	var out strings.Builder
	end := 0
	for _, text := range texts(tree.Root) {
		for _, tag := range tagName.FindAllIndex(text.Text, -1) {
			from, to := int(text.Pos)+tag[0], int(text.Pos)+tag[1]
			fmt.Fprintf(&out, "%s data-at=%d ", source[end:to], from)
			end = to
		}
	}
	return out.String() + source[end:]
}

// texts returns what stands between the actions of a list, in its order.
func texts(list *parse.ListNode) (all []*parse.TextNode) {
	if list == nil {
		return nil
	}
	branches := func(n *parse.BranchNode) { all = append(append(all, texts(n.List)...), texts(n.ElseList)...) }
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			all = append(all, n)
		case *parse.IfNode:
			branches(&n.BranchNode)
		case *parse.RangeNode:
			branches(&n.BranchNode)
		case *parse.WithNode:
			branches(&n.BranchNode)
		}
	}
	return all
}

var tagName = regexp.MustCompile(`</?[a-zA-Z][a-zA-Z0-9:-]*`)

// checkTree holds a template to what own templates may do: see Own.
func checkTree(source string) error {
	tree, all, err := parsed(source)
	if err != nil {
		return err
	}
	c := checker{}
	for name, defined := range all {
		if defined != tree {
			return placedAt(int(defined.Root.Pos), "{{define %q}} is not for templates of your own: write it where it is shown", name)
		}
	}
	if tree.Root == nil {
		return nil
	}
	return c.list(tree.Root, scope{dot: ownType, vars: map[string]reflect.Type{"$": ownType}})
}

// scope is what dot and the variables are.
type scope struct {
	dot    reflect.Type
	vars   map[string]reflect.Type
	ranges int // how many are open
}

func (s scope) with(dot reflect.Type) scope {
	s.dot, s.vars = dot, maps.Clone(s.vars)
	return s
}

// checker walks a tree. It keeps nothing: its methods only belong together.
type checker struct{}

func (c checker) list(list *parse.ListNode, in scope) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := c.node(node, in); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) node(node parse.Node, in scope) error {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
		return nil
	case *parse.ActionNode:
		return c.action(n, in)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, in, func(scope, reflect.Type) (scope, error) { return in.with(in.dot), nil })
	case *parse.WithNode:
		return c.branch(&n.BranchNode, in, func(inside scope, of reflect.Type) (scope, error) { return declared(inside.with(of), n.Pipe, of) })
	case *parse.RangeNode:
		return c.branch(&n.BranchNode, in, func(inside scope, over reflect.Type) (scope, error) { return ranged(n, inside, over) })
	}
	return placedAt(int(node.Position()), "%s is not for templates of your own: write what it stands for in its place", node)
}

func (c checker) action(n *parse.ActionNode, in scope) error {
	if len(n.Pipe.Decl) > 0 {
		return placedAt(int(n.Pos), "{{%s}}: variables are set by range and with alone", n.Pipe)
	}
	shown, err := c.pipe(n.Pipe, in)
	if err != nil {
		return err
	}
	switch shown.Kind() {
	case reflect.String, reflect.Int, reflect.Bool:
		return nil
	case reflect.Slice:
		return placedAt(int(n.Pos), "{{%s}} is a list: write {{range %s}}…{{end}}", n.Pipe, n.Pipe)
	}
	return placedAt(int(n.Pos), "{{%s}} is not one value: name a field of it", n.Pipe)
}

func (c checker) branch(n *parse.BranchNode, in scope, inside func(scope, reflect.Type) (scope, error)) error {
	of, err := c.pipe(n.Pipe, in)
	if err != nil {
		return err
	}
	within, err := inside(in, of)
	if err != nil {
		return err
	}
	if err := c.list(n.List, within); err != nil {
		return err
	}
	return c.list(n.ElseList, in.with(in.dot))
}

// ranged returns the scope inside a range.
func ranged(n *parse.RangeNode, in scope, over reflect.Type) (scope, error) {
	switch {
	case over.Kind() != reflect.Slice:
		return in, placedAt(int(n.Pos), "{{range %s}}: that is no list", n.Pipe)
	case in.ranges > 0 && over.Elem().Kind() == reflect.Struct, in.ranges > 1:
		return in, placedAt(int(n.Pos), "{{range %s}} inside of another range would be done again for each: move it out", n.Pipe)
	}
	inside := in.with(over.Elem())
	inside.ranges++
	if decl := n.Pipe.Decl; len(decl) == 2 {
		inside.vars[decl[0].Ident[0]] = reflect.TypeFor[int]()
	}
	return declared(inside, n.Pipe, over.Elem())
}

// declared returns a scope with the variable that a pipe declares last.
func declared(in scope, pipe *parse.PipeNode, as reflect.Type) (scope, error) {
	if pipe.IsAssign {
		return in, placedAt(int(pipe.Pos), "{{%s}}: variables are not changed", pipe)
	}
	if n := len(pipe.Decl); n > 0 {
		in.vars[pipe.Decl[n-1].Ident[0]] = as
	}
	return in, nil
}

// anyKind is what may be asked whether it is there, and not be shown.
var anyKind = reflect.TypeFor[any]()

func (c checker) pipe(pipe *parse.PipeNode, in scope) (last reflect.Type, err error) {
	for i, command := range pipe.Cmds {
		if last, err = c.command(command, in, last, i > 0); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// command returns the type of what a command gives; piped is what comes from the one before it.
func (c checker) command(n *parse.CommandNode, in scope, piped reflect.Type, isPiped bool) (reflect.Type, error) {
	called, isCall := n.Args[0].(*parse.IdentifierNode)
	if !isCall {
		if len(n.Args) > 1 || isPiped {
			return nil, placedAt(int(n.Pos), "%s is not a function: nothing can be given to it", n.Args[0])
		}
		return c.operand(n.Args[0], in)
	}
	var given []reflect.Type
	for _, arg := range n.Args[1:] {
		of, err := c.operand(arg, in)
		if err != nil {
			return nil, err
		}
		given = append(given, of)
	}
	if isPiped {
		given = append(given, piped)
	}
	return c.call(called, n.Args[1:], given)
}

func (c checker) operand(node parse.Node, in scope) (reflect.Type, error) {
	switch n := node.(type) {
	case *parse.DotNode:
		return in.dot, nil
	case *parse.FieldNode:
		return field(in.dot, n.Ident, n.Position())
	case *parse.VariableNode:
		of, ok := in.vars[n.Ident[0]]
		if !ok {
			return nil, placedAt(int(n.Pos), "there is no variable %s", n.Ident[0])
		}
		return field(of, n.Ident[1:], n.Position())
	case *parse.StringNode:
		return reflect.TypeFor[string](), nil
	case *parse.NumberNode:
		if n.IsInt {
			return reflect.TypeFor[int](), nil
		}
	case *parse.BoolNode:
		return reflect.TypeFor[bool](), nil
	case *parse.PipeNode:
		if len(n.Decl) == 0 {
			return c.pipe(n, in)
		}
	case *parse.ChainNode:
		of, err := c.operand(n.Node, in)
		if err != nil {
			return nil, err
		}
		return field(of, n.Field, n.Position())
	case *parse.IdentifierNode:
		return c.call(n, nil, nil)
	}
	return nil, placedAt(int(node.Position()), "%s is not for templates of your own", node)
}

// field follows names from a type.
func field(of reflect.Type, names []string, at parse.Pos) (reflect.Type, error) {
	for _, name := range names {
		if of.Kind() == reflect.Slice {
			return nil, placedAt(int(at), ".%s: that is a list: name fields inside of {{range}}", name)
		}
		found := false
		if of.Kind() == reflect.Struct {
			var f reflect.StructField
			if f, found = of.FieldByName(name); found {
				of = f.Type
				continue
			}
		}
		return nil, placedAt(int(at), "there is no field .%s here: %s", name, namesOf(of))
	}
	return of, nil
}

func namesOf(of reflect.Type) string {
	if of.Kind() != reflect.Struct {
		return "this is one value, {{.}}"
	}
	var names []string
	for i := range of.NumField() {
		names = append(names, "."+of.Field(i).Name)
	}
	slices.Sort(names)
	return "there are " + strings.Join(names, ", ")
}

// call returns what a function gives for arguments of some types.
func (c checker) call(n *parse.IdentifierNode, args []parse.Node, given []reflect.Type) (reflect.Type, error) {
	wrong := func(usage string) error { return placedAt(int(n.Pos), "%s is used as in {{%s}}", n.Ident, usage) }
	text := func(t reflect.Type) bool { return t.Kind() == reflect.String }
	simple := func(t reflect.Type) bool {
		return slices.Contains([]reflect.Kind{reflect.String, reflect.Int, reflect.Bool}, t.Kind())
	}
	switch n.Ident {
	case "and", "or":
		if len(given) == 0 {
			return nil, wrong("if " + n.Ident + " .Section .Published")
		}
		for _, t := range given {
			if t != given[0] {
				return anyKind, nil
			}
		}
		return given[0], nil
	case "not":
		if len(given) != 1 {
			return nil, wrong("if not .Section")
		}
		return reflect.TypeFor[bool](), nil
	case "eq", "ne", "lt", "le", "gt", "ge":
		if len(given) < 2 || len(given) > 2 && n.Ident != "eq" || !simple(given[0]) ||
			slices.ContainsFunc(given, func(t reflect.Type) bool { return t.Kind() != given[0].Kind() }) ||
			given[0].Kind() == reflect.Bool && n.Ident != "eq" && n.Ident != "ne" {
			return nil, wrong("if " + n.Ident + ` .Language "it"`)
		}
		return reflect.TypeFor[bool](), nil
	case "len":
		if len(given) != 1 || given[0].Kind() != reflect.Slice && !text(given[0]) {
			return nil, wrong("len .Articles")
		}
		return reflect.TypeFor[int](), nil
	case "wrap":
		if len(given) != 1 || !text(given[0]) {
			return nil, wrong("wrap .Title")
		}
		return reflect.TypeFor[string](), nil
	case "outlook":
		if len(args) == 1 && len(given) == 1 {
			if s, ok := args[0].(*parse.StringNode); ok && slices.Contains([]string{"settings", "open", "close"}, s.Text) {
				return reflect.TypeFor[template.HTML](), nil
			}
		}
		return nil, wrong(`outlook "open"`)
	}
	return nil, placedAt(int(n.Pos), "%s is no function of templates of your own: there are and, eq, ge, gt, le, len, lt, ne, not, or, outlook, wrap", n.Ident)
}

// sample is a digest that templates are tried with.
type sample struct {
	Digest
	shape string
}

// samples returns digests of every shape, and a full one in each language.
func (s *Set) samples(theme Theme) []sample {
	var all []sample
	for name, change := range shapes {
		d := fullSample(reference, theme)
		change(&d)
		all = append(all, sample{d, name})
	}
	slices.SortFunc(all, func(a, b sample) int { return strings.Compare(a.shape, b.shape) })
	for _, tag := range s.tags {
		all = append(all, sample{fullSample(tag, theme), "in " + tag})
	}
	return all
}

// shapes take something away from a full digest.
var shapes = map[string]func(*Digest){
	"with everything":                          func(*Digest) {},
	"without articles":                         func(d *Digest) { d.Articles, d.More = nil, nil },
	"with one article":                         func(d *Digest) { d.Articles = d.Articles[:1] },
	"with nothing in it":                       func(d *Digest) { d.Articles, d.More, d.Introduction = nil, nil, "" },
	"without more":                             func(d *Digest) { d.More = nil },
	"without introduction":                     func(d *Digest) { d.Introduction = "" },
	"with an introduction in another language": func(d *Digest) { d.IntroducedIn = "ar" },
	"without sender":                           func(d *Digest) { d.SenderName, d.ReplyAddress = "", "" },
	"without other links":                      func(d *Digest) { d.ViewURL, d.PreferencesURL = "", "" },
	"of a theme without logo and footer": func(d *Digest) {
		d.Theme.Logo, d.Theme.Footer = Logo{}, nil
	},
	"of bare articles": func(d *Digest) {
		d.Articles = []DigestArticle{{Title: "Brief", URL: "https://example.org/brief", Language: "en", Brief: true}, {Title: "Bare", Language: "en"}}
	},
	"of forty articles": func(d *Digest) {
		for len(d.Articles) < 40 {
			d.Articles = append(d.Articles, d.Articles[:2]...)
		}
	},
}

func fullSample(tag string, theme Theme) Digest {
	day := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	if theme.Logo.URL == "" {
		theme.Logo = Logo{URL: "https://example.org/logo.png", Alt: "Logo", Width: 200}
	}
	if len(theme.Footer) == 0 {
		theme.Footer = map[string]string{"en": "Footer\n\nSecond paragraph"}
	}
	return Digest{
		Language: tag, ListName: "News & <more>", Date: day, Subject: "Subject", Preheader: "Preheader",
		Introduction: "Introduction with [link](https://example.org/link) & <signs>",
		Articles: []DigestArticle{
			{
				Title: "First & “best” <title>", URL: "https://example.org/first?a=1&b=2", Section: "Section", Summary: "One & <two>\n\nThree", Language: tag,
				ImageURL: "https://example.org/picture.jpg", ImageAlt: "Picture", Published: day,
			},
			{Title: "العنوان", URL: "https://example.org/second", Summary: "نص", Language: "ar", Fallback: true},
			{Title: "Third", URL: "https://example.org/third", Language: "de", Summary: "Drei"},
		},
		More:       []DigestArticle{{Title: "Fourth", URL: "https://example.org/fourth", Language: "fr", Fallback: true}},
		SenderName: "Sender & Sons", PostalAddress: "1 Sample Street & Square\n00000 Sampletown", ReplyAddress: "reply@example.org",
		Address: "SAMPLEADDRESS", ViewURL: "SAMPLEVIEW", PreferencesURL: "SAMPLEPREFERENCES", UnsubscribeURL: "SAMPLEUNSUBSCRIBE", Theme: theme,
	}
}
