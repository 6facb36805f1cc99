// Command generate writes the AVX2+FMA kernels of package kernel, and AVX-512 ones where those are faster:
//
//	cd core/kernel/_generate && go run . -out ../kernels_amd64.s -pkg kernel
//
// It is a module of its own so that nobody who uses the kernels downloads the generator.
// What every function computes is defined by its portable twin in ../portable.go.
package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	lanes  = 8         // float32 in a YMM register, for the kernels that are AVX2's alone
	vector = 4 * lanes // its bytes
	panel  = 16        // columns of a GEMM's panel, channels that a transform takes at once
	points = 5         // Winograd F(3,3) interpolation points in one dimension
	tap    = 3         // outputs, and filter taps, in one dimension
)

// vectors is the registers that a kernel works with.
type vectors struct {
	prefix       string // of a kernel's name
	bytes, lanes int    // of a register, and its float32
	tiles        []int  // rows of the tiles of a GEMM
	rowPanels    int    // of a GEMM with one row
	spreads      bool   // an operand in memory may be one number for all lanes
	new          func() reg.VecVirtual
	zero         func(r reg.VecVirtual)
}

var (
	avx2 = vectors{"", vector, lanes, []int{1, 2, 3, 4, 5, 6}, 4, false, YMM, func(r reg.VecVirtual) { VXORPS(r, r, r) }}
	// With twice as many registers.
	avx512 = vectors{"wide", 2 * vector, 2 * lanes, []int{1, 2, 4, 6, 8, 12}, 8, true, ZMM, func(r reg.VecVirtual) { VPXORQ(r, r, r) }}

	v vectors // those of the kernel being written
)

// name is a kernel's name with the prefix of its vectors.
func name(base string) string {
	if v.prefix == "" {
		return base
	}
	return v.prefix + strings.ToUpper(base[:1]) + base[1:]
}

func main() {
	ConstraintExpr("amd64,!purego")
	for _, v = range []vectors{avx2, avx512} {
		gemms()
		transforms()
		lstm()
	}
	v = avx512
	stripProducts("stripProducts", func(from Mem, to reg.VecVirtual) { VMOVUPS(from, to) }, v.bytes)
	stripProducts("stripProductsHalves", func(from Mem, to reg.VecVirtual) { VCVTPH2PS(from, to) }, v.bytes/2)
	v = avx2
	columnSums()
	columnSquares()
	affinePool()
	poolSelect()
	poolApply()
	poolGradientSums()
	poolGradient()
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
func function(base string, attributes attr.Attribute) reg.Register {
	TEXT(name(base), attributes, "func(args *byte)")
	return Load(Param("args"), GP64())
}

func constant(value float32) reg.VecVirtual {
	r := v.new()
	bits := GP32()
	MOVL(U32(mathFloat32bits(value)), bits)
	x := r.AsX()
	MOVD(bits, x)
	VBROADCASTSS(x, r)
	return r
}

// gemms emits the products: with AVX2's 16 registers, a panel by up to six rows, or four panels of a row; with AVX-512's 32 of
// twice the width, two panels, or one, by up to twelve rows, or four by four, or eight panels of a row.
func gemms() {
	inPanel := panel / v.lanes
	for _, rows := range v.tiles {
		gemmTile(fmt.Sprintf("gemmTile%d", rows), rows, inPanel)
		if inPanel == 1 {
			gemmTile(fmt.Sprintf("gemmPair%d", rows), rows, 2)
		}
		if inPanel == 1 && rows == 4 {
			gemmTile(fmt.Sprintf("gemmQuad%d", rows), rows, 4)
		}
	}
	gemmRow("gemmRow", v.rowPanels, inPanel, func(from Mem, x, sum reg.VecVirtual) { VFMADD231PS(from, x, sum) })
	if inPanel == 1 {
		gemmRow("gemmRowHalves", v.rowPanels, inPanel, func(from Mem, x, sum reg.VecVirtual) {
			weights := v.new()
			VCVTPH2PS(from, weights)
			VFMADD231PS(weights, x, sum)
		})
	}
}

// soon is how many bytes ahead weights are asked for where few rows use them: those come from the third-level cache.
const soon = 512

// gemmTile computes groups of rows by some vectors of columns. The accumulators stay in registers over all segments and k; A is read in
// place by broadcast, so that its strides cost nothing.
func gemmTile(name string, rows, across int) {
	args := function(name, NOSPLIT)
	Comment("Strides are bytes.")
	aRow, aCol, bRow := field(args, 8), field(args, 16), field(args, 40)
	aStart, cStart := AllocLocal(8), AllocLocal(8)
	groups, segments := AllocLocal(8), AllocLocal(8)
	aSegment, bSegment := AllocLocal(8), AllocLocal(8)
	move := func(from, to Mem) {
		t := GP64()
		MOVQ(from, t)
		MOVQ(t, to)
	}
	add := func(from, to Mem) {
		t := GP64()
		MOVQ(from, t)
		ADDQ(t, to)
	}

	acc := make([][]reg.VecVirtual, rows)
	for r := range acc {
		for range across {
			acc[r] = append(acc[r], v.new())
		}
	}
	bs := make([]reg.VecVirtual, across)
	for i := range bs {
		bs[i] = v.new()
	}
	x := v.new()

	Label("panel")
	move(Mem{Base: args, Disp: 96}, aStart)
	move(Mem{Base: args, Disp: 104}, cStart)
	move(Mem{Base: args, Disp: 88}, groups)
	Label("group")
	for r := range acc {
		for i := range acc[r] {
			v.zero(acc[r][i])
		}
	}
	Comment("C is far away when it is added to, so it is asked for before the products.")
	_, ahead := rowAddresses(field(args, 104), field(args, 64), rows)
	const cacheLine = 64
	for r := range acc {
		for at := 0; at < across*v.bytes; at += cacheLine {
			PREFETCHT0(ahead(r).Offset(at))
		}
	}
	move(Mem{Base: args, Disp: 80}, segments)
	move(Mem{Base: args, Disp: 96}, aSegment)
	move(Mem{Base: args, Disp: 32}, bSegment)

	Label("segment")
	a0, b := GP64(), GP64()
	MOVQ(aSegment, a0)
	aBases, a := rowAddresses(a0, aRow, rows)
	MOVQ(bSegment, b)
	bases, column := []reg.GPVirtual{b}, func(i int) Mem { return Mem{Base: b, Disp: i * v.bytes} }
	inPanel := panel / v.lanes
	if across > inPanel {
		bPanel := field(args, 120)
		bases, column = rowAddresses(b, bPanel, across)
	}
	k := field(args, 72)

	Label("k")
	for i := range bs {
		VMOVUPS(column(i), bs[i])
		if across > inPanel && rows <= 6 {
			PREFETCHT0(column(i).Offset(soon))
		}
	}
	for r := range acc {
		VBROADCASTSS(a(r), x)
		for i := range acc[r] {
			VFMADD231PS(x, bs[i], acc[r][i])
		}
	}
	for _, base := range aBases {
		ADDQ(aCol, base)
	}
	for _, base := range bases {
		ADDQ(bRow, base)
	}
	DECQ(k)
	JNZ(LabelRef("k"))

	add(Mem{Base: args, Disp: 24}, aSegment)
	add(Mem{Base: args, Disp: 48}, bSegment)
	DECQ(segments)
	JNZ(LabelRef("segment"))

	_, c := rowAddresses(field(args, 104), field(args, 64), rows)
	CMPQ(Mem{Base: args, Disp: 112}, Imm(0))
	JEQ(LabelRef("store"))
	for r := range acc {
		for i := range acc[r] {
			VADDPS(c(r).Offset(i*v.bytes), acc[r][i], acc[r][i])
		}
	}
	Label("store")
	for r := range acc {
		for i := range acc[r] {
			VMOVUPS(acc[r][i], c(r).Offset(i*v.bytes))
		}
	}
	add(Mem{Base: args, Disp: 0}, Mem{Base: args, Disp: 96})
	add(Mem{Base: args, Disp: 56}, Mem{Base: args, Disp: 104})
	DECQ(groups)
	JNZ(LabelRef("group"))
	for range across / inPanel {
		add(Mem{Base: args, Disp: 120}, Mem{Base: args, Disp: 32})
	}
	move(aStart, Mem{Base: args, Disp: 96})
	next := GP64()
	MOVQ(cStart, next)
	ADDQ(U32(across*v.bytes), next)
	MOVQ(next, Mem{Base: args, Disp: 104})
	DECQ(Mem{Base: args, Disp: 128})
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

// gemmRow computes one row of several panels at once, enough sums to hide the latency of each, which a single panel of
// a single row would wait for. Every sum is taken in the order in which gemmTile takes it. addProduct adds x times what is at from.
//
// Arguments: those of gemmTile; what it does not loop over is not read.
func gemmRow(name string, panels, inPanel int, addProduct func(from Mem, x, sum reg.VecVirtual)) {
	args := function(name, NOSPLIT)
	aCol, bRow := field(args, 16), field(args, 40)
	a, c, k := field(args, 96), field(args, 104), field(args, 72)
	bases, from := rowAddresses(field(args, 32), field(args, 120), panels)
	acc := make([][]reg.VecVirtual, panels)
	for p := range acc {
		for h := range inPanel {
			acc[p] = append(acc[p], v.new())
			v.zero(acc[p][h])
		}
	}
	x := v.new()
	Label("k")
	VBROADCASTSS(Mem{Base: a}, x)
	for p := range acc {
		PREFETCHT0(from(p).Offset(soon))
		for h := range acc[p] {
			addProduct(from(p).Offset(h*v.bytes), x, acc[p][h])
		}
	}
	ADDQ(aCol, a)
	for _, base := range bases {
		ADDQ(bRow, base)
	}
	DECQ(k)
	JNZ(LabelRef("k"))
	to := func(p, h int) Mem { return Mem{Base: c, Disp: (p*inPanel + h) * v.bytes} }
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
