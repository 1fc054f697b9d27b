package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

// corner is white but for its upper left quarter, which is black.
func corner(width, height int) *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := color.NRGBA{255, 255, 255, 255}
			if x < width/2 && y < height/2 {
				shade = color.NRGBA{0, 0, 0, 255}
			}
			picture.SetNRGBA(x, y, shade)
		}
	}
	return picture
}

func asJPEG(t testing.TB, picture image.Image, orientation int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	if orientation == 0 {
		return b.Bytes()
	}
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00\x00\x00\x00\x00secret place")
	segment := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return append(append(head, segment...), b.Bytes()[2:]...)
}

func asPNG(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decoded(t testing.TB, made Image) image.Image {
	t.Helper()
	picture, format, err := image.Decode(bytes.NewReader(made.Body))
	if err != nil || picture.Bounds().Dx() != made.Width || picture.Bounds().Dy() != made.Height || format[:1] != made.Ext[:1] {
		t.Fatalf("a %s of %v, said to be %s of %d × %d: %v", format, picture.Bounds(), made.Ext, made.Width, made.Height, err)
	}
	return picture
}

func TestImagesAreMadeToFit(t *testing.T) {
	t.Parallel()
	glass := corner(40, 40)
	glass.SetNRGBA(30, 30, color.NRGBA{255, 0, 0, 100})
	var animated bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.White, color.Black})
	if err := gif.EncodeAll(&animated, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body          []byte
		ext           string
		width, height int
	}{
		"a small photograph":        {asJPEG(t, corner(600, 400), 0), "jpg", 600, 400},
		"a wide one":                {asJPEG(t, corner(2400, 800), 0), "jpg", 1200, 400},
		"a tall one":                {asJPEG(t, corner(1000, 4800), 0), "jpg", 500, 2400},
		"a wide one on its side":    {asJPEG(t, corner(1200, 2400), 6), "jpg", 1200, 600},
		"a drawing":                 {asPNG(t, corner(600, 400)), "png", 600, 400},
		"what shows through":        {asPNG(t, glass), "png", 40, 40},
		"WebP":                      {testkit.WebP(2400, 600, 200, 30, 30), "png", 1200, 300},
		"the first of an animation": {animated.Bytes(), "png", 30, 20},
	} {
		made, err := Make(tt.body)
		if err != nil || made.Ext != tt.ext || made.Width != tt.width || made.Height != tt.height {
			t.Errorf("%s: %s, %d × %d, %v", name, made.Ext, made.Width, made.Height, err)
			continue
		}
		decoded(t, made)
		again, err := Make(tt.body)
		if err != nil || !bytes.Equal(again.Body, made.Body) {
			t.Errorf("%s: other bytes the second time (%v)", name, err)
		}
	}
}

func TestAnImageIsTurnedAsItsCameraWasHeld(t *testing.T) {
	t.Parallel()
	dark := map[int]string{1: "upper left", 2: "upper right", 3: "lower right", 4: "lower left", 5: "upper left", 6: "upper right", 7: "lower right", 8: "lower left"}
	for orientation, want := range dark {
		made, err := Make(asJPEG(t, corner(64, 32), orientation))
		if err != nil {
			t.Fatal(err)
		}
		picture := decoded(t, made)
		var where []string
		w, h := made.Width, made.Height
		if sideways := orientation >= 5; sideways != (w == 32) {
			t.Errorf("orientation %d: %d × %d", orientation, w, h)
		}
		for name, at := range map[string]image.Point{
			"upper left": {w / 8, h / 8}, "upper right": {w * 7 / 8, h / 8}, "lower left": {w / 8, h * 7 / 8}, "lower right": {w * 7 / 8, h * 7 / 8},
		} {
			if r, _, _, _ := picture.At(at.X, at.Y).RGBA(); r < 0x8000 {
				where = append(where, name)
			}
		}
		if strings.Join(where, " and ") != want {
			t.Errorf("orientation %d: the dark corner is %q, want %q", orientation, where, want)
		}
		if bytes.Contains(made.Body, []byte("Exif")) || bytes.Contains(made.Body, []byte("secret")) {
			t.Errorf("orientation %d: what the camera wrote is still there", orientation)
		}
	}
}

// bomb is a PNG image that says how large it is, and is not.
func bomb(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	header = append(binary.BigEndian.AppendUint32(header, height), 8, 6, 0, 0, 0)
	body := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(body, crc32.ChecksumIEEE(header))
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body []byte
		want string
	}{
		"a bomb":      {bomb(100_000, 100_000), "100000 × 100000 pixels, more than"},
		"a pixel":     {asPNG(t, corner(1, 1)), "shows nothing"},
		"a line":      {asPNG(t, corner(600, 1)), "shows nothing"},
		"SVG":         {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>`), "no JPEG, PNG, GIF or WebP"},
		"a page":      {[]byte("<html>"), "no JPEG"},
		"nothing":     {nil, "no JPEG"},
		"half of one": {asJPEG(t, corner(600, 400), 0)[:900], "cannot be read"},
		"a head":      {bomb(600, 400), "cannot be read"},
	} {
		if _, err := Make(tt.body); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzMake(f *testing.F) {
	for _, seed := range [][]byte{asJPEG(f, corner(16, 8), 6), asPNG(f, corner(8, 8)), bomb(70_000, 70_000), []byte("GIF89a"), []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), testkit.WebP(30, 20, 1, 2, 3)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if size, _, err := image.DecodeConfig(bytes.NewReader(body)); err == nil && size.Width*size.Height > 1_000_000 {
			return // slow, not wrong
		}
		made, err := Make(body)
		if err != nil {
			return
		}
		if decoded(t, made); made.Width > maxWidth || made.Height > maxHeight {
			t.Fatalf("%d × %d", made.Width, made.Height)
		}
	})
}

func BenchmarkMakePhotograph(b *testing.B) {
	body := asJPEG(b, corner(4000, 3000), 1)
	for b.Loop() {
		if _, err := Make(body); err != nil {
			b.Fatal(err)
		}
	}
}
