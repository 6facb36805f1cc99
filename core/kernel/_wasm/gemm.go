package main

const (
	lanes       = 4         // float32 in a vector
	vectorBytes = 4 * lanes // its bytes
	panel       = 16        // columns of a panel of B
	panelBytes  = 4 * panel
	rowMax      = 4 // rows of the largest tile
)

// gemm walks the panels of B; within one, outer rows; within those, tiles of four rows and what is
// left. The panel stays in the first-level cache.
//
// Arguments: those of tile, then a, aOuter, b, bPanel, c, cOuter, outer, rows, panels.
func gemm(m *module) {
	var tiles [rowMax + 1]*function
	for rows := 1; rows <= rowMax; rows++ {
		tiles[rows] = tile(m, rows)
	}
	f, params := m.function("gemm", 1)
	args := params[0]
	v := f.fields(args, tileFields, 9)
	a, aOuter, b, bPanel, c, cOuter, outer, rows, panels := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]
	aRow := f.let(i32, word(args, 0))
	cRow := f.let(i32, word(args, 4))
	four := f.let(i32, shifts(rows, number(2)))
	rest := f.let(i32, and(rows, number(rowMax-1)))

	f.repeat(panels, func() {
		aFrom, cFrom := f.let(i32, a), f.let(i32, c)
		f.repeat(outer, func() {
			aNow, cNow := f.let(i32, aFrom), f.let(i32, cFrom)
			f.when(four, func() {
				f.repeat(four, func() {
					f.call(tiles[rowMax], args, aNow, b, cNow)
					f.advance(aNow, times(aRow, number(rowMax)))
					f.advance(cNow, times(cRow, number(rowMax)))
				})
			})
			for left := 1; left < rowMax; left++ {
				f.when(equal(rest, number(left)), func() { f.call(tiles[left], args, aNow, b, cNow) })
			}
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
// of them, with the vectors of B and the broadcast element of A, is what fits 16 registers. So three
// or four rows take the panel in two halves.
//
// Parameters: the arguments' address, then the addresses of A, B and C.
func tile(m *module, rows int) *function {
	f, params := m.function("", 4)
	args, a, b, c := params[0], params[1], params[2], params[3]
	v := f.fields(args, 0, tileFields)
	aRow, cRow, aCol, aSegment, bRow, bSegment, k, segments, adds := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]
	width := panel / lanes
	if rows > 2 {
		width /= 2
	}
	acc := make([][]local, rows)
	p := make([]local, rows)
	for r := range rows {
		p[r] = f.local(i32)
		for range width {
			acc[r] = append(acc[r], f.local(v128))
		}
	}
	w := make([]local, width)
	for i := range w {
		w[i] = f.local(v128)
	}
	x := f.local(v128)

	f.repeat(number(panel/lanes/width), func() {
		for r := range acc {
			for i := range acc[r] {
				f.set(acc[r][i], constant(0))
			}
		}
		aFrom, bFrom := f.let(i32, a), f.let(i32, b)
		f.repeat(segments, func() {
			f.set(p[0], aFrom)
			for r := 1; r < rows; r++ {
				f.set(p[r], plus(p[r-1], aRow))
			}
			q := f.let(i32, bFrom)
			f.repeat(k, func() {
				for i := range w {
					f.set(w[i], load(q, i*vectorBytes))
				}
				for r := range acc {
					f.set(x, splat(p[r], 0))
					for i := range acc[r] {
						f.set(acc[r][i], m.madd(x, w[i], acc[r][i]))
					}
					f.advance(p[r], aCol)
				}
				f.advance(q, bRow)
			})
			f.advance(aFrom, aSegment)
			f.advance(bFrom, bSegment)
		})
		to := f.let(i32, c)
		for r := range acc {
			f.when(adds, func() {
				for i := range acc[r] {
					f.set(acc[r][i], add(acc[r][i], load(to, i*vectorBytes)))
				}
			})
			for i := range acc[r] {
				f.store(to, i*vectorBytes, acc[r][i])
			}
			f.advance(to, cRow)
		}
		f.advance(b, number(width*vectorBytes))
		f.advance(c, number(width*vectorBytes))
	})
	return f
}
