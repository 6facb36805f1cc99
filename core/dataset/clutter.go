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
	same    bool // picture i shows digit i itself, not another of its class
	benches *sync.Pool
}

// FreshClutter returns n pictures that are made anew in every epoch. Picture i keeps its
// label, that of digit i; which digit of the class shows it, where, and the clutter change.
func FreshClutter(digits *Digits, seed uint64, n int) Set {
	return &clutter{digits: digits, seed: seed, n: n, benches: newBenches(clutterSize, 1)}
}

// Seeds of sets that always hold the same pictures; others would be other sets.
const (
	testClutterSeed  = 20201124
	validClutterSeed = 20201125
)

// FreshTest returns a cluttered test set larger than the published one's 1,000: each of MNIST's 10,000 test
// digits once, among patches of the others. The pictures are the same every time.
func FreshTest(dataPath string) (Set, error) {
	return eachOnce(dataPath, "t10k", 0, testClutterSeed)
}

// FreshValid is the same of the 10,000 training digits that train nothing but a refit, for choosing by. A file that holds no
// more digits than those which train gives an empty set.
func FreshValid(dataPath string) (Set, error) {
	return eachOnce(dataPath, "train", trainDigits, validClutterSeed)
}

func eachOnce(dataPath, part string, from int, seed uint64) (Set, error) {
	digits, err := openDigits(dataPath, part, from, allDigits)
	if err != nil {
		return nil, err
	}
	return &clutter{digits, seed, len(digits.labels), true, newBenches(clutterSize, 1)}, nil
}

func (c *clutter) Len() int { return c.n }

func (c *clutter) Label(i int) int { return int(c.digits.labels[i%len(c.digits.labels)]) }

func (c *clutter) Fill(dst []uint8, i int, epoch uint64) {
	b := c.benches.Get().(*bench)
	defer c.benches.Put(b)
	if c.same {
		epoch = 0
	}
	b.stream.seed(c.seed, epoch, i)
	c.draw(b.small, i, &b.stream)
	b.enlarge(dst, b.small)
}

// draw makes picture i on [40][40] bytes.
func (c *clutter) draw(small []uint8, i int, s *stream) {
	clear(small)
	shown := i
	if !c.same {
		alike := c.digits.byClass[c.Label(i)]
		shown = int(alike[s.below(len(alike))])
	}
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
