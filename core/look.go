package core

import (
	"gdram/core/glimpse"
	"gdram/core/kernel"
	"gdram/core/nn"
	"gdram/core/policy"
)

// norms are the two batch norms behind convolutions as evaluation sees them.
type norms struct {
	conv1, conv2 norm
}

func newNorms() norms {
	return norms{norm{kernel.NewTable(conv1Channels)}, norm{kernel.NewTable(conv2Channels)}}
}

func (n *norms) load(p Tensors) {
	n.conv1.loadFolded(fold(p, "glimpse_net.fc_g.0", "glimpse_net.fc_g.1"))
	n.conv2.loadFolded(fold(p, "glimpse_net.fc_g.4", "glimpse_net.fc_g.5"))
}

// look is the state of up to blockSize pictures being looked at: evaluation, step by step. Leading
// dimension of every buffer: a row for each picture that is still looked at.
//
//	picture ─ thumbnail ─ context ──────────────► h2 ─ emission ─► place, weight
//	   │                                           ▲                  │
//	   └─ sensor ─ conv ─ conv ─ what·where ─ LSTM1 ─ LSTM2           │
//	         ▲                                 └─ class ─► step logits │
//	         └────────────────────────────────────────────────────────┘
type look struct {
	net    *network
	norms  *norms
	sensor *glimpse.Sensor

	images   [][]float32 // one a row
	pictures []int       // which of the block they are
	block    int         // pictures of the block

	context context

	pixel    int       // numbers of a glimpse's pixel, 12 or more
	glimpse  []float32 // [14][14][pixel], border zero
	y1       []float32 // [12][12][128] before its batch norm and bias
	pool1    []float32 // [8][8][128], border zero
	points   []float32 // Winograd scratch
	products []float32
	y2       []float32 // [6][6][256]
	pool2    []float32 // [3][3][256]
	scratch  []float32 // of network.strips; in place of y1, points, products and y2 where network.fused works

	place              []float32 // [2]
	placeFeature       []float32 // [128]
	what, where        []float32 // [128] each
	feature            []float32 // [128]
	gates              []float32 // [512]
	h1, c1, h2, c2     []float32 // [128] each
	contextFlat        []float32
	classHidden        []float32 // [256]
	stepLogits         []float32 // [classes, padded to 16]
	emission, heads    []float32 // [256], [16]
	mu, std            []float32 // [2] each, of the emission that chose the present place
	mean               []float32 // [2], the place that mu alone would have chosen
	weight, sum, total []float32 // [1], weighted sum of step logits [classes], sum of weights [1]
}

func newLook(net *network, norms *norms) *look {
	buffer := func(n int) []float32 { return floats(blockSize * n) }
	l := &look{
		net: net, norms: norms, sensor: glimpse.NewSensor(ImageSize, Colours, GlimpseSize, Scales),
		images: make([][]float32, 0, blockSize), pictures: make([]int, 0, blockSize),
		pool1: buffer(pool1Len), pool2: buffer(flatLen),
		place: buffer(2), placeFeature: buffer(Hidden), what: buffer(Hidden), where: buffer(Hidden),
		feature: buffer(Hidden), gates: buffer(gates),
		h1: buffer(Hidden), c1: buffer(Hidden), h2: buffer(Hidden), c2: buffer(Hidden),
		contextFlat: buffer(contextFlat), classHidden: buffer(classWidth), stepLogits: buffer(net.class2.stride),
		emission: buffer(emissionWidth), heads: buffer(net.heads.stride),
		mu: buffer(2), std: buffer(2), mean: buffer(2), weight: buffer(1), sum: buffer(net.classes), total: buffer(1),
	}
	if kernel.Fuses {
		l.context, l.scratch, l.pixel = newContext(thumbnailPixel), net.fused.scratch(), glimpseChannels
	} else {
		l.context, l.pixel = newContext(Colours), net.conv1.pixel
		l.y1, l.y2 = buffer(conv1Len), buffer(conv2Len)
		l.points, l.products = winogradScratch(conv1Channels), winogradScratch(conv2Channels)
		if net.strips != nil {
			l.scratch = floats(net.strips.Scratch(blockSize))
		}
	}
	l.glimpse = buffer(glimpsePadded * glimpsePadded * l.pixel)
	return l
}

// begin takes in pictures, 1 to blockSize of them, each ImageLen, and asks for the first place.
func (l *look) begin(images [][]float32) {
	n := len(images)
	l.images, l.pictures, l.block = append(l.images[:0], images...), l.pictures[:0], n
	for b := range n {
		l.pictures = append(l.pictures, b)
	}
	for b, image := range images {
		pixel := len(l.context.thumbnail) / (glimpsePadded * glimpsePadded)
		row := glimpsePadded * pixel
		glimpse.Thumbnail(l.context.thumbnail[row+pixel:], row, pixel, image, ImageSize, Colours, GlimpseSize)
		if kernel.Fuses {
			l.net.fused.context(&l.context, l.scratch)
		} else {
			l.net.contextForward(&l.context, l.points, l.products)
		}
		copy(l.contextFlat[b*contextFlat:], l.context.pool2)
	}
	l.net.contextFC.forward(l.h2, l.contextFlat, n)
	clear(l.c2)
	clear(l.h1)
	clear(l.c1)
	clear(l.sum)
	clear(l.total)
	l.emit()
}

func pair(v []float32, i int) [2]float32 { return [2]float32{v[2*i], v[2*i+1]} }

// emit asks the policy, from h2, for the Gaussian of the next place.
func (l *look) emit() {
	n := len(l.images)
	l.net.emission.relu(l.emission, l.h2, n)
	l.net.heads.forward(l.heads, l.emission, n)
	for b := range n {
		h := l.heads[b*l.net.heads.stride:]
		mu, _, std := policy.Emit([2]float32{h[0], h[1]}, [2]float32{h[2], h[3]})
		copy(l.mu[2*b:], mu[:])
		copy(l.std[2*b:], std[:])
	}
}

// see looks at the present place and adds what it thinks to the answer.
func (l *look) see() {
	n, w := len(l.images), l.net
	for b, image := range l.images {
		row := glimpsePadded * l.pixel
		x := l.glimpse[b*glimpsePadded*row:][:glimpsePadded*row]
		l.sensor.Sample(x[row+l.pixel:], row, l.pixel, image, l.place[2*b], l.place[2*b+1])
		if kernel.Fuses {
			w.fused.glimpse(l.pool2[b*flatLen:], l.pool1[b*pool1Len:], x, l.scratch)
			continue
		}
		y := l.y1[b*conv1Len:][:conv1Len]
		w.conv1.forward(y, 0, x, 0, l.points, l.products, 1)
		pool := conv1Pool(y, l.pool1[b*pool1Len:], l.norms.conv1.table)
		pool.Forward()
	}
	if !kernel.Fuses {
		if w.strips != nil {
			w.strips.Forward(l.y2, conv2Len, l.pool1, pool1Len, n, l.scratch)
		} else {
			w.conv2.forward(l.y2, conv2Len, l.pool1, pool1Len, l.points, l.products, n)
		}
		for b := range n {
			pool := conv2Pool(l.y2[b*conv2Len:], l.pool2[b*flatLen:], l.norms.conv2.table)
			pool.Forward()
		}
	}
	w.place.relu(l.placeFeature, l.place, n)
	w.what.forward(l.what, l.pool2, n)
	w.where.forward(l.where, l.placeFeature, n)
	feature := l.feature[:n*Hidden]
	for i, what := range l.what[:n*Hidden] {
		v := what * l.where[i]
		if v <= 0 { // in WebAssembly Go calls a function for max
			v = 0
		}
		feature[i] = v
	}
	w.lstm1X.forward(l.gates, l.feature, n)
	w.lstm1H.accumulate(l.gates, l.h1, n)
	nn.LSTMForward(l.gates[:n*gates], l.c1[:n*Hidden], l.h1[:n*Hidden], l.c1[:n*Hidden], n, Hidden)

	w.class1.relu(l.classHidden, l.h1, n)
	w.class2.forward(l.stepLogits, l.classHidden, n)
	for b := range n {
		for k, v := range l.stepLogits[b*w.class2.stride:][:w.classes] {
			l.sum[b*w.classes+k] += l.weight[b] * v
		}
		l.total[b] += l.weight[b]
	}
}

// next asks the policy for the next place.
func (l *look) next() {
	n, w := len(l.images), l.net
	w.lstm2X.forward(l.gates, l.h1, n)
	w.lstm2H.accumulate(l.gates, l.h2, n)
	nn.LSTMForward(l.gates[:n*gates], l.c2[:n*Hidden], l.h2[:n*Hidden], l.c2[:n*Hidden], n, Hidden)
	l.emit()
}

// choose goes to the place of step 0, 1, ..., and weighs it.
func (l *look) choose(step int, options *Options) {
	follow := policy.Next
	if step == 0 {
		follow = func(_, out [2]float32) [2]float32 { return policy.First(out) }
	}
	for b, picture := range l.pictures {
		at := step*l.block + picture
		place, out, std := pair(l.place, b), pair(l.mu, b), pair(l.std, b)
		mean := follow(place, out)
		if options.Noise != nil {
			_, out = policy.Sample(out, std, options.Noise[at], options.NoiseScale)
		}
		weight := float32(1)
		if step > 0 {
			weight = policy.Weight(std)
		}
		place = follow(place, out)
		if options.Places != nil {
			place, weight = options.Places[at], 1
		}
		for _, pin := range options.Pins {
			if pin.Step == step {
				place, weight = policy.First([2]float32{pin.X, pin.Y}), 1
			}
		}
		copy(l.mean[2*b:], mean[:])
		copy(l.place[2*b:], place[:])
		l.weight[b] = weight
	}
}

// keep goes on with some of the rows, in ascending order: a picture that is done takes no more time.
func (l *look) keep(rows []int) {
	for to, from := range rows {
		if to == from {
			continue
		}
		l.images[to], l.pictures[to] = l.images[from], l.pictures[from]
		for _, state := range [][]float32{l.place, l.h1, l.c1, l.h2, l.c2, l.sum, l.total} {
			n := len(state) / blockSize
			copy(state[to*n:(to+1)*n], state[from*n:])
		}
	}
	l.images, l.pictures = l.images[:len(rows)], l.pictures[:len(rows)]
}

// logits writes the answer of picture b so far: the weighted mean of its step logits.
func (l *look) logits(dst []float32, b int) {
	for k := range dst {
		dst[k] = l.sum[b*l.net.classes+k] / l.total[b]
	}
}
