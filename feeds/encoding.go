package feeds

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// encoding is a content coding (RFC 9110, section 8.4.1).
type encoding string

const (
	identity encoding = ""
	gzipped  encoding = "gzip"
	brotlied encoding = "br" // RFC 7932
)

// encodings are all of them; of those that a client likes equally the first is taken.
var encodings = []encoding{brotlied, gzipped, identity}

// The levels at which a feed is compressed once and then served many times.
const (
	gzipLevel   = 5
	brotliLevel = 4
)

func (e encoding) encode(body []byte) []byte {
	var out bytes.Buffer
	switch e {
	case gzipped:
		zip, _ := gzip.NewWriterLevel(&out, gzipLevel) // the level is one, and a buffer takes everything
		_, _ = zip.Write(body)
		_ = zip.Close()
	case brotlied:
		br := brotli.NewWriterV2(&out, brotliLevel)
		_, _ = br.Write(body)
		_ = br.Close()
	default:
		return body
	}
	return out.Bytes()
}

// accepted returns the encoding that Accept-Encoding headers like best (RFC 9110, section 12.5.3). Identity is what remains.
func accepted(headers []string) encoding {
	best, weight := identity, 0.0
	for _, e := range encodings[:2] {
		if w := weightOf(e, headers); w > weight {
			best, weight = e, w
		}
	}
	return best
}

// weightOf returns the weight that headers give to a coding: by name, else by "*".
func weightOf(e encoding, headers []string) float64 {
	rest := 0.0
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			coding, params, _ := strings.Cut(part, ";")
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, string(e)), e == gzipped && strings.EqualFold(coding, "x-gzip"):
				return quality(params)
			case coding == "*":
				rest = quality(params)
			}
		}
	}
	return rest
}

// quality returns the q of a header's parameters: 1 when there is none, 0 when it is no number.
func quality(params string) float64 {
	name, value, found := strings.Cut(strings.TrimSpace(params), "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
