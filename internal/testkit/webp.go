package testkit

import (
	"bytes"
	"encoding/binary"
)

// WebP returns a lossless WebP image of one colour (RFC 9649, section 3), of up to 16,384 pixels a side.
func WebP(width, height int, red, green, blue byte) []byte {
	var b bits
	b.put(0x2f, 8) // signature
	b.put(uint64(width-1), 14)
	b.put(uint64(height-1), 14)
	b.put(0, 1+3)   // nothing shows through; version 0
	b.put(0, 1+1+1) // no transforms, no cache of colours, one set of prefix codes
	for _, value := range []byte{green, red, blue, 255} {
		b.put(0b101, 3) // a code of one symbol, of 8 bits: it takes no bit for each pixel
		b.put(uint64(value), 8)
	}
	b.put(0b0001, 4) // distances: a code of one symbol, of one bit
	for len(b.bytes)%2 > 0 {
		b.bytes = append(b.bytes, 0)
	}
	chunk := binary.LittleEndian.AppendUint32([]byte("WEBPVP8L"), uint32(len(b.bytes)))
	chunk = append(chunk, b.bytes...)
	return bytes.Join([][]byte{binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunk))), chunk}, nil)
}

// bits are written from the lowest of each byte on.
type bits struct {
	bytes []byte
	n     int
}

func (b *bits) put(value uint64, width int) {
	for i := range width {
		if b.n%8 == 0 {
			b.bytes = append(b.bytes, 0)
		}
		b.bytes[b.n/8] |= byte(value>>i&1) << (b.n % 8)
		b.n++
	}
}
