package train

import (
	"context"
	"fmt"
	"sync/atomic"

	"gdram/core"
	"gdram/core/dataset"
	"gdram/core/internal/workers"
	"gdram/core/pixels"
	"gdram/core/policy"
)

// Manner is how a network looks while it is evaluated. The zero value looks Steps times, where the policy's
// mean says.
type Manner struct {
	Looks   Looks        // who chooses the places; "" for the policy
	Stop    core.Options // when to stop looking; its Noise and Places are not used
	Samples int          // if above 0, answers are means over so many stochastic looks of the policy, all of them full
	Noise   float32      // of those: factor on the policy's standard deviation
	Seed    uint64       // of those, and of random looks
}

// Evaluation is what a network made of every picture of a set.
type Evaluation struct {
	Classes  int
	Outcomes []Outcome
}

// Outcome is what it made of one.
type Outcome struct {
	Label int
	Rank  int    // classes more probable than the right one
	Looks []Seen // those taken, 1 to Steps
}

// Seen is one look, and what the answer would have been after it.
type Seen struct {
	X, Y, Weight float32
	Sigma        float32 // of the policy, mean of both coordinates
	Answer       int32   // the most probable class
	Confidence   float32 // its probability
	Lead         float32 // how far it is ahead of the next class
}

// Last is the look whose answer counts.
func (o *Outcome) Last() *Seen { return &o.Looks[len(o.Looks)-1] }

// evaluator is one worker's.
type evaluator struct {
	classifier *core.Classifier
	sampler    *core.Sampler
	bytes      []uint8
	images     [][]float32
	places     [][2]float32 // [Steps][pictures]
}

// Evaluate classifies a set with the given number of threads, 0 for GOMAXPROCS. progress, if not nil, is
// called from one of them with the number of pictures done.
func Evaluate(ctx context.Context, c *core.Classifier, set dataset.Set, manner Manner, threads int, progress func(done, total int)) (*Evaluation, error) {
	pool := workers.New(threads)
	defer pool.Close()
	crew := make([]evaluator, pool.Workers())
	for i := range crew {
		w := &crew[i]
		w.classifier, w.bytes = c.Share(), make([]uint8, pixels.Len)
		w.places = make([][2]float32, core.Steps*core.BlockSize)
		for range core.BlockSize {
			w.images = append(w.images, make([]float32, core.ImageLen))
		}
		if manner.Samples > 0 {
			w.sampler = core.NewSampler(w.classifier, manner.Samples, manner.Noise, manner.Seed)
		}
	}
	n := set.Len()
	e := &Evaluation{Classes: c.Classes(), Outcomes: make([]Outcome, n)}
	seen := make([]Seen, n*core.Steps)
	var done, broken atomic.Int64 // broken: 1 + a picture whose answer is not a number
	pool.Run((n+core.BlockSize-1)/core.BlockSize, func(task, id int) {
		if ctx.Err() != nil {
			return
		}
		w, from := &crew[id], task*core.BlockSize
		results := w.classify(set, from, min(core.BlockSize, n-from), &manner)
		for i := range results {
			if p := results[i].Probabilities[0]; p != p {
				broken.CompareAndSwap(0, int64(from+i+1))
			}
			e.Outcomes[from+i] = outcome(&results[i], set.Label(from+i), seen[(from+i)*core.Steps:])
		}
		total := done.Add(int64(len(results)))
		if progress != nil && id == 0 {
			progress(int(total), n)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if i := broken.Load(); i > 0 {
		return nil, fmt.Errorf("the network's answer for picture %d is not a number; the weights are damaged, take others", i-1)
	}
	return e, nil
}

// classify looks at n pictures of the set.
func (w *evaluator) classify(set dataset.Set, from, n int, manner *Manner) []core.Result {
	images := w.images[:n]
	for b := range images {
		set.Fill(w.bytes, from+b, 0)
		pixels.ToFloat(images[b], w.bytes)
	}
	if w.sampler != nil {
		return w.sampler.ClassifyBlock(images, from)
	}
	options := manner.Stop
	if manner.Looks != "" && manner.Looks != Policy {
		options.Places = w.places[:core.Steps*n]
		for i := range options.Places {
			options.Places[i] = manner.Looks.place(manner.Seed, 0, from+i%n, i/n)
		}
	}
	return w.classifier.ClassifyBlock(images, options)
}

// outcome notes a result, which the classifier will overwrite.
func outcome(r *core.Result, label int, seen []Seen) Outcome {
	o := Outcome{Label: label, Looks: seen[:len(r.Glimpses):len(r.Glimpses)]}
	for _, p := range r.Probabilities {
		if p > r.Probabilities[label] {
			o.Rank++
		}
	}
	for i, g := range r.Glimpses {
		answer := argmax(g.Probabilities)
		o.Looks[i] = Seen{g.X, g.Y, g.Weight, (g.SigmaX + g.SigmaY) / 2, int32(answer), g.Probabilities[answer], g.Lead()}
	}
	return o
}

// published is the number of looks after which fast mode as published would have stopped.
func (o *Outcome) published() int {
	for i := 1; i < len(o.Looks); i++ {
		if policy.Stop(i, o.Looks[i].Weight, o.Looks[i-1].Weight) {
			return i + 1
		}
	}
	return len(o.Looks)
}
