package core

import (
	"gdram/core/kernel"
	"gdram/core/nn"
	"gdram/core/policy"
)

// backwardBuffers are the gradients of activations, [Steps][batch] unless noted, and partial sums.
type backwardBuffers struct {
	dClassHidden           []float32
	dWhat, dWhere          []float32
	dPlaceFeature          []float32
	dGates1, dGates2       []float32
	dEmission              []float32 // [Steps+1][batch][256], before the batch norm
	dHeads                 []float32 // [Steps+1][batch][16]
	dBaseline, dBaselineH  []float32
	dh1, dc1, dh2, dc2     []float32    // [batch][128], of what the present step hands on
	dPlaces                [][2]float32 // of the places, each with all that follows from it
	dPool2                 []float32    // [batch][3][3][256], of one step
	dPool1                 []float32    // [batch][6][6][128], of one step
	points                 []float32    // [64][batch][128], of one step: the second convolution's inputs
	dPoints                []float32    // [64][16 panels][batch][16], of one step: its gradient, for the weights
	dOut, dIn              []float32    // [64][batch][256] and [128], of one step: its gradient, for its inputs, and theirs
	dFilter                []float32    // [64][128][256], of all steps
	dConv1                 []float32    // [groups][8 panels][64][12][16], of all steps
	dContext1, dContext2   []float32    // [blocks][3][3·in][64]
	dContextB1, dContextB2 []float32    // [blocks][64]
	dWhatWeight            []float32    // [128][2304], channels last
	dContextFC             []float32    // [128][576], channels last
}

const (
	context1Filter = 9 * Colours * contextChannels
	context2Filter = 9 * contextChannels * contextChannels
)

func newBackwardBuffers(l *Learner) backwardBuffers {
	batch, blocks := l.BatchLen, l.blocks
	perStep := func(n int) []float32 { return floats(Steps * batch * n) }
	perCall := func(n int) []float32 { return floats(emissions * batch * n) }
	return backwardBuffers{
		dClassHidden: perStep(classWidth),
		dWhat:        perStep(Hidden), dWhere: perStep(Hidden), dPlaceFeature: perStep(Hidden),
		dGates1: perStep(gates), dGates2: perStep(gates),
		dEmission: perCall(emissionWidth), dHeads: perCall(l.net.heads.stride),
		dBaseline: perStep(l.net.baseline2.stride), dBaselineH: perStep(baselineWidth),
		dh1: floats(batch * Hidden), dc1: floats(batch * Hidden), dh2: floats(batch * Hidden), dc2: floats(batch * Hidden),
		dPlaces: make([][2]float32, Steps*batch),
		dPool2:  floats(batch * flatLen), dPool1: floats(batch * pool1Size * pool1Size * conv1Channels),
		points: mapScratch(batch, conv1Channels), dPoints: mapScratch(batch, conv2Channels), dFilter: mapScratch(conv1Channels, conv2Channels),
		dOut: mapScratch(batch, conv2Channels), dIn: mapScratch(batch, conv1Channels),
		dConv1:     floats(l.groups() * conv1GradientLen),
		dContext1:  floats(blocks * context1Filter),
		dContext2:  floats(blocks * context2Filter),
		dContextB1: floats(blocks * contextChannels), dContextB2: floats(blocks * contextChannels),
		dWhatWeight: floats(Hidden * flatLen), dContextFC: floats(Hidden * contextFlat),
	}
}

// Backward writes Grads from the gradients D... of the outputs. Step by step, the last first, it goes through the recurrent
// half, then through the glimpse network: the place of a glimpse belongs to the policy of the step before.
func (l *Learner) Backward() {
	clear(l.Grads.Flat)
	for _, behindTheLast := range [][]float32{l.dh1, l.dc1, l.dh2, l.dc2} {
		clear(behindTheLast)
	}
	for l.step = l.Looks - 1; l.step >= 0; l.step-- {
		l.pool.Run(l.blocks, l.phases.recurrent)
		l.normE.backward(l.step+1, l.FixedEmission)
		l.norm2.backward(l.step, l.FixedNorms)
		l.pool.Run(l.blocks, l.phases.conv2)
		l.pool.Run(kernel.MapPoints, l.phases.dx)
		l.pool.Run(l.blocks, l.phases.pool1)
		l.norm1.backward(l.step, l.FixedNorms)
		l.pool.Run(l.groups()+pointTasks, l.phases.dw)
	}
	l.pool.Run(l.blocks, l.phases.first)
	l.normE.backward(0, l.FixedEmission)
	if !l.FixedEmission {
		l.pool.Run(l.blocks, l.phases.emission)
	}
	l.pool.Run(finalTasks, l.phases.final)
}

// recurrentBack goes through everything behind the convolutions in the present step, and the last layer of the glimpse network.
func (l *Learner) recurrentBack(block, worker int) {
	from, to := l.Block(block)
	n, w, t := to-from, l.net, l.step
	hidden := func(buffer []float32, step int) []float32 { return l.rows(buffer, step, from, n, Hidden) }
	dh1, dc1, dh2, dc2 := hidden(l.dh1, 0), hidden(l.dc1, 0), hidden(l.dh2, 0), hidden(l.dc2, 0)

	l.chooseBack(t+1, block)
	if l.ThroughEmission {
		w.emission.backward(dh2, l.rows(l.dEmission, t+1, from, n, emissionWidth), n, true)
		dg := l.rows(l.dGates2, t, from, n, gates)
		nn.LSTMBackward(dg, dc2, l.rows(l.gates2, t, from, n, gates), hidden(l.c2, t+1), hidden(l.c2, t), dh2, dc2, n, Hidden)
		w.lstm2X.backward(dh1, dg, n, true)
		w.lstm2H.backward(dh2, dg, n, false)
	}
	dHidden := l.rows(l.dClassHidden, t, from, n, classWidth)
	w.class2.backward(dHidden, l.rows(l.DStepLogits, t, from, n, l.LogitStride), n, false)
	nn.ReLUBackward(dHidden, dHidden, l.rows(l.classHidden, t, from, n, classWidth))
	w.class1.backward(dh1, dHidden, n, true)

	dg := l.rows(l.dGates1, t, from, n, gates)
	nn.LSTMBackward(dg, dc1, l.rows(l.gates1, t, from, n, gates), hidden(l.c1, t+1), hidden(l.c1, t), dh1, dc1, n, Hidden)
	dFeature := l.scratch[worker].dFeature[:n*Hidden]
	w.lstm1X.backward(dFeature, dg, n, false)
	w.lstm1H.backward(dh1, dg, n, false)

	what, where, feature := hidden(l.what, t), hidden(l.where, t), hidden(l.feature, t)
	dWhat, dWhere := hidden(l.dWhat, t), hidden(l.dWhere, t)
	nn.ReLUBackward(dFeature, dFeature, feature)
	for i, d := range dFeature {
		dWhat[i], dWhere[i] = d*where[i], d*what[i]
	}
	dPlace := hidden(l.dPlaceFeature, t)
	w.where.backward(dPlace, dWhere, n, false)
	nn.ReLUBackward(dPlace, dPlace, hidden(l.placeFeature, t))
	if l.throughPlaces() {
		l.placeBack(block)
	}

	for b := range n {
		at := t*l.BatchLen + from + b
		base := l.Baselines[at]
		l.dBaseline[at*w.baseline2.stride] = l.DBaselines[at] * base * (1 - base)
	}
	dBase := l.rows(l.dBaselineH, t, from, n, baselineWidth)
	w.baseline2.backward(dBase, l.rows(l.dBaseline, t, from, n, w.baseline2.stride), n, false)

	l.pool2Back(block)
}

// firstBack goes through what is before the first glimpse.
func (l *Learner) firstBack(block, worker int) {
	l.chooseBack(0, block)
	if l.ThroughEmission {
		from, to := l.Block(block)
		n := to - from
		l.net.emission.backward(l.rows(l.dh2, 0, from, n, Hidden), l.rows(l.dEmission, 0, from, n, emissionWidth), n, true)
		l.contextBack(block, worker)
	}
}

// throughPlaces says whether gradients pass the places of this batch.
func (l *Learner) throughPlaces() bool { return l.SensorLimit > 0 && l.batch.Places == nil }

// placeBack begins the gradient of the present step's places, with what the network makes of their numbers. What it makes of
// the glimpses there is added by sensorBack, and what follows from them by chooseBack of the next call.
func (l *Learner) placeBack(block int) {
	from, to := l.Block(block)
	weight := l.Params.Layer("glimpse_net.fc_l.0").Weight
	for b := from; b < to; b++ {
		at := l.step*l.BatchLen + b
		for k, d := range l.dPlaceFeature[at*Hidden:][:Hidden] {
			l.dPlaces[at][0] += d * weight[2*k]
			l.dPlaces[at][1] += d * weight[2*k+1]
		}
	}
}

// chooseBack goes back through choose and, where gradients pass the places, from the place that the call chose to the one
// before. It sums for the emission network's batch norm; with fixed statistics it goes on through the norm.
func (l *Learner) chooseBack(call, block int) {
	from, to := l.Block(block)
	n := to - from
	dHeads := l.rows(l.dHeads, call, from, n, l.net.heads.stride)
	for b := range n {
		at := call*l.BatchLen + from + b
		if l.throughPlaces() {
			var dBefore, dValue [2]float32
			if call < l.Looks { // the last chose none
				dBefore, dValue = policy.NextBackward(l.dPlaces[at], l.Places[at])
			}
			if call == 0 {
				dValue = dBefore
			} else {
				l.dPlaces[at-l.BatchLen] = dBefore
			}
			limit := l.SensorLimit / float32(l.BatchLen)
			for i, d := range dValue {
				dValue[i] = max(-limit, min(d, limit))
			}
			dMu, dV := policy.SampleBackward(dValue, l.Sample[at], l.Std[at], l.batch.Noise[at], l.batch.NoiseScale)
			for i := range 2 {
				l.DMu[at][i] += dMu[i]
				l.DLogVar[at][i] += dV[i]
			}
		}
		dMu, dV := policy.EmitBackward(l.DMu[at], l.DLogVar[at], l.Mu[at], l.LogVar[at])
		copy(dHeads[b*l.net.heads.stride:], []float32{dMu[0], dMu[1], dV[0], dV[1]})
	}
	dz := l.rows(l.dEmission, call, from, n, emissionWidth)
	l.net.heads.backward(dz, dHeads, n, false)
	nn.ReLUBackward(dz, dz, l.rows(l.emissionOut, call, from, n, emissionWidth))
	table, sums := l.normE.calls[call].forward, l.normE.sums[block]
	pre := l.rows(l.emissionPre, call, from, n, emissionWidth)
	for b := range n {
		for c, d := range dz[b*emissionWidth:][:emissionWidth] {
			sums.Add(0, c, d)
			sums.Add(1, c, d*(pre[b*emissionWidth+c]-table.At(kernel.TableMean, c)))
		}
	}
	if l.FixedEmission {
		for b := range n {
			row := dz[b*emissionWidth:][:emissionWidth]
			for c := range row {
				row[c] *= table.At(kernel.TableScale, c)
			}
		}
	}
}

// emissionBack goes through the batch norm of every call of the emission network.
func (l *Learner) emissionBack(block, _ int) {
	from, to := l.Block(block)
	n := to - from
	for call := range l.Looks + 1 {
		table := l.normE.calls[call].back
		dz, pre := l.rows(l.dEmission, call, from, n, emissionWidth), l.rows(l.emissionPre, call, from, n, emissionWidth)
		for i := range dz {
			c := i % emissionWidth
			dz[i] = table.At(kernel.TableScale, c)*dz[i] + table.At(kernel.TableMean, c) - table.At(kernel.TableSlope, c)*pre[i]
		}
	}
}

// contextBack goes from the first hidden state to the context network's weights.
func (l *Learner) contextBack(block, worker int) {
	from, to := l.Block(block)
	n, s := to-from, &l.scratch[worker]
	l.net.contextFC.backward(s.dContextFlat, l.dh2[from*Hidden:], n, false)
	dFirst, dSecond := l.dContext1[block*context1Filter:][:context1Filter], l.dContext2[block*context2Filter:][:context2Filter]
	bias1, bias2 := l.dContextB1[block*contextChannels:][:contextChannels], l.dContextB2[block*contextChannels:][:contextChannels]
	for _, v := range [][]float32{dFirst, dSecond, bias1, bias2} {
		clear(v)
	}
	const padded = pool1Padded * contextChannels
	for b := range n {
		c := &l.contexts[from+b]
		first, second := l.net.contextPools(c)
		// The tables' base and slope are 0: there is no batch norm here.
		first.Top, first.TopRow, first.TopPixel = s.contextTop1, pool1Size*contextChannels, contextChannels
		second.Top, second.TopRow, second.TopPixel = s.contextTop2, pool2Size*contextChannels, contextChannels
		first.Select()
		second.Select()
		second.Pooled = s.dContextFlat[b*contextFlat:]
		dy2 := s.dContextY2[padded+contextChannels:]
		second.DY, second.DYRow, second.DYPixel = dy2, padded, contextChannels
		second.Gradient()
		for r := range pool1Size {
			sumRows(bias2, dy2[r*padded:], pool1Size)
		}
		// The weight gradient wants dy without its border.
		dense := s.dContextPool1
		for r := range pool1Size {
			copy(dense[r*pool1Size*contextChannels:], dy2[r*padded:][:pool1Size*contextChannels])
		}
		convGradient(dSecond, dense, c.pool1, pool1Size, contextChannels, contextChannels)
		conv(s.dContextPool1, s.dContextY2, l.net.contextB, pool1Size, contextChannels, contextChannels)

		first.Pooled, first.PooledRow, first.PooledPixel = s.dContextPool1, pool1Size*contextChannels, contextChannels
		first.DY, first.DYRow, first.DYPixel = s.dContextY1, GlimpseSize*contextChannels, contextChannels
		first.Gradient()
		sumRows(bias1, s.dContextY1, GlimpseSize*GlimpseSize)
		convGradient(dFirst, s.dContextY1, c.thumbnail, GlimpseSize, Colours, contextChannels)
	}
}

// sumRows adds rows of len(dst) numbers.
func sumRows(dst, rows []float32, n int) {
	for r := range n {
		for c, v := range rows[r*len(dst):][:len(dst)] {
			dst[c] += v
		}
	}
}

// pool2Back goes through fc_gg and sums for the second batch norm.
func (l *Learner) pool2Back(block int) {
	from, to := l.Block(block)
	n := to - from
	l.net.what.backward(l.dPool2[from*flatLen:], l.rows(l.dWhat, l.step, from, n, Hidden), n, false)
	for panel := range panels2 {
		pool := l.poolOf2(block, panel, l.norm2.calls[l.step].forward)
		pool.Pooled = l.dPool2[from*flatLen+panel*kernel.Panel:]
		pool.GradientSums(l.norm2.sums[block][panel*2*kernel.Panel:])
	}
}

// conv2Back leaves, transformed, the input of the second convolution and the gradient of its output: for the weights, and as
// the input of the way back.
func (l *Learner) conv2Back(block, worker int) {
	from, to := l.Block(block)
	n, padded, stride := to-from, l.scratch[worker].dy2, pointStride(l.BatchLen, conv2Channels)
	const row = pool1Padded * kernel.Panel
	dy := padded[row+kernel.Panel:]
	for panel := range panels2 {
		all := l.poolOf2(block, panel, l.norm2.calls[l.step].back)
		for m := range n { // each with a border
			pool := all
			pool.Rows, pool.Y, pool.Top = pool2Size, all.Y[m*panel2:], all.Top[m*panel2/4:]
			pool.Pooled = l.dPool2[(from+m)*flatLen+panel*kernel.Panel:]
			pool.DY, pool.DYRow, pool.DYPixel = dy[m*padded2:], row, kernel.Panel
			pool.Gradient()
		}
		gradient := kernel.Tiles{Src: dy, SrcRow: row, SrcPixel: kernel.Panel,
			Dst: l.dPoints[(panel*l.BatchLen+from)*kernel.Panel:], DstRow: 8 * stride, DstPixel: stride, Channels: kernel.Panel,
			Count: n, SrcNext: padded2, DstNext: kernel.Panel}
		input := gradient
		gradient.MapGradient()
		input.Src, input.Dst, input.DstNext = padded, l.dOut[from*conv2Channels+panel*kernel.Panel:], conv2Channels
		input.MapInput()
	}
	mapInput(l.points[from*conv1Channels:], pointStride(l.BatchLen, conv1Channels),
		l.pool1[(l.step*l.BatchLen+from)*pool1Len:], pool1Len, conv1Channels, n)
}

// pool1Back finishes the way back through the second convolution and sums for the first batch norm.
func (l *Learner) pool1Back(block, _ int) {
	from, to := l.Block(block)
	const pool1Dense = pool1Size * pool1Size * conv1Channels
	mapOutput(l.dPool1[from*pool1Dense:], pool1Dense, l.dIn[from*conv1Channels:], pointStride(l.BatchLen, conv1Channels), conv1Channels, to-from)
	for b := from; b < to; {
		n := l.together(b, to)
		for panel := range panels1 {
			pool := l.conv1PoolBack(b, n, panel, l.norm1.calls[l.step].forward)
			pool.GradientSums(l.norm1.sums[block][panel*2*kernel.Panel:])
		}
		b += n
	}
}

// conv1PoolBack describes the first pooling of a panel of n pictures from b on in the present step, for the way back.
func (l *Learner) conv1PoolBack(b, n, panel int, table kernel.Table) kernel.Pool {
	pool := l.poolOf1(b, panel, table)
	pool.Rows *= n
	pool.Pooled = l.dPool1[b*pool1Size*pool1Size*conv1Channels+panel*kernel.Panel:]
	pool.PooledRow = pool1Size * conv1Channels
	return pool
}

// pointTasks cut the gradient of the transformed filters: 64 points, halves of the outputs.
const pointTasks = 2 * kernel.MapPoints

// convGradients adds the present step to the gradients of the convolutions' weights: tasks first for groups of pictures of the
// first, then for halves of the points of the second, which take less time and leave no worker waiting long.
func (l *Learner) convGradients(task, worker int) {
	if task < l.groups() {
		l.conv1Gradient(task, worker)
		return
	}
	task -= l.groups()
	const half = conv2Channels / 2
	p, first := task/2, task%2*half
	g := kernel.Gemm{Rows: conv1Channels, Columns: half, K: l.BatchLen,
		A: l.points[p*pointStride(l.BatchLen, conv1Channels):], ARow: 1, ACol: conv1Channels,
		B:      l.dPoints[p*pointStride(l.BatchLen, conv2Channels)+first*l.BatchLen:],
		BPanel: l.BatchLen * kernel.Panel, BRow: kernel.Panel,
		C: l.dFilter[p*pointStride(conv1Channels, conv2Channels)+first:], CRow: conv2Channels,
		Add: l.step < l.Looks-1}
	g.Run()
}

// groupSize is how many pictures a task takes to the gradient of the first convolution: enough to fill the product over their
// tiles, few enough for a second-level cache.
const groupSize = 2 * blockSize

func (l *Learner) groups() int { return (l.BatchLen + groupSize - 1) / groupSize }

// The gradient of the transformed filters of the first convolution: for every panel [64][12][16].
const (
	conv1PanelLen    = kernel.MapPoints * (glimpseChannels + 1) * kernel.Panel // see pointStride
	conv1GradientLen = panels1 * conv1PanelLen
)

// conv1Gradient adds the present step of a group of pictures to the gradient of the transformed filters of the first convolution,
// and goes on to their places. A map of 12x12 is four tiles of 6x6.
func (l *Learner) conv1Gradient(group, worker int) {
	from, to := group*groupSize, min((group+1)*groupSize, l.BatchLen)
	s, tiles := &l.scratch[worker], 4*(to-from)
	stride := pointStride(tiles, kernel.Panel)
	tile := func(i, row, pixel int) int { return (i/2*row + i%2) * 6 * pixel }
	in := kernel.Tiles{SrcRow: glimpsePadded * glimpsePixel, SrcPixel: glimpsePixel,
		DstRow: 8 * stride, DstPixel: stride, Channels: glimpsePixel}
	for i := range tiles {
		in.Src = l.glimpse[(l.step*l.BatchLen+from+i/4)*glimpseLen+tile(i%4, glimpsePadded, glimpsePixel):]
		in.Dst = s.points[i*glimpsePixel:]
		in.MapInput()
	}
	const row = glimpsePadded * kernel.Panel
	dy := s.dy1[row+kernel.Panel:]
	gradient := kernel.Tiles{SrcRow: row, SrcPixel: kernel.Panel,
		DstRow: 8 * stride, DstPixel: stride, Channels: kernel.Panel,
		Count: 2, SrcNext: tile(2, glimpsePadded, kernel.Panel), DstNext: 2 * kernel.Panel}
	input := gradient
	for panel := range panels1 {
		for b := from; b < to; b++ {
			pool := l.conv1PoolBack(b, 1, panel, l.norm1.calls[l.step].back)
			pool.DY, pool.DYRow, pool.DYPixel = dy, row, kernel.Panel
			pool.Gradient()
			for side := range 2 {
				at := (4*(b-from) + side) * kernel.Panel
				gradient.Src, gradient.Dst = dy[tile(side, glimpsePadded, kernel.Panel):], s.products[at:]
				gradient.MapGradient()
				if l.throughPlaces() {
					input.Src, input.Dst = s.dy1[tile(side, glimpsePadded, kernel.Panel):], s.sensor.points[at:]
					input.MapInput()
				}
			}
		}
		if l.throughPlaces() {
			s.sensor.add(&l.net.conv1Back, panel, tiles)
		}
		dFilter := l.dConv1[group*conv1GradientLen+panel*conv1PanelLen:]
		for p := range kernel.MapPoints {
			g := kernel.Gemm{Rows: glimpseChannels, Columns: kernel.Panel, K: tiles,
				A: s.points[p*stride:], ARow: 1, ACol: glimpsePixel,
				B: s.products[p*stride:], BRow: kernel.Panel,
				C: dFilter[p*pointStride(glimpseChannels, kernel.Panel):], CRow: kernel.Panel,
				Add: l.step < l.Looks-1}
			g.Run()
		}
	}
	if l.throughPlaces() {
		l.sensorBack(from, to, &s.sensor)
	}
}

// sensorScratch is what the way from the first convolution to the places takes.
type sensorScratch struct {
	points, products []float32 // [64][tiles of a group][16]: of a panel of outputs, and of the inputs
	dGlimpse         []float32 // [12][12][16]
	slopes           []float32 // [12][12][3]
}

func newSensorScratch() sensorScratch {
	return sensorScratch{
		points: mapScratch(4*groupSize, kernel.Panel), products: mapScratch(4*groupSize, kernel.Panel),
		dGlimpse: floats(GlimpseSize * GlimpseSize * kernel.Panel), slopes: floats(GlimpseSize * GlimpseSize * Colours),
	}
}

// add adds the part of a panel of outputs to the products of the inputs.
func (s *sensorScratch) add(back *mapConv, panel, tiles int) {
	stride := pointStride(tiles, kernel.Panel)
	for p := range kernel.MapPoints {
		g := kernel.Gemm{Rows: tiles, Columns: kernel.Panel, K: kernel.Panel,
			A: s.points[p*stride:], ARow: kernel.Panel, ACol: 1,
			B: back.filter[p*pointStride(back.in, kernel.Panel)+panel*kernel.Panel*kernel.Panel:], BRow: kernel.Panel,
			C: s.products[p*stride:], CRow: kernel.Panel,
			Add: panel > 0}
		g.Run()
	}
}

// sensorBack adds to the gradient of the places what the glimpses there are for, from the products of the group.
func (l *Learner) sensorBack(from, to int, s *sensorScratch) {
	const row = GlimpseSize * kernel.Panel
	stride := pointStride(4*(to-from), kernel.Panel)
	out := kernel.Tiles{SrcRow: 8 * stride, SrcPixel: stride, DstRow: row, DstPixel: kernel.Panel, Channels: kernel.Panel,
		Count: 2, SrcNext: 2 * kernel.Panel, DstNext: pool1Size * row}
	for b := from; b < to; b++ {
		for side := range 2 {
			out.Src, out.Dst = s.products[(4*(b-from)+side)*kernel.Panel:], s.dGlimpse[side*pool1Size*kernel.Panel:]
			out.MapOutput()
		}
		at := l.step*l.BatchLen + b
		place := l.Places[at]
		dx, dy := l.sensor.Gradient(s.dGlimpse, row, kernel.Panel, l.batch.Images[b], place[0], place[1], s.slopes)
		l.dPlaces[at][0] += dx
		l.dPlaces[at][1] += dy
	}
}

const (
	whatTasks  = 12 // pieces of fc_gg's gradient
	lstmTasks  = 8  // pieces of an LSTM's: input and hidden weights, a gate each
	conv2Tasks = 16 // pieces of the second convolution's: 16 outputs each
	finalTasks = panels1 + conv2Tasks + whatTasks + 2*lstmTasks + 7
)

// weightGradients computes one piece of the gradients of the weights, over all steps at once.
func (l *Learner) weightGradients(task, worker int) {
	w, rows := l.net, l.Looks*l.BatchLen
	grads := l.Grads
	if task < panels1 {
		sum := l.dConv1[task*conv1PanelLen:][:conv1PanelLen]
		for group := 1; group < l.groups(); group++ {
			for i, v := range l.dConv1[group*conv1GradientLen+task*conv1PanelLen:][:conv1PanelLen] {
				sum[i] += v
			}
		}
		const panel = kernel.Panel * glimpseChannels * 9
		mapFilterGradient(grads.Layer("glimpse_net.fc_g.0").Weight[task*panel:], sum, 0, glimpseChannels, kernel.Panel, l.scratch[worker].taps)
		return
	}
	task -= panels1
	if task < conv2Tasks {
		mapFilterGradient(grads.Layer("glimpse_net.fc_g.4").Weight, l.dFilter, task, conv1Channels, conv2Channels, l.scratch[worker].taps)
		return
	}
	task -= conv2Tasks
	if task < whatTasks {
		const columns = flatLen / whatTasks
		first := task * columns
		product(l.dWhatWeight[first:], flatLen, l.dWhat, Hidden, Hidden, l.pool2[first:], flatLen, columns, rows)
		published(grads.Layer("glimpse_net.fc_gg").Weight, l.dWhatWeight, w.flat, first, columns)
		if task == 0 {
			columnSum(grads.Layer("glimpse_net.fc_gg").Bias, l.dWhat, Hidden, rows)
		}
		return
	}
	task -= whatTasks
	if task < 2*lstmTasks {
		if task < lstmTasks {
			l.lstmGradient(task, l.dGates1, l.feature, l.h1, grads.Tensor("rnn1.lstm_cell.weight_ih"),
				grads.Tensor("rnn1.lstm_cell.weight_hh"), grads.Tensor("rnn1.lstm_cell.bias_ih"), grads.Tensor("rnn1.lstm_cell.bias_hh"))
		} else if l.ThroughEmission {
			l.lstmGradient(task-lstmTasks, l.dGates2, l.h1[l.BatchLen*Hidden:], l.h2, grads.Tensor("rnn2.lstm_cell.weight_ih"),
				grads.Tensor("rnn2.lstm_cell.weight_hh"), grads.Tensor("rnn2.lstm_cell.bias_ih"), grads.Tensor("rnn2.lstm_cell.bias_hh"))
		}
		return
	}
	switch task - 2*lstmTasks {
	case 0:
		w.where.gradient(grads.Layer("glimpse_net.fc_lg"), l.dWhere, l.placeFeature, rows)
		place := grads.Layer("glimpse_net.fc_l.0")
		for r, at := range l.Places[:rows] {
			for k, d := range l.dPlaceFeature[r*Hidden:][:Hidden] {
				place.Weight[2*k] += d * at[0]
				place.Weight[2*k+1] += d * at[1]
			}
		}
		columnSum(place.Bias, l.dPlaceFeature, Hidden, rows)
	case 1:
		w.class1.gradient(grads.Layer("class_net.fc.0"), l.dClassHidden, l.h1[l.BatchLen*Hidden:], rows)
	case 2:
		w.class2.gradient(grads.Layer("class_net.fc.2"), l.DStepLogits, l.classHidden, rows)
	case 3:
		rows := rows + l.BatchLen
		emission := grads.Layer("emission_net.fc.0")
		product(emission.Weight, Hidden, l.dEmission, emissionWidth, emissionWidth, l.h2, Hidden, Hidden, rows)
		if l.FixedEmission { // else its bias is taken off again by the batch's mean, and its gradient is 0
			columnSum(emission.Bias, l.dEmission, emissionWidth, rows)
		}
		for i, head := range [2]Layer{grads.Layer("emission_net.mu_net.0"), grads.Layer("emission_net.logvar_net.0")} {
			dHeads := l.dHeads[2*i:]
			product(head.Weight, emissionWidth, dHeads, w.heads.stride, 2, l.emissionOut, emissionWidth, emissionWidth, rows)
			columnSum(head.Bias, dHeads, w.heads.stride, rows)
		}
	case 4:
		w.baseline1.gradient(grads.Layer("baseline_net.fc.0"), l.dBaselineH, l.both, rows)
	case 5:
		w.baseline2.gradient(grads.Layer("baseline_net.fc.1"), l.dBaseline, l.baselineHidden, rows)
	case 6:
		if l.ThroughEmission {
			l.contextGradients()
		}
	}
}

// gradient writes the gradient of a linear layer over rows of dy [stride] and x [in].
func (l *linear) gradient(grad Layer, dy, x []float32, rows int) {
	product(grad.Weight, l.in, dy, l.stride, l.out, x, l.in, l.in, rows)
	columnSum(grad.Bias, dy, l.stride, rows)
}

// lstmGradient writes the gradient of one gate's input weights and biases, or of its hidden weights.
func (l *Learner) lstmGradient(task int, dGates, x, h, dIH, dHH, dBiasIH, dBiasHH []float32) {
	gate, rows := task%4, l.Looks*l.BatchLen
	dGates = dGates[gate*Hidden:]
	if task >= 4 {
		product(dHH[gate*Hidden*Hidden:], Hidden, dGates, gates, Hidden, h, Hidden, Hidden, rows)
		return
	}
	product(dIH[gate*Hidden*Hidden:], Hidden, dGates, gates, Hidden, x, Hidden, Hidden, rows)
	bias := dBiasIH[gate*Hidden:][:Hidden]
	columnSum(bias, dGates, gates, rows)
	copy(dBiasHH[gate*Hidden:], bias)
}

func (l *Learner) contextGradients() {
	fc, first, second := l.Grads.Layer("rnn2.fc"), l.Grads.Layer("rnn2.context_net1.0"), l.Grads.Layer("rnn2.context_net2.0")
	product(l.dContextFC, contextFlat, l.dh2, Hidden, Hidden, l.contextFlat, contextFlat, contextFlat, l.BatchLen)
	published(fc.Weight, l.dContextFC, l.net.contextMap, 0, contextFlat)
	columnSum(fc.Bias, l.dh2, Hidden, l.BatchLen)
	for b := range l.blocks {
		convUnpackGradient(first.Weight, l.dContext1[b*context1Filter:][:context1Filter], Colours, contextChannels)
		convUnpackGradient(second.Weight, l.dContext2[b*context2Filter:][:context2Filter], contextChannels, contextChannels)
		sumRows(first.Bias, l.dContextB1[b*contextChannels:], 1)
		sumRows(second.Bias, l.dContextB2[b*contextChannels:], 1)
	}
}

// product writes dw [outs][ins], its rows dwRow apart, = dyᵀ·x for dy [rows][outs] and x [rows][ins],
// whose rows are dyRow and xRow apart.
func product(dw []float32, dwRow int, dy []float32, dyRow, outs int, x []float32, xRow, ins, rows int) {
	g := kernel.Gemm{Rows: outs, Columns: ins, K: rows, A: dy, ARow: 1, ACol: dyRow,
		B: x, BRow: xRow, C: dw, CRow: dwRow}
	g.Run()
}

// columnSum writes the sums of the first len(dst) columns of rows apart by stride.
func columnSum(dst, rows []float32, stride, n int) {
	clear(dst)
	for r := range n {
		for c, v := range rows[r*stride:][:len(dst)] {
			dst[c] += v
		}
	}
}

// published copies columns of a gradient kept channels last to their published places.
func published(dst, src []float32, order []int, first, columns int) {
	width := len(order)
	for out := range len(dst) / width {
		for c := first; c < first+columns; c++ {
			dst[out*width+order[c]] = src[out*width+c]
		}
	}
}
