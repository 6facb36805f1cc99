package core

import (
	"gdram/core/kernel"
	"gdram/core/nn"
)

// batchNormEpsilon is added to a variance before its root is taken, as published.
const batchNormEpsilon = nn.Epsilon

// blockSize is how many pictures a task takes through a layer at once: enough to share what they read of the weights, few enough
// for a second-level cache. The usual batch of 128 is 16 blocks, which two, four or eight workers share out evenly.
const blockSize = 8

func pad(n int) int { return (n + kernel.Panel - 1) / kernel.Panel * kernel.Panel }

// pack lays out a [k][n] matrix, given by at(k, n), as panels of 16 columns: [n/16][k][16].
// Columns past n are zero.
func pack(dst []float32, k, n int, at func(k, n int) float32) {
	for panel := 0; panel < pad(n)/kernel.Panel; panel++ {
		for row := range k {
			to := dst[(panel*k+row)*kernel.Panel:][:kernel.Panel]
			for c := range to {
				to[c] = 0
				if col := panel*kernel.Panel + c; col < n {
					to[c] = at(row, col)
				}
			}
		}
	}
}

// linear is a fully connected layer in kernel layout: y = x·Wᵀ + b.
type linear struct {
	in, out int
	stride  int       // of a row of y: out padded to 16
	weight  []float32 // W as [stride/16][in][16]
	halves  []uint16  // the same, where that is of use and exact, as it is for weights out of a file of float16; else empty
	back    []float32 // Wᵀ as [in/16][out][16], for training
	bias    []float32 // [stride]
}

// newLinear makes a layer without weights; those of one that does not train lie in room.
func newLinear(in, out int, training bool, room *arena) linear {
	l := linear{in: in, out: out, stride: pad(out)}
	l.bias = make([]float32, l.stride)
	if training {
		l.weight, l.back = floats(l.stride*in), floats(pad(in)*out)
		return l
	}
	l.weight = room.floats(l.stride * in)
	if kernel.Wide() && l.stride%kernel.HalvesOut == 0 {
		l.halves = room.halves(len(l.weight))
	}
	return l
}

// load takes the weight [out][in] and the biases [out], which add up, by their published names. The inputs are
// [pixels][channels] here and [channels][pixels] there; pixels is 1 for a layer that sees no map.
func (l *linear) load(p Tensors, pixels int, weight string, biases ...string) {
	for from := 0; from < l.out; from += kernel.Panel {
		l.loadPanel(from, p.Rows(weight, from, min(from+kernel.Panel, l.out)), pixels)
	}
	l.halve()
	clear(l.bias)
	for _, name := range biases {
		for i, v := range p.Tensor(name) {
			l.bias[i] += v
		}
	}
}

// loadPanel takes the rows of a weight from a multiple of 16 on, 16 of them or those that are left.
func (l *linear) loadPanel(from int, rows []float32, pixels int) {
	channels, n := l.in/pixels, len(rows)/l.in
	for pixel := range pixels {
		to := kernel.Panels{Dst: l.weight[from*l.in+pixel*channels*kernel.Panel:], DstPanel: l.in * kernel.Panel,
			Src: rows[pixel:], SrcRow: l.in, SrcCol: pixels, Rows: n, K: channels}
		to.Run()
		if l.back != nil {
			back := kernel.Panels{Dst: l.back[pixel*channels*l.out+from*kernel.Panel:], DstPanel: l.out * kernel.Panel,
				Src: rows[pixel:], SrcRow: pixels, SrcCol: l.in, Rows: channels, K: n}
			back.Run()
		}
	}
}

// fold makes the batch norm behind the layer part of it.
func (l *linear) fold(scale, shift []float32) {
	for panel := range l.out / kernel.Panel {
		by := (*[kernel.Panel]float32)(scale[panel*kernel.Panel:])
		for k := range l.in {
			row := (*[kernel.Panel]float32)(l.weight[(panel*l.in+k)*kernel.Panel:])
			for c := range row {
				row[c] *= by[c]
			}
		}
	}
	l.halve()
	copy(l.bias, shift)
}

// halve keeps the weights as float16, too, where there is room for that and it is exact.
func (l *linear) halve() {
	if l.halves = l.halves[:cap(l.halves)]; !kernel.Halve(l.halves, l.weight) {
		l.halves = l.halves[:0]
	}
}

// forward writes y [rows][stride] for x [rows][in].
func (l *linear) forward(y, x []float32, rows int) {
	d := kernel.Dense{Rows: rows, In: l.in, Out: l.stride, X: x, Weight: l.weight, Halves: l.halves, Bias: l.bias, Y: y}
	d.Run()
}

// relu is forward and max(y, 0).
func (l *linear) relu(y, x []float32, rows int) {
	d := kernel.Dense{Rows: rows, In: l.in, Out: l.stride, X: x, Weight: l.weight, Halves: l.halves, Bias: l.bias, Y: y, ReLU: true}
	d.Run()
}

// accumulate adds x·Wᵀ to y.
func (l *linear) accumulate(y, x []float32, rows int) {
	d := kernel.Dense{Rows: rows, In: l.in, Out: l.stride, X: x, Weight: l.weight, Halves: l.halves, Y: y}
	d.Run()
}

// backward writes, or adds to, dx [rows][in] for dy [rows][stride].
func (l *linear) backward(dx, dy []float32, rows int, add bool) {
	g := kernel.Gemm{Rows: rows, Columns: l.in, K: l.out, A: dy, ARow: l.stride, ACol: 1,
		B: l.back, BPanel: l.out * kernel.Panel, BRow: kernel.Panel, C: dx, CRow: l.in, Add: add}
	g.Run()
}

// flatOrder maps element (row, column, channel) of a 3x3 map, as the kernels keep it, to its
// published place (channel, row, column).
func flatOrder(channels int) []int {
	const pixels = pool2Size * pool2Size
	order := make([]int, pixels*channels)
	for i := range order {
		order[i] = i%channels*pixels + i/channels
	}
	return order
}

// convPack lays out a direct 3x3 convolution [out][in][3][3] as B of kernel.Gemm, a segment a
// filter row: [out/16][3][3·in][16].
func convPack(dst, weight []float32, in, out int) {
	pack(dst, 9*in, out, func(k, n int) float32 {
		c, tap := k%in, k/in
		return weight[(n*in+c)*9+tap]
	})
}

// convPackBack is the convolution that carries gradients back: taps turned round, channels swapped.
func convPackBack(dst, weight []float32, in, out int) {
	pack(dst, 9*out, in, func(k, n int) float32 {
		c, tap := k%out, k/out
		return weight[(c*in+n)*9+8-tap]
	})
}

// conv runs a packed direct convolution of one zero-padded map [side+2][side+2][in] into
// [side][side][out]. No bias is added.
func conv(y, x, packed []float32, side, in, out int) {
	row := (side + 2) * in
	g := kernel.Gemm{Outer: side, Rows: side, Columns: out, Segments: 3, K: 3 * in,
		A: x, AOuter: row, ASegment: row, ARow: in, ACol: 1,
		B: packed, BPanel: 9 * in * kernel.Panel, BSegment: 3 * in * kernel.Panel, BRow: kernel.Panel,
		C: y, COuter: side * out, CRow: out}
	g.Run()
}

// convGradient adds the weight gradient of one map to dw, laid out [3][3·in][out].
func convGradient(dw, dy, x []float32, side, in, out int) {
	row := (side + 2) * in
	for tapRow := range 3 {
		g := kernel.Gemm{Rows: 3 * in, Columns: out, Segments: side, K: side,
			A: x[tapRow*row:], ARow: 1, ASegment: row, ACol: in,
			B: dy, BSegment: side * out, BRow: out,
			C: dw[tapRow*3*in*out:], CRow: out, Add: true}
		g.Run()
	}
}

// convUnpackGradient adds dw, laid out as convGradient does, to the published layout.
func convUnpackGradient(dst, dw []float32, in, out int) {
	for k := range 9 * in {
		c, tap := k%in, k/in
		for n, v := range dw[k*out : (k+1)*out] {
			dst[(n*in+c)*9+tap] += v
		}
	}
}

// winogradConv is a 3x3 convolution by small tiles of kernel.Tiles: products of transformed tiles with transformed
// filters. Tiles of 3x3 outputs take 25 products for 81, tiles of 2x2 16 for 36, but round as a direct sum does.
type winogradConv struct {
	size    int // of a tile: rows and columns, 2 or 3
	side    int // of the map: rows and columns, without the border of zeros
	in, out int
	pixel   int       // numbers of an input pixel: in, or more if that is no multiple of 16
	filter  []float32 // [points][out/16][in][16]
}

func newWinogradConv(size, side, in, out int, room *arena) winogradConv {
	w := winogradConv{size: size, side: side, in: in, out: out, pixel: pad(in)}
	w.filter = room.floats(w.points() * in * out)
	return w
}

func (w *winogradConv) points() int { return (w.size + 2) * (w.size + 2) }

// tiles is how many a map has.
func (w *winogradConv) tiles() int { return w.side / w.size * w.side / w.size }

// load transforms the filters of one panel of outputs, from their published weights [16][in][3][3]. scratch holds their taps.
func (w *winogradConv) load(panel int, weight, scratch []float32) {
	channels := w.in * kernel.Panel
	for o := range kernel.Panel {
		for i := range w.in {
			g := (*[9]float32)(weight[(o*w.in+i)*9:])
			for tap, v := range g {
				scratch[tap*channels+i*kernel.Panel+o] = v
			}
		}
	}
	stride := w.in * w.out
	t := kernel.Tiles{Src: scratch[:9*channels], SrcRow: 3 * channels, SrcPixel: channels,
		Dst: w.filter[panel*channels:], DstRow: (w.size + 2) * stride, DstPixel: stride, DstPanel: kernel.Panel, Channels: channels}
	if w.size == 2 {
		t.PairFilter()
	} else {
		t.Filter()
	}
}

// filterScratch is how many numbers of scratch the load of any convolution takes.
const filterScratch = 9 * conv2Channels * kernel.Panel

// pointStride is how far apart the points of some tiles lie. A transform touches all 25 at a time; a cache
// line more than they need keeps a power of two from laying them over each other in the cache.
func pointStride(tiles, channels int) int { return tiles*channels + kernel.Panel }

// winogradScratch holds the points of blockSize small maps: [25][tiles][channels], pointStride apart.
func winogradScratch(channels int) []float32 {
	return floats(kernel.WinogradPoints * pointStride(blockSize*kernel.WinogradTiles, channels))
}

// input transforms zero-padded maps x, xStride apart, into points: [points][tiles of the maps][pixel], pointStride apart.
func (w *winogradConv) input(points, x []float32, xStride, maps int) {
	across, tiles := w.side/w.size, w.tiles()
	stride := pointStride(maps*tiles, w.pixel)
	row := (w.side + 2) * w.pixel
	t := kernel.Tiles{SrcRow: row, SrcPixel: w.pixel, Count: across, SrcNext: w.size * w.pixel,
		DstRow: (w.size + 2) * stride, DstPixel: stride, DstPanel: kernel.Panel, DstNext: w.pixel, Channels: w.pixel}
	for i := range maps * across {
		t.Src = x[i/across*xStride+i%across*w.size*row:]
		t.Dst = points[i*across*w.pixel:]
		if w.size == 2 {
			t.PairInput()
		} else {
			t.Input()
		}
	}
}

// output computes some panels of 16 outputs of every map from the points that input left, into y, whose maps are yStride
// apart and pixels yPixel; a panel follows the one before after yPanel. products is scratch for [points][tiles of the
// maps][16 panels], pointStride apart; the fewer panels, the nearer they are when they are added up.
func (w *winogradConv) output(y []float32, yStride, yPixel, yPanel int, points, products []float32, maps, panel, panels int) {
	across, tiles, channels := w.side/w.size, w.tiles(), panels*kernel.Panel
	rows := maps * tiles
	inStride, outStride := pointStride(rows, w.pixel), pointStride(rows, channels)
	for p := range w.points() {
		g := kernel.Gemm{Rows: rows, Columns: channels, K: w.in,
			A: points[p*inStride:], ARow: w.pixel, ACol: 1,
			B: w.filter[(p*w.out+panel*kernel.Panel)*w.in:], BPanel: w.in * kernel.Panel, BRow: kernel.Panel,
			C: products[p*outStride:], CRow: channels}
		g.Run()
	}
	t := kernel.Tiles{SrcRow: (w.size + 2) * outStride, SrcPixel: outStride, Count: across, SrcNext: channels,
		DstRow: w.side * yPixel, DstPixel: yPixel, DstPanel: yPanel, DstNext: w.size * yPixel, Channels: channels}
	for i := range maps * across {
		t.Src = products[i*across*channels:]
		t.Dst = y[i/across*yStride+i%across*w.size*w.side*yPixel:]
		if w.size == 2 {
			t.PairOutput()
		} else {
			t.Output()
		}
	}
}

// forward convolves zero-padded maps x, xStride apart, into y [side][side][out], yStride apart. points and products are
// winogradScratch. It takes as many panels at a time as leave the products in a second-level cache.
func (w *winogradConv) forward(y []float32, yStride int, x []float32, xStride int, points, products []float32, maps int) {
	const rows = 192 // of a panel's products at each point, at a time
	w.input(points, x, xStride, maps)
	all := w.out / kernel.Panel
	for panel := 0; panel < all; {
		panels := min(max(rows/(maps*w.tiles()), 1), all-panel)
		w.output(y[panel*kernel.Panel:], yStride, w.out, kernel.Panel, points, products, maps, panel, panels)
		panel += panels
	}
}

// norm is a batch norm seen as a scale and a shift of every channel.
type norm struct {
	table kernel.Table
}

// loadFolded takes what fold gives.
func (n *norm) loadFolded(scale, shift []float32) {
	for c := range scale {
		n.table.Set(kernel.TableScale, c, scale[c])
		n.table.Set(kernel.TableShift, c, shift[c])
	}
}

// loadBias makes the norm add a bias and nothing else.
func (n *norm) loadBias(bias []float32) {
	for c, v := range bias {
		n.table.Set(kernel.TableScale, c, 1)
		n.table.Set(kernel.TableShift, c, v)
	}
}

// network is every layer in kernel layout, the batch norms aside.
type network struct {
	classes       int
	room          *arena // of the weights that evaluation reads, or nil
	conv1         winogradConv
	conv2         winogradConv
	fused         *fused            // in place of conv1, conv2, context1 and context2, or nil
	strips        *kernel.StripConv // in place of conv2, or nil
	contextStrips *kernel.StripConv // in place of context2, or nil
	conv1Back     mapConv           // training only
	conv2Back     mapConv           // training only
	place         linear            // fc_l
	what          linear            // fc_gg: what is seen
	where         linear            // fc_lg: where it is
	lstm1X        linear
	lstm1H        linear
	lstm2X        linear
	lstm2H        linear
	context1      []float32
	context2      winogradConv
	// In training, in place of context2, direct sums and the way back: what tiles round otherwise moves the first place,
	// and with it now and then what pooling takes.
	contextSums, contextB []float32
	contextFC             linear
	class1                linear
	class2                linear
	emission              linear
	heads                 linear // mu (2) and log-variance (2)
	baseline1, baseline2  linear // training only
	flat, contextMap      []int  // training only

	contextNorm [2]norm   // the context's biases, as the pooling kernel wants them
	bothHeads   []float32 // their weights
}

// newLayers makes what all networks have: the layers that see no map.
func newLayers(classes int, training bool, room *arena) *network {
	return &network{
		classes: classes, room: room,
		place:     newLinear(2, Hidden, false, room),
		what:      newLinear(flatLen, Hidden, training, room),
		where:     newLinear(Hidden, Hidden, training, room),
		lstm1X:    newLinear(Hidden, gates, training, room),
		lstm1H:    newLinear(Hidden, gates, training, room),
		lstm2X:    newLinear(Hidden, gates, training, room),
		lstm2H:    newLinear(Hidden, gates, training, room),
		contextFC: newLinear(contextFlat, Hidden, training, room),
		class1:    newLinear(Hidden, classWidth, training, room),
		class2:    newLinear(classWidth, classes, training, room),
		emission:  newLinear(Hidden, emissionWidth, training, room),
		heads:     newLinear(emissionWidth, 4, training, room),
		contextNorm: [2]norm{
			{kernel.NewTable(contextChannels)}, {kernel.NewTable(contextChannels)}},
		bothHeads: make([]float32, 4*emissionWidth),
	}
}

// newNetwork makes a network that evaluates. Where kernel.Fuses it has no convolutions.
func newNetwork(classes int) *network {
	if kernel.Fuses {
		return newLayers(classes, false, nil)
	}
	var room *arena
	if kernel.Wide() {
		room = new(arena)
	}
	w := newLayers(classes, false, room)
	w.conv1 = newWinogradConv(3, GlimpseSize, glimpseChannels, conv1Channels, room)
	w.context1 = make([]float32, 9*Colours*contextChannels)
	if kernel.Wide() {
		w.strips = kernel.NewStripConv(conv1Channels, conv2Channels)
		w.contextStrips = kernel.NewStripConv(contextChannels, contextChannels)
	} else {
		w.conv2 = newWinogradConv(3, pool1Size, conv1Channels, conv2Channels, room)
		w.context2 = newWinogradConv(3, pool1Size, contextChannels, contextChannels, room)
	}
	return w
}

// newTrainingNetwork makes one that trains, too.
func newTrainingNetwork(classes int) *network {
	w := newLayers(classes, true, nil)
	w.baseline1, w.baseline2 = newLinear(2*Hidden, baselineWidth, true, nil), newLinear(baselineWidth, 1, true, nil)
	// The error of tiles of 3x3 would make the first pooling take another pixel now and then.
	w.conv1 = newWinogradConv(2, GlimpseSize, glimpseChannels, conv1Channels, nil)
	w.conv2 = newWinogradConv(3, pool1Size, conv1Channels, conv2Channels, nil)
	w.conv1Back = newMapConv(conv1Channels, glimpseChannels)
	w.conv2Back = newMapConv(conv2Channels, conv1Channels)
	w.flat, w.contextMap = flatOrder(conv2Channels), flatOrder(contextChannels)
	w.context1 = make([]float32, 9*Colours*contextChannels)
	w.contextSums = make([]float32, 9*contextChannels*contextChannels)
	w.contextB = make([]float32, 9*contextChannels*contextChannels)
	return w
}

// loadTasks is the number of pieces load can be cut into: a panel of 16 outputs of the second
// convolution each, the same of its way back, the other convolutions, and denseTasks.
const (
	loadConv2     = conv2Channels / kernel.Panel
	loadConv2Back = conv1Channels / kernel.Panel
	loadTasks     = loadConv2 + loadConv2Back + 1 + denseTasks
)

// load brings one piece of the published weights into kernel layout, with filterScratch numbers of scratch.
func (w *network) load(p Tensors, task int, scratch []float32) {
	const conv1, conv2 = "glimpse_net.fc_g.0.weight", "glimpse_net.fc_g.4.weight"
	const context1, context2 = "rnn2.context_net1.0", "rnn2.context_net2.0"
	filters := func(name string, panel int) []float32 {
		return p.Rows(name, panel*kernel.Panel, (panel+1)*kernel.Panel)
	}
	if task < loadConv2 {
		switch {
		case w.strips == nil:
			w.conv2.load(task, filters(conv2, task), scratch)
		case task == 0:
			w.strips.Load(p.Tensor(conv2), w.room.floats, w.room.halves)
		}
		return
	}
	task -= loadConv2
	if task < loadConv2Back {
		if w.conv2Back.filter != nil {
			w.conv2Back.load(task, p.Tensor(conv2), scratch)
		}
		return
	}
	task -= loadConv2Back
	if task > 0 {
		w.loadDense(p, task-1)
		return
	}
	for panel := range conv1Channels / kernel.Panel {
		w.conv1.load(panel, filters(conv1, panel), scratch)
	}
	if w.conv1Back.filter != nil {
		w.conv1Back.load(0, p.Tensor(conv1), scratch)
	}
	convPack(w.context1, p.Tensor(context1+".weight"), Colours, contextChannels)
	switch {
	case w.contextSums != nil:
		weight := p.Tensor(context2 + ".weight")
		convPack(w.contextSums, weight, contextChannels, contextChannels)
		convPackBack(w.contextB, weight, contextChannels, contextChannels)
	case w.contextStrips != nil:
		w.contextStrips.Load(p.Tensor(context2+".weight"), w.room.floats, w.room.halves)
	default:
		for panel := range contextChannels / kernel.Panel {
			w.context2.load(panel, filters(context2+".weight", panel), scratch)
		}
	}
	w.contextNorm[0].loadBias(p.Tensor(context1 + ".bias"))
	w.contextNorm[1].loadBias(p.Tensor(context2 + ".bias"))
}

// denseTasks is the number of pieces of loadDense: the largest layer, the LSTMs, and all else.
const denseTasks = 4

// loadDense is the part of load that fused leaves to do: everything but the convolutions.
func (w *network) loadDense(p Tensors, task int) {
	switch task {
	case 0:
		w.what.load(p, pool2Size*pool2Size, "glimpse_net.fc_gg.weight", "glimpse_net.fc_gg.bias")
	case 1:
		w.lstm1X.load(p, 1, "rnn1.lstm_cell.weight_ih", "rnn1.lstm_cell.bias_ih", "rnn1.lstm_cell.bias_hh")
		w.lstm1H.load(p, 1, "rnn1.lstm_cell.weight_hh")
	case 2:
		w.lstm2X.load(p, 1, "rnn2.lstm_cell.weight_ih", "rnn2.lstm_cell.bias_ih", "rnn2.lstm_cell.bias_hh")
		w.lstm2H.load(p, 1, "rnn2.lstm_cell.weight_hh")
	case 3:
		w.loadSmall(p)
	}
}

func (w *network) loadSmall(p Tensors) {
	w.place.load(p, 1, "glimpse_net.fc_l.0.weight", "glimpse_net.fc_l.0.bias")
	w.where.load(p, 1, "glimpse_net.fc_lg.weight", "glimpse_net.fc_lg.bias")
	w.contextFC.load(p, pool2Size*pool2Size, "rnn2.fc.weight", "rnn2.fc.bias")
	w.class1.load(p, 1, "class_net.fc.0.weight", "class_net.fc.0.bias")
	w.class2.load(p, 1, "class_net.fc.2.weight", "class_net.fc.2.bias")
	// Training adds the bias of the layer before a batch norm in the norm.
	w.emission.load(p, 1, "emission_net.fc.0.weight")
	if w.contextFC.back != nil {
		w.baseline1.load(p, 1, "baseline_net.fc.0.weight", "baseline_net.fc.0.bias")
		w.baseline2.load(p, 1, "baseline_net.fc.1.weight", "baseline_net.fc.1.bias")
	} else {
		w.emission.fold(fold(p, "emission_net.fc.0", "emission_net.fc.1"))
	}
	const mu, logvar = "emission_net.mu_net.0", "emission_net.logvar_net.0"
	copy(w.bothHeads[copy(w.bothHeads, p.Tensor(mu+".weight")):], p.Tensor(logvar+".weight"))
	w.heads.loadPanel(0, w.bothHeads, 1)
	copy(w.heads.bias[copy(w.heads.bias, p.Tensor(mu+".bias")):], p.Tensor(logvar+".bias"))
}

// context is the scratch of one picture's way to the first hidden state.
type context struct {
	thumbnail []float32 // [14][14][3], border zero; in pixels of 4 where network.fused works
	y1        []float32 // [12][12][64]
	pool1     []float32 // [8][8][64], border zero
	y2        []float32 // [6][6][64]
	pool2     []float32 // [3][3][64]
}

func newContext(thumbnailPixel int) context {
	return context{
		thumbnail: make([]float32, glimpsePadded*glimpsePadded*thumbnailPixel),
		y1:        make([]float32, GlimpseSize*GlimpseSize*contextChannels),
		pool1:     make([]float32, pool1Padded*pool1Padded*contextChannels),
		y2:        make([]float32, pool1Size*pool1Size*contextChannels),
		pool2:     make([]float32, contextFlat),
	}
}

// pools returns the two pooling passes of the context network.
func (w *network) contextPools(c *context) (first, second kernel.Pool) {
	first = kernel.Pool{Y: c.y1, YRow: GlimpseSize * contextChannels, YPixel: contextChannels,
		Pooled: c.pool1[(pool1Padded+1)*contextChannels:], PooledRow: pool1Padded * contextChannels, PooledPixel: contextChannels,
		Table: w.contextNorm[0].table, Rows: pool1Size, Cols: pool1Size, Channels: contextChannels}
	second = kernel.Pool{Y: c.y2, YRow: pool1Size * contextChannels, YPixel: contextChannels,
		Pooled: c.pool2, PooledRow: pool2Size * contextChannels, PooledPixel: contextChannels,
		Table: w.contextNorm[1].table, Rows: pool2Size, Cols: pool2Size, Channels: contextChannels}
	return
}

// contextForward fills c.pool2 from c.thumbnail. points and products are winogradScratch.
func (w *network) contextForward(c *context, points, products []float32) {
	first, second := w.contextPools(c)
	conv(c.y1, c.thumbnail, w.context1, GlimpseSize, Colours, contextChannels)
	first.Forward()
	switch {
	case w.contextStrips != nil:
		w.contextStrips.Forward(c.y2, 0, c.pool1, 0, 1, points)
	case w.contextSums != nil:
		conv(c.y2, c.pool1, w.contextSums, pool1Size, contextChannels, contextChannels)
	default:
		w.context2.forward(c.y2, 0, c.pool1, 0, points, products, 1)
	}
	second.Forward()
}

// conv1Pool and conv2Pool describe the batch norm, ReLU and pooling behind the two convolutions of
// the glimpse network: y into a zero-padded map, and into a dense one.
func conv1Pool(y, padded []float32, table kernel.Table) kernel.Pool {
	return kernel.Pool{Y: y, YRow: GlimpseSize * conv1Channels, YPixel: conv1Channels,
		Pooled: padded[(pool1Padded+1)*conv1Channels:], PooledRow: pool1Padded * conv1Channels, PooledPixel: conv1Channels,
		Table: table, Rows: pool1Size, Cols: pool1Size, Channels: conv1Channels}
}

func conv2Pool(y, pooled []float32, table kernel.Table) kernel.Pool {
	return kernel.Pool{Y: y, YRow: pool1Size * conv2Channels, YPixel: conv2Channels,
		Pooled: pooled, PooledRow: pool2Size * conv2Channels, PooledPixel: conv2Channels,
		Table: table, Rows: pool2Size, Cols: pool2Size, Channels: conv2Channels}
}

// applyReLU turns a vector of pre-activations into max(0, scale·y + shift).
func (n *norm) applyReLU(y []float32) {
	for c, v := range y {
		y[c] = max(0, n.table.At(kernel.TableScale, c)*v+n.table.At(kernel.TableShift, c))
	}
}
