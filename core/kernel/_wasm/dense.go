package main

const (
	floatBytes  = 4
	lanes       = 4 // float32 in a vector
	vectorBytes = lanes * floatBytes
	panel       = 16 // columns of a panel of weights
	panelBytes  = panel * floatBytes
)

const (
	entryBytes = 2 * floatBytes // of the list: a number that is not 0, and how far into a panel its weights lie
	denseSteps = 8              // entries a turn
)

// dense is a fully connected layer of a row of x at a time, over those of its numbers that are not 0: behind a ReLU
// more than half of them are, and what the layer takes is the time to read weights. They are listed once for all panels.
// Sixteen sums stay in registers, twice: even and odd steps apart, because four vectors of sums would wait for each other.
//
// Arguments: x, bytes between its rows, weights, bytes between panels, y, bytes between its rows, what is added to, bytes
// between its rows, numbers of a row of x, rows, panels, room for the list, a lower bound.
func dense(m *module) {
	f, params := m.function("dense", 1)
	v := f.fields(params[0], 0, 12)
	x, xRow, weights, panelStride, y, yRow, from, fromRow, k, rows, panels, list := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]
	floor := f.let(v128, splat(params[0], len(v)*floatBytes))
	sums := [2][]local{f.vectors(panel / lanes), f.vectors(panel / lanes)}
	w := f.vectors(panel / lanes)
	number4 := f.local(v128)
	f.repeat(rows, func() {
		turns := listed(f, x, k, list)
		to, base, q := f.let(i32, y), f.let(i32, from), f.let(i32, weights)
		f.repeat(panels, func() {
			for i := range w {
				f.set(sums[0][i], load(base, i*vectorBytes))
				f.set(sums[1][i], constant(0))
			}
			entry, left := f.let(i32, list), f.let(i32, turns)
			f.block(func() {
				f.leave(zero(left))
				f.loop(func() {
					for n := range denseSteps {
						f.set(number4, splat(entry, n*entryBytes))
						at := f.let(i32, plus(q, word(entry, n*entryBytes+floatBytes)))
						for i := range w {
							f.set(w[i], load(at, i*vectorBytes))
						}
						for i, sum := range sums[n%2] {
							f.set(sum, m.madd(number4, w[i], sum))
						}
						if n < denseSteps-1 {
							f.barrier(entry, n)
						}
					}
					f.advance(entry, number(denseSteps*entryBytes))
					f.advance(left, number(-1))
					f.again(left)
				})
			})
			for i, sum := range sums[0] {
				f.store(to, i*vectorBytes, greater(add(sum, sums[1][i]), floor))
			}
			f.advance(base, number(panelBytes))
			f.advance(to, number(panelBytes))
			f.advance(q, panelStride)
		})
		f.advance(x, xRow)
		f.advance(y, yRow)
		f.advance(from, fromRow)
	})
}

// listed emits the list of the numbers of a row that are not 0, filled up with zeros, and returns how many turns of
// denseSteps it takes.
func listed(f *function, x, k, list local) local {
	const shift = 3 // entries are 8 bytes
	at, entry, offset := f.let(i32, x), f.let(i32, list), f.let(i32, number(0))
	f.repeat(k, func() {
		bits := f.let(i32, word(at, 0))
		f.storeWord(entry, 0, bits)
		f.storeWord(entry, floatBytes, offset)
		f.advance(entry, shiftLeft(different(plus(bits, bits), number(0)), number(shift))) // of -0 too
		f.advance(at, number(floatBytes))
		f.advance(offset, number(panelBytes))
	})
	for i := range denseSteps / 2 {
		f.store(entry, i*vectorBytes, constant(0))
	}
	bytes := plus(minus(entry, list), number((denseSteps-1)*entryBytes))
	return f.let(i32, shiftRight(bytes, number(shift+3)))
}
