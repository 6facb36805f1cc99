package main

// The transforms of a row, F(3,3) first; ../convpool.go has their matrices.

const tap = 3 // taps of a filter in one dimension

// inputRow3 emits Bᵀ·d.
//
//	t0 = 2(d0-d2) + (d3-d1)    t3 = d3-d1
//	t1 = (d3-d2) - 2·d1        t4 = (d4-d2) - 2(d3-d1)
//	t2 = (d3-d2) + 2(d1-d2)
func inputRow3(m *module, f *function, d []local, two local) []local {
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

// outputRow3 emits Aᵀ·d.
//
//	y0 = d0+d1+d2+d3    y1 = d1-d2+2·d3    y2 = d1+d2+4·d3+d4
func outputRow3(m *module, f *function, d []local, two local) []local {
	sum := f.let(v128, add(d[1], d[2]))
	twice := f.let(v128, add(d[3], d[3]))
	return []local{
		f.let(v128, add(add(d[0], d[3]), sum)),
		f.let(v128, add(sub(d[1], d[2]), twice)),
		f.let(v128, m.madd(twice, two, add(sum, d[4]))),
	}
}

// filterRow3 emits G·g.
func filterRow3(_ *module, f *function, g []local, _ local) []local {
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

// inputRow6 emits Bᵀ·d of F(6,3).
//
//	t0 = d0 - d6 + 21/4(d4-d2)                                 t3, t4 = (d6 + 1/4·d2 - 5/4·d4) ± (1/2·d1 - 5/2·d3 + 2·d5)
//	t1, t2 = (d2 + d6 - 17/4·d4) ± (d1 + d5 - 17/4·d3)         t5, t6 = (d6 + 4·d2 - 5·d4) ± (2·d1 - 5/2·d3 + 1/2·d5)
//	t7 = d7 - d1 + 21/4(d3-d5)
func inputRow6(m *module, f *function, d []local, two local) []local {
	quarter, half := constant(1.0/4), constant(1.0/2)
	sum := func(plain, by, a operand) local { return f.let(v128, m.madd(a, by, plain)) }
	even1 := sum(add(d[2], d[6]), constant(-17.0/4), d[4])
	odd1 := sum(add(d[1], d[5]), constant(-17.0/4), d[3])
	even2 := sum(m.madd(d[2], quarter, d[6]), constant(-5.0/4), d[4])
	odd2 := sum(m.madd(d[5], two, mul(half, d[1])), constant(-5.0/2), d[3])
	even3 := sum(m.madd(d[2], constant(4), d[6]), constant(-5), d[4])
	odd3 := sum(m.madd(d[1], two, mul(half, d[5])), constant(-5.0/2), d[3])
	return []local{
		sum(sub(d[0], d[6]), constant(21.0/4), sub(d[4], d[2])),
		f.let(v128, add(even1, odd1)), f.let(v128, sub(even1, odd1)),
		f.let(v128, add(even2, odd2)), f.let(v128, sub(even2, odd2)),
		f.let(v128, add(even3, odd3)), f.let(v128, sub(even3, odd3)),
		sum(sub(d[7], d[1]), constant(21.0/4), sub(d[3], d[5])),
	}
}

// outputRow6 emits Aᵀ·d of F(6,3), of sums s and differences d of d1 and d2, d3 and d4, d5 and d6.
//
//	y0 = d0 + s1 + s2 + s3       y2 = s1 + 4·s2 + 1/4·s3      y4 = s1 + 16·s2 + 1/16·s3
//	y1 = d1 + 2·d2 + 1/2·d3      y3 = d1 + 8·d2 + 1/8·d3      y5 = d1 + 32·d2 + 1/32·d3 + d7
func outputRow6(m *module, f *function, d []local, two local) []local {
	s1, s2, s3 := f.let(v128, add(d[1], d[2])), f.let(v128, add(d[3], d[4])), f.let(v128, add(d[5], d[6]))
	d1, d2, d3 := f.let(v128, sub(d[1], d[2])), f.let(v128, sub(d[3], d[4])), f.let(v128, sub(d[5], d[6]))
	return []local{
		f.let(v128, add(add(d[0], s1), add(s2, s3))),
		f.let(v128, m.madd(d2, two, m.madd(d3, constant(1.0/2), d1))),
		f.let(v128, m.madd(s2, constant(4), m.madd(s3, constant(1.0/4), s1))),
		f.let(v128, m.madd(d2, constant(8), m.madd(d3, constant(1.0/8), d1))),
		f.let(v128, m.madd(s2, constant(16), m.madd(s3, constant(1.0/16), s1))),
		f.let(v128, m.madd(d2, constant(32), m.madd(d3, constant(1.0/32), add(d1, d[7])))),
	}
}

// filterRow6 emits G·g of F(6,3).
func filterRow6(_ *module, f *function, g []local, _ local) []local {
	of := func(a, b, c float32) (even, odd local) {
		return f.let(v128, add(mul(constant(a), g[0]), mul(constant(c), g[2]))), f.let(v128, mul(constant(b), g[1]))
	}
	even1, odd1 := of(-2.0/9, -2.0/9, -2.0/9)
	even2, odd2 := of(1.0/90, 1.0/45, 2.0/45)
	even3, odd3 := of(32.0/45, 16.0/45, 8.0/45)
	return []local{
		g[0],
		f.let(v128, add(even1, odd1)), f.let(v128, sub(even1, odd1)),
		f.let(v128, add(even2, odd2)), f.let(v128, sub(even2, odd2)),
		f.let(v128, add(even3, odd3)), f.let(v128, sub(even3, odd3)),
		g[2],
	}
}
