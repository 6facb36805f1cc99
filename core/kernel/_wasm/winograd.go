package main

const (
	points = 5 // Winograd F(3,3) interpolation points in one dimension
	tap    = 3 // outputs in one dimension
)

// inputRow emits Bᵀ·d.
//
//	t0 = 2(d0-d2) + (d3-d1)    t3 = d3-d1
//	t1 = (d3-d2) - 2·d1        t4 = (d4-d2) - 2(d3-d1)
//	t2 = (d3-d2) + 2(d1-d2)
func inputRow(m *module, f *function, d []local, two local) []local {
	s := f.let(v128, sub(d[3], d[1]))
	u := f.let(v128, sub(d[3], d[2]))
	return []local{
		f.let(v128, m.madd(sub(d[0], d[2]), two, s)),
		f.let(v128, m.nmadd(d[1], two, u)),
		f.let(v128, m.madd(sub(d[1], d[2]), two, u)),
		s,
		f.let(v128, m.nmadd(s, two, sub(d[4], d[2]))),
	}
}

// outputRow emits Aᵀ·d.
//
//	y0 = d0+d1+d2+d3    y1 = d1-d2+2·d3    y2 = d1+d2+4·d3+d4
func outputRow(m *module, f *function, d []local, two local) []local {
	sum := f.let(v128, add(d[1], d[2]))
	twice := f.let(v128, add(d[3], d[3]))
	return []local{
		f.let(v128, add(add(d[0], d[3]), sum)),
		f.let(v128, add(sub(d[1], d[2]), twice)),
		f.let(v128, m.madd(twice, two, add(sum, d[4]))),
	}
}

// transform lays out the shape that the tile transforms share: for every vector of channels, rows
// of the source, then columns of what they give.
//
// Arguments: src, srcRow, srcPixel, dst, dstRow, dstPixel, dstPanel, panels.
func transform(m *module, name string, row func(*module, *function, []local, local) []local) {
	f, params := m.function(name, 1)
	v := f.fields(params[0], 0, 8)
	src, srcRow, srcPixel, dst, dstRow, dstPixel, dstPanel, panels := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	two := f.let(v128, constant(2))
	f.repeat(panels, func() {
		to := f.let(i32, dst)
		f.repeat(number(panel/lanes), func() {
			var half [points][]local
			line := f.let(i32, src)
			for i := range half {
				at := f.let(i32, line)
				var d [points]local
				for j := range d {
					d[j] = f.let(v128, load(at, 0))
					f.advance(at, srcPixel)
				}
				half[i] = row(m, f, d[:], two)
				f.advance(line, srcRow)
			}
			column := f.let(i32, to)
			for j := range half[0] {
				at := f.let(i32, column)
				var d [points]local
				for i := range d {
					d[i] = half[i][j]
				}
				for _, v := range row(m, f, d[:], two) {
					f.store(at, 0, v)
					f.advance(at, dstRow)
				}
				f.advance(column, dstPixel)
			}
			f.advance(src, number(vectorBytes))
			f.advance(to, number(vectorBytes))
		})
		f.advance(dst, dstPanel)
	})
}

func winogradInput(m *module)  { transform(m, "winogradInput", inputRow) }
func winogradOutput(m *module) { transform(m, "winogradOutput", outputRow) }
