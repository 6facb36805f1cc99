package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// doubles are constants in memory, a vector of float64 of each; AVX-512 spreads the first, as with factors.
var doubles = map[uint64]Mem{}

func bits(v uint64) Mem {
	m, ok := doubles[v]
	if !ok {
		m = GLOBL(fmt.Sprintf("double%d", len(doubles)), RODATA|NOPTR)
		for i := range vector / 8 {
			DATA(i*8, U64(v))
		}
		doubles[v] = m
	}
	return m
}

func double(v float64) Mem { return bits(math.Float64bits(v)) }

// spread is a constant in a register.
func spread(c Mem) reg.VecVirtual {
	to := v.new()
	VBROADCASTSD(c, to)
	return to
}

// singles is a register for as many float32 as a vector has float64.
func singles() reg.VecVirtual {
	if v.spreads {
		return YMM()
	}
	return XMM()
}

// with emits an operation of registers, or of one and a constant.
func with(x Op, y reg.VecVirtual, op, spreading func(...Op)) reg.VecVirtual {
	to := v.new()
	if _, constant := x.(Mem); constant && v.spreads {
		spreading(x, y, to)
	} else {
		op(x, y, to)
	}
	return to
}

func plus(x Op, y reg.VecVirtual) reg.VecVirtual { return with(x, y, VADDPD, VADDPD_BCST) }

func times(x Op, y reg.VecVirtual) reg.VecVirtual { return with(x, y, VMULPD, VMULPD_BCST) }

func less(x reg.VecVirtual, by Op) reg.VecVirtual { return with(by, x, VSUBPD, VSUBPD_BCST) }

// exp emits e^x of a vector of float64, step by step as ../activation.go does it: the same bits.
func exp(x reg.VecVirtual) reg.VecVirtual {
	const whole = 3 << 51
	shifted := plus(double(whole), times(double(math.Log2E), x))
	r := less(x, times(double(math.Ln2), less(shifted, double(whole))))
	r2 := times(r, r)
	r4 := times(r2, r2)
	low := times(plus(double(0.5), times(double(1.0/6), r)), r2)
	high := plus(plus(double(1.0/720), times(double(1.0/5040), r)), times(double(1.0/40320), r2))
	high = times(high, r2)
	high = plus(plus(double(1.0/24), times(double(1.0/120), r)), high)
	series := plus(times(high, r4), plus(low, plus(double(1), r)))
	VPSLLQ(Imm(52), shifted, shifted)
	return times(series, with(bits(1023<<52), shifted, VPADDQ, VPADDQ_BCST))
}

// clamp emits float64 within ±150 of float32; NaN stays NaN.
func clamp(x Op) reg.VecVirtual {
	wide := v.new()
	VCVTPS2PD(x, wide)
	VMINPD(wide, spread(double(150)), wide)
	VMAXPD(wide, spread(double(-150)), wide)
	return wide
}

func narrow(x reg.VecVirtual) reg.VecVirtual {
	to := singles()
	if v.spreads {
		VCVTPD2PS(x, to)
	} else {
		VCVTPD2PSY(x, to)
	}
	return to
}

func sigmoid(x Op) reg.VecVirtual {
	negated := with(bits(1<<63), clamp(x), VXORPD, VPXORQ_BCST)
	e := plus(double(1), exp(negated))
	VDIVPD(e, spread(double(1)), e)
	return narrow(e)
}

func tanh(x reg.VecVirtual) reg.VecVirtual {
	wide := clamp(x)
	e := exp(plus(wide, wide)) // twice it, exactly
	above := plus(double(1), e)
	e = less(e, double(1))
	VDIVPD(above, e, e)
	t, small := narrow(e), singles()
	VANDPS(factorBits(0x7fffffff), x, small)
	VCMPPS(Imm(smaller), factor(1e-5), small, small)
	VBLENDVPS(small, x, t, t)
	return t
}

const smaller = 1 // VCMPPS predicate LT_OS

// factorBits is a constant in memory, a vector of uint32.
func factorBits(v uint32) Mem { return bits(uint64(v)<<32 | uint64(v)) }

// lstm is the pointwise half of LSTM cells, as many units at a time as a vector has float64.
//
// Arguments: 0 gates, 8 c, 16 h, 24 cPrev, 32 cells, 40 bytes of a cell's units, 48 vectors of them.
func lstm() {
	args := function("lstm", NOSPLIT)
	gates, c, h, previous := field(args, 0), field(args, 8), field(args, 16), field(args, 24)
	units := field(args, 40)
	Label("cell")
	left := field(args, 48)
	triple := GP64()
	LEAQ(Mem{Base: units, Index: units, Scale: 2}, triple)
	Label("units")
	gate := []Mem{{Base: gates}, {Base: gates, Index: units, Scale: 1}, {Base: gates, Index: units, Scale: 2}, {Base: gates, Index: triple, Scale: 1}}
	forget := sigmoid(gate[1])
	VMOVUPS(forget, gate[1])
	now := singles()
	VMULPS(Mem{Base: previous}, forget, now)
	in := sigmoid(gate[0])
	VMOVUPS(in, gate[0])
	cell := singles()
	VMOVUPS(gate[2], cell)
	cell = tanh(cell)
	VMOVUPS(cell, gate[2])
	VMULPS(cell, in, in)
	VADDPS(in, now, now)
	VMOVUPS(now, Mem{Base: c})
	out := sigmoid(gate[3])
	VMOVUPS(out, gate[3])
	VMULPS(tanh(now), out, out)
	VMOVUPS(out, Mem{Base: h})
	for _, p := range []reg.GPVirtual{gates, c, h, previous} {
		ADDQ(U32(v.bytes/2), p)
	}
	DECQ(left)
	JNZ(LabelRef("units"))
	ADDQ(triple, gates)
	DECQ(Mem{Base: args, Disp: 32})
	JNZ(LabelRef("cell"))
	VZEROUPPER()
	RET()
}
