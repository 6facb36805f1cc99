package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"gdram/core/internal/golden"
	"gdram/core/internal/gradcheck"
)

func pair(x []float32, n int) [2]float32 { return [2]float32(x[2*n:]) }

// The golden case draws from heads without their tanh, so Emit has no part in it.
func TestParityNormal(t *testing.T) {
	for _, f := range golden.Open(t, "units") {
		mu, std, eps := f.F32("normal/mu"), f.F32("normal/std"), f.F32("normal/eps")
		clamped := 0
		for n := range len(mu) / 2 {
			sample, value := Sample(pair(mu, n), pair(std, n), pair(eps, n), 1)
			logProb := LogProb(value, pair(mu, n), pair(std, n))
			dmu, dv := LogProbBackward(value, pair(mu, n), pair(std, n), f.F32("normal/d_log_prob")[n])
			assert.InDelta(t, f.F32("normal/log_prob")[n], logProb, 1e-6)
			for i := range 2 {
				at := 2*n + i
				assert.InDelta(t, f.F32("normal/sample")[at], sample[i], 2e-7)
				assert.InDelta(t, f.F32("normal/value")[at], value[i], 2e-7)
				assert.InDelta(t, f.F32("normal/d_mu")[at], dmu[i], 2e-6)
				assert.InDelta(t, f.F32("normal/d_logvar")[at], dv[i], 2e-6)
				if sample[i] != value[i] {
					clamped++
				}
			}
		}
		assert.NotZero(t, clamped, "the case covers clamping")
	}
}

// A whole look of the evaluation files: the mean of one emission moves the place to the next,
// and the standard deviation sets the next weight.
func TestParityLooks(t *testing.T) {
	for _, f := range golden.Open(t, "eval") {
		B := f.Shape("locations")[0]
		mu, std := f.F32("emit_mu"), f.F32("emit_std") // [9][B][2]
		places, weights := f.F32("locations"), f.F32("weights")
		for b := range B {
			place, weight := First(pair(mu, b)), float32(1)
			steps := 0
			for i := range 8 {
				at := b*8 + i
				assert.InDelta(t, places[2*at], place[0], 1e-6, "%s: x of look %d of picture %d", f.Name, i, b)
				assert.InDelta(t, places[2*at+1], place[1], 1e-6, "%s: y of look %d of picture %d", f.Name, i, b)
				assert.InDelta(t, weights[at], weight, 1e-6, "%s: weight of look %d of picture %d", f.Name, i, b)
				if steps == 0 && (i == 7 || i > 0 && Stop(i, weights[at], weights[at-1])) {
					steps = i + 1
				}
				place, weight = Next(place, pair(mu, (i+1)*B+b)), Weight(pair(std, (i+1)*B+b))
			}
			assert.EqualValues(t, f.I32("fast_intended_steps")[b], steps, "%s: picture %d", f.Name, b)
		}
	}
}

// The draws of the training files and their log-probabilities.
func TestParityLogProb(t *testing.T) {
	for _, f := range golden.Open(t, "train") {
		for s := range 3 {
			step := fmt.Sprintf("step%d/", s)
			B := f.Shape(step + "log_probs")[0]
			mu, std, output, want := f.F32(step+"emit_mu"), f.F32(step+"emit_std"), f.F32(step+"emit_output"), f.F32(step+"emit_log_prob")
			eps := f.F32("eps")[s*9*B*2:]
			for n := range want {
				_, value := Sample(pair(mu, n), pair(std, n), pair(eps, n), 1)
				assert.InDelta(t, output[2*n], value[0], 1e-6)
				assert.InDelta(t, output[2*n+1], value[1], 1e-6)
				assert.InDelta(t, want[n], LogProb(value, pair(mu, n), pair(std, n)), 5e-6)
			}
		}
	}
}

func TestEmitStaysWithinSigmas(t *testing.T) {
	mu, v, std := Emit([2]float32{-1e30, 1e30}, [2]float32{-1e30, 1e30})
	assert.Equal(t, [2]float32{-1, 1}, mu)
	assert.Equal(t, [2]float32{-1, 1}, v)
	assert.Equal(t, [2]float32{SigmaMin, SigmaMax}, std)
	assert.InDelta(t, math.Exp(-0.5), SigmaMin, 1e-15)
	assert.InDelta(t, math.Exp(0.5), SigmaMax, 1e-15)

	assert.InDelta(t, 1, Weight([2]float32{SigmaMin, SigmaMin}), 1e-6)
	assert.InDelta(t, 0, Weight([2]float32{SigmaMax, SigmaMax}), 1e-6)
}

func TestSampleFollowsTheMeanWithoutNoise(t *testing.T) {
	mu := [2]float32{0.25, -0.5}
	sample, value := Sample(mu, [2]float32{1, 1}, [2]float32{3, -4}, 0)
	assert.Equal(t, mu, sample)
	assert.Equal(t, mu, value)
	sample, value = Sample(mu, [2]float32{1, 1}, [2]float32{3, -4}, 1)
	assert.Equal(t, [2]float32{3.25, -4.5}, sample)
	assert.Equal(t, [2]float32{1, -1}, value)
}

func TestPlacesStayInside(t *testing.T) {
	assert.Equal(t, [2]float32{Limit, -Limit}, First([2]float32{1, -1}))
	assert.Equal(t, [2]float32{0.5, -0.25}, First([2]float32{0.5, -0.25}))
	assert.Equal(t, [2]float32{Limit, -0.125}, Next([2]float32{0.5, 0.25}, [2]float32{1, -0.5}))
}

func TestStop(t *testing.T) {
	for _, c := range []struct {
		step     int
		w, wPrev float32
		want     bool
		why      string
	}{
		{1, 0.1, 0.1, false, "two looks are too few"},
		{2, 0.1, 0.1, true, "three looks, two of them unsure"},
		{7, 0.49, 0.49, true, "any later step as well"},
		{2, 0.5, 0.1, false, "a half is not below a half"},
		{2, 0.1, 0.5, false, "the look before was sure"},
	} {
		assert.Equal(t, c.want, Stop(c.step, c.w, c.wPrev), c.why)
	}
}

const tolerance = 2e-4

func slice(x *[2]float32) []float32 { return x[:] }

func TestGradientEmit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	muPre, logvarPre := pair(gradcheck.Values(rng, 2), 0), pair(gradcheck.Values(rng, 2), 0)
	dmu, dv := [2]float32{0.5, -1}, [2]float32{2, 0.75}
	loss := func() float64 {
		mu, v, _ := Emit(muPre, logvarPre)
		return gradcheck.Dot(mu[:], dmu[:]) + gradcheck.Dot(v[:], dv[:])
	}
	mu, v, _ := Emit(muPre, logvarPre)
	dmuPre, dlogvarPre := EmitBackward(dmu, dv, mu, v)
	gradcheck.Check(t, "muPre", tolerance, loss, slice(&muPre), slice(&dmuPre))
	gradcheck.Check(t, "logvarPre", tolerance, loss, slice(&logvarPre), slice(&dlogvarPre))
}

// From the heads to the log-probability of a value that stands still.
func TestGradientLogProb(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	for range 5 {
		muPre, logvarPre, value := pair(gradcheck.Values(rng, 2), 0), pair(gradcheck.Values(rng, 2), 0), pair(gradcheck.Values(rng, 2), 0)
		loss := func() float64 {
			mu, _, std := Emit(muPre, logvarPre)
			return 1.5 * float64(LogProb(value, mu, std))
		}
		mu, v, std := Emit(muPre, logvarPre)
		dmu, dv := LogProbBackward(value, mu, std, 1.5)
		dmuPre, dlogvarPre := EmitBackward(dmu, dv, mu, v)
		gradcheck.Check(t, "muPre", tolerance, loss, slice(&muPre), slice(&dmuPre))
		gradcheck.Check(t, "logvarPre", tolerance, loss, slice(&logvarPre), slice(&dlogvarPre))
	}
}

// TestGradientPlace goes from a place back to the place before and to the Gaussian it was drawn from, and stops at clamps.
func TestGradientPlace(t *testing.T) {
	eps := [2]float32{0.5, -1.25}
	for n, before := range [][2]float32{{0.125, -0.25}, {0.375, 0.125}} {
		muPre, logvarPre := [2]float32{-0.375, 0.625}, [2]float32{0.25, -0.5}
		d := [2]float32{1.5, -0.75}
		loss := func() float64 {
			mu, _, std := Emit(muPre, logvarPre)
			_, value := Sample(mu, std, eps, 0.25)
			place := Next(before, value)
			return float64(d[0])*float64(place[0]) + float64(d[1])*float64(place[1])
		}
		mu, v, std := Emit(muPre, logvarPre)
		sample, value := Sample(mu, std, eps, 0.25)
		dbefore, dvalue := NextBackward(d, Next(before, value))
		dmu, dv := SampleBackward(dvalue, sample, std, eps, 0.25)
		dmuPre, dlogvarPre := EmitBackward(dmu, dv, mu, v)
		gradcheck.Check(t, fmt.Sprint(n, " before"), tolerance, loss, slice(&before), slice(&dbefore))
		gradcheck.Check(t, fmt.Sprint(n, " muPre"), tolerance, loss, slice(&muPre), slice(&dmuPre))
		gradcheck.Check(t, fmt.Sprint(n, " logvarPre"), tolerance, loss, slice(&logvarPre), slice(&dlogvarPre))
	}
	dbefore, dout := NextBackward([2]float32{1, 1}, Next([2]float32{0.5, -0.5}, [2]float32{1, -1}))
	assert.Equal(t, [2][2]float32{}, [2][2]float32{dbefore, dout}, "nothing passes the border")
	sample, _ := Sample([2]float32{0.75, -0.75}, [2]float32{1, 1}, [2]float32{2, -2}, 1)
	dmu, dv := SampleBackward([2]float32{1, 1}, sample, [2]float32{1, 1}, [2]float32{2, -2}, 1)
	assert.Equal(t, [2][2]float32{}, [2][2]float32{dmu, dv}, "nothing passes the clamp of the sample")
}

func TestGradientWeight(t *testing.T) {
	muPre, logvarPre := [2]float32{}, [2]float32{0.375, -0.625}
	loss := func() float64 {
		_, _, std := Emit(muPre, logvarPre)
		return -2 * float64(Weight(std))
	}
	mu, v, std := Emit(muPre, logvarPre)
	_, dlogvarPre := EmitBackward([2]float32{}, WeightBackward(-2, std), mu, v)
	gradcheck.Check(t, "logvarPre", tolerance, loss, slice(&logvarPre), slice(&dlogvarPre))
}

func TestGradientReturn(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for n := range 4 {
		place := pair(gradcheck.Values(rng, 2), 0)
		var before [][2]float32
		for range n {
			before = append(before, pair(gradcheck.Values(rng, 2), 0))
		}
		_, d := Return(place, before)
		gradcheck.Check(t, "place", tolerance, func() float64 {
			cost, _ := Return(place, before)
			return float64(cost)
		}, slice(&place), slice(&d))
	}
}

func TestReturnIsDearestWhereOneWas(t *testing.T) {
	was := [][2]float32{{0.25, -0.25}}
	there, _ := Return(was[0], was)
	for _, other := range [][2]float32{{0.5, -0.25}, {0.25, -0.5}, {0, 0}} {
		cost, _ := Return(other, was)
		assert.Less(t, cost, there)
	}
	_, d := Return([2]float32{Limit, -Limit}, nil)
	assert.Positive(t, d[0], "back inside")
	assert.Negative(t, d[1])
}

func TestNoiseIsStandardNormal(t *testing.T) {
	// Neighbouring keys: exactly what a training run asks for.
	var all, xs, ys []float64
	for epoch := range 3 {
		for picture := range 2000 {
			for call := range 9 {
				z := Noise(1, epoch, picture, call)
				xs, ys = append(xs, float64(z[0])), append(ys, float64(z[1]))
			}
		}
	}
	all = append(append(all, xs...), ys...)
	mean, variance := stat.MeanVariance(all, nil)
	assert.InDelta(t, 0, mean, 0.012) // 4 standard errors of 108,000 draws
	assert.InDelta(t, 1, variance, 0.018)
	assert.InDelta(t, 0, stat.Skew(all, nil), 0.03)
	assert.InDelta(t, 0, stat.ExKurtosis(all, nil), 0.06)
	assert.InDelta(t, 0, stat.Correlation(xs, ys, nil), 0.018, "x and y")
	assert.InDelta(t, 0, stat.Correlation(xs[1:], xs[:len(xs)-1], nil), 0.018, "one call and the next")
	assert.InDelta(t, 0, stat.Correlation(xs[9:], xs[:len(xs)-9], nil), 0.018, "one picture and the next")

	const bins = 20
	counts, want := make([]float64, bins), make([]float64, bins)
	for _, z := range all {
		counts[min(int(distuv.UnitNormal.CDF(z)*bins), bins-1)]++
	}
	for i := range want {
		want[i] = float64(len(all)) / bins
	}
	assert.Less(t, stat.ChiSquare(counts, want), 43.8, "chi square with 19 degrees of freedom exceeds this once in a thousand")
}

func TestEveryArgumentOfNoiseMatters(t *testing.T) {
	seen := map[[2]float32]string{}
	for _, k := range [][4]int{{1, 0, 0, 0}, {2, 0, 0, 0}, {1, 1, 0, 0}, {1, 0, 1, 0}, {1, 0, 0, 1}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}} {
		z := Noise(uint64(k[0]), k[1], k[2], k[3])
		require.Empty(t, seen[z], "%v draws as another", k)
		seen[z] = fmt.Sprint(k)
		assert.Equal(t, z, Noise(uint64(k[0]), k[1], k[2], k[3]), "the same key, the same pair")
	}
}

// The streams are part of what a seed means: a run from an earlier version must resume.
func TestNoiseStays(t *testing.T) {
	z := Noise(7, 1, 2, 3)
	assert.InDeltaSlice(t, []float32{-1.0885055, -0.9091289}, z[:], 1e-6)
	place := RandomPlace(7, 1, 2, 3)
	assert.InDeltaSlice(t, []float32{-0.4666068, 0.24275386}, place[:], 1e-6)
}

func TestRandomPlaceIsUniform(t *testing.T) {
	const bins = 10
	counts, want := make([]float64, bins*bins), make([]float64, bins*bins)
	const n = 50_000
	for picture := range n {
		p := RandomPlace(1, 0, picture, 0)
		require.LessOrEqual(t, max(p[0], -p[0], p[1], -p[1]), float32(Limit))
		column := min(int((float64(p[0])/Limit+1)/2*bins), bins-1)
		row := min(int((float64(p[1])/Limit+1)/2*bins), bins-1)
		counts[row*bins+column]++
	}
	for i := range want {
		want[i] = float64(n) / (bins * bins)
	}
	assert.Less(t, stat.ChiSquare(counts, want), 148.2, "chi square with 99 degrees of freedom exceeds this once in a thousand")
}

func BenchmarkNoise(b *testing.B) {
	for b.Loop() {
		Noise(1, 2, 3, 4)
	}
}
