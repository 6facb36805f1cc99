package main

// winograd is one of the two convolutions F(n x n, 3x3) of ../convpool.go: its size and the transforms of a row.
type winograd struct {
	export, filterExport  string
	outputs               int   // of a tile in one dimension
	points                int   // its products in one dimension
	side                  int   // tiles of a map in one dimension
	rows                  []int // tiles of a product: together all of a map
	input, filter, output func(m *module, f *function, d []local, two local) []local
}

var (
	fours  = winograd{"convPoolFours", "filtersFours", 4, 6, 3, []int{3, 3, 3}, inputRow4, filterRow4, outputRow4}
	threes = winograd{"convPoolThrees", "filtersThrees", 3, 5, 2, []int{4}, inputRow, filterRow, outputRow}
)

func (w *winograd) tiles() int { return w.side * w.side }

// square emits a transform of the rows of a square of vectors, then of the columns of what they give. It asks for each row
// when it needs it and hands over each column when it has it, because they all together would not fit in registers;
// address keeps it so, see barrier.
func (f *function) square(m *module, transform func(*module, *function, []local, local) []local, two, address local,
	rows int, row func(i int) []local, column func(j int, v []local)) {
	f.block(func() {
		half := make([][]local, rows)
		for i := range half {
			half[i] = transform(m, f, row(i), two)
			f.barrier(address, i)
		}
		for j := range half[0] {
			v := make([]local, rows)
			for i := range half {
				v[i] = half[i][j]
			}
			column(j, transform(m, f, v, two))
			f.barrier(address, rows+j)
		}
	})
}

const (
	convPanel  = 8 // output channels of a panel of the weights
	convBytes  = convPanel * floatBytes
	pointsSkew = 64 // bytes between the points, see pointStride in ../convpool.go
)

// convPool is a whole layer: the points of all tiles, then for each panel of eight output channels the products and,
// while they are in the first-level cache, what becomes of them.
//
// Arguments: src, srcRow, srcPixel, quads of input channels, points, weights, shift, panels, products, map, dst, dstRow,
// dstPixel.
func convPool(m *module, w *winograd) {
	f, params := m.function(w.export, 1)
	v := f.fields(params[0], 0, 13)
	src, srcRow, srcPixel, quads, points, weights, shift, panels := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	products, plane, dst, dstRow, dstPixel := v[8], v[9], v[10], v[11], v[12]
	two := f.let(v128, constant(2))
	stride := f.let(i32, plus(times(quads, number(vectorBytes*w.tiles())), number(pointsSkew)))

	w.inputs(m, f, src, srcRow, srcPixel, quads, points, stride, two)

	filterBytes := f.let(i32, times(quads, number(lanes*convBytes))) // of a point in a panel
	f.repeat(panels, func() {
		to, from := f.let(i32, products), f.let(i32, points)
		f.repeat(number(w.points*w.points), func() {
			row := f.let(i32, from)
			for _, rows := range w.rows {
				product(m, f, rows, row, weights, to, quads)
				f.advance(to, number(rows*convBytes))
			}
			f.advance(weights, filterBytes)
			f.advance(from, stride)
		})
		if w.outputs%2 == 0 {
			w.windows(m, f, products, shift, dst, dstRow, dstPixel, two)
		} else {
			w.plane(m, f, products, plane, two)
			pool(f, plane, shift, dst, dstRow, dstPixel, w.side*w.outputs)
		}
		f.advance(shift, number(convBytes))
		f.advance(dst, number(convBytes))
	})
}

// inputs emits the transform of all tiles into the points.
func (w *winograd) inputs(m *module, f *function, src, srcRow, srcPixel, quads, points, stride, two local) {
	to, down, rowStride := f.let(i32, points), f.let(i32, src), f.let(i32, times(stride, number(w.points)))
	nextTile := f.let(i32, times(quads, number(vectorBytes)))
	f.repeat(number(w.side), func() {
		right := f.let(i32, down)
		f.repeat(number(w.side), func() {
			corner, channel := f.let(i32, right), f.let(i32, to)
			f.repeat(quads, func() {
				line, across := f.let(i32, corner), f.let(i32, channel)
				f.square(m, w.input, two, corner, w.points, func(int) []local {
					d := make([]local, w.points)
					at := f.let(i32, line)
					for j := range d {
						d[j] = f.let(v128, load(at, 0))
						f.advance(at, srcPixel)
					}
					f.advance(line, srcRow)
					return d
				}, func(_ int, v []local) {
					at := f.let(i32, across)
					for _, p := range v {
						f.store(at, 0, p)
						f.advance(at, rowStride)
					}
					f.advance(across, stride)
				})
				f.advance(corner, number(vectorBytes))
				f.advance(channel, number(vectorBytes))
			})
			f.advance(to, nextTile)
			f.advance(right, times(srcPixel, number(w.outputs)))
		})
		f.advance(down, times(srcRow, number(w.outputs)))
	})
}

// product emits some tiles by eight output channels, over a multiple of four input channels: eight or ten sums in registers,
// two vectors of weights, one broadcast number. It leaves row behind those tiles.
func product(m *module, f *function, rows int, row, weights, c, quads local) {
	const vectors = convPanel / lanes
	sums := make([][]local, rows)
	at := make([]local, rows)
	rowBytes := f.let(i32, times(quads, number(vectorBytes)))
	for r := range sums {
		sums[r] = f.vectors(vectors)
		at[r] = f.let(i32, row)
		f.advance(row, rowBytes)
	}
	b := f.vectors(vectors)
	x := f.local(v128)
	q := f.let(i32, weights)
	step := func(n int, first bool) {
		for i := range b {
			f.set(b[i], load(q, n*convBytes+i*vectorBytes))
		}
		for r := range sums {
			f.set(x, splat(at[r], n*floatBytes))
			for i := range b {
				if first {
					f.set(sums[r][i], mul(x, b[i]))
				} else {
					f.set(sums[r][i], m.madd(x, b[i], sums[r][i]))
				}
			}
		}
	}
	next := func(steps int) {
		for _, a := range at {
			f.advance(a, number(steps*floatBytes))
		}
		f.advance(q, number(steps*convBytes))
	}
	f.block(func() {
		for n := range lanes {
			step(n, n == 0)
			f.barrier(q, n)
		}
		left := f.let(i32, plus(quads, number(-1)))
		f.leave(zero(left))
		next(lanes)
		f.loop(func() {
			for n := range 2 * lanes {
				step(n, false)
				if n == lanes-1 {
					f.advance(left, number(-1))
					f.leave(zero(left))
				} else if n < 2*lanes-1 {
					f.barrier(q, n)
				}
			}
			next(2 * lanes)
			f.advance(left, number(-1))
			f.again(left)
		})
	})
	for r := range sums {
		for i, sum := range sums[r] {
			f.store(c, r*convBytes+i*vectorBytes, sum)
		}
	}
}

// row loads the products of row i of a tile, four output channels of it.
func (w *winograd) row(f *function, from local, i int) []local {
	d := make([]local, w.points)
	for j := range d {
		d[j] = f.let(v128, load(from, (i*w.points+j)*w.tiles()*convBytes))
	}
	return d
}

// windows emits the outputs where the windows of the pooling lie within tiles: they never leave the registers.
func (w *winograd) windows(m *module, f *function, products, shift, dst, dstRow, dstPixel, two local) {
	from, down := f.let(i32, products), f.let(i32, dst)
	f.repeat(number(w.side), func() {
		right := f.let(i32, down)
		f.repeat(number(w.side), func() {
			to, by := f.let(i32, right), f.let(i32, shift)
			f.repeat(number(convPanel/lanes), func() {
				at := f.let(i32, to)
				top := f.vectors(w.outputs / 2)
				f.square(m, w.output, two, from, w.points, func(i int) []local { return w.row(f, from, i) }, func(j int, y []local) {
					line := f.let(i32, at)
					for i := range top {
						pair := greater(y[2*i], y[2*i+1])
						if j%2 == 0 {
							f.set(top[i], pair)
							continue
						}
						f.store(line, 0, greater(add(greater(top[i], pair), load(by, 0)), constant(0)))
						f.advance(line, dstRow)
					}
					if j%2 == 1 {
						f.advance(at, dstPixel)
					}
				})
				for _, p := range []local{from, to, by} {
					f.advance(p, number(vectorBytes))
				}
			})
			f.advance(right, times(dstPixel, number(w.outputs/2)))
		})
		f.advance(down, times(dstRow, number(w.outputs/2)))
	})
}

// plane emits the outputs of all tiles as one map of eight channels.
func (w *winograd) plane(m *module, f *function, products, plane, two local) {
	rowBytes := w.side * w.outputs * convBytes
	from, down := f.let(i32, products), f.let(i32, plane)
	f.repeat(number(w.side), func() {
		right := f.let(i32, down)
		f.repeat(number(w.side), func() {
			to := f.let(i32, right)
			f.repeat(number(convPanel/lanes), func() {
				f.square(m, w.output, two, from, w.points, func(i int) []local { return w.row(f, from, i) }, func(j int, y []local) {
					for i := range y {
						f.store(to, i*rowBytes+j*convBytes, y[i])
					}
				})
				f.advance(from, number(vectorBytes))
				f.advance(to, number(vectorBytes))
			})
			f.advance(right, number(w.outputs*convBytes))
		})
		f.advance(down, number(w.outputs*rowBytes))
	})
}

// pool emits the pooling of a map of eight channels.
func pool(f *function, plane, shift, dst, dstRow, dstPixel local, side int) {
	rowBytes := side * convBytes
	from, down := f.let(i32, plane), f.let(i32, dst)
	f.repeat(number(side/2), func() {
		to := f.let(i32, down)
		f.repeat(number(side/2), func() {
			for half := 0; half < convBytes; half += vectorBytes {
				top := greater(
					greater(load(from, half), load(from, half+convBytes)),
					greater(load(from, half+rowBytes), load(from, half+rowBytes+convBytes)))
				f.store(to, half, greater(add(top, load(shift, half)), constant(0)))
			}
			f.advance(from, number(2*convBytes))
			f.advance(to, dstPixel)
		})
		f.advance(from, number(rowBytes))
		f.advance(down, dstRow)
	})
}
