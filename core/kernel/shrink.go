package kernel

// Across and Down are the two passes that bring a picture of four bytes a pixel to another size: weighted sums of bytes,
// rounded to bytes. The weights of a sum are in units of 2^-ShrinkBits and add up to one, but for half a unit each; so a
// sum stays within 32 bits, and its upper ten are a byte, for up to 16,000 of them. Both kernels give the same bits.

// ShrinkBits are the bits behind the point in the weights of Across and Down.
const ShrinkBits = 22

const shrinkHalf = 1 << (ShrinkBits - 1)

// Across filters a row of pixels: the pixel i of dst is the sum of as many pixels of src, from the pixel first[i] on, as
// there are weights for each, which is a multiple of four:
//
//	dst[i] = (half + Σ weights[i*taps+k] · src[first[i]+k]) >> ShrinkBits    k<taps, each of the four bytes
func Across(dst, src []byte, first []int32, weights []uint32) {
	if len(first) == 0 {
		return
	}
	taps := len(weights) / len(first)
	if taps%4 != 0 || taps*len(first) != len(weights) {
		panic("kernel: Across: want the same number of weights for every pixel, a multiple of four")
	}
	_ = dst[:4*len(first)]
	for _, f := range first {
		_ = src[4*int(f):][:4*taps]
	}
	if fast && taps > 0 {
		fastAcross(dst, src, first, weights)
	} else {
		portableAcross(dst, src, first, weights)
	}
}

// Down filters rows of len(dst) bytes, a multiple of sixteen, that lie one behind the other in src:
//
//	dst[i] = (half + Σ weights[k] · src[k*len(dst)+i]) >> ShrinkBits
func Down(dst, src []byte, weights []uint32) {
	if len(dst)%16 != 0 {
		panic("kernel: Down: want a multiple of sixteen bytes")
	}
	_ = src[:len(weights)*len(dst)]
	if fast && len(dst) > 0 && len(weights) > 0 {
		fastDown(dst, src, weights)
	} else {
		portableDown(dst, src, weights)
	}
}
