package main

import "math"

// exp emits e^x of two f64, step by step as ../activation.go does it: the same bits.
func exp(f *function, x local) local {
	const whole = 3 << 51
	shifted := f.let(v128, add2(mul2(x, constant2(math.Log2E)), constant2(whole)))
	r := f.let(v128, sub2(x, mul2(sub2(shifted, constant2(whole)), constant2(math.Ln2))))
	r2 := f.let(v128, mul2(r, r))
	r4 := f.let(v128, mul2(r2, r2))
	low := f.let(v128, mul2(r2, add2(constant2(0.5), mul2(r, constant2(1.0/6)))))
	high := f.let(v128, add2(add2(constant2(1.0/720), mul2(r, constant2(1.0/5040))), mul2(r2, constant2(1.0/40320))))
	f.set(high, add2(add2(constant2(1.0/24), mul2(r, constant2(1.0/120))), mul2(r2, high)))
	series := f.let(v128, add2(add2(add2(constant2(1), r), low), mul2(r4, high)))
	power := addInt2(shiftTwo(shifted, number(52)), bits2(1023<<52))
	return f.let(v128, mul2(series, power))
}

// clamp emits two of x as f64 within ±150.
func clamp(x operand) value {
	return greater2(smaller2(widen(x), constant2(150)), constant2(-150))
}

func sigmoid(f *function, x value) local {
	e := exp(f, f.let(v128, neg2(clamp(x))))
	return f.let(v128, narrow(div2(constant2(1), add2(constant2(1), e))))
}

func tanh(f *function, x local) local {
	e := exp(f, f.let(v128, mul2(constant2(2), clamp(x))))
	t := narrow(div2(sub2(e, constant2(1)), add2(e, constant2(1))))
	return f.let(v128, choose(x, t, less(abs(x), constant(1e-5))))
}

// lstm is the pointwise half of LSTM cells, two units at a time.
//
// Arguments: gates, c, h, cPrev, cells, bytes of a cell's units, pairs of its units.
func lstm(m *module) {
	f, params := m.function("lstm", 1)
	v := f.fields(params[0], 0, 7)
	gates, c, h, cPrev, cells, units, pairs := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	f.repeat(cells, func() {
		in := f.let(i32, gates)
		forget := f.let(i32, plus(in, units))
		cell := f.let(i32, plus(forget, units))
		out := f.let(i32, plus(cell, units))
		f.repeat(pairs, func() {
			i, fo, o := sigmoid(f, load2(in, 0)), sigmoid(f, load2(forget, 0)), sigmoid(f, load2(out, 0))
			g := tanh(f, f.let(v128, load2(cell, 0)))
			now := f.let(v128, add(mul(fo, load2(cPrev, 0)), mul(i, g)))
			for _, gate := range []struct{ to, v local }{{in, i}, {forget, fo}, {cell, g}, {out, o}, {c, now}} {
				f.store2(gate.to, 0, gate.v)
			}
			f.store2(h, 0, mul(o, tanh(f, now)))
			for _, p := range []local{in, forget, cell, out, c, h, cPrev} {
				f.advance(p, number(lanes*2))
			}
		})
		f.advance(gates, times(units, number(4)))
	})
}
