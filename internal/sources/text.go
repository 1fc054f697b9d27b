package sources

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"silkpost/internal/articles"
)

// readText reads plain text: a file written by hand, whose first line is the title, or a page saved from a web site, with the
// trail to it above and menus, numbers of a carousel and a footer around it. See savedPage for how they are told apart.
func readText(f file) (articles.Draft, error) {
	content, err := decodeText(f.body)
	if err != nil {
		return articles.Draft{}, err
	}
	p := readPage(textLines(content))
	if p.title == "" || len(p.body) == 0 {
		return articles.Draft{}, errors.New("there is no article in it: a title and some text below it are needed")
	}
	d := articles.Draft{Title: p.title, Section: p.section, Published: p.published, Text: strings.Join(p.body, "\n\n")}
	if at := d.Published; !midnight(at) {
		d.Published = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, writtenZone(d.Title+"\n\n"+d.Text))
	}
	return d, nil
}

// page is what was found in a text.
type page struct {
	section   string
	title     string
	published time.Time
	body      []string // paragraphs
}

// readPage finds the parts of a text by their form and place alone: how long a line is, whether it ends as a sentence does,
// whether it stands before, among or after the paragraphs. No site's own words are known here.
func readPage(lines []string) page {
	var p page
	trail := findTrail(lines)
	start := trail + 1
	prologue := start + slices.IndexFunc(lines[start:], prose)
	if prologue < start {
		prologue = len(lines)
	}
	title := findTitle(lines, start, prologue, trail >= 0)
	if title < 0 {
		return untitled(lines[start:])
	}
	p.title = lines[title]
	if trail >= 0 {
		p.section = section(lines[trail], p.title)
	}
	rest := slices.Clone(lines[title+1:])
	p.published, rest = takeDate(lines[start:title], rest)
	if trail >= 0 || framed(rest) {
		rest = articleLines(rest)
	}
	p.body = rest
	return p
}

// untitled reads a text that begins with a paragraph at once: its first sentence serves as title, and nothing is left out.
func untitled(lines []string) page {
	if len(lines) == 0 {
		return page{}
	}
	return page{title: articles.FirstSentence(lines[0]), body: lines}
}

// findTitle returns the place of the headline, -1 when there is none. Below a trail it is the first line that can be one.
// Without a trail it is too, but when many short lines come first those are a menu, and the longest is the headline.
func findTitle(lines []string, start, prologue int, trail bool) int {
	var candidates []int
	for i := start; i < prologue; i++ {
		if _, dated := dateLine(lines[i]); !dated && hasLetters(lines[i]) {
			candidates = append(candidates, i)
		}
	}
	const menu = 4
	switch {
	case len(candidates) == 0 && prologue > start && hasLetters(lines[start]):
		return start // a headline that looks like a line with the date
	case len(candidates) == 0 && trail && start < len(lines)-1:
		return start // a headline as long as a paragraph
	case len(candidates) == 0:
		return -1
	case trail || len(candidates) < menu || prologue == len(lines):
		return candidates[0]
	}
	return slices.MaxFunc(candidates, func(a, b int) int { return columns(lines[a]) - columns(lines[b]) })
}

var (
	trailMark  = regexp.MustCompile(`\s*[>›»→]+\s*|\s+/\s+|\s+::\s+`)
	trailLabel = regexp.MustCompile(`^[^:：]{1,24}[:：]\s*`)
)

// trailParts returns the steps of a trail such as "Home / News", nil when a line is none.
func trailParts(line string) []string {
	if columns(line) > 160 || sentence(line) {
		return nil
	}
	var parts []string
	for _, part := range trailMark.Split(trailLabel.ReplaceAllString(line, ""), -1) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	const shortest = 4 // columns; what is shorter chooses a language: "EN / IT"
	if len(parts) == 0 || !trailMark.MatchString(line) || columns(parts[0]) < shortest || columns(parts[0]) > 30 || !hasLetters(parts[0]) {
		return nil
	}
	return parts
}

// findTrail returns the place of the trail that leads to a page, -1 when there is none. It stands before the first paragraph, and
// something that can be a title comes after it.
func findTrail(lines []string) int {
	for i, line := range lines {
		if prose(line) {
			break
		}
		if trailParts(line) != nil && i+1 < len(lines) && (!prose(lines[i+1]) || !sentence(lines[i+1])) {
			return i
		}
	}
	return -1
}

// section returns the last step of a trail that is neither its beginning nor the article itself.
func section(trail, title string) string {
	parts := trailParts(trail)[1:]
	for len(parts) > 0 {
		last := strings.TrimRight(parts[len(parts)-1], ".…")
		itself := slices.Contains([]string{"正文", "详情", "内容"}, last) || strings.HasPrefix(strings.ToLower(title), strings.ToLower(last)) && columns(last) > 15
		if !itself {
			return parts[len(parts)-1]
		}
		parts = parts[:len(parts)-1]
	}
	return ""
}

// takeDate finds the line that dates the page: between trail and title, before the first paragraph, or after the last one. It
// returns the lines below the title without it.
func takeDate(above, below []string) (time.Time, []string) {
	for _, line := range above {
		if t, ok := dateLine(line); ok {
			return t, below
		}
	}
	first, last := slices.IndexFunc(below, prose), len(below)-1
	for last >= 0 && !prose(below[last]) {
		last--
	}
	for i, line := range below {
		if i >= first && i <= last {
			continue
		}
		if t, ok := dateLine(line); ok {
			return t, slices.Delete(below, i, i+1)
		}
	}
	return time.Time{}, below
}

// framed reports whether what follows the last paragraph shows that this is a page of a site.
func framed(lines []string) bool {
	for _, line := range slices.Backward(lines) {
		if prose(line) && !legal(line) {
			return false
		}
		if numbers(line) || truncated(line) || legal(line) {
			return true
		}
	}
	return false
}

// articleLines returns the lines of a page that are its article: the run with the most text, where paragraphs count for and
// what looks like menus, numbers and footers against. A list or a closing line that follows at once belongs to it, and so does
// an address such as "Dear partners:" right before.
func articleLines(lines []string) []string {
	var best, sum, from, to, begin int
	for i, line := range lines {
		if sum <= 0 {
			sum, begin = 0, i
		}
		if sum += weight(line); sum > best {
			best, from, to = sum, begin, i+1
		}
	}
	if best == 0 {
		return shortNotice(lines)
	}
	for from > 0 && opens(lines[from-1]) {
		from--
	}
	for to < len(lines) && belongs(lines[to]) {
		to++
	}
	return lines[from:to]
}

// shortNotice returns what stands below the title of a page without any paragraph, up to the first sign of its frame.
func shortNotice(lines []string) []string {
	for i, line := range lines {
		if numbers(line) || truncated(line) || legal(line) {
			return lines[:i]
		}
	}
	return lines
}

// weight says how much a line speaks for being part of the article; below zero against.
func weight(line string) int {
	switch {
	case numbers(line) || truncated(line) || legal(line):
		return -100
	case prose(line):
		return columns(line)
	case sentence(line) || listItem(line):
		return 0
	}
	return -60
}

func opens(line string) bool {
	return columns(line) >= 9 && (sentence(line) || strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：") ||
		strings.HasSuffix(line, ",") || strings.HasSuffix(line, "，"))
}

func belongs(line string) bool {
	byline := columns(line) >= 12 && (strings.HasPrefix(line, "(") && strings.HasSuffix(line, ")") ||
		strings.HasPrefix(line, "（") && strings.HasSuffix(line, "）"))
	return (sentence(line) || listItem(line) || byline) && !legal(line)
}

var (
	bullet     = regexp.MustCompile(`^(?:[-*•·–]|\d{1,2}[.)、])\s*\S`)
	legalWords = regexp.MustCompile(`(?i)©|\(c\) ?\d{4}|copyright|all rights reserved|powered by|版权所有|ICP[备證证]`)
)

func listItem(line string) bool { return bullet.MatchString(line) && hasLetters(line) }

// legal reports whether a line is the small print below a page.
func legal(line string) bool { return columns(line) <= 300 && legalWords.MatchString(line) }

// numbers reports whether a line holds nothing to read, such as the numbers of a carousel or of pages.
func numbers(line string) bool { return !hasLetters(line) }

// truncated reports whether a line was cut short, as the titles in a list of links are.
func truncated(line string) bool {
	return columns(line) < 100 && (strings.HasSuffix(line, "...") || strings.HasSuffix(line, "…"))
}

func hasLetters(line string) bool { return strings.ContainsFunc(line, unicode.IsLetter) }
