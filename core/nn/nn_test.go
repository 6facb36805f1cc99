package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ulps is how many float32 steps lie between got and the exact value.
func ulps(got float32, exact float64) float64 {
	rounded := float32(exact)
	step := float64(math.Nextafter32(float32(math.Abs(float64(rounded))), math.MaxFloat32)) - math.Abs(float64(rounded))
	return math.Abs(float64(got)-exact) / step
}

// sweep visits some 800,000 numbers: every exponent of either sign, and densely -110..110.
func sweep(visit func(x float32)) {
	for bits := uint32(0); bits < 0x7f800000; bits += 9001 {
		visit(math.Float32frombits(bits))
		visit(-math.Float32frombits(bits))
	}
	for x := float32(-110); x < 110; x += 0.00073 {
		visit(x)
	}
}

func TestActivationsAgainstFloat64(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     func(float32) float32
		exact func(float64) float64
	}{
		{"Exp", Exp, math.Exp},
		{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{"Tanh", Tanh, math.Tanh},
	} {
		t.Run(c.name, func(t *testing.T) {
			var worst float64
			sweep(func(x float32) {
				got, exact := c.f(x), c.exact(float64(x))
				if math.IsInf(float64(float32(exact)), 0) {
					require.Equal(t, float32(exact), got, "at %g", x)
					return
				}
				if off := ulps(got, exact); off > worst {
					worst = off
					require.LessOrEqual(t, off, 0.51, "at %g: got %g, want %g", x, got, exact)
				}
			})
			t.Logf("worst: %.3f units in the last place", worst)
		})
	}
}

func TestActivationsAtTheEnds(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	assert.Equal(t, []float32{1, inf, 0, inf, 0}, []float32{Exp(0), Exp(inf), Exp(-inf), Exp(1e30), Exp(-1e30)})
	assert.Equal(t, []float32{0.5, 1, 0, 1, 0}, []float32{Sigmoid(0), Sigmoid(inf), Sigmoid(-inf), Sigmoid(200), Sigmoid(-200)})
	assert.Equal(t, []float32{0, 1, -1, 1, -1}, []float32{Tanh(0), Tanh(inf), Tanh(-inf), Tanh(200), Tanh(-200)})
	for _, f := range []func(float32) float32{Exp, Sigmoid, Tanh} {
		assert.True(t, math.IsNaN(float64(f(nan))), "NaN is not hidden")
	}
	y := []float32{nan}
	ReLUForward(y, y)
	assert.True(t, math.IsNaN(float64(y[0])), "NaN is not hidden")
}

// The bits must be the same on every processor; this is a digest of them.
func TestActivationBits(t *testing.T) {
	digest := func(f func(float32) float32) (sum uint64) {
		sweep(func(x float32) { sum = sum*0x9E3779B97F4A7C15 + uint64(math.Float32bits(f(x))) })
		return sum
	}
	assert.Equal(t, uint64(0x23ca8d834ddb1e2), digest(Exp))
	assert.Equal(t, uint64(0x3e92864ad2b33008), digest(Sigmoid))
	assert.Equal(t, uint64(0x876c786d304f0a37), digest(Tanh))
}

func TestReLUSlopeAtZero(t *testing.T) {
	dx := []float32{5}
	ReLUBackward(dx, []float32{3}, []float32{0})
	assert.Equal(t, []float32{0}, dx)
}

func TestBackwardWithoutInputGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 0))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = rng.Float32()
		}
		return x
	}
	dy, x, weight := random(2*9*3), random(2*9*2), random(3*2*9)
	dx, a, b, c, d := dirty(2*9*2), make([]float32, 54), make([]float32, 54), make([]float32, 3), make([]float32, 3)
	Conv3x3Backward(dx, a, c, dy, x, weight, 2, 3, 3, 2, 3)
	Conv3x3Backward(nil, b, d, dy, x, weight, 2, 3, 3, 2, 3)
	assert.Equal(t, a, b)
	assert.Equal(t, c, d)

	LinearBackward(dx, a, c, dy, x, weight, 18, 2, 3)
	LinearBackward(nil, b, d, dy, x, weight, 18, 2, 3)
	assert.Equal(t, a, b)
	assert.Equal(t, c, d)
}

func TestLSTMInPlace(t *testing.T) {
	const N, H = 3, 5
	rng := rand.New(rand.NewPCG(10, 0))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	pre, cPrev, dh, dc := random(N*4*H), random(N*H), random(N*H), random(N*H)

	gates, c, h := append([]float32(nil), pre...), make([]float32, N*H), make([]float32, N*H)
	LSTMForward(gates, c, h, cPrev, N, H)
	dgates, dcPrev := make([]float32, N*4*H), make([]float32, N*H)
	LSTMBackward(dgates, dcPrev, gates, c, cPrev, dh, dc, N, H)

	inPlace, state, h2 := append([]float32(nil), pre...), append([]float32(nil), cPrev...), make([]float32, N*H)
	LSTMForward(inPlace, state, h2, state, N, H)
	assert.Equal(t, gates, inPlace)
	assert.Equal(t, c, state)
	assert.Equal(t, h, h2)
	LSTMBackward(inPlace, dc, inPlace, c, cPrev, dh, dc, N, H)
	assert.Equal(t, dgates, inPlace)
	assert.Equal(t, dcPrev, dc)
}

func TestBatchNormRefusesOneRow(t *testing.T) {
	one := func() []float32 { return []float32{1} }
	assert.Panics(t, func() { BatchNormTrain(one(), one(), one(), one(), one(), one(), one(), one(), 1, 1) })
}

// A mean of 10,000 would cost E[x^2] - mean^2 every digit of a variance of 1.
func TestBatchNormOfLargeMeans(t *testing.T) {
	x := []float32{9999, 10001, 9999, 10001}
	y, mean, invStd := make([]float32, 4), make([]float32, 1), make([]float32, 1)
	BatchNormTrain(y, x, []float32{1}, []float32{0}, mean, invStd, make([]float32, 1), make([]float32, 1), 4, 1)
	assert.InDeltaSlice(t, []float32{-1, 1, -1, 1}, y, 1e-5)
}

func TestSoftmaxOfLargeLogits(t *testing.T) {
	p := make([]float32, 3)
	Softmax(p, []float32{1e30, -1e30, 1e30})
	assert.Equal(t, []float32{0.5, 0, 0.5}, p)
	assert.InDelta(t, 0, CrossEntropy([]float32{500, float32(math.Inf(-1))}, 0, 0, nil, 0), 1e-12, "a class that cannot be costs nothing")
}

// Smoothing shares the label out: s of it evenly among all classes.
func TestCrossEntropySmoothing(t *testing.T) {
	logits := []float32{0.5, -1, 2, 0.25}
	var mean float64
	for label := range logits {
		mean += CrossEntropy(logits, label, 0, nil, 0) / 4
	}
	assert.InDelta(t, 0.9*CrossEntropy(logits, 1, 0, nil, 0)+0.1*mean, CrossEntropy(logits, 1, 0.1, nil, 0), 1e-6)
}

func TestCrossEntropyRefusesUnknownLabels(t *testing.T) {
	assert.Panics(t, func() { CrossEntropy([]float32{1, 2}, 2, 0, nil, 0) })
	assert.Panics(t, func() { CrossEntropy([]float32{1, 2}, -1, 0, nil, 0) })
}

func TestAdamCutAnywhere(t *testing.T) {
	const n = 101
	rng := rand.New(rand.NewPCG(11, 0))
	grads := make([]float32, 3*n)
	for i := range grads {
		grads[i] = float32(rng.NormFloat64())
	}
	adam := Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01}
	run := func(cuts ...int) []float32 {
		p, m, v := ones(n), make([]float32, n), make([]float32, n)
		for step := range 3 {
			g := grads[step*n : (step+1)*n]
			from := 0
			for _, to := range append(cuts, n) {
				adam.Step(p[from:to], g[from:to], m[from:to], v[from:to], step+1)
				from = to
			}
		}
		return append(append(p, m...), v...)
	}
	assert.Equal(t, run(), run(1, 2, 7, 64))
}

// With no gradient AdamW only shrinks, by LR*WeightDecay a step: 4 to 3.8. Decay added to the
// gradient would move by LR whatever the size: 4 to 3.9.
func TestAdamDecouplesWeightDecay(t *testing.T) {
	adam := Adam{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.5}
	p, zero := []float32{4}, make([]float32, 3)
	adam.Step(p, zero[:1], zero[1:2], zero[2:], 1)
	assert.InDelta(t, 3.8, p[0], 1e-6)
	adam.WeightDecay = 0
	adam.Step(p, zero[:1], zero[1:2], zero[2:], 2)
	assert.InDelta(t, 3.8, p[0], 1e-6)
}

func BenchmarkLSTMForward(b *testing.B) {
	const N, H = 128, 128
	gates, c, h, cPrev := make([]float32, N*4*H), make([]float32, N*H), make([]float32, N*H), make([]float32, N*H)
	for b.Loop() {
		LSTMForward(gates, c, h, cPrev, N, H)
	}
}

func BenchmarkAdam(b *testing.B) {
	const n = 1_134_799
	p, g, m, v := ones(n), ones(n), make([]float32, n), make([]float32, n)
	adam := Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	step := 0
	for b.Loop() {
		step++
		adam.Step(p, g, m, v, step)
	}
}
