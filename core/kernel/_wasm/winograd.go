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
