package core

import (
	"math"

	"gdram/core/kernel"
	"gdram/core/nn"
)

// moments are the count, mean and sum of squared deviations of every channel over some values,
// kept in float64. They can be merged (Chan, Golub & LeVeque 1979), so that a batch is measured block
// by block while it is hot, and put together in a fixed order.
type moments struct {
	count    float64
	mean, m2 []float64
}

func newMoments(channels int) moments {
	return moments{mean: make([]float64, channels), m2: make([]float64, channels)}
}

// measureScratch holds what one worker needs to measure up to 256 channels.
type measureScratch struct {
	part, mean    [conv2Channels]float32
	sums, squares [conv2Channels]float64
}

// measure takes in the channels from first on of some maps, mapStride apart, after so many values of theirs before. All
// channels of m are to see as many; after 0 they begin anew.
func (m *moments) measure(first, before int, columns kernel.Columns, mapStride, maps int, s *measureScratch) {
	values, channels := columns.Src, columns.Channels
	clear(s.sums[:channels])
	clear(s.squares[:channels])
	for i := range maps {
		columns.Src = values[i*mapStride:]
		columns.Sums(s.part[:])
		for c, v := range s.part[:channels] {
			s.sums[c] += float64(v)
		}
	}
	n := float64(maps * columns.Rows)
	for c := range channels {
		s.mean[c] = float32(s.sums[c] / n)
	}
	for i := range maps {
		columns.Src = values[i*mapStride:]
		columns.Squares(s.part[:], s.mean[:])
		for c, v := range s.part[:channels] {
			s.squares[c] += float64(v)
		}
	}
	m.count = float64(before)
	for c := range channels {
		// The squares are about the rounded mean; its distance to the exact one is taken off.
		mean := s.sums[c] / n
		off := mean - float64(s.mean[c])
		m2 := s.squares[c] - n*off*off
		if before == 0 {
			m.mean[first+c], m.m2[first+c] = mean, m2
		} else {
			m.mergeChannel(first+c, n, mean, m2)
		}
	}
	m.count += n
}

func (m *moments) mergeChannel(c int, count, mean, m2 float64) {
	total := m.count + count
	delta := mean - m.mean[c]
	m.mean[c] += delta * count / total
	m.m2[c] += m2 + delta*delta*m.count*count/total
}

func (m *moments) merge(o *moments) {
	for c := range m.mean {
		m.mergeChannel(c, o.count, o.mean[c], o.m2[c])
	}
	m.count += o.count
}

// drawOn moves running statistics towards m, whose values leave out the bias.
func (m *moments) drawOn(mean, variance, bias []float32) {
	for c := range m.mean {
		mean[c] += nn.Momentum * (float32(m.mean[c]) + bias[c] - mean[c])
		variance[c] += nn.Momentum * (float32(m.m2[c]/(m.count-1)) - variance[c])
	}
}

func (m *moments) reset() {
	m.count = 0
	clear(m.mean)
	clear(m.m2)
}

// batchNorm is a batch norm in training: the statistics of each of its calls in one forward
// pass, and the sums of the way back. The values it normalises leave out the bias of the layer
// before, which a batch mean would take off again.
type batchNorm struct {
	channels                int
	gamma, beta, bias       []float32 // views of the parameters
	runningMean, runningVar []float32
	batches                 []float32
	dgamma, dbeta           []float32 // views of the gradients
	blocks                  []moments // one a block of pictures, of the present call
	all                     moments
	total                   moments // of all calls since calibration began
	pass                    moments // of all calls since fixAll, where the caller merges them
	calls                   []call
	sums                    []kernel.Sums // one a block of pictures, of the present call back
	sign                    kernel.Table  // gamma's, in place of the scale: what pooling needs to know before the batch is measured
}

// call is one use of a batch norm in a forward pass.
type call struct {
	mean, invStd []float64
	count        float64
	forward      kernel.Table // scale, shift, mean
	back         kernel.Table // scale, shift, base, slope
}

func newBatchNorm(p, grads *Params, layer, name string, channels, calls, blocks int) *batchNorm {
	n := &batchNorm{
		channels: channels,
		gamma:    p.Tensor(name + ".weight"), beta: p.Tensor(name + ".bias"), bias: p.Tensor(layer + ".bias"),
		runningMean: p.Tensor(name + ".running_mean"), runningVar: p.Tensor(name + ".running_var"),
		batches: p.Tensor(name + ".num_batches_tracked"),
		dgamma:  grads.Tensor(name + ".weight"), dbeta: grads.Tensor(name + ".bias"),
		all: newMoments(channels), total: newMoments(channels), pass: newMoments(channels), sign: kernel.NewTable(channels),
	}
	for range blocks {
		n.blocks = append(n.blocks, newMoments(channels))
		n.sums = append(n.sums, kernel.NewSums(channels))
	}
	for range calls {
		n.calls = append(n.calls, call{mean: make([]float64, channels), invStd: make([]float64, channels),
			forward: kernel.NewTable(channels), back: kernel.NewTable(channels)})
	}
	return n
}

// load takes the parameters as they are now.
func (n *batchNorm) load() {
	for c, gamma := range n.gamma {
		sign := float32(0)
		if gamma != 0 {
			sign = float32(math.Copysign(1, float64(gamma)))
		}
		n.sign.Set(kernel.TableScale, c, sign)
	}
}

// collect merges the blocks' moments in order and leaves them in all.
func (n *batchNorm) collect() {
	n.all.reset()
	for b := range n.blocks {
		n.all.merge(&n.blocks[b])
	}
	n.total.merge(&n.all)
}

// calibrate makes the running statistics those of all values since total was last reset.
func (n *batchNorm) calibrate() {
	for c := range n.channels {
		n.runningMean[c] = float32(n.total.mean[c] + float64(n.bias[c]))
		n.runningVar[c] = float32(n.total.m2[c] / (n.total.count - 1))
	}
}

// normalise sets call i to normalise by the batch that collect measured, and moves the running
// statistics towards it.
func (n *batchNorm) normalise(i int) {
	const keep = 1 - nn.Momentum
	unbiased := n.all.count / (n.all.count - 1)
	for c := range n.channels {
		mean, variance := n.all.mean[c], n.all.m2[c]/n.all.count
		n.calls[i].set(n, c, mean, variance)
		n.runningMean[c] = float32(keep*float64(n.runningMean[c]) + nn.Momentum*(mean+float64(n.bias[c])))
		n.runningVar[c] = float32(keep*float64(n.runningVar[c]) + nn.Momentum*variance*unbiased)
	}
	n.calls[i].count = n.all.count
	n.batches[0]++
}

// fix sets call i to normalise by the running statistics, as evaluation does.
func (n *batchNorm) fix(i int) {
	for c := range n.channels {
		n.calls[i].set(n, c, float64(n.runningMean[c])-float64(n.bias[c]), float64(n.runningVar[c]))
	}
}

// fixAll fixes calls up to i, for a forward pass to begin.
func (n *batchNorm) fixAll(i int) {
	for c := range i {
		n.fix(c)
	}
	n.pass.reset()
}

// follow moves the running statistics towards those of all calls since fixAll together.
func (n *batchNorm) follow() {
	n.pass.drawOn(n.runningMean, n.runningVar, n.bias)
	n.batches[0]++
}

func (k *call) set(n *batchNorm, c int, mean, variance float64) {
	invStd := 1 / math.Sqrt(variance+batchNormEpsilon)
	scale := float64(n.gamma[c]) * invStd
	k.mean[c], k.invStd[c] = mean, invStd
	k.forward.Set(kernel.TableScale, c, float32(scale))
	k.forward.Set(kernel.TableShift, c, float32(float64(n.beta[c])-scale*mean))
	k.forward.Set(kernel.TableMean, c, float32(mean))
}

// backward turns the blocks' sums Σ dz and Σ dz·(y-mean) into the gradients of gamma and beta, and
// prepares call i's table for the gradient of the values themselves:
//
//	dy = scale·(dz - Σdz/count - (y-mean)·invStd²·Σ(dz·(y-mean))/count) = scale·dz + base - slope·y
//
// With fixed statistics nothing flows through them, and base and slope are 0.
func (n *batchNorm) backward(i int, fixed bool) {
	k := &n.calls[i]
	for c := range n.channels {
		var dz, dzy float64
		for b := range n.sums {
			dz += float64(n.sums[b].At(0, c))
			dzy += float64(n.sums[b].At(1, c))
		}
		invStd := k.invStd[c]
		n.dbeta[c] += float32(dz)
		n.dgamma[c] += float32(dzy * invStd)
		scale := float64(n.gamma[c]) * invStd
		var base, slope float64
		if !fixed {
			slope = scale * invStd * invStd * dzy / k.count
			base = slope*k.mean[c] - scale*dz/k.count
		}
		k.back.Set(kernel.TableScale, c, k.forward.At(kernel.TableScale, c))
		k.back.Set(kernel.TableShift, c, k.forward.At(kernel.TableShift, c))
		k.back.Set(kernel.TableMean, c, float32(base))
		k.back.Set(kernel.TableSlope, c, float32(slope))
	}
	for b := range n.sums {
		clear(n.sums[b])
	}
}
