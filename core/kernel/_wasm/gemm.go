package main

const (
	floatBytes  = 4
	lanes       = 4 // float32 in a vector
	vectorBytes = lanes * floatBytes
	panel       = 16 // columns of a panel of B
	panelBytes  = panel * floatBytes
	rowMax      = 2
	unroll      = 8
)

// gemm walks the panels of B; within one, outer rows; within those, tiles of two rows and, at last,
// one. The panel stays in the first-level cache.
//
// Arguments: those of tile, then a, aOuter, b, bPanel, c, cOuter, outer, rows, panels.
func gemm(m *module) {
	one, two := tile(m, 1), tile(m, 2)
	f, params := m.function("gemm", 1)
	args := params[0]
	v := f.fields(args, tileFields, 9)
	a, aOuter, b, bPanel, c, cOuter, outer, rows, panels := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]
	aRow, cRow := f.let(i32, word(args, 0)), f.let(i32, word(args, 4))
	pairs, odd := f.let(i32, half(rows)), f.let(i32, and(rows, number(1)))

	f.repeat(panels, func() {
		aFrom, cFrom := f.let(i32, a), f.let(i32, c)
		f.repeat(outer, func() {
			aNow, cNow := f.let(i32, aFrom), f.let(i32, cFrom)
			f.when(pairs, func() {
				f.repeat(pairs, func() {
					f.call(two, args, aNow, b, cNow)
					f.advance(aNow, times(aRow, number(2)))
					f.advance(cNow, times(cRow, number(2)))
				})
			})
			f.when(odd, func() { f.call(one, args, aNow, b, cNow) })
			f.advance(aFrom, aOuter)
			f.advance(cFrom, cOuter)
		})
		f.advance(b, bPanel)
		f.advance(c, number(panelBytes))
	})
}

// tileFields is the number of the arguments of tile in its struct: aRow, cRow, aCol, aSegment, bRow,
// bSegment, k, segments, add.
const tileFields = 9

// tile computes rows x 16 outputs. The accumulators stay in registers over all segments and k: eight
// of them, with four vectors of B and a broadcast element of A, leave three of 16 registers. Where
// A is contiguous and B packed, eight steps of k find their numbers at constant offsets; a single row
// then sums even and odd ones apart, because four sums wait for each other.
//
// Parameters: the arguments' address, then the addresses of A, B and C.
func tile(m *module, rows int) *function {
	f, params := m.function("", 4)
	args, a, b, c := params[0], params[1], params[2], params[3]
	v := f.fields(args, 0, tileFields)
	aRow, cRow, aCol, aSegment, bRow, bSegment, k, segments, adds := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]

	packed := f.let(i32, and(equal(aCol, number(floatBytes)), equal(bRow, number(panelBytes))))
	acc := [rowMax][]local{f.vectors(panel / lanes), f.vectors(panel / lanes)}
	w := f.vectors(panel / lanes)
	x := f.local(v128)
	p := make([]local, rows) // where the rows of A are read
	f.repeat(segments, func() {
		p[0] = f.let(i32, a)
		for r := 1; r < rows; r++ {
			p[r] = f.let(i32, plus(p[r-1], aRow))
		}
		q := f.let(i32, b)
		step := func(n int) {
			for i := range w {
				f.set(w[i], load(q, n*panelBytes+i*vectorBytes))
			}
			for r := range p {
				f.set(x, splat(p[r], n*floatBytes))
				sum := acc[r]
				if rows == 1 {
					sum = acc[n%2]
				}
				for i := range w {
					f.set(sum[i], m.madd(x, w[i], sum[i]))
				}
			}
		}
		next := func(aBy, bBy operand) func() {
			return func() {
				for r := range p {
					f.advance(p[r], aBy)
				}
				f.advance(q, bBy)
			}
		}
		f.either(packed,
			func() { f.rounds(k, unroll, step, next(number(unroll*floatBytes), number(unroll*panelBytes))) },
			func() { f.rounds(k, 1, step, next(aCol, bRow)) })
		f.advance(a, aSegment)
		f.advance(b, bSegment)
	})
	if rows == 1 {
		for i := range w {
			f.set(acc[0][i], add(acc[0][i], acc[1][i]))
		}
	}
	for r := range p {
		f.when(adds, func() {
			for i := range w {
				f.set(acc[r][i], add(acc[r][i], load(c, i*vectorBytes)))
			}
		})
		for i := range w {
			f.store(c, i*vectorBytes, acc[r][i])
		}
		f.advance(c, cRow)
	}
	return f
}
