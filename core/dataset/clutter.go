package dataset

import "sync"

// Cluttered MNIST as published: a digit somewhere on 40x40 pixels, and five patches of 5x5
// cut from others, added and clipped.
const (
	clutterSize = 40
	patches     = 5
	patchSize   = 5
)

// clutter makes cluttered pictures afresh in every epoch.
type clutter struct {
	digits  *Digits
	seed    uint64
	n       int
	benches *sync.Pool
}

// FreshClutter returns n pictures that are made anew in every epoch. Picture i keeps its
// label, that of digit i; which digit of the class shows it, where, and the clutter change.
func FreshClutter(digits *Digits, seed uint64, n int) Set {
	return &clutter{digits, seed, n, newBenches(clutterSize, 1)}
}

func (c *clutter) Len() int { return c.n }

func (c *clutter) Label(i int) int { return int(c.digits.labels[i%len(c.digits.labels)]) }

func (c *clutter) Fill(dst []uint8, i int, epoch uint64) {
	b := c.benches.Get().(*bench)
	defer c.benches.Put(b)
	b.stream.seed(c.seed, epoch, i)
	c.draw(b.small, c.Label(i), &b.stream)
	b.enlarge(dst, b.small)
}

// draw makes one picture of the class on [40][40] bytes.
func (c *clutter) draw(small []uint8, class int, s *stream) {
	clear(small)
	same := c.digits.byClass[class]
	shown := int(same[s.below(len(same))])
	// The published pictures were placed this way: evenly from left to right but for the
	// last place, and at the bottom more often than not. Their patches, too, leave out the
	// last place in either direction, so that the last row and column stay empty but for digits.
	x := s.below(clutterSize - digitSize)
	y := min(s.below(clutterSize), clutterSize-digitSize)
	digit := c.digits.image(shown)
	for row := range digitSize {
		copy(small[(y+row)*clutterSize+x:], digit[row*digitSize:(row+1)*digitSize])
	}
	for range patches {
		other := c.digits.image(s.below(len(c.digits.labels)))
		fromX, fromY := s.below(digitSize-patchSize), s.below(digitSize-patchSize)
		toX, toY := s.below(clutterSize-patchSize), s.below(clutterSize-patchSize)
		for row := range patchSize {
			from := other[(fromY+row)*digitSize+fromX:][:patchSize]
			to := small[(toY+row)*clutterSize+toX:][:patchSize]
			for i, v := range from {
				to[i] = uint8(min(int(to[i])+int(v), 255))
			}
		}
	}
}
