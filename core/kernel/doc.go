// Package kernel holds the float32 inner loops of the network: matrix products with strides,
// Winograd transforms for 3x3 convolutions of 6x6 maps, and the fused passes of batch
// normalisation.
//
// Every kernel exists twice. portable.go is short, obvious Go: it defines what the kernel
// computes, is the oracle of the tests and the fallback everywhere. kernels_amd64.s, written by
// the program in _generate, is its fast twin for AVX2 with FMA, chosen at run time; the build
// tag purego removes it. The two round differently (FMA), so results are bit-identical within
// one of them and agree to rounding between them.
//
// Nothing here allocates or starts a goroutine. Lengths that do not fit are a programmer's
// error and panic.
package kernel

// Panel is the number of columns a product computes at once: widths are multiples of it.
const Panel = 16

// Lanes is the number of channels the element-wise kernels handle at once.
const Lanes = 8
