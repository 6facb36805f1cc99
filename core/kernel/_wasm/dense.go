package main

const (
	floatBytes  = 4
	lanes       = 4 // float32 in a vector
	vectorBytes = lanes * floatBytes
	panel       = 16 // columns of a panel of weights
	panelBytes  = panel * floatBytes
)

// dense is a fully connected layer of a row of x at a time. Sixteen sums stay in registers, twice: even and odd inputs apart,
// because four vectors of sums would wait for each other.
//
// Arguments: x, bytes between its rows, weights, bytes between panels, y, bytes between its rows, what is added to, bytes
// between its rows, eights of inputs, inputs beyond those, rows, panels, a lower bound.
func dense(m *module) {
	const unroll = 8
	f, params := m.function("dense", 1)
	v := f.fields(params[0], 0, 12)
	x, xRow, weights, panelStride, y, yRow := v[0], v[1], v[2], v[3], v[4], v[5]
	from, fromRow, eights, rest, rows, panels := v[6], v[7], v[8], v[9], v[10], v[11]
	floor := f.let(v128, splat(params[0], len(v)*floatBytes))
	sums := [2][]local{f.vectors(panel / lanes), f.vectors(panel / lanes)}
	w := f.vectors(panel / lanes)
	one := f.local(v128)
	f.repeat(rows, func() {
		to, base, q := f.let(i32, y), f.let(i32, from), f.let(i32, weights)
		f.repeat(panels, func() {
			for i := range w {
				f.set(sums[0][i], load(base, i*vectorBytes))
				f.set(sums[1][i], constant(0))
			}
			input, at := f.let(i32, x), f.let(i32, q)
			steps := func(turns local, count int) {
				left := f.let(i32, turns)
				f.block(func() {
					f.leave(zero(left))
					f.loop(func() {
						for n := range count {
							f.set(one, splat(input, n*floatBytes))
							for i := range w {
								f.set(w[i], load(at, n*panelBytes+i*vectorBytes))
							}
							for i, sum := range sums[n%2] {
								f.set(sum, m.madd(one, w[i], sum))
							}
							if n < count-1 {
								f.barrier(at, n)
							}
						}
						f.advance(input, number(count*floatBytes))
						f.advance(at, number(count*panelBytes))
						f.advance(left, number(-1))
						f.again(left)
					})
				})
			}
			steps(eights, unroll)
			steps(rest, 1)
			for i, sum := range sums[0] {
				f.store(to, i*vectorBytes, greater(add(sum, sums[1][i]), floor))
			}
			f.advance(q, panelStride)
			f.advance(base, number(panelBytes))
			f.advance(to, number(panelBytes))
		})
		f.advance(x, xRow)
		f.advance(y, yRow)
		f.advance(from, fromRow)
	})
}
