package main

const (
	floatBytes  = 4
	lanes       = 4 // float32 in a vector
	vectorBytes = lanes * floatBytes
	panel       = 16 // columns of a panel of B
	panelBytes  = panel * floatBytes
)

// gemm adds the product of every row of A with packed panels of B to a row of C, over a multiple of eight k. Sixteen sums
// stay in registers, twice: even and odd steps of k apart, because four vectors of sums would wait for each other.
//
// Arguments: a, aRow, b, bPanel, c, cRow, eights of k, rows, panels.
func gemm(m *module) {
	const unroll = 8
	f, params := m.function("gemm", 1)
	v := f.fields(params[0], 0, 9)
	a, aRow, b, bPanel, c, cRow, eights, rows, panels := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]
	sums := [2][]local{f.vectors(panel / lanes), f.vectors(panel / lanes)}
	w := f.vectors(panel / lanes)
	x := f.local(v128)
	f.repeat(rows, func() {
		q, to := f.let(i32, b), f.let(i32, c)
		f.repeat(panels, func() {
			for i := range w {
				f.set(sums[0][i], load(to, i*vectorBytes))
				f.set(sums[1][i], constant(0))
			}
			from, at := f.let(i32, a), f.let(i32, q)
			f.repeat(eights, func() {
				for n := range unroll {
					f.set(x, splat(from, n*floatBytes))
					for i := range w {
						f.set(w[i], load(at, n*panelBytes+i*vectorBytes))
					}
					for i, sum := range sums[n%2] {
						f.set(sum, m.madd(x, w[i], sum))
					}
					if n < unroll-1 {
						f.barrier(at, n)
					}
				}
				f.advance(from, number(unroll*floatBytes))
				f.advance(at, number(unroll*panelBytes))
			})
			for i, sum := range sums[0] {
				f.store(to, i*vectorBytes, add(sum, sums[1][i]))
			}
			f.advance(q, bPanel)
			f.advance(to, number(panelBytes))
		})
		f.advance(a, aRow)
		f.advance(c, cRow)
	})
}
