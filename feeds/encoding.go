package feeds

import (
	"bytes"
	"cmp"
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

// The levels at which a document is compressed, once for all who read it. Of 17 MB, 1,000 items of 5 KB in three formats, is left, in
// milliseconds of one processor (brotli is andybalholm's NewWriterV2, gzip klauspost's):
//
//	brotli  1: 35.9 %, 118   2: 33.7 %, 132   3: 33.0 %, 185   4: 32.0 %, 207   5: 30.7 %, 490   (NewWriterLevel, 4: 31.5 %, 416)
//	gzip    2: 38.7 %,  78   3: 38.2 %,  94   5: 37.8 %, 143   6: 37.7 %, 146   7: 36.2 %, 322   (the standard library, 6: 36.4 %, 490)
//
// Of 100 KB of English brotli leaves 26.2 % at 4 and 27.4 % at 2, gzip 26.9 % at 6. So brotli below 4 is not worth its name, but for
// large documents, whose first reader would wait.
const (
	gzipLevel   = 6
	brotliLevel = 4

	largeBrotliLevel = 2
	largeDocument    = 1 << 20
)

// encode returns body in a coding.
func (e encoding) encode(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) / 2) // mostly enough
	switch e {
	case gzipped:
		zip, _ := gzip.NewWriterLevel(&out, gzipLevel) // the level is one, and a buffer takes everything
		_, _ = zip.Write(body)
		_ = zip.Close()
	case brotlied:
		level := brotliLevel
		if len(body) > largeDocument {
			level = largeBrotliLevel
		}
		br := brotli.NewWriterV2(&out, level)
		_, _ = br.Write(body)
		_ = br.Close()
	default:
		return body
	}
	return bytes.Clone(out.Bytes()) // without the room that it was written in
}

// accepted returns the encoding that Accept-Encoding headers like best (RFC 9110, section 12.5.3), a compressed one before none.
func accepted(headers []string) encoding {
	best, weight := identity, 0.0
	for _, e := range encodings {
		if w := weightOf(e, headers); w > weight {
			best, weight = e, w
		}
	}
	return best
}

// weightOf returns the weight that headers give to a coding: by name, else by "*".
func weightOf(e encoding, headers []string) float64 {
	name, rest := string(cmp.Or(e, "identity")), 0.0
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			coding, params, _ := strings.Cut(part, ";")
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, name), e == gzipped && strings.EqualFold(coding, "x-gzip"):
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
