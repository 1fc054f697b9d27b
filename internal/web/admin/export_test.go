package admin

// Patterns are the addresses of all areas, as net/http.ServeMux takes them.
func Patterns() (all []string) {
	for _, r := range (&site{}).routes() {
		all = append(all, r.pattern)
	}
	return all
}
