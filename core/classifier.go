package core

import (
	"gdram/core/kernel"
	"gdram/core/nn"
	"gdram/core/policy"
)

// BlockSize is the largest number of pictures ClassifyBlock takes.
const BlockSize = blockSize

// Glimpse is one look of the network: where, how sure, and what it thought after it.
type Glimpse struct {
	X, Y           float32 // centre in -1..1; X is the column, (-1,-1) the top left corner
	Weight         float32 // how much this look counts in the answer, 0..1; the first counts 1
	SigmaX, SigmaY float32 // standard deviation of the Gaussian this place was drawn from
	MeanX, MeanY   float32 // its mean: where the policy looks when nothing but itself chooses
	// Probabilities is the answer if the network stopped here: softmax of the weighted
	// mean of the step logits so far.
	Probabilities []float32
}

// Result is the answer for one picture with the whole glimpse trace.
// It is owned by the Classifier and valid until its next call.
type Result struct {
	Label         int       // index of the most probable class
	Logits        []float32 // weighted mean of the step logits, one per class
	Probabilities []float32 // softmax of Logits
	Glimpses      []Glimpse // the looks taken, 1 to Steps of them
}

// Finite reports whether all that an answer tells is a number: the sums of weights that are no network's may overflow.
func (r *Result) Finite() bool {
	ok := func(v float32) bool { return v-v == 0 }
	for _, p := range r.Probabilities {
		if !ok(p) {
			return false
		}
	}
	for _, g := range r.Glimpses {
		if !ok(g.X) || !ok(g.Y) || !ok(g.Weight) || !ok(g.SigmaX) || !ok(g.SigmaY) {
			return false
		}
	}
	return true
}

// Options choose how to look. The zero value looks Steps times, following the policy's mean.
type Options struct {
	// Fast stops early: after the third look or a later one, when it and the look before it both
	// weigh less than 0.5.
	Fast bool
	// Lead stops early, too: as soon as the most probable class leads the next by enough, see Enough; 0 for never.
	Lead float32
	// MaxGlimpses bounds the looks; 0 means Steps.
	MaxGlimpses int

	// Noise makes the looks stochastic, if not nil: standard normal draws, [Steps][pictures], which take each
	// place from the policy's Gaussian, its standard deviation times NoiseScale, as in training (see Batch).
	Noise      [][2]float32
	NoiseScale float32
	// Places, if not nil, are the places to look at, [Steps][pictures]: the policy chooses none, and all
	// looks weigh 1, because its weights are about the places that it would have chosen.
	Places [][2]float32
	// Pins are single looks that the policy does not choose; it goes on from there. They weigh 1, as Places do.
	Pins []Pin
}

// Enough is the lead, the difference of the two largest probabilities, at which an answer stands after a look, 0 to Steps-1:
// first after the first look, then evenly less with each, nothing after the last. What more looks may still change
// becomes less, too.
func Enough(first float32, look int) float32 {
	return first * float32(Steps-1-look) / (Steps - 1)
}

// Lead is how far the most probable class is ahead of the next.
func (g *Glimpse) Lead() float32 {
	var most, next float32
	for _, p := range g.Probabilities {
		if p > most {
			most, next = p, most
		} else if p > next {
			next = p
		}
	}
	return most - next
}

// Pin is a place to look at in step Step, 0 to Steps-1. As the policy's places it stays within ±policy.Limit.
type Pin struct {
	Step int
	X, Y float32
}

// Classifier answers what is in a picture. It is built once, allocates nothing afterwards, and is not
// safe for concurrent use: give each goroutine a Share of it.
type Classifier struct {
	net     *network
	norms   *norms
	look    *look
	results []Result // of a block
	looking []int
	single  [1][]float32
}

// NewClassifier prepares the weights for evaluation. Later changes of p are not seen.
func NewClassifier(p *Params) *Classifier { return NewClassifierOf(p.Classes, p) }

// NewClassifierOf is NewClassifier of weights that need not all be there at once. Every tensor that evaluation uses is asked for.
func NewClassifierOf(classes int, p Tensors) *Classifier {
	net, norms := newNetwork(classes), newNorms()
	if kernel.Fuses {
		net.fused = newFused(p)
		for task := range denseTasks {
			net.loadDense(p, task)
		}
	} else {
		scratch := make([]float32, filterScratch)
		for task := range loadTasks {
			net.load(p, task, scratch)
		}
		norms.load(p)
	}
	return newClassifier(net, &norms)
}

// Share returns a Classifier with the same weights and buffers of its own.
func (c *Classifier) Share() *Classifier { return newClassifier(c.net, c.norms) }

func newClassifier(net *network, norms *norms) *Classifier {
	return &Classifier{net: net, norms: norms, look: newLook(net, norms), results: newResults(net.classes), looking: make([]int, 0, blockSize)}
}

// newResults makes the results of a block, with room for full traces.
func newResults(classes int) []Result {
	results := make([]Result, blockSize)
	vector := func() []float32 { return make([]float32, classes) }
	for b := range results {
		r := &results[b]
		r.Logits, r.Probabilities = vector(), vector()
		r.Glimpses = make([]Glimpse, Steps)
		for i := range r.Glimpses {
			r.Glimpses[i].Probabilities = vector()
		}
	}
	return results
}

// Classes is the number of classes.
func (c *Classifier) Classes() int { return c.net.classes }

// Classify looks at one picture, [128][128][3] float32 in 0..1.
func (c *Classifier) Classify(image []float32, options Options) *Result {
	c.single[0] = image
	return &c.ClassifyBlock(c.single[:], options)[0]
}

// ClassifyBlock looks at 1 to BlockSize pictures at once, which is faster than one by one. Each gets
// the answer it would get alone, to rounding.
func (c *Classifier) ClassifyBlock(images [][]float32, options Options) []Result {
	if len(images) == 0 || len(images) > blockSize {
		panic("core: ClassifyBlock takes 1 to BlockSize pictures")
	}
	for _, image := range images {
		if len(image) != ImageLen {
			panic("core: a picture must have ImageLen numbers")
		}
	}
	steps := Steps
	if options.MaxGlimpses > 0 {
		steps = min(steps, options.MaxGlimpses)
	}
	for _, given := range [][][2]float32{options.Noise, options.Places} {
		if given != nil && len(given) != Steps*len(images) {
			panic("core: Noise and Places must hold Steps pairs for each picture")
		}
	}
	results := c.results[:len(images)]
	l := c.look
	l.begin(images)
	for i := range steps {
		l.choose(i, &options)
		l.see()
		looking := c.looking[:0] // rows whose pictures are looked at again
		for row, b := range l.pictures {
			r := &results[b]
			r.Glimpses = r.Glimpses[:i+1]
			g := &r.Glimpses[i]
			g.X, g.Y = l.place[2*row], l.place[2*row+1]
			g.SigmaX, g.SigmaY = l.std[2*row], l.std[2*row+1]
			g.MeanX, g.MeanY = l.mean[2*row], l.mean[2*row+1]
			g.Weight = l.weight[row]
			l.logits(r.Logits, row)
			nn.Softmax(g.Probabilities, r.Logits)
			stop := options.Fast && i > 0 && policy.Stop(i, g.Weight, r.Glimpses[i-1].Weight) ||
				options.Lead > 0 && g.Lead() >= Enough(options.Lead, i)
			if !stop {
				looking = append(looking, row)
			}
		}
		if len(looking) == 0 || i == steps-1 {
			break
		}
		l.keep(looking)
		l.next()
	}
	for b := range results {
		r := &results[b]
		copy(r.Probabilities, r.Glimpses[len(r.Glimpses)-1].Probabilities)
		r.Label = r.mostProbable()
	}
	return results
}

func (r *Result) mostProbable() (class int) {
	for k, v := range r.Probabilities {
		if v > r.Probabilities[class] {
			class = k
		}
	}
	return class
}
