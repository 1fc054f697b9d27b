package admin

import (
	"mime"
	"net/http"
	"strconv"
	"time"
)

// csvWriter answers with a table to be kept as a file. Its headers are written with the first byte, so that what goes wrong before can still be said. Each write
// has its own limit of time: a long table may take as long as it takes, while it goes on.
type csvWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	name    string
	begun   bool
}

// slowestPart is how long a browser may take for a part of a table.
const slowestPart = time.Minute

// Write writes a part.
func (c *csvWriter) Write(b []byte) (int, error) {
	if !c.begun {
		c.begun = true
		c.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		c.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": c.name}))
	}
	_ = c.control.SetWriteDeadline(time.Now().Add(slowestPart)) // where it is not supported there is none
	return c.w.Write(b)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
