package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestAcross holds both kernels against the definition, with bytes before and behind that must stay as they are.
func TestAcross(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, pixels := range []int{1, 2, 3, 128} {
			for _, taps := range []int{0, 4, 8, 20} {
				src, first := randomBytes(rng, 4*200), make([]int32, pixels)
				for i := range first {
					first[i] = int32(rng.IntN(200 - taps + 1))
				}
				weights := shares(rng, pixels, taps)
				want := randomBytes(rng, 4*pixels+8)
				got := append([]byte(nil), want...)
				for i, f := range first {
					for b := range 4 {
						sum := uint64(shrinkHalf)
						for k, w := range weights[i*taps:][:taps] {
							sum += uint64(w) * uint64(src[4*(int(f)+k)+b])
						}
						want[4+4*i+b] = byte(sum >> ShrinkBits)
					}
				}
				Across(got[4:4+4*pixels:4+4*pixels], src, first, weights)
				assert.Equal(t, want, got, "%d pixels of %d", pixels, taps)
			}
		}
	})
}

// TestDown is the same for columns.
func TestDown(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, row := range []int{16, 48, 512} {
			for _, taps := range []int{0, 1, 2, 7, 20} {
				src, weights := randomBytes(rng, row*taps), shares(rng, 1, taps)
				want := randomBytes(rng, row+8)
				got := append([]byte(nil), want...)
				for i := range row {
					sum := uint64(shrinkHalf)
					for k, w := range weights {
						sum += uint64(w) * uint64(src[k*row+i])
					}
					want[4+i] = byte(sum >> ShrinkBits)
				}
				Down(got[4:4+row:4+row], src, weights)
				assert.Equal(t, want, got, "%d rows of %d", taps, row)
			}
		}
	})
}

// White stays white whatever the weights round to, up to the largest filter that Across and Down are for.
func TestShrinkWhite(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		const taps = 16_000
		white := make([]byte, 16*taps)
		for i := range white {
			white[i] = 255
		}
		weights := make([]uint32, taps) // one, and half a unit too much for each
		for i, rest := 0, 1<<ShrinkBits+taps/2; i < taps; i++ {
			weights[i] = uint32(rest / (taps - i))
			rest -= int(weights[i])
		}
		pixel, row := make([]byte, 4), make([]byte, 16)
		Across(pixel, white, []int32{0}, weights)
		Down(row, white, weights)
		assert.Equal(t, white[:4], pixel)
		assert.Equal(t, white[:16], row)
	})
}

func TestShrinkRefuses(t *testing.T) {
	assert.Panics(t, func() { Across(make([]byte, 4), make([]byte, 40), []int32{0}, make([]uint32, 3)) }, "no fours")
	assert.Panics(t, func() { Across(make([]byte, 4), make([]byte, 40), []int32{7}, make([]uint32, 4)) }, "behind the row")
	assert.Panics(t, func() { Across(make([]byte, 4), make([]byte, 40), []int32{-1}, make([]uint32, 4)) }, "before it")
	assert.Panics(t, func() { Across(make([]byte, 3), make([]byte, 40), []int32{0}, make([]uint32, 4)) }, "no room")
	assert.Panics(t, func() { Down(make([]byte, 8), make([]byte, 16), make([]uint32, 2)) }, "no sixteens")
	assert.Panics(t, func() { Down(make([]byte, 16), make([]byte, 31), make([]uint32, 2)) }, "too few rows")
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// shares is weights of which each n add up to one or a little less.
func shares(rng *rand.Rand, filters, n int) []uint32 {
	var weights []uint32
	for range filters {
		left := uint32(1 << ShrinkBits)
		for i := range n {
			w := rng.Uint32N(left + 1)
			if i == n-1 {
				w = left
			}
			weights = append(weights, w)
			left -= w
		}
	}
	return weights
}
