//go:build (!amd64 && !(js && simd)) || purego

package kernel

// No fast kernels here: every kernel is its portable definition.
const fast = false

// Fuses says that ConvPool is the fastest way through a layer; it is where it has a kernel.
const Fuses = false

// Wide says that there are AVX-512's kernels.
func Wide() bool { return false }

// Instructions names the vector instructions that the kernels use: none.
func Instructions() string { return "scalar" }

const unreachable = "kernel: no fast kernels in this build"

func (g *Gemm) fast(outer, segments, bPanel int) { panic(unreachable) }
func (t *Tiles) fast(transform *tileTransform)   { panic(unreachable) }
func (c *Columns) fast(dst, mean []float32)      { panic(unreachable) }
func (p *Pool) fast(pass poolPass, sums Sums)    { panic(unreachable) }
func (l *LSTM) fast()                            { panic(unreachable) }
func (p *Patch) fast()                           { panic(unreachable) }
func (c *StripConv) fast(y []float32, yNext int, x []float32, xNext, maps int, points, products []float32) {
	panic(unreachable)
}
func (p *Panels) fast()                          { panic(unreachable) }
func (d *Dense) fast()                           { panic(unreachable) }
func fastHalves(dst []float32, src []byte)       { panic(unreachable) }
func fastDown(dst, src []byte, weights []uint32) { panic(unreachable) }
func fastAcross(dst, src []byte, first []int32, weights []uint32) {
	panic(unreachable)
}
func fastStream(dst, src []float32) { panic(unreachable) }
func (c *ConvPool) fastLoad(weights, filters []float32, from int, scale []float32) {
	panic(unreachable)
}
func (c *ConvPool) fast(dst []float32, dstRow, dstPixel int, src, points, products, plane, half []float32) {
	panic(unreachable)
}
