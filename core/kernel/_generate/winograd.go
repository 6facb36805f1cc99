package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func mathFloat32bits(v float32) uint32 { return math.Float32bits(v) }

// grid gives the address of element (i, j) of a picture of vectors.
type grid func(i, j int) Mem

// frame is a grid in the stack frame. Frames are aligned to 8 bytes; half the vectors would lie across two cache lines.
func frame(rows, columns int) grid {
	local := AllocLocal((rows*columns + 1) * v.bytes)
	base := GP64()
	LEAQ(local.Offset(v.bytes-1), base)
	ANDQ(I32(-v.bytes), base)
	return func(i, j int) Mem { return Mem{Base: base, Disp: (i*columns + j) * v.bytes} }
}

// inputRow emits Bᵀ·d for five registers.
//
//	t0 = 2(d0-d2) + (d3-d1)    t3 = d3-d1
//	t1 = (d3-d2) - 2·d1        t4 = (d4-d2) - 2(d3-d1)
//	t2 = (d3-d2) + 2(d1-d2)
func inputRow(d [points]reg.VecVirtual, two reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	s, u, t := v.new(), v.new(), v.new()
	VSUBPS(d[1], d[3], s)
	store(3, s)
	VSUBPS(d[2], d[0], t)
	VFMADD213PS(s, two, t) // t = 2t + s
	store(0, t)
	VSUBPS(d[2], d[3], u)
	t1 := v.new()
	VMOVAPS(u, t1)
	VFNMADD231PS(d[1], two, t1) // t1 = u - 2·d1
	store(1, t1)
	t2 := v.new()
	VSUBPS(d[2], d[1], t2)
	VFMADD213PS(u, two, t2)
	store(2, t2)
	t4 := v.new()
	VSUBPS(d[2], d[4], t4)
	VFNMADD231PS(s, two, t4)
	store(4, t4)
}

// outputRow emits Aᵀ·m.
//
//	y0 = m0+m1+m2+m3    y1 = m1-m2+2·m3    y2 = m1+m2+4·m3+m4
func outputRow(m [points]reg.VecVirtual, two, four reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	sum, y0, y1, y2 := v.new(), v.new(), v.new(), v.new()
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

// sum emits the terms Σ factor·value into a new register.
func sum(terms ...term) reg.VecVirtual {
	r := v.new()
	first := terms[0]
	switch {
	case first.factor != 1:
		if v.spreads {
			VMULPS_BCST(factor(first.factor), first.value, r)
		} else {
			VMULPS(factor(first.factor), first.value, r)
		}
	case len(terms) > 1 && terms[1].factor == 1:
		VADDPS(terms[1].value, first.value, r)
		terms = terms[1:]
	case len(terms) > 1 && terms[1].factor == -1:
		VSUBPS(terms[1].value, first.value, r)
		terms = terms[1:]
	default:
		VMOVAPS(first.value, r)
	}
	for _, t := range terms[1:] {
		switch t.factor {
		case 1:
			VADDPS(t.value, r, r)
		case -1:
			VSUBPS(t.value, r, r)
		default:
			if v.spreads {
				VFMADD231PS_BCST(factor(t.factor), t.value, r)
			} else {
				VFMADD231PS(factor(t.factor), t.value, r)
			}
		}
	}
	return r
}

type term struct {
	factor float64
	value  reg.VecVirtual
}

// factors are constants in memory, a vector of each of AVX2's; AVX-512 spreads the first number itself, because a line of the
// cache is as long as its vectors, and Go's linker would lay constants across two.
var factors = map[float64]Mem{}

func factor(value float64) Mem {
	m, ok := factors[value]
	if !ok {
		m = GLOBL(fmt.Sprintf("factor%d", len(factors)), RODATA|NOPTR)
		for i := range lanes {
			DATA(i*4, F32(value))
		}
		factors[value] = m
	}
	return m
}

// both stores even+odd and even-odd.
func both(store func(j int, v reg.VecVirtual), j int, even, odd reg.VecVirtual) {
	store(j, sum(term{1, even}, term{1, odd}))
	store(j+1, sum(term{1, even}, term{-1, odd}))
}

func mapInputRow(d []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, sum(term{1, d[0]}, term{-1, d[6]}, term{-21. / 4, d[2]}, term{21. / 4, d[4]}))
	store(7, sum(term{1, d[7]}, term{-1, d[1]}, term{21. / 4, d[3]}, term{-21. / 4, d[5]}))
	both(store, 1, sum(term{1, d[2]}, term{1, d[6]}, term{-17. / 4, d[4]}), sum(term{1, d[1]}, term{1, d[5]}, term{-17. / 4, d[3]}))
	both(store, 3, sum(term{1, d[6]}, term{1. / 4, d[2]}, term{-5. / 4, d[4]}), sum(term{1. / 2, d[1]}, term{-5. / 2, d[3]}, term{2, d[5]}))
	both(store, 5, sum(term{1, d[6]}, term{4, d[2]}, term{-5, d[4]}), sum(term{2, d[1]}, term{-5. / 2, d[3]}, term{1. / 2, d[5]}))
}

// halves returns the sums and differences of points 1 and 2, 3 and 4, 5 and 6.
func halves(m []reg.VecVirtual) (s, d [3]reg.VecVirtual) {
	for i := range s {
		a, b := m[2*i+1], m[2*i+2]
		s[i], d[i] = sum(term{1, a}, term{1, b}), sum(term{1, a}, term{-1, b})
	}
	return s, d
}

func mapOutputRow(m []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	s, d := halves(m)
	store(0, sum(term{1, m[0]}, term{1, s[0]}, term{1, s[1]}, term{1, s[2]}))
	store(1, sum(term{1, d[0]}, term{2, d[1]}, term{1. / 2, d[2]}))
	store(2, sum(term{1, s[0]}, term{4, s[1]}, term{1. / 4, s[2]}))
	store(3, sum(term{1, d[0]}, term{8, d[1]}, term{1. / 8, d[2]}))
	store(4, sum(term{1, s[0]}, term{16, s[1]}, term{1. / 16, s[2]}))
	store(5, sum(term{1, m[7]}, term{1, d[0]}, term{32, d[1]}, term{1. / 32, d[2]}))
}

// stripAcrossOutputRow is mapOutputRow with the factors -2/9, 1/90 and 8/45 of the sums and differences.
func stripAcrossOutputRow(m []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	s, d := halves(m)
	store(0, sum(term{1, m[0]}, term{-2. / 9, s[0]}, term{1. / 90, s[1]}, term{8. / 45, s[2]}))
	store(1, sum(term{-2. / 9, d[0]}, term{2. / 90, d[1]}, term{4. / 45, d[2]}))
	store(2, sum(term{-2. / 9, s[0]}, term{4. / 90, s[1]}, term{2. / 45, s[2]}))
	store(3, sum(term{-2. / 9, d[0]}, term{8. / 90, d[1]}, term{1. / 45, d[2]}))
	store(4, sum(term{-2. / 9, s[0]}, term{16. / 90, s[1]}, term{1. / 90, s[2]}))
	store(5, sum(term{1, m[7]}, term{-2. / 9, d[0]}, term{32. / 90, d[1]}, term{1. / 180, d[2]}))
}

// stripDownOutputRow is outputRow with the factors 1/2, -1/2, -1/6 and 1/6 of the first four.
func stripDownOutputRow(m []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, sum(term{1. / 2, m[0]}, term{-1. / 2, m[1]}, term{-1. / 6, m[2]}, term{1. / 6, m[3]}))
	store(1, sum(term{-1. / 2, m[1]}, term{1. / 6, m[2]}, term{1. / 3, m[3]}))
	store(2, sum(term{1, m[4]}, term{-1. / 2, m[1]}, term{-1. / 6, m[2]}, term{2. / 3, m[3]}))
}

func mapGradientRow(y []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, y[0])
	store(7, y[5])
	both(store, 1, sum(term{1, y[0]}, term{1, y[2]}, term{1, y[4]}), sum(term{1, y[1]}, term{1, y[3]}, term{1, y[5]}))
	both(store, 3, sum(term{1, y[0]}, term{4, y[2]}, term{16, y[4]}), sum(term{2, y[1]}, term{8, y[3]}, term{32, y[5]}))
	both(store, 5, sum(term{1, y[0]}, term{1. / 4, y[2]}, term{1. / 16, y[4]}), sum(term{1. / 2, y[1]}, term{1. / 8, y[3]}, term{1. / 32, y[5]}))
}

func mapFilterRow(g []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, g[0])
	store(7, g[2])
	both(store, 1, sum(term{-2. / 9, g[0]}, term{-2. / 9, g[2]}), sum(term{-2. / 9, g[1]}))
	both(store, 3, sum(term{1. / 90, g[0]}, term{2. / 45, g[2]}), sum(term{1. / 45, g[1]}))
	both(store, 5, sum(term{32. / 45, g[0]}, term{8. / 45, g[2]}), sum(term{16. / 45, g[1]}))
}

func mapFilterGradientRow(u []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	s, d := halves(u)
	store(0, sum(term{1, u[0]}, term{-2. / 9, s[0]}, term{1. / 90, s[1]}, term{32. / 45, s[2]}))
	store(1, sum(term{-2. / 9, d[0]}, term{1. / 45, d[1]}, term{16. / 45, d[2]}))
	store(2, sum(term{1, u[7]}, term{-2. / 9, s[0]}, term{2. / 45, s[1]}, term{8. / 45, s[2]}))
}

func tileFilterRow(g []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, sum(term{1. / 2, g[0]}))
	store(1, sum(term{-1. / 2, g[0]}, term{-1. / 2, g[1]}, term{-1. / 2, g[2]}))
	store(2, sum(term{-1. / 6, g[0]}, term{1. / 6, g[1]}, term{-1. / 6, g[2]}))
	store(3, sum(term{1. / 6, g[0]}, term{1. / 3, g[1]}, term{2. / 3, g[2]}))
	store(4, g[2])
}

func pairInputRow(d []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, sum(term{1, d[0]}, term{-1, d[2]}))
	store(1, sum(term{1, d[1]}, term{1, d[2]}))
	store(2, sum(term{1, d[2]}, term{-1, d[1]}))
	store(3, sum(term{1, d[1]}, term{-1, d[3]}))
}

func pairOutputRow(m []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, sum(term{1, m[0]}, term{1, m[1]}, term{1, m[2]}))
	store(1, sum(term{1, m[1]}, term{-1, m[2]}, term{-1, m[3]}))
}

func pairFilterRow(g []reg.VecVirtual, store func(j int, v reg.VecVirtual)) {
	store(0, g[0])
	store(3, g[2])
	both(store, 1, sum(term{1. / 2, g[0]}, term{1. / 2, g[2]}), sum(term{1. / 2, g[1]}))
}

type rowEmitter func(in []reg.VecVirtual, store func(j int, v reg.VecVirtual))

// tileTransform lays out the shared shape of the tile transforms: for every vector of channels, rows of the source into
// the stack frame, columns of the frame into the target.
//
// Arguments: 0 src, 8 source row stride, 16 source pixel stride, 24 dst, 32 destination row
// stride, 40 destination column stride, 48 destination stride of 16 channels, 56 panels of
// channels, 64 tiles, 72 and 80 source and destination strides of those. All strides are bytes.
func tileTransform(name string, in, out int, consts func() rowEmitter) {
	transform(name, in, out, in, out, func() (down, across rowEmitter) {
		row := consts()
		return row, row
	})
}

// transform is tileTransform of what is not square.
func transform(name string, inDown, outDown, inAcross, outAcross int, consts func() (down, across rowEmitter)) {
	args := function(name, 0) // the frame is too large for NOSPLIT
	srcRow, srcPixel := field(args, 8), field(args, 16)
	dstRow, dstCol := field(args, 32), field(args, 40)
	down, across := consts()
	temp := frame(inDown, outAcross)

	part, parts := GP64(), panel/v.lanes
	Label("tile")
	src, dst, panels := field(args, 0), field(args, 24), field(args, 56)
	Label("panel")
	if parts > 1 {
		MOVQ(U32(parts), part)
		Label("part")
	}
	Comment("Rows of the source, into the frame.")
	p, q := GP64(), GP64()
	MOVQ(src, p)
	for i := 0; i < inDown; i++ {
		MOVQ(p, q)
		d := make([]reg.VecVirtual, inAcross)
		for j := range d {
			d[j] = v.new()
			VMOVUPS(Mem{Base: q}, d[j])
			if j < inAcross-1 {
				ADDQ(srcPixel, q)
			}
		}
		across(d, func(j int, v reg.VecVirtual) { VMOVUPS(v, temp(i, j)) })
		if i < inDown-1 {
			ADDQ(srcRow, p)
		}
	}
	Comment("Columns of the frame, into the target.")
	MOVQ(dst, p)
	for j := 0; j < outAcross; j++ {
		d := make([]reg.VecVirtual, inDown)
		for i := range d {
			d[i] = v.new()
			VMOVUPS(temp(i, j), d[i])
		}
		_, rows := rowAddresses(p, dstRow, outDown)
		down(d, func(i int, v reg.VecVirtual) { VMOVUPS(v, rows(i)) })
		if j < outAcross-1 {
			ADDQ(dstCol, p)
		}
	}
	ADDQ(U32(v.bytes), src)
	if parts > 1 {
		ADDQ(U32(v.bytes), dst)
		DECQ(part)
		JNZ(LabelRef("part"))
		SUBQ(U32(parts*v.bytes), dst)
	}
	ADDQ(Mem{Base: args, Disp: 48}, dst)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	MOVQ(Mem{Base: args, Disp: 72}, p)
	ADDQ(p, Mem{Base: args, Disp: 0})
	MOVQ(Mem{Base: args, Disp: 80}, p)
	ADDQ(p, Mem{Base: args, Disp: 24})
	DECQ(Mem{Base: args, Disp: 64})
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// rowAddresses reaches base + i*stride for i below n with a register for every three more, all of which it returns, too.
func rowAddresses(base reg.GPVirtual, stride reg.Register, n int) ([]reg.GPVirtual, func(i int) Mem) {
	bases := []reg.GPVirtual{base}
	for at := 3; at < n; at += 3 {
		next := GP64()
		LEAQ(Mem{Base: bases[len(bases)-1], Index: stride, Scale: 2}, next)
		ADDQ(stride, next)
		bases = append(bases, next)
	}
	return bases, func(i int) Mem {
		m := Mem{Base: bases[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = stride, uint8(i%3)
		}
		return m
	}
}

// transforms emits all of them; what their rows compute stands in ../portable.go.
func transforms() {
	tileTransform("winogradTileInput", points, points, func() rowEmitter {
		two := constant(2)
		return func(d []reg.VecVirtual, store func(int, reg.VecVirtual)) {
			inputRow([points]reg.VecVirtual(d), two, store)
		}
	})
	tileTransform("winogradTileOutput", points, tap, func() rowEmitter {
		two, four := constant(2), constant(4)
		return func(m []reg.VecVirtual, store func(int, reg.VecVirtual)) {
			outputRow([points]reg.VecVirtual(m), two, four, store)
		}
	})
	if v.spreads {
		transform("winogradStripInput", points, points, stripColumns, stripColumns, func() (down, across rowEmitter) {
			two := constant(2)
			return func(d []reg.VecVirtual, store func(int, reg.VecVirtual)) {
				inputRow([points]reg.VecVirtual(d), two, store)
			}, mapInputRow
		})
		transform("winogradStripOutput", points, tap, stripColumns, 6, func() (down, across rowEmitter) {
			return stripDownOutputRow, stripAcrossOutputRow
		})
	}
	for _, t := range []struct {
		name    string
		in, out int
		row     rowEmitter
	}{
		{"winogradMapInput", 8, 8, mapInputRow},
		{"winogradMapOutput", 8, 6, mapOutputRow},
		{"winogradMapGradient", 6, 8, mapGradientRow},
		{"winogradMapFilter", 3, 8, mapFilterRow},
		{"winogradMapFilterGradient", 8, 3, mapFilterGradientRow},
		{"winogradTileFilter", 3, 5, tileFilterRow},
		{"winogradPairInput", 4, 4, pairInputRow},
		{"winogradPairOutput", 4, 2, pairOutputRow},
		{"winogradPairFilter", 3, 4, pairFilterRow},
	} {
		tileTransform(t.name, t.in, t.out, func() rowEmitter { return t.row })
	}
}
