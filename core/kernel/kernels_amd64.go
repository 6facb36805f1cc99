//go:build !purego

package kernel

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd _generate && go run . -out ../kernels_amd64.s -pkg kernel"

// fast says that the assembly runs here. GODEBUG=cpu.avx2=off turns it off.
var fast = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// wide says that the kernels of AVX-512 run where there are any. GODEBUG=cpu.avx512f=off turns it off.
var wide = fast && cpu.X86.HasAVX512F

// Fuses says that ConvPool is the fastest way through a layer. Here it is not: there are kernels for its parts.
const Fuses = false

// Instructions names the vector instructions that the kernels use: "AVX-512", "AVX2" or "scalar".
func Instructions() string {
	switch {
	case wide:
		return "AVX-512"
	case fast:
		return "AVX2"
	}
	return "scalar"
}

// The argument structs mirror the offsets in _generate. Addresses are uintptr because the kernels
// advance some of them in place, past the end of their slice at last; the slices are kept alive
// by the callers. Strides are bytes.

type tileArgs struct {
	aGroup, aRow, aCol, aSegment uintptr
	b, bRow, bSegment            uintptr
	cGroup, cRow                 uintptr
	k, segments, groups          uintptr
	a, c                         uintptr
	add                          uintptr
	bPanel, panels               uintptr
}

type transformArgs struct {
	src, srcRow, srcPixel uintptr
	dst, dstRow, dstPixel uintptr
	dstPanel, panels      uintptr
	tiles                 uintptr
	srcNext, dstNext      uintptr
}

type stripArgs struct {
	x, xRow, filters, k uintptr
	c, cRow, panels     uintptr
	maps, xMap, cMap    uintptr
}

type columnArgs struct {
	src, stride, rows, vectors uintptr
	dst, mean                  uintptr
}

type poolArgs struct {
	src, srcRow, srcPixel          uintptr
	pooled, pooledRow, pooledPixel uintptr
	out, outRow, outPixel          uintptr
	table, sums                    uintptr
	channels, rows, cols           uintptr
	top, topRow, topPixel          uintptr
}

type lstmArgs struct {
	gates, c, h, cPrev    uintptr
	cells, units, vectors uintptr
}

// Taps may lie on the stack, which can move until the kernel runs: so they are pointers.
type patchArgs struct {
	image                 uintptr
	rowTaps               unsafe.Pointer
	rows                  uintptr
	columnTaps            unsafe.Pointer
	columns               uintptr
	dst, dstRow, dstPixel uintptr
}

type streamArgs struct {
	dst, src, lines uintptr
}

//go:noescape
func gemmTile1(args *tileArgs)

//go:noescape
func gemmTile2(args *tileArgs)

//go:noescape
func gemmTile3(args *tileArgs)

//go:noescape
func gemmTile4(args *tileArgs)

//go:noescape
func gemmTile5(args *tileArgs)

//go:noescape
func gemmTile6(args *tileArgs)

//go:noescape
func gemmRow(args *tileArgs)

//go:noescape
func wideGemmTile1(args *tileArgs)

//go:noescape
func wideGemmPair1(args *tileArgs)

//go:noescape
func wideGemmTile2(args *tileArgs)

//go:noescape
func wideGemmPair2(args *tileArgs)

//go:noescape
func wideGemmTile4(args *tileArgs)

//go:noescape
func wideGemmQuad4(args *tileArgs)

//go:noescape
func wideGemmPair4(args *tileArgs)

//go:noescape
func wideGemmTile6(args *tileArgs)

//go:noescape
func wideGemmPair6(args *tileArgs)

//go:noescape
func wideGemmTile8(args *tileArgs)

//go:noescape
func wideGemmPair8(args *tileArgs)

//go:noescape
func wideGemmTile12(args *tileArgs)

//go:noescape
func wideGemmPair12(args *tileArgs)

//go:noescape
func wideGemmRow(args *tileArgs)

//go:noescape
func wideGemmRowHalves(args *tileArgs)

//go:noescape
func winogradTileInput(args *transformArgs)

//go:noescape
func winogradTileOutput(args *transformArgs)

//go:noescape
func winogradTileFilter(args *transformArgs)

//go:noescape
func winogradPairInput(args *transformArgs)

//go:noescape
func winogradPairOutput(args *transformArgs)

//go:noescape
func winogradPairFilter(args *transformArgs)

//go:noescape
func winogradMapInput(args *transformArgs)

//go:noescape
func winogradMapOutput(args *transformArgs)

//go:noescape
func winogradMapGradient(args *transformArgs)

//go:noescape
func winogradMapFilter(args *transformArgs)

//go:noescape
func winogradMapFilterGradient(args *transformArgs)

//go:noescape
func wideWinogradTileInput(args *transformArgs)

//go:noescape
func wideWinogradTileOutput(args *transformArgs)

//go:noescape
func wideWinogradTileFilter(args *transformArgs)

//go:noescape
func wideWinogradPairInput(args *transformArgs)

//go:noescape
func wideWinogradPairOutput(args *transformArgs)

//go:noescape
func wideWinogradPairFilter(args *transformArgs)

//go:noescape
func wideWinogradMapInput(args *transformArgs)

//go:noescape
func wideWinogradMapOutput(args *transformArgs)

//go:noescape
func wideWinogradMapGradient(args *transformArgs)

//go:noescape
func wideWinogradMapFilter(args *transformArgs)

//go:noescape
func wideWinogradMapFilterGradient(args *transformArgs)

//go:noescape
func wideWinogradStripInput(args *transformArgs)

//go:noescape
func wideWinogradStripOutput(args *transformArgs)

//go:noescape
func wideStripProducts(args *stripArgs)

//go:noescape
func wideStripProductsHalves(args *stripArgs)

//go:noescape
func columnSums(args *columnArgs)

//go:noescape
func columnSquares(args *columnArgs)

//go:noescape
func affinePool(args *poolArgs)

//go:noescape
func poolSelect(args *poolArgs)

//go:noescape
func poolApply(args *poolArgs)

//go:noescape
func poolGradientSums(args *poolArgs)

//go:noescape
func poolGradient(args *poolArgs)

//go:noescape
func lstm(args *lstmArgs)

//go:noescape
func wideLstm(args *lstmArgs)

//go:noescape
func patch(args *patchArgs)

//go:noescape
func stream(args *streamArgs)

func address(s []float32, index int) uintptr { return uintptr(unsafe.Pointer(&s[index])) }

func bytes(n int) uintptr { return uintptr(n) * 4 }

const (
	tileRows, rowPanels = 6, 4              // rows of the largest gemmTile, panels of gemmRow
	wideRowPanels       = HalvesOut / Panel // panels of wideGemmRow, and of wideGemmRowHalves
)

// fast takes the rows by groups of the largest tile; within those the kernel walks the panels of B, each of which then stays in
// the first-level cache. With one outer row, groups run down the rows; with several, down the outer rows.
func (g *Gemm) fast(outer, segments, bPanel int) {
	args := tileArgs{
		aRow: bytes(g.ARow), aCol: bytes(g.ACol), aSegment: bytes(g.ASegment),
		bRow: bytes(g.BRow), bSegment: bytes(g.BSegment), bPanel: bytes(bPanel), cRow: bytes(g.CRow),
		k: uintptr(g.K), segments: uintptr(segments),
	}
	if g.Add {
		args.add = 1
	}
	panels, from := g.Columns/Panel, 0
	if g.Rows == 1 && outer == 1 && segments == 1 {
		args.a = address(g.A, 0)
		step := rowPanels
		if wide {
			step = wideRowPanels
		}
		for ; from+step <= panels; from += step {
			args.b, args.c = address(g.B, from*bPanel), address(g.C, from*Panel)
			if wide {
				wideGemmRow(&args)
			} else {
				gemmRow(&args)
			}
		}
	}
	for row := 0; row < g.Rows; {
		rows := min(g.Rows-row, tileRows)
		if wide {
			rows = wideRows(g.Rows - row)
		}
		groups := (g.Rows - row) / rows
		next := row + groups*rows
		args.aGroup, args.cGroup, args.groups = bytes(rows*g.ARow), bytes(rows*g.CRow), uintptr(groups)
		if outer > 1 {
			next = row + rows
			args.aGroup, args.cGroup, args.groups = bytes(g.AOuter), bytes(g.COuter), uintptr(outer)
		}
		for panel := from; panel < panels; {
			args.a, args.b, args.c = address(g.A, row*g.ARow), address(g.B, panel*bPanel), address(g.C, row*g.CRow+panel*Panel)
			switch left := panels - panel; {
			case !wide:
				args.panels = uintptr(left)
				gemmTile(rows, &args)
				panel = panels
			case left == 1:
				args.panels = 1
				wideGemmTile(rows, &args)
				panel = panels
			case left >= 4 && rows == 4:
				args.panels = uintptr(left / 4)
				wideGemmQuad4(&args)
				panel += left / 4 * 4
			default:
				args.panels = uintptr(left / 2)
				wideGemmPair(rows, &args)
				panel += left / 2 * 2
			}
		}
		row = next
	}
	runtime.KeepAlive(g)
}

func gemmTile(rows int, args *tileArgs) {
	switch rows {
	case 1:
		gemmTile1(args)
	case 2:
		gemmTile2(args)
	case 3:
		gemmTile3(args)
	case 4:
		gemmTile4(args)
	case 5:
		gemmTile5(args)
	default:
		gemmTile6(args)
	}
}

// wideRows is the tallest tile of AVX-512 with at most so many rows.
func wideRows(most int) int {
	switch {
	case most >= 12:
		return 12
	case most >= 8:
		return 8
	case most >= 6:
		return 6
	case most >= 4:
		return 4
	default:
		return min(most, 2)
	}
}

func wideGemmTile(rows int, args *tileArgs) {
	switch rows {
	case 1:
		wideGemmTile1(args)
	case 2:
		wideGemmTile2(args)
	case 4:
		wideGemmTile4(args)
	case 6:
		wideGemmTile6(args)
	case 8:
		wideGemmTile8(args)
	default:
		wideGemmTile12(args)
	}
}

func wideGemmPair(rows int, args *tileArgs) {
	switch rows {
	case 1:
		wideGemmPair1(args)
	case 2:
		wideGemmPair2(args)
	case 4:
		wideGemmPair4(args)
	case 6:
		wideGemmPair6(args)
	case 8:
		wideGemmPair8(args)
	default:
		wideGemmPair12(args)
	}
}

func (t *Tiles) args() transformArgs {
	return transformArgs{
		src: address(t.Src, 0), srcRow: bytes(t.SrcRow), srcPixel: bytes(t.SrcPixel),
		dst: address(t.Dst, 0), dstRow: bytes(t.DstRow), dstPixel: bytes(t.DstPixel),
		dstPanel: bytes(t.DstPanel), panels: uintptr(t.Channels / Panel),
		tiles: uintptr(max(t.Count, 1)), srcNext: bytes(t.SrcNext), dstNext: bytes(t.DstNext),
	}
}

func (t *Tiles) fast(transform *tileTransform) {
	args := t.args()
	switch transform {
	case &tileInput:
		if wide {
			wideWinogradTileInput(&args)
		} else {
			winogradTileInput(&args)
		}
	case &tileOutput:
		if wide {
			wideWinogradTileOutput(&args)
		} else {
			winogradTileOutput(&args)
		}
	case &tileFilter:
		if wide {
			wideWinogradTileFilter(&args)
		} else {
			winogradTileFilter(&args)
		}
	case &pairInput:
		if wide {
			wideWinogradPairInput(&args)
		} else {
			winogradPairInput(&args)
		}
	case &pairOutput:
		if wide {
			wideWinogradPairOutput(&args)
		} else {
			winogradPairOutput(&args)
		}
	case &pairFilter:
		if wide {
			wideWinogradPairFilter(&args)
		} else {
			winogradPairFilter(&args)
		}
	case &mapInput:
		if wide {
			wideWinogradMapInput(&args)
		} else {
			winogradMapInput(&args)
		}
	case &mapOutput:
		if wide {
			wideWinogradMapOutput(&args)
		} else {
			winogradMapOutput(&args)
		}
	case &mapGradient:
		if wide {
			wideWinogradMapGradient(&args)
		} else {
			winogradMapGradient(&args)
		}
	case &mapFilter:
		if wide {
			wideWinogradMapFilter(&args)
		} else {
			winogradMapFilter(&args)
		}
	case &mapFilterGradient:
		if wide {
			wideWinogradMapFilterGradient(&args)
		} else {
			winogradMapFilterGradient(&args)
		}
	}
	runtime.KeepAlive(t)
}

func (c *Columns) fast(dst, mean []float32) {
	args := columnArgs{
		src: address(c.Src, 0), stride: bytes(c.Stride), rows: uintptr(c.Rows),
		vectors: uintptr(c.Channels / Lanes), dst: address(dst, 0),
	}
	if mean == nil {
		columnSums(&args)
	} else {
		args.mean = address(mean, 0)
		columnSquares(&args)
	}
	runtime.KeepAlive(c)
}

func (p *Pool) fast(pass poolPass, sums Sums) {
	args := poolArgs{
		table: address(p.Table, 0), channels: bytes(p.Channels),
		rows: uintptr(p.Rows), cols: uintptr(p.Cols),
		srcRow: bytes(p.YRow), srcPixel: bytes(p.YPixel), pooledRow: bytes(p.PooledRow), pooledPixel: bytes(p.PooledPixel),
		outRow: bytes(p.DYRow), outPixel: bytes(p.DYPixel), topRow: bytes(p.TopRow), topPixel: bytes(p.TopPixel),
	}
	if p.Y != nil {
		args.src = address(p.Y, 0)
	}
	if p.Top != nil {
		args.top = address(p.Top, 0)
	}
	if p.Pooled != nil {
		args.pooled = address(p.Pooled, 0)
	}
	if p.DY != nil {
		args.out = address(p.DY, 0)
	}
	if sums != nil {
		args.sums = address(sums, 0)
	}
	switch pass {
	case poolForward:
		affinePool(&args)
	case poolTops:
		poolSelect(&args)
	case poolTopsForward:
		poolApply(&args)
	case poolSums:
		poolGradientSums(&args)
	case poolBackward:
		poolGradient(&args)
	}
	runtime.KeepAlive(p)
}

func (l *LSTM) fast() {
	const four, eight = 4, 8
	args := lstmArgs{gates: address(l.Gates, 0), c: address(l.C, 0), h: address(l.H, 0), cPrev: address(l.CPrev, 0),
		cells: uintptr(l.Cells), units: bytes(l.Units)}
	switch {
	case wide && l.Units%eight == 0:
		args.vectors = uintptr(l.Units / eight)
		wideLstm(&args)
	case l.Units%four == 0:
		args.vectors = uintptr(l.Units / four)
		lstm(&args)
	default:
		l.portable()
	}
	runtime.KeepAlive(l)
}

func (p *Patch) fast() {
	args := patchArgs{image: address(p.Image, 0),
		rowTaps: unsafe.Pointer(&p.Rows[0]), rows: uintptr(len(p.Rows)),
		columnTaps: unsafe.Pointer(&p.Columns[0]), columns: uintptr(len(p.Columns)),
		dst: address(p.Dst, 0), dstRow: bytes(p.DstRow), dstPixel: bytes(p.DstPixel)}
	patch(&args)
	runtime.KeepAlive(p)
}

func fastStream(dst, src []float32) {
	const line, vector = 16, 32 // numbers of a cache line, bytes
	if len(src)%line != 0 || address(dst, 0)%vector != 0 {
		copy(dst, src)
		return
	}
	args := streamArgs{address(dst, 0), address(src, 0), uintptr(len(src) / line)}
	stream(&args)
	runtime.KeepAlive(dst)
	runtime.KeepAlive(src)
}

// Wide says that AVX-512's kernels run: Dense makes use of halves, and StripConv has a kernel.
func Wide() bool { return wide }

func (d *Dense) fast() {
	if len(d.Halves) == 0 || d.Rows > 1 || !wide {
		d.portable() // which has Gemm's kernel in it
		return
	}
	d.addBias()
	const half = 2 // bytes
	args := tileArgs{a: address(d.X, 0), aCol: bytes(1), bPanel: uintptr(d.In * Panel * half), bRow: Panel * half, k: uintptr(d.In), add: 1}
	for from := 0; from < d.Out; from += HalvesOut {
		args.b, args.c = uintptr(unsafe.Pointer(&d.Halves[from*d.In])), address(d.Y, from)
		wideGemmRowHalves(&args)
	}
	runtime.KeepAlive(d)
	d.relu()
}

func (p *Panels) fast()                    { p.portable(0) }
func fastHalves(dst []float32, src []byte) { portableHalves(dst, src) }

func fastAcross(dst, src []byte, first []int32, weights []uint32) {
	portableAcross(dst, src, first, weights)
}

func fastDown(dst, src []byte, weights []uint32) { portableDown(dst, src, weights) }

func (c *StripConv) fast(y []float32, yNext int, x []float32, xNext, maps int, points, products []float32) {
	if !wide {
		c.portable(y, yNext, x, xNext, maps, points, products)
		return
	}
	for m := range maps {
		in := c.input(points[m*allPoints*c.inStride():], x[m*xNext:])
		args := in.args()
		wideWinogradStripInput(&args)
	}
	for i := range c.rows {
		row := &c.rows[i]
		args := stripArgs{k: uintptr(c.in), panels: uintptr(c.out / Panel), maps: uintptr(maps),
			x: address(points, i*allPoints/tilePoints*c.inStride()), xRow: bytes(c.inStride()), xMap: bytes(allPoints * c.inStride()),
			c: address(products, i*allPoints/tilePoints*c.outStride()), cRow: bytes(c.outStride()), cMap: bytes(allPoints * c.outStride())}
		if row.taps == nil {
			args.filters = uintptr(unsafe.Pointer(&row.halves[0]))
			wideStripProductsHalves(&args)
		} else {
			args.filters = address(row.taps, 0)
			wideStripProducts(&args)
		}
	}
	for m := range maps {
		out := c.output(y[m*yNext:], products[m*allPoints*c.outStride():])
		args := out.args()
		wideWinogradStripOutput(&args)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(x)
	runtime.KeepAlive(y)
	runtime.KeepAlive(points)
	runtime.KeepAlive(products)
}

// Evaluation here does without ConvPool, see Fuses.

func (c *ConvPool) fastLoad(weights, filters []float32, from int, scale []float32) {
	c.portableLoad(weights, filters, from, scale)
}

func (c *ConvPool) fast(dst []float32, dstRow, dstPixel int, src, points, products, plane, half []float32) {
	c.portable(dst, dstRow, dstPixel, src, points, products, plane)
}
