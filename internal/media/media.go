// Package media makes foreign images into what mail clients and browsers show everywhere: JPEG or PNG of a modest size, without what a camera
// or a program wrote into them beside the picture.
package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/draw"
	_ "image/gif" // the first picture of an animation
	"image/jpeg"
	"image/png"
	"math"
	"sync"

	xdraw "golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"silkpost/internal/errs"
)

const (
	maxWidth  = 1200 // pixels of what is kept: twice the width of a mail
	maxHeight = 2400
	maxPixels = 25_000_000 // of what is looked at: 100 MB while it is decoded
	minSide   = 3          // what is narrower counts readers
	quality   = 82         // of JPEG
)

var one sync.Mutex

// Image is an image that anything shows.
type Image struct {
	Body   []byte
	Ext    string // jpg or png
	Width  int    // in pixels
	Height int
}

// Make reads a JPEG, PNG, GIF or WebP image, turns it the way its camera was held, makes it at most 1200 pixels wide and 2400 high, and writes
// it anew: as JPEG, or as PNG where that is smaller or something shows through. The same bytes give the same bytes. What is no such image, has more
// than 25 million pixels or is a pixel to count readers is an error of kind errs.Invalid. How large an image is is asked before it is decoded.
// One is made at a time: it takes as much memory as it does.
func Make(body []byte) (Image, error) {
	one.Lock()
	defer one.Unlock()
	size, format, err := image.DecodeConfig(bytes.NewReader(body))
	switch {
	case errors.Is(err, image.ErrFormat):
		return Image{}, errs.New(errs.Invalid, "it is no JPEG, PNG, GIF or WebP image")
	case err != nil:
		return Image{}, errs.New(errs.Invalid, "the image cannot be read: %w", err)
	case size.Width < minSide || size.Height < minSide:
		return Image{}, errs.New(errs.Invalid, "an image of %d × %d pixels shows nothing", size.Width, size.Height)
	case int64(size.Width)*int64(size.Height) > maxPixels:
		return Image{}, errs.New(errs.Invalid, "the image has %d × %d pixels, more than %d", size.Width, size.Height, maxPixels)
	}
	decoded, err := decode(body)
	if err != nil {
		return Image{}, errs.New(errs.Invalid, "the image cannot be read: %w", err)
	}
	shown := turned(fitted(decoded, sideways(body, format)), orientation(body, format))
	return encode(shown, format)
}

// decode returns the picture. A broken image must not end the program, whatever a decoder makes of it.
func decode(body []byte) (picture image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its decoder failed: %v", r)
		}
	}()
	picture, _, err = image.Decode(bytes.NewReader(body))
	return picture, err
}

func sideways(body []byte, format string) bool { return orientation(body, format) >= 5 }

// fitted returns the picture in a size that fits, drawn anew. One that is to be turned on its side is measured as it will be.
func fitted(picture image.Image, sideways bool) *image.NRGBA {
	from := picture.Bounds()
	width, height := maxWidth, maxHeight
	if sideways {
		width, height = height, width
	}
	scale := min(1, float64(width)/float64(from.Dx()), float64(height)/float64(from.Dy()))
	to := image.Rect(0, 0, scaled(from.Dx(), scale), scaled(from.Dy(), scale))
	made := image.NewNRGBA(to)
	if scale == 1 {
		draw.Draw(made, to, picture, from.Min, draw.Src)
	} else {
		xdraw.CatmullRom.Scale(made, to, picture, from, draw.Src, nil)
	}
	return made
}

func scaled(side int, scale float64) int { return max(1, int(math.Round(float64(side)*scale))) }

// turned returns the picture as its orientation (EXIF 2.3, tag 0x0112) says that it is to be seen.
func turned(from *image.NRGBA, orientation int) *image.NRGBA {
	if orientation <= 1 || orientation > 8 {
		return from
	}
	w, h := from.Rect.Dx(), from.Rect.Dy()
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		to = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch orientation {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			copy(to.Pix[to.PixOffset(tx, ty):][:4], from.Pix[from.PixOffset(x, y):][:4])
		}
	}
	return to
}

func encode(picture *image.NRGBA, format string) (Image, error) {
	made := Image{Width: picture.Rect.Dx(), Height: picture.Rect.Dy(), Ext: "jpg"}
	var asJPEG, asPNG bytes.Buffer
	if picture.Opaque() {
		if err := jpeg.Encode(&asJPEG, picture, &jpeg.Options{Quality: quality}); err != nil {
			return made, err
		}
		if format == "jpeg" {
			made.Body = asJPEG.Bytes()
			return made, nil
		}
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&asPNG, picture); err != nil {
		return made, err
	}
	if asJPEG.Len() > 0 && asJPEG.Len() < asPNG.Len() {
		made.Body = asJPEG.Bytes()
	} else {
		made.Body, made.Ext = asPNG.Bytes(), "png"
	}
	return made, nil
}

// orientation returns how a JPEG image's camera was held: 1 to 8, 0 when it does not say.
func orientation(body []byte, format string) int {
	if format != "jpeg" {
		return 0
	}
	for at := 2; at+4 <= len(body) && body[at] == 0xff; {
		marker, length := body[at+1], int(binary.BigEndian.Uint16(body[at+2:]))
		if marker == 0xda || length < 2 || at+2+length > len(body) { // the picture begins
			return 0
		}
		if segment := body[at+4 : at+2+length]; marker == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			return tiffOrientation(segment[6:])
		}
		at += 2 + length
	}
	return 0
}

func tiffOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	first := int64(order.Uint32(tiff[4:]))
	if first+2 > int64(len(tiff)) {
		return 0
	}
	entries := tiff[first+2:]
	for n := int(order.Uint16(tiff[first:])); n > 0 && len(entries) >= 12; n-- {
		if order.Uint16(entries) == 0x0112 {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[12:]
	}
	return 0
}
