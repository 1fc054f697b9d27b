package templates

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"
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
