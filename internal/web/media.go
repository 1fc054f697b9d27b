package web

import (
	"net/http"
	"strconv"

	"silkpost/templates"
)

// mediaTypes are the types of the images that we serve.
var mediaTypes = map[string]string{"jpg": "image/jpeg", "png": "image/png"}

// media serves an image that was stored. Its address says what is in it, so it is kept for ever; nothing in it can run, whatever a browser
// takes it for.
func (s *site) media(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	image, err := s.Articles.Image(r.Context(), s.DB, r.PathValue("file"))
	if err != nil {
		return nil, err
	}
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("ETag", `"`+image.Hash+`"`)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin") // mail clients and feed readers show it
	if r.Header.Get("If-None-Match") == header.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return nil, nil
	}
	header.Set("Content-Type", mediaTypes[image.Ext])
	header.Set("Content-Length", strconv.Itoa(len(image.Body)))
	_, _ = w.Write(image.Body) // a visitor who went away is no fault
	return nil, nil
}
