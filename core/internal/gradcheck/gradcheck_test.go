package gradcheck

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// recorder stands in for the test that Check reports to.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.errors++ }

func TestCheck(t *testing.T) {
	x := Values(rand.New(rand.NewPCG(1, 2)), 9)
	cube := func() float64 {
		var sum float64
		for _, v := range x {
			sum += float64(v * v * v)
		}
		return sum
	}
	slope := make([]float32, len(x))
	for i, v := range x {
		slope[i] = 3 * v * v
	}
	before := append([]float32(nil), x...)

	r := &recorder{TB: t}
	Check(r, "right", 1e-5, cube, x, slope)
	assert.Zero(t, r.errors, "a right gradient passes")
	assert.Equal(t, before, x, "the point is put back")

	slope[4] *= 1.01
	Check(r, "one element wrong by a hundredth", 1e-4, cube, x, slope)
	assert.Equal(t, 1, r.errors)

	Check(r, "a constant loss", 1e-4, func() float64 { return 1 }, x, make([]float32, len(x)))
	assert.Equal(t, 2, r.errors)
}
