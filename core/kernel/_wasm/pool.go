package main

// affinePool takes the largest of scale·y + shift over 2x2 windows, or 0.
//
// Arguments: y, yRow, yPixel, pooled, pooledRow, pooledPixel, table, rows, cols, eights of channels.
func affinePool(m *module) {
	f, params := m.function("affinePool", 1)
	v := f.fields(params[0], 0, 10)
	y, yRow, yPixel, pooled, pooledRow, pooledPixel, table, rows, cols, eights := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]
	const field = 2 * vectorBytes // eight numbers of a table
	f.repeat(rows, func() {
		yColumn, pooledColumn := f.let(i32, y), f.let(i32, pooled)
		f.repeat(cols, func() {
			var corner [4]local
			corner[0] = f.let(i32, yColumn)
			corner[1] = f.let(i32, plus(corner[0], yPixel))
			corner[2] = f.let(i32, plus(corner[0], yRow))
			corner[3] = f.let(i32, plus(corner[2], yPixel))
			to, t := f.let(i32, pooledColumn), f.let(i32, table)
			f.repeat(eights, func() {
				for half := 0; half < field; half += vectorBytes {
					scale := f.let(v128, load(t, half))
					shift := f.let(v128, load(t, field+half))
					top := f.let(v128, constant(0))
					for _, from := range corner {
						f.set(top, greater(top, m.madd(scale, load(from, half), shift)))
					}
					f.store(to, half, top)
				}
				for _, from := range corner {
					f.advance(from, number(field))
				}
				f.advance(to, number(field))
				f.advance(t, number(4*field))
			})
			f.advance(yColumn, times(yPixel, number(2)))
			f.advance(pooledColumn, pooledPixel)
		})
		f.advance(y, times(yRow, number(2)))
		f.advance(pooled, pooledRow)
	})
}
