package nn

import (
	"math/rand/v2"
	"testing"

	"gdram/core/internal/gradcheck"
)

const tolerance = 2e-4

func TestGradientConv(t *testing.T) {
	for _, s := range []struct{ N, H, W, C, K int }{{1, 1, 1, 1, 1}, {2, 3, 5, 2, 3}, {1, 2, 3, 4, 1}} {
		rng := rand.New(rand.NewPCG(1, 0))
		x, weight, bias := gradcheck.Values(rng, s.N*s.H*s.W*s.C), gradcheck.Values(rng, s.K*s.C*9), gradcheck.Values(rng, s.K)
		dy := gradcheck.Values(rng, s.N*s.H*s.W*s.K)
		y := make([]float32, len(dy))
		loss := func() float64 {
			Conv3x3Forward(y, x, weight, bias, s.N, s.H, s.W, s.C, s.K)
			return gradcheck.Dot(y, dy)
		}
		dx, dweight, dbias := dirty(len(x)), make([]float32, len(weight)), make([]float32, s.K)
		Conv3x3Backward(dx, dweight, dbias, dy, x, weight, s.N, s.H, s.W, s.C, s.K)
		gradcheck.Check(t, "x", tolerance, loss, x, dx)
		gradcheck.Check(t, "weight", tolerance, loss, weight, dweight)
		gradcheck.Check(t, "bias", tolerance, loss, bias, dbias)
	}
}

func TestGradientLinear(t *testing.T) {
	const N, C, K = 3, 5, 4
	rng := rand.New(rand.NewPCG(2, 0))
	x, weight, bias, dy := gradcheck.Values(rng, N*C), gradcheck.Values(rng, K*C), gradcheck.Values(rng, K), gradcheck.Values(rng, N*K)
	y := make([]float32, N*K)
	loss := func() float64 {
		LinearForward(y, x, weight, bias, N, C, K)
		return gradcheck.Dot(y, dy)
	}
	dx, dweight, dbias := dirty(N*C), make([]float32, K*C), make([]float32, K)
	LinearBackward(dx, dweight, dbias, dy, x, weight, N, C, K)
	gradcheck.Check(t, "x", tolerance, loss, x, dx)
	gradcheck.Check(t, "weight", tolerance, loss, weight, dweight)
	gradcheck.Check(t, "bias", tolerance, loss, bias, dbias)
}

func TestGradientMaxPool(t *testing.T) {
	for _, s := range []struct{ N, H, W, C int }{{2, 4, 4, 3}, {1, 5, 7, 2}} {
		// All different by a quarter, so that no step changes which one is the largest.
		rng := rand.New(rand.NewPCG(3, 0))
		x := make([]float32, s.N*s.H*s.W*s.C)
		for i, place := range rng.Perm(len(x)) {
			x[i] = float32(place) / 4
		}
		dy := gradcheck.Values(rng, s.N*(s.H/2)*(s.W/2)*s.C)
		y := make([]float32, len(dy))
		dx := dirty(len(x))
		MaxPoolBackward(dx, dy, x, s.N, s.H, s.W, s.C)
		gradcheck.Check(t, "x", tolerance, func() float64 {
			MaxPoolForward(y, x, s.N, s.H, s.W, s.C)
			return gradcheck.Dot(y, dy)
		}, x, dx)
	}
}

func TestGradientReLU(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	x, dy := gradcheck.Values(rng, 40), gradcheck.Values(rng, 40)
	y, dx := make([]float32, 40), dirty(40)
	ReLUForward(y, x)
	ReLUBackward(dx, dy, y)
	gradcheck.Check(t, "relu", tolerance, func() float64 {
		ReLUForward(y, x)
		return gradcheck.Dot(y, dy)
	}, x, dx)
}

func TestGradientBatchNorm(t *testing.T) {
	for _, train := range []bool{true, false} {
		const N, C = 12, 3
		rng := rand.New(rand.NewPCG(5, 0))
		x, dy := gradcheck.Values(rng, N*C), gradcheck.Values(rng, N*C)
		weight, bias, mean, variance := gradcheck.Values(rng, C), gradcheck.Values(rng, C), gradcheck.Values(rng, C), ones(C)
		batchMean, invStd, y := make([]float32, C), make([]float32, C), make([]float32, N*C)
		scratch := make([]float32, 2*C)
		loss := func() float64 {
			if train {
				BatchNormTrain(y, x, weight, bias, batchMean, invStd, scratch[:C], scratch[C:], N, C)
			} else {
				BatchNormEval(y, x, weight, bias, mean, variance, N, C)
			}
			return gradcheck.Dot(y, dy)
		}
		loss()
		dx, dweight, dbias := dirty(N*C), make([]float32, C), make([]float32, C)
		if train {
			BatchNormBackward(dx, dweight, dbias, dy, x, weight, batchMean, invStd, N, C)
		} else {
			BatchNormEvalBackward(dx, dweight, dbias, dy, x, weight, mean, variance, N, C)
		}
		gradcheck.Check(t, "x", tolerance, loss, x, dx)
		gradcheck.Check(t, "weight", tolerance, loss, weight, dweight)
		gradcheck.Check(t, "bias", tolerance, loss, bias, dbias)
	}
}

func TestGradientLSTM(t *testing.T) {
	const N, C, H = 2, 3, 4
	rng := rand.New(rand.NewPCG(6, 0))
	x, hPrev, cPrev := gradcheck.Values(rng, N*C), gradcheck.Values(rng, N*H), gradcheck.Values(rng, N*H)
	w := cellWeights{gradcheck.Values(rng, 4*H*C), gradcheck.Values(rng, 4*H*H), gradcheck.Values(rng, 4*H), gradcheck.Values(rng, 4*H)}
	dh, dc := gradcheck.Values(rng, N*H), gradcheck.Values(rng, N*H)
	h, c, gates := make([]float32, N*H), make([]float32, N*H), make([]float32, N*4*H)
	loss := func() float64 {
		cellForward(h, c, gates, x, hPrev, cPrev, w, N, C, H)
		return gradcheck.Dot(h, dh) + gradcheck.Dot(c, dc)
	}
	loss()
	dw := cellWeights{make([]float32, len(w.IH)), make([]float32, len(w.HH)), make([]float32, 4*H), make([]float32, 4*H)}
	dx, dhPrev, dcPrev, dgates := dirty(N*C), dirty(N*H), dirty(N*H), dirty(N*4*H)
	cellBackward(dx, dhPrev, dcPrev, dgates, dw, gates, c, x, hPrev, cPrev, dh, dc, w, N, C, H)
	gradcheck.Check(t, "x", tolerance, loss, x, dx)
	gradcheck.Check(t, "hPrev", tolerance, loss, hPrev, dhPrev)
	gradcheck.Check(t, "cPrev", tolerance, loss, cPrev, dcPrev)
	gradcheck.Check(t, "weight_ih", tolerance, loss, w.IH, dw.IH)
	gradcheck.Check(t, "weight_hh", tolerance, loss, w.HH, dw.HH)
	gradcheck.Check(t, "bias_ih", tolerance, loss, w.BiasIH, dw.BiasIH)
	gradcheck.Check(t, "bias_hh", tolerance, loss, w.BiasHH, dw.BiasHH)
}

func TestGradientCrossEntropy(t *testing.T) {
	for _, smoothing := range []float32{0, 0.1} {
		logits := gradcheck.Values(rand.New(rand.NewPCG(7, 0)), 7)
		dlogits := make([]float32, 7)
		CrossEntropy(logits, 3, smoothing, dlogits, 0.5)
		gradcheck.Check(t, "logits", tolerance, func() float64 {
			return 0.5 * CrossEntropy(logits, 3, smoothing, nil, 0)
		}, logits, dlogits)
	}
}
