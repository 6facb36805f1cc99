package core

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gdram/core/kernel"
	"gdram/core/nn"
)

// These tests hold the layers as they run, packed, strided and fused, against the readable definitions of
// package nn.

func normals(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// padded surrounds a [side][side][channels] map by a border of zeros.
func padded(x []float32, side, channels int) []float32 {
	out := make([]float32, (side+2)*(side+2)*channels)
	for r := range side {
		copy(out[((r+1)*(side+2)+1)*channels:], x[r*side*channels:(r+1)*side*channels])
	}
	return out
}

func TestConvIsItsDefinition(t *testing.T) {
	for _, c := range []struct{ side, in, out int }{
		{GlimpseSize, glimpseChannels, conv1Channels}, {GlimpseSize, Colours, contextChannels},
		{pool1Size, contextChannels, contextChannels}, {5, 16, 32},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			rng := testRand()
			pixels := c.side * c.side
			x, weight, dy := normals(rng, pixels*c.in), normals(rng, c.out*c.in*9), normals(rng, pixels*c.out)
			want, wantDX := make([]float32, pixels*c.out), make([]float32, pixels*c.in)
			wantDW, wantDB := make([]float32, len(weight)), make([]float32, c.out)
			nn.Conv3x3Forward(want, x, weight, wantDB, 1, c.side, c.side, c.in, c.out)
			nn.Conv3x3Backward(wantDX, wantDW, wantDB, dy, x, weight, 1, c.side, c.side, c.in, c.out)

			packed, y := make([]float32, 9*c.in*c.out), make([]float32, pixels*c.out)
			convPack(packed, weight, c.in, c.out)
			conv(y, padded(x, c.side, c.in), packed, c.side, c.in, c.out)
			within(t, "y", want, y, 1e-4)

			raw, dw := make([]float32, 9*c.in*c.out), make([]float32, len(weight))
			convGradient(raw, dy, padded(x, c.side, c.in), c.side, c.in, c.out)
			convUnpackGradient(dw, raw, c.in, c.out)
			within(t, "dweight", wantDW, dw, 2e-4)

			if c.in%kernel.Panel == 0 { // the only ones whose input learns
				back, dx := make([]float32, 9*c.in*c.out), make([]float32, pixels*c.in)
				convPackBack(back, weight, c.in, c.out)
				conv(dx, padded(dy, c.side, c.out), back, c.side, c.out, c.in)
				within(t, "dx", wantDX, dx, 2e-4)
			}
		})
	}
}

// TestWinogradConvIsItsDefinition covers blocks that fill the matrix tiles and blocks that do not.
func TestWinogradConvIsItsDefinition(t *testing.T) {
	p := formulaParams(10, 1)
	weight := p.Layer("glimpse_net.fc_g.4").Weight
	net := newTrainingNetwork(10)
	for task := range loadTasks {
		net.load(p, task, make([]float32, filterScratch))
	}
	const pixels = pool1Size * pool1Size
	for _, maps := range []int{1, 2, blockSize} {
		t.Run(fmt.Sprint(maps, " maps"), func(t *testing.T) {
			rng := testRand()
			for _, c := range []struct {
				name    string
				conv    func(y, x []float32, maps int)
				in, out int
			}{
				{"forward", func(y, x []float32, maps int) {
					net.conv2.forward(y, conv2Len, x, pool1Len, winogradScratch(conv1Channels), winogradScratch(conv2Channels), maps)
				}, conv1Channels, conv2Channels},
				{"back", func(dx, dy []float32, maps int) {
					points, stride := mapScratch(blockSize, conv2Channels), pointStride(maps, conv2Channels)
					mapInput(points, stride, dy, pool1Padded*pool1Padded*conv2Channels, conv2Channels, maps)
					products := mapScratch(blockSize, conv1Channels)
					for p := range kernel.MapPoints {
						net.conv2Back.product(p, products, points, maps)
					}
					mapOutput(dx, pixels*conv1Channels, products, pointStride(maps, conv1Channels), conv1Channels, maps)
				}, conv2Channels, conv1Channels},
			} {
				x, zero := normals(rng, maps*pixels*c.in), make([]float32, conv2Channels)
				want, y := make([]float32, maps*pixels*c.out), make([]float32, maps*pixels*c.out)
				var input []float32
				for m := range maps {
					input = append(input, padded(x[m*pixels*c.in:], pool1Size, c.in)...)
				}
				if c.name == "forward" {
					nn.Conv3x3Forward(want, x, weight, zero, maps, pool1Size, pool1Size, c.in, c.out)
				} else {
					dw := make([]float32, len(weight))
					nn.Conv3x3Backward(want, dw, make([]float32, conv2Channels), x, make([]float32, maps*pixels*c.out), weight,
						maps, pool1Size, pool1Size, c.out, c.in)
				}
				c.conv(y, input, maps)
				tolerance := 2e-4
				if c.name == "back" { // F(6x6,3x3) is 1e-5 of the largest off
					tolerance = 3e-5 * float64(max(slices.Max(want), -slices.Min(want)))
				}
				within(t, c.name, want, y, tolerance)
			}
		})
	}
}

// TestFirstConvIsItsDefinition, in evaluation and in training: its input's pixels hold more numbers than it has channels, and the
// rest are zero.
func TestFirstConvIsItsDefinition(t *testing.T) {
	p, rng := formulaParams(10, 1), testRand()
	const pixels = GlimpseSize * GlimpseSize
	x, zero := normals(rng, pixels*glimpseChannels), make([]float32, conv1Channels)
	want := make([]float32, conv1Len)
	nn.Conv3x3Forward(want, x, p.Layer("glimpse_net.fc_g.0").Weight, zero, 1, GlimpseSize, GlimpseSize, glimpseChannels, conv1Channels)
	for _, training := range []bool{false, true} {
		t.Run(fmt.Sprint("training: ", training), func(t *testing.T) {
			if !training && kernel.Fuses {
				t.Skip("evaluation takes kernel.ConvPool here")
			}
			net := newNetwork(10)
			if training {
				net = newTrainingNetwork(10)
			}
			for task := range loadTasks {
				net.load(p, task, make([]float32, filterScratch))
			}
			wide := make([]float32, pixels*net.conv1.pixel)
			for i := range pixels {
				copy(wide[i*net.conv1.pixel:], x[i*glimpseChannels:][:glimpseChannels])
			}
			y := make([]float32, conv1Len)
			net.conv1.forward(y, 0, padded(wide, GlimpseSize, net.conv1.pixel), 0,
				winogradScratch(conv1Channels), winogradScratch(conv2Channels), 1)
			within(t, "y1", want, y, 2e-5)
		})
	}
}

func TestLinearIsItsDefinition(t *testing.T) {
	for _, c := range []struct{ rows, in, out int }{{1, 128, 512}, {6, 2304, 128}, {5, 256, 10}, {7, 256, 1}, {3, 2, 128}, {4, 256, 100}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			rng := testRand()
			training := c.in%kernel.Panel == 0
			l := newLinear(c.in, c.out, training, nil)
			layer := Layer{normals(rng, c.out*c.in), normals(rng, c.out)}
			x, dy := normals(rng, c.rows*c.in), normals(rng, c.rows*c.out)
			want, wantDX := make([]float32, c.rows*c.out), make([]float32, c.rows*c.in)
			wantGrad := Layer{make([]float32, c.out*c.in), make([]float32, c.out)}
			nn.LinearForward(want, x, layer.Weight, layer.Bias, c.rows, c.in, c.out)
			nn.LinearBackward(wantDX, wantGrad.Weight, wantGrad.Bias, dy, x, layer.Weight, c.rows, c.in, c.out)

			for from := 0; from < c.out; from += kernel.Panel {
				l.loadPanel(from, layer.Weight[from*c.in:min(from+kernel.Panel, c.out)*c.in], 1)
			}
			copy(l.bias, layer.Bias)
			y, strided := make([]float32, c.rows*l.stride), make([]float32, c.rows*l.stride)
			l.forward(y, x, c.rows)
			for r := range c.rows {
				within(t, "y", want[r*c.out:][:c.out], y[r*l.stride:][:c.out], 1e-3)
				copy(strided[r*l.stride:], dy[r*c.out:][:c.out])
			}
			if !training {
				return
			}
			dx, grad := make([]float32, c.rows*c.in), Layer{make([]float32, c.out*c.in), make([]float32, c.out)}
			l.backward(dx, strided, c.rows, false)
			within(t, "dx", wantDX, dx, 1e-3)
			l.gradient(grad, strided, x, c.rows)
			within(t, "dweight", wantGrad.Weight, grad.Weight, 1e-4)
			within(t, "dbias", wantGrad.Bias, grad.Bias, 1e-4)
		})
	}
}

// TestBatchNormIsItsDefinition runs a batch norm, ReLU and pooling of a map forward and back, measured in blocks
// and fused, against nn's three layers. The mean is far from 0, where careless sums lose their digits.
func TestBatchNormIsItsDefinition(t *testing.T) {
	const n, pixels = 7, GlimpseSize * GlimpseSize
	rng := testRand()
	p, grads := NewParams(10), NewParams(10)
	p.Initialize(rng)
	layer, bias := p.Layer("glimpse_net.fc_g.1"), p.Layer("glimpse_net.fc_g.0").Bias
	for c := range conv1Channels {
		layer.Weight[c] = float32(rng.NormFloat64())
		layer.Bias[c] = float32(rng.NormFloat64())
	}
	y, dPooled := normals(rng, n*conv1Len), normals(rng, n*pool1Size*pool1Size*conv1Channels)
	for i := range y {
		y[i] = 100 + y[i]
	}

	// nn's layers take y with the bias; ours leaves it out.
	biased := make([]float32, len(y))
	for i := range y {
		biased[i] = y[i] + bias[i%conv1Channels]
	}
	mean, invStd := make([]float32, conv1Channels), make([]float32, conv1Channels)
	runningMean, runningVar := make([]float32, conv1Channels), make([]float32, conv1Channels)
	for c := range runningVar {
		runningVar[c] = 1
	}
	z, pooled := make([]float32, len(y)), make([]float32, len(dPooled))
	nn.BatchNormTrain(z, biased, layer.Weight, layer.Bias, mean, invStd, runningMean, runningVar, n*pixels, conv1Channels)
	nn.ReLUForward(z, z)
	nn.MaxPoolForward(pooled, z, n, GlimpseSize, GlimpseSize, conv1Channels)
	dz, dy := make([]float32, len(y)), make([]float32, len(y))
	dWeight, dBias := make([]float32, conv1Channels), make([]float32, conv1Channels)
	nn.MaxPoolBackward(dz, dPooled, z, n, GlimpseSize, GlimpseSize, conv1Channels)
	nn.ReLUBackward(dz, dz, z)
	nn.BatchNormBackward(dy, dWeight, dBias, dz, biased, layer.Weight, mean, invStd, n*pixels, conv1Channels)

	const blocks = 2
	norm := newBatchNorm(p, grads, "glimpse_net.fc_g.0", "glimpse_net.fc_g.1", conv1Channels, 1, blocks)
	norm.load()
	var scratch measureScratch
	for b := range n { // four maps to the first block, in two goes, and three to the second
		columns := kernel.Columns{Src: y[b*conv1Len:], Stride: conv1Channels, Rows: pixels, Channels: conv1Channels}
		norm.blocks[b/4].measure(0, b%4*pixels, columns, 0, 1, &scratch)
	}
	norm.collect()
	norm.normalise(0)
	within(t, "running mean", runningMean, norm.runningMean, 1e-4)
	within(t, "running variance", runningVar, norm.runningVar, 1e-5)
	const pool1Dense = pool1Size * pool1Size * conv1Channels
	top := make([]float32, n*pool1Dense)
	fused := func(b int, table kernel.Table) kernel.Pool {
		pool := conv1Pool(y[b*conv1Len:], make([]float32, pool1Len), table)
		pool.Top, pool.TopRow, pool.TopPixel = top[b*pool1Dense:], pool1Size*conv1Channels, conv1Channels
		pool.PooledRow = pool1Size * conv1Channels
		return pool
	}
	for b := range n {
		pool := fused(b, norm.sign)
		pool.Select()
		pool = fused(b, norm.calls[0].forward)
		pool.Pooled = make([]float32, pool1Dense)
		pool.Apply()
		within(t, "pooled", pooled[b*pool1Dense:][:pool1Dense], pool.Pooled, 1e-4)
		pool.Pooled = dPooled[b*pool1Dense:]
		pool.GradientSums(norm.sums[b/4])
	}
	norm.backward(0, false)
	within(t, "dgamma", dWeight, norm.dgamma, 5e-3)
	within(t, "dbeta", dBias, norm.dbeta, 1e-3)
	for b := range n {
		pool := fused(b, norm.calls[0].back)
		pool.Pooled = dPooled[b*pool1Dense:]
		pool.DY, pool.DYRow, pool.DYPixel = make([]float32, conv1Len), GlimpseSize*conv1Channels, conv1Channels
		pool.Gradient()
		within(t, "dy", dy[b*conv1Len:][:conv1Len], pool.DY, 1e-3)
	}
	require.EqualValues(t, 1, norm.batches[0])
}
