package main

// The transforms of a row, F(3,3) first; ../convpool.go has their matrices.

const tap = 3 // taps of a filter in one dimension

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

// filterRow emits G·g.
func filterRow(_ *module, f *function, g []local, _ local) []local {
	const sixth = 1.0 / 6
	ends := f.let(v128, add(g[0], g[2]))
	return []local{
		f.let(v128, mul(constant(0.5), g[0])),
		f.let(v128, mul(constant(-0.5), add(ends, g[1]))),
		f.let(v128, mul(constant(sixth), sub(g[1], ends))),
		f.let(v128, mul(constant(sixth), add(add(g[0], mul(constant(2), g[1])), mul(constant(4), g[2])))),
		g[2],
	}
}

// inputRow4 emits Bᵀ·d of F(4,3).
//
//	t0 = 4·d0 - 5·d2 + d4                    t3, t4 = (d4-d2) ± 2(d3-d1)
//	t1, t2 = (d4 - 4·d2) ± (d3 - 4·d1)       t5 = 4·d1 - 5·d3 + d5
func inputRow4(m *module, f *function, d []local, two local) []local {
	four, five := constant(4), constant(5)
	even, odd := f.let(v128, m.nmadd(d[2], four, d[4])), f.let(v128, m.nmadd(d[1], four, d[3]))
	plain, twice := f.let(v128, sub(d[4], d[2])), f.let(v128, mul(two, sub(d[3], d[1])))
	return []local{
		f.let(v128, m.madd(d[0], four, m.nmadd(d[2], five, d[4]))),
		f.let(v128, add(even, odd)),
		f.let(v128, sub(even, odd)),
		f.let(v128, add(plain, twice)),
		f.let(v128, sub(plain, twice)),
		f.let(v128, m.madd(d[1], four, m.nmadd(d[3], five, d[5]))),
	}
}

// outputRow4 emits Aᵀ·d of F(4,3).
//
//	y0 = d0 + (d1+d2) + (d3+d4)      y2 = (d1+d2) + 4(d3+d4)
//	y1 = (d1-d2) + 2(d3-d4)          y3 = (d1-d2) + 8(d3-d4) + d5
func outputRow4(m *module, f *function, d []local, two local) []local {
	near, far := f.let(v128, add(d[1], d[2])), f.let(v128, add(d[3], d[4]))
	nearBy, farBy := f.let(v128, sub(d[1], d[2])), f.let(v128, sub(d[3], d[4]))
	return []local{
		f.let(v128, add(add(d[0], near), far)),
		f.let(v128, m.madd(farBy, two, nearBy)),
		f.let(v128, m.madd(far, constant(4), near)),
		f.let(v128, m.madd(farBy, constant(8), add(nearBy, d[5]))),
	}
}

// filterRow4 emits G·g of F(4,3).
func filterRow4(_ *module, f *function, g []local, _ local) []local {
	near, nearBy := f.let(v128, mul(constant(-1.0/6), add(g[0], g[2]))), f.let(v128, mul(constant(1.0/6), g[1]))
	far := f.let(v128, add(mul(constant(1.0/24), g[0]), mul(constant(1.0/6), g[2])))
	farBy := f.let(v128, mul(constant(1.0/12), g[1]))
	return []local{
		f.let(v128, mul(constant(0.25), g[0])),
		f.let(v128, sub(near, nearBy)),
		f.let(v128, add(near, nearBy)),
		f.let(v128, add(far, farBy)),
		f.let(v128, sub(far, farBy)),
		g[2],
	}
}
