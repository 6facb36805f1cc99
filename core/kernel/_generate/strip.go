package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	stripColumns = 8 // points of a strip in one row
	strips       = 2 // of a map
)

// stripProducts computes one row of points of both strips of a map, for some panels of 16 outputs: the filters' taps of that
// row come in threes, and are taken to the eight points of a strip's row as they come. Their scale is left to the way back.
//
// Arguments: 0 x, of the first point and strip; 8 from one strip, or point, of x to the next; 16 filters, [panel][k][3][16]; 24 k;
// 32 c, 40 from one strip, or point, of c to the next; 48 panels; 56 maps, 64 and 72 from one to the next of x and c. All strides are bytes.
func stripProducts(name string, load func(from Mem, to reg.VecVirtual), vectorBytes int) {
	args := function(name, NOSPLIT)
	xRow, filters, cRow := field(args, 8), field(args, 16), field(args, 40)
	start := AllocLocal(8)
	four := constant(4)
	var acc [stripColumns][strips]reg.VecVirtual
	for p := range acc {
		for s := range acc[p] {
			acc[p][s] = v.new()
		}
	}
	Label("panel")
	x, c := field(args, 0), field(args, 32)
	maps := field(args, 56)
	MOVQ(filters, start)
	Label("map")
	MOVQ(start, filters)
	for p := range acc {
		for _, sum := range acc[p] {
			v.zero(sum)
		}
	}
	k, first := field(args, 24), GP64()
	MOVQ(x, first)
	bases, at := rowAddresses(first, xRow, stripColumns*strips)
	Label("k")
	var g [3]reg.VecVirtual
	for i := range g {
		g[i] = v.new()
		load(Mem{Base: filters, Disp: i * vectorBytes}, g[i])
	}
	for i := 0; i < len(g)*vectorBytes; i += 64 {
		PREFETCHT0(Mem{Base: filters, Disp: 4*soon + i}) // where they come from memory, it is far
	}
	product := func(p int, u reg.VecVirtual) {
		for s, sum := range acc[p] {
			VFMADD231PS_BCST(at(p*strips+s), u, sum)
		}
	}
	around := func(p int, even, odd reg.VecVirtual) {
		u, w := v.new(), v.new()
		VADDPS(odd, even, u)
		product(p, u)
		VSUBPS(odd, even, w)
		product(p+1, w)
	}
	product(0, g[0])
	product(7, g[2])
	ends, twice := v.new(), v.new()
	VADDPS(g[2], g[0], ends)
	around(1, ends, g[1])
	VADDPS(g[1], g[1], twice)
	far, near := v.new(), v.new()
	VMOVAPS(g[0], far)
	VFMADD231PS(four, g[2], far)
	around(3, far, twice)
	VMOVAPS(g[2], near)
	VFMADD231PS(four, g[0], near)
	around(5, near, twice)
	ADDQ(U32(len(g)*vectorBytes), filters)
	for _, base := range bases {
		ADDQ(U32(4), base)
	}
	DECQ(k)
	JNZ(LabelRef("k"))
	_, to := rowAddresses(c, cRow, stripColumns*strips)
	for p := range acc {
		for s, sum := range acc[p] {
			VMOVUPS(sum, to(p*strips+s))
		}
	}
	ADDQ(Mem{Base: args, Disp: 64}, x)
	ADDQ(Mem{Base: args, Disp: 72}, c)
	DECQ(maps)
	JNZ(LabelRef("map"))
	ADDQ(U32(v.bytes), Mem{Base: args, Disp: 32})
	DECQ(Mem{Base: args, Disp: 48})
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}
