package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "silkpost"
	root   = "../.."
)

// goFile is one Go file of the module.
type goFile struct {
	path   string // from the module's root, with slashes
	room   string // the folder it is in
	test   bool
	syntax *ast.File
	set    *token.FileSet
}

// goFiles returns every Go file of the module.
func goFiles(t *testing.T) (files []goFile) {
	t.Helper()
	set := token.NewFileSet()
	for _, path := range paths(t, ".go") {
		syntax, err := parser.ParseFile(set, filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, goFile{
			path: path, room: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go"), syntax: syntax, set: set,
		})
	}
	if len(files) < 100 {
		t.Fatalf("only %d files found: is %s still the module's root?", len(files), root)
	}
	return files
}

// paths returns the module's files with an ending, from its root.
func paths(t *testing.T, ending string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (name == "testdata" || name == "bin" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case strings.HasSuffix(name, ending) && !entry.IsDir():
			relative, err := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// product leaves the tests out, and what exists for them alone.
func product(files []goFile) []goFile {
	return slices.DeleteFunc(slices.Clone(files), func(f goFile) bool { return f.test || matchesAny(f.room, testRooms) })
}

// imports returns what a file imports; rooms of this module without its name.
func (f goFile) imports() (paths []string) {
	for _, spec := range f.syntax.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, strings.TrimPrefix(path, module+"/"))
	}
	return paths
}

// words returns every string literal of a file that is no import, with its line.
func (f goFile) words() map[string]int {
	found := map[string]int{}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			found[text] = f.set.Position(lit.Pos()).Line
		}
		return true
	})
	return found
}

// selectors returns what a file uses of a package of the standard library, with the line.
func (f goFile) selectors(path string) map[string]int {
	name := path[strings.LastIndexByte(path, '/')+1:]
	found := map[string]int{}
	for _, spec := range f.syntax.Imports {
		if imported, _ := strconv.Unquote(spec.Path.Value); imported == path && spec.Name != nil {
			name = spec.Name.Name
		}
	}
	if !slices.Contains(f.imports(), path) {
		return found
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name {
				found[s.Sel.Name] = f.set.Position(s.Pos()).Line
			}
		}
		return true
	})
	return found
}

// matches reports whether a room is meant by a pattern: "mailer/send" is that room, "mailer/..." it and all below, "..." any.
func matches(room, pattern string) bool {
	base, wide := strings.CutSuffix(pattern, "...")
	if !wide {
		return room == pattern
	}
	return base == "" || room == strings.TrimSuffix(base, "/") || strings.HasPrefix(room, base)
}

func matchesAny(room string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(room, p) })
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
