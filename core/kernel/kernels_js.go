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

// Fuses says that ConvPool is the fastest way through a layer.
const Fuses = true

// Wide says that there are AVX-512's kernels.
func Wide() bool { return false }

// Instructions names the vector instructions that the kernels use: "relaxed SIMD", "SIMD" or "scalar".
func Instructions() string { return [...]string{"scalar", "SIMD", "relaxed SIMD"}[version] }

// use makes the imports below those of a version and says whether the loader has it.
//
//go:wasmimport gdram use
func use(version int32) int32

// The argument structs mirror the fields that _wasm reads. Addresses are numbers: the slices are
// kept alive by the callers. Strides are bytes.

type denseArgs struct {
	_                                         structs.HostLayout
	x, xRow, weights, panelStride, y, yRow    uint32
	from, fromRow, eights, rest, rows, panels uint32
	floor                                     float32
}

type lstmArgs struct {
	_                   structs.HostLayout
	gates, c, h, cPrev  uint32
	cells, units, pairs uint32
}

type convPoolArgs struct {
	_                              structs.HostLayout
	src, srcRow, srcPixel, quads   uint32
	points, weights, shift, panels uint32
	products, plane, half          uint32
	dst, dstRow, dstPixel          uint32
}

type filterArgs struct {
	_                                               structs.HostLayout
	dst, stride, src, srcRow, channels, scale, half uint32
}

type panelArgs struct {
	_                                             structs.HostLayout
	dst, dstPanel, src, srcRow, srcCol, k, panels uint32
}

type halfArgs struct {
	_                structs.HostLayout
	dst, src, eights uint32
}

type patchArgs struct {
	_                                    structs.HostLayout
	dst, dstRow, dstPixel, image         uint32
	rows, rowCount, columns, columnCount uint32
}

type acrossArgs struct {
	_                                      structs.HostLayout
	dst, src, first, count, weights, fours uint32
}

type downArgs struct {
	_                                         structs.HostLayout
	dst, src, stride, weights, taps, sixteens uint32
}

//go:wasmimport gdram across
//go:noescape
func across(args *acrossArgs)

//go:wasmimport gdram down
//go:noescape
func down(args *downArgs)

//go:wasmimport gdram patch
//go:noescape
func patch(args *patchArgs)

//go:wasmimport gdram halves
//go:noescape
func halves(args *halfArgs)

//go:wasmimport gdram panels
//go:noescape
func panels(args *panelArgs)

//go:wasmimport gdram filtersTwelve
//go:noescape
func filtersTwelve(args *filterArgs)

//go:wasmimport gdram filtersSix
//go:noescape
func filtersSix(args *filterArgs)

//go:wasmimport gdram dense
//go:noescape
func dense(args *denseArgs)

//go:wasmimport gdram lstm
//go:noescape
func lstm(args *lstmArgs)

//go:wasmimport gdram convPoolTwelve
//go:noescape
func convPoolTwelve(args *convPoolArgs)

//go:wasmimport gdram convPoolSix
//go:noescape
func convPoolSix(args *convPoolArgs)

func address[T any](s []T) uint32 { return uint32(uintptr(unsafe.Pointer(&s[0]))) }

func bytes(n int) uint32 { return uint32(n) * 4 }

// floor is the least that the layer gives.
func (d *Dense) floor() float32 {
	if d.ReLU {
		return 0
	}
	return float32(math.Inf(-1))
}

func (d *Dense) fast() {
	args := denseArgs{
		x: address(d.X), xRow: bytes(d.In), weights: address(d.Weight), panelStride: bytes(d.In * Panel),
		y: address(d.Y), yRow: bytes(d.Out), from: address(d.Y), fromRow: bytes(d.Out),
		eights: uint32(d.In / 8), rest: uint32(d.In % 8), rows: uint32(d.Rows), panels: uint32(d.Out / Panel),
		floor: d.floor(),
	}
	if d.Bias != nil {
		args.from, args.fromRow = address(d.Bias), 0
	}
	dense(&args)
	runtime.KeepAlive(d)
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

func (c *ConvPool) fast(dst []float32, dstRow, dstPixel int, src, points, products, plane, half []float32) {
	args := convPoolArgs{
		src: address(src), srcRow: bytes((c.maps.side() + 2) * c.in), srcPixel: bytes(c.in), quads: uint32(c.in / 4),
		points: address(points), weights: address(c.weights), shift: address(c.shift), panels: uint32(c.out / Panel),
		products: address(products), plane: address(plane), half: address(half),
		dst: address(dst), dstRow: bytes(dstRow), dstPixel: bytes(dstPixel),
	}
	if c.maps == &maps12 {
		convPoolTwelve(&args)
	} else {
		convPoolSix(&args)
	}
	runtime.KeepAlive(c)
}

// Evaluation here does without StripConv.
func (c *StripConv) fast(y []float32, yNext int, x []float32, xNext, maps int, points, products []float32) {
	c.portable(y, yNext, x, xNext, maps, points, products)
}

func (c *ConvPool) fastLoad(weights, filters []float32, from int, scale []float32) {
	half := make([]float32, c.maps.points()*convLanes)
	args := filterArgs{
		dst: address(weights), stride: bytes(c.in * Panel), src: address(filters), srcRow: bytes(from * 9),
		channels: uint32(from), scale: address(scale), half: address(half),
	}
	if c.maps == &maps12 {
		filtersTwelve(&args)
	} else {
		filtersSix(&args)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(half)
}

// fast lays out full panels; a last one that is not is laid out as portable does.
func (p *Panels) fast() {
	full := p.Rows / Panel
	if full > 0 {
		args := panelArgs{
			dst: address(p.Dst), dstPanel: bytes(p.DstPanel), src: address(p.Src), srcRow: bytes(p.SrcRow), srcCol: bytes(p.SrcCol),
			k: uint32(p.K), panels: uint32(full),
		}
		panels(&args)
	}
	p.portable(full * Panel)
	runtime.KeepAlive(p)
}

func (p *Patch) fast() {
	args := patchArgs{
		dst: address(p.Dst), dstRow: bytes(p.DstRow), dstPixel: bytes(p.DstPixel), image: address(p.Image),
		rows: address(p.Rows), rowCount: uint32(len(p.Rows)), columns: address(p.Columns), columnCount: uint32(len(p.Columns)),
	}
	patch(&args)
	runtime.KeepAlive(p)
}

func fastHalves(dst []float32, src []byte) {
	eights := len(dst) / 8
	if eights > 0 {
		args := halfArgs{dst: address(dst), src: address(src), eights: uint32(eights)}
		halves(&args)
		runtime.KeepAlive(dst)
		runtime.KeepAlive(src)
	}
	portableHalves(dst[8*eights:], src[16*eights:])
}

func fastAcross(dst, src []byte, first []int32, weights []uint32) {
	args := acrossArgs{
		dst: address(dst), src: address(src), first: address(first), count: uint32(len(first)),
		weights: address(weights), fours: uint32(len(weights) / len(first) / 4),
	}
	across(&args)
	runtime.KeepAlive(dst)
	runtime.KeepAlive(src)
	runtime.KeepAlive(first)
	runtime.KeepAlive(weights)
}

func fastDown(dst, src []byte, weights []uint32) {
	args := downArgs{
		dst: address(dst), src: address(src), stride: uint32(len(dst)), weights: address(weights), taps: uint32(len(weights)),
		sixteens: uint32(len(dst) / 16),
	}
	down(&args)
	runtime.KeepAlive(dst)
	runtime.KeepAlive(src)
	runtime.KeepAlive(weights)
}

// Nobody trains in a browser, and evaluation has kernels for whole layers: what is left stays portable.

func (g *Gemm) fast(outer, segments, bPanel int) { g.portable(outer, segments, bPanel) }

func fastStream(dst, src []float32) { copy(dst, src) }

func (t *Tiles) fast(transform *tileTransform) { t.portable(transform) }

func (p *Pool) fast(pass poolPass, sums Sums) { p.portable(pass, sums) }

func (c *Columns) fast(dst, mean []float32) {
	if mean == nil {
		c.portableSums(dst)
	} else {
		c.portableSquares(dst, mean)
	}
}
