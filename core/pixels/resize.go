package pixels

import (
	"math"

	"gdram/core/kernel"
)

// Resizer enlarges or shrinks pictures of one size so that their short side becomes Size,
// and keeps the middle Size x Size of that. It holds the filter and the working memory:
// Resize allocates nothing. One goroutine at a time.
type Resizer struct {
	channels int
	width    int // of the source, in pixels
	columns  axis
	rows     axis
	stride   int     // pairs in a row of the result
	line     []uint8 // [2*stride]: a row resized along x
	between  []pair  // [rows.hi-rows.lo][stride]: all rows that count, resized along x
	sums     []pair  // [stride]: a row of the result in the making
}

// pair holds two neighbouring bytes, or weighted sums of them, in its low and its high 32
// bits. As no sum reaches 32 bits, one multiplication serves both.
type pair = uint64

// NewResizer prepares for sources of width x height pixels, each at least 1, with the
// channels of a pixel side by side.
func NewResizer(width, height, channels int) *Resizer {
	columns, rows := axes(width, height)
	return newResizer(width, height, channels, columns, rows)
}

// axes are the filters that make the short side Size and keep the middle Size of the long one.
func axes(width, height int) (columns, rows axis) {
	outWidth, outHeight := Size, Size
	if width > height {
		outWidth = Size * width / height
	} else {
		outHeight = Size * height / width
	}
	return newAxis(width, outWidth, (outWidth-Size)/2, Size), newAxis(height, outHeight, (outHeight-Size)/2, Size)
}

func newResizer(width, height, channels int, columns, rows axis) *Resizer {
	stride := len(columns.taps) * channels / 2 // the window is of even width
	return &Resizer{
		channels: channels, width: width, columns: columns, rows: rows,
		stride:  stride,
		line:    make([]uint8, 2*stride),
		between: make([]pair, (rows.hi-rows.lo)*stride),
		sums:    make([]pair, stride),
	}
}

// Resize reads src [height][width][channels] and fills dst [Size][Size][channels].
func (r *Resizer) Resize(dst, src []uint8) {
	for y := r.rows.lo; y < r.rows.hi; y++ {
		r.alongX(y, src[(y*r.width+r.columns.lo)*r.channels:])
	}
	r.alongY(dst)
}

// alongX resizes source row y, of which row holds the pixels from column columns.lo on.
// The result is rounded to bytes before the second pass: the reference does, and
// agreeing with it to the bit is what this filter is for.
func (r *Resizer) alongX(y int, row []uint8) {
	ch := r.channels
	line := r.line
	for _, t := range r.columns.taps {
		from := row[(t.first-r.columns.lo)*ch:]
		if len(t.weights) == 2 { // almost always when enlarging, as data sets do
			k, l := uint64(t.weights[0]), uint64(t.weights[1])
			a, b := from[:ch], from[ch:][:ch]
			for c, v := range a {
				line[c] = uint8((half + k*uint64(v) + l*uint64(b[c])) >> bits)
			}
		} else {
			for c := range ch {
				sum, p := uint64(half), c
				for _, k := range t.weights {
					sum += uint64(k) * uint64(from[p])
					p += ch
				}
				line[c] = uint8(sum >> bits)
			}
		}
		line = line[ch:]
	}
	out := r.between[(y-r.rows.lo)*r.stride:][:r.stride]
	for i := range out {
		two := r.line[2*i : 2*i+2 : 2*i+2]
		out[i] = uint64(two[0]) | uint64(two[1])<<32
	}
}

// alongY resizes between into dst.
func (r *Resizer) alongY(dst []uint8) {
	n := r.stride
	for o, t := range r.rows.taps {
		out := dst[o*2*n:][:2*n]
		rows := r.between[(t.first-r.rows.lo)*n:]
		if len(t.weights) == 2 {
			a, b := rows[:n], rows[n:][:n]
			k, l := uint64(t.weights[0]), uint64(t.weights[1])
			for i, v := range a {
				put(out[2*i:2*i+2], halves+k*v+l*b[i])
			}
			continue
		}
		for i := range r.sums {
			r.sums[i] = halves
		}
		for j, k := range t.weights {
			for i, v := range rows[j*n:][:n] {
				r.sums[i] += uint64(k) * v
			}
		}
		for i, sum := range r.sums {
			put(out[2*i:2*i+2], sum)
		}
	}
}

// Weights are as kernel.Across wants them, whose filters of 16,000 taps mean pictures of a million pixels along the
// short side.
const (
	bits   = kernel.ShrinkBits
	half   = 1 << (bits - 1)
	halves = half | half<<32
)

// put rounds two sums to bytes.
func put(dst []uint8, sums pair) {
	dst[0] = uint8(sums >> bits)
	dst[1] = uint8(sums >> (32 + bits))
}

// axis is the filter along one direction, for a window of its output.
type axis struct {
	taps   []tap // one for every output position of the window
	lo, hi int   // the source positions that the window needs: lo <= position < hi
}

// tap says which source positions make one output position.
type tap struct {
	first   int // source position of weights[0]
	weights []uint32
}

// newAxis computes the triangle filter from in to out positions, for the n outputs from
// start on. Enlarging it is bilinear; shrinking it widens to cover every source position.
func newAxis(in, out, start, n int) axis {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	a := axis{taps: make([]tap, n), lo: in}
	w := make([]float64, 0, int(2*support)+2)
	for o := range n {
		// The conversion keeps the product from being fused into the sums below.
		centre := float64((float64(start+o) + 0.5) * scale)
		first := max(int(centre-support+0.5), 0)
		end := min(int(centre+support+0.5), in)
		w = w[:0]
		total := 0.0
		for t := first; t < end; t++ {
			v := max(0, 1-math.Abs(float64(t)-centre+0.5)/support)
			w = append(w, v)
			total += v
		}
		weights := make([]uint32, len(w))
		for i, v := range w {
			weights[i] = uint32(0.5 + float64(v/total*(1<<bits)))
		}
		a.taps[o] = tap{first, weights}
		a.lo, a.hi = min(a.lo, first), max(a.hi, end)
	}
	return a
}
