package kernel

// 3x3 convolutions of 6x6 maps by Winograd's method (Lavin & Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2015): tiles of outputs from fewer products than a direct sum takes.
//
//	Y = Aᵀ[ (G g Gᵀ) ⊙ (Bᵀ d B) ]A
//
// Native evaluation uses F(3x3,3x3), and so does the second convolution in training: tiles of 3x3 outputs, each
// from 5x5 inputs through 25 products instead of 81, interpolating at 0, 1, -1, 2 and infinity. The page's is in convpool.go, that of
// evaluation's second convolution with AVX-512 in stripconv.go.
//
//	     2 -1 -2  1  0           1/2    0    0          1  1  1  1  0
//	     0 -2 -1  1  0          -1/2 -1/2 -1/2     Aᵀ = 0  1 -1  2  0
//	Bᵀ = 0  2 -3  1  0      G = -1/6  1/6 -1/6          0  1  1  4  1
//	     0 -1  0  1  0           1/6  1/3  2/3
//	     0  2 -1 -2  1             0    0    1
//
// The first convolution in training uses F(2x2,3x3): 16 products instead of 36, at 0, 1, -1 and infinity. It rounds as a direct
// sum does.
//
//	     1  0 -1  0          1    0   0
//	Bᵀ = 0  1  1  0     G = 1/2  1/2 1/2     Aᵀ = 1  1  1  0
//	     0 -1  1  0         1/2 -1/2 1/2          0  1 -1 -1
//	     0  1  0 -1          0    0   1
//
// The ways back use F(6x6,3x3): a map of 6x6 is one tile, of 64 products instead of 324, interpolating at 0, 1, -1, 2, -2,
// 1/2, -1/2 and infinity. The transformed filters are 2.6 times as large, which many pictures share and one does not.
//
//	     1    0 -21/4     0  21/4     0 -1 0            1     0     0
//	     0    1     1 -17/4 -17/4     1  1 0         -2/9  -2/9  -2/9           1 1  1  1   1    1     1 0
//	     0   -1     1  17/4 -17/4    -1  1 0         -2/9   2/9  -2/9           0 1 -1  2  -2  1/2  -1/2 0
//	Bᵀ = 0  1/2   1/4  -5/2  -5/4     2  1 0    G =  1/90  1/45  2/45      Aᵀ = 0 1  1  4   4  1/4   1/4 0
//	     0 -1/2   1/4   5/2  -5/4    -2  1 0         1/90 -1/45  2/45           0 1 -1  8  -8  1/8  -1/8 0
//	     0    2     4  -5/2    -5   1/2  1 0        32/45 16/45  8/45           0 1  1 16  16 1/16  1/16 0
//	     0   -2     4   5/2    -5  -1/2  1 0        32/45 -16/45 8/45           0 1 -1 32 -32 1/32 -1/32 1
//	     0   -1     0  21/4     0 -21/4  0 1            0     0     1
//
// Of the largest output, a direct sum over 128 channels is 2e-7 off, F(3x3,3x3) 2e-6 and F(6x6,3x3) 1e-5.
const (
	WinogradPoints = 25 // products of one tile of 3x3
	WinogradTiles  = 4  // such tiles of a 6x6 map
	MapPoints      = 64 // products of a map
	tileSize       = 3  // outputs of a small tile, in one dimension
	tilePoints     = 5  // its inputs and products, in one dimension
	pairSize       = 2  // outputs of a tile of 2x2, in one dimension
	pairPoints     = 4  // its inputs and products, in one dimension
	mapSize        = 6  // outputs of a map, in one dimension
	mapPoints      = 8  // its inputs and products, in one dimension
	filterSize     = 3  // taps, in one dimension
)

// Tiles says where a transform reads and writes one tile: an array of channel vectors on either
// side. Strides count float32; Channels is a multiple of 16.
type Tiles struct {
	Src                []float32
	SrcRow, SrcPixel   int
	Dst                []float32
	DstRow, DstPixel   int
	DstPanel, Channels int // 16 channels on: DstPanel further (16 when channels lie together)

	Count            int // of tiles, SrcNext and DstNext apart; 0 is one
	SrcNext, DstNext int
}

func (t *Tiles) check(in, out int) {
	if t.Channels%Panel != 0 || t.Channels == 0 {
		panic("kernel: Tiles: channels must be a positive multiple of 16")
	}
	last := max(t.Count, 1) - 1
	_ = t.Src[last*t.SrcNext+(in-1)*(t.SrcRow+t.SrcPixel)+t.Channels-1]
	_ = t.Dst[last*t.DstNext+(out-1)*(t.DstRow+t.DstPixel)+(t.Channels/Panel-1)*t.DstPanel+Panel-1]
}

// Input computes Bᵀ d B of a small tile: 5x5 pixels to 5x5 points.
func (t *Tiles) Input() { t.run(&tileInput) }

// Output computes Aᵀ m A of a small tile: 5x5 points to 3x3 pixels.
func (t *Tiles) Output() { t.run(&tileOutput) }

// Filter computes G g Gᵀ for small tiles: 3x3 taps to 5x5 points.
func (t *Tiles) Filter() { t.run(&tileFilter) }

// PairInput computes Bᵀ d B of a tile of 2x2: 4x4 pixels to 4x4 points.
func (t *Tiles) PairInput() { t.run(&pairInput) }

// PairOutput computes Aᵀ m A of a tile of 2x2: 4x4 points to 2x2 pixels.
func (t *Tiles) PairOutput() { t.run(&pairOutput) }

// PairFilter computes G g Gᵀ for tiles of 2x2: 3x3 taps to 4x4 points.
func (t *Tiles) PairFilter() { t.run(&pairFilter) }

// MapInput computes Bᵀ d B: 8x8 pixels, the map with its border, to 8x8 points.
func (t *Tiles) MapInput() { t.run(&mapInput) }

// MapOutput computes Aᵀ m A: 8x8 points to 6x6 pixels.
func (t *Tiles) MapOutput() { t.run(&mapOutput) }

// MapGradient computes A dy Aᵀ, the transpose of MapOutput: 6x6 pixels to 8x8 points.
func (t *Tiles) MapGradient() { t.run(&mapGradient) }

// MapFilter computes G g Gᵀ: 3x3 taps to 8x8 points.
func (t *Tiles) MapFilter() { t.run(&mapFilter) }

// MapFilterGradient computes Gᵀ du G, the transpose of MapFilter: 8x8 points to 3x3 taps.
func (t *Tiles) MapFilterGradient() { t.run(&mapFilterGradient) }

// tileTransform is one of the methods above. They are variables that know their portable loop, so that a program which
// does not train is not linked with what training needs.
type tileTransform struct {
	in, out int // vectors read and written, in one dimension
	line    func(line) line
}

var (
	tileInput         = tileTransform{tilePoints, tilePoints, tileInputLine}
	tileOutput        = tileTransform{tilePoints, tileSize, tileOutputLine}
	tileFilter        = tileTransform{filterSize, tilePoints, tileFilterLine}
	pairInput         = tileTransform{pairPoints, pairPoints, pairInputLine}
	pairOutput        = tileTransform{pairPoints, pairSize, pairOutputLine}
	pairFilter        = tileTransform{filterSize, pairPoints, pairFilterLine}
	mapInput          = tileTransform{mapPoints, mapPoints, mapInputLine}
	mapOutput         = tileTransform{mapPoints, mapSize, mapOutputLine}
	mapGradient       = tileTransform{mapSize, mapPoints, mapGradientLine}
	mapFilter         = tileTransform{filterSize, mapPoints, mapFilterLine}
	mapFilterGradient = tileTransform{mapPoints, filterSize, mapFilterGradientLine}
)

func (t *Tiles) run(transform *tileTransform) {
	t.check(transform.in, transform.out)
	if fast {
		t.fast(transform)
	} else {
		t.portable(transform)
	}
}
