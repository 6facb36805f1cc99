package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columns emits the loop shared by columnSums and columnSquares: two vectors of channels at a
// time, all rows of them, one accumulator each.
//
// Arguments: 0 src, 8 row stride in bytes, 16 rows, 24 vectors (a multiple of 2), 32 dst, 40 mean.
func columns(name string, centred bool) {
	args := function(name, NOSPLIT)
	src, stride, dst := field(args, 0), field(args, 8), field(args, 32)
	mean := field(args, 40)
	left := field(args, 24)
	const width = 2
	var acc, mu [width]reg.VecVirtual
	for i := range acc {
		acc[i], mu[i] = YMM(), YMM()
	}
	x := YMM()
	p, rows := GP64(), GP64()

	Label("columns")
	for i := range acc {
		VXORPS(acc[i], acc[i], acc[i])
		if centred {
			VMOVUPS(Mem{Base: mean, Disp: i * vector}, mu[i])
		}
	}
	MOVQ(src, p)
	MOVQ(Mem{Base: args, Disp: 16}, rows)
	Label("row")
	for i := range acc {
		if centred {
			VMOVUPS(Mem{Base: p, Disp: i * vector}, x)
			VSUBPS(mu[i], x, x)
			VFMADD231PS(x, x, acc[i])
		} else {
			VADDPS(Mem{Base: p, Disp: i * vector}, acc[i], acc[i])
		}
	}
	ADDQ(stride, p)
	DECQ(rows)
	JNZ(LabelRef("row"))
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: dst, Disp: i * vector})
	}
	ADDQ(Imm(width*vector), src)
	ADDQ(Imm(width*vector), dst)
	if centred {
		ADDQ(Imm(width*vector), mean)
	}
	SUBQ(Imm(width), left)
	JNZ(LabelRef("columns"))
	VZEROUPPER()
	RET()
}

func columnSums()    { columns("columnSums", false) }
func columnSquares() { columns("columnSquares", true) }

// window is what the body of a pooling kernel works with: the four pixels of a 2x2 window, its
// pooled pixel, and the per-channel table, all at channel offset c (bytes).
type window struct {
	y      [4]Mem // pixels in row-major order
	pooled Mem
	out    [4]Mem // gradients of the four pixels
	table  func(fieldIndex int) Mem
	sums   func(fieldIndex int) Mem
}

// windows emits the loops over output rows, output columns and vectors of channels.
//
// Arguments (bytes): 0 src, 8 its row stride, 16 its pixel stride, 24 pooled, 32, 40 its strides,
// 48 out, 56, 64 its strides, 72 table, 80 sums, 88 bytes of channels, 96 rows, 104 columns.
func windows(name string, full bool, body func(w window)) {
	args := function(name, NOSPLIT)
	srcColumn, pooledColumn, outColumn := AllocLocal(8), AllocLocal(8), AllocLocal(8)
	column := AllocLocal(8)
	table, sums := field(args, 72), field(args, 80)
	t := GP64()

	Label("row")
	move := func(from Mem, to Mem) { MOVQ(from, t); MOVQ(t, to) }
	move(Mem{Base: args, Disp: 0}, srcColumn)
	move(Mem{Base: args, Disp: 24}, pooledColumn)
	move(Mem{Base: args, Disp: 48}, outColumn)
	move(Mem{Base: args, Disp: 104}, column)

	Label("column")
	corner := func(base Mem, rowStride, pixelStride int) [4]reg.GPVirtual {
		r := [4]reg.GPVirtual{GP64(), GP64(), GP64(), GP64()}
		MOVQ(base, r[0])
		MOVQ(r[0], r[1])
		ADDQ(Mem{Base: args, Disp: pixelStride}, r[1])
		MOVQ(r[0], r[2])
		ADDQ(Mem{Base: args, Disp: rowStride}, r[2])
		MOVQ(r[2], r[3])
		ADDQ(Mem{Base: args, Disp: pixelStride}, r[3])
		return r
	}
	y := corner(srcColumn, 8, 16)
	var out [4]reg.GPVirtual
	if full {
		out = corner(outColumn, 56, 64)
	}
	pooled := GP64()
	MOVQ(pooledColumn, pooled)
	c := GP64()
	XORQ(c, c)

	Label("channel")
	w := window{
		pooled: Mem{Base: pooled, Index: c, Scale: 1},
		table:  func(i int) Mem { return Mem{Base: table, Index: c, Scale: 4, Disp: i * vector} },
		sums:   func(i int) Mem { return Mem{Base: sums, Index: c, Scale: 2, Disp: i * vector} },
	}
	for i := range w.y {
		w.y[i] = Mem{Base: y[i], Index: c, Scale: 1}
		if full {
			w.out[i] = Mem{Base: out[i], Index: c, Scale: 1}
		}
	}
	body(w)
	ADDQ(Imm(vector), c)
	CMPQ(c, Mem{Base: args, Disp: 88})
	JNE(LabelRef("channel"))

	advance := func(at Mem, stride, times int) {
		MOVQ(Mem{Base: args, Disp: stride}, t)
		for range times {
			ADDQ(t, at)
		}
	}
	advance(srcColumn, 16, 2)
	advance(pooledColumn, 40, 1)
	if full {
		advance(outColumn, 64, 2)
	}
	DECQ(column)
	JNZ(LabelRef("column"))
	advance(Mem{Base: args, Disp: 0}, 8, 2)
	advance(Mem{Base: args, Disp: 24}, 32, 1)
	if full {
		advance(Mem{Base: args, Disp: 48}, 56, 2)
	}
	DECQ(Mem{Base: args, Disp: 96})
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// affine loads the window and its scaled and shifted values, and their maximum.
func affine(w window) (y, z [4]reg.VecVirtual, top reg.VecVirtual) {
	scale, shift := YMM(), YMM()
	VMOVUPS(w.table(0), scale)
	VMOVUPS(w.table(1), shift)
	for i := range y {
		y[i], z[i] = YMM(), YMM()
		VMOVUPS(w.y[i], y[i])
		VMOVAPS(y[i], z[i])
		VFMADD213PS(shift, scale, z[i]) // z = scale·y + shift
	}
	top = YMM()
	other := YMM()
	VMAXPS(z[0], z[1], top)
	VMAXPS(z[2], z[3], other)
	VMAXPS(top, other, top)
	return
}

const equal, greater = 0, 14 // VCMPPS predicates EQ_OQ and GT_OS

func affinePool() {
	windows("affinePool", false, func(w window) {
		_, _, top := affine(w)
		zero := YMM()
		VXORPS(zero, zero, zero)
		VMAXPS(zero, top, top)
		VMOVUPS(top, w.pooled)
	})
}

// alive masks the pooled gradient where the maximum is positive.
func alive(w window, top reg.VecVirtual) reg.VecVirtual {
	dz, zero := YMM(), YMM()
	VXORPS(zero, zero, zero)
	VCMPPS(Imm(greater), zero, top, dz)
	VANDPS(w.pooled, dz, dz)
	return dz
}

func poolGradientSums() {
	windows("poolGradientSums", false, func(w window) {
		y, z, top := affine(w)
		chosen, mask := YMM(), YMM()
		VMOVAPS(y[3], chosen)
		for i := 2; i >= 0; i-- {
			VCMPPS(Imm(equal), z[i], top, mask)
			VBLENDVPS(mask, y[i], chosen, chosen)
		}
		dz := alive(w, top)
		sum := YMM()
		VADDPS(w.sums(0), dz, sum)
		VMOVUPS(sum, w.sums(0))
		VSUBPS(w.table(2), chosen, chosen)
		product := YMM()
		VMOVUPS(w.sums(1), product)
		VFMADD231PS(dz, chosen, product)
		VMOVUPS(product, w.sums(1))
	})
}

func poolGradient() {
	windows("poolGradient", true, func(w window) {
		y, z, top := affine(w)
		dz := alive(w, top)
		scale, base, slope := YMM(), YMM(), YMM()
		VMOVUPS(w.table(0), scale)
		VMULPS(scale, dz, dz)
		VMOVUPS(w.table(2), base)
		VMOVUPS(w.table(3), slope)
		mask, gradient := YMM(), YMM()
		for i := range y {
			VCMPPS(Imm(equal), z[i], top, mask)
			VANDPS(dz, mask, gradient)
			VANDNPS(dz, mask, dz)           // the first maximum takes it all
			VFNMADD213PS(base, slope, y[i]) // base - slope·y
			VADDPS(gradient, y[i], y[i])
			VMOVUPS(y[i], w.out[i])
		}
	})
}
