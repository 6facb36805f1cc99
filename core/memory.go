package core

import "unsafe"

// arena hands out room for weights that are read one after the other, on the pages that floats asks for: weights of a few hundred
// kilobytes each would not get huge ones by themselves. The nil arena hands out room from anywhere.
type arena struct{ rest []float32 }

// arenaPiece is how many numbers an arena takes at a time, or more if so many are asked for at once.
const arenaPiece = 1 << 20

func (a *arena) floats(n int) []float32 {
	const line = 16 // numbers of a cache line
	if a == nil {
		return floats(n)
	}
	whole := (n + line - 1) / line * line
	if whole > len(a.rest) {
		a.rest = floats(max(whole, arenaPiece))
	}
	all := a.rest[:whole]
	a.rest = a.rest[whole:]
	return all[:n:n]
}

func (a *arena) halves(n int) []uint16 {
	all := a.floats((n + 1) / 2)
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(all))), n)
}
