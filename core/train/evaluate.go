package train

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"gdram/core"
	"gdram/core/dataset"
	"gdram/core/internal/workers"
	"gdram/core/pixels"
)

// Metrics is what an evaluation found. Shares are in 0..1.
type Metrics struct {
	Images       int
	Top1, Top5   float64
	MeanGlimpses float64
	After        [core.Steps]float64 // top-1 had every picture stopped after 1, 2, ... looks, of those that looked so often
	MeanSigma    float64             // of the policy, in units of half the picture's width
	Spread       float64             // standard deviation of the places over pictures, mean over looks and coordinates
}

// tally is one block's share of an evaluation; counts, so that any order adds up to the same.
type tally struct {
	top1, top5, glimpses int
	after, looked        [core.Steps]int
	sigma                float64
	place, square        [core.Steps][2]float64
}

// Evaluate classifies a set with the given number of threads, 0 for GOMAXPROCS. progress, if not nil, is
// called from one of them with the number of pictures done.
func Evaluate(ctx context.Context, c *core.Classifier, set dataset.Set, options core.Options, threads int, progress func(done, total int)) (Metrics, error) {
	pool := workers.New(threads)
	defer pool.Close()
	type worker struct {
		classifier *core.Classifier
		bytes      []uint8
		images     [][]float32
	}
	crew := make([]worker, pool.Workers())
	for i := range crew {
		crew[i] = worker{classifier: c.Share(), bytes: make([]uint8, pixels.Len)}
		for range core.BlockSize {
			crew[i].images = append(crew[i].images, make([]float32, core.ImageLen))
		}
	}
	n := set.Len()
	tallies := make([]tally, (n+core.BlockSize-1)/core.BlockSize)
	var done, broken atomic.Int64 // broken: 1 + a picture whose answer is not a number
	pool.Run(len(tallies), func(task, id int) {
		if ctx.Err() != nil {
			return
		}
		w, from := &crew[id], task*core.BlockSize
		images := w.images[:min(core.BlockSize, n-from)]
		for i := range images {
			set.Fill(w.bytes, from+i, 0)
			pixels.ToFloat(images[i], w.bytes)
		}
		results := w.classifier.ClassifyBlock(images, options)
		for i := range results {
			if p := results[i].Probabilities[0]; p != p {
				broken.CompareAndSwap(0, int64(from+i+1))
			}
			tallies[task].add(&results[i], set.Label(from+i))
		}
		total := done.Add(int64(len(images)))
		if progress != nil && id == 0 {
			progress(int(total), n)
		}
	})
	if err := ctx.Err(); err != nil {
		return Metrics{}, err
	}
	if i := broken.Load(); i > 0 {
		return Metrics{}, fmt.Errorf("the network's answer for picture %d is not a number; the weights are damaged, take others", i-1)
	}
	var sum tally
	for i := range tallies {
		sum.merge(&tallies[i])
	}
	return sum.metrics(n), nil
}

func (t *tally) add(r *core.Result, label int) {
	if r.Label == label {
		t.top1++
	}
	rank := 0
	for _, p := range r.Probabilities {
		if p > r.Probabilities[label] {
			rank++
		}
	}
	if rank < 5 {
		t.top5++
	}
	t.glimpses += len(r.Glimpses)
	for i, g := range r.Glimpses {
		t.looked[i]++
		if argmax(g.Probabilities) == label {
			t.after[i]++
		}
		t.sigma += float64(g.SigmaX+g.SigmaY) / 2
		for c, v := range [2]float64{float64(g.X), float64(g.Y)} {
			t.place[i][c] += v
			t.square[i][c] += v * v
		}
	}
}

func (t *tally) merge(o *tally) {
	t.top1 += o.top1
	t.top5 += o.top5
	t.glimpses += o.glimpses
	t.sigma += o.sigma
	for i := range t.after {
		t.after[i] += o.after[i]
		t.looked[i] += o.looked[i]
		for c := range 2 {
			t.place[i][c] += o.place[i][c]
			t.square[i][c] += o.square[i][c]
		}
	}
}

func (t *tally) metrics(n int) Metrics {
	share := func(count int) float64 { return float64(count) / float64(n) }
	m := Metrics{Images: n, Top1: share(t.top1), Top5: share(t.top5), MeanGlimpses: share(t.glimpses)}
	m.MeanSigma = t.sigma / float64(t.glimpses)
	looks := 0.0
	for i, looked := range t.looked {
		if looked == 0 {
			continue
		}
		m.After[i] = float64(t.after[i]) / float64(looked)
		for c := range 2 {
			mean := t.place[i][c] / float64(looked)
			m.Spread += math.Sqrt(max(0, t.square[i][c]/float64(looked)-mean*mean)) / 2
		}
		looks++
	}
	m.Spread /= looks
	return m
}
