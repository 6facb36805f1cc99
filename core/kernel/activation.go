package kernel

import "math"

// exp is e^x for |x| <= 700, with a relative error below 3e-10: with x = n*ln 2 + r,
//
//	e^x = 2^n * e^r,  |r| <= ln 2 / 2,  e^r by its Taylor series to r^8
//
// in float64, which leaves the one rounding to float32 as the only error that counts. math.Exp is
// assembly on some processors and gives other bits there.
func exp(x float64) float64 {
	// Adding 1.5 * 2^52 leaves no room for a fraction: n is rounded to a whole number
	// and stands in the low bits.
	const whole = 3 << 51
	shifted := float64(x*math.Log2E) + whole
	r := x - float64((shifted-whole)*math.Ln2)
	r2 := r * r
	r4 := r2 * r2
	series := 1 + r + float64(r2*(0.5+float64(r*(1.0/6)))) +
		float64(r4*((1.0/24+float64(r*(1.0/120)))+float64(r2*(1.0/720+float64(r*(1.0/5040))+float64(r2*(1.0/40320))))))
	return series * math.Float64frombits(math.Float64bits(shifted)<<52+1023<<52)
}

// clamp keeps exp's argument where float32 has long gone to 0 or infinity and float64 has not.
func clamp(x float32) float64 {
	if x > 150 {
		return 150
	}
	if x < -150 {
		return -150
	}
	return float64(x) // NaN as well
}

// Exp is e^x with a relative error below 3e-10, the same bits on every processor. It keeps NaN, and
// stays at e^±150 beyond ±150.
func Exp(x float32) float64 { return exp(clamp(x)) }

// Sigmoid is 1/(1 + e^-x), within 0.51 units in the last place.
func Sigmoid(x float32) float32 { return float32(1 / (1 + exp(-clamp(x)))) }

// Tanh is (e^2x - 1)/(e^2x + 1), within 0.51 units in the last place.
func Tanh(x float32) float32 {
	if -1e-5 < x && x < 1e-5 {
		return x // x^3/3 is far below the last place, and e^2x - 1 would lose digits
	}
	e := exp(2 * clamp(x))
	return float32((e - 1) / (e + 1))
}

// LSTM is the pointwise half of Cells LSTM cells of Units units. On entry Gates [Cells][4*Units]
// holds pre-activations in the order input, forget, cell, output; on exit their activations.
//
//	i, f, o = sigmoid(...), g = tanh(...)
//	C = f*CPrev + i*g
//	H = o*tanh(C)
//
// C, H and CPrev are [Cells][Units]; C may be CPrev. Both kernels give the same bits.
type LSTM struct {
	Gates, C, H, CPrev []float32
	Cells, Units       int
}

// Run computes the cells.
func (l *LSTM) Run() {
	n := l.Cells * l.Units
	if n == 0 {
		return
	}
	_, _, _, _ = l.Gates[4*n-1], l.C[n-1], l.H[n-1], l.CPrev[n-1]
	if fast {
		l.fast()
	} else {
		l.portable()
	}
}
