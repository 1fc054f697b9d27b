package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// configure says what is the same for all operations of the OpenAPI document. What huma would serve by itself is left out: its pages load scripts of
// other hosts.
func (s *site) configure() huma.Config {
	const prefix = "#/components/schemas/"
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Silkpost", Version: "1",
				Description: "What machines may ask of Silkpost. docs/api.md tells how keys, pages, ETags, Idempotency-Key, limits and errors work.",
			},
			Tags: []*huma.Tag{
				{Name: "articles", Description: "Bring articles, and see what became of them."},
				{Name: "feeds", Description: "Selections of articles for feed readers."},
				{Name: "organisations", Description: "Partners."},
				{Name: "contacts", Description: "The people who are mailed."},
				{Name: "subscriptions", Description: "Who is on which list, by whose word."},
				{Name: "suppressions", Description: "Addresses and domains that are not mailed."},
				{Name: "lists", Description: "Mailing lists, to read."},
				{Name: "editions", Description: "Digests on their way out, and what became of them."},
				{Name: "status", Description: "For monitors."},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry(prefix, huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key": {Type: "http", Scheme: "bearer", Description: "An API key, sp_…, which an administrator makes at /admin/keys."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// documents serves the OpenAPI document and its page, and returns their addresses.
func (s *site) documents(mux *http.ServeMux) (paths []string) {
	for path, serve := range map[string]http.HandlerFunc{
		"/api/openapi.json": s.openAPI("application/openapi+json", func() ([]byte, error) { return encode(s.doc) }),
		"/api/openapi.yaml": s.openAPI("application/openapi+yaml", func() ([]byte, error) { return s.doc.YAML() }),
		"/api/docs":         s.manual,
		"/api/docs.css":     manualStyle,
		"/api/{$}":          http.RedirectHandler("/api/docs", http.StatusFound).ServeHTTP,
	} {
		mux.Handle("GET "+path, serve)
		paths = append(paths, path)
	}
	return paths
}

func (s *site) openAPI(kind string, write func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := write()
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(text) // a caller who went away is no fault
	}
}
