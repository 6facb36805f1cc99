// Command generate writes the AVX2+FMA kernels of package kernel:
//
//	cd core/kernel/_generate && go run . -out ../kernels_amd64.s -pkg kernel
//
// It is a module of its own so that nobody who uses the kernels downloads the generator.
// What every function computes is defined by its portable twin in ../portable.go.
package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	lanes  = 8         // float32 in a YMM register
	vector = 4 * lanes // its bytes
	panel  = 2 * lanes // columns of a GEMM tile
	rowMax = 6         // rows of the largest GEMM tile
	points = 5         // Winograd F(3,3) interpolation points in one dimension
	tap    = 3         // outputs, and filter taps, in one dimension
	pts2   = points * points
)

func main() {
	ConstraintExpr("amd64,!purego")
	for rows := 1; rows <= rowMax; rows++ {
		gemmTile(rows)
	}
	gemmRow()
	transforms()
	columnSums()
	columnSquares()
	affinePool()
	poolSelect()
	poolApply()
	poolGradientSums()
	poolGradient()
	lstm()
	patch()
	stream()
	Generate()
}

// field loads an integer field of the argument struct at byte offset off.
func field(args reg.Register, off int) reg.GPVirtual {
	r := GP64()
	MOVQ(Mem{Base: args, Disp: off}, r)
	return r
}

// function opens a kernel that takes a pointer to its argument struct.
func function(name string, attributes attr.Attribute) reg.Register {
	TEXT(name, attributes, "func(args *byte)")
	return Load(Param("args"), GP64())
}

func constant(v float32) reg.VecVirtual {
	r := YMM()
	bits := GP32()
	MOVL(U32(mathFloat32bits(v)), bits)
	x := r.AsX()
	MOVD(bits, x)
	VBROADCASTSS(x, r)
	return r
}

// gemmTile computes panels of groups of rows x 16 outputs. The accumulators stay in registers over all
// segments and k; A is read in place by broadcast, so that its strides cost nothing.
func gemmTile(rows int) {
	args := function(fmt.Sprintf("gemmTile%d", rows), NOSPLIT)
	Comment("Strides are bytes.")
	aGroup := field(args, 0)
	aRow, aCol := field(args, 8), field(args, 16)
	cGroup, cRow := field(args, 56), field(args, 64)
	bRow := field(args, 40)
	aStart, cStart := AllocLocal(8), AllocLocal(8)
	move := func(from, to Mem) {
		t := GP64()
		MOVQ(from, t)
		MOVQ(t, to)
	}

	acc := make([][2]reg.VecVirtual, rows)
	for r := range acc {
		acc[r] = [2]reg.VecVirtual{YMM(), YMM()}
	}
	b0, b1, x := YMM(), YMM(), YMM()

	// row addresses as base, base+stride, base+2*stride for each run of three rows
	address := func(bases [2]reg.GPVirtual, stride reg.Register, r int, disp int) Mem {
		m := Mem{Base: bases[r/3], Disp: disp}
		if r%3 > 0 {
			m.Index, m.Scale = stride, uint8(r%3)
		}
		return m
	}
	second := func(base reg.GPVirtual, stride reg.Register) [2]reg.GPVirtual {
		bases := [2]reg.GPVirtual{base, base}
		if rows > 3 {
			bases[1] = GP64()
			LEAQ(Mem{Base: base, Index: stride, Scale: 2}, bases[1])
			ADDQ(stride, bases[1])
		}
		return bases
	}

	Label("panel")
	move(Mem{Base: args, Disp: 96}, aStart)
	move(Mem{Base: args, Disp: 104}, cStart)
	groups := field(args, 88)
	Label("group")
	for r := range acc {
		VXORPS(acc[r][0], acc[r][0], acc[r][0])
		VXORPS(acc[r][1], acc[r][1], acc[r][1])
	}
	Comment("C is far away when it is added to, so it is asked for before the products.")
	ahead := second(field(args, 104), cRow)
	for r := range acc {
		PREFETCHT0(address(ahead, cRow, r, 0))
	}
	segment := field(args, 80)
	aSegment := field(args, 96) // A of the present group
	bSegment := field(args, 32)

	Label("segment")
	a0 := GP64()
	MOVQ(aSegment, a0)
	a := second(a0, aRow)
	b := GP64()
	MOVQ(bSegment, b)
	k := field(args, 72)

	Label("k")
	VMOVUPS(Mem{Base: b}, b0)
	VMOVUPS(Mem{Base: b, Disp: vector}, b1)
	for r := range acc {
		VBROADCASTSS(address(a, aRow, r, 0), x)
		VFMADD231PS(x, b0, acc[r][0])
		VFMADD231PS(x, b1, acc[r][1])
	}
	ADDQ(aCol, a[0])
	if rows > 3 {
		ADDQ(aCol, a[1])
	}
	ADDQ(bRow, b)
	DECQ(k)
	JNZ(LabelRef("k"))

	ADDQ(Mem{Base: args, Disp: 24}, aSegment)
	ADDQ(Mem{Base: args, Disp: 48}, bSegment)
	DECQ(segment)
	JNZ(LabelRef("segment"))

	c0 := field(args, 104)
	c := second(c0, cRow)
	CMPQ(Mem{Base: args, Disp: 112}, Imm(0))
	JEQ(LabelRef("store"))
	for r := range acc {
		VADDPS(address(c, cRow, r, 0), acc[r][0], acc[r][0])
		VADDPS(address(c, cRow, r, vector), acc[r][1], acc[r][1])
	}
	Label("store")
	for r := range acc {
		VMOVUPS(acc[r][0], address(c, cRow, r, 0))
		VMOVUPS(acc[r][1], address(c, cRow, r, vector))
	}
	ADDQ(aGroup, Mem{Base: args, Disp: 96})
	ADDQ(cGroup, Mem{Base: args, Disp: 104})
	DECQ(groups)
	JNZ(LabelRef("group"))
	next := field(args, 120)
	ADDQ(next, Mem{Base: args, Disp: 32})
	move(aStart, Mem{Base: args, Disp: 96})
	MOVQ(cStart, next)
	ADDQ(Imm(2*vector), next)
	MOVQ(next, Mem{Base: args, Disp: 104})
	DECQ(Mem{Base: args, Disp: 128})
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

// rowPanels is how many panels gemmRow computes at once: enough sums to hide the latency of each, which a single panel of
// a single row would wait for.
const rowPanels = 4

// gemmRow computes one row of four panels, every sum in the order in which gemmTile takes it.
//
// Arguments: those of gemmTile; what it does not loop over is not read.
func gemmRow() {
	args := function("gemmRow", NOSPLIT)
	aCol, bRow, bPanel := field(args, 16), field(args, 40), field(args, 120)
	a, b, c, k := field(args, 96), field(args, 32), field(args, 104), field(args, 72)
	last := GP64()
	LEAQ(Mem{Base: b, Index: bPanel, Scale: 2}, last)
	ADDQ(bPanel, last)
	panels := [rowPanels]Mem{{Base: b}, {Base: b, Index: bPanel, Scale: 1}, {Base: b, Index: bPanel, Scale: 2}, {Base: last}}
	var acc [rowPanels][2]reg.VecVirtual
	for p := range acc {
		for h := range acc[p] {
			acc[p][h] = YMM()
			VXORPS(acc[p][h], acc[p][h], acc[p][h])
		}
	}
	x := YMM()
	Label("k")
	VBROADCASTSS(Mem{Base: a}, x)
	for p, from := range panels {
		for h := range acc[p] {
			VFMADD231PS(from.Offset(h*vector), x, acc[p][h])
		}
	}
	ADDQ(aCol, a)
	ADDQ(bRow, b)
	ADDQ(bRow, last)
	DECQ(k)
	JNZ(LabelRef("k"))
	to := func(p, h int) Mem { return Mem{Base: c, Disp: (2*p + h) * vector} }
	CMPQ(Mem{Base: args, Disp: 112}, Imm(0))
	JEQ(LabelRef("store"))
	for p := range acc {
		for h := range acc[p] {
			VADDPS(to(p, h), acc[p][h], acc[p][h])
		}
	}
	Label("store")
	for p := range acc {
		for h := range acc[p] {
			VMOVUPS(acc[p][h], to(p, h))
		}
	}
	VZEROUPPER()
	RET()
}
