package nn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/internal/golden"
)

// The published numbers of every layer. Tolerances are absolute on values of order 1; sums
// over many of them get more room.

// nhwc reorders a stored [N][C][H][W] tensor to [N][H][W][C]; a matrix passes unchanged.
func nhwc(f *golden.File, name string) []float32 {
	stored := f.F32(name)
	shape := f.Shape(name)
	if len(shape) != 4 {
		return stored
	}
	N, C, area := shape[0], shape[1], shape[2]*shape[3]
	x := make([]float32, len(stored))
	for n := range N {
		for c := range C {
			for p := range area {
				x[(n*area+p)*C+c] = stored[(n*C+c)*area+p]
			}
		}
	}
	return x
}

func near(t *testing.T, want, got []float32, tolerance float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	for i := range want {
		require.InDelta(t, want[i], got[i], tolerance, "%s[%d]", what, i)
	}
}

func units(t *testing.T, test func(t *testing.T, f *golden.File)) {
	for _, f := range golden.Open(t, "units") {
		t.Run(f.Name, func(t *testing.T) { test(t, f) })
	}
}

// dirty is a buffer that a function has to overwrite: what was in it must not matter.
func dirty(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 99
	}
	return x
}

// Parameter gradients accumulate, so they start at 1 in these tests and end at 1 + gradient.
func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

func nearPlusOne(t *testing.T, want, got []float32, tolerance float64, what string) {
	t.Helper()
	less := make([]float32, len(got))
	for i, v := range got {
		less[i] = v - 1
	}
	near(t, want, less, tolerance, what)
}

func TestParityConv(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		for _, c := range []string{"conv_a", "conv_b", "conv_c"} {
			x, weight, bias, dy := nhwc(f, c+"/x"), f.F32(c+"/weight"), f.F32(c+"/bias"), nhwc(f, c+"/dy")
			s := f.Shape(c + "/x")
			N, C, H, W, K := s[0], s[1], s[2], s[3], len(bias)
			y := dirty(len(dy))
			Conv3x3Forward(y, x, weight, bias, N, H, W, C, K)
			near(t, nhwc(f, c+"/y"), y, 1e-5, c+"/y")
			dx, dweight, dbias := dirty(len(x)), ones(len(weight)), ones(len(bias))
			Conv3x3Backward(dx, dweight, dbias, dy, x, weight, N, H, W, C, K)
			near(t, nhwc(f, c+"/d_x"), dx, 1e-5, c+"/d_x")
			nearPlusOne(t, f.F32(c+"/d_weight"), dweight, 1e-4, c+"/d_weight")
			nearPlusOne(t, f.F32(c+"/d_bias"), dbias, 1e-4, c+"/d_bias")
		}
	})
}

func TestParityBatchNorm(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		for _, c := range []string{"bn2d", "bn1d", "bn2d_b2"} {
			for _, mode := range []string{"_train/", "_eval/"} {
				p := c + mode
				x, dy, weight, bias := nhwc(f, p+"x"), nhwc(f, p+"dy"), f.F32(p+"weight"), f.F32(p+"bias")
				mean, variance := f.F32(p+"running_mean_in"), f.F32(p+"running_var_in")
				C := len(weight)
				N := len(x) / C
				y, dx, dweight, dbias := dirty(len(x)), dirty(len(x)), ones(C), ones(C)
				if mode == "_train/" {
					batchMean, invStd := dirty(C), dirty(C)
					BatchNormTrain(y, x, weight, bias, batchMean, invStd, mean, variance, N, C)
					BatchNormBackward(dx, dweight, dbias, dy, x, weight, batchMean, invStd, N, C)
				} else {
					BatchNormEval(y, x, weight, bias, mean, variance, N, C)
					BatchNormEvalBackward(dx, dweight, dbias, dy, x, weight, mean, variance, N, C)
				}
				near(t, nhwc(f, p+"y"), y, 1e-5, p+"y")
				near(t, nhwc(f, p+"d_x"), dx, 1e-5, p+"d_x")
				nearPlusOne(t, f.F32(p+"d_weight"), dweight, 2e-5, p+"d_weight")
				nearPlusOne(t, f.F32(p+"d_bias"), dbias, 2e-5, p+"d_bias")
				near(t, f.F32(p+"running_mean_out"), mean, 1e-6, p+"running_mean_out")
				near(t, f.F32(p+"running_var_out"), variance, 1e-6, p+"running_var_out")
			}
		}
	})
}

func TestParityMaxPool(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		for _, c := range []string{"maxpool_a/", "maxpool_odd/"} {
			x, dy, s := nhwc(f, c+"x"), nhwc(f, c+"dy"), f.Shape(c+"x")
			y, dx := dirty(len(dy)), dirty(len(x))
			MaxPoolForward(y, x, s[0], s[2], s[3], s[1])
			assert.Equal(t, nhwc(f, c+"y"), y, c)
			MaxPoolBackward(dx, dy, x, s[0], s[2], s[3], s[1])
			assert.Equal(t, nhwc(f, c+"d_x"), dx, c)
		}
	})
}

func TestParityActivations(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		x, dy := f.F32("relu/x"), f.F32("relu/dy")
		y, dx := dirty(len(x)), dirty(len(x))
		ReLUForward(y, x)
		near(t, f.F32("relu/y"), y, 2e-7, "relu/y")
		ReLUBackward(dx, dy, y)
		near(t, f.F32("relu/d_x"), dx, 5e-7, "relu/d_x")
		ReLUBackward(dy, dy, y)
		assert.Equal(t, dx, dy, "in place")
		ReLUForward(x, x)
		assert.Equal(t, y, x, "in place")

		for name, activation := range map[string]func(float32) float32{"sigmoid": Sigmoid, "tanh": Tanh} {
			y := f.F32(name + "/x")
			for i, v := range y {
				y[i] = activation(v)
			}
			near(t, f.F32(name+"/y"), y, 2e-7, name+"/y")
		}
	})
}

func TestParityLinear(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		x, weight, bias, dy := f.F32("linear/x"), f.F32("linear/weight"), f.F32("linear/bias"), f.F32("linear/dy")
		N, C, K := f.Shape("linear/x")[0], f.Shape("linear/x")[1], len(bias)
		y := dirty(len(dy))
		LinearForward(y, x, weight, bias, N, C, K)
		near(t, f.F32("linear/y"), y, 1e-5, "y")
		dx, dweight, dbias := dirty(len(x)), ones(len(weight)), ones(K)
		LinearBackward(dx, dweight, dbias, dy, x, weight, N, C, K)
		near(t, f.F32("linear/d_x"), dx, 1e-5, "d_x")
		nearPlusOne(t, f.F32("linear/d_weight"), dweight, 1e-5, "d_weight")
		nearPlusOne(t, f.F32("linear/d_bias"), dbias, 1e-5, "d_bias")
	})
}

func TestParityLSTM(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		x, hPrev, cPrev := f.F32("lstm/x"), f.F32("lstm/h"), f.F32("lstm/c")
		N, C, H := f.Shape("lstm/x")[0], f.Shape("lstm/x")[1], f.Shape("lstm/h")[1]
		w := cellWeights{f.F32("lstm/weight_ih"), f.F32("lstm/weight_hh"), f.F32("lstm/bias_ih"), f.F32("lstm/bias_hh")}
		h, c, gates := dirty(N*H), dirty(N*H), dirty(N*4*H)
		cellForward(h, c, gates, x, hPrev, cPrev, w, N, C, H)
		near(t, f.F32("lstm/h_out"), h, 1e-6, "h_out")
		near(t, f.F32("lstm/c_out"), c, 2e-6, "c_out")

		dw := cellWeights{ones(len(w.IH)), ones(len(w.HH)), ones(4 * H), ones(4 * H)}
		dx, dhPrev, dcPrev, dgates := dirty(N*C), dirty(N*H), dirty(N*H), dirty(N*4*H)
		cellBackward(dx, dhPrev, dcPrev, dgates, dw, gates, c, x, hPrev, cPrev,
			f.F32("lstm/dh_out"), f.F32("lstm/dc_out"), w, N, C, H)
		near(t, f.F32("lstm/d_x"), dx, 5e-6, "d_x")
		near(t, f.F32("lstm/d_h"), dhPrev, 5e-6, "d_h")
		near(t, f.F32("lstm/d_c"), dcPrev, 5e-6, "d_c")
		nearPlusOne(t, f.F32("lstm/d_weight_ih"), dw.IH, 5e-6, "d_weight_ih")
		nearPlusOne(t, f.F32("lstm/d_weight_hh"), dw.HH, 5e-6, "d_weight_hh")
		nearPlusOne(t, f.F32("lstm/d_bias_ih"), dw.BiasIH, 5e-6, "d_bias_ih")
		nearPlusOne(t, f.F32("lstm/d_bias_hh"), dw.BiasHH, 5e-6, "d_bias_hh")
	})
}

func TestParityCrossEntropy(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		for _, c := range []string{"xent/", "xent_big/"} {
			logits, labels := f.F32(c+"logits"), f.I64(c+"labels")
			N := len(labels)
			K := len(logits) / N
			dlogits, softmax := ones(len(logits)), dirty(len(logits))
			var loss float64
			for n, label := range labels {
				row := logits[n*K : (n+1)*K]
				loss += CrossEntropy(row, int(label), 0, dlogits[n*K:(n+1)*K], 1/float32(N)) / float64(N)
				Softmax(softmax[n*K:(n+1)*K], row)
			}
			want := float64(f.F32(c + "loss")[0])
			assert.InDelta(t, want, loss, 1e-6*max(1, want), c+"loss")
			nearPlusOne(t, f.F32(c+"d_logits"), dlogits, 3e-7, c+"d_logits")
			if f.Has(c + "softmax") {
				near(t, f.F32(c+"softmax"), softmax, 2e-7, c+"softmax")
			}
		}
	})
}

func TestParityAdam(t *testing.T) {
	units(t, func(t *testing.T, f *golden.File) {
		p, grads, params := f.F32("adam/p0"), f.F32("adam/grads"), f.F32("adam/params")
		n := len(p)
		m, v := make([]float32, n), make([]float32, n)
		adam := Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
		for step := range len(grads) / n {
			adam.Step(p, grads[step*n:(step+1)*n], m, v, step+1)
			near(t, params[step*n:(step+1)*n], p, 5e-7, "params")
		}
		near(t, f.F32("adam/exp_avg"), m, 1e-6, "exp_avg")
		near(t, f.F32("adam/exp_avg_sq"), v, 1e-6, "exp_avg_sq")
	})
}
