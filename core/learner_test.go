package core

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// randomBatch makes a batch of n pictures with places of its own, if asked, for training tests.
func randomBatch(rng *rand.Rand, n int, places bool) *Batch {
	b := &Batch{NoiseScale: 0.3}
	for range n {
		image := make([]float32, ImageLen)
		for i := range image {
			image[i] = rng.Float32()
		}
		b.Images = append(b.Images, image)
	}
	pairs := func(count int, scale float64) (out [][2]float32) {
		for range count {
			out = append(out, [2]float32{float32(scale * rng.NormFloat64()), float32(scale * rng.NormFloat64())})
		}
		return
	}
	b.Noise = pairs(emissions*n, 1)
	if places {
		b.Places = pairs(Steps*n, 0.3)
	}
	return b
}

// upstream fills the gradients of a linear loss Σ coefficient·output and returns that loss of the
// learner's present outputs, in float64.
type upstream struct {
	logits, baselines []float32
	mu, logVar        [][2]float32
}

func randomUpstream(rng *rand.Rand, l *Learner) *upstream {
	u := &upstream{logits: make([]float32, len(l.StepLogits)), baselines: make([]float32, len(l.Baselines)),
		mu: make([][2]float32, len(l.Mu)), logVar: make([][2]float32, len(l.Mu))}
	normal := func() float32 { return float32(rng.NormFloat64()) / 8 }
	for i := range u.logits {
		if i%l.LogitStride < l.Params.Classes {
			u.logits[i] = normal()
		}
	}
	for i := range u.baselines {
		u.baselines[i] = normal()
	}
	for i := range u.mu {
		u.mu[i], u.logVar[i] = [2]float32{normal(), normal()}, [2]float32{normal(), normal()}
	}
	return u
}

func (u *upstream) set(l *Learner) {
	copy(l.DStepLogits, u.logits)
	copy(l.DBaselines, u.baselines)
	copy(l.DMu, u.mu)
	copy(l.DLogVar, u.logVar)
}

func (u *upstream) loss(l *Learner, baselines bool) (sum float64) {
	if baselines {
		for i, v := range l.Baselines {
			sum += float64(v) * float64(u.baselines[i])
		}
		return sum
	}
	for i, v := range l.StepLogits {
		sum += float64(v) * float64(u.logits[i])
	}
	for i := range l.Mu {
		for c := range 2 {
			sum += float64(l.Mu[i][c])*float64(u.mu[i][c]) + float64(l.LogVar[i][c])*float64(u.logVar[i][c])
		}
	}
	return sum
}

// TestGradientLearner compares the gradient of every tensor, along a random direction, with finite
// differences of the whole forward pass: places fixed, emission network normalised by fixed statistics
// and open at its input, so that the second LSTM and the context network learn too.
func TestGradientLearner(t *testing.T) {
	const n = 2
	rng := testRand()
	p := formulaParams(10, 1)
	l := NewLearner(p, n, 2)
	defer l.Close()
	l.FixedEmission, l.ThroughEmission = true, true
	// Few looks come after all: what is left of the old ones must not count.
	for _, looks := range []int{Steps, 3} {
		batch := randomBatch(rng, n, true)
		batch.Looks = looks
		t.Run(fmt.Sprint(looks, " looks"), func(t *testing.T) { gradientLearner(t, l, rng, batch) })
	}
	l.FixedNorms = true
	t.Run("fixed norms", func(t *testing.T) { gradientLearner(t, l, rng, randomBatch(rng, n, true)) })
	l.SensorLimit = float32(math.Inf(1))
	// Near the middle no glimpse reaches over the border, where its slope breaks.
	for i := range p.Tensor("emission_net.mu_net.0.weight") {
		p.Tensor("emission_net.mu_net.0.weight")[i] /= 20
	}
	for _, looks := range []int{4, 3} {
		batch := randomBatch(rng, n, false)
		batch.Looks, batch.NoiseScale = looks, 0.05
		for b := range batch.Images {
			batch.Images[b] = waves(rng)
		}
		t.Run(fmt.Sprint("through the sensor, ", looks, " looks"), func(t *testing.T) { gradientLearner(t, l, rng, batch) })
	}
}

// waves makes a picture that bends so little from one pixel to the next that its slope is one.
func waves(rng *rand.Rand) []float32 {
	image := make([]float32, ImageLen)
	for colour := range Colours {
		a, b, phase := 2*rng.Float64()-1, 2*rng.Float64()-1, 6*rng.Float64()
		for i := range ImageSize * ImageSize {
			x, y := float64(i%ImageSize)/ImageSize, float64(i/ImageSize)/ImageSize
			image[i*Colours+colour] = float32(0.5 + 0.5*math.Sin(2*math.Pi*(a*x+b*y)+phase))
		}
	}
	return image
}

func gradientLearner(t *testing.T, l *Learner, rng *rand.Rand, batch *Batch) {
	p, looks := l.Params, cmp.Or(batch.Looks, Steps)
	u := randomUpstream(rng, l)
	start := append([]float32(nil), p.Flat...)

	forward := func() {
		for i := range l.CallVar { // a forward pass moves them; start each from the same
			l.CallMean[i], l.CallVar[i] = 0, 1
		}
		l.Forward(batch)
	}
	forward()
	require.Equal(t, looks, l.Looks)
	copy(p.Flat, start)
	u.set(l)
	l.Backward()

	at := 0
	for _, s := range p.Specs {
		from, to := at, at+s.Len()
		at = to
		if !s.Kind.Trained() {
			continue
		}
		// Along the gradient itself the slope is largest against the rounding of the forward pass.
		grad := append([]float32(nil), l.Grads.Flat[from:to]...)
		var norm float64
		for _, g := range grad {
			norm += float64(g) * float64(g)
		}
		norm = math.Sqrt(norm)
		baseline := len(s.Name) > 8 && s.Name[:8] == "baseline"
		if s.Name == "glimpse_net.fc_g.0.bias" || s.Name == "glimpse_net.fc_g.4.bias" {
			require.Zero(t, norm, "the mean takes %s off again", s.Name)
			continue
		}
		require.Positive(t, norm, "no gradient reaches %s", s.Name)
		along := func(h float64) float64 {
			for i, g := range grad {
				p.Flat[from+i] = start[from+i] + float32(h*float64(g)/norm)
			}
			forward()
			copy(p.Flat, start)
			return u.loss(l, baseline)
		}
		// A few widths, until one fits: wide ones cross kinks of ReLU and pooling, narrow ones drown in rounding. Looks that
		// follow from looks bend the loss soon.
		best := math.Inf(1)
		for _, h := range []float64{1e-2, 3e-3, 3e-2, 1e-3, 1e-4, 1e-5, 3e-6} {
			slope := (along(h) - along(-h)) / (2 * h)
			if best = min(best, math.Abs(slope-norm)/norm); best <= 0.01 {
				break
			}
		}
		assert.LessOrEqual(t, best, 0.01, "%s: relative error of the slope, %.3g", s.Name, norm)
	}
}

// TestLearnerDoesNotDependOnThreads runs two steps of training with one worker and with several: the same bits.
func TestLearnerDoesNotDependOnThreads(t *testing.T) {
	for open, through := range []string{"nothing", "the emission network", "the sensor"} {
		t.Run("through "+through, func(t *testing.T) {
			run := func(threads int) (grads, params []float32) {
				rng := testRand()
				p := formulaParams(10, 2)
				const n = 20 // three blocks, the last not full
				l := NewLearner(p, n, threads)
				defer l.Close()
				l.FixedEmission, l.ThroughEmission = open > 0, open > 0
				if open > 1 {
					l.SensorLimit = 0.1
				}
				batch, u := randomBatch(rng, n, false), randomUpstream(rng, l)
				for range 2 {
					l.Forward(batch)
					u.set(l)
					l.Backward()
					for i, g := range l.Grads.Flat {
						p.Flat[i] -= 1e-3 * g
					}
				}
				return l.Grads.Flat, p.Flat
			}
			grads, params := run(1)
			for _, threads := range []int{2, 7} {
				g, p := run(threads)
				assert.Equal(t, grads, g, "gradients on %d workers", threads)
				assert.Equal(t, params, p, "parameters on %d workers", threads)
			}
		})
	}
}

// TestLearnerDoesNotDependOnOrder shows it the same pictures the other way round. Of 20 the last block is in two groups.
func TestLearnerDoesNotDependOnOrder(t *testing.T) {
	const n = 20
	run := func(order func(b int) int) (grads, logits []float32) {
		rng := testRand()
		l := NewLearner(formulaParams(10, 2), n, 2)
		defer l.Close()
		batch, u := randomBatch(rng, n, true), randomUpstream(rng, l)
		turned := &Batch{NoiseScale: batch.NoiseScale, Noise: shuffle(batch.Noise, n, 1, order), Places: shuffle(batch.Places, n, 1, order),
			Images: shuffle(batch.Images, n, 1, order)}
		l.Forward(turned)
		(&upstream{shuffle(u.logits, n, l.LogitStride, order), shuffle(u.baselines, n, 1, order),
			shuffle(u.mu, n, 1, order), shuffle(u.logVar, n, 1, order)}).set(l)
		l.Backward()
		return l.Grads.Flat, shuffle(l.StepLogits, n, l.LogitStride, order)
	}
	grads, logits := run(func(b int) int { return b })
	turnedGrads, turnedLogits := run(func(b int) int { return n - 1 - b })
	assert.InDeltaSlice(t, logits, turnedLogits, 1e-4)
	var most float64
	for i, g := range grads {
		most = max(most, math.Abs(float64(g)-float64(turnedGrads[i])))
	}
	assert.Less(t, most, 1e-4*float64(slices.Max(grads)))
}

// shuffle puts picture order(b) of rows [...][n][width] in the place of picture b.
func shuffle[T any](rows []T, n, width int, order func(b int) int) []T {
	var to []T
	for at := 0; at < len(rows); at += n * width {
		for b := range n {
			to = append(to, rows[at+order(b)*width:][:width]...)
		}
	}
	return to
}

// TestLearnerAllocatesNothing holds a step after the first.
func TestLearnerAllocatesNothing(t *testing.T) {
	rng := testRand()
	p := formulaParams(10, 1)
	l := NewLearner(p, 8, 2)
	defer l.Close()
	batch, u := randomBatch(rng, 8, false), randomUpstream(rng, l)
	u.set(l)
	l.FixedEmission, l.ThroughEmission = true, true
	for _, limit := range []float32{0, 1} {
		l.SensorLimit = limit
		assert.Zero(t, testing.AllocsPerRun(2, func() {
			l.Forward(batch)
			l.Backward()
		}), "sensor limit %g", limit)
	}
}

// TestFixedIsEvaluation: with fixed statistics and no noise, training sees what evaluation will.
func TestFixedIsEvaluation(t *testing.T) {
	rng := testRand()
	p := formulaParams(10, 3)
	l := NewLearner(p, 4, 1)
	defer l.Close()
	l.FixedEmission, l.FixedNorms = true, true
	batch := randomBatch(rng, 4, false)
	batch.NoiseScale = 0
	classifier := NewClassifier(p) // before the running statistics move
	l.Forward(batch)
	for b := range batch.Images {
		result := classifier.Classify(batch.Images[b], Options{})
		for i, g := range result.Glimpses {
			assert.InDelta(t, g.X, l.Places[i*4+b][0], 1e-4)
			assert.InDelta(t, g.Y, l.Places[i*4+b][1], 1e-4)
		}
		assert.InDeltaSlice(t, result.Logits, l.Logits[b*10:][:10], 1e-3)
	}
}

// TestFixedNormsFollow: running statistics of the convolutions go to those of all looks together.
func TestFixedNormsFollow(t *testing.T) {
	rng := testRand()
	p := formulaParams(10, 3)
	l := NewLearner(p, 4, 1)
	defer l.Close()
	l.FixedNorms = true
	batch := randomBatch(rng, 4, true)
	for range 100 {
		l.Forward(batch)
	}
	mean, variance := p.Tensor("glimpse_net.fc_g.1.running_mean"), p.Tensor("glimpse_net.fc_g.1.running_var")
	for c := range 4 { // each takes a pass
		all := moments{mean: make([]float64, 1), m2: make([]float64, 1)}
		for i := range Steps {
			l.step = i
			l.pool.Run(l.blocks, l.phases.look)
			for b := range l.blocks {
				m := &l.norm1.blocks[b]
				all.mergeChannel(0, m.count, m.mean[c], m.m2[c])
				all.count += m.count
			}
		}
		assert.InDelta(t, all.mean[0]+float64(l.norm1.bias[c]), mean[c], 1e-3)
		assert.InDelta(t, all.m2[0]/(all.count-1), variance[c], 1e-3)
	}
}
