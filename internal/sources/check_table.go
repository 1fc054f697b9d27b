package sources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"silkpost/internal/articles"
)

// settingsTable writes a source as a [[source]] table for silkpost apply.
func settingsTable(s articles.Source) string {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%s = %s\n", key, value) }
	b.WriteString("[[source]]\n")
	line("slug", quoted(s.Slug))
	line("kind", quoted(s.Kind))
	line("url", quoted(s.URL))
	if s.Section != "" {
		line("section", quoted(s.Section))
	}
	if s.Every != 0 {
		line("every", quoted(strings.TrimSuffix(strings.TrimSuffix(s.Every.String(), "0s"), "0m")))
	}
	if l := s.Settings.Listing; l.Item != "" {
		var fields []string
		for _, field := range [][2]string{{"item", l.Item}, {"link", l.Link}, {"title", l.Title}, {"date", l.Date}, {"next", l.Next}} {
			if field[1] != "" {
				fields = append(fields, field[0]+" = "+quoted(field[1]))
			}
		}
		line("listing", "{ "+strings.Join(fields, ", ")+" }")
	}
	return b.String()
}

// quoted writes a string as TOML has it; JSON's strings are among those.
func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can always be encoded
	return strings.TrimSpace(b.String())
}

var noSlug = regexp.MustCompile(`[^a-z0-9]+`)

// suggestedSlug names a source after its host, and its column where it has one.
func suggestedSlug(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "site"
	}
	name := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	if at := jcmsColumn.FindStringSubmatch(u.Path); at != nil {
		name += "-" + at[1]
	}
	if name = strings.Trim(noSlug.ReplaceAllString(name, "-"), "-"); name == "" {
		return "site"
	}
	return name
}
