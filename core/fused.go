package core

import (
	"math"
	"slices"

	"gdram/core/kernel"
)

// fused is the convolutional layers as evaluation runs them where a kernel takes a whole layer at once
// (kernel.Fuses): batch norm, ReLU and pooling never see the map before it is pooled.
type fused struct {
	conv1, conv2       *kernel.ConvPool
	context1, context2 *kernel.ConvPool
}

// thumbnailPixel is the width of a thumbnail's pixel in fused.context: the kernel takes four channels at a time.
const thumbnailPixel = 4

func newFused(p Tensors) *fused {
	f := &fused{
		conv1:    kernel.NewConvPool(GlimpseSize, glimpseChannels, conv1Channels),
		conv2:    kernel.NewConvPool(pool1Size, conv1Channels, conv2Channels),
		context1: kernel.NewConvPool(GlimpseSize, thumbnailPixel, contextChannels),
		context2: kernel.NewConvPool(pool1Size, contextChannels, contextChannels),
	}
	for _, l := range [...]struct {
		conv        *kernel.ConvPool
		layer, norm string // without a norm there is a bias alone
		in          int
	}{
		{f.conv1, "glimpse_net.fc_g.0", "glimpse_net.fc_g.1", glimpseChannels},
		{f.conv2, "glimpse_net.fc_g.4", "glimpse_net.fc_g.5", conv1Channels},
		{f.context1, "rnn2.context_net1.0", "", Colours},
		{f.context2, "rnn2.context_net2.0", "", contextChannels},
	} {
		var scale, shift []float32
		if l.norm != "" {
			scale, shift = fold(p, l.layer, l.norm)
		} else {
			shift = p.Tensor(l.layer + ".bias")
			scale = slices.Repeat([]float32{1}, len(shift))
		}
		for panel := range len(shift) / kernel.Panel {
			from, to := panel*kernel.Panel, (panel+1)*kernel.Panel
			l.conv.Load(panel, p.Rows(l.layer+".weight", from, to), l.in, scale[from:to], shift[from:to])
		}
	}
	return f
}

// fold makes a batch norm with its running statistics, and the bias of the layer before it, a scale and a shift of the
// layer's sums: gamma·(y + bias - mean)/sqrt(var + eps) + beta.
func fold(p Tensors, layer, norm string) (scale, shift []float32) {
	gamma, beta, bias := p.Tensor(norm+".weight"), p.Tensor(norm+".bias"), p.Tensor(layer+".bias")
	mean, variance := p.Tensor(norm+".running_mean"), p.Tensor(norm+".running_var")
	scale, shift = make([]float32, len(gamma)), make([]float32, len(gamma))
	for c := range gamma {
		s := float64(gamma[c]) / math.Sqrt(float64(variance[c])+batchNormEpsilon)
		scale[c] = float32(s)
		shift[c] = float32(float64(beta[c]) + s*(float64(bias[c])-float64(mean[c])))
	}
	return scale, shift
}

func (f *fused) scratch() []float32 {
	return make([]float32, max(f.conv1.Scratch(), f.conv2.Scratch(), f.context1.Scratch(), f.context2.Scratch()))
}

// glimpse fills pool1, zero-padded, and pool2 from one padded glimpse x.
func (f *fused) glimpse(pool2, pool1, x, scratch []float32) {
	f.conv1.Forward(pool1[(pool1Padded+1)*conv1Channels:], pool1Padded*conv1Channels, conv1Channels, x, scratch)
	f.conv2.Forward(pool2, pool2Size*conv2Channels, conv2Channels, pool1, scratch)
}

// context fills c.pool2 from c.thumbnail.
func (f *fused) context(c *context, scratch []float32) {
	f.context1.Forward(c.pool1[(pool1Padded+1)*contextChannels:], pool1Padded*contextChannels, contextChannels, c.thumbnail, scratch)
	f.context2.Forward(c.pool2, pool2Size*contextChannels, contextChannels, c.pool1, scratch)
}
