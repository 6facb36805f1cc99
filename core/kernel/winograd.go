package kernel

// Winograd F(3x3,3x3) for 3x3 convolutions of 6x6 maps: four tiles of 3x3 outputs, each from 5x5
// inputs through 25 products instead of 81 (Lavin & Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2015), interpolating at 0, 1, -1, 2 and infinity.
//
//	Y = Aᵀ[ (G g Gᵀ) ⊙ (Bᵀ d B) ]A
//
//	     2 -1 -2  1  0           1/2    0    0          1  1  1  1  0
//	     0 -2 -1  1  0          -1/2 -1/2 -1/2     Aᵀ = 0  1 -1  2  0
//	Bᵀ = 0  2 -3  1  0      G = -1/6  1/6 -1/6          0  1  1  4  1
//	     0 -1  0  1  0           1/6  1/3  2/3
//	     0  2 -1 -2  1             0    0    1
//
// Errors stay near 1e-6 relative, three to five times those of a direct sum.
const (
	WinogradPoints = 25 // products of one tile
	WinogradTiles  = 4  // tiles of a 6x6 map
	tileSize       = 3  // outputs of a tile, in one dimension
	tilePoints     = 5  // its inputs and products, in one dimension
	mapTiles       = 2  // tiles of a 6x6 map, in one dimension
)

// Tiles says where a transform reads and writes one tile: an array of channel vectors on either
// side. Strides count float32; Channels is a multiple of 16.
type Tiles struct {
	Src                []float32
	SrcRow, SrcPixel   int
	Dst                []float32
	DstRow, DstPixel   int
	DstPanel, Channels int // 16 channels on: DstPanel further (16 when channels lie together)
}

func (t *Tiles) check(in, out int) {
	if t.Channels%Panel != 0 || t.Channels == 0 {
		panic("kernel: Tiles: channels must be a positive multiple of 16")
	}
	_ = t.Src[(in-1)*(t.SrcRow+t.SrcPixel)+t.Channels-1]
	_ = t.Dst[(out-1)*(t.DstRow+t.DstPixel)+(t.Channels/Panel-1)*t.DstPanel+Panel-1]
}

// Input computes Bᵀ d B: 5x5 pixels to 5x5 points.
func (t *Tiles) Input() { t.run(winogradInput, tilePoints, tilePoints) }

// Output computes Aᵀ m A: 5x5 points to 3x3 pixels.
func (t *Tiles) Output() { t.run(winogradOutput, tilePoints, tileSize) }

// Gradient computes A dy Aᵀ, the transpose of Output: 3x3 pixels to 5x5 points.
func (t *Tiles) Gradient() { t.run(winogradGradient, tileSize, tilePoints) }

type tileTransform uint8

const (
	winogradInput tileTransform = iota
	winogradOutput
	winogradGradient
)

func (t *Tiles) run(transform tileTransform, in, out int) {
	t.check(in, out)
	if fast {
		t.fast(transform)
	} else {
		t.portable(transform, in, out)
	}
}

// winogradG is G, the weights' transform.
var winogradG = [tilePoints][tileSize]float32{
	{0.5, 0, 0},
	{-0.5, -0.5, -0.5},
	{-1.0 / 6, 1.0 / 6, -1.0 / 6},
	{1.0 / 6, 1.0 / 3, 2.0 / 3},
	{0, 0, 1},
}

// WinogradFilter computes u = G g Gᵀ of one 3x3 filter.
func WinogradFilter(u *[WinogradPoints]float32, g *[9]float32) {
	var t [tilePoints][tileSize]float32
	for i, row := range winogradG {
		for j := range tileSize {
			t[i][j] = row[0]*g[j] + row[1]*g[3+j] + row[2]*g[6+j]
		}
	}
	for i := range tilePoints {
		for j, row := range winogradG {
			u[i*tilePoints+j] = t[i][0]*row[0] + t[i][1]*row[1] + t[i][2]*row[2]
		}
	}
}

// WinogradFilterGradient adds dg += Gᵀ du G, the transpose of WinogradFilter.
func WinogradFilterGradient(dg *[9]float32, du *[WinogradPoints]float32) {
	var t [tileSize][tilePoints]float32
	for j := range tilePoints {
		for i, row := range winogradG {
			for r := range tileSize {
				t[r][j] += row[r] * du[i*tilePoints+j]
			}
		}
	}
	for r := range tileSize {
		for j, row := range winogradG {
			for s := range tileSize {
				dg[r*tileSize+s] += t[r][j] * row[s]
			}
		}
	}
}
