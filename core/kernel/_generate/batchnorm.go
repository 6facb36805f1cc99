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
	const width, unroll = 2, 4 // accumulators enough to hide the latency of a sum
	var acc [unroll][width]reg.VecVirtual
	var mu [width]reg.VecVirtual
	for i := range mu {
		mu[i] = YMM()
		for r := range acc {
			acc[r][i] = YMM()
		}
	}
	x := YMM()
	p, rows := GP64(), GP64()
	add := func(r int) {
		for i := range mu {
			if centred {
				VMOVUPS(Mem{Base: p, Disp: i * vector}, x)
				VSUBPS(mu[i], x, x)
				VFMADD231PS(x, x, acc[r][i])
			} else {
				VADDPS(Mem{Base: p, Disp: i * vector}, acc[r][i], acc[r][i])
			}
		}
		ADDQ(stride, p)
	}

	Label("columns")
	for i := range mu {
		for r := range acc {
			VXORPS(acc[r][i], acc[r][i], acc[r][i])
		}
		if centred {
			VMOVUPS(Mem{Base: mean, Disp: i * vector}, mu[i])
		}
	}
	MOVQ(src, p)
	MOVQ(Mem{Base: args, Disp: 16}, rows)
	Label("rows")
	SUBQ(Imm(unroll), rows)
	JLT(LabelRef("rest"))
	for r := range acc {
		add(r)
	}
	JMP(LabelRef("rows"))
	Label("rest")
	ADDQ(Imm(unroll), rows)
	JEQ(LabelRef("store"))
	Label("row")
	add(0)
	DECQ(rows)
	JNZ(LabelRef("row"))
	Label("store")
	for i := range mu {
		VADDPS(acc[1][i], acc[0][i], acc[0][i])
		VADDPS(acc[3][i], acc[2][i], acc[2][i])
		VADDPS(acc[2][i], acc[0][i], acc[0][i])
		VMOVUPS(acc[0][i], Mem{Base: dst, Disp: i * vector})
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
	table  func(field int) Mem
}

// windows emits loops over output rows, output columns and vectors of channels.
//
// Arguments (bytes): 0 src, 8 its row stride, 16 its pixel stride, 24 pooled, 32, 40 its strides,
// 48 out, 56, 64 its strides, 72 table, 80 sums, 88 bytes of channels, 96 rows, 104 columns, 112 top, 120, 128 its strides.
func windows(name string, body func(w window)) {
	args := function(name, NOSPLIT)
	srcColumn, pooledColumn := AllocLocal(8), AllocLocal(8)
	column := AllocLocal(8)
	table := field(args, 72)
	t := GP64()

	Label("row")
	move := func(from Mem, to Mem) { MOVQ(from, t); MOVQ(t, to) }
	move(Mem{Base: args, Disp: 0}, srcColumn)
	move(Mem{Base: args, Disp: 24}, pooledColumn)
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
	pooled := GP64()
	MOVQ(pooledColumn, pooled)
	c := GP64()
	XORQ(c, c)

	Label("channel")
	w := window{
		pooled: Mem{Base: pooled, Index: c, Scale: 1},
		table:  func(i int) Mem { return Mem{Base: table, Index: c, Scale: 4, Disp: i * vector} },
	}
	for i := range w.y {
		w.y[i] = Mem{Base: y[i], Index: c, Scale: 1}
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
	DECQ(column)
	JNZ(LabelRef("column"))
	advance(Mem{Base: args, Disp: 0}, 8, 2)
	advance(Mem{Base: args, Disp: 24}, 32, 1)
	DECQ(Mem{Base: args, Disp: 96})
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func affinePool() {
	windows("affinePool", func(w window) {
		var z [4]reg.VecVirtual
		scale, shift := YMM(), YMM()
		VMOVUPS(w.table(0), scale)
		VMOVUPS(w.table(1), shift)
		for i := range z {
			z[i] = YMM()
			VMOVUPS(w.y[i], z[i])
			VFMADD213PS(shift, scale, z[i]) // z = scale·y + shift
		}
		top, other := YMM(), YMM()
		VMAXPS(z[0], z[1], top)
		VMAXPS(z[2], z[3], other)
		VMAXPS(top, other, top)
		VXORPS(other, other, other)
		VMAXPS(other, top, top)
		VMOVUPS(top, w.pooled)
	})
}

const equal, greater = 0, 14 // VCMPPS predicates EQ_OQ and GT_OS

// tops is what the body of a kernel over pooled pixels works with: the largest value of a window, its pooled pixel, where there
// are any the window and the gradients of its pixels, and eight channels' fields of the table.
type tops struct {
	y, out      [4]Mem // pixels in row-major order
	top, pooled Mem
	table       func(field int) Mem
}

// overTops emits loops over vectors of channels and, within those, over rows and columns; what is the same for a channel stays in
// registers. begin and end run for each vector of channels.
//
// Arguments: those of windows.
func overTops(name string, window, out, pooled bool, begin func(w tops), body func(w tops), end func(sums reg.GPVirtual)) {
	args := function(name, NOSPLIT)
	type walk struct {
		used          bool
		base, row, px int // fields: address, strides
		step          int // pixels of it to a pooled pixel
		at            reg.GPVirtual
		line          Mem
	}
	all := []*walk{
		{used: window, base: 0, row: 8, px: 16, step: 2},
		{used: pooled, base: 24, row: 32, px: 40, step: 1},
		{used: out, base: 48, row: 56, px: 64, step: 2},
		{used: true, base: 112, row: 120, px: 128, step: 1},
	}
	var walks []*walk
	for _, w := range all {
		if w.used {
			w.line = AllocLocal(8)
			walks = append(walks, w)
		}
	}
	rows := AllocLocal(8)
	t := GP64()
	move := func(from, to Mem) { MOVQ(from, t); MOVQ(t, to) }
	at := func(off int) Mem { return Mem{Base: args, Disp: off} }
	table, sums := field(args, 72), field(args, 80)

	w := tops{table: func(i int) Mem { return Mem{Base: table, Disp: i * vector} }}
	Label("channels")
	begin(w)
	for _, k := range walks {
		move(at(k.base), k.line)
	}
	move(at(96), rows)
	Label("row")
	for _, k := range walks {
		k.at = GP64()
		MOVQ(k.line, k.at)
	}
	columns := field(args, 104)
	corner := func(k *walk, second, pixel reg.GPVirtual) (m [4]Mem) {
		MOVQ(k.at, second)
		ADDQ(at(k.row), second)
		for i, base := range []reg.GPVirtual{k.at, second} {
			m[2*i], m[2*i+1] = Mem{Base: base}, Mem{Base: base, Index: pixel, Scale: 1}
		}
		return m
	}
	var seconds []reg.GPVirtual
	grid := func(k *walk) [4]Mem {
		second, pixel := GP64(), field(args, k.px)
		seconds = append(seconds, second)
		return corner(k, second, pixel)
	}
	if window {
		w.y = grid(all[0])
	}
	if out {
		w.out = grid(all[2])
	}
	w.pooled, w.top = Mem{Base: all[1].at}, Mem{Base: all[3].at}
	Label("column")
	body(w)
	second := 0
	for _, k := range walks {
		MOVQ(at(k.px), t)
		if k.step == 2 {
			ADDQ(t, t)
			ADDQ(t, seconds[second])
			second++
		}
		ADDQ(t, k.at)
	}
	DECQ(columns)
	JNZ(LabelRef("column"))
	for _, k := range walks {
		MOVQ(at(k.row), t)
		if k.step == 2 {
			ADDQ(t, t)
		}
		ADDQ(t, k.line)
	}
	DECQ(rows)
	JNZ(LabelRef("row"))
	end(sums)
	for _, k := range walks {
		ADDQ(Imm(vector), at(k.base))
	}
	ADDQ(Imm(4*vector), table)
	SUBQ(Imm(vector), at(88))
	JNZ(LabelRef("channels"))
	VZEROUPPER()
	RET()
}

func fields(w tops, into ...reg.VecVirtual) {
	for i, r := range into {
		VMOVUPS(w.table(i), r)
	}
}

func poolSelect() {
	sign := YMM()
	overTops("poolSelect", true, false, false, func(w tops) { fields(w, sign) }, func(w tops) {
		var y, z [4]reg.VecVirtual
		for i := range y {
			y[i], z[i] = YMM(), YMM()
			VMOVUPS(w.y[i], y[i])
			VMULPS(y[i], sign, z[i])
		}
		mask, other := YMM(), YMM()
		for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}} { // the first stays unless the second is greater
			a, b := pair[0], pair[1]
			VCMPPS(Imm(greater), z[a], z[b], mask)
			VBLENDVPS(mask, y[b], y[a], y[a])
			if pair != [2]int{0, 2} {
				VMAXPS(z[a], z[b], other)
				VMOVAPS(other, z[a])
			}
		}
		VMOVUPS(y[0], w.top)
	}, func(reg.GPVirtual) {})
}

func poolApply() {
	scale, shift, zero := YMM(), YMM(), YMM()
	overTops("poolApply", false, false, true, func(w tops) {
		fields(w, scale, shift)
		VXORPS(zero, zero, zero)
	}, func(w tops) {
		z := YMM()
		VMOVUPS(w.top, z)
		VFMADD213PS(shift, scale, z)
		VMAXPS(zero, z, z)
		VMOVUPS(z, w.pooled)
	}, func(reg.GPVirtual) {})
}

// alive loads the largest value of a window and the pooled gradient, 0 where the ReLU let nothing pass.
func alive(w tops, scale, shift, zero reg.VecVirtual) (top, dz reg.VecVirtual) {
	top, dz = YMM(), YMM()
	VMOVUPS(w.top, top)
	VMOVAPS(top, dz)
	VFMADD213PS(shift, scale, dz)
	VCMPPS(Imm(greater), zero, dz, dz)
	VANDPS(w.pooled, dz, dz)
	return top, dz
}

func poolGradientSums() {
	scale, shift, mean, zero, sum, product := YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
	overTops("poolGradientSums", false, false, true, func(w tops) {
		fields(w, scale, shift, mean)
		for _, r := range []reg.VecVirtual{zero, sum, product} {
			VXORPS(r, r, r)
		}
	}, func(w tops) {
		top, dz := alive(w, scale, shift, zero)
		VADDPS(dz, sum, sum)
		VSUBPS(mean, top, top)
		VFMADD231PS(dz, top, product)
	}, func(sums reg.GPVirtual) {
		VADDPS(Mem{Base: sums}, sum, sum)
		VADDPS(Mem{Base: sums, Disp: vector}, product, product)
		VMOVUPS(sum, Mem{Base: sums})
		VMOVUPS(product, Mem{Base: sums, Disp: vector})
		ADDQ(Imm(2*vector), sums)
	})
}

func poolGradient() {
	scale, shift, base, slope, zero := YMM(), YMM(), YMM(), YMM(), YMM()
	overTops("poolGradient", true, true, true, func(w tops) {
		fields(w, scale, shift, base, slope)
		VXORPS(zero, zero, zero)
	}, func(w tops) {
		top, dz := alive(w, scale, shift, zero)
		VMULPS(scale, dz, dz)
		mask, gradient, y := YMM(), YMM(), YMM()
		for i := range w.y {
			VMOVUPS(w.y[i], y)
			VCMPPS(Imm(equal), y, top, mask)
			VANDPS(dz, mask, gradient)
			VANDNPS(dz, mask, dz)        // the first that is equal takes it all
			VFNMADD213PS(base, slope, y) // base - slope·y
			VADDPS(gradient, y, y)
			VMOVUPS(y, w.out[i])
		}
	}, func(reg.GPVirtual) {})
}
