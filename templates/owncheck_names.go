package templates

import (
	"html/template"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

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
