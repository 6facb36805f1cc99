package core

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/policy"
)

// looker is a classifier that looks about, and pictures for it.
func looker(n int) (*Classifier, [][]float32) {
	return NewClassifier(formulaParams(10, 1)), randomBatch(testRand(), n, false).Images
}

// TestLead: the answer is that of the first look after which its class leads by enough.
func TestLead(t *testing.T) {
	c, images := looker(BlockSize)
	full := make([][]float32, len(images)) // the lead after each look
	answers := make([][Steps][]float32, len(images))
	for b, image := range images {
		for i, g := range c.Classify(image, Options{}).Glimpses {
			answers[b][i] = slices.Clone(g.Probabilities)
			order := slices.Sorted(slices.Values(g.Probabilities))
			assert.Equal(t, order[len(order)-1]-order[len(order)-2], g.Lead())
			full[b] = append(full[b], g.Lead())
		}
	}
	lengths := map[int]bool{}
	for _, first := range []float32{0.0001, full[0][0], full[1][3] * 1.74, full[2][5] * 3.49, 1} {
		for b, r := range c.ClassifyBlock(images, Options{Lead: first}) {
			want := Steps
			for i := Steps - 1; i >= 0; i-- {
				// To rounding: a picture in a block is computed as one alone is, but not to the bit.
				if full[b][i] >= first*float32(7-i)/7-1e-6 {
					want = i + 1
				}
			}
			require.Len(t, r.Glimpses, want, "picture %d at %v", b, first)
			for i, g := range r.Glimpses {
				assert.InDeltaSlice(t, answers[b][i], g.Probabilities, 1e-5, "picture %d, whoever stops beside it", b)
			}
			assert.InDeltaSlice(t, answers[b][want-1], r.Probabilities, 1e-5)
			lengths[want] = true
		}
	}
	assert.Greater(t, len(lengths), 2, "the thresholds tell pictures apart")
}

func TestGivenPlaces(t *testing.T) {
	c, images := looker(2)
	places := randomBatch(testRand(), 2, true).Places
	for b, r := range c.ClassifyBlock(images, Options{Places: places}) {
		for i, g := range r.Glimpses {
			assert.Equal(t, places[i*2+b], [2]float32{g.X, g.Y})
			assert.EqualValues(t, 1, g.Weight)
		}
	}
	assert.Panics(t, func() { c.ClassifyBlock(images, Options{Places: places[:Steps]}) })
}

// TestPins: up to the pinned look nothing changes, from there on the policy follows by itself.
func TestPins(t *testing.T) {
	c, images := looker(2)
	var free [Steps]Glimpse
	for i, g := range c.ClassifyBlock(images, Options{})[1].Glimpses {
		free[i] = g
		free[i].Probabilities = slices.Clone(g.Probabilities)
		assert.Equal(t, [2]float32{g.X, g.Y}, [2]float32{g.MeanX, g.MeanY}, "left alone it looks at the mean")
	}
	pinned := c.ClassifyBlock(images, Options{Pins: []Pin{{2, 0.5, -0.25}, {5, -3, 3}}})[1].Glimpses
	for i, g := range pinned[:2] {
		assert.Equal(t, free[i], g)
	}
	g := pinned[2]
	assert.Equal(t, [3]float32{0.5, -0.25, 1}, [3]float32{g.X, g.Y, g.Weight})
	assert.Equal(t, [4]float32{free[2].MeanX, free[2].MeanY, free[2].SigmaX, free[2].SigmaY}, [4]float32{g.MeanX, g.MeanY, g.SigmaX, g.SigmaY},
		"it still tells what the policy wanted")
	assert.NotEqual(t, free[2].Probabilities, g.Probabilities)
	assert.InDelta(t, 0.5, pinned[3].X, policy.MoveScale, "the policy goes on from the pin")
	assert.InDelta(t, -0.25, pinned[3].Y, policy.MoveScale)
	assert.Equal(t, [2]float32{pinned[3].MeanX, pinned[3].MeanY}, [2]float32{pinned[3].X, pinned[3].Y})
	assert.Equal(t, [2]float32{-policy.Limit, policy.Limit}, [2]float32{pinned[5].X, pinned[5].Y})
	assert.NotEqual(t, pinned[6].MeanX, free[6].MeanX)
}

func TestNoise(t *testing.T) {
	c, images := looker(2)
	noise := randomBatch(testRand(), 2, false).Noise[:2*Steps]
	mean := c.Classify(images[1], Options{})
	first, logits := mean.Glimpses[0], slices.Clone(mean.Logits)
	still := c.ClassifyBlock(images, Options{Noise: noise})[1]
	assert.InDeltaSlice(t, logits, still.Logits, 1e-5, "without width there is no noise")

	const scale = 0.25
	r := c.ClassifyBlock(images, Options{Noise: noise, NoiseScale: scale})[1]
	want := policy.First([2]float32{first.X + scale*first.SigmaX*noise[1][0], first.Y + scale*first.SigmaY*noise[1][1]})
	assert.InDelta(t, want[0], r.Glimpses[0].X, 1e-6)
	assert.InDelta(t, want[1], r.Glimpses[0].Y, 1e-6)
	assert.InDelta(t, first.X, r.Glimpses[0].MeanX, 1e-6)
	assert.EqualValues(t, 1, r.Glimpses[0].Weight)
}

// TestSampler compares with looks one by one; a picture's answer does not depend on its block.
func TestSampler(t *testing.T) {
	const count, scale, seed, first = 8, 0.3, 5, 40
	c, images := looker(3)
	s := NewSampler(c, count, scale, seed)
	results := s.ClassifyBlock(images, first)
	for b, image := range images {
		var probabilities, afterTwo [10]float32
		var top, x float32
		noise := make([][2]float32, Steps)
		for sample := range count {
			for i := range noise {
				noise[i] = policy.Noise(seed, sample, first+b, i)
			}
			one := c.Share().Classify(image, Options{Noise: noise, NoiseScale: scale})
			if sample == 0 {
				x = one.Glimpses[7].X
			}
			for k := range probabilities {
				probabilities[k] += one.Probabilities[k] / count
				afterTwo[k] += one.Glimpses[1].Probabilities[k] / count
			}
		}
		r := &results[b]
		require.Len(t, r.Glimpses, Steps)
		assert.InDelta(t, x, r.Glimpses[7].X, 1e-5)
		assert.InDeltaSlice(t, probabilities[:], r.Probabilities, 1e-5)
		assert.InDeltaSlice(t, afterTwo[:], r.Glimpses[1].Probabilities, 1e-5)
		for _, p := range probabilities {
			top = max(top, p)
		}
		assert.InDelta(t, top, probabilities[r.Label], 1e-5)
	}
	want := slices.Clone(results[2].Probabilities)
	alone := s.ClassifyBlock(images[2:], first+2)
	assert.InDeltaSlice(t, want, alone[0].Probabilities, 1e-5)
	assert.Zero(t, testing.AllocsPerRun(2, func() { s.ClassifyBlock(images, first) }))
}
