package kernel

import "encoding/binary"

// portable defines the product. Two rows by four columns of C stay in local variables over all k,
// which is what a compiler without vectors can keep in registers.
func (g *Gemm) portable(outer, segments, bPanel int) {
	packed := g.ACol == 1 && g.BRow == Panel
	for o := range outer {
		for i := 0; i < g.Rows; i += 2 {
			a0 := o*g.AOuter + i*g.ARow
			c0 := o*g.COuter + i*g.CRow
			a1, c1 := a0+g.ARow, c0+g.CRow
			if i+1 == g.Rows { // an odd last row is computed twice
				a1, c1 = a0, c0
			}
			for j := 0; j < g.Columns; j += 4 {
				var x0, x1, x2, x3, y0, y1, y2, y3 float32
				for s := range segments {
					p, q := g.A[a0+s*g.ASegment:], g.A[a1+s*g.ASegment:]
					b := g.B[j/Panel*bPanel+j%Panel+s*g.BSegment:]
					k := 0
					if packed {
						k = g.K &^ 3
						x0, x1, x2, x3, y0, y1, y2, y3 = fours(p[:k], q[:k], b, x0, x1, x2, x3, y0, y1, y2, y3)
					}
					for ; k < g.K; k++ {
						u, v, w := p[k*g.ACol], q[k*g.ACol], (*[4]float32)(b[k*g.BRow:])
						x0 += u * w[0]
						x1 += u * w[1]
						x2 += u * w[2]
						x3 += u * w[3]
						y0 += v * w[0]
						y1 += v * w[1]
						y2 += v * w[2]
						y3 += v * w[3]
					}
				}
				c, d := g.C[c0+j:c0+j+4], g.C[c1+j:c1+j+4]
				if g.Add {
					x0, x1, x2, x3 = x0+c[0], x1+c[1], x2+c[2], x3+c[3]
					y0, y1, y2, y3 = y0+d[0], y1+d[1], y2+d[2], y3+d[3]
				}
				c[0], c[1], c[2], c[3] = x0, x1, x2, x3
				d[0], d[1], d[2], d[3] = y0, y1, y2, y3
			}
		}
	}
}

// fours is portable's inner loop where A is contiguous and B packed, four k at a time: in WebAssembly a
// loop's way back is dear, and dearer in a large function.
func fours(p, q, b []float32, x0, x1, x2, x3, y0, y1, y2, y3 float32) (_, _, _, _, _, _, _, _ float32) {
	for len(p) >= 4 && len(q) >= 4 && len(b) > 3*Panel+3 {
		x0 += p[0]*b[0] + p[1]*b[16] + p[2]*b[32] + p[3]*b[48]
		y0 += q[0]*b[0] + q[1]*b[16] + q[2]*b[32] + q[3]*b[48]
		x1 += p[0]*b[1] + p[1]*b[17] + p[2]*b[33] + p[3]*b[49]
		y1 += q[0]*b[1] + q[1]*b[17] + q[2]*b[33] + q[3]*b[49]
		x2 += p[0]*b[2] + p[1]*b[18] + p[2]*b[34] + p[3]*b[50]
		y2 += q[0]*b[2] + q[1]*b[18] + q[2]*b[34] + q[3]*b[50]
		x3 += p[0]*b[3] + p[1]*b[19] + p[2]*b[35] + p[3]*b[51]
		y3 += q[0]*b[3] + q[1]*b[19] + q[2]*b[35] + q[3]*b[51]
		p, q, b = p[4:], q[4:], b[min(4*Panel, len(b)):] // the last row of B may end within a panel
	}
	return x0, x1, x2, x3, y0, y1, y2, y3
}

// line is a row or a column of a tile; small ones leave the rest unused. Transforms take and return it by value: what is
// handed by address to a function that is not known escapes.
type line = [mapPoints]float32

func tileInputLine(d line) (t line) {
	s, u := d[3]-d[1], d[3]-d[2]
	t[0] = 2*(d[0]-d[2]) + s
	t[1] = u - 2*d[1]
	t[2] = 2*(d[1]-d[2]) + u
	t[3] = s
	t[4] = d[4] - d[2] - 2*s
	return t
}

func tileOutputLine(m line) (y line) {
	sum := m[1] + m[2]
	y[0] = m[0] + m[3] + sum
	y[1] = m[1] - m[2] + 2*m[3]
	y[2] = sum + m[4] + 4*m[3]
	return y
}

func tileFilterLine(g line) (u line) {
	u[0], u[4] = 1./2*g[0], g[2]
	u[1] = -1./2*g[0] - 1./2*g[1] - 1./2*g[2]
	u[2] = -1./6*g[0] + 1./6*g[1] - 1./6*g[2]
	u[3] = 1./6*g[0] + 1./3*g[1] + 2./3*g[2]
	return u
}

func pairInputLine(d line) (t line) {
	t[0], t[1], t[2], t[3] = d[0]-d[2], d[1]+d[2], d[2]-d[1], d[1]-d[3]
	return t
}

func pairOutputLine(m line) (y line) {
	y[0], y[1] = m[0]+m[1]+m[2], m[1]-m[2]-m[3]
	return y
}

func pairFilterLine(g line) (u line) {
	even, odd := 1./2*(g[0]+g[2]), 1./2*g[1]
	u[0], u[1], u[2], u[3] = g[0], even+odd, even-odd, g[2]
	return u
}

func fourInputLine(d line) (t line) {
	t[0] = 4*d[0] - 5*d[2] + d[4]
	t[5] = 4*d[1] - 5*d[3] + d[5]
	even, odd := d[4]-4*d[2], d[3]-4*d[1]
	t[1], t[2] = even+odd, even-odd
	even, odd = d[4]-d[2], 2*(d[3]-d[1])
	t[3], t[4] = even+odd, even-odd
	return t
}

func fourOutputLine(m line) (y line) {
	s1, s2 := m[1]+m[2], m[3]+m[4]
	d1, d2 := m[1]-m[2], m[3]-m[4]
	y[0] = m[0] + s1 + s2
	y[1] = d1 + 2*d2
	y[2] = s1 + 4*s2
	y[3] = d1 + 8*d2 + m[5]
	return y
}

func mapInputLine(d line) (t line) {
	t[0] = d[0] - d[6] + 21./4*(d[4]-d[2])
	t[7] = d[7] - d[1] + 21./4*(d[3]-d[5])
	even, odd := d[2]+d[6]-17./4*d[4], d[1]+d[5]-17./4*d[3]
	t[1], t[2] = even+odd, even-odd
	even, odd = d[6]+1./4*d[2]-5./4*d[4], 1./2*d[1]-5./2*d[3]+2*d[5]
	t[3], t[4] = even+odd, even-odd
	even, odd = d[6]+4*d[2]-5*d[4], 2*d[1]-5./2*d[3]+1./2*d[5]
	t[5], t[6] = even+odd, even-odd
	return t
}

func mapOutputLine(m line) (y line) {
	s1, s2, s3 := m[1]+m[2], m[3]+m[4], m[5]+m[6]
	d1, d2, d3 := m[1]-m[2], m[3]-m[4], m[5]-m[6]
	y[0] = m[0] + s1 + s2 + s3
	y[1] = d1 + 2*d2 + 1./2*d3
	y[2] = s1 + 4*s2 + 1./4*s3
	y[3] = d1 + 8*d2 + 1./8*d3
	y[4] = s1 + 16*s2 + 1./16*s3
	y[5] = m[7] + d1 + 32*d2 + 1./32*d3
	return y
}

func mapGradientLine(y line) (m line) {
	m[0], m[7] = y[0], y[5]
	even, odd := y[0]+y[2]+y[4], y[1]+y[3]+y[5]
	m[1], m[2] = even+odd, even-odd
	even, odd = y[0]+4*y[2]+16*y[4], 2*y[1]+8*y[3]+32*y[5]
	m[3], m[4] = even+odd, even-odd
	even, odd = y[0]+1./4*y[2]+1./16*y[4], 1./2*y[1]+1./8*y[3]+1./32*y[5]
	m[5], m[6] = even+odd, even-odd
	return m
}

func mapFilterLine(g line) (u line) {
	u[0], u[7] = g[0], g[2]
	even, odd := -2./9*(g[0]+g[2]), -2./9*g[1]
	u[1], u[2] = even+odd, even-odd
	even, odd = 1./90*g[0]+2./45*g[2], 1./45*g[1]
	u[3], u[4] = even+odd, even-odd
	even, odd = 32./45*g[0]+8./45*g[2], 16./45*g[1]
	u[5], u[6] = even+odd, even-odd
	return u
}

func mapFilterGradientLine(u line) (g line) {
	s1, s2, s3 := u[1]+u[2], u[3]+u[4], u[5]+u[6]
	d1, d2, d3 := u[1]-u[2], u[3]-u[4], u[5]-u[6]
	g[0] = u[0] - 2./9*s1 + 1./90*s2 + 32./45*s3
	g[1] = -2./9*d1 + 1./45*d2 + 16./45*d3
	g[2] = u[7] - 2./9*s1 + 2./45*s2 + 8./45*s3
	return g
}

// portable transforms a square.
func (t *Tiles) portable(transform *tileTransform) { t.portableLines(transform, transform) }

// portableLines transforms rows of every source tile, then columns of the result.
func (t *Tiles) portableLines(across, down *tileTransform) {
	var half [mapPoints]line // [in row][out column]
	var src line
	for tile := range max(t.Count, 1) {
		from, to := t.Src[tile*t.SrcNext:], t.Dst[tile*t.DstNext:]
		for c := range t.Channels {
			for i := range down.in {
				for j := range across.in {
					src[j] = from[i*t.SrcRow+j*t.SrcPixel+c]
				}
				half[i] = across.line(src)
			}
			at := c/Panel*t.DstPanel + c%Panel
			for j := range across.out {
				for i := range down.in {
					src[i] = half[i][j]
				}
				dst := down.line(src)
				for i := range down.out {
					to[at+i*t.DstRow+j*t.DstPixel] = dst[i]
				}
			}
		}
	}
}

func (c *Columns) portableSums(dst []float32) {
	clear(dst)
	for r := range c.Rows {
		for i, v := range c.Src[r*c.Stride:][:c.Channels] {
			dst[i] += v
		}
	}
}

func (c *Columns) portableSquares(dst, mean []float32) {
	clear(dst)
	for r := range c.Rows {
		for i, v := range c.Src[r*c.Stride:][:c.Channels] {
			d := v - mean[i]
			dst[i] += d * d
		}
	}
}

func (p *Pool) portable(pass poolPass, sums Sums) {
	switch pass {
	case poolForward:
		p.portableForward()
	case poolTops:
		p.portableSelect()
	case poolTopsForward:
		p.portableApply()
	case poolSums:
		p.portableGradientSums(sums)
	case poolBackward:
		p.portableGradient()
	}
}

// each calls do for every pooled pixel: where its window, its gradients, its largest value and itself begin, channel 0.
func (p *Pool) each(do func(y, dy, top, pooled int)) {
	for r := range p.Rows {
		for c := range p.Cols {
			do(2*r*p.YRow+2*c*p.YPixel, 2*r*p.DYRow+2*c*p.DYPixel, r*p.TopRow+c*p.TopPixel, r*p.PooledRow+c*p.PooledPixel)
		}
	}
}

// square returns how far the pixels of a 2x2 window are from its first.
func square(row, pixel int) [4]int { return [4]int{0, pixel, row, row + pixel} }

func (p *Pool) portableForward() {
	window := square(p.YRow, p.YPixel)
	p.each(func(y, _, _, pooled int) {
		for ch := range p.Channels {
			scale, shift := p.Table.At(TableScale, ch), p.Table.At(TableShift, ch)
			var top float32
			for _, off := range window {
				top = max(top, scale*p.Y[y+off+ch]+shift)
			}
			p.Pooled[pooled+ch] = top
		}
	})
}

func (p *Pool) portableSelect() {
	window := square(p.YRow, p.YPixel)
	p.each(func(y, _, top, _ int) {
		for ch := range p.Channels {
			sign, best := p.Table.At(TableScale, ch), p.Y[y+ch]
			for _, off := range window[1:] {
				if v := p.Y[y+off+ch]; sign*v > sign*best {
					best = v
				}
			}
			p.Top[top+ch] = best
		}
	})
}

func (p *Pool) portableApply() {
	p.each(func(_, _, top, pooled int) {
		for ch := range p.Channels {
			p.Pooled[pooled+ch] = max(0, p.Table.At(TableScale, ch)*p.Top[top+ch]+p.Table.At(TableShift, ch))
		}
	})
}

// alive is the gradient of a pooled pixel, 0 where the ReLU let nothing pass.
func (p *Pool) alive(top, pooled, ch int) float32 {
	if p.Table.At(TableScale, ch)*p.Top[top+ch]+p.Table.At(TableShift, ch) > 0 {
		return p.Pooled[pooled+ch]
	}
	return 0
}

func (p *Pool) portableGradientSums(sums Sums) {
	p.each(func(_, _, top, pooled int) {
		for ch := range p.Channels {
			dz := p.alive(top, pooled, ch)
			sums.Add(0, ch, dz)
			sums.Add(1, ch, dz*(p.Top[top+ch]-p.Table.At(TableMean, ch)))
		}
	})
}

func (p *Pool) portableGradient() {
	from, to := square(p.YRow, p.YPixel), square(p.DYRow, p.DYPixel)
	p.each(func(y, dy, top, pooled int) {
		for ch := range p.Channels {
			dz := p.Table.At(TableScale, ch) * p.alive(top, pooled, ch)
			for i := range from {
				v := p.Y[y+from[i]+ch]
				d := p.Table.At(TableMean, ch) - p.Table.At(TableSlope, ch)*v
				if v == p.Top[top+ch] {
					d, dz = d+dz, 0 // the first that is equal takes it all
				}
				p.DY[dy+to[i]+ch] = d
			}
		}
	})
}

// portable takes all tiles to their points, then for each panel of sixteen output channels the products and back.
func (c *ConvPool) portable(dst []float32, dstRow, dstPixel int, src, points, products, plane []float32) {
	m := c.maps
	side, stride := m.side(), c.pointStride()
	lines := (side + 2) * c.in
	in := Tiles{SrcRow: lines, SrcPixel: c.in, DstRow: m.across.points * stride, DstPixel: stride, DstPanel: Panel, Channels: c.in}
	for tile := range m.tiles() {
		in.Src = src[tile/m.wide*m.down.outputs*lines+tile%m.wide*m.across.outputs*c.in:]
		in.Dst = points[tile*c.in:]
		in.portableLines(m.across.input, m.down.input)
	}
	row := m.tiles() * Panel
	product := Gemm{Rows: m.tiles(), Columns: Panel, K: c.in, ARow: c.in, ACol: 1, BRow: Panel, CRow: Panel}
	back := Tiles{SrcRow: m.across.points * row, SrcPixel: row, DstRow: side * Panel, DstPixel: Panel, DstPanel: Panel, Channels: Panel}
	for out := 0; out < c.out; out += Panel {
		for p := range m.points() {
			product.A, product.B = points[p*stride:], c.weights[(out*m.points()+p*Panel)*c.in:]
			product.C = products[p*row:]
			product.portable(1, 1, 0)
		}
		for tile := range m.tiles() {
			back.Src = products[tile*Panel:]
			back.Dst = plane[(tile/m.wide*m.down.outputs*side+tile%m.wide*m.across.outputs)*Panel:]
			back.portableLines(m.across.output, m.down.output)
		}
		for row := range side / 2 {
			for column := range side / 2 {
				to, shift := dst[row*dstRow+column*dstPixel+out:][:Panel], c.shift[out:][:Panel]
				top, bottom := plane[(2*row*side+2*column)*Panel:], plane[((2*row+1)*side+2*column)*Panel:]
				for ch := range to {
					y := greater(greater(top[ch], top[Panel+ch]), greater(bottom[ch], bottom[Panel+ch]))
					to[ch] = greater(y+shift[ch], 0)
				}
			}
		}
	}
}

// portable takes both strips of a map to their points, then row by row of those the products, and back.
func (c *StripConv) portable(y []float32, yNext int, x []float32, xNext, maps int, points, products []float32) {
	for m := range maps {
		in, out := c.input(points, x[m*xNext:]), c.output(y[m*yNext:], products)
		in.portableLines(&mapInput, &tileInput)
		clear(products)
		for p := range stripPoints {
			for o := range c.out {
				for k := range c.in {
					u := dot(stripAcross[p%mapPoints], c.taps(p/mapPoints, o, k))
					for s := range strips {
						products[(p*strips+s)*c.outStride()+o] += u * points[(p*strips+s)*c.inStride()+k]
					}
				}
			}
		}
		out.portableLines(&stripAcrossOutput, &stripDownOutput)
	}
}

// taps is a row of a filter, transformed down.
func (c *StripConv) taps(point, out, in int) (g taps3) {
	row := &c.rows[point]
	for j := range g {
		at := c.tap(out, in, j)
		if row.taps == nil {
			g[j] = half(uint32(row.halves[at]))
		} else {
			g[j] = row.taps[at]
		}
	}
	return g
}

// The ways back of StripConv, with the factors that its filters lack.
var (
	stripAcrossOutput = tileTransform{mapPoints, mapSize, func(m line) line {
		for p, factor := range [mapPoints]float32{1, -2. / 9, -2. / 9, 1. / 90, 1. / 90, 8. / 45, 8. / 45, 1} {
			m[p] *= factor
		}
		return mapOutputLine(m)
	}}
	stripDownOutput = tileTransform{tilePoints, tileSize, func(m line) line {
		for p, factor := range [tilePoints]float32{1. / 2, -1. / 2, -1. / 6, 1. / 6, 1} {
			m[p] *= factor
		}
		return tileOutputLine(m)
	}}
)

// greater is max without minding NaN, for which Go calls a function in WebAssembly.
func greater(a, b float32) float32 {
	if a < b {
		return b
	}
	return a
}

// portable is a product between a bias and ReLU: where Gemm has a kernel, so has this.
func (d *Dense) portable() {
	d.addBias()
	g := Gemm{Rows: d.Rows, Columns: d.Out, K: d.In, A: d.X, ARow: d.In, ACol: 1,
		B: d.Weight, BPanel: d.In * Panel, BRow: Panel, C: d.Y, CRow: d.Out, Add: true}
	g.Run()
	d.relu()
}

// addBias writes the bias, where there is one, for products to be added.
func (d *Dense) addBias() {
	if d.Bias != nil {
		for i := range d.Rows {
			copy(d.Y[i*d.Out:], d.Bias[:d.Out])
		}
	}
}

func (d *Dense) relu() {
	if d.ReLU {
		y := d.Y[:d.Rows*d.Out]
		for i, v := range y {
			y[i] = greater(v, 0)
		}
	}
}

func (p *Patch) portable() {
	for i := range p.Rows {
		row, out := &p.Rows[i], p.Dst[i*p.DstRow:]
		top, bottom := p.Image[row.At0:], p.Image[row.At1:]
		w00, w01 := row.Weight0, row.Weight1
		for j := range p.Columns {
			column := &p.Columns[j]
			a, b := top[column.At0:][:3], top[column.At1:][:3]
			c, d := bottom[column.At0:][:3], bottom[column.At1:][:3]
			o := out[j*p.DstPixel:][:3]
			left, right := column.Weight0, column.Weight1
			o[0] = float32(left*(float32(w00*a[0])+float32(w01*c[0]))) + float32(right*(float32(w00*b[0])+float32(w01*d[0])))
			o[1] = float32(left*(float32(w00*a[1])+float32(w01*c[1]))) + float32(right*(float32(w00*b[1])+float32(w01*d[1])))
			o[2] = float32(left*(float32(w00*a[2])+float32(w01*c[2]))) + float32(right*(float32(w00*b[2])+float32(w01*d[2])))
		}
	}
}

func portableHalves(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(uint32(src[2*i]) | uint32(src[2*i+1])<<8)
	}
}

// portable lays out the panels from the given row on, the first of a panel.
func (p *Panels) portable(from int) {
	for ; from < p.Rows; from += Panel {
		rows := min(Panel, p.Rows-from)
		dst := p.Dst[from/Panel*p.DstPanel:][:p.K*Panel]
		src := p.Src[from*p.SrcRow:]
		for k := range p.K {
			to := dst[k*Panel:][:Panel]
			at := k * p.SrcCol
			for r := range to[:rows] {
				to[r] = src[at]
				at += p.SrcRow
			}
			clear(to[rows:])
		}
	}
}

// portableLoad takes the filters to their points, G·g·Gᵀ with G down and Gᵀ across.
func (c *ConvPool) portableLoad(weights, filters []float32, from int, scale []float32) {
	down, across := c.maps.down, c.maps.across
	var half [mapPoints * filterSize]float32 // G·g
	for out := range Panel {
		to := weights[out:]
		for in := range from {
			g, m := filters[(out*from+in)*9:][:9], down.filter
			for i := range down.points {
				for j := range filterSize {
					half[i*filterSize+j] = scale[out] * (m[i*3]*g[j] + m[i*3+1]*g[3+j] + m[i*3+2]*g[6+j])
				}
			}
			for p := range c.maps.points() {
				u, row := half[p/across.points*filterSize:][:filterSize], across.filter[p%across.points*3:][:3]
				to[(p*c.in+in)*Panel] = u[0]*row[0] + u[1]*row[1] + u[2]*row[2]
			}
		}
	}
}

func (l *LSTM) portable() {
	H := l.Units
	for n := range l.Cells {
		row := l.Gates[n*4*H : (n+1)*4*H] // [4][H]
		in, forget, cell, out := row[:H], row[H:][:H], row[2*H:][:H], row[3*H:][:H]
		cRow, hRow, cPrevRow := l.C[n*H:][:H], l.H[n*H:][:H], l.CPrev[n*H:][:H]
		for u := range H {
			i, f := Sigmoid(in[u]), Sigmoid(forget[u])
			g, o := Tanh(cell[u]), Sigmoid(out[u])
			now := float32(f*cPrevRow[u]) + float32(i*g)
			in[u], forget[u], cell[u], out[u] = i, f, g, o
			cRow[u] = now
			hRow[u] = o * Tanh(now)
		}
	}
}

// Both keep two bytes, with their sums, in the low and the high 32 bits of a number, so that one multiplication serves both.
const (
	bytePair   = 0x000000ff_000000ff
	shrinkPair = shrinkHalf | shrinkHalf<<32
)

func portableAcross(dst, src []byte, first []int32, weights []uint32) {
	taps := len(weights) / len(first)
	for i, f := range first {
		from, filter := src[4*f:][:4*taps], weights[i*taps:][:taps]
		even, odd := uint64(shrinkPair), uint64(shrinkPair) // bytes 0 and 2, 1 and 3
		for len(filter) >= 2 && len(from) >= 8 {            // two pixels at once: turns of the loop cost as much as their sums
			k, l, both := uint64(filter[0]), uint64(filter[1]), binary.LittleEndian.Uint64(from)
			p, q := both&0xffffffff, both>>32
			even += k*((p|p<<16)&bytePair) + l*((q|q<<16)&bytePair)
			odd += k*((p>>8|p<<8)&bytePair) + l*((q>>8|q<<8)&bytePair)
			filter, from = filter[2:], from[8:]
		}
		even, odd = even>>ShrinkBits&bytePair, odd>>ShrinkBits&bytePair
		binary.LittleEndian.PutUint32(dst[4*i:], uint32(even|even>>16|odd<<8|odd>>8))
	}
}

func portableDown(dst, src []byte, weights []uint32) {
	for i := 0; i < len(dst); i += 8 {
		var a, b, c, d uint64 = shrinkPair, shrinkPair, shrinkPair, shrinkPair // bytes 0 and 4, 1 and 5, 2 and 6, 3 and 7
		at := i
		for _, w := range weights {
			k, eight := uint64(w), binary.LittleEndian.Uint64(src[at:])
			a += k * (eight & bytePair)
			b += k * (eight >> 8 & bytePair)
			c += k * (eight >> 16 & bytePair)
			d += k * (eight >> 24 & bytePair)
			at += len(dst)
		}
		a, b, c, d = a>>ShrinkBits&bytePair, b>>ShrinkBits&bytePair, c>>ShrinkBits&bytePair, d>>ShrinkBits&bytePair
		binary.LittleEndian.PutUint64(dst[i:], a|b<<8|c<<16|d<<24)
	}
}
