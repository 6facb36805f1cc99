package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// patch samples rows of pixels of three colours, one pixel at a time, with the roundings of its portable twin.
//
// Arguments: 0 image, 8 taps of rows, 16 rows, 24 taps of columns, 32 columns, 40 dst, 48 its row stride, 56 its pixel
// stride, both in bytes.
func patch() {
	const at0, at1, weight0, weight1, tap = 0, 4, 8, 12, 16
	args := function("patch", NOSPLIT)
	image, row, dst := field(args, 0), field(args, 8), field(args, 40)
	mask := XMM() // three lanes: a pixel may be the last of the picture
	VMOVUPS(threeLanes(), mask)
	weight := func(from reg.Register, at int) reg.VecVirtual {
		w := XMM()
		VBROADCASTSS(Mem{Base: from, Disp: at}, w)
		return w
	}
	line := func(at int) reg.GPVirtual {
		p := GP64()
		MOVLQSX(Mem{Base: row, Disp: at}, p)
		LEAQ(Mem{Base: image, Index: p, Scale: 4}, p)
		return p
	}
	Label("row")
	top, bottom := line(at0), line(at1)
	topWeight, bottomWeight := weight(row, weight0), weight(row, weight1)
	column, columns, to := field(args, 24), field(args, 32), GP64()
	MOVQ(dst, to)
	Label("column")
	side := func(at, weightAt int) reg.VecVirtual {
		offset := GP64()
		MOVLQSX(Mem{Base: column, Disp: at}, offset)
		upper, lower := XMM(), XMM()
		VMASKMOVPS(Mem{Base: top, Index: offset, Scale: 4}, mask, upper)
		VMASKMOVPS(Mem{Base: bottom, Index: offset, Scale: 4}, mask, lower)
		VMULPS(topWeight, upper, upper)
		VMULPS(bottomWeight, lower, lower)
		VADDPS(lower, upper, upper)
		VMULPS(weight(column, weightAt), upper, upper)
		return upper
	}
	left, right := side(at0, weight0), side(at1, weight1)
	VADDPS(right, left, left)
	VMOVLPS(left, Mem{Base: to})
	VEXTRACTPS(Imm(2), left, Mem{Base: to, Disp: 8})
	ADDQ(Imm(tap), column)
	ADDQ(Mem{Base: args, Disp: 56}, to)
	DECQ(columns)
	JNZ(LabelRef("column"))
	ADDQ(Imm(tap), row)
	ADDQ(Mem{Base: args, Disp: 48}, dst)
	DECQ(Mem{Base: args, Disp: 16})
	JNZ(LabelRef("row"))
	RET()
}

func threeLanes() Mem {
	m := GLOBL("threeLanes", RODATA|NOPTR)
	for i := range 4 {
		v := uint32(0xffffffff)
		if i == 3 {
			v = 0
		}
		DATA(i*4, U32(v))
	}
	return m
}

// stream copies cache lines past the caches.
//
// Arguments: 0 dst, which is aligned to a vector, 8 src, 16 lines.
func stream() {
	args := function("stream", NOSPLIT)
	dst, src, lines := field(args, 0), field(args, 8), field(args, 16)
	Label("line")
	for _, at := range []int{0, vector} {
		x := YMM()
		VMOVUPS(Mem{Base: src, Disp: at}, x)
		VMOVNTPS(x, Mem{Base: dst, Disp: at})
	}
	ADDQ(Imm(2*vector), src)
	ADDQ(Imm(2*vector), dst)
	DECQ(lines)
	JNZ(LabelRef("line"))
	SFENCE()
	VZEROUPPER()
	RET()
}
