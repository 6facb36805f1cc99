package main

// winograd is one of the two convolutions F(n x n, 3x3) of ../convpool.go: its size and the transforms of a row.
type winograd struct {
	export, filterExport  string
	outputs               int // of a tile in one dimension
	points                int // its products in one dimension
	side                  int // tiles of a map in one dimension
	input, filter, output func(m *module, f *function, d []local, two local) []local
}

var (
	windows = winograd{"convPoolWindows", "filtersWindows", 2, 4, 6, inputRow2, filterRow2, outputRow2}
	squares = winograd{"convPoolSquares", "filtersSquares", tap, points, 2, inputRow, filterRow, outputRow}
)

// inputRow2 emits Bᵀ·d of F(2,3).
func inputRow2(_ *module, f *function, d []local, _ local) []local {
	return []local{
		f.let(v128, sub(d[0], d[2])),
		f.let(v128, add(d[1], d[2])),
		f.let(v128, sub(d[2], d[1])),
		f.let(v128, sub(d[1], d[3])),
	}
}

// outputRow2 emits Aᵀ·d of F(2,3).
func outputRow2(_ *module, f *function, d []local, _ local) []local {
	return []local{
		f.let(v128, add(add(d[0], d[1]), d[2])),
		f.let(v128, sub(sub(d[1], d[2]), d[3])),
	}
}

// square emits a transform of the rows of a square of vectors, then of the columns of what they give; the result is
// [row][column].
func (w *winograd) square(m *module, f *function, row func(*module, *function, []local, local) []local, d [][]local, two local) [][]local {
	half := make([][]local, len(d))
	for i := range d {
		half[i] = row(m, f, d[i], two)
	}
	var out [][]local
	for j := range half[0] {
		column := make([]local, len(half))
		for i := range half {
			column[i] = half[i][j]
		}
		for i, v := range row(m, f, column, two) {
			if i == len(out) {
				out = append(out, nil)
			}
			out[i] = append(out[i], v)
		}
	}
	return out
}

const (
	tileRows   = 4 // Winograd tiles that a product takes at once
	convPanel  = 8 // its channels: the width of a panel of the weights
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
	tiles := w.side * w.side
	two := f.let(v128, constant(2))
	pixelBytes := f.let(i32, times(quads, number(vectorBytes))) // of a tile in the points
	stride := f.let(i32, plus(times(pixelBytes, number(tiles)), number(pointsSkew)))

	w.inputs(m, f, src, srcRow, srcPixel, quads, points, stride, two)

	filterBytes := f.let(i32, times(quads, number(4*convBytes))) // of a point in a panel
	f.repeat(panels, func() {
		to, from := f.let(i32, products), f.let(i32, points)
		f.repeat(number(w.points*w.points), func() {
			a := f.let(i32, from)
			group := func() {
				product(m, f, a, pixelBytes, weights, to, quads)
				f.advance(to, number(tileRows*convBytes))
			}
			if tiles == tileRows {
				group()
			} else {
				f.repeat(number(tiles/tileRows), func() {
					group()
					f.advance(a, times(pixelBytes, number(tileRows)))
				})
			}
			f.advance(weights, filterBytes)
			f.advance(from, stride)
		})
		if w.outputs == 2 {
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
	to, down := f.let(i32, points), f.let(i32, src)
	f.repeat(number(w.side), func() {
		right := f.let(i32, down)
		f.repeat(number(w.side), func() {
			corner := f.let(i32, right)
			f.repeat(quads, func() {
				d := make([][]local, w.points)
				line := f.let(i32, corner)
				for i := range d {
					at := f.let(i32, line)
					for range w.points {
						d[i] = append(d[i], f.let(v128, load(at, 0)))
						f.advance(at, srcPixel)
					}
					f.advance(line, srcRow)
				}
				at := f.let(i32, to)
				for _, row := range w.square(m, f, w.input, d, two) {
					for _, p := range row {
						f.store(at, 0, p)
						f.advance(at, stride)
					}
				}
				f.advance(corner, number(vectorBytes))
				f.advance(to, number(vectorBytes))
			})
			f.advance(right, times(srcPixel, number(w.outputs)))
		})
		f.advance(down, times(srcRow, number(w.outputs)))
	})
}

// product emits four tiles by eight output channels, over a multiple of four input channels: eight sums in
// registers, two vectors of weights, one broadcast number.
func product(m *module, f *function, a, aRow, weights, c, quads local) {
	var sums [tileRows][convPanel / lanes]local
	for r := range sums {
		copy(sums[r][:], f.vectors(convPanel/lanes))
	}
	b := f.vectors(convPanel / lanes)
	x := f.local(v128)
	q := f.let(i32, weights)
	var p [tileRows]local
	p[0] = f.let(i32, a)
	for r := 1; r < tileRows; r++ {
		p[r] = f.let(i32, plus(p[r-1], aRow))
	}
	step := func(n int, first bool) {
		for i := range b {
			f.set(b[i], load(q, n*convBytes+i*vectorBytes))
		}
		for r := range p {
			f.set(x, splat(p[r], n*floatBytes))
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
		for r := range p {
			f.advance(p[r], number(steps*floatBytes))
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

// tile loads the products of one tile, four output channels of it.
func (w *winograd) tile(f *function, from local) [][]local {
	d := make([][]local, w.points)
	for i := range d {
		for j := range w.points {
			d[i] = append(d[i], f.let(v128, load(from, (i*w.points+j)*w.side*w.side*convBytes)))
		}
	}
	return d
}

// windows emits the outputs where a tile is a window of the pooling: they never leave the registers.
func (w *winograd) windows(m *module, f *function, products, shift, dst, dstRow, dstPixel, two local) {
	from, down := f.let(i32, products), f.let(i32, dst)
	f.repeat(number(w.side), func() {
		to := f.let(i32, down)
		f.repeat(number(w.side), func() {
			for half := 0; half < convBytes; half += vectorBytes {
				at := f.let(i32, plus(from, number(half)))
				y := w.square(m, f, w.output, w.tile(f, at), two)
				top := greater(greater(y[0][0], y[0][1]), greater(y[1][0], y[1][1]))
				f.store(to, half, greater(add(top, load(shift, half)), constant(0)))
			}
			f.advance(from, number(convBytes))
			f.advance(to, dstPixel)
		})
		f.advance(down, dstRow)
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
				for i, row := range w.square(m, f, w.output, w.tile(f, from), two) {
					for j, y := range row {
						f.store(to, i*rowBytes+j*convBytes, y)
					}
				}
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
