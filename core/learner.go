package core

import (
	"cmp"

	"gdram/core/glimpse"
	"gdram/core/internal/workers"
	"gdram/core/kernel"
	"gdram/core/nn"
	"gdram/core/policy"
)

// Batch is what a training step looks at.
type Batch struct {
	Images [][]float32 // pictures of ImageLen, exactly the learner's batch
	// Noise holds the policy's standard normal draws, [Steps+1][batch]: one for each call of
	// the emission network.
	Noise [][2]float32
	// NoiseScale multiplies the policy's standard deviation when it draws; 1 as published.
	NoiseScale float32
	// Places, if not nil, are the places to look at, [Steps][batch]: the policy chooses none, and all
	// looks weigh 1.
	Places [][2]float32
	// Looks is how often to look, 1 to Steps; 0 means Steps. Time grows with it.
	Looks int
}

// Learner runs the network forward and backward over batches of a fixed size. All
// buffers are allocated once; a step allocates nothing.
//
// A step is Forward, then the caller's loss, which reads the outputs and fills the gradients D...,
// then Backward, then the optimiser on Params and Grads. Work is cut into blocks of eight pictures, and
// into pieces of the weights' gradients, by shape alone; see package workers. Pictures wait for
// each other only where a batch norm measures the batch.
//
// Outputs and gradients are indexed [step or call][picture]; those of steps that a batch did not take are old.
type Learner struct {
	Params, Grads *Params
	BatchLen      int
	Looks         int // of the last forward pass, 1 to Steps

	// FixedNorms normalises behind the convolutions by their running statistics instead of the batch's, held
	// constant, as evaluation will. The running statistics then follow those of all looks at a batch together. A
	// policy's first look is in the middle and its last elsewhere: a batch norm that sees one look at a time
	// teaches with other statistics for each, and evaluation has one set.
	FixedNorms bool
	// FixedEmission normalises the emission network by its running statistics instead of the batch's,
	// held constant, as evaluation will. The running statistics are then the mean of those of the nine
	// calls and their total variance, within and between calls.
	FixedEmission bool
	// ThroughEmission lets gradients pass the emission network's input, so that the second LSTM and the
	// context network learn; published, they are cut off. It needs FixedEmission.
	ThroughEmission bool
	// SensorLimit, where it is not 0, lets gradients pass the places that the policy chose, as well: the sensor's slope says what
	// a glimpse a little further would have shown. It needs ThroughEmission. Backward then adds to DMu and DLogVar. Every look
	// multiplies the gradient of the places before it, so that of what chose one is held within SensorLimit/BatchLen, either way.
	SensorLimit float32
	// CallMean and CallVar are the running statistics of every call of the emission network,
	// [Steps+1][256], from which FixedEmission derives the published ones.
	CallMean, CallVar []float32

	StepLogits    []float32    // [Steps][batch][LogitStride]
	LogitStride   int          // classes rounded up to 16
	Logits        []float32    // [batch][classes], the weighted mean of the step logits
	Weights       []float32    // [Steps][batch]
	Places        [][2]float32 // [Steps][batch]
	Mu, LogVar    [][2]float32 // [Steps+1][batch], of each call of the emission network
	Std           [][2]float32
	Sample, Value [][2]float32 // before and after clamping to -1..1
	Baselines     []float32    // [Steps][batch]

	DStepLogits []float32    // [Steps][batch][LogitStride], columns past the classes 0
	DMu         [][2]float32 // [Steps+1][batch]
	DLogVar     [][2]float32
	DBaselines  []float32 // [Steps][batch]

	pool    *workers.Pool
	net     *network
	sensor  *glimpse.Sensor
	scratch []scratch // one a worker
	batch   *Batch
	blocks  int
	step    int // the present glimpse, for the phases below

	norm1, norm2, normE *batchNorm

	// Activations, [Steps][batch] unless noted.
	contexts                 []context // [batch]
	contextFlat              []float32 // [batch][576]
	glimpse, pool1           []float32
	y1, top1                 []float32 // [Steps][groups][8 panels][16 pictures][12][12][16], and the largest of the windows [6][6][16]
	y2, top2                 []float32 // [Steps][blocks][16 panels][8 pictures][6][6][16], [3][3][16]
	pool2                    []float32
	placeFeature             []float32
	what, where, feature     []float32
	gates1, gates2           []float32
	h1, c1, h2, c2           []float32 // [Steps+1][batch], the first the initial state
	classHidden              []float32
	both, baselineHidden     []float32 // [h1 h2], and the baseline's hidden layer
	baselineOut              []float32
	emissionPre, emissionOut []float32 // [Steps+1][batch][256]: before the norm, and z
	heads                    []float32 // [Steps+1][batch][16]

	backwardBuffers

	phases struct {
		load, begin, look, second, think, last   func(task, worker int)
		recurrent, conv2, pool1, first, emission func(task, worker int)
		dx, dw, final                            func(task, worker int)
	}
}

// scratch is one worker's.
type scratch struct {
	measure          measureScratch
	points, products []float32 // Winograd: [16][72][16], [25][32][256] or [64][64][16] each
	taps             []float32 // [3][3][16]
	dy2              []float32 // [8][8][8][16], border zero
	y1               []float32 // [conv1Panels][conv1Maps][12][12][16]
	dy1              []float32 // [14][14][16], border zero
	sensor           sensorScratch
	y2               []float32 // [outputPanels][8][6][6][16]
	dFeature         []float32 // [8][128]
	dContextFlat     []float32 // [8][576]
	dContextY2       []float32 // [8][8][64], border zero
	dContextPool1    []float32 // [6][6][64]
	dContextY1       []float32 // [12][12][64]
	contextTop1      []float32 // [6][6][64]
	contextTop2      []float32 // [3][3][64]
}

// NewLearner prepares to train p in place on batches of the given size, 2 or more, with the given
// number of workers (0 for GOMAXPROCS).
func NewLearner(p *Params, batch, threads int) *Learner {
	if batch < 2 {
		panic("core: NewLearner: want a batch of 2 or more, because one picture has no variance")
	}
	blocks := max((batch+blockSize-1)/blockSize, 2) // two have work for two workers, however small the batch
	l := &Learner{
		Params: p, Grads: NewParams(p.Classes), BatchLen: batch, Looks: Steps,
		CallMean: make([]float32, emissions*emissionWidth), CallVar: make([]float32, emissions*emissionWidth),
		pool: workers.New(threads), net: newTrainingNetwork(p.Classes),
		sensor: glimpse.NewSensor(ImageSize, Colours, GlimpseSize, Scales),
		blocks: blocks,
	}
	for i := range l.CallVar {
		l.CallVar[i] = 1
	}
	perStep := func(n int) []float32 { return floats(Steps * batch * n) }
	perCall := func(n int) []float32 { return floats(emissions * batch * n) }
	pairs := func(n int) [][2]float32 { return make([][2]float32, n*batch) }

	l.LogitStride = l.net.class2.stride
	l.StepLogits, l.DStepLogits = perStep(l.LogitStride), perStep(l.LogitStride)
	l.Logits = make([]float32, batch*p.Classes)
	l.Weights, l.Baselines, l.DBaselines = perStep(1), perStep(1), perStep(1)
	l.Places = pairs(Steps)
	l.Mu, l.LogVar, l.Std = pairs(emissions), pairs(emissions), pairs(emissions)
	l.Sample, l.Value = pairs(emissions), pairs(emissions)
	l.DMu, l.DLogVar = pairs(emissions), pairs(emissions)

	for range batch {
		l.contexts = append(l.contexts, newContext(Colours))
	}
	l.contextFlat = floats(batch * contextFlat)
	l.glimpse, l.pool1, l.pool2 = perStep(glimpseLen), perStep(pool1Len), perStep(flatLen)
	maps1, maps2 := Steps*l.groups()*groupSize, Steps*blocks*blockSize
	l.y1, l.top1 = floats(maps1*conv1Len), floats(maps1*conv1Len/4)
	l.y2, l.top2 = floats(maps2*conv2Len), floats(maps2*conv2Len/4)
	l.placeFeature, l.what, l.where, l.feature = perStep(Hidden), perStep(Hidden), perStep(Hidden), perStep(Hidden)
	l.gates1, l.gates2 = perStep(gates), perStep(gates)
	l.h1, l.c1, l.h2, l.c2 = perCall(Hidden), perCall(Hidden), perCall(Hidden), perCall(Hidden)
	l.classHidden = perStep(classWidth)
	l.both, l.baselineHidden, l.baselineOut = perStep(2*Hidden), perStep(baselineWidth), perStep(l.net.baseline2.stride)
	l.emissionPre, l.emissionOut, l.heads = perCall(emissionWidth), perCall(emissionWidth), perCall(l.net.heads.stride)

	l.norm1 = newBatchNorm(p, l.Grads, "glimpse_net.fc_g.0", "glimpse_net.fc_g.1", conv1Channels, Steps, blocks)
	l.norm2 = newBatchNorm(p, l.Grads, "glimpse_net.fc_g.4", "glimpse_net.fc_g.5", conv2Channels, Steps, blocks)
	l.normE = newBatchNorm(p, l.Grads, "emission_net.fc.0", "emission_net.fc.1", emissionWidth, emissions, blocks)

	for range l.pool.Workers() {
		winograd := func() []float32 { return winogradScratch(conv2Channels) }
		l.scratch = append(l.scratch, scratch{
			points: winograd(), products: winograd(), taps: floats(9 * kernel.Panel),
			dy2: floats(blockSize * padded2),
			y1:  floats(conv1Maps * conv1Panels * panel1),
			dy1: floats(glimpsePadded * glimpsePadded * kernel.Panel), sensor: newSensorScratch(),
			y2:            floats(blockSize * outputPanels * panel2),
			dFeature:      floats(blockSize * Hidden),
			dContextFlat:  floats(blockSize * contextFlat),
			dContextY2:    floats(pool1Padded * pool1Padded * contextChannels),
			dContextPool1: floats(pool1Size * pool1Size * contextChannels),
			dContextY1:    floats(GlimpseSize * GlimpseSize * contextChannels),
			contextTop1:   floats(pool1Size * pool1Size * contextChannels),
			contextTop2:   floats(contextFlat),
		})
	}
	l.backwardBuffers = newBackwardBuffers(l)
	// Methods are bound once: binding one allocates.
	l.phases.load = func(task, worker int) { l.net.load(l.Params, task, l.scratch[worker].points) }
	l.phases.begin, l.phases.look, l.phases.second = l.beginBlock, l.lookBlock, l.secondBlock
	l.phases.think, l.phases.last = l.thinkBlock, l.lastBlock
	l.phases.recurrent, l.phases.conv2, l.phases.pool1 = l.recurrentBack, l.conv2Back, l.pool1Back
	l.phases.first, l.phases.emission = l.firstBack, l.emissionBack
	l.phases.dx = func(point, _ int) { l.net.conv2Back.product(point, l.dIn, l.dOut, l.BatchLen) }
	l.phases.dw, l.phases.final = l.convGradients, l.weightGradients
	return l
}

// Close ends the workers.
func (l *Learner) Close() { l.pool.Close() }

// Blocks is how many blocks a batch is cut into; Block gives the pictures of one.
func (l *Learner) Blocks() int { return l.blocks }

// Run runs tasks on the learner's workers: a caller's loss or optimiser, say.
func (l *Learner) Run(tasks int, run func(task, worker int)) { l.pool.Run(tasks, run) }

// Block returns the pictures of a block: from, and up to but not including to. The last two share what the others
// leave, so that the work can be shared out evenly.
func (l *Learner) Block(block int) (from, to int) {
	return l.blockStart(block), l.blockStart(block + 1)
}

func (l *Learner) blockStart(block int) int {
	full := max(l.blocks-2, 0)
	switch left := l.BatchLen - full*blockSize; {
	case block <= full:
		return block * blockSize
	case block == l.blocks:
		return l.BatchLen
	default:
		return full*blockSize + (left+1)/2
	}
}

// rows cuts rows [step][from:from+n] of size numbers each out of a buffer [steps][batch][size].
func (l *Learner) rows(buffer []float32, step, from, n, size int) []float32 {
	at := (step*l.BatchLen + from) * size
	return buffer[at : at+n*size]
}

// Forward looks at the batch. It takes the parameters as they are now.
func (l *Learner) Forward(batch *Batch) {
	if len(batch.Images) != l.BatchLen {
		panic("core: Forward: want exactly a batch of pictures")
	}
	l.batch, l.Looks = batch, cmp.Or(batch.Looks, Steps)
	l.pool.Run(loadTasks, l.phases.load)
	l.norm1.load()
	l.norm2.load()
	if l.FixedNorms {
		l.norm1.fixAll(l.Looks)
		l.norm2.fixAll(l.Looks)
	}
	if l.FixedEmission {
		l.normE.fixAll(l.Looks + 1)
	}
	l.pool.Run(l.blocks, l.phases.begin)
	l.measureEmission(0)
	for l.step = range l.Looks {
		l.pool.Run(l.blocks, l.phases.look)
		l.measureConvolution(l.norm1)
		l.pool.Run(l.blocks, l.phases.second)
		l.measureConvolution(l.norm2)
		l.pool.Run(l.blocks, l.phases.think)
		l.measureEmission(l.step + 1)
	}
	l.pool.Run(l.blocks, l.phases.last)
	if l.FixedNorms {
		l.norm1.follow()
		l.norm2.follow()
	}
	if l.FixedEmission {
		l.totalStatistics()
	}
}

// measureConvolution takes the statistics of the present look.
func (l *Learner) measureConvolution(n *batchNorm) {
	n.collect()
	if l.FixedNorms {
		n.pass.merge(&n.all)
	} else {
		n.normalise(l.step)
	}
}

// Calibrate measures the running statistics of all batch norms afresh, over all looks at n batches, batch
// i of which next returns: what one set of statistics can know of calls that differ. Running averages
// over training know the last batch or two, and other weights. The policy looks as batches say. With fixed statistics
// what one layer hands to the next depends on those running, which settle on half as many batches first.
func (l *Learner) Calibrate(n int, next func(i int) *Batch) {
	norms := []*batchNorm{l.norm1, l.norm2, l.normE}
	if l.FixedNorms {
		for i := range n / 2 {
			l.Forward(next(i))
		}
	}
	for _, norm := range norms {
		norm.total.reset()
	}
	for i := range n {
		l.Forward(next(i))
	}
	for _, norm := range norms {
		norm.calibrate()
	}
}

// measureEmission takes the statistics of one call of the emission network.
func (l *Learner) measureEmission(call int) {
	l.normE.collect()
	at := call * emissionWidth
	l.normE.all.drawOn(l.CallMean[at:], l.CallVar[at:], l.normE.bias)
	if !l.FixedEmission {
		l.normE.normalise(call)
	}
}

// totalStatistics makes the running statistics of the emission network those of all nine calls
// together: the mean of the means; the mean of the variances and the variance of the means. Calls that
// the batch did not make are taken to be like its last.
func (l *Learner) totalStatistics() {
	for i := l.Looks + 1; i < emissions; i++ {
		copy(l.CallMean[i*emissionWidth:], l.CallMean[l.Looks*emissionWidth:][:emissionWidth])
		copy(l.CallVar[i*emissionWidth:], l.CallVar[l.Looks*emissionWidth:][:emissionWidth])
	}
	for c := range emissionWidth {
		var mean, variance float64
		for i := range emissions {
			mean += float64(l.CallMean[i*emissionWidth+c]) / emissions
		}
		for i := range emissions {
			d := float64(l.CallMean[i*emissionWidth+c]) - mean
			variance += (float64(l.CallVar[i*emissionWidth+c]) + d*d) / emissions
		}
		l.normE.runningMean[c], l.normE.runningVar[c] = float32(mean), float32(variance)
	}
	l.normE.batches[0]++
}

// beginBlock computes the first hidden state from the context.
func (l *Learner) beginBlock(block, worker int) {
	from, to := l.Block(block)
	for b := from; b < to; b++ {
		const row = glimpsePadded * Colours
		c := &l.contexts[b]
		glimpse.Thumbnail(c.thumbnail[row+Colours:], row, Colours, l.batch.Images[b], ImageSize, Colours, GlimpseSize)
		l.net.contextForward(c, l.scratch[worker].points, l.scratch[worker].products)
		copy(l.contextFlat[b*contextFlat:], c.pool2)
	}
	n := to - from
	l.net.contextFC.forward(l.rows(l.h2, 0, from, n, Hidden), l.contextFlat[from*contextFlat:], n)
	l.emit(0, block, worker)
}

// emit runs the emission network up to its batch norm, and measures.
func (l *Learner) emit(call, block, worker int) {
	from, to := l.Block(block)
	n := to - from
	pre := l.rows(l.emissionPre, call, from, n, emissionWidth)
	l.net.emission.forward(pre, l.rows(l.h2, call, from, n, Hidden), n)
	columns := kernel.Columns{Src: pre, Stride: emissionWidth, Rows: n, Channels: emissionWidth}
	l.normE.blocks[block].measure(0, 0, columns, 0, 1, &l.scratch[worker].measure)
}

// choose finishes a call of the emission network: the Gaussian, and what was drawn from it.
func (l *Learner) choose(call, block int) {
	from, to := l.Block(block)
	n := to - from
	pre, z := l.rows(l.emissionPre, call, from, n, emissionWidth), l.rows(l.emissionOut, call, from, n, emissionWidth)
	copy(z, pre)
	norm := norm{l.normE.calls[call].forward}
	for b := range n {
		norm.applyReLU(z[b*emissionWidth:][:emissionWidth])
	}
	heads := l.rows(l.heads, call, from, n, l.net.heads.stride)
	l.net.heads.forward(heads, z, n)
	for b := range n {
		h, at := heads[b*l.net.heads.stride:], call*l.BatchLen+from+b
		mu, v, std := policy.Emit([2]float32{h[0], h[1]}, [2]float32{h[2], h[3]})
		l.Mu[at], l.LogVar[at], l.Std[at] = mu, v, std
		l.Sample[at], l.Value[at] = policy.Sample(mu, std, l.batch.Noise[at], l.batch.NoiseScale)
	}
}

// lookBlock chooses the places of the present step, looks, and runs the first convolution.
func (l *Learner) lookBlock(block, worker int) {
	from, to := l.Block(block)
	l.choose(l.step, block)
	for b := from; b < to; b++ {
		at := l.step*l.BatchLen + b
		switch {
		case l.batch.Places != nil:
			l.Places[at], l.Weights[at] = l.batch.Places[at], 1
		case l.step == 0:
			l.Places[at], l.Weights[at] = policy.First(l.Value[at]), 1
		default:
			l.Places[at] = policy.Next(l.Places[at-l.BatchLen], l.Value[at])
			l.Weights[at] = policy.Weight(l.Std[at])
		}
		const row = glimpsePadded * glimpsePixel
		x := l.glimpse[at*glimpseLen:][:glimpseLen]
		l.sensor.Sample(x[row+glimpsePixel:], row, glimpsePixel, l.batch.Images[b], l.Places[at][0], l.Places[at][1])
	}
	s := &l.scratch[worker]
	for at := from; at < to; {
		maps, first := l.together(at, min(at+conv1Maps, to)), l.step*l.BatchLen+at
		l.net.conv1.input(s.points, l.glimpse[first*glimpseLen:], glimpseLen, maps)
		for panel := 0; panel < panels1; panel += conv1Panels {
			l.net.conv1.output(s.y1, panel1, kernel.Panel, maps*panel1, s.points, s.products, maps, panel, conv1Panels)
			for i := range conv1Panels {
				y := s.y1[i*maps*panel1:][:maps*panel1]
				columns := kernel.Columns{Src: y, Stride: kernel.Panel, Rows: GlimpseSize * GlimpseSize, Channels: kernel.Panel}
				l.norm1.blocks[block].measure((panel+i)*kernel.Panel, (at-from)*columns.Rows, columns, panel1, maps, &s.measure)
				pool := l.poolOf1(at, panel+i, l.norm1.sign)
				pool.Rows *= maps
				kernel.Stream(pool.Y, y)
				pool.Y = y
				pool.Select()
			}
		}
		at += maps
	}
}

// The channels of y1 and y2 lie by 16, so that what is worked on is near.
const (
	panels1 = conv1Channels / kernel.Panel
	panels2 = conv2Channels / kernel.Panel
	panel1  = GlimpseSize * GlimpseSize * kernel.Panel
	panel2  = pool1Size * pool1Size * kernel.Panel
	padded2 = pool1Padded * pool1Padded * kernel.Panel

	outputPanels = 4 // panels of the second convolution that are computed at a time
	conv1Maps    = 2 // maps that are convolved at a time: they fill the matrix kernel and stay in a second-level cache
	conv1Panels  = 2 // panels of it that are computed at a time
)

// at1 is where a panel of y1 of picture b in the present step begins. Pictures of a group lie together as the way back walks them.
func (l *Learner) at1(b, panel int) int {
	return (((l.step*l.groups()+b/groupSize)*panels1+panel)*groupSize + b%groupSize) * panel1
}

// together is how many of the pictures from one on, and up to but not including another, lie together in y1.
func (l *Learner) together(from, to int) int { return min(to, (from/groupSize+1)*groupSize) - from }

// poolOf1 describes the pooling of a panel of y1 of picture b in the present step; with more rows, of those that lie together
// with it, but for Pooled, whose maps have a border.
func (l *Learner) poolOf1(b, panel int, table kernel.Table) kernel.Pool {
	y, at := l.at1(b, panel), l.step*l.BatchLen+b
	return kernel.Pool{
		Y: l.y1[y:], YRow: GlimpseSize * kernel.Panel, YPixel: kernel.Panel,
		Top: l.top1[y/4:], TopRow: pool1Size * kernel.Panel, TopPixel: kernel.Panel,
		Pooled: l.pool1[at*pool1Len+(pool1Padded+1)*conv1Channels+panel*kernel.Panel:], PooledRow: pool1Padded * conv1Channels, PooledPixel: conv1Channels,
		Table: table[panel*4*kernel.Panel:], Rows: pool1Size, Cols: pool1Size, Channels: kernel.Panel}
}

// poolOf2 describes the pooling of a panel of y2 of all pictures of a block in the present step.
func (l *Learner) poolOf2(block, panel int, table kernel.Table) kernel.Pool {
	from, to := l.Block(block)
	y, at := ((l.step*l.blocks+block)*panels2+panel)*blockSize*panel2, l.step*l.BatchLen+from
	return kernel.Pool{
		Y: l.y2[y:], YRow: pool1Size * kernel.Panel, YPixel: kernel.Panel,
		Top: l.top2[y/4:], TopRow: pool2Size * kernel.Panel, TopPixel: kernel.Panel,
		Pooled: l.pool2[at*flatLen+panel*kernel.Panel:], PooledRow: pool2Size * conv2Channels, PooledPixel: conv2Channels,
		Table: table[panel*4*kernel.Panel:], Rows: (to - from) * pool2Size, Cols: pool2Size, Channels: kernel.Panel}
}

// secondBlock normalises and pools, and runs the second convolution.
func (l *Learner) secondBlock(block, worker int) {
	from, to := l.Block(block)
	n, s := to-from, &l.scratch[worker]
	first := l.step*l.BatchLen + from
	for b := from; b < to; b++ {
		for panel := range panels1 {
			pool := l.poolOf1(b, panel, l.norm1.calls[l.step].forward)
			pool.Apply()
		}
	}
	l.net.conv2.input(s.points, l.pool1[first*pool1Len:], pool1Len, n)
	for panel := 0; panel < panels2; panel += outputPanels {
		l.net.conv2.output(s.y2, panel2, kernel.Panel, n*panel2, s.points, s.products, n, panel, outputPanels)
		for i := range outputPanels {
			y := s.y2[i*n*panel2:][:n*panel2]
			columns := kernel.Columns{Src: y, Stride: kernel.Panel, Rows: pool1Size * pool1Size, Channels: kernel.Panel}
			l.norm2.blocks[block].measure((panel+i)*kernel.Panel, 0, columns, panel2, n, &s.measure)
			pool := l.poolOf2(block, panel+i, l.norm2.sign)
			kernel.Stream(pool.Y, y)
			pool.Y = y
			pool.Select()
		}
	}
}

// thinkBlock normalises and pools, and runs everything behind the convolutions.
func (l *Learner) thinkBlock(block, worker int) {
	from, to := l.Block(block)
	n, w, t := to-from, l.net, l.step
	for panel := range panels2 {
		pool := l.poolOf2(block, panel, l.norm2.calls[t].forward)
		pool.Apply()
	}
	hidden := func(buffer []float32, step int) []float32 { return l.rows(buffer, step, from, n, Hidden) }
	what, where, feature, place := hidden(l.what, t), hidden(l.where, t), hidden(l.feature, t), hidden(l.placeFeature, t)
	for b := range n {
		p := l.Places[t*l.BatchLen+from+b]
		w.place.forward(place[b*Hidden:], p[:], 1)
	}
	nn.ReLUForward(place, place)
	w.what.forward(what, l.rows(l.pool2, t, from, n, flatLen), n)
	w.where.forward(where, place, n)
	for i := range feature {
		feature[i] = max(0, what[i]*where[i])
	}
	h1, h2 := hidden(l.h1, t+1), hidden(l.h2, t+1)
	lstm := func(x, h *linear, gatesBuffer, input, hPrev, hNext, cPrev, cNext []float32) {
		g := l.rows(gatesBuffer, t, from, n, gates)
		x.forward(g, input, n)
		h.accumulate(g, hPrev, n)
		nn.LSTMForward(g, cNext, hNext, cPrev, n, Hidden)
	}
	lstm(&w.lstm1X, &w.lstm1H, l.gates1, feature, hidden(l.h1, t), h1, hidden(l.c1, t), hidden(l.c1, t+1))
	lstm(&w.lstm2X, &w.lstm2H, l.gates2, h1, hidden(l.h2, t), h2, hidden(l.c2, t), hidden(l.c2, t+1))

	classHidden := l.rows(l.classHidden, t, from, n, classWidth)
	w.class1.forward(classHidden, h1, n)
	nn.ReLUForward(classHidden, classHidden)
	w.class2.forward(l.rows(l.StepLogits, t, from, n, l.LogitStride), classHidden, n)

	both := l.rows(l.both, t, from, n, 2*Hidden)
	for b := range n {
		copy(both[b*2*Hidden:], h1[b*Hidden:][:Hidden])
		copy(both[b*2*Hidden+Hidden:], h2[b*Hidden:][:Hidden])
	}
	base, out := l.rows(l.baselineHidden, t, from, n, baselineWidth), l.rows(l.baselineOut, t, from, n, w.baseline2.stride)
	w.baseline1.forward(base, both, n)
	w.baseline2.forward(out, base, n)
	for b := range n {
		l.Baselines[t*l.BatchLen+from+b] = nn.Sigmoid(out[b*w.baseline2.stride])
	}
	l.emit(t+1, block, worker)
}

// lastBlock finishes the last call of the emission network and weighs the answer.
func (l *Learner) lastBlock(block, _ int) {
	l.choose(l.Looks, block)
	from, to := l.Block(block)
	classes := l.Params.Classes
	for b := from; b < to; b++ {
		logits := l.Logits[b*classes:][:classes]
		clear(logits)
		var total float32
		for t := range l.Looks {
			at := t*l.BatchLen + b
			total += l.Weights[at]
			for k, v := range l.StepLogits[at*l.LogitStride:][:classes] {
				logits[k] += l.Weights[at] * v
			}
		}
		for k := range logits {
			logits[k] /= total
		}
	}
}

// Workers is how many tasks run at once; worker numbers passed to tasks lie below it.
func (l *Learner) Workers() int { return l.pool.Workers() }
