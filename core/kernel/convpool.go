package kernel

// ConvPool is a layer of an evaluated network: a 3x3 convolution of a zero-padded map, the scale and shift of its batch
// norm, ReLU and 2x2 max pooling. The convolution is Winograd's, and the scale is folded into the filters. Tiles are six
// outputs wide, and four high in maps of 12x12: six of 48 products, where a direct sum takes 1,296; or three high in maps of
// 6x6, two of 40 for 324. Squares of 6x6 would round twice as much, see winograd.go.
//
// It holds weights alone, so one serves any number of goroutines.
type ConvPool struct {
	in, out int
	maps    *convMaps
	weights []float32 // [out/16][points][in][16]
	shift   []float32 // [out]
}

// convMaps is how maps of one size are cut into tiles.
type convMaps struct {
	down, across *convLine
	high, wide   int // tiles of a map
}

// convLine is Winograd's method in one dimension, with matrices as in winograd.go.
type convLine struct {
	outputs, points int
	input, output   *tileTransform
	filter          []float32 // G [points][3]
}

func (m *convMaps) points() int { return m.down.points * m.across.points }
func (m *convMaps) tiles() int  { return m.high * m.wide }
func (m *convMaps) side() int   { return m.high * m.down.outputs }

var (
	maps12 = convMaps{&fourLine, &sixLine, 3, 2}
	maps6  = convMaps{&threeLine, &sixLine, 2, 1}

	threeLine = convLine{outputs: 3, points: 5, input: &tileInput, output: &tileOutput,
		filter: []float32{
			0.5, 0, 0,
			-0.5, -0.5, -0.5,
			-1.0 / 6, 1.0 / 6, -1.0 / 6,
			1.0 / 6, 1.0 / 3, 2.0 / 3,
			0, 0, 1}}
	// At 0, 1, -1, 2, -2 and infinity.
	//
	//	     4  0 -5  0  1  0
	//	     0 -4 -4  1  1  0         1  1  1  1  1  0
	//	Bᵀ = 0  4 -4 -1  1  0    Aᵀ = 0  1 -1  2 -2  0
	//	     0 -2 -1  2  1  0         0  1  1  4  4  0
	//	     0  2 -1 -2  1  0         0  1 -1  8 -8  1
	//	     0  4  0 -5  0  1
	fourLine = convLine{outputs: 4, points: 6,
		input: &tileTransform{6, 6, fourInputLine}, output: &tileTransform{6, 4, fourOutputLine},
		filter: []float32{
			1.0 / 4, 0, 0,
			-1.0 / 6, -1.0 / 6, -1.0 / 6,
			-1.0 / 6, 1.0 / 6, -1.0 / 6,
			1.0 / 24, 1.0 / 12, 1.0 / 6,
			1.0 / 24, -1.0 / 12, 1.0 / 6,
			0, 0, 1}}
	sixLine = convLine{outputs: 6, points: 8, input: &mapInput, output: &mapOutput,
		filter: []float32{
			1, 0, 0,
			-2.0 / 9, -2.0 / 9, -2.0 / 9,
			-2.0 / 9, 2.0 / 9, -2.0 / 9,
			1.0 / 90, 1.0 / 45, 2.0 / 45,
			1.0 / 90, -1.0 / 45, 2.0 / 45,
			32.0 / 45, 16.0 / 45, 8.0 / 45,
			32.0 / 45, -16.0 / 45, 8.0 / 45,
			0, 0, 1}}
)

// convLanes is how many channels go through a transform at a time, in vectors of WebAssembly.
const convLanes = 4

// NewConvPool returns a layer without weights for maps of side x side pixels, 12 or 6, from in channels, a multiple of
// 4, to out channels, a multiple of 16.
func NewConvPool(side, in, out int) *ConvPool {
	c := &ConvPool{in: in, out: out}
	switch side {
	case 12:
		c.maps = &maps12
	case 6:
		c.maps = &maps6
	default:
		panic("kernel: NewConvPool: maps are 12x12 or 6x6")
	}
	if in%4 != 0 || in == 0 || out%Panel != 0 || out == 0 {
		panic("kernel: NewConvPool: channels must be positive multiples of 4 and 16")
	}
	c.weights = make([]float32, c.maps.points()*in*out)
	c.shift = make([]float32, out)
	return c
}

// Load takes the filters of one panel of 16 outputs, [16][from][3][3] of from input channels; those between from and the layer's
// own number are zeros. What they give is scaled and shifted, [16] each.
func (c *ConvPool) Load(panel int, filters []float32, from int, scale, shift []float32) {
	_, _ = filters[Panel*from*9-1], scale[Panel-1]
	size := c.maps.points() * c.in * Panel
	weights := c.weights[panel*size:][:size]
	if from < c.in {
		clear(weights)
	}
	if fast {
		c.fastLoad(weights, filters, from, scale)
	} else {
		c.portableLoad(weights, filters, from, scale)
	}
	copy(c.shift[panel*Panel:], shift[:Panel])
}

// pointStride is how far apart the points of all tiles lie. A transform touches all of them at a time; a
// cache line more than they need keeps a power of two from laying them over each other in the cache.
func (c *ConvPool) pointStride() int { return c.maps.tiles()*c.in + 16 }

// Scratch is how many numbers Forward needs to work on.
func (c *ConvPool) Scratch() int {
	return c.maps.points()*(c.pointStride()+c.maps.tiles()*Panel+convLanes) + c.maps.side()*c.maps.side()*Panel
}

// Forward writes the pooled map: pixel (row, column) of it to dst[row*dstRow + column*dstPixel], all channels. src is
// the zero-padded map [side+2][side+2][in].
func (c *ConvPool) Forward(dst []float32, dstRow, dstPixel int, src, scratch []float32) {
	m := c.maps
	_ = src[(m.side()+2)*(m.side()+2)*c.in-1]
	_ = dst[(m.side()/2-1)*(dstRow+dstPixel)+c.out-1]
	_ = scratch[c.Scratch()-1]
	points := scratch[:m.points()*c.pointStride()]
	scratch = scratch[len(points):]
	products := scratch[:m.points()*m.tiles()*Panel]
	half := scratch[len(products):][:m.points()*convLanes] // a transform's, between rows and columns
	plane := scratch[len(products)+len(half):]
	if fast {
		c.fast(dst, dstRow, dstPixel, src, points, products, plane, half)
	} else {
		c.portable(dst, dstRow, dstPixel, src, points, products, plane)
	}
}
