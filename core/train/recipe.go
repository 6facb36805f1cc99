package train

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"gdram/core"
	"gdram/core/nn"
	"gdram/core/policy"
)

// Names of the recipes.
const (
	Reference = "reference" // the published one
	Ours      = "gdram"     // ours: same network, same cost
	// Ours, but a policy never chooses: what looking is worth shows in the difference.
	OursScan   = "gdram-scan"
	OursRandom = "gdram-random"
)

// recipe is everything about training that is not the network.
type recipe struct {
	terms     terms
	adam      nn.Adam // its LR is the recipe's own
	batchSize int
	epochs    int

	plateau   bool    // halve the rate when validation stalls; else warm up, then a cosine to 0
	averaging float64 // running average of the weights: weight of the past at a step; 0 for none
	meanStart float32 // factor on the initial weights of the policy's mean
	emission  float64 // factor on the emission network's learning rate

	start      float64    // share of the run that looks at random places, for the classifier to start on
	few        int        // looks at a picture during that share, for the time of one all looks to see more pictures
	instead    Looks      // who chooses the places after that, in place of the policy; "" for nobody
	sensor     float32    // core.Learner's SensorLimit, where the policy chooses
	settled    float64    // share of the run, its last, when the policy is followed without noise or a push of policy.Return
	noise      [2]float32 // factor on the policy's noise, between the two: from, to; without any, REINFORCE has nothing to learn from
	returns    [2]float32 // weight of policy.Return, which keeps looks apart, between the two: from, to
	totalStats bool       // core.Learner's FixedEmission and ThroughEmission
	fixedNorms bool       // core.Learner's, after the start
	vary       bool       // dataset.Augment
	fresh      bool       // fresh clutter around digits, where plain MNIST is at hand

	validateFirst bool // validate before an epoch, not after it
}

// newRecipe returns a recipe by name, as it is for a data set. Reasons for ours are in ARCHITECTURE.md.
func newRecipe(name, dataset string) (recipe, error) {
	r, err := anyRecipe(name)
	if dataset == digits {
		// A small thing is to be found here, not spread over the picture: random looks teach less, to push looks apart
		// cost a point, and a mirrored digit is none.
		r.start, r.returns, r.vary = min(r.start, 0.25), [2]float32{}, false
		if r.sensor > 0 { // a slope says nothing of what is far off; noise goes and sees
			r.sensor, r.noise = 0, [2]float32{0.3, policy.TaughtNoise}
			// A slow policy finds the digit better; its looks stay there, so that each may have batch norms of its own.
			r.emission, r.fixedNorms = 0.1, r.instead != ""
		}
	}
	return r, err
}

const digits = "mnist"

// anyRecipe returns a recipe as it is for pictures of nature.
func anyRecipe(name string) (recipe, error) {
	switch name {
	case Reference:
		return recipe{
			terms: published, adam: referenceAdam, batchSize: 128, epochs: 100,
			plateau: true, meanStart: 1, emission: 1, noise: [2]float32{1, 1}, validateFirst: true,
		}, nil
	case Ours, "":
		return recipe{
			terms:     terms{steps: 0.5, smoothing: 0.05, reinforce: 0.05, centre: 0.3, gain: true},
			adam:      nn.Adam{LR: 2e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.05},
			batchSize: 128, epochs: 30,
			averaging: 0.998, meanStart: 0.1, emission: 1,
			start: 0.65, few: 3, sensor: 0.1, settled: 0.125, returns: [2]float32{0.3, 0},
			totalStats: true, fixedNorms: true, vary: true, fresh: true,
		}, nil
	case OursScan, OursRandom:
		r, err := anyRecipe(Ours)
		r.instead = Scan
		if name == OursRandom {
			r.instead = Random
		}
		return r, err
	}
	return recipe{}, fmt.Errorf("unknown recipe %q: it is %s or %s, or to compare with %s or %s", name, Ours, Reference, OursScan, OursRandom)
}

// referenceAdam is the published optimiser.
var referenceAdam = nn.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}

// begin changes freshly initialised parameters as the recipe asks.
func (r *recipe) begin(p *core.Params) {
	if r.meanStart == 1 {
		return
	}
	for _, s := range p.Specs {
		if strings.HasPrefix(s.Name, "emission_net.mu_net.") {
			for i := range p.Tensor(s.Name) {
				p.Tensor(s.Name)[i] *= r.meanStart
			}
		}
	}
}

// warmup is the number of steps over which the learning rate rises.
const warmup = 200

// rate is the learning rate of a step (from 0) of total, relative to the top.
func (r *recipe) rate(step, total int) float64 {
	if r.plateau {
		return 1
	}
	return min(1, float64(step+1)/warmup) * 0.5 * (1 + math.Cos(math.Pi*float64(step)/float64(total)))
}

// lookers says who chooses the places in evaluation.
func (r *recipe) lookers() Looks { return cmp.Or(r.instead, Policy) }

// stage is how a step of training looks.
type stage struct {
	looks   Looks   // who chooses the places
	n       int     // how many of them
	noise   float32 // factor on the policy's noise; with 0 there is nothing for REINFORCE to learn from
	returns float32 // weight of policy.Return

	sensor     float32 // core.Learner's SensorLimit
	fixedNorms bool    // core.Learner's
}

// stage returns that of a step of total.
func (r *recipe) stage(step, total int) stage {
	start := int(r.start * float64(total))
	if step < start {
		return stage{looks: Random, n: r.few, noise: r.noise[0]}
	}
	s := stage{looks: r.lookers(), n: core.Steps, fixedNorms: r.fixedNorms}
	if s.looks == Policy {
		s.sensor = r.sensor
	}
	if end := total - int(r.settled*float64(total)); step < end {
		done := float32(step-start) / float32(end-start)
		between := func(v [2]float32) float32 { return v[0] + done*(v[1]-v[0]) }
		s.noise, s.returns = between(r.noise), between(r.returns)
	}
	return s
}

// judges reports whether validation follows an epoch, counted from 1: every one once the classifier has its start,
// and every fifth before, when it would take a quarter of the time.
func (r *recipe) judges(epoch, epochs int) bool {
	return float64(epoch) > r.start*float64(epochs) || epoch%5 == 0
}

// plateau halves the learning rate when validation has not improved for some epochs, as PyTorch's
// ReduceLROnPlateau does: mode max, factor 0.5, patience 5, relative threshold 1e-4.
type plateau struct {
	Best   float64
	Stalls int
	Factor float64 // on the learning rate
}

func (p *plateau) update(accuracy float64) {
	const patience, threshold = 5, 1e-4
	if accuracy > p.Best*(1+threshold) {
		p.Best, p.Stalls = accuracy, 0
		return
	}
	if p.Stalls++; p.Stalls > patience {
		p.Factor, p.Stalls = p.Factor/2, 0
	}
}
