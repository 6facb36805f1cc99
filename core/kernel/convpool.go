package kernel

// ConvPool is a layer of an evaluated network: a 3x3 convolution of a zero-padded map, the scale and shift of its batch
// norm, ReLU and 2x2 max pooling. The convolution is Winograd's, F(4x4,3x3) for maps of 12x12, nine tiles of 36 products
// each, and F(3x3,3x3) for maps of 6x6, four of 25; the scale is folded into the filters.
//
// It holds weights alone, so one serves any number of goroutines.
type ConvPool struct {
	in, out   int
	transform *convTransform
	weights   []float32 // [out/8][points][in][8]
	shift     []float32 // [out]
}

// convTransform is a Winograd convolution of maps of one size, as winograd.go has it.
type convTransform struct {
	outputs, points, tiles int // of a tile, and tiles of a map, in one dimension
	input, output          *tileTransform
	filter                 []float32 // G [points][3]
}

var (
	// At 0, 1, -1, 2, -2 and infinity.
	//
	//	     4  0 -5  0  1  0
	//	     0 -4 -4  1  1  0         1  1  1  1  1  0
	//	Bᵀ = 0  4 -4 -1  1  0    Aᵀ = 0  1 -1  2 -2  0
	//	     0 -2 -1  2  1  0         0  1  1  4  4  0
	//	     0  2 -1 -2  1  0         0  1 -1  8 -8  1
	//	     0  4  0 -5  0  1
	fourTransform = convTransform{outputs: 4, points: 6, tiles: 3, input: &fourInput, output: &fourOutput,
		filter: []float32{
			1.0 / 4, 0, 0,
			-1.0 / 6, -1.0 / 6, -1.0 / 6,
			-1.0 / 6, 1.0 / 6, -1.0 / 6,
			1.0 / 24, 1.0 / 12, 1.0 / 6,
			1.0 / 24, -1.0 / 12, 1.0 / 6,
			0, 0, 1}}
	threeTransform = convTransform{outputs: 3, points: 5, tiles: 2, input: &tileInput, output: &tileOutput,
		filter: []float32{
			0.5, 0, 0,
			-0.5, -0.5, -0.5,
			-1.0 / 6, 1.0 / 6, -1.0 / 6,
			1.0 / 6, 1.0 / 3, 2.0 / 3,
			0, 0, 1}}
)

const (
	convPanel = 8 // output channels of a panel of the weights
	convMost  = 6 // points of a tile in one dimension, at most
)

// NewConvPool returns a layer without weights for maps of side x side pixels, 12 or 6, from in channels, a multiple of
// 4, to out channels, a multiple of 8.
func NewConvPool(side, in, out int) *ConvPool {
	c := &ConvPool{in: in, out: out}
	switch side {
	case 12:
		c.transform = &fourTransform
	case 6:
		c.transform = &threeTransform
	default:
		panic("kernel: NewConvPool: maps are 12x12 or 6x6")
	}
	if in%4 != 0 || in == 0 || out%convPanel != 0 || out == 0 {
		panic("kernel: NewConvPool: channels must be positive multiples of 4 and 8")
	}
	c.weights = make([]float32, c.points()*in*out)
	c.shift = make([]float32, out)
	return c
}

func (c *ConvPool) points() int { return c.transform.points * c.transform.points }
func (c *ConvPool) tiles() int  { return c.transform.tiles * c.transform.tiles }
func (c *ConvPool) side() int   { return c.transform.tiles * c.transform.outputs }

// Load takes filters [out][from][3][3] of from input channels; those between from and the layer's own number are
// zeros. What they give is scaled and shifted, [out] each.
func (c *ConvPool) Load(filters []float32, from int, scale, shift []float32) {
	_, _, _ = filters[c.out*from*9-1], scale[c.out-1], shift[c.out-1]
	if from < c.in {
		clear(c.weights)
	}
	if fast {
		c.fastLoad(filters, from, scale)
	} else {
		c.portableLoad(filters, from, scale)
	}
	copy(c.shift, shift)
}

// pointStride is how far apart the points of all tiles lie. A transform touches all of them at a time; a
// cache line more than they need keeps a power of two from laying them over each other in the cache.
func (c *ConvPool) pointStride() int { return c.tiles()*c.in + 16 }

// Scratch is how many numbers Forward needs to work on.
func (c *ConvPool) Scratch() int {
	return c.points()*(c.pointStride()+c.tiles()*convPanel) + c.side()*c.side()*convPanel
}

// Forward writes the pooled map: pixel (row, column) of it to dst[row*dstRow + column*dstPixel], all channels. src is
// the zero-padded map [side+2][side+2][in].
func (c *ConvPool) Forward(dst []float32, dstRow, dstPixel int, src, scratch []float32) {
	_ = src[(c.side()+2)*(c.side()+2)*c.in-1]
	_ = dst[(c.side()/2-1)*(dstRow+dstPixel)+c.out-1]
	_ = scratch[c.Scratch()-1]
	points := scratch[:c.points()*c.pointStride()]
	scratch = scratch[len(points):]
	products := scratch[:c.points()*c.tiles()*convPanel]
	plane := scratch[len(products):]
	if fast {
		c.fast(dst, dstRow, dstPixel, src, points, products, plane)
	} else {
		c.portable(dst, dstRow, dstPixel, src, points, products, plane)
	}
}
