//go:build simd && !purego

package kernel

import (
	"math"
	"runtime"
	"structs"
	"unsafe"
)

//go:generate go run ./_wasm -out .

// Go's compiler emits no vector instructions for WebAssembly. The fast kernels are a second module,
// simd.wasm or simd_relaxed.wasm, that works on this program's memory; whoever loads the program
// loads it too and hands its functions over as imports. web/src/engine/kernels.js does.
//
// A program with these imports starts nowhere else, so they are for builds that ask: -tags simd, as the page's does.
// Without the tag a program of GOOS=js is portable, and Go's own go_js_wasm_exec runs it.

// fast says that the module's kernels run here.
var fast bool

// The module's versions, as use numbers them.
const (
	scalar = iota
	simd
	relaxedSIMD
)

var version = scalar

// init takes the best version that the loader has and that computes what the portable kernels do:
// what a browser says of itself is not trusted.
func init() {
	for v := int32(relaxedSIMD); v > scalar; v-- {
		if use(v) != 0 && agrees() {
			version = int(v)
			return
		}
	}
	fast = false
}

// Instructions names the vector instructions that the kernels use: "relaxed SIMD", "SIMD" or "scalar".
func Instructions() string { return [...]string{"scalar", "SIMD", "relaxed SIMD"}[version] }

// use makes the imports below those of a version and says whether the loader has it.
//
//go:wasmimport gdram use
func use(version int32) int32

// The argument structs mirror the fields that _wasm reads. Addresses are numbers: the slices are
// kept alive by the callers. Strides are bytes.

type gemmArgs struct {
	_                               structs.HostLayout
	aRow, cRow, aCol, aSegment      uint32
	bRow, bSegment                  uint32
	k, segments, add                uint32
	a, aOuter, b, bPanel, c, cOuter uint32
	outer, rows, panels             uint32
}

type transformArgs struct {
	_                     structs.HostLayout
	src, srcRow, srcPixel uint32
	dst, dstRow, dstPixel uint32
	dstPanel, panels      uint32
}

type poolArgs struct {
	_                              structs.HostLayout
	y, yRow, yPixel                uint32
	pooled, pooledRow, pooledPixel uint32
	table, rows, cols, eights      uint32
}

type lstmArgs struct {
	_                   structs.HostLayout
	gates, c, h, cPrev  uint32
	cells, units, pairs uint32
}

//go:wasmimport gdram gemm
//go:noescape
func gemm(args *gemmArgs)

//go:wasmimport gdram winogradInput
//go:noescape
func winogradInputTile(args *transformArgs)

//go:wasmimport gdram winogradOutput
//go:noescape
func winogradOutputTile(args *transformArgs)

//go:wasmimport gdram affinePool
//go:noescape
func affinePool(args *poolArgs)

//go:wasmimport gdram lstm
//go:noescape
func lstm(args *lstmArgs)

func address(s []float32) uint32 { return uint32(uintptr(unsafe.Pointer(&s[0]))) }

func bytes(n int) uint32 { return uint32(n) * 4 }

func (g *Gemm) fast(outer, segments, bPanel int) {
	args := gemmArgs{
		a: address(g.A), aOuter: bytes(g.AOuter), aRow: bytes(g.ARow), aCol: bytes(g.ACol), aSegment: bytes(g.ASegment),
		b: address(g.B), bPanel: bytes(bPanel), bRow: bytes(g.BRow), bSegment: bytes(g.BSegment),
		c: address(g.C), cOuter: bytes(g.COuter), cRow: bytes(g.CRow),
		outer: uint32(outer), rows: uint32(g.Rows), panels: uint32(g.Columns / Panel),
		segments: uint32(segments), k: uint32(g.K),
	}
	if g.Add {
		args.add = 1
	}
	gemm(&args)
	runtime.KeepAlive(g)
}

func (t *Tiles) fast(transform tileTransform) {
	args := transformArgs{
		src: address(t.Src), srcRow: bytes(t.SrcRow), srcPixel: bytes(t.SrcPixel),
		dst: address(t.Dst), dstRow: bytes(t.DstRow), dstPixel: bytes(t.DstPixel),
		dstPanel: bytes(t.DstPanel), panels: uint32(t.Channels / Panel),
	}
	switch transform {
	case tileInput:
		winogradInputTile(&args)
	case tileOutput:
		winogradOutputTile(&args)
	default:
		t.portable(transform)
	}
	runtime.KeepAlive(t)
}

func (p *Pool) fast(pass poolPass, sums Sums) {
	switch pass {
	case poolForward:
		args := poolArgs{
			y: address(p.Y), yRow: bytes(p.YRow), yPixel: bytes(p.YPixel),
			pooled: address(p.Pooled), pooledRow: bytes(p.PooledRow), pooledPixel: bytes(p.PooledPixel),
			table: address(p.Table), rows: uint32(p.Rows), cols: uint32(p.Cols), eights: uint32(p.Channels / Lanes),
		}
		affinePool(&args)
	case poolSums:
		p.portableGradientSums(sums)
	case poolBackward:
		p.portableGradient()
	}
	runtime.KeepAlive(p)
}

func (l *LSTM) fast() {
	if l.Units%2 != 0 {
		l.portable()
		return
	}
	args := lstmArgs{
		gates: address(l.Gates), c: address(l.C), h: address(l.H), cPrev: address(l.CPrev),
		cells: uint32(l.Cells), units: bytes(l.Units), pairs: uint32(l.Units / 2),
	}
	lstm(&args)
	runtime.KeepAlive(l)
}

// Nobody trains in a browser: the kernels of training alone stay portable.
func (c *Columns) fast(dst, mean []float32) {
	if mean == nil {
		c.portableSums(dst)
	} else {
		c.portableSquares(dst, mean)
	}
}

// agrees runs every kernel of the module on small numbers, and its portable twin. It leaves fast set.
func agrees() bool {
	var in [800]float32
	for i := range in {
		in[i] = float32(i*i%31-15) / 16
	}
	same := func(run func(to []float32)) bool {
		var want, got [400]float32
		fast = false
		run(want[:])
		fast = true
		run(got[:])
		for i := range want {
			if !(math.Abs(float64(want[i]-got[i])) <= 1e-4) { // NaN differs too
				return false
			}
		}
		return true
	}
	product := func(to []float32, rows int) {
		g := Gemm{Outer: 2, Rows: rows, Columns: 2 * Panel, Segments: 2, K: 11,
			A: in[:], AOuter: 3, ARow: 15, ASegment: 60, ACol: 1,
			B: in[Panel:], BPanel: 22 * Panel, BSegment: 11 * Panel, BRow: Panel,
			C: to, COuter: 6 * Panel, CRow: 2 * Panel, Add: rows == 2}
		g.Run()
	}
	tiles := func(to []float32) *Tiles {
		return &Tiles{Src: in[:], SrcRow: 7 * Panel, SrcPixel: Panel,
			Dst: to, DstRow: 5 * Panel, DstPixel: Panel, DstPanel: Panel, Channels: Panel}
	}
	return same(func(to []float32) { product(to, 1) }) &&
		same(func(to []float32) { product(to, 2) }) &&
		same(func(to []float32) { product(to, 3) }) &&
		same(func(to []float32) { tiles(to).Input() }) &&
		same(func(to []float32) { tiles(to).Output() }) &&
		same(func(to []float32) {
			p := Pool{Y: in[:], YRow: 4 * Lanes, YPixel: Lanes, Pooled: to, PooledRow: 2 * Lanes, PooledPixel: Lanes,
				Table: in[400:], Rows: 2, Cols: 2, Channels: Lanes}
			p.Forward()
		}) &&
		same(func(to []float32) {
			copy(to, in[:4*6])
			l := LSTM{Gates: to, C: to[4*6:], H: to[5*6:], CPrev: in[:], Cells: 1, Units: 6}
			l.Run()
		})
}
