package train

import (
	"math/rand/v2"
	"testing"

	"gdram/core"
)

// BenchmarkStep is a whole training step: batch 128, 8 glimpses, forward, loss, backward, Adam.
func BenchmarkStep(b *testing.B) {
	const batch = 128
	p := core.NewParams(10)
	rng := rand.New(rand.NewPCG(1, 2))
	p.Initialize(rng)
	l := core.NewLearner(p, batch, 0)
	defer l.Close()
	data := core.Batch{NoiseScale: 1, Noise: make([][2]float32, (core.Steps+1)*batch)}
	labels := make([]int, batch)
	for i := range batch {
		image := make([]float32, core.ImageLen)
		for j := range image {
			image[j] = rng.Float32()
		}
		data.Images = append(data.Images, image)
		labels[i] = rng.IntN(10)
	}
	loss := newLoss(l, published)
	adam := newOptimizer(p, l.Grads, referenceAdam, 0, func(string) float64 { return 1 })
	b.ReportAllocs()
	for b.Loop() {
		l.Forward(&data)
		loss.run(labels, 1, true)
		l.Backward()
		adam.update(l, 1e-3)
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "images/s")
}
