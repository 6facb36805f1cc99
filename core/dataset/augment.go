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
	const last = pixels.Size - 1
	for y := range pixels.Size {
		from := src[min(max(y-dy, 0), last)*pixels.Size*3:][:pixels.Size*3]
		to := dst[y*pixels.Size*3:][:pixels.Size*3]
		for x := range pixels.Size {
			fx := min(max(x-dx, 0), last)
			if mirror {
				fx = last - fx
			}
			to[3*x], to[3*x+1], to[3*x+2] = from[3*fx], from[3*fx+1], from[3*fx+2]
		}
	}
}
