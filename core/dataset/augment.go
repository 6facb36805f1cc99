package dataset

import (
	"sync"

	"gdram/core/pixels"
)

// augmented varies the pictures of another set.
type augmented struct {
	Set
	shift   int
	seed    uint64
	benches *sync.Pool // of *variation
}

type variation struct {
	picture []uint8
	stream  stream
}

// Augment returns set with every picture mirrored left to right in half of the cases and
// moved by up to shift pixels (of 128) each way, differently in every epoch. What moves in
// from outside repeats the border.
func Augment(set Set, shift int, seed uint64) Set {
	return &augmented{set, shift, seed, &sync.Pool{New: func() any {
		return &variation{picture: make([]uint8, pixels.Len)}
	}}}
}

func (a *augmented) Fill(dst []uint8, i int, epoch uint64) {
	v := a.benches.Get().(*variation)
	defer a.benches.Put(v)
	a.Set.Fill(v.picture, i, epoch)
	v.stream.seed(a.seed, epoch, i)
	mirror := v.stream.below(2) == 1
	dx := v.stream.below(2*a.shift+1) - a.shift
	dy := v.stream.below(2*a.shift+1) - a.shift
	vary(dst, v.picture, mirror, dx, dy)
}

// vary writes src, mirrored or not, into dst, moved right by dx and down by dy pixels.
func vary(dst, src []uint8, mirror bool, dx, dy int) {
	const width = 3 * pixels.Size // of a row, in bytes
	var mirrored [width]uint8
	for y := range pixels.Size {
		from := src[min(max(y-dy, 0), pixels.Size-1)*width:][:width]
		if mirror {
			for i, j := 0, width-3; j >= 0; i, j = i+3, j-3 {
				mirrored[i], mirrored[i+1], mirrored[i+2] = from[j], from[j+1], from[j+2]
			}
			from = mirrored[:]
		}
		to := dst[y*width:][:width]
		if dx >= 0 {
			repeat(to[:3*dx], from[:3])
			copy(to[3*dx:], from)
		} else {
			copy(to, from[-3*dx:])
			repeat(to[width+3*dx:], from[width-3:])
		}
	}
}

// repeat fills dst with the pixel.
func repeat(dst, pixel []uint8) {
	for i := 0; i < len(dst); i += 3 {
		copy(dst[i:i+3], pixel)
	}
}
