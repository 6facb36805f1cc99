package kernel

// StripConv is a 3x3 convolution of 6x6 maps in an evaluation that waits for its weights. Winograd's filters for tiles of 3x3 are
// 2.8 times the size of what they are made of, and a look at one picture reads them once. So here a map is two strips, three
// rows of its whole width, F(3x3) down and F(6) across; and what is kept is transformed down alone: 15 numbers in place of 9, for
// 80 products in place of 324. Taps become the eight points of a strip's row as they are read, by additions that cost nothing
// beside those products.
//
// For that, and to keep what they can be kept of as float16, the filters' matrices, stripDown and stripAcross, are whole numbers, and
// the way back has what is left of winograd.go's: of F(3x3) rows 0 to 3 have the factors 1/2, -1/2, -1/6, 1/6, of F(6) rows 1 and 2 have -2/9,
// 3 and 4 have 1/90, 5 and 6 have 8/45.
//
// It holds weights alone, so one serves any number of goroutines.
type StripConv struct {
	in, out int
	rows    [tilePoints]struct {
		taps   []float32 // [out/16][in][3][16]
		halves []uint16  // the same as float16, and no taps, where that is exact: of filters of float16 the first row and the last
	}
}

const (
	strips      = mapSize / tileSize     // of a map
	stripPoints = tilePoints * mapPoints // of a strip
	allPoints   = stripPoints * strips   // of a map
)

// NewStripConv returns a convolution without weights, from in channels to out channels, multiples of 16.
func NewStripConv(in, out int) *StripConv {
	if in%Panel != 0 || in == 0 || out%Panel != 0 || out == 0 {
		panic("kernel: NewStripConv: channels must be positive multiples of 16")
	}
	return &StripConv{in: in, out: out}
}

// Load takes filters [out][in][3][3]. What it keeps of them lies where floats and halves make room.
func (c *StripConv) Load(filters []float32, floats func(n int) []float32, halves func(n int) []uint16) {
	_ = filters[c.out*c.in*9-1]
	taps := make([]float32, c.out*c.in*filterSize)
	half := make([]uint16, len(taps))
	for p := range c.rows {
		for out := range c.out {
			for in := range c.in {
				g := filters[(out*c.in+in)*9:][:9]
				for j := range filterSize {
					taps[c.tap(out, in, j)] = dot(stripDown[p], taps3{g[j], g[3+j], g[6+j]})
				}
			}
		}
		row := &c.rows[p]
		row.taps, row.halves = nil, nil
		if Halve(half, taps) {
			row.halves = halves(len(half))
			copy(row.halves, half)
		} else {
			row.taps = floats(len(taps))
			copy(row.taps, taps)
		}
	}
}

// tap is where tap j of a row of a filter lies.
func (c *StripConv) tap(out, in, j int) int {
	return ((out/Panel*c.in+in)*filterSize+j)*Panel + out%Panel
}

// taps3 is a row of G, or three taps of a filter.
type taps3 = [filterSize]float32

// The filters' matrices G, down and across.
var (
	stripDown   = [tilePoints]taps3{{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {0, 0, 1}}
	stripAcross = [mapPoints]taps3{{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {4, 2, 1}, {4, -2, 1}, {0, 0, 1}}
)

func dot(a, b taps3) float32 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// Points and products of a strip lie a cache line more apart than they need, see ConvPool's pointStride.
func (c *StripConv) inStride() int  { return c.in + Panel }
func (c *StripConv) outStride() int { return c.out + Panel }

// Scratch is how many numbers Forward needs to work on.
func (c *StripConv) Scratch(maps int) int {
	return maps * allPoints * (c.inStride() + c.outStride())
}

// Forward writes maps y [6][6][out] of zero-padded maps x [8][8][in]; they begin yNext and xNext apart. Several share what is read
// of the weights.
func (c *StripConv) Forward(y []float32, yNext int, x []float32, xNext, maps int, scratch []float32) {
	if c.rows[0].taps == nil && c.rows[0].halves == nil {
		panic("kernel: StripConv: Forward before Load")
	}
	if maps < 1 {
		panic("kernel: StripConv: there must be a map")
	}
	_, _ = y[(maps-1)*yNext+mapSize*mapSize*c.out-1], x[(maps-1)*xNext+mapPoints*mapPoints*c.in-1]
	scratch = scratch[:c.Scratch(maps)]
	points, products := scratch[:maps*allPoints*c.inStride()], scratch[maps*allPoints*c.inStride():]
	if fast {
		c.fast(y, yNext, x, xNext, maps, points, products)
	} else {
		c.portable(y, yNext, x, xNext, maps, points, products)
	}
}

// input and output are the transforms of one map.
func (c *StripConv) input(points, x []float32) Tiles {
	return Tiles{Src: x, SrcRow: mapPoints * c.in, SrcPixel: c.in, SrcNext: tileSize * mapPoints * c.in, Count: strips, Channels: c.in,
		Dst: points, DstRow: mapPoints * strips * c.inStride(), DstPixel: strips * c.inStride(), DstPanel: Panel, DstNext: c.inStride()}
}

func (c *StripConv) output(y, products []float32) Tiles {
	return Tiles{Src: products, SrcRow: mapPoints * strips * c.outStride(), SrcPixel: strips * c.outStride(), SrcNext: c.outStride(),
		Count: strips, Channels: c.out,
		Dst: y, DstRow: mapSize * c.out, DstPixel: c.out, DstPanel: Panel, DstNext: tileSize * mapSize * c.out}
}
