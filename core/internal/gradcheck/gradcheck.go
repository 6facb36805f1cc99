// Package gradcheck tests a backward pass against finite differences of its forward pass.
package gradcheck

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
)

// fourth is the central difference of fourth order. Around float32 code a step has to be
// large, or rounding noise divided by it drowns the slope; the fourth order keeps such a
// step honest: its own error is step^4/30 of the fifth derivative, 3e-8 of it here.
// The step is a power of two, so that Values plus steps are exact float32 numbers.
var fourth = fd.Formula{
	Stencil:    []fd.Point{{Loc: -2, Coeff: 1. / 12}, {Loc: -1, Coeff: -2. / 3}, {Loc: 1, Coeff: 2. / 3}, {Loc: 2, Coeff: -1. / 12}},
	Derivative: 1,
	Step:       1. / 32,
}

// Reach is how far Check moves an element: keep kinks (ReLU at 0, ties of a maximum) farther away.
const Reach = 2. / 32

// Check compares dx, the gradient of loss with respect to x as the backward pass computed it,
// with finite differences. loss must read the very slice x: its elements are moved in place
// and put back. The largest difference may be tolerance times the largest slope; 2e-4 is
// what float32 layers reach. A gradient that is 0 throughout fails, because it tests nothing.
func Check(t testing.TB, name string, tolerance float64, loss func() float64, x, dx []float32) {
	t.Helper()
	if len(x) != len(dx) {
		t.Fatalf("gradcheck: %s: %d elements but %d gradients", name, len(x), len(dx))
	}
	origin := make([]float64, len(x))
	for i, v := range x {
		origin[i] = float64(v)
	}
	set := func(point []float64) {
		for i, v := range point {
			x[i] = float32(v)
		}
	}
	numeric := fd.Gradient(nil, func(point []float64) float64 {
		set(point)
		return loss()
	}, origin, &fd.Settings{Formula: fourth})
	set(origin)

	var scale float64
	for _, v := range numeric {
		scale = max(scale, math.Abs(v))
	}
	if scale < 1e-9 {
		t.Errorf("gradcheck: %s: the loss does not depend on it at all", name)
		return
	}
	for i, want := range numeric {
		if diff := math.Abs(float64(dx[i]) - want); !(diff <= tolerance*scale) {
			t.Errorf("gradcheck: %s[%d]: gradient %g, finite difference %g, apart by %.2g of the largest slope", name, i, dx[i], want, diff/scale)
			return
		}
	}
}

// Values returns n multiples of 1/4 plus 1/8, between -1 and 1: exact under Check's steps and
// never closer to 0 than 1/8.
func Values(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.IntN(8)-4)/4 + 0.125
	}
	return x
}

// Dot is the loss whose gradient with respect to y is dy, in float64 so that summing adds no
// noise of its own.
func Dot(y, dy []float32) float64 {
	var sum float64
	for i, v := range y {
		sum += float64(v) * float64(dy[i])
	}
	return sum
}
