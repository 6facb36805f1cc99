package train

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gdram/core"
	"gdram/core/internal/gradcheck"
	"gdram/core/nn"
	"gdram/core/policy"
)

// TestGradientLoss compares the gradients that the loss hands to the network with finite differences,
// for the published terms and for ours, one by one and together. Rewards are constants of the policy
// gradient, so where they depend on an output, that output is checked without it.
func TestGradientLoss(t *testing.T) {
	ours, err := newRecipe(Ours, "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	quiet := ours.terms
	quiet.reinforce = 0
	for _, c := range []struct {
		name                          string
		terms                         terms
		logits, logVar, mu, baselines bool
		noise                         float32
	}{
		{"published", published, true, true, true, false, 1},
		{"published, baselines alone", terms{clamped: true}, false, false, false, true, 1},
		{"ours, the classifier", quiet, true, true, false, true, 0.3},
		{"ours, the policy", ours.terms, false, false, true, false, 0.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			const batch, classes, tolerance = 3, 10, 5e-4
			rng := rand.New(rand.NewPCG(1, 2))
			l := core.NewLearner(core.NewParams(classes), batch, 1)
			defer l.Close()
			s := newLoss(l, c.terms)
			labels := []int{3, 0, 9}

			for i := range l.StepLogits {
				if k := i % l.LogitStride; k < classes {
					l.StepLogits[i] = 2 * rng.Float32()
					if b := i / l.LogitStride % batch; b == 0 && k == labels[0] {
						l.StepLogits[i] += 4 // one is right, and stays so when moved a little
					}
				}
			}
			for i := range l.Mu {
				for x := range 2 {
					l.Mu[i][x], l.LogVar[i][x] = rng.Float32()-0.5, rng.Float32()-0.5
				}
				_, _, std := policy.Emit([2]float32{}, l.LogVar[i])
				l.Std[i] = std
				l.Sample[i], l.Value[i] = policy.Sample(l.Mu[i], std, [2]float32{float32(rng.NormFloat64()), float32(rng.NormFloat64())}, c.noise)
			}
			for i := range l.Baselines {
				l.Baselines[i] = rng.Float32()
			}

			// outputs derives what the forward pass would from the outputs that are moved.
			outputs := func() {
				for i := range l.Std {
					for x := range 2 {
						l.Std[i][x] = nn.Exp(l.LogVar[i][x] / 2)
					}
				}
				for b := range batch {
					logits := l.Logits[b*classes:][:classes]
					clear(logits)
					var total float32
					for i := range core.Steps {
						at := i*batch + b
						l.Weights[at] = 1
						if i > 0 {
							l.Weights[at] = policy.Weight(l.Std[at])
						}
						total += l.Weights[at]
						for k := range logits {
							logits[k] += l.Weights[at] * l.StepLogits[at*l.LogitStride+k]
						}
					}
					for k := range logits {
						logits[k] /= total
					}
				}
			}
			loss := func() float64 {
				outputs()
				return s.run(labels, stage{looks: Policy, noise: c.noise}).Total
			}
			// check moves a vector of outputs; copies in between because checks want flat slices.
			check := func(name string, x []float32, put func(), dx []float32) {
				gradcheck.Check(t, name, tolerance, func() float64 { put(); return loss() }, x, dx)
				put()
			}
			loss()
			pairs := func(v [][2]float32) ([]float32, func()) {
				flat := flatten(v)
				return flat, func() {
					for i := range v {
						v[i] = [2]float32(flat[2*i:])
					}
				}
			}
			dLogits, dMu, dLogVar := append([]float32(nil), l.DStepLogits...), flatten(l.DMu), flatten(l.DLogVar)
			dBaselines := append([]float32(nil), l.DBaselines...)
			if c.logits {
				check("step logits", l.StepLogits, func() {}, dLogits)
			}
			if c.mu {
				x, put := pairs(l.Mu)
				check("mu", x, put, dMu)
			}
			if c.logVar {
				x, put := pairs(l.LogVar)
				check("log-variance", x, put, dLogVar)
			}
			if c.baselines {
				check("baselines", l.Baselines, func() {}, dBaselines)
			}
		})
	}
}

// A settled policy follows its mean, so that no look says how another would have done: only what a look weighs is learnt.
func TestSettledPolicyLearnsNoPlaces(t *testing.T) {
	l := core.NewLearner(core.NewParams(10), 3, 1)
	defer l.Close()
	ours, err := newRecipe(Ours, "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	s := newLoss(l, ours.terms)
	for i := range l.Mu {
		l.Mu[i], l.Std[i] = [2]float32{0.5, -0.5}, [2]float32{1, 1}
		l.DMu[i] = [2]float32{7, 7} // of the step before
	}
	for i := range l.Weights {
		l.Weights[i] = 1
	}
	for i := range l.StepLogits { // step by step other logits, or no weight would matter
		l.StepLogits[i] = float32(i % 7)
	}
	losses := s.run([]int{3, 0, 9}, stage{looks: Policy})
	if losses.Total-losses.Total != 0 || losses.Reinforce != 0 {
		t.Errorf("losses %+v", losses)
	}
	if d := slices.Max(flatten(l.DMu)); d != 0 {
		t.Errorf("a gradient of %g on the policy's mean", d)
	}
	if d := slices.Max(flatten(l.DLogVar)); d == 0 {
		t.Error("no gradient on the looks' weights")
	}
}

// Only the last look keeps away from all others without another keeping away from it, so that it alone can be checked.
func TestGradientAway(t *testing.T) {
	const batch, last = 3, (core.Steps - 1) * 3
	rng := rand.New(rand.NewPCG(1, 3))
	l := core.NewLearner(core.NewParams(10), batch, 1)
	defer l.Close()
	s := newLoss(l, terms{})
	for at := range core.Steps * batch {
		l.Weights[at], l.Std[at] = 1, [2]float32{1, 1}
		l.Places[at] = [2]float32{rng.Float32() - 0.5, rng.Float32() - 0.5}
	}
	x := make([]float32, 2*batch)
	loss := func() float64 {
		for b := range batch {
			l.Mu[last+b] = [2]float32(x[2*b:])
			l.Places[last+b] = policy.Next(l.Places[last-batch+b], l.Mu[last+b])
		}
		return s.run([]int{3, 0, 9}, stage{looks: Policy, noise: 1, returns: 0.5}).Total
	}
	loss()
	gradcheck.Check(t, "mu", 5e-4, loss, x, flatten(l.DMu[last:last+batch]))
}
