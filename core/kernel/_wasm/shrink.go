package main

const (
	shrinkBits = 22 // as in ../shrink.go
	shrinkHalf = 1 << (shrinkBits - 1)
)

// quarters is sixteen bytes as four vectors of four i32.
func quarters(f *function, sixteen value) []local {
	v := f.let(v128, sixteen)
	low, high := f.let(v128, bytesLow(v)), f.let(v128, bytesHigh(v))
	var four []local
	for _, wide := range []value{widenLow(low), widenHigh(low), widenLow(high), widenHigh(high)} {
		four = append(four, f.let(v128, wide))
	}
	return four
}

// across filters a row of pixels of four bytes.
//
// Arguments: dst, src, first, their number, weights, how many times four there are for each.
func across(m *module) {
	f, params := m.function("across", 1)
	v := f.fields(params[0], 0, 6)
	dst, src, first, count, weights, fours := v[0], v[1], v[2], v[3], v[4], v[5]
	const pixelBytes = 4
	f.repeat(count, func() {
		at, sum := f.let(i32, plus(src, times(word(first, 0), number(pixelBytes)))), f.let(v128, bits4(shrinkHalf))
		f.repeat(fours, func() {
			for i, pixel := range quarters(f, load(at, 0)) {
				f.set(sum, addFour(sum, mulFour(pixel, splat(weights, i*lanes))))
			}
			f.advance(at, number(vectorBytes))
			f.advance(weights, number(vectorBytes))
		})
		f.set(sum, shiftFourRight(sum, number(shrinkBits)))
		f.set(sum, narrowFour(sum, sum))
		f.storeLane(dst, 0, narrowEight(sum, sum), 0)
		f.advance(dst, number(pixelBytes))
		f.advance(first, number(pixelBytes))
	})
}

// down filters rows of bytes.
//
// Arguments: dst, src, the bytes of a row, weights, their number, how many times sixteen bytes a row has.
func down(m *module) {
	f, params := m.function("down", 1)
	v := f.fields(params[0], 0, 6)
	dst, src, stride, weights, taps, sixteens := v[0], v[1], v[2], v[3], v[4], v[5]
	f.repeat(sixteens, func() {
		at, weight := f.let(i32, src), f.let(i32, weights)
		sums := f.vectors(4)
		for _, sum := range sums {
			f.set(sum, bits4(shrinkHalf))
		}
		f.repeat(taps, func() {
			by := f.let(v128, splat(weight, 0))
			for i, bytes := range quarters(f, load(at, 0)) {
				f.set(sums[i], addFour(sums[i], mulFour(bytes, by)))
			}
			f.advance(at, stride)
			f.advance(weight, number(floatBytes))
		})
		for _, sum := range sums {
			f.set(sum, shiftFourRight(sum, number(shrinkBits)))
		}
		f.store(dst, 0, narrowEight(narrowFour(sums[0], sums[1]), narrowFour(sums[2], sums[3])))
		f.advance(dst, number(vectorBytes))
		f.advance(src, number(vectorBytes))
	})
}
