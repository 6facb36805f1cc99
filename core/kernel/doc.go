// Package kernel holds the float32 inner loops of the network: matrix products with strides,
// Winograd transforms for 3x3 convolutions of 6x6 maps, the fused passes of batch
// normalisation, and the pointwise half of an LSTM cell; and the sums of bytes that shrink a photograph.
//
// Every kernel is defined in portable.go: short, obvious Go, the oracle of the tests and the
// fallback everywhere. Where it matters it has fast twins, chosen at run time; the build tag
// purego removes them:
//
//	kernels_amd64.s     AVX2 with FMA; products, transforms and LSTM cells in AVX-512, too, of the same bits, and
//	                    StripConv in AVX-512 alone; written by the program in _generate
//	simd.wasm           WebAssembly's vectors, written by the program in _wasm; in builds with the tag simd; what
//	                    evaluates one picture alone
//	simd_relaxed.wasm   the same with relaxed multiply-add
//
// They round differently (FMA, the order of sums), so results are bit-identical within one of
// them and agree to rounding between them.
//
// Nothing here allocates or starts a goroutine. Lengths that do not fit are a programmer's
// error and panic.
package kernel

// Panel is the number of columns a product computes at once: widths are multiples of it.
const Panel = 16

// Lanes is the number of channels the element-wise kernels handle at once.
const Lanes = 8
