package main

// transform is Winograd's method in one dimension, F(outputs,3): its points and what takes a line to them, or back.
type transform struct {
	outputs, points       int
	input, filter, output func(m *module, f *function, d []local, two local) []local
}

var (
	f3 = transform{3, 5, inputRow3, filterRow3, outputRow3}
	f4 = transform{4, 6, inputRow4, filterRow4, outputRow4}
	f6 = transform{6, 8, inputRow6, filterRow6, outputRow6}
)

// winograd is one of the two convolutions of ../convpool.go: tiles of some outputs down and others across.
type winograd struct {
	export, filterExport string
	down, across         transform
	high, wide           int // tiles of a map
}

var (
	twelve = winograd{"convPoolTwelve", "filtersTwelve", f4, f6, 3, 2}
	sixes  = winograd{"convPoolSix", "filtersSix", f3, f6, 2, 1}
)

func (w *winograd) tiles() int  { return w.high * w.wide }
func (w *winograd) points() int { return w.down.points * w.across.points }

// lines is what a tile's rows, or its columns, go through.
type lines = func(*module, *function, []local, local) []local

// tile emits a transform of the rows of a tile of vectors, then of the columns of what they give, which lies in half
// meanwhile: it would not fit in registers, and loops are short code. row emits the loads of the next row; each
// of column takes a column, in turns.
func (f *function) tile(m *module, across, down lines, two, half local, rows, columns int, row func() []local, column ...func(v []local)) {
	to := f.let(i32, half)
	f.repeat(number(rows), func() {
		for j, v := range across(m, f, row(), two) {
			f.store(to, j*vectorBytes, v)
		}
		f.advance(to, number(columns*vectorBytes))
	})
	from := f.let(i32, half)
	f.repeat(number(columns/len(column)), func() {
		for j, column := range column {
			v := make([]local, rows)
			for i := range v {
				v[i] = f.let(v128, load(from, (i*columns+j)*vectorBytes))
			}
			column(down(m, f, v, two))
		}
		f.advance(from, number(len(column)*vectorBytes))
	})
}

const (
	pairTiles  = 2  // tiles of a product: eight sums, with the sixteen output channels of a panel
	pointsSkew = 64 // bytes between the points, see pointStride in ../convpool.go
)

// convPool is a whole layer: the points of all tiles, then for each panel of sixteen output channels the products and,
// while they are in the first-level cache, what becomes of them.
//
// Arguments: src, srcRow, srcPixel, quads of input channels, points, weights, shift, panels, products, map, half a
// transform, dst, dstRow, dstPixel.
func convPool(m *module, w *winograd) {
	f, params := m.function(w.export, 1)
	v := f.fields(params[0], 0, 14)
	src, srcRow, srcPixel, quads, points, weights, shift, panels := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	products, plane, half, dst, dstRow, dstPixel := v[8], v[9], v[10], v[11], v[12], v[13]
	two := f.let(v128, constant(2))
	stride := f.let(i32, plus(times(quads, number(vectorBytes*w.tiles())), number(pointsSkew)))

	w.inputs(m, f, src, srcRow, srcPixel, quads, points, stride, half, two)

	filterBytes := f.let(i32, times(quads, number(lanes*panelBytes))) // of a point in a panel
	f.repeat(panels, func() {
		to, from := f.let(i32, products), f.let(i32, points)
		f.repeat(number(w.points()), func() {
			row := f.let(i32, from)
			f.repeat(number(w.tiles()/pairTiles), func() {
				product(m, f, row, weights, to, quads)
				f.advance(to, number(pairTiles*panelBytes))
			})
			f.advance(weights, filterBytes)
			f.advance(from, stride)
		})
		if w.down.outputs%2 == 0 {
			w.windows(m, f, products, shift, half, dst, dstRow, dstPixel, two)
		} else {
			w.plane(m, f, products, plane, half, two)
			pool(f, plane, shift, dst, dstRow, dstPixel, w.wide*w.across.outputs)
		}
		f.advance(shift, number(panelBytes))
		f.advance(dst, number(panelBytes))
	})
}

// points is a column for tile: its vectors go to points rowStride apart, and those of the next one stride further, where it
// leaves across.
func (f *function) points(across, rowStride, stride local) func(v []local) {
	return func(v []local) {
		at := f.let(i32, across)
		for _, p := range v {
			f.store(at, 0, p)
			f.advance(at, rowStride)
		}
		f.advance(across, stride)
	}
}

// inputs emits the transform of all tiles into the points.
func (w *winograd) inputs(m *module, f *function, src, srcRow, srcPixel, quads, points, stride, half, two local) {
	to, down, rowStride := f.let(i32, points), f.let(i32, src), f.let(i32, times(stride, number(w.across.points)))
	nextTile := f.let(i32, times(quads, number(vectorBytes)))
	f.repeat(number(w.high), func() {
		right := f.let(i32, down)
		f.repeat(number(w.wide), func() {
			corner, channel := f.let(i32, right), f.let(i32, to)
			f.repeat(quads, func() {
				line, across := f.let(i32, corner), f.let(i32, channel)
				f.tile(m, w.across.input, w.down.input, two, half, w.down.points, w.across.points, func() []local {
					d := make([]local, w.across.points)
					at := f.let(i32, line)
					for j := range d {
						d[j] = f.let(v128, load(at, 0))
						f.advance(at, srcPixel)
					}
					f.advance(line, srcRow)
					return d
				}, f.points(across, rowStride, stride))
				f.advance(corner, number(vectorBytes))
				f.advance(channel, number(vectorBytes))
			})
			f.advance(to, nextTile)
			f.advance(right, times(srcPixel, number(w.across.outputs)))
		})
		f.advance(down, times(srcRow, number(w.down.outputs)))
	})
}

// product emits two tiles by sixteen output channels, over a multiple of four input channels: eight sums in registers. It
// leaves row behind those tiles.
func product(m *module, f *function, row, weights, c, quads local) {
	const vectors = panel / lanes
	var sums [pairTiles][]local
	var at [pairTiles]local
	var x [pairTiles]local
	rowBytes := f.let(i32, times(quads, number(vectorBytes)))
	for r := range sums {
		sums[r] = f.vectors(vectors)
		at[r] = f.let(i32, row)
		x[r] = f.local(v128)
		f.advance(row, rowBytes)
	}
	b := f.local(v128)
	q := f.let(i32, weights)
	step := func(n int, first bool) {
		for r := range x {
			f.set(x[r], splat(at[r], n*floatBytes))
		}
		for i := range vectors {
			f.set(b, load(q, n*panelBytes+i*vectorBytes))
			for r := range sums {
				if first {
					f.set(sums[r][i], mul(x[r], b))
				} else {
					f.set(sums[r][i], m.madd(x[r], b, sums[r][i]))
				}
			}
		}
	}
	next := func(steps int) {
		for _, a := range at {
			f.advance(a, number(steps*floatBytes))
		}
		f.advance(q, number(steps*panelBytes))
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
			f.store(c, r*panelBytes+i*vectorBytes, sum)
		}
	}
}

// output emits the way back of a tile, four output channels of it; its products begin at from.
func (w *winograd) output(m *module, f *function, from, half, two local, column ...func(y []local)) {
	row := f.let(i32, from)
	next := w.tiles() * panelBytes
	f.tile(m, w.across.output, w.down.output, two, half, w.down.points, w.across.outputs, func() []local {
		d := make([]local, w.across.points)
		for j := range d {
			d[j] = f.let(v128, load(row, j*next))
		}
		f.advance(row, number(w.across.points*next))
		return d
	}, column...)
}

// windows emits the outputs where the windows of the pooling lie within tiles: they never leave the registers.
func (w *winograd) windows(m *module, f *function, products, shift, half, dst, dstRow, dstPixel, two local) {
	from, down := f.let(i32, products), f.let(i32, dst)
	f.repeat(number(w.high), func() {
		right := f.let(i32, down)
		f.repeat(number(w.wide), func() {
			to, by := f.let(i32, right), f.let(i32, shift)
			f.repeat(number(panel/lanes), func() {
				at := f.let(i32, to)
				left := f.vectors(w.down.outputs / 2)
				w.output(m, f, from, half, two, func(y []local) {
					for i := range left {
						f.set(left[i], greater(y[2*i], y[2*i+1]))
					}
				}, func(y []local) {
					line := f.let(i32, at)
					for i := range left {
						top := greater(left[i], greater(y[2*i], y[2*i+1]))
						f.store(line, 0, greater(add(top, load(by, 0)), constant(0)))
						f.advance(line, dstRow)
					}
					f.advance(at, dstPixel)
				})
				for _, p := range []local{from, to, by} {
					f.advance(p, number(vectorBytes))
				}
			})
			f.advance(right, times(dstPixel, number(w.across.outputs/2)))
		})
		f.advance(down, times(dstRow, number(w.down.outputs/2)))
	})
}

// plane emits the outputs of all tiles as one map of sixteen channels.
func (w *winograd) plane(m *module, f *function, products, plane, half, two local) {
	rowBytes := w.wide * w.across.outputs * panelBytes
	from, down := f.let(i32, products), f.let(i32, plane)
	f.repeat(number(w.high), func() {
		right := f.let(i32, down)
		f.repeat(number(w.wide), func() {
			to := f.let(i32, right)
			f.repeat(number(panel/lanes), func() {
				at := f.let(i32, to)
				w.output(m, f, from, half, two, func(y []local) {
					for i := range y {
						f.store(at, i*rowBytes, y[i])
					}
					f.advance(at, number(panelBytes))
				})
				f.advance(from, number(vectorBytes))
				f.advance(to, number(vectorBytes))
			})
			f.advance(right, number(w.across.outputs*panelBytes))
		})
		f.advance(down, number(w.down.outputs*rowBytes))
	})
}

// pool emits the pooling of a map of sixteen channels.
func pool(f *function, plane, shift, dst, dstRow, dstPixel local, side int) {
	rowBytes := side * panelBytes
	from, down := f.let(i32, plane), f.let(i32, dst)
	f.repeat(number(side/2), func() {
		to := f.let(i32, down)
		f.repeat(number(side/2), func() {
			for half := 0; half < panelBytes; half += vectorBytes {
				top := greater(
					greater(load(from, half), load(from, half+panelBytes)),
					greater(load(from, half+rowBytes), load(from, half+rowBytes+panelBytes)))
				f.store(to, half, greater(add(top, load(shift, half)), constant(0)))
			}
			f.advance(from, number(2*panelBytes))
			f.advance(to, dstPixel)
		})
		f.advance(from, number(rowBytes))
		f.advance(down, dstRow)
	})
}
