// Package slug says what a slug is: the short name by which a feed, a list or a source is called in addresses, files and commands.
package slug

import "regexp"

var form = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Valid reports whether s is a slug: small letters a to z and digits, in words joined by single hyphens.
func Valid(s string) bool { return form.MatchString(s) }
