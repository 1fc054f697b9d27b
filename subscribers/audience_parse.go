package subscribers

import (
	"slices"
	"strings"
	"unicode"

	"silkpost/internal/errs"
)

// ParseAudience reads an audience; see there for its form. An error is of kind Invalid and one line that names the place. Whether lists and
// organisations of these names exist is asked where the audience is used.
func ParseAudience(text string) (a Audience, err error) {
	p := &audienceParser{}
	if p.tokens, err = tokensOf(text); err != nil {
		return Audience{}, err
	}
	for len(p.tokens) > 0 {
		clause, err := p.clause()
		if err != nil {
			return Audience{}, err
		}
		a.Clauses = append(a.Clauses, clause)
		if len(p.tokens) == 0 {
			break
		}
		if !p.take("and") {
			return Audience{}, errs.New(errs.Invalid, "filter: %q is too much behind %q: clauses are joined by and", p.tokens[0].text, clause)
		}
		if len(p.tokens) == 0 {
			return Audience{}, errs.New(errs.Invalid, "filter: a clause is missing behind the last and")
		}
	}
	return a, nil
}

// token is a word, a text in quotation marks, an equals sign or a comma.
type token struct {
	text   string
	quoted bool
}

const signs = "=,"

// tokensOf takes a filter apart.
func tokensOf(text string) (tokens []token, err error) {
	if err := checkText(strings.Join(strings.Fields(text), " "), 10*maxText); err != nil {
		return nil, errs.New(errs.Invalid, "filter: %w", err)
	}
	rest := []rune(text)
	for len(rest) > 0 {
		switch r := rest[0]; {
		case unicode.IsSpace(r):
			rest = rest[1:]
		case strings.ContainsRune(signs, r):
			tokens, rest = append(tokens, token{text: string(r)}), rest[1:]
		case r == '"':
			inside, after, closed := quotation(rest[1:])
			if !closed {
				return nil, errs.New(errs.Invalid, "filter: the quotation mark before %.20q is not closed", inside)
			}
			tokens, rest = append(tokens, token{inside, true}), after
		default:
			end := slices.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || strings.ContainsRune(signs, r) })
			if end < 0 {
				end = len(rest)
			}
			tokens, rest = append(tokens, token{text: string(rest[:end])}), rest[end:]
		}
	}
	return tokens, nil
}

// quotation reads up to a closing quotation mark; a backslash takes the next sign as it is.
func quotation(rest []rune) (inside string, after []rune, closed bool) {
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '"':
			return b.String(), rest[i+1:], true
		case rest[i] == '\\' && i+1 < len(rest):
			i++
		}
		b.WriteRune(rest[i])
	}
	return b.String(), nil, false
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quoted writes a text as one value, in quotation marks unless it is a single plain word.
func quoted(text string) string {
	plainWord := text != "" && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(signs+`"\`, r) })
	if plainWord && !isKeyword(text) {
		return text
	}
	return `"` + quoter.Replace(text) + `"`
}

// isKeyword reports words that would end a value or the name of an attribute.
func isKeyword(word string) bool {
	return slices.ContainsFunc([]string{"and", string(Contains), string(Exists)}, func(k string) bool { return strings.EqualFold(k, word) })
}

// audienceParser reads clauses from what is left.
type audienceParser struct{ tokens []token }

func (p *audienceParser) peek(word string) bool {
	return len(p.tokens) > 0 && !p.tokens[0].quoted && strings.EqualFold(p.tokens[0].text, word)
}

func (p *audienceParser) take(word string) bool {
	if !p.peek(word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// phrase reads a text in quotation marks, or words up to what ends them.
func (p *audienceParser) phrase() string {
	if len(p.tokens) > 0 && p.tokens[0].quoted {
		text := p.tokens[0].text
		p.tokens = p.tokens[1:]
		return text
	}
	var words []string
	for len(p.tokens) > 0 && !p.tokens[0].quoted && !strings.Contains(signs, p.tokens[0].text) && !isKeyword(p.tokens[0].text) {
		words = append(words, p.tokens[0].text)
		p.tokens = p.tokens[1:]
	}
	return strings.Join(words, " ")
}

func (p *audienceParser) clause() (c Clause, err error) {
	c.Not = p.take("not")
	if len(p.tokens) == 0 {
		return c, errs.New(errs.Invalid, "filter: a clause is missing behind not")
	}
	name := p.tokens[0]
	c.Field = Field(strings.ToLower(name.text))
	spec, known := fields[c.Field]
	if !known || name.quoted {
		return c, errs.New(errs.Invalid, "filter: there is no field %q; there are %s", name.text, strings.Join(filterNames(), ", "))
	}
	p.tokens = p.tokens[1:]
	if c.Field == ByAttribute {
		if c.Attribute, err = readText(strings.ToLower(p.phrase())); err != nil {
			return c, errs.New(errs.Invalid, "filter: the name behind attribute: %w", err)
		}
	}
	if c.Op, err = p.op(c, spec.ops); err != nil {
		return c, err
	}
	switch c.Op {
	case Before, After:
		c.At, err = readMoment(p.phrase())
	case Is, Contains:
		c.Values, err = p.values(spec.value)
	}
	if err != nil {
		return c, errs.New(errs.Invalid, "filter: %s: %w", c.subject(), err)
	}
	return c, nil
}

// subject is what a clause is about, in words.
func (c Clause) subject() string { return strings.TrimSpace(string(c.Field) + " " + c.Attribute) }

func filterNames() (names []string) {
	for field := range fields {
		names = append(names, string(field))
	}
	slices.Sort(names)
	return names
}

// op reads how a clause compares.
func (p *audienceParser) op(c Clause, ops []Op) (Op, error) {
	for _, op := range ops {
		if op == Holds || p.take(string(op)) {
			return op, nil
		}
	}
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return "", errs.New(errs.Invalid, "filter: behind %s stands %s", c.subject(), strings.Join(names, " or "))
}

// values reads values that are parted by commas, each once.
func (p *audienceParser) values(canonical func(string) (string, error)) (values []string, err error) {
	for {
		given := p.phrase()
		value, err := canonical(given)
		if err != nil {
			return nil, errs.New(errs.Invalid, "%q: %w", given, err)
		}
		if !slices.Contains(values, value) {
			values = append(values, value)
		}
		if !p.take(",") {
			return values, nil
		}
	}
}
