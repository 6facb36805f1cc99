package main

// halves widens IEEE binary16, eight at a time, as ../load.go does it: the same bits.
//
// Arguments: dst, src, eights.
func halves(m *module) {
	f, params := m.function("halves", 1)
	v := f.fields(params[0], 0, 3)
	dst, src, eights := v[0], v[1], v[2]
	const most = 0x7c00 // the largest exponent: infinity or NaN
	f.repeat(eights, func() {
		eight := f.let(v128, load(src, 0))
		for i, wide := range []value{widenLow(eight), widenHigh(eight)} {
			h := f.let(v128, wide)
			magnitude := mul(shiftFour(both(h, bits4(0x7fff)), number(13)), constant(0x1p112))
			special := both(equalFour(both(h, bits4(most)), bits4(most)), bits4(0xff<<23))
			sign := shiftFour(both(h, bits4(0x8000)), number(16))
			f.store(dst, i*vectorBytes, either(sign, either(magnitude, special)))
		}
		f.advance(src, number(vectorBytes))
		f.advance(dst, number(2*vectorBytes))
	})
}

// four is one f32 of each of four rows.
func four(f *function, row [lanes]local, offset int) local {
	x := f.let(v128, splat(row[0], offset))
	for lane := 1; lane < lanes; lane++ {
		f.set(x, insert(row[lane], offset, x, lane))
	}
	return x
}

// rows is the addresses of four rows; first moves behind them.
func rows(f *function, first, stride local) (row [lanes]local) {
	for lane := range row {
		row[lane] = f.let(i32, first)
		f.advance(first, stride)
	}
	return row
}

// panels lays out weights as panels of sixteen rows.
//
// Arguments: dst, dstPanel, src, srcRow, srcCol, k, panels.
func panels(m *module) {
	f, params := m.function("panels", 1)
	v := f.fields(params[0], 0, 7)
	dst, dstPanel, src, srcRow, srcCol, k, count := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	f.repeat(count, func() {
		down := f.let(i32, dst)
		f.repeat(number(panel/lanes), func() {
			to, row := f.let(i32, down), rows(f, src, srcRow)
			f.repeat(k, func() {
				f.store(to, 0, four(f, row, 0))
				for _, r := range row {
					f.advance(r, srcCol)
				}
				f.advance(to, number(panelBytes))
			})
			f.advance(down, number(vectorBytes))
		})
		f.advance(dst, dstPanel)
	})
}

// filters takes scaled 3x3 filters of sixteen output channels to their points.
//
// Arguments: dst, bytes between points, src, srcRow, input channels, scale, half a transform.
func filters(m *module, w *winograd) {
	f, params := m.function(w.filterExport, 1)
	v := f.fields(params[0], 0, 7)
	dst, stride, src, srcRow, channels, scale, half := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	rowStride := f.let(i32, times(stride, number(w.across.points)))
	f.repeat(number(panel/lanes), func() {
		to, row := f.let(i32, dst), rows(f, src, srcRow)
		by := f.let(v128, load(scale, 0))
		f.repeat(channels, func() {
			across := f.let(i32, to)
			f.tile(m, w.across.filter, w.down.filter, 0, half, tap, w.across.points, func() []local {
				g := make([]local, tap)
				for j := range g {
					g[j] = f.let(v128, mul(by, four(f, row, j*floatBytes)))
				}
				for _, r := range row {
					f.advance(r, number(tap*floatBytes))
				}
				return g
			}, f.points(across, rowStride, stride))
			f.advance(to, number(panelBytes))
		})
		f.advance(scale, number(vectorBytes))
		f.advance(dst, number(vectorBytes))
	})
}
