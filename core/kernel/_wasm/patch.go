package main

// patch samples a picture of three colours, bilinear; the same bits as ../portable.go.
//
// Arguments: dst, dstRow, dstPixel, image, rows, their number, columns, their number. A tap is two i32 and two f32.
func patch(m *module) {
	const (
		tapBytes = 16
		weight0  = 8
		weight1  = 12
	)
	f, params := m.function("patch", 1)
	v := f.fields(params[0], 0, 8)
	dst, dstRow, dstPixel, image, row, rowCount, columns, columnCount := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	bytes := func(tap local, field int) value { return times(word(tap, field), number(floatBytes)) }
	pixel := func(line, at local) local {
		from := f.let(i32, plus(line, at))
		x := f.let(v128, load2(from, 0))
		f.set(x, insert(from, 2*floatBytes, x, 2))
		return x
	}
	f.repeat(rowCount, func() {
		top, bottom := f.let(i32, plus(image, bytes(row, 0))), f.let(i32, plus(image, bytes(row, floatBytes)))
		w0, w1 := f.let(v128, splat(row, weight0)), f.let(v128, splat(row, weight1))
		to, column := f.let(i32, dst), f.let(i32, columns)
		f.repeat(columnCount, func() {
			var sides [2]local
			for side := range sides {
				at := f.let(i32, bytes(column, side*floatBytes))
				sides[side] = f.let(v128, add(mul(w0, pixel(top, at)), mul(w1, pixel(bottom, at))))
			}
			x := f.let(v128, add(mul(splat(column, weight0), sides[0]), mul(splat(column, weight1), sides[1])))
			f.store2(to, 0, x)
			f.storeLane(to, 2*floatBytes, x, 2)
			f.advance(to, dstPixel)
			f.advance(column, number(tapBytes))
		})
		f.advance(dst, dstRow)
		f.advance(row, number(tapBytes))
	})
}
