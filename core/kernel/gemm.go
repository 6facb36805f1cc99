package kernel

// Gemm is one matrix product, C = A·B or C += A·B, with strides general enough to read a
// convolution in place. All strides count float32.
//
//	C[o,i,j] = Σ s<Segments Σ k<K  A[o,i,s,k] · B[s,k,j]     o<Outer, i<Rows, j<Columns
//
//	A[o,i,s,k] at A[o*AOuter + i*ARow + s*ASegment + k*ACol]
//	B[s,k,j]   at B[(j/16)*BPanel + s*BSegment + k*BRow + j%16]
//	C[o,i,j]   at C[o*COuter + i*CRow + j]
//
// A plain product leaves Outer and Segments 0, which count as 1. For a row-major B, BPanel is
// 16 (0 counts as 16) and BRow its row length; packed panels have BRow 16.
//
// A 3x3 convolution of a zero-padded [H+2][W+2][C] map is Outer = H, Rows = W, Segments = 3,
// K = 3C, ARow = C, AOuter = ASegment = (W+2)C: one segment is three neighbouring pixels of a row.
type Gemm struct {
	Outer, Rows, Columns, Segments, K int

	A                            []float32
	AOuter, ARow, ASegment, ACol int
	B                            []float32
	BPanel, BSegment, BRow       int
	C                            []float32
	COuter, CRow                 int

	Add bool // C += A·B
}

// Run computes the product.
func (g *Gemm) Run() {
	outer, segments, bPanel := max(g.Outer, 1), max(g.Segments, 1), g.BPanel
	if bPanel == 0 {
		bPanel = Panel
	}
	if g.Rows == 0 {
		return
	}
	if g.Columns%Panel != 0 || g.Columns == 0 || g.K == 0 {
		panic("kernel: Gemm: columns must be a positive multiple of 16 and K positive")
	}
	// One check of the far corners stands for all the bounds checks of the inner loops.
	_ = g.A[(outer-1)*g.AOuter+(g.Rows-1)*g.ARow+(segments-1)*g.ASegment+(g.K-1)*g.ACol]
	_ = g.B[(g.Columns/Panel-1)*bPanel+(segments-1)*g.BSegment+(g.K-1)*g.BRow+Panel-1]
	_ = g.C[(outer-1)*g.COuter+(g.Rows-1)*g.CRow+g.Columns-1]
	if fast {
		g.fast(outer, segments, bPanel)
	} else {
		g.portable(outer, segments, bPanel)
	}
}
