package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func mathFloat32bits(v float32) uint32 { return math.Float32bits(v) }

// grid gives the address of element (i, j) of a picture of vectors.
type grid func(i, j int) Mem

// frame is a grid in the stack frame.
func frame(local Mem, columns int) grid {
	return func(i, j int) Mem { return local.Offset((i*columns + j) * vector) }
}

// inputRow emits Bᵀ·d for five registers.
//
//	t0 = 2(d0-d2) + (d3-d1)    t3 = d3-d1
//	t1 = (d3-d2) - 2·d1        t4 = (d4-d2) - 2(d3-d1)
//	t2 = (d3-d2) + 2(d1-d2)
func inputRow(d [points]reg.VecVirtual, two reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	s, u, t := YMM(), YMM(), YMM()
	VSUBPS(d[1], d[3], s)
	store(3, s)
	VSUBPS(d[2], d[0], t)
	VFMADD213PS(s, two, t) // t = 2t + s
	store(0, t)
	VSUBPS(d[2], d[3], u)
	t1 := YMM()
	VMOVAPS(u, t1)
	VFNMADD231PS(d[1], two, t1) // t1 = u - 2·d1
	store(1, t1)
	t2 := YMM()
	VSUBPS(d[2], d[1], t2)
	VFMADD213PS(u, two, t2)
	store(2, t2)
	t4 := YMM()
	VSUBPS(d[2], d[4], t4)
	VFNMADD231PS(s, two, t4)
	store(4, t4)
}

// outputRow emits Aᵀ·m.
//
//	y0 = m0+m1+m2+m3    y1 = m1-m2+2·m3    y2 = m1+m2+4·m3+m4
func outputRow(m [points]reg.VecVirtual, two, four reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	sum, y0, y1, y2 := YMM(), YMM(), YMM(), YMM()
	VADDPS(m[1], m[2], sum)
	VADDPS(m[0], m[3], y0)
	VADDPS(sum, y0, y0)
	store(0, y0)
	VSUBPS(m[2], m[1], y1)
	VFMADD231PS(m[3], two, y1)
	store(1, y1)
	VADDPS(sum, m[4], y2)
	VFMADD231PS(m[3], four, y2)
	store(2, y2)
}

// gradientRow emits A·y, the transpose of outputRow.
//
//	m0 = y0    m1 = y0+y1+y2    m2 = y0-y1+y2    m3 = y0+2·y1+4·y2    m4 = y2
func gradientRow(y [tap]reg.VecVirtual, two, four reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, y[0])
	store(4, y[2])
	even, m1, m2, m3 := YMM(), YMM(), YMM(), YMM()
	VADDPS(y[0], y[2], even)
	VADDPS(even, y[1], m1)
	store(1, m1)
	VSUBPS(y[1], even, m2)
	store(2, m2)
	VMOVAPS(y[0], m3)
	VFMADD231PS(y[1], two, m3)
	VFMADD231PS(y[2], four, m3)
	store(3, m3)
}

type rowEmitter func(in []reg.VecVirtual, store func(j int, v reg.VecVirtual))

// tileTransform lays out the shared shape of the three tile transforms: for every vector of
// channels, rows of the source into the stack frame, columns of the frame into the target.
//
// Arguments: 0 src, 8 source row stride, 16 source pixel stride, 24 dst, 32 destination row
// stride, 40 destination column stride, 48 destination stride of 16 channels, 56 pairs of
// vectors. All strides are bytes.
func tileTransform(name string, in, out int, consts func() rowEmitter) {
	args := function(name, 0) // the frame is too large for NOSPLIT
	local := AllocLocal(in * out * vector)
	src, srcRow, srcPixel := field(args, 0), field(args, 8), field(args, 16)
	dst, dstRow, dstCol := field(args, 24), field(args, 32), field(args, 40)
	pairs := field(args, 56)
	row := consts()
	temp := frame(local, out)

	half := GP64()
	Label("pair")
	XORQ(half, half)
	Label("half")
	Comment("Rows of the source, into the frame.")
	p, q := GP64(), GP64()
	MOVQ(src, p)
	for i := 0; i < in; i++ {
		MOVQ(p, q)
		d := make([]reg.VecVirtual, in)
		for j := range d {
			d[j] = YMM()
			VMOVUPS(Mem{Base: q}, d[j])
			if j < in-1 {
				ADDQ(srcPixel, q)
			}
		}
		row(d, func(j int, v reg.VecVirtual) { VMOVUPS(v, temp(i, j)) })
		if i < in-1 {
			ADDQ(srcRow, p)
		}
	}
	Comment("Columns of the frame, into the target.")
	MOVQ(dst, p)
	for j := 0; j < out; j++ {
		d := make([]reg.VecVirtual, in)
		for i := range d {
			d[i] = YMM()
			VMOVUPS(temp(i, j), d[i])
		}
		rows := rowAddresses(p, dstRow)
		row(d, func(i int, v reg.VecVirtual) { VMOVUPS(v, rows(i)) })
		if j < out-1 {
			ADDQ(dstCol, p)
		}
	}
	ADDQ(Imm(vector), src)
	ADDQ(Imm(vector), dst)
	INCQ(half)
	CMPQ(half, Imm(2))
	JNE(LabelRef("half"))
	SUBQ(Imm(2*vector), dst)
	ADDQ(Mem{Base: args, Disp: 48}, dst)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	VZEROUPPER()
	RET()
}

// rowAddresses reaches base + i*stride for i in 0..4 with one extra register.
func rowAddresses(base reg.GPVirtual, stride reg.Register) func(i int) Mem {
	third := GP64()
	LEAQ(Mem{Base: base, Index: stride, Scale: 2}, third)
	ADDQ(stride, third)
	return func(i int) Mem {
		switch i {
		case 0:
			return Mem{Base: base}
		case 3:
			return Mem{Base: third}
		case 4:
			return Mem{Base: base, Index: stride, Scale: 4}
		}
		return Mem{Base: base, Index: stride, Scale: uint8(i)}
	}
}

func winogradInput() {
	tileTransform("winogradInputTile", points, points, func() rowEmitter {
		two := constant(2)
		return func(d []reg.VecVirtual, store func(int, reg.VecVirtual)) {
			inputRow([points]reg.VecVirtual(d), two, store)
		}
	})
}

func winogradOutput() {
	tileTransform("winogradOutputTile", points, tap, func() rowEmitter {
		two, four := constant(2), constant(4)
		return func(m []reg.VecVirtual, store func(int, reg.VecVirtual)) {
			outputRow([points]reg.VecVirtual(m), two, four, store)
		}
	})
}

func winogradGradient() {
	tileTransform("winogradGradientTile", tap, points, func() rowEmitter {
		two, four := constant(2), constant(4)
		return func(y []reg.VecVirtual, store func(int, reg.VecVirtual)) {
			gradientRow([tap]reg.VecVirtual(y), two, four, store)
		}
	})
}
