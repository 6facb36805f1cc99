package dataset

import (
	"math"
	"sync"

	"gdram/core/pixels"
)

// How far Augment goes. A picture of nature still shows the same thing afterwards.
const (
	maxShift   = 12   // pixels of 128, each way
	maxStretch = 0.2  // natural logarithm of a factor on the width, and of another on the height
	maxLight   = 0.2  // part of the range that everything becomes lighter or darker
	maxTint    = 0.15 // part by which a channel's contrast changes, each for itself
	holeSize   = 40   // pixels of 128, of a grey square that hides what is there (DeVries & Taylor's cutout)
)

// augmented varies the pictures of another set.
type augmented struct {
	Set
	seed    uint64
	benches *sync.Pool // of *variation
}

// variation is what a picture goes through, in this order.
type variation struct {
	columns, rows [pixels.Size]int   // where pixel x, y comes from
	tones         [3][256]uint8      // what becomes of a channel's values
	hole          struct{ x, y int } // of the square's first pixel, which may lie outside

	picture []uint8
	stream  stream
}

// Augment returns set with every picture mirrored left to right in half of the cases, moved and stretched, in other
// light, and with a hole, differently in every epoch. What moves in from outside repeats the border.
func Augment(set Set, seed uint64) Set {
	return &augmented{set, seed, &sync.Pool{New: func() any {
		return &variation{picture: make([]uint8, pixels.Len)}
	}}}
}

func (a *augmented) Fill(dst []uint8, i int, epoch uint64) {
	v := a.benches.Get().(*variation)
	defer a.benches.Put(v)
	a.Set.Fill(v.picture, i, epoch)
	v.stream.seed(a.seed, epoch, i)
	v.choose()
	v.apply(dst)
}

// choose draws a variation.
func (v *variation) choose() {
	s := &v.stream
	from(&v.columns, s.below(2) == 1, maxShift*s.signed(), math.Exp(maxStretch*s.signed()))
	from(&v.rows, false, maxShift*s.signed(), math.Exp(maxStretch*s.signed()))
	light := 255 * maxLight * s.signed()
	for c := range v.tones {
		gain := 1 + maxTint*s.signed()
		for tone := range v.tones[c] {
			v.tones[c][tone] = uint8(min(max(128+gain*(float64(tone)-128)+light, 0), 255) + 0.5)
		}
	}
	v.hole.x, v.hole.y = s.below(pixels.Size)-holeSize/2, s.below(pixels.Size)-holeSize/2
}

// from notes for every place along an axis where its pixel comes from, when the picture is mirrored or not, then
// stretched by a factor about its middle, then moved by shift.
func from(places *[pixels.Size]int, mirror bool, shift, stretch float64) {
	const middle = float64(pixels.Size-1) / 2
	for i := range places {
		p := min(max(int(math.Round(middle+(float64(i)-middle-shift)/stretch)), 0), pixels.Size-1)
		if mirror {
			p = pixels.Size - 1 - p
		}
		places[i] = p
	}
}

// apply writes the picture, varied, into dst.
func (v *variation) apply(dst []uint8) {
	const width = 3 * pixels.Size // of a row, in bytes
	left, right := max(v.hole.x, 0), min(v.hole.x+holeSize, pixels.Size)
	for y, row := range v.rows {
		from, to := v.picture[row*width:][:width], dst[y*width:][:width]
		for x, column := range v.columns {
			p, q := from[3*column:][:3], to[3*x:][:3]
			q[0], q[1], q[2] = v.tones[0][p[0]], v.tones[1][p[1]], v.tones[2][p[2]]
		}
		if y >= v.hole.y && y < v.hole.y+holeSize {
			for i := 3 * left; i < 3*right; i++ {
				to[i] = 128
			}
		}
	}
}
