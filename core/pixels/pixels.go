// Package pixels turns pictures of any size into what the network sees: 128x128 RGB bytes,
// and from them floats in 0..1. It is the only such path: training, the command line, the
// page and the Worker all go through it, so that the same picture gives the same numbers.
//
// The filter agrees to the bit with the resizing of the reference implementation
// (antialiased bilinear on 8-bit pictures). Standard library only: the page links it.
package pixels

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// Size is the number of rows and columns the network sees.
const Size = 128

// Len is the number of bytes of a prepared picture, [Size][Size][3].
const Len = Size * Size * 3

// FromRGBA prepares a picture of width x height pixels for the network: what is transparent
// lies on white, the short side becomes Size, the middle square is kept, and gray replaces
// the colours by their brightness. rgba is [height][width][4] with colours not multiplied
// by alpha (as in a canvas, or image.NRGBA). The result is [Size][Size][3] in the order
// R, G, B.
//
// Beside rgba itself it needs about as much memory as 130 columns of the picture.
func FromRGBA(rgba []uint8, width, height int, gray bool) ([]uint8, error) {
	if width < 1 || height < 1 {
		return nil, errors.New("the picture is " + sizeString(width, height) + " pixels; want at least 1x1")
	}
	if len(rgba)/4/width != height || len(rgba)%(4*width) != 0 {
		return nil, errors.New("the picture has " + strconv.Itoa(len(rgba)) + " bytes, which is not 4 for each of its " +
			sizeString(width, height) + " pixels; decode it again")
	}
	out := make([]uint8, Len)
	if width == Size && height == Size {
		for i, j := 0, 0; i < Len; i, j = i+3, j+4 { // what the filter comes to at that size, without its work
			c := overWhite([4]uint8(rgba[j:]))
			out[i], out[i+1], out[i+2] = c[0], c[1], c[2]
		}
	} else {
		shrink(out, rgba, width, height)
	}
	if gray {
		Gray(out)
	}
	return out, nil
}

func sizeString(width, height int) string { return strconv.Itoa(width) + "x" + strconv.Itoa(height) }

// overWhite lays a pixel of RGBA on white.
func overWhite(p [4]uint8) [4]uint8 {
	a := uint32(p[3])
	for c := range 3 {
		p[c] = uint8((uint32(p[c])*a + 255*(255-a) + 127) / 255)
	}
	return p
}

// opaque reports whether nothing shines through a row of RGBA.
func opaque(rgba []uint8) bool {
	const alphas = 0xff000000_ff000000
	all := uint64(alphas)
	for len(rgba) >= 32 { // eight pixels at once: this looks at every pixel of large pictures
		all &= binary.LittleEndian.Uint64(rgba) & binary.LittleEndian.Uint64(rgba[8:]) &
			binary.LittleEndian.Uint64(rgba[16:]) & binary.LittleEndian.Uint64(rgba[24:])
		rgba = rgba[32:]
	}
	for i := 3; i < len(rgba); i += 4 {
		if rgba[i] != 255 {
			return false
		}
	}
	return all == alphas
}

// Gray replaces every pixel of rgb, three bytes each, by its brightness in all three
// channels. It comes after the resizing, as in the reference.
func Gray(rgb []uint8) {
	for i := 0; i+2 < len(rgb); i += 3 {
		p := rgb[i : i+3 : i+3]
		v := uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
		p[0], p[1], p[2] = v, v, v
	}
}

// ToFloat fills dst with src / 255, rounded once; len(dst) must be at least len(src).
// Multiplying by 1/255 would differ in the last bit for half of the values.
func ToFloat(dst []float32, src []uint8) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = unit[v]
	}
}

var unit = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()
