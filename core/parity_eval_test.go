package core

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/x448/float16"

	"gdram/core/internal/golden"
	"gdram/core/kernel"
	"gdram/core/nn"
	"gdram/core/policy"
)

// formulaParams are the golden files' weights.
func formulaParams(classes int, seed uint64) *Params {
	p := NewParams(classes)
	for name, v := range golden.Weights(classes, seed) {
		copy(p.Tensor(name), v)
	}
	return p
}

// within fails unless every number of got is within the tolerance of want, and says by how much.
func within(t *testing.T, what string, want, got []float32, tolerance float64) {
	t.Helper()
	require.Len(t, got, len(want), what)
	worst, at := 0.0, 0
	for i := range want {
		if d := math.Abs(float64(want[i]) - float64(got[i])); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance) {
		assert.Failf(t, what, "element %d of %d: want %v, got %v, off by %.3g, allowed %.3g", at, len(want), want[at], got[at], worst, tolerance)
	}
}

// channelsFirst reorders [N][H·W][C], with rows of a picture apart by stride, to [N][C][H·W].
func channelsFirst(x []float32, n, stride, pixels, channels int) []float32 {
	out := make([]float32, 0, n*pixels*channels)
	for b := range n {
		for c := range channels {
			for p := range pixels {
				out = append(out, x[b*stride+p*channels+c])
			}
		}
	}
	return out
}

// inner cuts the border of a padded [side+2][side+2][channels] map.
func inner(x []float32, side, channels int) []float32 {
	var out []float32
	for r := range side {
		out = append(out, x[((r+1)*(side+2)+1)*channels:][:side*channels]...)
	}
	return out
}

// TestParityEval compares every intermediate of all eight glimpses with the reference.
func TestParityEval(t *testing.T) {
	for _, f := range golden.Open(t, "eval") {
		t.Run(f.Name, func(t *testing.T) {
			const loose, tight = 2e-4, 3e-5
			p := formulaParams(f.Classes, f.Seed)
			images := f.Pictures("images")
			n := len(images)
			c := NewClassifier(p)
			l := c.look

			// step compares slice i of a tensor [steps][n]...
			step := func(name string, i int, got []float32, tolerance float64) {
				t.Helper()
				want := f.F32(name)
				size := len(want) / f.Shape(name)[0]
				within(t, name, want[i*size:(i+1)*size], got, tolerance)
			}

			l.begin(images)
			last := l.context // of the last picture: the scratch is shared
			lastOf := func(name string, got []float32) {
				t.Helper()
				want := f.F32(name)
				within(t, name, want[len(want)-len(got):], got, loose)
			}
			pixel := len(last.thumbnail) / (glimpsePadded * glimpsePadded)
			lastOf("interp12", channelsFirst(inner(last.thumbnail, GlimpseSize, pixel), 1, 0, 144, pixel)[:144*Colours])
			lastOf("context1", channelsFirst(inner(last.pool1, pool1Size, contextChannels), 1, 0, 36, contextChannels))
			within(t, "context2", f.F32("context2"), channelsFirst(l.contextFlat, n, contextFlat, 9, contextChannels), loose)
			within(t, "init_hidden2", f.F32("init_hidden2"), l.h2[:n*Hidden], loose)

			// The baseline is of use in training alone, and so is not in a network that evaluates.
			baseline1, baseline2 := newLinear(2*Hidden, baselineWidth, false, nil), newLinear(baselineWidth, 1, false, nil)
			baseline1.load(p, 1, "baseline_net.fc.0.weight", "baseline_net.fc.0.bias")
			baseline2.load(p, 1, "baseline_net.fc.1.weight", "baseline_net.fc.1.bias")
			baselines := make([]float32, n*Steps)
			for i := range Steps {
				l.choose(i, &Options{})
				step("emit_mu", i, l.mu[:2*n], loose)
				step("emit_std", i, l.std[:2*n], loose)
				step("location", i, l.place[:2*n], tight)
				for b := range n {
					within(t, "weights", []float32{f.F32("weights")[b*Steps+i]}, l.weight[b:b+1], tight)
					within(t, "locations", f.F32("locations")[(b*Steps+i)*2:][:2], l.place[2*b:2*b+2], tight)
				}
				l.see()
				var glimpses []float32
				for b := range n {
					glimpses = append(glimpses, channelsFirst(inner(l.glimpse[b*glimpsePadded*glimpsePadded*l.pixel:], GlimpseSize, l.pixel), 1, 0, 144, l.pixel)[:144*glimpseChannels]...)
				}
				step("glimpse", i, glimpses, loose)
				if i == 0 {
					if !kernel.Fuses { // where one does, no such map is kept
						y1 := channelsFirst(l.y1, n, conv1Len, 144, conv1Channels)
						for j := range y1 { // ours leaves the bias to the batch norm
							y1[j] += p.Tensor("glimpse_net.fc_g.0.bias")[j/144%conv1Channels]
						}
						within(t, "step0_conv1", f.F32("step0_conv1"), y1, loose)
					}
					var pool1 []float32
					for b := range n {
						pool1 = append(pool1, channelsFirst(inner(l.pool1[b*pool1Len:], pool1Size, conv1Channels), 1, 0, 36, conv1Channels)...)
					}
					within(t, "step0_pool1", f.F32("step0_pool1"), pool1, loose)
					within(t, "step0_pool2", f.F32("step0_pool2"), channelsFirst(l.pool2, n, flatLen, 9, conv2Channels), loose)
				}
				step("fc_gg", i, l.what[:n*Hidden], loose)
				step("fc_lg", i, l.where[:n*Hidden], loose)
				step("glimpse_feature", i, l.feature[:n*Hidden], loose)
				step("hidden1", i, l.h1[:n*Hidden], loose)
				step("cell1", i, l.c1[:n*Hidden], loose)
				var logits []float32
				for b := range n {
					logits = append(logits, l.stepLogits[b*l.net.class2.stride:][:f.Classes]...)
				}
				step("step_logits", i, logits, loose)
				l.next()
				step("hidden2", i, l.h2[:n*Hidden], loose)
				step("cell2", i, l.c2[:n*Hidden], loose)

				both, hidden := make([]float32, 2*Hidden), make([]float32, baseline1.stride)
				out := make([]float32, baseline2.stride)
				for b := range n {
					copy(both, l.h1[b*Hidden:][:Hidden])
					copy(both[Hidden:], l.h2[b*Hidden:][:Hidden])
					baseline1.forward(hidden, both, 1)
					baseline2.forward(out, hidden, 1)
					baselines[b*Steps+i] = nn.Sigmoid(out[0])
				}
			}
			step("emit_mu", Steps, l.mu[:2*n], loose)
			step("emit_std", Steps, l.std[:2*n], loose)
			within(t, "baselines", f.F32("baselines"), baselines, loose)

			results := c.ClassifyBlock(images, Options{})
			for b := range results {
				r := &results[b]
				within(t, "logits", f.F32("logits")[b*f.Classes:][:f.Classes], r.Logits, tight)
				for k, v := range f.F64("logits_f64")[b*f.Classes:][:f.Classes] {
					assert.InDelta(t, v, r.Logits[k], tight, "logits_f64")
				}
				for i, g := range r.Glimpses {
					assert.InDelta(t, f.F64("locations_f64")[(b*Steps+i)*2], g.X, tight, "locations_f64")
					assert.InDelta(t, f.F64("locations_f64")[(b*Steps+i)*2+1], g.Y, tight, "locations_f64")
					assert.InDelta(t, f.F64("weights_f64")[b*Steps+i], g.Weight, tight, "weights_f64")
				}
			}
		})
	}
}

// TestParityFast compares the early stop: each picture alone, and all in one block.
func TestParityFast(t *testing.T) {
	for _, f := range golden.Open(t, "eval") {
		t.Run(f.Name, func(t *testing.T) {
			images := f.Pictures("images")
			c := NewClassifier(formulaParams(f.Classes, f.Seed))
			check := func(b int, r *Result) {
				assert.Len(t, r.Glimpses, int(f.I32("fast_intended_steps")[b]), "glimpses of picture %d", b)
				within(t, "fast_intended_logits", f.F32("fast_intended_logits")[b*f.Classes:][:f.Classes], r.Logits, 3e-5)
			}
			for b, image := range images {
				check(b, c.Classify(image, Options{Fast: true}))
			}
			results := c.ClassifyBlock(images, Options{Fast: true})
			for b := range results {
				check(b, &results[b])
			}
			assert.Len(t, c.Classify(images[0], Options{}).Glimpses, Steps, "a full look after a short one")
		})
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	p := NewParams(10)
	p.Initialize(testRand())
	c := NewClassifier(p)
	image := make([]float32, ImageLen)
	assert.Zero(t, testing.AllocsPerRun(3, func() { c.Classify(image, Options{}) }))
	assert.Len(t, c.Classify(image, Options{MaxGlimpses: 2}).Glimpses, 2)
	block := randomBatch(testRand(), 3, false)
	sure := Options{Lead: c.ClassifyBlock(block.Images, Options{})[0].Glimpses[1].Lead() * 7 / 6}
	assert.Zero(t, testing.AllocsPerRun(3, func() { c.ClassifyBlock(block.Images, sure) }), "pictures leave the block")
}

func TestPolicyConstants(t *testing.T) {
	assert.InDelta(t, math.Exp(-0.5), policy.SigmaMin, 1e-15)
	assert.InDelta(t, math.Exp(0.5), policy.SigmaMax, 1e-15)
}

func BenchmarkClassify(b *testing.B) {
	p := NewParams(10)
	p.Initialize(testRand())
	for i, v := range p.Flat { // as shipped weights are
		p.Flat[i] = float16.Fromfloat32(v).Float32()
	}
	c := NewClassifier(p)
	image := make([]float32, ImageLen)
	b.Run("one picture", func(b *testing.B) {
		for b.Loop() {
			c.Classify(image, Options{})
		}
	})
	block := make([][]float32, BlockSize)
	for i := range block {
		block[i] = image
	}
	b.Run("a block", func(b *testing.B) {
		for b.Loop() {
			c.ClassifyBlock(block, Options{})
		}
		b.ReportMetric(float64(b.N*BlockSize)/b.Elapsed().Seconds(), "images/s")
	})
}
