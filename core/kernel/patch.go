package kernel

// Tap is one axis of a bilinear sample: two neighbours and their weights. At0 and At1 count float32.
type Tap struct {
	At0, At1         int32
	Weight0, Weight1 float32
}

// Patch samples a picture of three colours at every crossing of some rows and columns:
//
//	Dst[i*DstRow + j*DstPixel + colour] = Σ weights of Rows[i] and Columns[j] · the four neighbours of that colour
//
// with the columns' sum over the rows' sums. Both kernels give the same bits.
type Patch struct {
	Dst              []float32
	DstRow, DstPixel int
	Image            []float32
	Rows, Columns    []Tap
}

const colours = 3

// Run samples.
func (p *Patch) Run() {
	if len(p.Rows) == 0 || len(p.Columns) == 0 {
		return
	}
	_ = p.Dst[(len(p.Rows)-1)*p.DstRow+(len(p.Columns)-1)*p.DstPixel+colours-1]
	if last := len(p.Image) - colours - farthest(p.Rows) - farthest(p.Columns); last < 0 {
		panic("kernel: Patch: a tap lies outside the picture")
	}
	if fast {
		p.fast()
	} else {
		p.portable()
	}
}

// farthest is the largest offset of some taps; one that is negative is larger than any picture.
func farthest(taps []Tap) int {
	var most uint32
	for i := range taps {
		most = max(most, uint32(taps[i].At0), uint32(taps[i].At1))
	}
	return int(most)
}
