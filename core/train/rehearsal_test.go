package train

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"gdram/core"
)

// rehearse prepares training steps on pictures of noise.
func rehearse(t testing.TB, pictures, threads int) (*Rehearsal, *core.Params) {
	p := core.NewParams(10)
	rng := rand.New(rand.NewPCG(1, 2))
	p.Initialize(rng)
	batch := &core.Batch{NoiseScale: 1}
	for range (core.Steps + 1) * pictures {
		batch.Noise = append(batch.Noise, [2]float32{float32(rng.NormFloat64()), float32(rng.NormFloat64())})
	}
	labels := make([]int, pictures)
	for i := range labels {
		image := make([]float32, core.ImageLen)
		for j := range image {
			image[j] = rng.Float32()
		}
		batch.Images = append(batch.Images, image)
		labels[i] = rng.IntN(10)
	}
	r := NewRehearsal(p, batch, labels, threads)
	t.Cleanup(r.Close)
	return r, p
}

// TestStepDoesNotDependOnThreads: losses and optimiser are cut into tasks, too.
func TestStepDoesNotDependOnThreads(t *testing.T) {
	const pictures = 15 // three blocks, the last not full
	var losses []Losses
	var params [][]float32
	for _, threads := range []int{1, 2, 7} {
		r, p := rehearse(t, pictures, threads)
		r.Step()
		losses = append(losses, r.Step())
		params = append(params, p.Flat)
	}
	for i := range losses {
		assert.Equal(t, losses[0], losses[i])
		assert.Equal(t, params[0], params[i])
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	r, _ := rehearse(t, 8, 2)
	assert.Zero(t, testing.AllocsPerRun(2, func() { r.Step() }))
}

// BenchmarkStep is a whole training step: batch 128, 8 glimpses, forward, loss, backward, Adam.
func BenchmarkStep(b *testing.B) {
	const pictures = 128
	r, _ := rehearse(b, pictures, 0)
	b.ReportAllocs()
	for b.Loop() {
		r.Step()
	}
	b.ReportMetric(float64(b.N*pictures)/b.Elapsed().Seconds(), "images/s")
}
