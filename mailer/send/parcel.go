package send

import "bytes"

// Parcel is a message ready to go.
type Parcel struct {
	From, To string // envelope addresses
	Sender   string // whom the message is from, as its readers see it: limits of senders are about this
	Wire     []byte // the message as it is written after DATA: CRLF line ends, dot-stuffed, with the final dot
	EightBit bool   // the message holds bytes beyond ASCII
}

// NewParcel returns the parcel of a message with CRLF line ends that is not dot-stuffed, from the sender that its envelope names.
func NewParcel(from, to string, message []byte) Parcel {
	return Parcel{From: from, To: to, Sender: from, Wire: stuff(message), EightBit: !isASCII(message)}
}

// internationalised reports addresses of which a part is beyond ASCII (RFC 6531).
func (p *Parcel) internationalised() bool { return !isASCII(p.From) || !isASCII(p.To) }

// FinalDot ends a message whose last line is ended.
const FinalDot = ".\r\n"

// stuff doubles dots at line starts and appends the final dot (RFC 5321, 4.5.2).
func stuff(message []byte) []byte {
	stuffed := make([]byte, 0, len(message)+64)
	if bytes.HasPrefix(message, []byte(".")) {
		stuffed = append(stuffed, '.')
	}
	for {
		at := bytes.Index(message, []byte("\r\n."))
		if at < 0 {
			break
		}
		stuffed = append(append(stuffed, message[:at+2]...), '.')
		message = message[at+2:]
	}
	stuffed = append(stuffed, message...)
	if !bytes.HasSuffix(stuffed, []byte("\r\n")) {
		stuffed = append(stuffed, "\r\n"...)
	}
	return append(stuffed, FinalDot...)
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
